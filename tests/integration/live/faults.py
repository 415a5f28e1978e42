#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
The watch's connection is cut, frozen as by a black hole, or its server is stopped, while memberships are revoked: no question that is
asked more than a second after a revocation is answered "authorize", and when the fault is over all is as it was.
"""
import os
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
import testbed  # noqa: E402
from asking import SECOND, Asker, now  # noqa: E402
from testbed import Slapd, group, group_dn, person, person_dn  # noqa: E402
from testbed_process import wait_until  # noqa: E402
from watch_proxy import CUT, FREEZE, PASS, WatchProxy  # noqa: E402

PROGRAM = os.path.abspath(sys.argv.pop())
# How long a revocation is looked after, and how long the way back to normal may take: the watch's back-off and a load.
AFTER_S = 2.5
RECOVERY_S = 20.0
# Told by the watch, a change is there in milliseconds; on a machine that does much else the first question may come late.
SOON = 3 * SECOND


class FaultsTest(unittest.TestCase):
    def setUp(self):
        self.slapd = Slapd(ldif=person("alice") + person("bob") + group("admins", ["alice", "bob"])).__enter__()
        self.addCleanup(self.slapd.__exit__, None, None, None)
        self.proxy = WatchProxy(self.slapd.port)
        self.addCleanup(self.proxy.close)
        policy = testbed.write_policy(os.path.join(self.slapd.directory, "policy.xml"), self.slapd,
                                      allow=[group_dn("admins")], uri=self.proxy.uri, timeout="2s")
        self.asker = Asker(PROGRAM, policy, ["alice", "bob"], threads=8)
        self.addCleanup(self.asker.close)
        self.asker.wait_for("alice", "authorize")
        wait_until(lambda: self.proxy.watches() == 1, 10, "a watch")
        time.sleep(0.5)

    def revoke(self, verdict="deny"):
        self.slapd.remove_member(group_dn("admins"), person_dn("alice"))
        done = now()
        self.asker.wait_for("alice", verdict)
        time.sleep(AFTER_S)
        self.asker.not_authorized_since("alice", done + SECOND)

    def grant(self, timeout=10.0):
        self.slapd.add_member(group_dn("admins"), person_dn("alice"))
        self.asker.wait_for("alice", "authorize", timeout)

    def recover(self):
        """All is as it was: changes are told, by the watch, long before anything is too old."""
        wait_until(lambda: self.proxy.watches() == 1, RECOVERY_S, "a watch")
        time.sleep(1.5)
        for _ in range(3):
            done = now()
            self.slapd.remove_member(group_dn("admins"), person_dn("alice"))
            self.assertLess(self.asker.wait_for("alice", "deny"), done + SOON)
            done = now()
            self.slapd.add_member(group_dn("admins"), person_dn("alice"))
            self.assertLess(self.asker.wait_for("alice", "authorize"), done + SOON)

    def test_cut(self):
        for _ in range(2):
            self.proxy.set_watch(CUT)
            self.revoke()
            self.grant()
        self.proxy.set_watch(PASS)
        self.recover()

    def test_frozen(self):
        self.proxy.set_watch(FREEZE)
        self.revoke()
        self.grant()
        self.revoke()
        self.proxy.set_watch(PASS)
        time.sleep(0.5)
        self.grant()
        self.recover()

    def test_frozen_and_cut(self):
        self.proxy.set_watch(FREEZE)
        self.revoke()
        self.proxy.set_watch(CUT)
        self.grant()
        self.proxy.set_watch(PASS)
        self.recover()

    def test_frozen_at_the_moment_of_the_change(self):
        """The change is on its way when the connection goes silent."""
        for _ in range(3):
            self.proxy.set_watch(FREEZE)
            self.slapd.remove_member(group_dn("admins"), person_dn("alice"))
            done = now()
            self.asker.wait_for("alice", "deny")
            self.proxy.set_watch(PASS)
            time.sleep(1.2)
            self.asker.not_authorized_since("alice", done + SECOND)
            self.grant()

    def test_server_stopped(self):
        """Nobody answers: nothing is authorized a second after the server fell silent, and nothing is denied."""
        self.slapd.suspend()
        stopped = now()
        self.asker.wait_for("bob", "error")
        time.sleep(AFTER_S)
        self.asker.not_authorized_since("bob", stopped + SECOND)
        self.assertEqual([], [answer for answer in self.asker.answers("bob") if answer[1] == "deny"])
        self.slapd.resume()
        self.asker.wait_for("bob", "authorize", RECOVERY_S)
        self.asker.wait_for("alice", "authorize", RECOVERY_S)
        self.recover()

    def test_server_restarted(self):
        """What changed while it was down is known when it is back."""
        self.slapd.stop()
        self.asker.wait_for("alice", "error")
        self.slapd.start()
        self.slapd.remove_member(group_dn("admins"), person_dn("alice"))
        done = now()
        self.asker.wait_for("alice", "deny", RECOVERY_S)
        self.asker.not_authorized_since("alice", done + SECOND)
        self.grant(RECOVERY_S)
        self.recover()


if __name__ == "__main__":
    unittest.main(verbosity=2)
