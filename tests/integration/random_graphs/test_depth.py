#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Depth costs nothing: at the end of a chain of 1, 64 or 1,000 groups a user costs the same number of searches."""
import unittest

import testbed

DEPTHS = (1, 64, 1000)


def name(depth, level):
    return "chain%d-%d" % (depth, level)


def chain(depth):
    """Groups chain<depth>-1 (configured) to chain<depth>-<depth>, each holding the next; the last holds the user."""
    out = testbed.person("deep%d" % depth)
    for level in range(1, depth + 1):
        member = testbed.group_dn(name(depth, level + 1)) if level < depth else "deep%d" % depth
        out += testbed.group(name(depth, level), [member])
    return out


class Depth(unittest.TestCase):
    """One directory with the three chains; each strategy asks about the same users, twice."""

    @classmethod
    def setUpClass(cls):
        cls.program = testbed.wsmauthz()
        cls.slapd = testbed.Slapd(ldif="".join(chain(depth) for depth in DEPTHS) + testbed.person("outsider"))
        cls.slapd.__enter__()
        cls.addClassCleanup(cls.slapd.close)

    def ask(self, **groups):
        path = testbed.write_policy(self.slapd.directory + "/policy.xml", self.slapd, timeout="30s",
                                    groups=groups or None,
                                    cache={"ttl": "0s", "negative_ttl": "0s", "unwatched_ttl": "0s"},
                                    allow=[testbed.group_dn(name(depth, 1)) for depth in DEPTHS])
        senders = ["deep%d" % depth for depth in DEPTHS] + ["outsider"]
        # The first round waits for the load; the second is a server in its stride.
        return testbed.check(self.program, path, senders + senders)

    def assert_right(self, answers):
        for depth, answer in zip(DEPTHS + (None,) + DEPTHS + (None,), answers):
            with self.subTest(depth=depth):
                self.assertEqual(answer["verdict"], "deny" if depth is None else "authorize", answer)
                if depth is None:
                    self.assertEqual(answer["reason"], "not-a-member", answer)
                    continue
                self.assertEqual(answer["rule"], "allow " + testbed.group_dn(name(depth, 1)))
                expected = [testbed.person_dn("deep%d" % depth)]
                expected += [testbed.group_dn(name(depth, level)) for level in range(depth, 0, -1)]
                self.assertEqual(answer["path"], expected)

    def test_member_index__any_depth__one_search(self):
        answers = self.ask()

        self.assert_right(answers)
        self.assertEqual([answer["searches"] for answer in answers], [1] * len(answers))

    def test_strategy_search__any_depth__at_most_two_searches(self):
        answers = self.ask(strategy="search")

        self.assert_right(answers)
        for answer in answers:
            self.assertLessEqual(answer["searches"], 2, answer)
            self.assertGreaterEqual(answer["searches"], 1, answer)


if __name__ == "__main__":
    testbed.main()
