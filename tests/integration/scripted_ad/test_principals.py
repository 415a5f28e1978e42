#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
What groups hold beside people and groups of the forest: principals of other forests, which may be groups whose members nobody knows
here, and well-known ones, which only a token shows. A deny rule that holds such a one lets nobody in whom it may mean.
"""
import json
import subprocess

import rig
import testbed
from rig import DENIED, MEMBER, STRANGER

DOMAIN = "S-1-5-21-4100000001-4200000002-4294967295"
SENDER, FOREIGN_GROUP = DOMAIN + "-2500", DOMAIN + "-9999"
EVERYBODY = ("S-1-1-0", "S-1-5-11", "S-1-5-2", "S-1-5-15")
UNTOLD = ("S-1-5-64-10", "S-1-5-4", "S-1-18-1", "S-1-5-32-545", "S-1-5-21-0-0-0-497")
NOBODY = ("S-1-5-7", "S-1-5-18")
UNKNOWN = ("error", "deny-group-unknown")
SEEN_S = 3


class Principals(rig.Case):

    def setUp(self):
        super().setUp()
        self.corp.trust("partner.test", "PARTNER", DOMAIN)
        self.alice = self.corp.user("alice")
        self.sender = self.corp.foreigner(SENDER)
        self.foreign_group = self.corp.foreigner(FOREIGN_GROUP)
        self.people = self.corp.group("people", [self.alice, self.sender], scope="local")
        self.inner = self.corp.group("inner", scope="local")
        self.between = self.corp.group("between", [self.inner], scope="local")
        self.leavers = self.corp.group("leavers", [self.between], scope="local")

    def both(self, **more):
        """The foreign sender, and one of the forest."""
        return self.decide(SENDER, "CORP\\alice", **{"allow": [self.people], "deny": [self.leavers], **more})


class ForeignGroups(Principals):

    def test_a_deny_rule_without_one_is_certain(self):
        self.assertEqual(self.both(), [MEMBER, MEMBER])

    def test_the_senders_may_be_in_it(self):
        for group in (self.leavers, self.inner):
            with self.subTest(group=group.dn):
                self.corp.link(group, self.foreign_group)
                self.assertEqual(self.both(), [UNKNOWN, MEMBER])
                self.corp.unlink(group, self.foreign_group)

    def test_explain__says_that_nobody_can_tell(self):
        self.corp.link(self.inner, self.foreign_group)
        done = subprocess.run([testbed.wsmauthz(), "explain", "--json", "--config",
                               self.policy(allow=[self.people], deny=[self.leavers]), SENDER], capture_output=True, timeout=60)
        explained = json.loads(done.stdout)
        self.assertEqual((done.returncode, explained["reason"]), (3, "deny-group-unknown"))
        [deny, allow] = explained["rules"]
        self.assertEqual((deny["holds"], deny["part"], allow["holds"], allow["part"]), ("unknown", "decided", "yes", "overruled"))
        self.assertIn("another forest", deny["note"])

    def test_it_says_which_group(self):
        self.corp.link(self.inner, self.foreign_group)
        done = subprocess.run([testbed.wsmauthz(), "check", "--config", self.policy(allow=[self.people], deny=[self.leavers]),
                               SENDER], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 3)
        for words in ("deny-group-unknown", self.inner.dn, "another forest"):
            self.assertIn(words, done.stdout)
        # ... and the log does when the groups are read.
        self.assertIn("'%s' holds somebody, or a group, of another forest" % self.inner.dn, done.stderr)

    def test_who_is_denied_or_is_let_in_nowhere_is_so_anyway(self):
        self.corp.link(self.inner, self.foreign_group)
        own = self.corp.group("own", [self.sender], scope="local")
        self.assertEqual(self.both(deny=[self.leavers, own]), [DENIED, MEMBER])
        self.assertEqual(self.both(deny=[own, self.leavers]), [DENIED, MEMBER])
        self.corp.link(self.inner, self.sender)
        self.assertEqual(self.both(), [DENIED, MEMBER])
        self.corp.unlink(self.inner, self.sender)
        self.assertEqual(self.both(allow=[self.corp.group("empty")]), [STRANGER, STRANGER])

    def test_a_deny_rule_names_it(self):
        """It is no group here. In a forest of several domains tokens may hold its SID: those of the forest are known by that."""
        for sid in (FOREIGN_GROUP, DOMAIN + "-9998", "S-1-5-11"):
            self.assertEqual(self.both(deny=[sid]), [("error", "deny-group-missing")] * 2, sid)
        self.forest.add_domain("east.corp.example.test", "EAST")
        for sid in (FOREIGN_GROUP, DOMAIN + "-9998"):
            self.assertEqual(self.both(deny=[sid]), [UNKNOWN, MEMBER], sid)
        self.assertEqual(self.both(deny=["S-1-5-11"]), [("error", "deny-group-missing")] * 2)
        self.assertEqual(self.both(allow=[FOREIGN_GROUP], deny=[]), [STRANGER, STRANGER])

    def test_in_an_allow_rule_it_lets_nobody_in_and_keeps_nobody_out(self):
        self.corp.link(self.people, self.foreign_group)
        self.assertEqual(self.both(), [MEMBER, MEMBER])
        self.assertEqual(self.both(allow=[self.corp.group("theirs", [self.foreign_group], scope="local")]), [STRANGER, STRANGER])

    def test_groups_are_looked_for_elsewhere(self):
        """Principals are in a container of the domain, wherever the policy's groups are."""
        unit = self.corp.unit("Groups")
        for group in (self.people, self.inner, self.between, self.leavers):
            self.corp.rename(group, group.dn.split(",")[0] + "," + unit.dn)
        self.corp.link(self.inner, self.foreign_group)
        self.assertEqual(self.both(groups={"base": unit.dn}), [UNKNOWN, MEMBER])

    def test_it_comes_and_goes_while_the_program_goes_on(self):
        program = self.program(allow=[self.people], deny=[self.leavers])
        for group in (self.leavers, self.inner):
            program.until(SENDER, "authorize", 20)
            self.corp.link(group, self.foreign_group)
            program.until(SENDER, "error", SEEN_S, "deny-group-unknown")
            self.assertDecided(program.ask("CORP\\alice"), *MEMBER)
            self.corp.unlink(group, self.foreign_group)
            program.until(SENDER, "authorize", SEEN_S)

    def test_it_is_there_for_a_time(self):
        """No word is said when the link ends."""
        program = self.program(allow=[self.people], deny=[self.leavers])
        program.until(SENDER, "authorize", 20)
        self.corp.link(self.inner, self.foreign_group, ttl_s=2)
        program.until(SENDER, "error", 2, "deny-group-unknown")
        program.until(SENDER, "authorize", 2 + SEEN_S)


class WellKnown(Principals):

    def test_a_deny_rule_that_holds_everybody_denies_everybody(self):
        for sid in EVERYBODY:
            with self.subTest(sid=sid):
                principal = self.corp.foreigner(sid)
                self.corp.link(self.inner, principal)
                self.assertEqual(self.both(), [DENIED, DENIED])
                self.corp.unlink(self.inner, principal)
                self.corp.link(self.leavers, principal)
                self.assertEqual(self.both(), [DENIED, DENIED])
                self.corp.unlink(self.leavers, principal)

    def test_a_deny_rule_that_holds_what_only_a_token_shows_lets_nobody_in(self):
        for sid in UNTOLD:
            with self.subTest(sid=sid):
                principal = self.corp.foreigner(sid)
                self.corp.link(self.inner, principal)
                self.assertEqual(self.both(), [UNKNOWN, UNKNOWN])
                self.corp.unlink(self.inner, principal)

    def test_some_are_nobody(self):
        for sid in NOBODY:
            self.corp.link(self.inner, self.corp.foreigner(sid))
        self.assertEqual(self.both(), [MEMBER, MEMBER])

    def test_an_allow_rule_lets_nobody_in_by_them__and_says_so(self):
        for sid in EVERYBODY + UNTOLD:
            self.corp.link(self.inner, self.corp.foreigner(sid))
        self.assertEqual(self.both(allow=[self.leavers], deny=[]), [STRANGER, STRANGER])
        done = subprocess.run([testbed.wsmauthz(), "check", "--config", self.policy(allow=[self.leavers]), "CORP\\alice"],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.stderr.count("counts for nobody here"), 2)

    def test_it_says_why(self):
        self.corp.link(self.inner, self.corp.foreigner("S-1-5-11"))
        done = subprocess.run([testbed.wsmauthz(), "check", "--config", self.policy(allow=[self.people], deny=[self.leavers]),
                               "CORP\\alice"], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn("'%s' holds Everyone or Authenticated Users" % self.inner.dn, done.stdout)

    def test_it_comes_and_goes_while_the_program_goes_on(self):
        """What was cached ends with it."""
        principal = self.corp.foreigner("S-1-5-11")
        program = self.program(allow=[self.people], deny=[self.leavers])
        for group in (self.leavers, self.inner):
            program.until("CORP\\alice", "authorize", 20)
            self.corp.link(group, principal)
            program.until("CORP\\alice", "deny", SEEN_S, "denied-group")
            self.corp.unlink(group, principal)
            program.until("CORP\\alice", "authorize", SEEN_S)

    def test_one_is_made_while_the_program_goes_on(self):
        program = self.program(allow=[self.people], deny=[self.leavers])
        program.until("CORP\\alice", "authorize", 20)
        self.corp.link(self.inner, self.corp.foreigner("S-1-5-11"))
        program.until("CORP\\alice", "deny", SEEN_S, "denied-group")


if __name__ == "__main__":
    testbed.main()
