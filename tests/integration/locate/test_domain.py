#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
A policy that names a domain and no server: the program, the system's resolver, DNS on its own port, and slapds behind names. In a network of
the test's own, whose /etc/resolv.conf is the test's.
"""
import json
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
import testbed  # noqa: E402
import testbed_network  # noqa: E402
from testbed import Authority, Folder, Slapd, group, person  # noqa: E402
from testbed_dns import A, ANSWER, SERVFAIL, Dns  # noqa: E402

DOMAIN = "corp.example.test"
PLAIN = "_ldap._tcp." + DOMAIN
TLS = "_ldaps._tcp." + DOMAIN
FIRST, SECOND = "s1." + DOMAIN, "s2." + DOMAIN

network = testbed_network.enter()


class DomainTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.program = testbed.wsmauthz()
        network.set_resolvers(["127.0.0.1"], "nowhere.test")
        cls.dns = Dns(port=53).__enter__()
        cls.addClassCleanup(cls.dns.__exit__, None, None, None)
        cls.folder = Folder(prefix="wsmauthz-domain-")
        cls.addClassCleanup(cls.folder.remove)
        cls.authority = Authority(cls.folder.join("tls"))
        ldif = person("alice") + person("bob") + group("admins", ["alice"])
        cls.slapds = []
        for name in (FIRST, SECOND):
            certificate = cls.authority.issue(name, names=("DNS:" + name,))
            cls.slapds.append(Slapd(ldif=ldif, authority=cls.authority, certificate=certificate).__enter__())
            cls.addClassCleanup(cls.slapds[-1].__exit__, None, None, None)
            cls.dns.a(name, "127.0.0.1")

    def setUp(self):
        for name in (PLAIN, TLS):
            self.dns.forget(name)
        self.dns.behave(None, ANSWER)

    def check(self, uri, tls="none", **more):
        first = self.slapds[0]
        policy = testbed.write_policy(self.folder.join("policy.xml"), first, uri=uri, tls=tls,
                                      allow=[first.group_dn("admins")], **more)
        return testbed.check(self.program, policy, ["CORP\\alice", "CORP\\bob"])

    def assert_decides(self, answers):
        self.assertEqual([answer["verdict"] for answer in answers], ["authorize", "deny"], answers.stderr)

    def assert_unavailable(self, answers, *words):
        self.assertEqual([answer["reason"] for answer in answers], ["directory-unavailable"] * 2, answers.stderr)
        self.assertEqual([answer["verdict"] for answer in answers], ["error"] * 2)
        for word in words:
            self.assertIn(word, answers.stderr)

    def test_without_a_host_and_by_the_domain(self):
        self.dns.srv(PLAIN, [(0, 0, self.slapds[0].port, FIRST), (1, 0, self.slapds[1].port, SECOND)])
        for uri in ("ldap:///", "ldap://" + DOMAIN, "ldap://CORP.example.test"):
            for domain in ("CORP " + DOMAIN, "CORP"):
                with self.subTest(uri=uri, domain=domain):
                    self.assert_decides(self.check(uri, domain=domain))

    def test_tls_is_checked_against_the_server_that_dns_names(self):
        self.dns.srv(PLAIN, [(0, 0, self.slapds[0].port, FIRST)])
        self.dns.srv(TLS, [(0, 0, self.slapds[1].tls_port, SECOND)])
        self.assert_decides(self.check("ldap:///", tls="starttls"))
        self.assert_decides(self.check("ldaps:///", tls="ldaps"))

    def test_certificate_of_another_server__is_refused(self):
        self.dns.srv(PLAIN, [(0, 0, self.slapds[1].port, FIRST)])
        self.dns.srv(TLS, [(0, 0, self.slapds[0].tls_port, SECOND)])
        self.assert_unavailable(self.check("ldap:///", tls="starttls"), FIRST, "certificate")
        self.assert_unavailable(self.check("ldaps:///", tls="ldaps"), SECOND, "certificate")

    def test_first_server_is_dead__the_second_decides(self):
        self.dns.srv(PLAIN, [(0, 0, testbed.free_port(), FIRST), (1, 0, self.slapds[1].port, SECOND)])
        self.assert_decides(self.check("ldap:///"))

    def test_no_record__says_which_name_was_asked_for_and_what_to_do(self):
        self.assert_unavailable(self.check("ldap:///"), PLAIN, "no such name", "/etc/resolv.conf", "dig SRV")

    def test_dns_fails__says_so(self):
        self.dns.behave(None, SERVFAIL)
        self.assert_unavailable(self.check("ldap://" + DOMAIN), PLAIN, "SERVFAIL")

    def doctor(self, uri):
        """The lines of the check `servers`, those of the bind, and those of the watch."""
        policy = testbed.write_policy(self.folder.join("policy.xml"), self.slapds[0], uri=uri, tls="none",
                                      allow=[self.slapds[0].group_dn("admins")])
        done = subprocess.run([self.program, "doctor", "--config", policy, "--json"], timeout=60, capture_output=True,
                              text=True, check=False)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return [[line for line in lines if line["id"] == name] for name in ("servers", "bind", "watch")]

    def test_doctor__looks_at_the_servers_that_dns_names(self):
        self.dns.srv(PLAIN, [(0, 0, self.slapds[0].port, FIRST), (1, 0, self.slapds[1].port, SECOND)])
        found, bound, watched = self.doctor("ldap:///")
        self.assertEqual([line["level"] for line in found], ["ok"], found)
        self.assertEqual([line["level"] for line in watched], ["ok"], watched)
        self.assertIn("there are 2, the first is ldap://%s:%d" % (FIRST, self.slapds[0].port), found[0]["text"])
        self.assertEqual([(line["level"], line["subject"]) for line in bound],
                         [("ok", "ldap://%s:%d" % (FIRST, self.slapds[0].port)),
                          ("ok", "ldap://%s:%d" % (SECOND, self.slapds[1].port))])

    def test_doctor__no_record__says_what_was_asked_for(self):
        found, bound, _ = self.doctor("ldap:///")
        self.assertEqual([line["level"] for line in found], ["error"], found)
        self.assertIn(PLAIN, found[0]["text"])
        self.assertIn("dig SRV", found[0]["remedy"])
        self.assertEqual(bound, [])

    def test_no_record_and_a_host_of_that_name__is_the_server(self):
        with testbed.TcpProxy(self.slapds[0].port, port=389):  # the standard port, which is free in this network
            self.dns.a(DOMAIN, "127.0.0.1")
            self.addCleanup(self.dns.forget, DOMAIN, A)
            answers = self.check("ldap://" + DOMAIN)
            self.assert_decides(answers)
            self.assertIn("the domain's name is taken for the server's", answers.stderr)


if __name__ == "__main__":
    testbed.main()
