#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The pool fails over to a domain controller that lacks what the one before had shown: nobody is let in again by that."""
import time

import rig
import testbed

SEEN_S = 2.0
# For the other controller to be found, and followed by the watch.
FOUND_S = 30
# Between two looks at the other controller, and what a machine needs that does other things as well.
NOTICED_S = 10


class Lagging(rig.Case):

    def setUp(self):
        super().setUp()
        self.alice, self.bob, self.carol = (self.corp.user(name) for name in ("alice", "bob", "carol"))
        self.outer = self.corp.group("outer", [self.alice, self.bob, self.carol])
        self.second = self.corp.add_controller("DC2")
        self.second.replicate_from(self.dc)
        self.program = self.program(allow=[self.outer], controllers=[self.dc, self.second])
        for name in ("alice", "bob", "carol"):
            self.program.until("CORP\\" + name, "authorize", FOUND_S)
        self.await_watch()

    def await_watch(self):
        """What is not watched is not remembered."""
        end = time.monotonic() + FOUND_S
        while not any(search.filter[0] == "greater" and search.filter[1] == "uSNChanged" for search in self.dc.searches):
            self.assertLess(time.monotonic(), end)
            self.corp.change(self.carol, description=str(end - time.monotonic()))
            self.program.ask("CORP\\alice")
            time.sleep(0.05)
        self.second.replicate_from(self.dc)

    def never_in(self, sender, within_s=2.5):
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            answer = self.program.ask(sender)
            self.assertNotEqual(answer["verdict"], "authorize", answer)
            time.sleep(0.02)

    def disable_alice(self):
        self.corp.change(self.alice, userAccountControl=514)
        self.program.until("CORP\\alice", "deny", SEEN_S, "account-disabled")

    def test_she_was_disabled__she_is_refused_and_others_are_not(self):
        self.disable_alice()
        self.dc.stop()
        self.program.until("CORP\\bob", "authorize", FOUND_S)
        self.never_in("CORP\\alice")
        self.assertEqual(self.program.ask("CORP\\alice")["verdict"], "error")
        self.assertEqual(self.program.ask("CORP\\bob")["verdict"], "authorize")
        self.second.replicate_from(self.dc)
        self.program.until("CORP\\alice", "deny", NOTICED_S, "account-disabled")

    def test_she_is_never_let_in_while_the_pool_looks_for_another(self):
        self.disable_alice()
        self.dc.stop()
        self.never_in("CORP\\alice", 5)

    def test_she_was_deleted(self):
        self.corp.delete(self.alice)
        self.program.until("CORP\\alice", "deny", SEEN_S, "no-such-user")
        self.dc.stop()
        self.program.until("CORP\\bob", "authorize", FOUND_S)
        self.never_in("CORP\\alice")
        self.second.replicate_from(self.dc)
        self.program.until("CORP\\alice", "deny", NOTICED_S, "no-such-user")

    def test_she_left_a_group__nobody_is_answered_until_that_has_replicated(self):
        self.corp.unlink(self.outer, self.alice)
        self.program.until("CORP\\alice", "deny", SEEN_S, "not-a-member")
        self.dc.stop()
        self.never_in("CORP\\alice")
        self.never_in("CORP\\bob", 0.5)
        self.program.until("CORP\\bob", "error", FOUND_S)
        self.second.replicate_from(self.dc)
        self.program.until("CORP\\bob", "authorize", NOTICED_S)
        self.assertDecided(self.program.ask("CORP\\alice"), "deny", "not-a-member")

    def test_it_had_replicated__nobody_waits(self):
        self.corp.unlink(self.outer, self.alice)
        self.program.until("CORP\\alice", "deny", SEEN_S, "not-a-member")
        self.second.replicate_from(self.dc)
        self.dc.stop()
        self.program.until("CORP\\bob", "authorize", FOUND_S)
        self.assertDecided(self.program.ask("CORP\\alice"), "deny", "not-a-member")
        self.assertEqual(self.program.ask("CORP\\carol")["verdict"], "authorize")

    def test_it_replicates_by_way_of_a_third_controller(self):
        third = self.corp.add_controller("DC3")
        third.replicate_from(self.dc)
        self.disable_alice()
        third.replicate_from(self.dc)
        self.dc.stop()
        self.program.until("CORP\\bob", "authorize", FOUND_S)
        self.never_in("CORP\\alice", 1)
        self.second.replicate_from(third)
        self.program.until("CORP\\alice", "deny", NOTICED_S, "account-disabled")

    def test_the_first_one_comes_back_and_goes_again(self):
        """What was shown stays remembered, wherever the answers come from meanwhile."""
        self.disable_alice()
        self.dc.stop()
        self.program.until("CORP\\bob", "authorize", FOUND_S)
        self.never_in("CORP\\alice", 1)
        self.dc.start()
        self.second.stop()
        self.program.until("CORP\\alice", "deny", FOUND_S, "account-disabled")
        self.second.start()
        self.dc.stop()
        self.program.until("CORP\\bob", "authorize", FOUND_S)
        self.never_in("CORP\\alice")

    def test_it_cannot_be_told__the_controller_that_answers_is_believed(self):
        self.second.hides.add("repluptodatevector")
        self.disable_alice()
        self.dc.stop()
        self.program.until("CORP\\bob", "authorize", FOUND_S)
        self.program.until("CORP\\alice", "authorize", FOUND_S)


if __name__ == "__main__":
    testbed.main()
