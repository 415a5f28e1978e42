#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The watch against domain controllers that do what a real one does seldom, or does not show on one machine."""
import os
import socket
import sys
import time
import unittest

from fake_controller import CONFIGURATION, DNS, DOMAIN, FakeController, rid
from watching import Watcher

PROGRAM = os.path.abspath(sys.argv.pop())
POLL_MS = 50


class ControllerTest(unittest.TestCase):
    def serve(self, **options):
        server = FakeController(**options)
        self.addCleanup(server.close)
        return server

    def watch(self, *servers, **more):
        more.setdefault("poll_ms", POLL_MS)
        more.setdefault("linger_ms", 60000)
        more.setdefault("overlap_ms", 400)
        watcher = Watcher(PROGRAM, "", [server.uri for server in servers], **more)
        self.addCleanup(watcher.close)
        return watcher

    def begin(self, **more):
        server = self.serve()
        watcher = self.watch(server, **more)
        self.assertEqual(watcher.next("UP").mark, server.mark(100))
        return server, watcher

    def wait_for_polls(self, server, count, what="mark"):
        wanted = server.asked[what] + count
        end = time.monotonic() + 10
        while server.asked[what] < wanted:
            self.assertLess(time.monotonic(), end, "no polls")
            time.sleep(0.005)

    # What a poll means

    def test_a_change_and_its_mark(self):
        server, watcher = self.begin()
        server.put("alice")
        event = watcher.next("CHANGE")
        self.assertEqual((event.change, event.id, event.dn, event.uid, event.mark),
                         ("modify", "S-1-5-32-%d" % rid("alice"), "CN=alice," + DOMAIN, "alice", None))
        self.assertEqual(watcher.next("MARK").mark, server.mark(101))
        self.assertEqual(["UP", "CHANGE", "MARK"], watcher.kinds())
        self.assertEqual(0, server.asked["others"])  # all was explained

    def test_changes_between_the_mark_of_the_beginning_and_the_first_poll(self):
        server = self.serve()
        server.hooks["rights"] = lambda: server.asked["rights"] == 1 and server.put("early")
        watcher = self.watch(server)
        self.assertEqual(watcher.next("UP").mark, server.mark(100))
        self.assertEqual(watcher.next("CHANGE").uid, "early")
        self.assertEqual(watcher.next("MARK").mark, server.mark(101))

    def test_many_changes_on_pages(self):
        server, watcher = self.begin()
        server.page = 3
        with server.guard:
            for i in range(20):
                server.put("g%02d" % i)
        watcher.next("MARK", mark=server.mark(120))
        names = [event.uid for event in watcher.events if event.kind == "CHANGE"]
        self.assertEqual(sorted(names), ["g%02d" % i for i in range(20)])

    def test_a_change_while_the_poll_searches_is_told_once(self):
        server, watcher = self.begin()
        server.hooks["changes"] = lambda: server.asked["changes"] == 1 and server.put("second")
        server.put("first")
        watcher.next("MARK", mark=server.mark(102))
        self.assertEqual(sorted(event.uid for event in watcher.events if event.kind == "CHANGE"), ["first", "second"])
        self.assertNotIn("UNSEEN", watcher.kinds())

    # What is not seen

    def test_a_deletion_that_the_account_does_not_see(self):
        server, watcher = self.begin()
        server.put("alice", deleted=True)
        watcher.next("UNSEEN")
        self.assertEqual(watcher.next("MARK").mark, server.mark(101))
        self.assertEqual(["UP", "UNSEEN", "MARK"], watcher.kinds())

    def test_a_deletion_that_the_account_sees(self):
        server = self.serve()
        server.shows_deleted = True
        server.put("old", deleted=True)
        watcher = self.watch(server)
        watcher.next("UP")
        server.put("alice", deleted=True)
        event = watcher.next("CHANGE")
        self.assertEqual((event.change, event.id, event.dn), ("delete", "S-1-5-32-%d" % rid("alice"), ""))
        server.put("hidden", hidden=True)
        watcher.next("MARK", mark=server.mark())
        self.assertNotIn("UNSEEN", watcher.kinds())

    def test_the_first_deletion_shows_that_the_account_sees_them(self):
        server, watcher = self.begin()
        server.shows_deleted = True
        server.put("hidden", hidden=True)
        watcher.next("UNSEEN")
        server.put("alice", deleted=True)
        self.assertEqual(watcher.next("CHANGE").change, "delete")
        server.put("hidden", hidden=True)
        watcher.next("MARK", mark=server.mark())
        self.assertEqual(1, watcher.kinds().count("UNSEEN"))

    def test_what_is_deleted_in_another_naming_context_proves_nothing(self):
        server, watcher = self.begin()
        server.shows_deleted = True
        server.put("record", context=DNS, deleted=True)
        watcher.next("MARK")
        server.put("hidden", hidden=True)
        watcher.next("UNSEEN")

    def test_steps_explained_by_other_naming_contexts(self):
        server, watcher = self.begin()
        with server.guard:
            for name, context in (("alice", DOMAIN), ("site", CONFIGURATION), ("host", DNS)):
                server.put(name, context=context)
        watcher.next("MARK", mark=server.mark())
        self.assertEqual(["UP", "CHANGE", "MARK"], watcher.kinds())
        self.assertEqual(2, server.asked["others"])

    def test_other_naming_contexts_that_may_not_be_read(self):
        server, watcher = self.begin()
        server.codes["others"] = 50
        server.put("site", context=CONFIGURATION)
        watcher.next("UNSEEN")
        watcher.next("MARK", mark=server.mark())

    def test_an_object_that_changed_twice(self):
        server, watcher = self.begin()
        with server.guard:
            server.put("alice")
            server.put("alice")
        watcher.next("MARK", mark=server.mark())
        self.assertEqual(["UP", "CHANGE", "UNSEEN", "MARK"], watcher.kinds())

    def test_a_change_that_appears_behind_a_higher_number(self):
        server, watcher = self.begin()
        with server.guard:
            server.usn += 1  # 101 is not there yet
            server.put("alice")
        watcher.next("MARK", mark=server.mark())
        server.put("late", usn=101)
        self.assertEqual(watcher.next("CHANGE").uid, "late")
        self.wait_for_polls(server, 12)
        self.assertEqual([event.uid for event in watcher.events if event.kind == "CHANGE"], ["alice", "late"])
        searches = server.asked["changes"]
        self.wait_for_polls(server, 4)
        self.assertEqual(searches, server.asked["changes"])  # it is no longer asked for

    def test_samba_is_not_asked_again(self):
        server = self.serve(samba=True)
        watcher = self.watch(server)
        watcher.next("UP")
        server.put("hidden", hidden=True)
        watcher.next("UNSEEN")
        self.wait_for_polls(server, 4)
        self.assertEqual(1, server.asked["changes"])

    # When it is asked

    def test_nobody_decides(self):
        server, watcher = self.begin(linger_ms=200)
        time.sleep(0.5)
        polls = server.asked["mark"]
        time.sleep(0.5)
        self.assertEqual(polls, server.asked["mark"])
        server.put("alice")
        began = time.monotonic()
        watcher.say("use")
        self.assertLess(watcher.next("CHANGE").at - began, 1)
        watcher.say("use")  # a busy machine may have used up the time of the first one
        self.wait_for_polls(server, 1)

    def test_use_that_goes_on(self):
        server, watcher = self.begin(linger_ms=300)
        for _ in range(10):
            time.sleep(0.1)
            watcher.say("use")
        self.assertGreater(server.asked["mark"], 8)

    def test_who_hurries_does_not_wait_for_the_next_poll(self):
        server, watcher = self.begin(poll_ms=5000)
        self.wait_for_polls(server, 1)
        server.put("alice")
        began = time.monotonic()
        watcher.say("hurry")
        self.assertLess(watcher.next("CHANGE").at - began, 2)

    def test_who_hurries_while_nobody_decides(self):
        server, watcher = self.begin(linger_ms=0)
        time.sleep(0.2)
        server.put("alice")
        began = time.monotonic()
        watcher.say("hurry")
        self.assertLess(watcher.next("CHANGE").at - began, 2)

    def test_who_hurries_without_a_pause(self):
        server, watcher = self.begin(poll_ms=5000)
        since, polls = time.monotonic(), server.asked["mark"]
        while time.monotonic() < since + 1:
            watcher.say("hurry")
            time.sleep(0.001)
        self.assertLessEqual(server.asked["mark"] - polls, 52)

    def test_a_ping_is_a_poll(self):
        server, watcher = self.begin(linger_ms=0, ping_ms=200, connect_ms=500)
        server.put("alice")
        watcher.next("CHANGE")
        server.silent = True
        self.assertIn("in time", watcher.next("LOST").words)

    def test_a_slow_search_is_followed_by_a_rest(self):
        server, watcher = self.begin()
        server.delay_s = 0.3
        server.put("alice")
        watcher.next("MARK")
        polls = server.asked["mark"]
        time.sleep(0.4)
        self.assertLessEqual(server.asked["mark"], polls + 1)

    # What ends it

    def check_loss(self, server, watcher, words):
        self.assertIn(words, watcher.next("LOST").words)
        self.assertEqual(watcher.next("UP").mark, server.mark())

    def test_another_controller_at_the_same_address(self):
        server, watcher = self.begin()
        server.name = "DC2"
        self.check_loss(server, watcher, "another domain controller")

    def test_an_older_state(self):
        server, watcher = self.begin()
        server.usn = 90
        self.check_loss(server, watcher, "older state")

    def test_more_steps_than_are_told(self):
        server, watcher = self.begin(max_steps=50)
        server.usn += 51
        self.check_loss(server, watcher, "more changes")

    def test_more_changes_than_are_remembered(self):
        server, watcher = self.begin(max_steps=10)
        with server.guard:
            for i in range(11):
                server.put("g%02d" % i, usn=105)
            server.usn = 105
        self.check_loss(server, watcher, "could be heard")

    def test_more_changes_than_are_heard(self):
        server, watcher = self.begin(max_queued=10)
        with server.guard:
            for i in range(11):
                server.put("g%02d" % i)
        self.check_loss(server, watcher, "could be heard")

    def test_answers_that_are_none(self):
        for what in ("mark", "changes"):
            for code in (3, 4, 51, 52):
                with self.subTest((what, code)):
                    server, watcher = self.begin()
                    server.codes[what] = code
                    server.put("alice")
                    self.assertIn("(%d)" % code, watcher.next("LOST").words)
                    self.assertEqual(["UP", "LOST"], watcher.kinds()[:2])  # nothing of the poll was told
                    server.codes.clear()
                    watcher.next("UP", mark=server.mark())
                    watcher.close()

    def test_rights_that_are_taken_away(self):
        server, watcher = self.begin(ask_again_ms=200)
        server.codes["changes"] = 50
        server.put("alice")
        self.assertIn("(50)", watcher.next("UNSUPPORTED").words)
        server.codes.clear()
        watcher.next("UP", mark=server.mark())

    def test_what_is_no_controller(self):
        server = self.serve()
        server.is_controller = False
        self.assertIn("no domain controller", self.watch(server).next("UNSUPPORTED").words)

    def test_an_account_that_may_not_read(self):
        for break_it in (lambda server: server.codes.update(rights=1), lambda server: server.codes.update(rights=50),
                         lambda server: setattr(server, "shows_usn", False)):
            server = self.serve()
            break_it(server)
            self.watch(server).next("UNSUPPORTED")

    def test_a_controller_that_has_not_replicated_yet(self):
        server = self.serve()
        server.is_synchronized = False
        watcher = self.watch(server)
        self.assertIn("not replicated", watcher.next("LOST").words)
        server.is_synchronized = True
        watcher.next("UP")

    def test_deleted_objects_that_may_not_be_asked_for(self):
        server = self.serve()
        server.codes["deleted"] = 50
        watcher = self.watch(server)
        watcher.next("UP")
        server.put("alice", deleted=True)
        watcher.next("UNSEEN")

    @unittest.skipIf(os.environ.get("WATCH_LIBRARY") == "wldap32",
                     "wldap32 tells of a connection that has ended when something is asked on it")
    def test_a_connection_that_is_cut_while_nobody_decides(self):
        server, watcher = self.begin(linger_ms=0)
        time.sleep(0.2)
        for connection in list(server._connections):
            connection.shutdown(socket.SHUT_RDWR)
        self.assertIn("ended the connection", watcher.next("LOST").words)
        watcher.next("UP")

    def test_stop_while_a_search_is_not_answered(self):
        server, watcher = self.begin(refresh_ms=20000)
        server.hooks["changes"] = lambda: time.sleep(5)
        server.put("alice")
        self.wait_for_polls(server, 1, "changes")
        self.assertLess(watcher.stop(), 1)

    def test_stop_while_it_sleeps(self):
        _, watcher = self.begin(linger_ms=0)
        time.sleep(0.2)
        self.assertLess(watcher.stop(), 1)

    # Two controllers

    def test_the_watch_follows_the_answers(self):
        first, second = self.serve(), self.serve(name="DC2", usn=5000)
        watcher = self.watch(first, second)
        self.assertEqual(watcher.next("UP").mark, first.mark())
        watcher.say("prefer " + first.uri)
        watcher.say("prefer ldap://192.0.2.1")
        watcher.say("prefer " + second.uri)
        self.assertIn("is left", watcher.next("LOST").words)
        self.assertEqual(watcher.next("UP").mark, second.mark())
        second.put("alice")
        watcher.next("CHANGE")
        watcher.say("prefer " + second.uri)
        watcher.say("prefer " + first.uri)
        self.assertEqual(watcher.next("UP").mark, first.mark())
        self.assertEqual(["UP", "LOST", "UP", "CHANGE", "MARK", "LOST", "UP"], watcher.kinds())

    def test_a_preferred_one_that_is_not_there(self):
        first, second = self.serve(), self.serve(name="DC2")
        watcher = self.watch(first, second)
        watcher.next("UP")
        second.close()
        watcher.say("prefer " + second.uri)
        watcher.next("LOST")
        self.assertEqual(watcher.next("UP").mark, first.mark())
        for _ in range(5):
            watcher.say("prefer " + second.uri)
        first.put("alice")
        watcher.next("CHANGE")

    # Memory

    def test_no_memory_at_any_moment(self):
        server = self.serve()
        server.shows_deleted = True
        server.put("old", deleted=True)
        watcher = self.watch(server, overlap_ms=0, backoff_first_ms=1, backoff_last_ms=4)
        watcher.next("UP")
        for n in range(1, 40):
            watcher.say("fail %d" % n)
            watcher.next("FAILING")
            server.put("g%d" % n)
            server.put("g%d" % n, deleted=True)
            mark = server.mark()
            # Told, or the watch is lost and begins again at that state or a later one.
            event = watcher.next_of(("MARK", "UP"), mark=mark)
            if event.kind == "MARK":
                told = [each for each in watcher.events if each.kind == "CHANGE" and each.change == "delete"]
                self.assertEqual(told[-1].id, "S-1-5-32-%d" % rid("g%d" % n))
        self.assertIn("LOST", watcher.kinds())


if __name__ == "__main__":
    unittest.main()
