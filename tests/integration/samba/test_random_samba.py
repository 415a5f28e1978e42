#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
Random domains of Active Directory (Samba), decided by `wsmauthz check` and by the server itself: a rule holds a user if and
only if its group is in the user's tokenGroups, read by another client. Over 5,000 decisions, no difference.

WSMAUTHZ_TEST_SEED repeats a run.
"""
import collections
import os
import random
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
import testbed  # noqa: E402

USERS = 260
GROUPS = 90
ROUNDS = 20
# How often the domain changes, and by how much.
CHANGE_EVERY = 4
CHANGES = 12


class RandomDomain(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        testbed.Samba.need()
        from ad_world import Truth, World  # want python3-samba
        cls.program = testbed.wsmauthz()
        cls.seed = int(os.environ.get("WSMAUTHZ_TEST_SEED") or random.SystemRandom().randrange(1 << 32))
        print("WSMAUTHZ_TEST_SEED=%d" % cls.seed, flush=True)
        cls.world = World(cls.seed, USERS, GROUPS)
        cls.samba = testbed.Samba(cls.world.fill, strong_auth="yes")
        cls.addClassCleanup(cls.samba.close)
        cls.samba.start()
        cls.world.suffix, cls.world.dns_domain = cls.samba.suffix, cls.samba.dns_domain
        cls.sids, cls.world.primary = cls.samba.filled  # it was filled in another process
        cls.truth = Truth(cls.samba)

    def read_truth(self):
        return {name: self.truth.token_groups(self.world.user_dn(name)) for name in self.world.users}

    def policy(self, allow, deny):
        return testbed.write_policy(
            self.samba.directory + "/policy.xml", self.samba, bind="GSSAPI", tls="none", domain=None,
            allow=[self.rule(group) for group in allow], deny=[self.rule(group) for group in deny])

    def rules(self):
        """A mailing list allows nobody; one that ought to deny is an error of the policy."""
        choose = self.world.random
        allow = choose.sample(self.world.groups, choose.randint(1, 3))
        deny = [group for group in self.world.groups if group.is_security and group not in allow]
        return allow, choose.sample(deny, choose.randint(0, 2))

    def rule(self, group):
        """The ways to name a group in a policy."""
        return self.world.random.choice((self.world.group_dn(group), self.sids[group.name], "CORP\\" + group.name))

    def expected(self, tokens, allow, deny):
        if tokens & {self.sids[group.name] for group in deny}:
            return "deny", "denied-group"
        if tokens & {self.sids[group.name] for group in allow}:
            return "authorize", "member"
        return "deny", "not-a-member"

    def test_every_decision__is_what_token_groups_say(self):
        seen, wrong = collections.Counter(), []
        for number in range(ROUNDS):
            if number % CHANGE_EVERY == 0:
                if number:
                    self.samba.modify(self.world.changes(self.truth.links("OU=Groups," + self.samba.suffix), CHANGES))
                tokens = self.read_truth()
            allow, deny = self.rules()
            senders = [self.world.sender(name, self.sids[name]) for name in self.world.users]
            answers = testbed.check(self.program, self.policy(allow, deny), senders, env=self.samba.client_environment())
            for name, sender, answer in zip(self.world.users, senders, answers):
                expected = self.expected(tokens[name], allow, deny)
                have = (answer["verdict"], answer["reason"])
                seen[expected] += 1
                if have != expected:
                    inside = [group for group in allow + deny if self.sids[group.name] in tokens[name]]
                    wrong.append("round %d, allow %s, deny %s: %s (%s): in %s; expected %s, got %s" % (
                        number, allow, deny, sender, name, inside, expected, answer))
        print("%d decisions: %s" % (sum(seen.values()), dict(seen)), flush=True)
        self.assertFalse(wrong, "%d wrong, seed %d\n%s" % (len(wrong), self.seed, "\n".join(wrong[:10])))
        self.assertGreaterEqual(sum(seen.values()), 5000)
        # A world in which everybody is told the same proves nothing.
        for kind in (("deny", "denied-group"), ("authorize", "member"), ("deny", "not-a-member")):
            self.assertGreater(seen[kind], 100, seen)


if __name__ == "__main__":
    testbed.main()
