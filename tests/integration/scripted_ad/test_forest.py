#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Several domains in a forest, and people of other forests: a clear answer, and nobody let in by half of the truth."""
import rig
import testbed
from rig import DENIED, MEMBER, STRANGER
from testbed_scripted_ad import Fault
from testbed_scripted_ad_data import sid_text

FOREIGN = "S-1-5-21-4100000001-4200000002-4294967295-2500"


class TwoDomains(rig.Case):

    def setUp(self):
        super().setUp()
        self.east = self.forest.add_domain("east.corp.example.test", "EAST")
        self.alice = self.corp.user("alice")
        self.corp.user("bob")
        self.carol = self.east.user("carol", upn="carol@east.corp.example.test")

    def test_groups_of_the_own_domain(self):
        inner = self.corp.group("inner", [self.alice])
        outer = self.corp.group("outer", [inner], scope="local")
        self.assertEqual(self.decide("CORP\\alice", "CORP\\bob", allow=[outer]), [MEMBER, STRANGER])

    def test_a_group_of_the_other_domain_on_the_way(self):
        """Alice's memberOf does not show it, and no closure of one controller does."""
        between = self.east.group("between", [self.alice], scope="universal")
        outer = self.corp.group("outer", [between], scope="local")
        self.forest.token_extra[self.alice.guid] = [outer.sid]
        self.assertEqual(self.decide("CORP\\alice", "CORP\\bob", allow=[outer]), [MEMBER, STRANGER])
        other = self.corp.group("other", [self.alice])
        self.assertEqual(self.decide("CORP\\alice", allow=[other], deny=[outer]), [DENIED])

    def test_a_group_of_the_other_domain_by_its_sid(self):
        group = self.east.group("group", [self.alice], scope="universal")
        self.assertEqual(self.decide("CORP\\alice", "CORP\\bob", allow=[sid_text(group.sid)]), [MEMBER, STRANGER])

    def test_a_group_of_the_other_domain_by_its_name__lets_nobody_in_and_everybody_is_an_error_by_a_deny_rule(self):
        group = self.east.group("group", [self.alice], scope="universal")
        everybody = self.corp.group("everybody", [self.alice])
        for name in ("EAST\\group", group.dn):
            with self.subTest(name=name):
                self.assertEqual(self.decide("CORP\\alice", allow=[name]), [STRANGER])
                [(verdict, _)] = self.decide("CORP\\alice", allow=[everybody], deny=[name])
                self.assertEqual(verdict, "error")

    def test_people_of_the_other_domain_are_not_decided_here(self):
        """Whatever group shows them: only a controller of their own domain knows all about them."""
        group = self.corp.group("group", [self.carol], scope="local")
        names = ("EAST\\carol", "east.corp.example.test\\carol", "carol@east.corp.example.test", sid_text(self.carol.sid))
        for name, (verdict, reason) in zip(names, self.decide(*names, allow=[group])):
            with self.subTest(name=name):
                self.assertEqual(verdict, "deny")
                self.assertIn(reason, ("foreign-domain", "no-such-user"))

    def test_a_namesake_of_the_other_domain_gets_nothing(self):
        self.corp.user("carol")
        group = self.corp.group("group", [self.carol], scope="local")
        self.assertEqual(self.decide("CORP\\carol", "carol@corp.example.test", allow=[group]), [STRANGER, STRANGER])

    def test_no_token_is_not_no_groups(self):
        """Nothing may be read of it, or no global catalogue could be asked: an attribute that is absent, and "success"."""
        group = self.corp.group("group", [self.alice])
        self.dc.faults.append(Fault(when=lambda search: search.asks_for("tokenGroups"),
                                    reply=lambda search: [(self.alice.dn, [])]))
        [(verdict, _)] = self.decide("CORP\\alice", allow=[group], timeout="3s")
        self.assertEqual(verdict, "error")

    def test_token_groups_are_asked_for_with_base_scope_only(self):
        """Any other search that asks for them fails as a whole."""
        group = self.corp.group("group", [self.alice])
        self.assertEqual(self.decide("CORP\\alice", allow=[group]), [MEMBER])
        asked = [search.scope for search in self.dc.searches if search.asks_for("tokenGroups")]
        self.assertTrue(asked)
        self.assertEqual(set(asked), {0})

    def test_references_to_other_domains_are_not_followed(self):
        """Also where the server knows no way to leave them out."""
        group = self.corp.group("group", [self.alice])
        self.dc.controls = [oid for oid in self.dc.controls if oid != "1.2.840.113556.1.4.1339"]
        before = len(self.east.dc.searches)
        self.assertEqual(self.decide("CORP\\alice", "CORP\\bob", allow=[group]), [MEMBER, STRANGER])
        self.assertEqual(len(self.east.dc.searches), before)

    def test_a_base_that_lies_elsewhere(self):
        """The controller answers with a referral, which is no "no"."""
        group = self.corp.group("group", [self.alice])
        policy = self.policy(allow=[group])
        with open(policy, encoding="utf-8") as file:
            text = file.read()
        testbed.write_file(policy, text.replace('base="%s"' % self.corp.suffix, 'base="%s"' % self.east.suffix), 0o600)
        [answer] = testbed.check(testbed.wsmauthz(), policy, ["EAST\\carol"])
        self.assertEqual(answer["verdict"], "error", answer)


class OtherForests(rig.Case):

    def setUp(self):
        super().setUp()
        self.alice = self.corp.user("alice")
        self.guest = self.corp.foreigner(FOREIGN)

    def trust(self, **more):
        self.corp.trust("partner.test", "PARTNER", FOREIGN.rsplit("-", 1)[0], **more)

    def test_somebody_of_a_trusted_forest_by_his_sid(self):
        self.trust()
        inner = self.corp.group("inner", [self.guest], scope="local")
        outer = self.corp.group("outer", [inner], scope="local")
        self.assertEqual(self.decide(FOREIGN, allow=[outer]), [MEMBER])
        self.assertEqual(self.decide(FOREIGN, allow=[outer], deny=[inner]), [DENIED])
        self.assertEqual(self.decide(FOREIGN, allow=[self.corp.group("empty")]), [STRANGER])

    def test_somebody_of_a_forest_that_nobody_trusts_any_more(self):
        group = self.corp.group("group", [self.guest], scope="local")
        for direction in (None, 1):
            with self.subTest(direction=direction):
                if direction:
                    self.trust(direction=direction)
                [(verdict, reason)] = self.decide(FOREIGN, allow=[group])
                self.assertEqual((verdict, reason), ("deny", "foreign-domain"))

    def test_a_link_to_a_foreign_principal_is_nobody_elses(self):
        """Its object is called like its SID; a user here may be as well."""
        self.trust()
        group = self.corp.group("group", [self.guest], scope="local")
        self.corp.user("namesake", cn=FOREIGN)
        self.assertEqual(self.decide("CORP\\namesake", "CORP\\alice", "PARTNER\\namesake", allow=[group]),
                         [STRANGER, STRANGER, ("deny", "foreign-domain")])

    def test_a_group_of_another_forest_lets_nobody_in(self):
        """Who is in it only its own forest knows; it may hold this one, or not."""
        self.trust()
        foreign_group = self.corp.foreigner(FOREIGN.rsplit("-", 1)[0] + "-9999")
        group = self.corp.group("group", [foreign_group], scope="local")
        self.assertEqual(self.decide(FOREIGN, "CORP\\alice", allow=[group]), [STRANGER, STRANGER])

    def test_well_known_principals_hold_nobody(self):
        """Authenticated Users nested in a group: everybody's token has it, no attribute of anybody shows it."""
        for sid in ("S-1-5-11", "S-1-1-0"):
            group = self.corp.group("open to " + sid, [self.corp.foreigner(sid)], scope="local")
            self.assertEqual(self.decide("CORP\\alice", allow=[group]), [STRANGER])


if __name__ == "__main__":
    testbed.main()
