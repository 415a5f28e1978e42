#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The watch on OpenLDAP through wldap32, which shows too little for RFC 4533: contextCSN is polled. Under Wine: `watch.py DRIVER WATCHER`."""
import contextlib
import os
import sys
import time
import unittest

from driving import keep_awake
from testbed import Slapd, group, person
from testbed_wine import Wine
from watching import Watcher

PROGRAM = os.path.abspath(sys.argv.pop())
DRIVER = os.path.abspath(sys.argv.pop())

# The promise: a revocation is heard of within a second, on a machine that has time for it. This one may have none.
PROMISE_S = 1
BUSY_S = 10


class Watch(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = contextlib.ExitStack()
        cls.addClassCleanup(cls.stack.close)
        cls.wine = cls.stack.enter_context(Wine())
        cls.stack.callback(keep_awake(cls.wine, DRIVER))
        cls.launcher = cls.wine.launcher("watcher", PROGRAM)
        os.environ.update(cls.wine.environment())

    def serve(self, **options):
        slapd = Slapd(ldif=person("alice") + person("bob") + group("admins", ["alice", "bob"]), **options)
        slapd.__enter__()
        self.addCleanup(slapd.__exit__, None, None, None)
        return slapd

    def watch(self, slapd, *more_uris, **more):
        watcher = Watcher(self.launcher, slapd.suffix, [slapd.uri, *more_uris], bind_dn=slapd.service_dn,
                          secret=slapd.service_password, **{"linger_ms": 60000, **more})
        self.addCleanup(watcher.close)
        return watcher

    def throw_out(self, slapd, name):
        slapd.modify("dn: %s\nchangetype: modify\ndelete: member\nmember: %s\n" % (slapd.group_dn("admins"),
                                                                                   slapd.person_dn(name)))

    def test_a_revocation_is_heard_of_within_a_second(self):
        slapd = self.serve()
        watcher = self.watch(slapd)
        first = watcher.next("UP").mark
        took = []
        for name in ("alice", "bob"):
            slapd.modify("dn: %s\nchangetype: modify\nadd: member\nmember: cn=%s\n" % (slapd.group_dn("admins"), name))
            watcher.next("MARK")
            self.throw_out(slapd, name)
            told = time.monotonic()
            watcher.next("UNSEEN", timeout=BUSY_S)
            took.append(watcher.next("MARK").at - told)
        self.assertLess(first, watcher.events[-1].mark)
        self.assertLess(min(took), PROMISE_S)
        self.assertLess(watcher.stop(), BUSY_S)

    def test_a_deletion_and_a_new_entry_are_heard_of(self):
        slapd = self.serve()
        watcher = self.watch(slapd)
        watcher.next("UP")
        slapd.modify("dn: %s\nchangetype: delete\n" % slapd.person_dn("bob"))
        watcher.next("UNSEEN")
        watcher.next("MARK")
        slapd.modify(person("carol").replace("\n", "\nchangetype: add\n", 1))
        watcher.next("UNSEEN")
        watcher.next("MARK")

    def test_who_does_not_decide_does_not_ask_and_hears_of_it_when_he_does(self):
        slapd = self.serve()
        watcher = self.watch(slapd, linger_ms=0)
        watcher.next("UP")
        time.sleep(0.5)
        self.throw_out(slapd, "bob")
        time.sleep(1)
        self.assertEqual(["UP"], watcher.kinds())
        watcher.say("hurry")
        watcher.next("MARK")

    def test_a_server_that_dies_and_comes_back(self):
        slapd = self.serve()
        watcher = self.watch(slapd, backoff_first_ms=50, backoff_last_ms=200)
        watcher.next("UP")
        slapd.kill()
        watcher.next("LOST")
        slapd.start()
        watcher.next("UP")
        self.throw_out(slapd, "bob")
        watcher.next("MARK")

    def test_a_server_that_stops_answering(self):
        slapd = self.serve()
        watcher = self.watch(slapd, connect_ms=500, steady_ms=0)
        watcher.next("UP")
        slapd.suspend()
        self.addCleanup(slapd.resume)
        watcher.next("LOST")
        self.assertLess(watcher.stop(), BUSY_S)

    def test_a_server_without_marks_cannot_be_watched(self):
        slapd = self.serve(overlays=())
        watcher = self.watch(slapd)
        self.assertIn("shows no contextCSN", watcher.next("UNSUPPORTED").words)

    def test_it_leaves_no_memory_behind(self):
        slapd = self.serve()
        watcher = self.watch(slapd)
        watcher.next("UP")
        watcher.stop()
        watcher.close()
        self.assertEqual("BYE", watcher.kinds()[-1])


if __name__ == "__main__":
    unittest.main()
