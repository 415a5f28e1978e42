#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
A controller that was just promoted, or restored from a backup, and has not replicated: it answers, with what was true long ago, and
says so (isSynchronized: FALSE). Nobody is decided about by that.
"""
import json
import subprocess
import time

import rig
import testbed
from testbed_scripted_ad import Fault


class Unsynchronized(rig.Case):

    def setUp(self):
        super().setUp()
        self.alice = self.corp.user("alice")
        self.group = self.corp.group("group", [self.alice])
        self.second = self.corp.add_controller("DC2")
        self.second.replicate_from(self.dc)
        self.start()
        # What DC1 has lost.
        self.corp.unlink(self.group, self.alice, on=self.second)
        self.dc.is_synchronized = False

    def both(self, **more):
        return self.program(allow=[self.group], controllers=[self.dc, self.second], **more)

    @staticmethod
    def read(controller):
        """What it was asked but for its root DSE."""
        return [search for search in controller.searches if search.base != ""]

    def synchronize(self):
        self.dc.replicate_from(self.second)
        self.dc.is_synchronized = True

    def test_the_second_answers(self):
        program = self.both()
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            self.assertDecided(program.ask("CORP\\alice"), "deny", "not-a-member")
            time.sleep(0.02)
        self.assertEqual(self.read(self.dc), [])

    def test_no_other_one__is_an_error_that_says_so(self):
        self.second.is_synchronized = False
        settings = {"allow": [self.group], "controllers": [self.dc, self.second], "timeout": "2s"}
        done = subprocess.run([testbed.wsmauthz(), "check", "--config", self.policy(**settings), "CORP\\alice"],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 3)
        self.assertIn("directory-unavailable", done.stdout)
        self.assertIn("isSynchronized: FALSE", done.stdout)
        program = self.program(**settings)
        self.assertDecided(program.ask("CORP\\alice"), "error", "directory-unavailable")
        self.assertEqual(self.read(self.dc) + self.read(self.second), [])
        self.second.is_synchronized = True
        program.until("CORP\\alice", "deny", 20, "not-a-member")
        self.assertEqual(self.read(self.dc), [])

    def test_it_has_synchronized__is_used_again(self):
        program = self.both(timeout="2s")
        program.until("CORP\\alice", "deny", 20, "not-a-member")
        self.synchronize()
        self.second.stop()
        program.until("CORP\\alice", "deny", 30, "not-a-member")
        self.corp.link(self.group, self.alice)
        program.until("CORP\\alice", "authorize", 20)

    def test_it_is_restored_while_the_program_goes_on(self):
        """Its connections end with it; the next ones are asked first."""
        self.synchronize()
        snapshot = self.dc.snapshot()
        program = self.both()
        program.until("CORP\\alice", "deny", 20, "not-a-member")
        self.corp.link(self.group, self.alice)
        program.until("CORP\\alice", "authorize", 20)
        self.second.replicate_from(self.dc)
        before_revocation = self.dc.snapshot()
        self.corp.unlink(self.group, self.alice, on=self.second)
        self.assertNotEqual(before_revocation.usn, snapshot.usn)
        self.dc.stop()
        self.dc.restore(before_revocation)
        self.dc.is_synchronized = False
        self.dc.searches.clear()
        self.dc.start()
        program.until("CORP\\alice", "deny", 20, "not-a-member")
        end = time.monotonic() + 2
        while time.monotonic() < end:
            self.assertDecided(program.ask("CORP\\alice"), "deny", "not-a-member")
            time.sleep(0.02)
        self.assertEqual(self.read(self.dc), [])

    def test_it_does_not_say(self):
        """A root DSE that cannot be asked about it now is no yes."""
        self.dc.faults.append(Fault(when=lambda search: search.base == "" and search.asks_for("isSynchronized"), code=51))
        program = self.both()
        for _ in range(20):
            self.assertDecided(program.ask("CORP\\alice"), "deny", "not-a-member")
        self.assertEqual(self.read(self.dc), [])

    def doctor(self):
        policy = self.policy(allow=[self.group], controllers=[self.dc, self.second])
        done = subprocess.run([testbed.wsmauthz(), "doctor", "--config", policy, "--json"], capture_output=True, text=True,
                              timeout=120)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return done.returncode, [line for line in lines if "has not replicated" in line["text"]]

    def test_doctor_says_which_one_is_not_asked(self):
        _, told = self.doctor()
        self.assertEqual([(line["level"], line["subject"]) for line in told], [("warning", self.dc.uri)])
        self.second.is_synchronized = False
        status, told = self.doctor()
        self.assertEqual([(line["level"], line["subject"]) for line in told],
                         [("error", self.dc.uri), ("error", self.second.uri)])
        self.assertEqual(status, 3)


if __name__ == "__main__":
    testbed.main()
