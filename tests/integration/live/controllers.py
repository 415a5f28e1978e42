#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
Domain controllers: what a host costs one, whether changes are seen that its account may not see, and whether the watch is where the
answers come from. bench/revocation_samba.py measures how soon.
"""
import os
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
import testbed  # noqa: E402
from asking import SECOND, Asker, now  # noqa: E402
from counting_proxy import CountingProxy  # noqa: E402
from testbed import Folder, Samba  # noqa: E402
from testbed_process import wait_until  # noqa: E402

PROGRAM = os.path.abspath(sys.argv.pop())
# The watch's poll, and its rate (dir_watch.h); a lease is asked for two or three times a second at most (regime.h).
MARK, CHANGES = b"highestCommittedUSN", b"uSNChanged"
POLLS_A_SECOND, LEASES_A_SECOND = 4, 4
LINGER_S = 5.0


def fill(domain):
    people = {name: domain.user(name) for name in ("alice", "bob", "carol", "dave", "erin", "frank")}
    domain.user("stranger")
    inner = domain.group("inner", [people["dave"]])
    domain.group("outer", [people["alice"], people["bob"], people["carol"], inner])
    domain.group("mail", [people["erin"]], scope="universal", security=False)
    domain.group("winrm", [domain.group_dn("outer"), domain.group_dn("mail"), people["frank"]], scope="universal")
    for number in range(200):
        domain.user("u%03d" % number)


class ControllerTest(unittest.TestCase):
    def setUp(self):
        self.folder = Folder()
        self.addCleanup(self.folder.remove)
        self.dc = Samba(fill)
        self.addCleanup(self.dc.close)

    def proxy(self, samba):
        proxy = CountingProxy((samba.address, 389))
        self.addCleanup(proxy.close)
        return proxy

    def policy(self, *proxies, **more):
        return testbed.write_policy(self.folder.join("policy.xml"), self.dc, allow=[self.dc.group_dn("winrm")],
                                    uri=" ".join(proxy.uri for proxy in proxies), **more)

    def ask(self, policy, *users, threads=2):
        asker = Asker(PROGRAM, policy, users, threads=threads)
        self.addCleanup(asker.close)
        return asker

    def check_revoked(self, asker, user, revoke, reason=None):
        """The user was let in, and is not any more, a second after the change at the latest."""
        asker.wait_for(user, "authorize")
        revoke()
        done = now()
        asker.wait_for(user, "deny", reason=reason)
        time.sleep(1.5)
        asker.not_authorized_since(user, done + SECOND)


class CostTest(ControllerTest):
    def setUp(self):
        super().setUp()
        self.dc.start()
        self.dc_proxy = self.proxy(self.dc)

    def test_a_host_on_which_nobody_decides(self):
        process = subprocess.Popen([testbed.wsmauthz(), "check", "--config", self.policy(self.dc_proxy), "-"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.stdin.close)
        process.stdin.write("alice\n")
        process.stdin.flush()
        self.assertIn("alice", process.stdout.readline())
        time.sleep(LINGER_S + 1)
        since = now()
        time.sleep(5)
        self.assertEqual([], self.dc_proxy.searches(since))

    def test_a_host_that_decides_all_the_time(self):
        asker = self.ask(self.policy(self.dc_proxy), "alice", "stranger")
        asker.wait_for("stranger", "deny")
        time.sleep(2)
        since = now()
        time.sleep(5)
        searches = self.dc_proxy.searches(since)
        print("searches a second:", len(searches) / 5, "of them marks:",
              len(self.dc_proxy.searches(since, MARK)) / 5, file=sys.stderr)
        self.assertLessEqual(len(searches), 5 * (POLLS_A_SECOND + LEASES_A_SECOND))
        self.assertEqual([], self.dc_proxy.searches(since, CHANGES))

    def test_a_change_is_read_and_not_all_groups(self):
        asker = self.ask(self.policy(self.dc_proxy), "alice", "bob")
        loads = [self.loads_of_a_change(asker, "u%03d" % number) for number in range(3)]
        # On a busy machine a poll may come too late, and then all groups are read.
        self.assertIn(0, loads)

    def loads_of_a_change(self, asker, stranger):
        asker.wait_for("bob", "authorize")
        time.sleep(1)
        since = now()
        link = self.dc.group_dn("outer"), self.dc.person_dn("bob")
        self.check_revoked(asker, "bob", lambda: self.dc.remove_member(*link))
        self.dc.delete(self.dc.person_dn(stranger))
        time.sleep(1)
        asker.wait_for("alice", "authorize")
        loads = self.dc_proxy.searches(since, b"namingContexts")  # with which a load begins
        self.dc.add_member(*link)
        return len(loads)


class BusyTest(ControllerTest):
    def test_much_that_is_not_seen(self):
        """Objects go all the time, which the account does not see: everybody is asked for again and again, and answered."""
        self.dc.start()
        proxy = self.proxy(self.dc)
        asker = self.ask(self.policy(proxy), "alice", "bob", "stranger")
        asker.wait_for("bob", "authorize")
        since, is_over = now(), threading.Event()
        worker = threading.Thread(target=self.delete_others, args=(is_over,))
        worker.start()
        try:
            time.sleep(2)
            self.check_revoked(asker, "bob", lambda: self.dc.remove_member(self.dc.group_dn("outer"), self.dc.person_dn("bob")))
            self.check_revoked(asker, "alice", lambda: self.dc.delete(self.dc.person_dn("alice")), reason="no-such-user")
        finally:
            is_over.set()
            worker.join()
        seconds = now() - since
        print("searches a second:", len(proxy.searches(since)) / seconds, "of them marks:",
              len(proxy.searches(since, MARK)) / seconds, "changes:", len(proxy.searches(since, CHANGES)) / seconds,
              "loads:", len(proxy.searches(since, b"namingContexts")), file=sys.stderr)
        asker.close()
        self.assertEqual(0, asker.summary["errors"])

    def delete_others(self, is_over):
        for number in range(200):
            if is_over.is_set():
                return
            self.dc.delete(self.dc.person_dn("u%03d" % number))


class ChangeTest(ControllerTest):
    def setUp(self):
        super().setUp()
        self.dc.start()
        self.asker = self.ask(self.policy(self.proxy(self.dc)), "alice", "bob", "carol", "dave", "erin", "frank")
        for user in ("alice", "bob", "carol", "dave", "frank"):
            self.asker.wait_for(user, "authorize")
        self.asker.wait_for("erin", "deny")

    def test_what_the_account_does_not_see(self):
        dc = self.dc
        self.check_revoked(self.asker, "alice", lambda: dc.delete(dc.person_dn("alice")), reason="no-such-user")
        self.check_revoked(self.asker, "dave", lambda: dc.delete(dc.group_dn("inner")), reason="not-a-member")
        self.check_revoked(self.asker, "bob", lambda: dc.delete(dc.group_dn("outer")), reason="not-a-member")
        self.check_revoked(self.asker, "frank", lambda: dc.delete(dc.group_dn("winrm")), reason="not-a-member")

    def test_a_distribution_group_that_becomes_a_security_group(self):
        dc = self.dc
        dc.replace(dc.group_dn("mail"), "groupType", "-2147483640")
        self.asker.wait_for("erin", "authorize", timeout=2)
        self.check_revoked(self.asker, "erin", lambda: dc.replace(dc.group_dn("mail"), "groupType", "8"))

    def test_a_group_that_is_renamed(self):
        dc = self.dc
        dc.modify("dn: %s\nchangetype: modrdn\nnewrdn: CN=renamed\ndeleteoldrdn: 1\n" % dc.group_dn("outer"))
        time.sleep(1)
        self.check_revoked(self.asker, "carol", lambda: dc.remove_member(dc.group_dn("renamed"), dc.person_dn("carol")))
        self.asker.wait_for("bob", "authorize")


    def test_an_organizational_unit_that_is_renamed(self):
        """The controller tells of the unit alone, and all DNs beneath it are others."""
        dc = self.dc
        dc.modify("dn: OU=Groups,%s\nchangetype: modrdn\nnewrdn: OU=Moved\ndeleteoldrdn: 1\n" % dc.suffix)
        dc.modify("dn: OU=People,%s\nchangetype: modrdn\nnewrdn: OU=Staff\ndeleteoldrdn: 1\n" % dc.suffix)
        time.sleep(1)
        group, carol = "CN=outer,OU=Moved," + dc.suffix, "CN=carol,OU=Staff," + dc.suffix
        self.check_revoked(self.asker, "carol", lambda: dc.remove_member(group, carol))
        self.asker.wait_for("bob", "authorize")


class FollowTest(ControllerTest):
    @staticmethod
    def give_name(samba, name):
        """A copy has the name of the first one, by which it is known (dsServiceName)."""
        samba.modify("dn: CN=DC1,CN=Servers,CN=Default-First-Site-Name,CN=Sites,CN=Configuration,%s\n"
                     "changetype: modrdn\nnewrdn: CN=%s\ndeleteoldrdn: 1\n" % (samba.suffix, name))
        samba.restart()

    def test_the_watch_goes_where_the_answers_come_from(self):
        """The first controller goes, and comes back: the watch is there soon after the pool."""
        other = Samba(host="dc2", copy_of=self.dc)
        self.addCleanup(other.close)
        self.dc.start()
        other.start()
        self.give_name(other, "DC2")
        first, second = self.proxy(self.dc), self.proxy(other)
        asker = self.ask(self.policy(first, second), "alice", "bob")
        asker.wait_for("bob", "authorize")
        first.set_open(False)
        wait_until(lambda: second.searches(containing=CHANGES), 10, "a watch of the second one")
        self.check_revoked(asker, "alice", lambda: other.remove_member(other.group_dn("outer"), other.person_dn("alice")))
        first.set_open(True)
        # It holds what was revoked on the other, as a controller does that has not replicated.
        self.dc.remove_member(self.dc.group_dn("outer"), self.dc.person_dn("alice"))
        back = now()
        wait_until(lambda: first.searches(back, CHANGES), 60, "a watch of the first one")
        wait_until(lambda: not second.searches(now() - 2), 20, "the end of the second one's use")
        self.check_revoked(asker, "bob", lambda: self.dc.remove_member(self.dc.group_dn("outer"), self.dc.person_dn("bob")))


if __name__ == "__main__":
    unittest.main()
