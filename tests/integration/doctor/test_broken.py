#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
Set-ups that are broken in one way each, in one table: `wsmauthz doctor` finds what it is, says how bad that is, and names the
remedy. Beside each stands what a set-up that is well says of the same thing: nothing bad.
"""
import os
import re
import ssl
import sys
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
import testbed  # noqa: E402
from doctoring import doctor  # noqa: E402
from testbed import Authority, Folder, Slapd, entry, group, group_dn, person, person_dn  # noqa: E402

CROWD = 120
PEOPLE = (person("here", l="AMER") + person("away", l="EMEA") + person("lost", l="Moon") + person("astray", l="moon") +
          person("twofold", l=["EMEA", "AMER"]) + person("nowhere") +
          person("alice", shadowExpire="99999", objectClass=["inetOrgPerson", "shadowAccount"], l="AMER") +
          "".join(person("user-%03d" % i, l="EMEA") for i in range(CROWD)))
GROUPS = (group("users", ["alice", "here", "nowhere"]) + group("crowd", ["user-%03d" % i for i in range(CROWD)]) +
          entry(group_dn("empty"), objectClass="posixGroup", cn="empty", gidNumber="4711"))
SITE = {"name": "EMEA", "uri": "https://winrm-emea.corp.example:5986/wsman"}
IDENTITY = """<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><w:IdentifyResponse
 xmlns:w="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"><w:ProductVendor>Microsoft Corporation</w:ProductVendor>
 <w:ProductVersion>OS: 10.0.20348 SP: 0.0 Stack: 3.0</w:ProductVersion></w:IdentifyResponse></s:Body></s:Envelope>"""


class Endpoint(BaseHTTPRequestHandler):
    """Answers as WinRM does to Identify; other paths answer otherwise."""

    def do_POST(self):  # noqa: N802
        asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
        good = ("Identify/>" in asked and self.headers["WSMANIDENTIFY"] == "unauthenticated" and
                self.headers["Content-Type"].startswith("application/soap+xml"))
        body = IDENTITY if self.path == "/wsman" and good else "It works!"
        status = {"/wsman": 200 if good else 500, "/auth": 401, "/on": 302, "/far": 403}.get(self.path, 404)
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "https://elsewhere.example:5986/wsman")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


def serve(context=None):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


class Setups:
    """Servers of several kinds, made when they are asked for, and a folder for policies."""

    KINDS = {
        "well": {},
        "unwatched": {"overlays": ()},
        "limited": {"service_limits": "size=2 time=unlimited"},
        "unindexed": {"index": ("objectClass,member,entryCSN eq",),
                      "service_limits": "size=unlimited time=unlimited size.unchecked=%d" % (CROWD + 5)},
        "state-hidden": {"access": "access to attrs=shadowExpire by * none"},
        "members-hidden": {"access": "access to attrs=member by * none"},
        "base-hidden": {"access": "access to dn.base=%s by * none" % testbed.DEFAULT_SUFFIX},
        "site-hidden": {"access": "access to attrs=l by * none"},
    }

    def __init__(self):
        self.folder = Folder()
        self.servers = {}
        self.authority = Authority(self.folder.make("authority"))
        self.http = serve()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate = self.authority.issue("endpoint")
        context.load_cert_chain(certificate.certificate, certificate.key)
        self.https = serve(context)

    def close(self):
        for server in (self.http, self.https):
            server.shutdown()
            server.server_close()
        for slapd in self.servers.values():
            slapd.close()
        self.folder.remove()

    def slapd(self, kind):
        if kind not in self.servers:
            options = dict(self.KINDS.get(kind, {}))
            ldif = PEOPLE + GROUPS
            if kind == "future":
                ldif = entry(testbed.DEFAULT_SUFFIX, objectClass=["dcObject", "organization"], dc="corp", o="Example",
                             contextCSN="20991231235959.000000Z#000000#000#000000") + ldif
            if kind in ("ending", "over", "renamed"):
                issued = {"ending": {"days": 9}, "over": {"expired": True}, "renamed": {"names": ["DNS:other.example"]}}[kind]
                options.update(authority=self.authority, certificate=self.authority.issue(kind, **issued))
            self.servers[kind] = Slapd(ldif=ldif, **options)
            self.servers[kind].start()
        return self.servers[kind]

    def endpoint(self, path, scheme="http"):
        server = self.http if scheme == "http" else self.https
        return "%s://127.0.0.1:%d%s" % (scheme, server.server_address[1], path)


# Each: what is broken; what the policy says other than a good one, or what is done to it; check, level, text, remedy.
def redirect(**more):
    return {"redirect": {"attribute": "l", "here": "AMER", "sites": [SITE, {"name": "Moon", "uri": SITE["uri"]}], **more}}


def to(uri):
    return {"redirect": {"attribute": "l", "here": "AMER", "sites": [{"name": "EMEA", "uri": uri, "allow_http": "true"},
                                                                      {"name": "Moon", "uri": uri, "allow_http": "true"}]}}


def broken_by(change):
    """A policy that is good, but for its file."""
    def spoil(setups, policy):
        path = Path(policy)
        text = change(path.read_text())
        testbed.write_file(policy, text, 0o600)
    return spoil


def chmod(mode, suffix=""):
    return lambda setups, policy: os.chmod(policy + suffix, mode)


def secret(text):
    return lambda setups, policy: testbed.write_file(policy + ".secret", text, 0o600)


def removed(suffix):
    return lambda setups, policy: os.unlink(policy + suffix)


def closed_port():
    return "ldap://127.0.0.1:%d" % testbed.free_port()


BROKEN = (
    # the policy
    ("no policy", {}, removed(""), "policy-file", "error", "policy.xml", "--config"),
    ("policy is no XML", {}, broken_by(lambda text: text[:-9]), "policy-file", "error", r"policy\.xml:[0-9]+", "."),
    ("misspelled attribute", {}, broken_by(lambda text: text.replace("group=", "gruop=", 1)), "policy-file", "error", "gruop",
     "group"),
    ("others may write the policy", {}, chmod(0o666), "policy-file", "error", "policy.xml", "chmod"),
    ("others may replace the policy", {}, lambda setups, policy: os.chmod(os.path.dirname(policy), 0o777), "policy-folder",
     "warning", "may", "."),
    ("others may read the secret", {}, chmod(0o644, ".secret"), "policy-file", "error", "secret", "chmod"),
    ("no secret", {}, removed(".secret"), "policy-file", "error", "secret", "."),
    ("no authority's file", {"tls": {"mode": "starttls", "ca-file": "/nonexistent/ca.pem"}}, None, "policy-file", "error",
     "ca.pem", "."),
    ("redirect in the clear", {"redirect": {"attribute": "l", "sites": [{"name": "EMEA", "uri": "http://a.example:5985/wsman"}]}},
     None, "policy-file", "error", "https", "."),
    # servers
    ("no such host", {"uri": "ldap://nowhere.invalid"}, None, "dns", "error", "nowhere.invalid", "DNS"),
    ("nobody listens", {"uri": closed_port}, None, "tcp", "error", "refused", "."),
    ("one server of two is down", {"uri": lambda setups: closed_port() + " " + setups.slapd("well").uri}, None, "tcp", "warning",
     "refused", "."),
    ("clear text", {"tls": "none"}, None, "tls", "warning", "clear text", "starttls"),
    ("certificate of another authority", {"tls": lambda setups: {"mode": "starttls", "ca-file": setups.authority.ca_file}}, None,
     "tls", "error", "certificate|TLS", "."),
    ("certificate ends soon", {"server": "ending"}, None, "tls-expiry", "warning", "ends in [89] days", "renewed"),
    ("certificate is over", {"server": "over"}, None, "tls", "error", "certificate|TLS|expired", "."),
    ("certificate of another name", {"server": "renamed"}, None, "tls", "error", "certificate|TLS|name", "."),
    ("wrong password", {}, secret("wrong"), "bind", "error", "[Ii]nvalid credentials", "."),
    ("wrong account", {"bind": lambda setups: {"mechanism": "simple", "dn": "uid=nobody," + testbed.DEFAULT_SUFFIX,
                                               "password-file": setups.folder.write("some.secret", "some", 0o600)}}, None,
     "bind", "error", "[Ii]nvalid credentials|no such", "."),
    ("no account", {"bind": "anonymous"}, None, "bind-secret", "warning", "anonymous", "make an account"),
    # the directory
    ("account sees nothing", {"bind": "anonymous"}, None, "base", "error", "insufficient access", "give <bind> an account"),
    ("base is not there", {}, broken_by(lambda text: text.replace('base="dc=corp', 'base="ou=none,dc=corp', 1)), "base", "error",
     "does not exist", "correct directory/@base"),
    ("account sees passwords", {"bind": lambda setups: {
        "mechanism": "simple", "dn": setups.slapd("well").root_dn,
        "password-file": setups.folder.write("root.secret", setups.slapd("well").root_password, 0o600)}}, None,
     "passwords-hidden", "warning", "may read userPassword", "access to attrs=userPassword"),
    ("no users", {"users": {"filter": "(objectClass=device)"}}, None, "users", "error", "everybody is denied", "users/@filter"),
    ("users have no such name", {"users": {"name-attribute": "employeeNumber"}}, None, "users", "error", "employeeNumber",
     "users/@name-attribute"),
    ("account state is hidden", {"server": "state-hidden"}, None, "account-state", "warning", "hidden .*shadowExpire",
     "access to attrs=shadowExpire"),
    ("listing is cut", {"server": "limited"}, None, "listing", "error", "[Ss]ize", "limits dn.exact="),
    ("no index", {"server": "unindexed"}, None, "index", "warning", "no index", "index uid eq; then slapindex"),
    # groups
    ("allowed group is missing", {"allow": [group_dn("users"), group_dn("nope")]}, None, "group", "error", "lets nobody in",
     r"policy\.xml:[0-9]+"),
    ("denied group is missing", {"deny": [group_dn("nope")]}, None, "group", "error", "every decision is an error", "."),
    ("denied group is missing and ignored", {"deny": [{"group": group_dn("nope"), "if-missing": "ignore"}]}, None, "group",
     "warning", "keeps nobody out", "make the group"),
    ("a person for a group", {"allow": [group_dn("users"), person_dn("alice")]}, None, "group", "error", "is not a group",
     "correct the name"),
    ("nobody is in it", {"allow": [group_dn("users"), group_dn("empty")]}, None, "group", "warning", "nobody is in it",
     "put somebody in"),
    ("members are hidden", {"server": "members-hidden"}, None, "groups", "error", "shows no members", "read access"),
    ("too many members to hold", {"allow": [group_dn("crowd")], "cache": {"member_index": "1KB"}}, None, "member-index", "warning",
     "the server is asked", 'member-index="1MB"'),
    # changes
    ("changes are not told", {"server": "unwatched"}, None, "watch", "warning", "unwatched-ttl", "overlay syncprov"),
    ("no mark", {"server": "unwatched"}, None, "mark", "warning", "contextCSN", "overlay syncprov"),
    ("a clock is wrong", {"server": "future"}, None, "clock", "warning", "s from now", "chrony"),
    # redirects
    ("site's group is missing", {"redirect": {"sites": [{"group": group_dn("nope"), "uri": SITE["uri"]}]}}, None, "group", "error",
     "this site gets nobody", "make the group"),
    ("values that no site is for", redirect(sites=[SITE]), None, "redirect-users", "warning",
     r"^2 of [0-9]+ users .*: 'Moon' of 2 users \(uid=(lost|astray),.* for one\)$", "<here value="),
    ("several values", redirect(), None, "redirect-users", "warning", "^1 user has several values.*uid=twofold,", "one value"),
    ("attribute that nobody has", redirect(attribute="employeeType"), None, "redirect-users", "warning",
     "nobody is redirected by it", "redirect/@attribute"),
    ("attribute that is hidden", {"server": "site-hidden", **redirect()}, None, "redirect-users", "warning", ".", "."),
    ("let in and of no site", redirect(unmapped="deny"), None, "redirect-empty", "warning", "^1 user .*denied.*uid=nowhere,",
     "unmapped="),
    ("endpoint is down", to(lambda setups: "http://127.0.0.1:%d/wsman" % testbed.free_port()), None, "redirect-probe", "error",
     "could not ask", "firewall"),
    ("endpoint is something else", to(lambda setups: setups.endpoint("/index.html")), None, "redirect-probe", "error",
     "no WS-Management endpoint", "/wsman"),
    ("endpoint redirects on", to(lambda setups: setups.endpoint("/on")), None, "redirect-probe", "warning",
     "elsewhere.example", "the last address"),
    ("endpoint refuses", to(lambda setups: setups.endpoint("/far")), None, "redirect-probe", "warning", "403", "."),
    ("endpoint's authority is unknown", to(lambda setups: setups.endpoint("/wsman", "https")), None, "redirect-probe", "error",
     "certificate|SSL|TLS", "--probe-ca"),
)


def resolve(setups, value):
    """What is only known once the servers are there."""
    if callable(value):
        return value(setups) if value.__code__.co_argcount else value()
    if isinstance(value, dict):
        return {name: resolve(setups, one) for name, one in value.items()}
    if isinstance(value, list):
        return [resolve(setups, one) for one in value]
    return value


class Broken(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.setups = Setups()
        cls.addClassCleanup(cls.setups.close)

    def doctor(self, number, options, spoil=None):
        options = resolve(self.setups, options)
        slapd = self.setups.slapd(options.pop("server", "well"))
        options.setdefault("allow", [group_dn("users")])
        options.setdefault("tls", "starttls")
        if options.get("bind") == "anonymous":
            spoil = None
        path = testbed.write_policy(self.setups.folder.make("setup-%s" % number) + "/policy.xml", slapd, **options)
        if spoil is not None:
            spoil(self.setups, path)
        probe = ["--probe"] if "127.0.0.1" in str(options.get("redirect", "")) else []
        return doctor(path, *probe)

    def test_each_of_the_table(self):
        self.assertGreaterEqual(len(BROKEN), 25)
        for number, (what, options, spoil, check, level, text, remedy) in enumerate(BROKEN):
            with self.subTest(what):
                findings = self.doctor(number, options, spoil)
                found = [line for line in findings.of(check) if line["level"] == level and re.search(text, line["text"]) and
                         re.search(remedy, line["remedy"] or "")]
                self.assertTrue(found, "no %s of %s with %r, %r:\n%s" % (
                    level, check, text, remedy, "\n".join(map(str, findings.of(check) or findings))))

    def test_nothing_of_it_is_said_when_all_is_well(self):
        uri = self.setups.endpoint("/wsman")
        findings = self.doctor("well", {"users": {"filter": "(&(objectClass=inetOrgPerson)(!(uid=twofold)))"}, **to(uri)})
        self.assertEqual(findings.worse_than_ok(), set(), findings)
        self.assertIn("answers Identify in", findings.of("redirect-probe")[0]["text"])
        self.assertIn("OS: 10.0.20348", findings.of("redirect-probe")[0]["text"])
        self.assertEqual(len(findings.of("redirect-probe")), 1)  # two sites have it, and it is asked once
        self.assertRegex(findings.of("redirect-empty")[0]["text"], "^1 user .*served wherever they come to.*uid=nowhere")

    def test_endpoint_behind_an_authority_of_ones_own__or_a_password(self):
        policy = testbed.write_policy(self.setups.folder.make("own") + "/policy.xml", self.setups.slapd("well"), tls="starttls",
                                      allow=[group_dn("users")], **resolve(self.setups, to(self.setups.endpoint("/wsman", "https"))))
        findings = doctor(policy, "--probe", "--probe-ca", self.setups.authority.ca_file)
        self.assertEqual(findings.levels("redirect-probe"), ["ok"], findings.of("redirect-probe"))
        findings = self.doctor("auth", to(self.setups.endpoint("/auth")))
        self.assertIn("401", findings.of("redirect-probe")[0]["text"])
        self.assertEqual(findings.levels("redirect-probe"), ["ok"])


if __name__ == "__main__":
    testbed.main()
