#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
Everything that an administrator may change while the engine is asked without a pause: each is seen within a second of the
server's answer to it, and nothing of what was true before comes back.
"""
import os
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
import testbed  # noqa: E402
from asking import SECOND, Asker, now  # noqa: E402
from testbed import Slapd, group, group_dn, person, person_dn  # noqa: E402

PROGRAM = os.path.abspath(sys.argv.pop())
ROUNDS = 5


class ChangesTest(unittest.TestCase):
    def setUp(self):
        people = "".join(person(name) for name in ("alice", "bob", "carol", "dora"))
        groups = group("admins", ["alice", "carol"]) + group("team", ["bob"]) + group("leavers", ["dora"])
        self.slapd = Slapd(ldif=people + groups).__enter__()
        self.addCleanup(self.slapd.__exit__, None, None, None)
        self.path = os.path.join(self.slapd.directory, "policy.xml")
        self.write_policy()
        self.asker = Asker(PROGRAM, self.path, ["alice", "bob", "carol"], threads=8)
        self.addCleanup(self.asker.close)
        self.asker.wait_for("alice", "authorize")
        self.asker.wait_for("bob", "deny")

    def write_policy(self, deny=()):
        testbed.write_policy(self.path + ".new", self.slapd, allow=[group_dn("admins")], deny=deny)
        os.replace(self.path + ".new", self.path)

    def seen(self, user, verdict, change, *arguments, reason=None):
        """Make the change; it is seen, within a second, and for good."""
        change(*arguments)
        done = now()
        self.asker.wait_for(user, verdict, reason=reason)
        at = self.asker.last(user, verdict, done - 5)
        self.assertLess(at, done + SECOND, "%s became %s too late" % (user, verdict))

    def test_member(self):
        for _ in range(ROUNDS):
            self.seen("alice", "deny", self.slapd.remove_member, group_dn("admins"), person_dn("alice"))
            self.seen("alice", "authorize", self.slapd.add_member, group_dn("admins"), person_dn("alice"))
        self.assertEqual([verdict for _, verdict, _ in self.asker.answers("carol")], ["authorize"], "untouched")
        self.asker.close()
        self.assertEqual(self.asker.status, 0)
        self.assertEqual(self.asker.summary["errors"], 0)
        self.assertGreater(self.asker.summary["cached"], self.asker.summary["asked"] * 0.9)

    def test_nested_group(self):
        for _ in range(ROUNDS):
            self.seen("bob", "authorize", self.slapd.modify, change_members("add", "admins", group_dn("team")))
            self.seen("bob", "deny", self.slapd.modify, change_members("delete", "admins", group_dn("team")))

    def test_nested_group_deleted(self):
        self.seen("bob", "authorize", self.slapd.modify, change_members("add", "admins", group_dn("team")))
        self.seen("bob", "deny", self.slapd.delete, group_dn("team"))
        self.seen("bob", "authorize", self.slapd.modify, added(group("team", ["bob"])))

    def test_user_deleted_and_added(self):
        self.seen("alice", "deny", self.slapd.delete, person_dn("alice"), reason="no-such-user")
        # Without referential integrity the group still lists the name: whoever gets it is a member.
        self.seen("alice", "authorize", self.slapd.modify, added(person("alice")))

    def test_user_renamed(self):
        self.seen("alice", "deny", self.slapd.modify, renamed(person_dn("alice"), "uid=alicia"), reason="no-such-user")
        self.seen("alice", "authorize", self.slapd.modify, renamed(person_dn("alicia"), "uid=alice"))

    def test_second_user_of_the_name(self):
        twin = "uid=alice,ou=services," + self.slapd.suffix
        self.seen("alice", "deny", self.slapd.modify, added(person("alice").replace(person_dn("alice"), twin)),
                  reason="ambiguous-user")
        self.seen("alice", "authorize", self.slapd.delete, twin)

    def test_people_unit_renamed(self):
        people = "ou=people," + self.slapd.suffix
        self.seen("alice", "deny", self.slapd.modify, renamed(people, "ou=staff"))
        self.seen("alice", "authorize", self.slapd.modify, renamed("ou=staff," + self.slapd.suffix, "ou=people"))

    def test_policy(self):
        for _ in range(3):
            self.seen("alice", "authorize", self.write_policy)
            self.slapd.add_member(group_dn("leavers"), person_dn("alice"))
            self.seen("alice", "deny", self.write_policy, [group_dn("leavers")], reason="denied-group")
            self.slapd.remove_member(group_dn("leavers"), person_dn("alice"))
            self.asker.wait_for("alice", "authorize")

    def test_bad_policy_changes_nothing(self):
        before = Path(self.path).read_text()
        Path(self.path).write_text("<wsmauthz>")
        self.slapd.remove_member(group_dn("admins"), person_dn("alice"))
        self.asker.wait_for("alice", "deny", reason="not-a-member")
        Path(self.path).write_text(before)
        self.seen("alice", "authorize", self.slapd.add_member, group_dn("admins"), person_dn("alice"))
        self.assertIn("the old one stays in force", "".join(self.asker.log))


def change_members(action, name, dn):
    return "dn: %s\nchangetype: modify\n%s: member\nmember: %s\n" % (group_dn(name), action, dn)


def added(ldif):
    lines = ldif.strip("\n").split("\n")
    return "\n".join([lines[0], "changetype: add"] + lines[1:]) + "\n"


def renamed(dn, rdn):
    return "dn: %s\nchangetype: modrdn\nnewrdn: %s\ndeleteoldrdn: 1\n" % (dn, rdn)


if __name__ == "__main__":
    unittest.main(verbosity=2)
