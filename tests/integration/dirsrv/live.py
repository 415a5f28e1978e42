#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
389 Directory Server, with and without its memberOf plug-in, is changed while the engine is asked without a pause: each change is seen
within a second, also when the persistent search that tells of them is cut, frozen, or on another server than the one that answers.
"""
import os
import sys
import time
import unittest
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[n] / name) for n, name in ((2, "support"), (1, "live"))]
import testbed  # noqa: E402
from asking import SECOND, Asker, now  # noqa: E402
from testbed import entry, group, group_dn, person, person_dn  # noqa: E402
from testbed_dirsrv import Dirsrv, need_dirsrv  # noqa: E402
from testbed_process import wait_until  # noqa: E402
from watch_proxy import CUT, FREEZE, PASS, WatchProxy  # noqa: E402

PROGRAM = os.path.abspath(sys.argv.pop())
PEOPLE = "".join(person(name, userPassword=[]) for name in ("alice", "bob", "carol"))
LDIF = PEOPLE + group("admins", ["alice", "carol"]) + group("team", ["bob"])
ROUNDS = 3
AFTER_S = 1.3
# Without a watch an answer is at most as old as unwatched-ttl (1 s), and then the groups are read.
UNWATCHED_S = SECOND + 0.2
RECOVERY_S = 20.0


def change_members(action, name, dn):
    return "dn: %s\nchangetype: modify\n%s: member\nmember: %s\n" % (group_dn(name), action, dn)


def added(ldif):
    lines = ldif.strip("\n").split("\n")
    return "\n".join([lines[0], "changetype: add"] + lines[1:]) + "\n"


def renamed(dn, rdn):
    return "dn: %s\nchangetype: modrdn\nnewrdn: %s\ndeleteoldrdn: 1\n" % (dn, rdn)


def roles(suffix):
    """A managed role whose members get what a class of service's template says, if there is one."""
    role, templates = "cn=locked," + suffix, "cn=templates," + suffix
    return "\n".join((
        entry(role, objectClass=["ldapSubEntry", "nsRoleDefinition", "nsSimpleRoleDefinition", "nsManagedRoleDefinition"], cn="locked"),
        entry(templates, objectClass="nsContainer", cn="templates"),
        entry("cn=cos," + suffix, objectClass=["ldapSubEntry", "cosSuperDefinition", "cosClassicDefinition"], cn="cos",
              cosTemplateDn=templates, cosSpecifier="nsRole", cosAttribute="nsAccountLock operational"),
        "dn: %s\nchangetype: modify\nadd: nsRoleDN\nnsRoleDN: %s\n" % (person_dn("alice"), role)))


def template(suffix):
    return 'cn="cn=locked,%s",cn=templates,%s' % (suffix, suffix)


def locked(uid, action):
    return "dn: %s\nchangetype: modify\n%s: nsAccountLock\n%s" % (
        person_dn(uid), action, "nsAccountLock: true\n" if action == "add" else "")


class Live:
    """What all tests here have: a server, a proxy before it, the asker behind that."""

    memberof = False

    def setUp(self):
        self.seen_after = []
        self.server = self.serve()
        self.proxy = self.make_proxy()
        self.addCleanup(self.proxy.close)
        policy = testbed.write_policy(os.path.join(self.server.directory, "policy.xml"), self.server,
                                      allow=[group_dn("admins")], uri=self.proxy.uri, timeout="2s")
        self.asker = Asker(PROGRAM, policy, ["alice", "bob", "carol"], threads=4)
        self.addCleanup(self.asker.close)
        self.asker.wait_for("alice", "authorize")
        self.asker.wait_for("bob", "deny")
        wait_until(lambda: self.proxy.watches() == 1, 10, "a watch")
        time.sleep(0.5)

    def serve(self):
        server = Dirsrv(LDIF, memberof=self.memberof).__enter__()
        self.addCleanup(server.__exit__, None, None, None)
        return server

    def make_proxy(self):
        return WatchProxy(self.server.port)

    def seen(self, user, verdict, change, *arguments, reason=None, within=SECOND):
        """Make the change; it is seen within this time, and for good."""
        change(*arguments)
        done = now()
        self.asker.wait_for(user, verdict, reason=reason)
        at = self.asker.last(user, verdict, done - 5)
        self.assertLess(at, done + within, "%s became %s too late\n%s" % (user, verdict, "".join(self.asker.log)))
        self.seen_after.append(at - done)

    def revoke_and_grant(self, granted_within=SECOND):
        self.seen("alice", "deny", self.server.remove_member, group_dn("admins"), person_dn("alice"))
        self.seen("alice", "authorize", self.server.add_member, group_dn("admins"), person_dn("alice"),
                  within=granted_within)


class ChangesTest(Live, unittest.TestCase):
    def change_by_a_role(self):
        """Locked and unlocked by entries that are not her own."""
        dn = template(self.server.suffix)
        self.server.modify(roles(self.server.suffix))
        for _ in range(ROUNDS):
            self.seen("alice", "deny", self.server.modify, entry(
                dn, objectClass=["ldapSubEntry", "cosTemplate", "extensibleObject"], cosPriority="0", nsAccountLock="true"),
                reason="account-disabled")
            self.seen("alice", "authorize", self.server.delete, dn)

    def test_changes(self):
        """One server for all: they are quick."""
        for _ in range(ROUNDS):
            self.revoke_and_grant()
            self.seen("bob", "authorize", self.server.modify, change_members("add", "admins", group_dn("team")))
            self.seen("bob", "deny", self.server.modify, change_members("delete", "admins", group_dn("team")))
        self.assertEqual([verdict for _, verdict, _ in self.asker.answers("carol")], ["authorize"], "untouched")
        self.seen("bob", "authorize", self.server.modify, change_members("add", "admins", group_dn("team")))
        self.seen("bob", "deny", self.server.delete, group_dn("team"))
        # Without referential integrity the group still lists the name; the memberOf plug-in takes it out.
        again = change_members("add", "admins", group_dn("team")) if self.memberof else ""
        self.seen("bob", "authorize", self.server.modify, added(group("team", ["bob"])) + "\n" + again)
        for _ in range(ROUNDS):
            self.seen("alice", "deny", self.server.modify, locked("alice", "add"), reason="account-disabled")
            self.seen("alice", "authorize", self.server.modify, locked("alice", "delete"))
        self.change_by_a_role()
        self.seen("carol", "deny", self.server.delete, person_dn("carol"), reason="no-such-user")
        self.server.modify(added(person("carol", userPassword=[])))
        people, staff = ("ou=%s,%s" % (name, self.server.suffix) for name in ("people", "staff"))
        self.seen("alice", "deny", self.server.modify, renamed(people, "ou=staff"))
        self.seen("alice", "authorize", self.server.modify, renamed(staff, "ou=people"))
        self.seen("alice", "deny", self.server.modify, renamed(person_dn("alice"), "uid=alicia"), reason="no-such-user")
        self.asker.close()
        print("%d changes, seen after %.0f ms at most" % (len(self.seen_after), 1000 * max(self.seen_after)))
        self.assertEqual(self.asker.status, 0)
        self.assertEqual(self.asker.summary["errors"], 0, "".join(self.asker.log))
        self.assertGreater(self.asker.summary["cached"], self.asker.summary["asked"] * 0.9)
        self.assertIn("(persistent search)", "".join(self.asker.log))
        self.assertNotIn("no contextCSN", "".join(self.asker.log))


class ChangesWithMemberOfPluginTest(ChangesTest):
    memberof = True


class FaultsTest(Live, unittest.TestCase):
    def revoke(self):
        self.server.remove_member(group_dn("admins"), person_dn("alice"))
        done = now()
        self.asker.wait_for("alice", "deny")
        time.sleep(AFTER_S)
        self.asker.not_authorized_since("alice", done + SECOND)

    def grant(self, timeout=10.0):
        self.server.add_member(group_dn("admins"), person_dn("alice"))
        self.asker.wait_for("alice", "authorize", timeout)

    def is_told(self):
        words = [line for line in self.asker.log if "tells of changes" in line or "changes are no" in line]
        return bool(words) and "tells of changes" in words[-1]

    def recover(self):
        """A change is soon told by the watch again; a server that has just begun is slow on a busy machine."""
        time.sleep(0.5)
        wait_until(self.is_told, RECOVERY_S, "a watch")
        time.sleep(1)
        for _ in range(ROUNDS):
            self.revoke_and_grant(granted_within=3 * SECOND)

    def test_cut_and_frozen(self):
        for mode in (CUT, FREEZE):
            self.proxy.set_watch(mode)
            self.revoke()
            self.grant()
        self.proxy.set_watch(PASS)
        self.recover()

    def test_frozen_at_the_moment_of_the_change(self):
        for _ in range(ROUNDS):
            self.proxy.set_watch(FREEZE)
            self.server.remove_member(group_dn("admins"), person_dn("alice"))
            done = now()
            self.asker.wait_for("alice", "deny")
            self.proxy.set_watch(PASS)
            time.sleep(1.2)
            self.asker.not_authorized_since("alice", done + SECOND)
            self.grant()

    def test_restarted(self):
        self.server.kill()
        self.asker.wait_for("alice", "error")
        self.server.start()
        self.server.remove_member(group_dn("admins"), person_dn("alice"))
        done = now()
        self.asker.wait_for("alice", "deny", RECOVERY_S)
        self.asker.not_authorized_since("alice", done + SECOND)
        self.grant(RECOVERY_S)
        self.recover()


class OtherServerTest(Live, unittest.TestCase):
    """Behind one address are two servers: one answers, the other one tells of its own changes, which are none."""

    def make_proxy(self):
        return WatchProxy(self.server.port, watch_port=self.serve().port)

    def test_revoked(self):
        self.server.remove_member(group_dn("admins"), person_dn("alice"))
        done = now()
        self.asker.wait_for("alice", "deny")
        time.sleep(UNWATCHED_S)
        self.asker.not_authorized_since("alice", done + UNWATCHED_S)
        self.server.add_member(group_dn("admins"), person_dn("alice"))
        self.asker.wait_for("alice", "authorize")
        self.asker.close()
        self.assertEqual(self.asker.summary["errors"], 0, "".join(self.asker.log))
        self.assertIn("another server answers", "".join(self.asker.log))


if __name__ == "__main__":
    need_dirsrv()
    unittest.main(verbosity=2)
