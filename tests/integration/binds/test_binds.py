#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The ways to bind, through the program: each mechanism decides, and what is refused says why."""
import os
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
import testbed  # noqa: E402
from testbed import Authority, Kdc, Slapd, group, person, write_file  # noqa: E402

PEOPLE = person("alice") + person("bob") + group("admins", ["alice"])


class BindsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.program = testbed.wsmauthz()
        cls.kdc = Kdc(principals=("wsmauthz",))
        cls.addClassCleanup(cls.kdc.close)
        cls.kdc.start()
        cls.slapd = Slapd(ldif=PEOPLE, kdc=cls.kdc)
        cls.addClassCleanup(cls.slapd.close)
        cls.slapd.start()

    def policy(self, name, **more):
        return testbed.write_policy(os.path.join(self.slapd.directory, name + ".xml"), self.slapd,
                                    allow=[self.slapd.group_dn("admins")], **more)

    def decide(self, policy, env=None):
        return testbed.check(self.program, policy, ["CORP\\alice", "CORP\\bob"], env=env)

    def assert_decides(self, policy, env=None):
        answers = self.decide(policy, env)
        self.assertEqual([a["verdict"] for a in answers], ["authorize", "deny"], answers.stderr)

    def assert_fails(self, policy, words, env=None):
        answers = self.decide(policy, env)
        self.assertEqual([a["verdict"] for a in answers], ["error", "error"], answers.stderr)
        self.assertEqual(answers.status, 3)
        self.assertIn(words, answers.stderr)

    def kerberos(self):
        return dict(os.environ, **self.kdc.client_environment())

    def test_simple(self):
        for tls in ("none", "starttls", "ldaps"):
            with self.subTest(tls=tls):
                self.assert_decides(self.policy("simple-" + tls, tls=tls))

    def test_scram(self):
        for tls in ("none", "starttls", "ldaps"):
            with self.subTest(tls=tls):
                self.assert_decides(self.policy("scram-" + tls, bind="SCRAM-SHA-256", tls=tls))

    def test_gssapi(self):
        # In the clear the mechanism seals; under TLS it must not (maxssf=0), or the server refuses.
        for mechanism in ("GSSAPI", "GSS-SPNEGO"):
            for tls in ("none", "starttls", "ldaps"):
                with self.subTest(mechanism=mechanism, tls=tls):
                    uri = "%s://localhost:%d" % (("ldaps", self.slapd.tls_port) if tls == "ldaps" else
                                                 ("ldap", self.slapd.port))
                    self.assert_decides(self.policy("%s-%s" % (mechanism, tls), bind=mechanism, tls=tls, uri=uri),
                                        self.kerberos())

    def test_gssapi_without_a_ticket(self):
        env = dict(os.environ, KRB5_CONFIG=self.kdc.client_environment()["KRB5_CONFIG"],
                   KRB5CCNAME="FILE:" + os.path.join(self.slapd.directory, "no-such-cache"),
                   KRB5_CLIENT_KTNAME="/nonexistent")
        policy = self.policy("no-ticket", bind="GSSAPI", uri="ldap://localhost:%d" % self.slapd.port)
        self.assert_fails(policy, "GSSAPI", env)

    def test_external_over_ldapi(self):
        self.assert_decides(self.policy("external", bind="EXTERNAL", uri=self.slapd.ldapi_uri,
                                        tls={"mode": "none"}))

    def test_wrong_password(self):
        policy = self.policy("wrong", tls="ldaps")
        write_file(policy + ".secret", "wrong", 0o600)
        self.assert_fails(policy, "nvalid credentials")

    def test_empty_password_is_never_sent(self):
        policy = self.policy("empty", tls="ldaps")
        write_file(policy + ".secret", "\n", 0o600)
        done = subprocess.run([self.program, "check", "--config", policy, "alice"], capture_output=True, text=True,
                              check=False)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("empty", done.stderr)

    def test_readable_password_file_is_refused(self):
        policy = self.policy("readable", tls="ldaps")
        os.chmod(policy + ".secret", 0o644)
        done = subprocess.run([self.program, "check", "--config", policy, "alice"], capture_output=True, text=True,
                              check=False)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("chmod", done.stderr)
        self.assertNotIn(self.slapd.service_password, done.stderr)

    def test_anonymous_sees_nothing_here(self):
        self.assert_fails(self.policy("anonymous", bind="anonymous", tls="ldaps"), "")

    def test_unknown_authority(self):
        with testbed.Folder() as folder:
            other = Authority(folder.join("other"))
            policy = self.policy("unknown-ca", tls={"mode": "ldaps", "ca-file": other.ca_file},
                                 uri=self.slapd.ldaps_uri)
            self.assert_fails(policy, "certificate")

    def test_ldaprc_has_no_say(self):
        """An ldaprc that turns the certificate check off must not make a server of an unknown authority acceptable."""
        with testbed.Folder() as folder:
            other = Authority(folder.join("other"))
            policy = self.policy("ldaprc", tls={"mode": "ldaps", "ca-file": other.ca_file}, uri=self.slapd.ldaps_uri)
            for name in (".ldaprc", "ldaprc", "ldap.conf"):
                folder.write(name, "TLS_REQCERT never\nURI ldap://127.0.0.1:1\nTIMEOUT 1\n")
            env = dict(os.environ, HOME=folder.path, LDAPTLS_REQCERT="never", LDAPRC="ldaprc",
                       LDAPCONF=folder.join("ldap.conf"), LDAPTLS_CACERT=self.slapd.ca_file)
            env.pop("LDAPNOINIT", None)
            here = os.getcwd()
            os.chdir(folder.path)
            try:
                self.assert_fails(policy, "certificate", env)
            finally:
                os.chdir(here)


if __name__ == "__main__":
    testbed.main()
