#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The watch against 389 Directory Server: a persistent search. Every kind of change is told; its proofs stand behind them."""
import os
import sys
import time
import unittest
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[n] / name) for n, name in ((2, "support"), (1, "watch"))]
from testbed import entry, group, group_dn, person, person_dn  # noqa: E402
from testbed_dirsrv import Dirsrv, need_dirsrv  # noqa: E402
from watching import Watcher  # noqa: E402

PROGRAM = os.path.abspath(sys.argv.pop())


class DirsrvTest(unittest.TestCase):
    def setUp(self):
        self.server = Dirsrv(person("alice") + person("bob") + group("admins", ["alice"])).__enter__()
        self.addCleanup(self.server.__exit__, None, None, None)

    def watch(self, base=None, **more):
        watcher = Watcher(PROGRAM, base or self.server.suffix, [self.server.uri], bind_dn=self.server.service_dn,
                          secret=self.server.service_password, tls="none", **more)
        self.addCleanup(watcher.close)
        return watcher

    def test_changes(self):
        watcher = self.watch()
        self.assertRegex(watcher.next("UP").mark, r"^server: \S+:%d \d+$" % self.server.port)

        def seen(ldif, change, dn, **wanted):
            self.server.modify(ldif)
            event = watcher.next("CHANGE")
            self.assertEqual((event.change, event.dn, event.mark), (change, dn, None))
            for name, value in wanted.items():
                self.assertEqual(getattr(event, name), value)
            return event

        carol = seen(person("carol"), "add", person_dn("carol"), uid="carol").id
        self.assertRegex(carol, "^[0-9a-f]{8}(-[0-9a-f]{8}){3}$")
        seen(changed(person_dn("carol"), "replace", "sn", "X"), "modify", person_dn("carol"), id=carol, uid="carol")
        seen(changed(group_dn("admins"), "add", "member", person_dn("carol")), "modify", group_dn("admins"))
        seen(renamed(person_dn("carol"), "uid=carola"), "modify", person_dn("carola"), id=carol, uid="carola")
        seen(deleted(person_dn("carola")), "delete", person_dn("carola"), id=carol)
        team = seen(group("team", ["bob"]), "add", group_dn("team")).id
        seen(deleted(group_dn("team")), "delete", group_dn("team"), id=team)
        self.assertNotEqual(seen(group("team", ["bob"]), "add", group_dn("team")).id, team)
        unit = "ou=x," + self.server.suffix
        number = seen(entry(unit, objectClass="organizationalUnit", ou="x"), "add", unit).id
        seen(renamed(unit, "ou=y"), "modify", "ou=y," + self.server.suffix, id=number)
        self.assertEqual({"UP", "CHANGE"}, set(watcher.kinds()))
        role = "cn=locked," + self.server.suffix
        seen(entry(role, objectClass=["ldapSubEntry", "nsRoleDefinition", "nsSimpleRoleDefinition",
                                      "nsManagedRoleDefinition"], cn="locked"), "add", role)
        self.is_told_what_changes(watcher)
        self.assertLess(watcher.stop(), 1)
        watcher.close()
        self.assertIn("(persistent search)", "".join(watcher.log))

    def is_told_what_changes(self, watcher):
        """The first role takes a persistent search its sight, in 389-ds-base 2.3.1: it begins anew."""
        for i in range(20):
            self.server.modify(changed(person_dn("bob"), "replace", "sn", "R%d" % i))
            if watcher.next_of(("CHANGE", "LOST", "UP")).uid == "bob":
                return
        self.fail(watcher.kinds())

    def test_proof(self):
        """What was changed before it was asked for is told before it is told."""
        watcher = self.watch()
        watcher.next("UP")
        for i in range(1, 11):
            self.server.modify(changed(person_dn("alice"), "replace", "sn", "X%d" % i))
            watcher.say("prove %d" % i)
            self.assertEqual(watcher.next_of(("CHANGE", "CURRENT")).kind, "CHANGE")
            self.assertEqual(watcher.next_of(("CHANGE", "CURRENT")).words, str(i))
        watcher.say("prove 11\nprove 12\nprove 13")
        watcher.next("CURRENT", words="13")

    def test_many_changes_at_once(self):
        watcher = self.watch()
        watcher.next("UP")
        self.server.modify("".join(person("user%04d" % i, userPassword=[]) for i in range(500)))
        watcher.say("prove 1")
        watcher.next("CURRENT")
        # Not in their order: the server answers a change before it queues the word of it.
        told = [event.dn for event in watcher.events if event.kind == "CHANGE"]
        self.assertEqual(sorted(told), [person_dn("user%04d" % i) for i in range(500)])
        self.assertEqual(watcher.kinds()[-1], "CURRENT")

    def test_killed_and_started(self):
        watcher = self.watch()
        before = watcher.next("UP").mark
        self.server.kill()
        watcher.next("LOST", timeout=3)
        watcher.say("prove 1")
        time.sleep(1.1)  # it says when it was started, in seconds
        self.server.start()
        self.assertNotEqual(watcher.next("UP").mark, before, "another start is another server")
        self.server.modify(changed(person_dn("bob"), "replace", "sn", "Y"))
        watcher.next("CHANGE", dn=person_dn("bob"))
        self.assertNotIn("CURRENT", watcher.kinds(), "asked for before it was up")

    def test_hangs(self):
        watcher = self.watch(connect_ms=300)
        watcher.next("UP")
        self.server.suspend()
        try:
            watcher.say("prove 1")
            watcher.next("LOST", timeout=5)
        finally:
            self.server.resume()
        watcher.next("UP")

    def test_base_that_is_not_there(self):
        self.watch("ou=nowhere," + self.server.suffix).next("UNSUPPORTED")


def changed(dn, action, attribute, value):
    return "dn: %s\nchangetype: modify\n%s: %s\n%s: %s\n\n" % (dn, action, attribute, attribute, value)


def deleted(dn):
    return "dn: %s\nchangetype: delete\n\n" % dn


def renamed(dn, rdn):
    return "dn: %s\nchangetype: modrdn\nnewrdn: %s\ndeleteoldrdn: 1\n\n" % (dn, rdn)


if __name__ == "__main__":
    need_dirsrv()
    unittest.main(verbosity=2)
