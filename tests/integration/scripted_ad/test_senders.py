#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Names that mean somebody else, or several: nobody gets what another one has."""
import rig
import testbed
from rig import MEMBER
from testbed_scripted_ad import Fault
from testbed_scripted_ad_data import sid_text


class Senders(rig.Case):

    def setUp(self):
        super().setUp()
        self.alice = self.corp.user("alice", upn="alice@example.test")
        self.pc = self.corp.computer("PC1")
        self.group = self.corp.group("group", [self.alice, self.pc])

    def refused(self, *senders, reasons):
        for sender, (verdict, reason) in zip(senders, self.decide(*senders, allow=[self.group])):
            with self.subTest(sender=sender):
                self.assertEqual(verdict, "deny")
                self.assertIn(reason, reasons)

    def test_every_name_of_hers(self):
        self.forest.upn_suffixes.append("example.test")
        self.corp.change(self.dc.replica.at("cn=partitions," + self.forest.configuration.lower()),
                         uPNSuffixes=["example.test"])
        names = ("CORP\\alice", "corp\\ALICE", "corp.example.test\\alice", "alice@corp.example.test", "alice@example.test",
                 "alice@CORP", sid_text(self.alice.sid))
        for name, decided in zip(names, self.decide(*names, allow=[self.group])):
            with self.subTest(name=name):
                self.assertEqual(decided, MEMBER)

    def test_domains_that_are_none_of_the_forests(self):
        self.refused("OTHER\\alice", "BUILTIN\\alice", "NT AUTHORITY\\alice", "NT SERVICE\\alice", "IIS APPPOOL\\alice",
                     ".\\alice", "alice@elsewhere.test", "S-1-5-21-1-2-3-1001", "S-1-5-32-544", "S-1-5-18",
                     reasons=("foreign-domain", "bad-sender-name"))

    def test_names_that_are_put_together_wrongly(self):
        self.refused("a\\b\\alice", "CORP\\alice@corp.example.test", "CORP\\", "@corp.example.test", "CORP\\alice ", "CORP\\ alice",
                     "CORP\\*", "CORP\\alice*", "CORP\\alice)(objectClass=*", "CORP\\alice\\00bob", "CORP\\al\u200bice",
                     "CORP\\\u202ealice", "CORP\\alice.", "CORP\\ali ce",
                     reasons=("foreign-domain", "bad-sender-name", "no-such-user"))

    def test_a_computer_by_its_own_name_only(self):
        """A domain controller would try "PC1$" for "PC1": whoever may create computers could pass for others."""
        self.refused("CORP\\PC1", "PC1@corp.example.test", reasons=("no-such-user",))
        self.assertEqual(self.decide("CORP\\PC1$", allow=[self.group])[0][0], "authorize")
        self.refused("CORP\\alice$", reasons=("no-such-user",))

    def test_an_explicit_upn_that_is_the_implicit_one_of_another(self):
        """mallory may have been given it; alice is found by her account's name. Neither is let in by that."""
        self.corp.user("mallory", upn="alice@corp.example.test")
        self.refused("alice@corp.example.test", reasons=("ambiguous-user",))
        self.assertEqual(self.decide("CORP\\alice", "CORP\\mallory", allow=[self.group]),
                         [MEMBER, rig.STRANGER])

    def test_two_entries_of_one_name(self):
        """No healthy controller has them; a conflict of replication may for a moment."""
        self.corp.user("alice", cn="another alice")
        self.refused("CORP\\alice", reasons=("ambiguous-user",))

    def test_an_answer_that_is_about_somebody_else(self):
        """Servers match more than they were asked: blanks, NULs, other forms of a letter."""
        bob = self.corp.user("bob")
        fault = Fault(when=lambda search: "bob" in repr(search.filter),
                      reply=lambda search: [self.dc.shown(self.alice, search)])
        self.dc.faults.append(fault)
        self.refused("CORP\\bob", reasons=("no-such-user",))
        self.assertTrue(fault.hits)
        self.assertTrue(bob)


if __name__ == "__main__":
    testbed.main()
