#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Binds to a domain controller as it is delivered: only what is signed, sealed or in TLS is taken; what is refused says why."""
import json
import os
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
import testbed  # noqa: E402
from asking import Asking  # noqa: E402
from testbed import Samba  # noqa: E402

LOCKOUT_THRESHOLD = 8
SECRET = "Account's own passw0rd"
USERS = {"name-attribute": "sAMAccountName", "upn-attribute": "userPrincipalName", "filter": "(objectClass=user)"}


def fill(domain):
    alice = domain.user("alice")
    domain.user("bob")
    domain.group("admins", [alice])
    for name in ("wrong", "disabled", "expired", "stale", "elsewhere", "never", "locked", "other"):
        domain.user(name, password=SECRET)
    domain.replace(domain.suffix, "lockoutThreshold", str(LOCKOUT_THRESHOLD))
    domain.replace(domain.person_dn("disabled"), "userAccountControl", "514")
    domain.replace(domain.person_dn("expired"), "accountExpires", "129500000000000000")
    domain.replace(domain.person_dn("stale"), "pwdLastSet", "0")
    domain.replace(domain.person_dn("elsewhere"), "userWorkstations", "OTHERHOST")
    domain.replace(domain.person_dn("never"), "logonHours", b"\0" * 21)


class DomainTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.program = testbed.wsmauthz()
        cls.samba = Samba(fill, strong_auth="yes")
        cls.addClassCleanup(cls.samba.close)
        cls.samba.start()

    def file(self, name):
        return os.path.join(self.samba.directory, "%s.%s" % (self.id().rsplit(".", 1)[1], name))

    def policy(self, *, tls="none", uri=None, **bind):
        bind = {"mechanism": "GSSAPI", "keytab": self.samba.keytab} if not bind else bind
        return testbed.write_policy(self.file("xml"), self.samba, allow=[self.samba.group_dn("admins")], tls=tls, uri=uri,
                                    bind=bind, users=USERS, timeout="10s")

    def password_policy(self, name, secret=SECRET, tls="ldaps"):
        testbed.write_file(self.file("secret"), secret, 0o600)
        return self.policy(tls=tls, mechanism="simple", dn=self.samba.person_dn(name), password_file=self.file("secret"))

    def environment(self, libdefaults="", **more):
        env = dict(self.samba.client_environment(keytab=False), **more)
        env["KRB5CCNAME"] = "FILE:" + self.file("default-cache")
        env["KRB5_CONFIG"] = self.file("krb5.conf")
        conf = Path(self.samba.krb5_conf).read_text(encoding="utf-8")
        testbed.write_file(env["KRB5_CONFIG"], conf.replace("[libdefaults]\n", "[libdefaults]\n" + libdefaults))
        return env

    def decide(self, policy, env=None):
        return testbed.check(self.program, policy, ["CORP\\alice", "CORP\\bob"], env=env or self.environment())

    def assert_decides(self, policy, env=None):
        """Who is let in is other tests' affair; here it is that the directory answers, which it does to nobody unbound."""
        answers = self.decide(policy, env)
        self.assertNotIn("error", [a["verdict"] for a in answers], answers.stderr)

    def assert_blames(self, words, policy, env=None):
        answers = self.decide(policy, env)
        self.assertEqual([a["verdict"] for a in answers], ["error", "error"], answers.stderr)
        self.assertIn(words, answers.stderr)
        return answers

    def test_sealed_without_tls(self):
        for mechanism in ("GSSAPI", "GSS-SPNEGO"):
            with self.subTest(mechanism=mechanism):
                self.assert_decides(self.policy(mechanism=mechanism, keytab=self.samba.keytab))

    def test_servers_that_dns_names(self):
        """The ticket is for the controller that was found, not for the domain that the policy names."""
        policy = self.policy(uri="ldap://" + self.samba.dns_domain, mechanism="GSSAPI", keytab=self.samba.keytab)
        answers = testbed.check(self.program, policy, ["CORP\\alice"], "--log-level", "info", env=self.environment())
        self.assertNotEqual(answers[0]["verdict"], "error", answers.stderr)
        self.assertIn("connected to 'ldap://%s" % self.samba.host, answers.stderr)

    def test_kerberos_in_tls(self):
        """Samba's default takes none, and so says the message; where it is allowed the same policy decides."""
        for strong in ("yes", "allow_sasl_over_tls"):
            self.samba.reconfigure(strong_auth=strong)
            for mechanism in ("GSSAPI", "GSS-SPNEGO"):
                for tls in ("starttls", "ldaps"):
                    policy = self.policy(tls=tls, mechanism=mechanism, keytab=self.samba.keytab)
                    with self.subTest(strong_auth=strong, mechanism=mechanism, tls=tls):
                        if strong == "yes":
                            answers = self.assert_blames("the server takes no Kerberos bind inside TLS", policy)
                            self.assertIn("ldap://", answers.stderr)
                        else:
                            self.assert_decides(policy)
        self.samba.reconfigure(strong_auth="yes")

    def test_password_in_tls(self):
        testbed.write_file(self.file("secret"), self.samba.service_password, 0o600)
        for tls in ("starttls", "ldaps"):
            with self.subTest(tls=tls):
                self.assert_decides(self.policy(tls=tls, mechanism="simple", dn=self.samba.service_dn,
                                                password_file=self.file("secret")))

    def test_passwords(self):
        self.assert_blames("takes no passwords in the clear", self.password_policy("wrong", tls="none"))
        for name, secret, words in (("wrong", "another", "the password is wrong, or there is no such account"),
                                    ("nobody", SECRET, "the password is wrong, or there is no such account"),
                                    ("disabled", SECRET, "the account is disabled"),
                                    ("expired", SECRET, "the account has expired"),
                                    ("stale", SECRET, "must be changed"),
                                    ("elsewhere", SECRET, "may not log on from this host"),
                                    ("never", SECRET, "may not log on at this time")):
            with self.subTest(name=name):
                self.assert_blames(words, self.password_policy(name, secret))

    def test_unknown_name_of_the_server(self):
        self.assert_blames("knows no service ldap/ of this server's name (SPN)",
                           self.policy(uri="ldap://" + self.samba.address))

    def test_name_that_another_account_has(self):
        """The KDC makes the ticket with that account's key, and the controller cannot read it."""
        alias = "alias." + self.samba.dns_domain
        self.samba.add_names("alias." + self.samba.dns_domain, "stranger." + self.samba.dns_domain)
        self.samba.replace(self.samba.person_dn("other"), "servicePrincipalName", "ldap/" + alias)
        for mechanism in ("GSSAPI", "GSS-SPNEGO"):
            with self.subTest(mechanism=mechanism):
                answers = self.assert_blames("the server did not accept our Kerberos ticket", self.policy(
                    uri="ldap://" + alias, mechanism=mechanism, keytab=self.samba.keytab))
                self.assertIn("SPN", answers.stderr)
        answers = self.assert_blames("knows no service ldap/ of this server's name (SPN)",
                                     self.policy(uri="ldap://stranger." + self.samba.dns_domain))
        self.assertIn("no ticket for ldap/stranger." + self.samba.dns_domain, answers.stderr)

    def test_controller_that_comes_back(self):
        with Asking(self.program, self.policy(), self.environment()) as asking:
            testbed.wait_until(lambda: asking.ask("CORP\\alice")["verdict"] == "authorize", 10, "the first bind")
            self.samba.kill()
            time.sleep(1.5)  # nothing is remembered any longer
            self.assertEqual(asking.ask("CORP\\alice")["verdict"], "error", asking.errors())
            self.samba.start()
            testbed.wait_until(lambda: asking.ask("CORP\\alice")["verdict"] == "authorize", 30, "another bind")

    def test_wrong_clock(self):
        # faketime's library comes before AddressSanitizer's, where the program has that.
        env = self.environment(" kdc_timesync = 0\n", FAKETIME_DONT_FAKE_MONOTONIC="1", DONT_FAKE_MONOTONIC="1",
                               ASAN_OPTIONS="verify_asan_link_order=0")
        done = subprocess.run([testbed.need("faketime"), "-f", "+1h", self.program, "check", "--config", self.policy(), "--json",
                               "CORP\\alice"], capture_output=True, text=True, env=env, check=False, timeout=60)
        self.assertEqual(json.loads(done.stdout)["verdict"], "error", done.stderr)
        self.assertIn("the clocks of this host and of the servers differ too much", done.stderr)

    def test_locked_account(self):
        for _ in range(LOCKOUT_THRESHOLD):
            testbed.run(testbed.need("ldapsearch"), "-x", "-H", self.samba.ldaps_uri, "-D", self.samba.person_dn("locked"), "-w",
                        "wrong", "-b", "", "-s", "base", check=False, env=dict(os.environ, LDAPTLS_CACERT=self.samba.ca_file))
        self.assert_blames("the account is locked", self.password_policy("locked"))

    def test_zz_changed_password(self):
        """Last: the keytab is of no use afterwards."""
        self.samba.replace(self.samba.service_dn, "userAccountControl", "514")
        self.assert_blames("the account is disabled, or locked", self.policy())
        self.samba.replace(self.samba.service_dn, "userAccountControl", "512")
        self.samba.modify("dn: %s\nchangetype: modify\nreplace: unicodePwd\nunicodePwd:: %s\n" % (
            self.samba.service_dn, "IgBOAGUAdwAgAHAAYQBzAHMAdwAwAHIAZAAhACIA"))
        self.assert_blames("did not accept the key of the keytab", self.policy())


if __name__ == "__main__":
    testbed.main()
