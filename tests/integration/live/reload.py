#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
The policy is replaced again and again while eight threads ask without a pause, of the cache and of the engine: each policy comes
into force whole, nobody is let in by one that is gone, and nothing is left of it when the engine is closed.
"""
import os
import random
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
import testbed  # noqa: E402
from asking import Asker, now  # noqa: E402
from testbed import Slapd, group, group_dn, person, person_dn  # noqa: E402

PROGRAM = os.path.abspath(sys.argv.pop())
SWAPS = 50
# A few round trips more than a test with one policy needs; not a measure of anything.
PATIENCE = 10.0


class ReloadTest(unittest.TestCase):
    def setUp(self):
        people = "".join(person(name) for name in ("alice", "bob", "carol"))
        groups = group("admins", ["alice", "carol"]) + group("team", ["bob", "carol"])
        self.slapd = Slapd(ldif=people + groups).__enter__()
        self.addCleanup(self.slapd.__exit__, None, None, None)
        self.path = os.path.join(self.slapd.directory, "policy.xml")
        self.write_policy("admins")
        self.asker = Asker(PROGRAM, self.path, ["alice", "bob", "carol"], threads=8)
        self.addCleanup(self.asker.close)
        self.asker.wait_for("alice", "authorize")
        self.asker.wait_for("bob", "deny")
        self.asker.wait_for("carol", "authorize")

    def write_policy(self, name, **options):
        """Let the members of this group in, and nobody else."""
        testbed.write_policy(self.path + ".new", self.slapd, allow=[group_dn(name)], **options)
        os.replace(self.path + ".new", self.path)

    def is_in_force(self, is_in, is_out):
        self.asker.wait_for(is_in, "authorize", timeout=PATIENCE)
        self.asker.wait_for(is_out, "deny", timeout=PATIENCE)

    def ends_well(self):
        """The sanitizers, where the asker has them, end it with another status."""
        self.asker.close()
        self.assertEqual(self.asker.status, 0, "".join(self.asker.log[-200:]))
        self.assertEqual(self.asker.summary["errors"], 0, "".join(self.asker.log[-40:]))

    def test_each_is_seen(self):
        for i in range(SWAPS):
            is_in, is_out = ("bob", "alice") if i % 2 == 0 else ("alice", "bob")
            self.write_policy("team" if i % 2 == 0 else "admins")
            self.is_in_force(is_in, is_out)
            since = now()
            time.sleep(random.uniform(0, 0.05))
            self.asker.not_authorized_since(is_out, since)
        self.assertEqual([verdict for _, verdict, _ in self.asker.answers("carol")], ["authorize"], "in both policies")
        self.ends_well()
        self.assertGreater(self.asker.summary["cached"], self.asker.summary["asked"] * 0.5)

    def test_faster_than_they_are_read(self):
        for i in range(SWAPS):
            self.write_policy("team" if i % 2 == 0 else "admins")
            time.sleep(random.choice((0, 0.001, 0.02, 0.1, 0.2)))
        self.write_policy("team")
        self.is_in_force("bob", "alice")
        self.ends_well()

    def test_while_the_directory_changes(self):
        for i in range(SWAPS):
            self.write_policy("team" if i % 2 == 0 else "admins")
            (self.slapd.add_member if i % 2 == 0 else self.slapd.remove_member)(group_dn("team"), person_dn("alice"))
            time.sleep(random.uniform(0, 0.05))
        self.write_policy("admins")
        self.is_in_force("alice", "bob")
        self.ends_well()

    def test_closed_in_the_middle(self):
        """Many ends, each at another moment of a change."""
        for i in range(10):
            self.write_policy("team" if i % 2 == 0 else "admins")
            time.sleep(i * 0.01)
            self.ends_well()
            self.asker = Asker(PROGRAM, self.path, ["alice", "bob", "carol"], threads=8)
            self.addCleanup(self.asker.close)
            self.asker.wait_for("carol", "authorize")


if __name__ == "__main__":
    unittest.main(verbosity=2)
