#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
Starts the servers that the programs of this folder ask, and runs them: `dir_conn.py PROGRAM...`.

test_dir_conn runs three times: as it is; with libldap configured to be careless by every file and variable
that it reads; and the same with LDAPNOINIT coming too late, as in a host that used libldap before us.
"""
import contextlib
import os
import subprocess
import sys
import tempfile
import unittest

from testbed import Authority, Kdc, Slapd, TestbedError, entry, find_program, person

PROGRAMS = sys.argv[1:]

PHOTO = "jpegPhoto:: /wABCgD+gAA=\n\n"

CARELESS = """\
URI ldap://127.0.0.1:1
BASE dc=nowhere
REFERRALS on
DEREF always
SIZELIMIT 1
TIMELIMIT 1
NETWORK_TIMEOUT 60
TIMEOUT 60
SASL_MECH ANONYMOUS
SASL_AUTHCID mallory
SASL_SECPROPS none
SASL_NOCANON off
SASL_CBINDING tls-endpoint
TLS_REQCERT never
TLS_REQSAN never
TLS_CACERT {ca_file}
TLS_PROTOCOL_MIN 0.0
TLS_CIPHER_SUITE NORMAL
TLS_CRLCHECK none
"""


def data(suffix):
    text = person("alice").rstrip("\n") + "\n" + PHOTO
    text += "".join(person("user%04d" % i) for i in range(1200))
    text += entry("ou=referrals," + suffix, objectClass="organizationalUnit", ou="referrals")
    # Port 1: who chases it finds nobody.
    text += entry("ou=elsewhere,ou=referrals," + suffix, objectClass=["referral", "extensibleObject"], ou="elsewhere",
                  ref="ldap://127.0.0.1:1/ou=elsewhere,dc=example")
    return text


class Bench:
    """One good server and several that no client should trust."""

    def __init__(self, stack):
        self.folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="wsmauthz-dir-conn-"))
        self.kdc = stack.enter_context(Kdc()) if find_program("krb5kdc") and find_program("kadmin.local") else None
        self.authority = Authority(os.path.join(self.folder, "ca"))
        self.stranger = Authority(os.path.join(self.folder, "stranger"), name="stranger")
        revoked = self.authority.issue("revoked")
        self.authority.revoke(revoked)
        self.good = self._slapd(stack, ldif=data("dc=corp,dc=example,dc=test"), kdc=self.kdc)
        self.expired = self._slapd(stack, certificate=self.authority.issue("expired", expired=True))
        self.other = self._slapd(stack, certificate=self.authority.issue("other", names=("DNS:elsewhere.example",)))
        self.revoked = self._slapd(stack, certificate=revoked)
        self.tls12 = self._slapd(stack, extra_global="TLSCipherSuite NORMAL:-VERS-ALL:+VERS-TLS1.2")
        self.tls11 = self._slapd(stack, extra_global="TLSCipherSuite NORMAL:-VERS-ALL:+VERS-TLS1.1")
        self.limited = self._slapd(stack, ldif=data("dc=corp,dc=example,dc=test"), service_limits="size=10")

    def _slapd(self, stack, **options):
        options.setdefault("ldif", person("alice"))
        return stack.enter_context(Slapd(authority=self.authority, **options))

    def environment(self):
        environment = self.kdc.client_environment() if self.kdc else dict(os.environ)
        # The keytab has one principal, so GSSAPI needs to be told no name.
        if self.kdc:
            environment["BENCH_KERBEROS"] = "1"
        for name in ("expired", "other", "revoked", "tls12", "tls11", "limited"):
            server = getattr(self, name)
            environment["BENCH_%s_URI" % name.upper()] = server.uri
            environment["BENCH_%s_LDAPS_URI" % name.upper()] = server.ldaps_uri
        good = self.good
        environment.update(
            BENCH_URI=good.uri, BENCH_LDAPS_URI=good.ldaps_uri, BENCH_LDAPI_URI=good.ldapi_uri,
            BENCH_PID=str(good.pid), BENCH_CA_FILE=good.ca_file, BENCH_STRANGE_CA_FILE=self.stranger.ca_file,
            BENCH_CRL_FILE=self.authority.crl(), BENCH_SUFFIX=good.suffix, BENCH_SERVICE_DN=good.service_dn,
            BENCH_SERVICE_USER=good.service_user, BENCH_SERVICE_SECRET=good.service_password,
            BENCH_ALICE_DN=good.person_dn("alice"), BENCH_REFERRAL_PARENT="ou=referrals," + good.suffix,
            BENCH_REFERRAL_DN="ou=elsewhere,ou=referrals," + good.suffix)
        for name in [name for name in environment if name.startswith("LDAP")]:
            del environment[name]
        # For a build with the address sanitizer: Cyrus SASL 2.1.28 leaks the Kerberos credential of a bind that has no
        # security layer; ldapwhoami -Y GSSAPI -O maxssf=0 does too.
        suppressions = os.path.join(self.folder, "leaks")
        with open(suppressions, "w", encoding="ascii") as file:
            file.write("leak:libgssapiv2.so\n")
        environment["LSAN_OPTIONS"] = "suppressions=" + suppressions
        environment["ASAN_OPTIONS"] = "fast_unwind_on_malloc=0"
        return environment

    def careless(self):
        """A folder whose libldap configuration trusts everybody, and the variables that say the same."""
        text = CARELESS.format(ca_file=self.stranger.ca_file)
        for name in ("ldaprc", ".ldaprc", "ldap.conf"):
            with open(os.path.join(self.folder, name), "w", encoding="ascii") as file:
                file.write(text)
        return {"HOME": self.folder, "LDAPCONF": os.path.join(self.folder, "ldap.conf"), "LDAPRC": "ldaprc",
                "LDAPTLS_REQCERT": "never", "LDAPTLS_CACERT": self.stranger.ca_file, "LDAPREFERRALS": "on",
                "LDAPSASL_SECPROPS": "none", "LDAPTLS_CIPHER_SUITE": "NORMAL", "LDAPSIZELIMIT": "1"}


class DirConn(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = contextlib.ExitStack()
        cls.addClassCleanup(cls.stack.close)
        cls.bench = Bench(cls.stack)

    def run_program(self, name, **more):
        [program] = [path for path in PROGRAMS if os.path.basename(path) == name]
        environment = self.bench.environment()
        environment.update(more)
        done = subprocess.run([program], env=environment, cwd=self.bench.folder, timeout=200, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            self.fail("%s ended with %d:\n%s" % (name, done.returncode, done.stdout))

    def test_conn(self):
        self.run_program("test_dir_conn")

    def test_conn_with_careless_configuration(self):
        self.run_program("test_dir_conn", **self.bench.careless())

    def test_conn_with_careless_configuration_already_read(self):
        self.run_program("test_dir_conn", BENCH_LATE_PREPARE="1", **self.bench.careless())

    def test_conn_faults(self):
        self.run_program("test_dir_conn_faults")

    def test_conn_faults_with_careless_configuration_already_read(self):
        self.run_program("test_dir_conn_faults", BENCH_LATE_PREPARE="1", **self.bench.careless())

    def test_turn(self):
        self.run_program("test_dir_turn")

    def test_turn_faults(self):
        self.run_program("test_dir_turn_faults")


if __name__ == "__main__":
    if not PROGRAMS:
        raise TestbedError("usage: dir_conn.py PROGRAM...")
    unittest.main(argv=sys.argv[:1], verbosity=2)
