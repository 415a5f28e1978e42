#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
The test bed: directories, a KDC and a faulty network on loopback, each made by the test that uses it.

    import testbed
    from testbed import Slapd, person, group

    with Slapd(ldif=person("alice") + group("admins", ["alice"])) as slapd:
        policy = testbed.write_policy(slapd.directory + "/policy.xml", slapd, allow=[slapd.group_dn("admins")])
        [alice] = testbed.check(testbed.wsmauthz(), policy, ["CORP\\\\alice"])
        assert alice["verdict"] == "authorize"

Everything listens on 127.0.0.1 at free ports, works as root and as an ordinary user, runs beside other tests,
and takes its processes (by pid) and folders with it when the `with` ends; a test that is killed takes its
servers along. WSMAUTHZ_TEST_KEEP=1 keeps the folders, with the servers' logs, for reading.

By hand: `testbed.py run [--ldif FILE] [--overlay NAME]... -- COMMAND...` runs a command beside a slapd whose
addresses are in its environment (SLAPD_URI, SLAPD_LDAPS_URI, SLAPD_LDAPI_URI, SLAPD_CA_FILE, SLAPD_SUFFIX,
SLAPD_SERVICE_DN, SLAPD_SERVICE_SECRET, SLAPD_ROOT_DN, SLAPD_ROOT_SECRET, SLAPD_PID).
`testbed.py run-samba [--fill FILE] -- COMMAND...` runs it in the network of a Samba Active Directory domain controller
(SAMBA_URI, SAMBA_LDAPS_URI, SAMBA_ADDRESS, SAMBA_CA_FILE, SAMBA_SUFFIX, SAMBA_DOMAIN, SAMBA_DNS_DOMAIN, SAMBA_SERVICE_DN,
SAMBA_SERVICE_UPN, SAMBA_SERVICE_SECRET, SAMBA_KEYTAB, SAMBA_PID, and what Kerberos wants: KRB5_CONFIG, KRB5CCNAME,
KRB5_CLIENT_KTNAME); FILE is Python with a function fill(domain).

Needs /usr/bin/python3 and its standard library, slapd, ldap-utils, openssl; krb5-kdc, krb5-admin-server and krb5-user
for Kdc; samba-ad-dc, samba-ad-provision, samba-dsdb-modules, python3-samba, krb5-user and iproute2 for Samba. What is not
installed ends the test as skipped.
"""
import argparse
import json
import os
import runpy
import subprocess
import sys
import time
import unittest
from pathlib import Path
from xml.sax.saxutils import quoteattr

# The modules beside this one are part of it.
from testbed_kdc import REALM, Kdc
from testbed_process import Folder, Server, TestbedError, find_program, free_port, need, run, skip, wait_until, write_file
from testbed_proxy import CLOSE, CUT, DELAY, GARBAGE, HANG, PASS, REFUSE, RESET, TcpProxy
from testbed_samba import Samba
from testbed_slapd import DEFAULT_SUFFIX, Slapd, dn_escape, entry, group, group_dn, ldif_line, person, person_dn
from testbed_tls import SERVER_NAMES, Authority, Certificate

__all__ = [
    "Answers", "Authority", "CLOSE", "CUT", "Certificate", "DEFAULT_SUFFIX", "DELAY", "Folder", "GARBAGE", "HANG",
    "Kdc", "PASS", "REALM", "REFUSE", "RESET", "SERVER_NAMES", "Samba", "Server", "Slapd", "TcpProxy", "TestbedError", "check",
    "dn_escape", "entry", "find_program", "free_port", "group", "group_dn", "ldif_line", "main", "need", "person",
    "person_dn", "plugin", "run", "skip", "wait_until", "write_file", "write_policy", "wsmauthz",
]

NAMESPACE = "urn:wsmauthz:policy:1"
DOMAIN = "CORP"


# Policies

def _element(name, attributes):
    """<name a="b"/>; an attribute that is None is left out; "_" in a name stands for "-"."""
    text = "".join(" %s=%s" % (key.replace("_", "-"), quoteattr(str(value)))
                   for key, value in attributes.items() if value is not None)
    return "<%s%s/>" % (name, text)


def _rules(effect, rules):
    return [_element(effect, {"group": rule} if isinstance(rule, str) else rule) for rule in rules]


def _bind(path, slapd, bind):
    """The attributes of <bind>; writes the secret beside the policy where the mechanism wants one."""
    if isinstance(bind, dict):
        return bind
    attributes = {"mechanism": bind}
    if bind == "simple":
        attributes["dn"] = slapd.service_dn
    elif bind.startswith("SCRAM-") or bind == "DIGEST-MD5":
        attributes["user"] = slapd.service_user
    else:
        return attributes
    attributes["password-file"] = path + ".secret"
    write_file(attributes["password-file"], slapd.service_password, 0o600)
    return attributes


def _redirect(redirect):
    """{"attribute": "l", "here": "AMER", "sites": [{"name": "EMEA", "uri": "https://..."}]} -> lines of XML"""
    sites = [_element("site", site) for site in redirect.get("sites", ())]
    attributes = {key: value for key, value in redirect.items() if key != "sites"}
    return [_element("redirect", attributes)[:-2] + ">"] + sites + ["</redirect>"]


def write_policy(path, slapd, *, allow=(), deny=(), redirect=None, account=None, cache=None, bind="simple", tls="none",
                 uri=None, default_domain=DOMAIN, domain=DOMAIN + " corp.example.test", timeout=None, identity=None,
                 users=None, groups=None, extra=""):
    """
    Write a policy for a Slapd, and the secret of its service account at `path`.secret (mode 0600).

    allow, deny  rules: a group's DN, or a dict of the element's attributes: {"group": dn, "max-shells": 5}.
    redirect     a dict of the element's attributes, and "sites": a list of dicts.
    account, cache, users, groups
                 dicts of attributes; in all of these "_" in a name stands for "-", and None leaves one out.
    bind         "simple", "EXTERNAL", "anonymous", "SCRAM-SHA-256", "GSSAPI", ..., or a dict of attributes.
    tls          "none", "starttls", "ldaps" (with the Slapd's own CA), or a dict of attributes.
    uri          None: the Slapd's own (ldaps for tls="ldaps"); a TcpProxy's, or several with blanks between.
    extra        more elements, as XML, before the rules.

    Returns the path.
    """
    path = os.path.abspath(path)
    if isinstance(tls, str):
        tls = {"mode": tls, "ca-file": None if tls == "none" else slapd.ca_file}
    if uri is None:
        uri = slapd.ldaps_uri if tls["mode"] == "ldaps" else slapd.uri
    directory = {"uri": uri, "base": slapd.suffix, "domain": domain, "timeout": timeout, "identity": identity}
    lines = [_element("wsmauthz", {"xmlns": NAMESPACE, "default-domain": default_domain})[:-2] + ">",
             _element("directory", directory)[:-2] + ">", _element("bind", _bind(path, slapd, bind)),
             _element("tls", tls)]
    lines += [_element(name, value) for name, value in (("users", users), ("groups", groups)) if value is not None]
    lines += ["</directory>"]
    lines += [_element(name, value) for name, value in (("cache", cache), ("account", account)) if value is not None]
    lines += [extra] + _rules("deny", deny) + _rules("allow", allow)
    lines += _redirect(redirect) if redirect else []
    write_file(path, "\n".join(lines + ["</wsmauthz>"]) + "\n", 0o600)
    return path


# The program under test

def wsmauthz():
    """The program under test: what ctest names in WSMAUTHZ_CLI. Skips the test where it is not built."""
    return _under_test("WSMAUTHZ_CLI", "the program wsmauthz")


def plugin():
    """The plug-in under test: what ctest names in WSMAUTHZ_PLUGIN. Skips the test where it is not built."""
    return _under_test("WSMAUTHZ_PLUGIN", "the plug-in wsmauthz.so")


def _under_test(variable, what):
    path = os.environ.get(variable)
    if not path:
        skip("%s is not part of this build (%s is not set)" % (what, variable))
    return path


class Answers(list):
    """The objects of `check --json`, and how the program ended: `status`, `stderr`, `elapsed_s`."""

    def __init__(self, objects, status, stderr, elapsed_s):
        super().__init__(objects)
        self.status = status
        self.stderr = stderr
        self.elapsed_s = elapsed_s


def check(program, policy, senders, *options, env=None, timeout=60):
    """
    Run `wsmauthz check --config POLICY --json -` and ask for each sender, one a line (str, or bytes as they are).

    Raises TestbedError where that gives no answer for each: a status other than 0, 1 and 3, a line that is not
    JSON, a line too few or too many.
    """
    lines = [sender if isinstance(sender, bytes) else sender.encode() for sender in senders]
    begin = time.monotonic()
    done = subprocess.run([program, "check", "--config", policy, "--json", *options, "-"], env=env, timeout=timeout,
                          input=b"".join(line + b"\n" for line in lines), capture_output=True, check=False)
    elapsed_s = time.monotonic() - begin
    stderr = done.stderr.decode(errors="replace")
    report = "status %d\nstdout: %r\nstderr: %s" % (done.returncode, done.stdout, stderr)
    if done.returncode not in (0, 1, 3):
        raise TestbedError("wsmauthz check did not answer: " + report)
    try:
        objects = [json.loads(line) for line in done.stdout.decode().splitlines()]
    except ValueError as error:
        raise TestbedError("wsmauthz check did not print JSON (%s): %s" % (error, report)) from error
    if len(objects) != len(lines):
        raise TestbedError("%d senders, %d answers: %s" % (len(lines), len(objects), report))
    return Answers(objects, done.returncode, stderr, elapsed_s)


# Tests

def main():
    """unittest.main() for ctest: also a test of which only a part was skipped says so, by status 77."""
    result = unittest.main(exit=False, verbosity=2).result
    if not result.wasSuccessful():
        sys.exit(1)
    if result.testsRun == 0:
        sys.exit("no test ran")
    for test, reason in result.skipped:
        print("SKIP: %s: %s" % (test, reason), flush=True)
    sys.exit(77 if result.skipped else 0)


# By hand

def _run_beside_slapd(arguments):
    with Slapd(ldif=Path(arguments.ldif) if arguments.ldif else None,
               overlays=arguments.overlay or ("syncprov",)) as slapd:
        secrets = {name: slapd.directory + "/" + name for name in ("service.secret", "root.secret")}
        write_file(secrets["service.secret"], slapd.service_password, 0o600)
        write_file(secrets["root.secret"], slapd.root_password, 0o600)
        env = dict(os.environ, SLAPD_URI=slapd.uri, SLAPD_LDAPS_URI=slapd.ldaps_uri, SLAPD_LDAPI_URI=slapd.ldapi_uri,
                   SLAPD_CA_FILE=slapd.ca_file, SLAPD_SUFFIX=slapd.suffix, SLAPD_SERVICE_DN=slapd.service_dn,
                   SLAPD_SERVICE_SECRET=secrets["service.secret"], SLAPD_ROOT_DN=slapd.root_dn,
                   SLAPD_ROOT_SECRET=secrets["root.secret"], SLAPD_PID=str(slapd.pid))
        return subprocess.call(arguments.command, env=env)


def _run_beside_samba(arguments):
    fill = runpy.run_path(arguments.fill)["fill"] if arguments.fill else None
    with Samba(fill, model="prefork") as samba:
        secret = samba.directory + "/service.secret"
        write_file(secret, samba.service_password, 0o600)
        env = dict(samba.client_environment(), SAMBA_URI=samba.uri, SAMBA_LDAPS_URI=samba.ldaps_uri,
                   SAMBA_ADDRESS=samba.address, SAMBA_CA_FILE=samba.ca_file, SAMBA_SUFFIX=samba.suffix,
                   SAMBA_DOMAIN=samba.domain, SAMBA_DNS_DOMAIN=samba.dns_domain, SAMBA_SERVICE_DN=samba.service_dn,
                   SAMBA_SERVICE_UPN=samba.service_upn, SAMBA_SERVICE_SECRET=secret, SAMBA_KEYTAB=samba.keytab,
                   SAMBA_PID=str(samba.pid))
        return subprocess.call(arguments.command, env=env)


def _command_line():
    parser = argparse.ArgumentParser(description="Servers for tests, by hand.")
    commands = parser.add_subparsers(required=True)
    runner = commands.add_parser("run", help="run a command beside a slapd")
    runner.add_argument("--ldif", help="load this file")
    runner.add_argument("--overlay", action="append", help="syncprov (default), memberof, refint, dynlist, ppolicy")
    runner.add_argument("command", nargs="+")
    runner.set_defaults(run=_run_beside_slapd)
    runner = commands.add_parser("run-samba", help="run a command beside a domain controller, in its network")
    runner.add_argument("--fill", help="Python with a function fill(domain), called before the start")
    runner.add_argument("command", nargs="+")
    runner.set_defaults(run=_run_beside_samba)
    return parser.parse_args()


if __name__ == "__main__":
    command_line = _command_line()
    sys.exit(command_line.run(command_line))
