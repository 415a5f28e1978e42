#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
What makes others go wrong on a domain controller, each provoked on a real one: first that the trap is there (asked by
ldapsearch), then that the program does not fall into it.
"""
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
import testbed  # noqa: E402
from testbed import Samba  # noqa: E402

# Above the 1,500 values that Windows' own answers in one piece.
MANY = 1600
# LDAP_OPERATIONS_ERROR.
OPERATIONS_ERROR = 1
# What is no domain of this forest's, with parts that no signed number of 32 bits holds.
FOREIGN_SID = "S-1-5-21-4294967295-4294967294-4294967293-4294967292"


def fill(domain):
    alice, bob, carol, dave = (domain.user(name) for name in ("alice", "bob", "carol", "dave"))
    ring = [domain.group("ring-a", [alice]), domain.group("ring-b")]
    domain.add_members(ring[0], [ring[1]])
    domain.add_members(ring[1], [ring[0]])
    mail = domain.group("mail", [bob], scope="universal", security=False)
    primary = domain.group("primary")
    domain.set_primary_group(carol, primary)
    domain.group("winrm", [ring[1], mail, primary, "<SID=%s>" % FOREIGN_SID], scope="local")
    crowd = [domain.user("crowd-%04d" % number) for number in range(MANY)]
    domain.group("crowded", crowd + [dave])
    last = None
    for number in range(MANY):
        last = domain.group("of-dave-%04d" % number, [dave])
    domain.group("above", [last], scope="universal")
    domain.user("kim")


class Traps(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        Samba.need()
        cls.program = testbed.wsmauthz()
        cls.samba = Samba(fill)
        cls.addClassCleanup(cls.samba.close)
        cls.samba.start()

    def ask(self, group, *senders):
        policy = testbed.write_policy(self.samba.directory + "/policy.xml", self.samba, domain=None, timeout="10s",
                                      allow=[self.samba.group_dn(group)])
        return testbed.check(self.program, policy, senders)

    def verdicts(self, group, *senders):
        return [(answer["verdict"], answer["reason"]) for answer in self.ask(group, *senders)]

    def search(self, *arguments):
        return subprocess.run(["ldapsearch", "-LLL", "-x", "-o", "ldif-wrap=no", "-H", self.samba.uri, "-D",
                               self.samba.service_dn, "-w", self.samba.service_password, *arguments],
                              capture_output=True, text=True, timeout=60, check=False)

    def test_groups_in_a_ring(self):
        self.assertEqual(self.verdicts("winrm", "alice"), [("authorize", "member")])

    def test_primary_group_that_member_of_does_not_show(self):
        shown = self.search("-b", self.samba.person_dn("carol"), "-s", "base", "memberOf").stdout
        self.assertNotIn("CN=primary", shown)
        self.assertEqual(self.verdicts("winrm", "carol"), [("authorize", "member")])

    def test_distribution_group_on_the_way(self):
        found = self.search("-b", self.samba.person_dn("bob"), "-s", "base",
                            "(memberOf:1.2.840.113556.1.4.1941:=%s)" % self.samba.group_dn("winrm"), "1.1").stdout
        self.assertIn("CN=bob", found, "the matching rule in chain counts it")
        self.assertEqual(self.verdicts("winrm", "bob"), [("deny", "not-a-member")])

    def test_more_members_and_more_groups_than_one_answer_of_windows_shows(self):
        self.assertEqual(self.verdicts("crowded", "crowd-0000", "crowd-%04d" % (MANY - 1), "dave", "alice"),
                         3 * [("authorize", "member")] + [("deny", "not-a-member")])
        self.assertEqual(self.verdicts("above", "dave", "crowd-0000"), [("authorize", "member"), ("deny", "not-a-member")])

    def test_token_groups_in_a_subtree_search(self):
        done = self.search("-b", self.samba.suffix, "-s", "sub", "(sAMAccountName=alice)", "tokenGroups")
        self.assertEqual(done.returncode, OPERATIONS_ERROR, done.stderr)
        answer = self.ask("winrm", "CORP\\alice")[0]
        self.assertEqual((answer["verdict"], answer["searches"]), ("authorize", 1))

    def test_references_at_the_head_of_the_domain(self):
        shown = self.search("-b", self.samba.suffix, "-s", "sub", "(sAMAccountName=alice)", "1.1").stdout
        self.assertIn("# refldap://", shown)
        answers = self.ask("winrm", "alice", "nobody")
        self.assertEqual([answer["reason"] for answer in answers], ["member", "no-such-user"])
        self.assertNotIn("refer", answers.stderr.lower())

    def test_names_that_look_like_hers(self):
        same = ["alice", "ALICE", "CORP\\Alice", "corp\\alice", "alice@CORP.EXAMPLE.TEST", "Corp.Example.Test\\aLiCe"]
        self.assertEqual(self.verdicts("winrm", *same), len(same) * [("authorize", "member")])

    def test_names_that_are_not_hers(self):
        """Samba matches more than it was asked: what stands behind a NUL is cut off, blanks and other forms are folded."""
        cut = self.search("-b", self.samba.suffix, "(sAMAccountName=alice\\00x)", "1.1").stdout
        self.assertIn("CN=alice", cut, "the trap is there")
        others = [b"alice\0", b"alice\0x", b"CORP\\alice\0@corp.example.test", b" alice", b"alice ", b"CORP\\ alice", b"CORP \\alice",
                  b"ali*", b"*", b"alice)(objectClass=*", b"alice\\2a", b"al\\ice", b"CORP\\CORP\\alice", b"alice\xff", b"\xc0\xa1lice",
                  "ａlice".encode(), "alice\u0301".encode(), "\u200ealice".encode(), "\u202ealice".encode(), "al\u0131ce".encode(),
                  "\u212aim".encode(), "alice\t".encode(), b"al\rice", b"alice$", b"CORP\\alice@corp.example.test"]
        for sender, answer in zip(others, self.ask("winrm", *others)):
            with self.subTest(sender=sender):
                self.assertEqual(answer["verdict"], "deny", answer)
                self.assertIsNone(answer["dn"], answer)

    def test_numbers_of_sids(self):
        most = "S-1-5-21" + 14 * "-4294967295"
        senders = [FOREIGN_SID, most, most + "-1", "S-1-5-21-4294967296-1-1-1", self.samba.domain_sid + "-4294967295"]
        for sender, answer in zip(senders, self.ask("winrm", *senders)):
            with self.subTest(sender=sender):
                self.assertEqual(answer["verdict"], "deny", answer)
                self.assertIsNone(answer["dn"], answer)


if __name__ == "__main__":
    testbed.main()
