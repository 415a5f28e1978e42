#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
Memberships that end by themselves (links with a time to live). When it is over nothing is written and nobody tells; the verdict
has to change all the same, and not a moment late.
"""
import time

import rig
import testbed

TTL_S = 3
# How late an answer may come that was asked for in time.
SLACK_S = 2


class Links(rig.Case):

    def setUp(self):
        super().setUp()
        self.alice = self.corp.user("alice")
        self.outer = self.corp.group("outer")
        self.inner = self.corp.group("inner")
        self.everybody = self.corp.group("everybody", [self.alice])

    def follow(self, program, group, member, before, after):
        """The verdict is `before` until the link ends, then `after`."""
        program.until("CORP\\alice", after, 5)  # it is up, and has cached what was
        self.corp.link(group, member, ttl_s=TTL_S)
        begin, usn = time.monotonic(), self.dc.replica.usn
        program.until("CORP\\alice", before, TTL_S)
        while True:
            asked = time.monotonic()
            answer = program.ask("CORP\\alice")
            if answer["verdict"] != before:
                break
            # Asked after its end it must not be answered so.
            self.assertLess(asked - begin, TTL_S, answer)
            time.sleep(0.01)
        self.assertEqual(answer["verdict"], after, answer)
        self.assertGreaterEqual(time.monotonic() - begin, TTL_S - 0.01)
        self.assertLess(time.monotonic() - begin, TTL_S + SLACK_S)
        self.assertEqual(self.dc.replica.usn, usn)

    def test_of_the_user(self):
        self.corp.link(self.outer, self.inner)
        self.follow(self.program(allow=[self.outer]), self.inner, self.alice, "authorize", "deny")

    def test_of_a_group_on_the_way(self):
        self.corp.link(self.inner, self.alice)
        self.follow(self.program(allow=[self.outer]), self.outer, self.inner, "authorize", "deny")

    def test_of_a_deny_rule(self):
        self.follow(self.program(allow=[self.everybody], deny=[self.outer]), self.outer, self.alice, "deny",
                    "authorize")

    def test_of_a_group_on_the_way_to_a_deny_rule(self):
        self.corp.link(self.inner, self.alice)
        self.follow(self.program(allow=[self.everybody], deny=[self.outer]), self.outer, self.inner, "deny",
                    "authorize")

    def test_without_a_watch(self):
        """A controller that answers no watch: every other way to be fresh ends at the same moment."""
        self.corp.link(self.inner, self.alice)
        self.dc.faults.append(self.no_watch())
        self.follow(self.program(allow=[self.outer]), self.outer, self.inner, "authorize", "deny")

    @staticmethod
    def no_watch():
        from testbed_scripted_ad import UNAVAILABLE, Fault
        return Fault(when=lambda search: "uSNChanged" in search.attributes, code=UNAVAILABLE)

    def test_what_ends_later_stays(self):
        """An end ends nothing else: the other way to the same group goes on."""
        self.corp.link(self.outer, self.alice)
        self.corp.link(self.outer, self.inner, ttl_s=TTL_S)
        self.corp.link(self.inner, self.alice)
        program = self.program(allow=[self.outer])
        begin = time.monotonic()
        while time.monotonic() - begin < TTL_S + 1:
            self.assertEqual(program.ask("CORP\\alice")["verdict"], "authorize")
            time.sleep(0.02)


if __name__ == "__main__":
    testbed.main()
