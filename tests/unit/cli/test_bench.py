#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`wsmauthz bench` with an engine that answers by a script (tests/support/engine_fake.h): it caches nothing."""
import json
import os
import subprocess
import tempfile
import unittest

PROGRAM = os.environ["WSMAUTHZ_CLI"]
SENDERS = "".join("user%d\n" % number for number in range(20))


class BenchTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="wsmauthz-cli-")
        self.addCleanup(folder.cleanup)
        self.policy = folder.name + "/policy"
        self.senders = folder.name + "/senders"
        self.script("answer * authorize member")
        with open(self.senders, "w", encoding="utf-8") as file:
            file.write(SENDERS)

    def script(self, *lines):
        with open(self.policy, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")

    def bench(self, *words, data=None, timeout=60, duration="45ms"):
        return subprocess.run([PROGRAM, "bench", "--config", self.policy, "--duration", duration, *words], input=data,
                              capture_output=True, text=True, timeout=timeout, check=False)

    def measure(self, *words, status=0, **options):
        done = self.bench("--senders", self.senders, "--json", *words, **options)
        self.assertEqual(done.returncode, status, done.stderr)
        return json.loads(done.stdout)

    def test_cold__counts_verdicts_and_latencies(self):
        self.script("answer user1 deny not-a-member", "answer * authorize member")
        measured = self.measure("--phases", "cold")
        cold = measured["lines"]["cold"]
        self.assertGreater(cold["per_second"], 0)
        self.assertEqual(cold["calls"], cold["authorized"] + cold["denied"])
        self.assertAlmostEqual(cold["denied"] / cold["calls"], 1 / 20, delta=0.02)
        points = [cold[name] for name in ("p50_ns", "p90_ns", "p99_ns", "p99_9_ns", "max_ns")]
        self.assertEqual(points, sorted(points))
        self.assertEqual(measured["round_trips_per_decision"], 1)
        self.assertIsNone(measured["lines"]["floor"])
        self.assertIsNone(measured["lines"]["api"])

    def test_warm__asks_those_alone_who_are_authorized(self):
        self.script("answer user1 deny not-a-member", "answer user2 redirect site-elsewhere uri=https://x.example/",
                    "answer * authorize member")
        measured = self.measure("--phases", "warm", "--working-set", "5")
        self.assertEqual((measured["warm_up_asked"], measured["warm_users"], measured["working_set"]), (20, 18, 5))
        for name in ("api", "api_threads", "api_all", "entry_points", "entry_points_threads", "probe", "copy"):
            with self.subTest(name):
                line = measured["lines"][name]
                self.assertGreater(line["calls"], 0)
                self.assertEqual((line["denied"], line["errors"]), (0, 0))
        self.assertEqual(measured["lines"]["api"]["missed"], measured["lines"]["api"]["calls"])

    def test_warm_ways__are_chosen(self):
        self.assertIsNone(self.measure("--phases", "warm", "--api")["lines"]["entry_points"])
        measured = self.measure("--phases", "warm", "--entry-points")
        self.assertIsNone(measured["lines"]["api"])
        self.assertGreater(measured["lines"]["entry_points"]["calls"], 0)

    def test_nobody_authorized__has_no_warm_lines(self):
        self.script("answer * deny not-a-member")
        measured = self.measure("--phases", "warm")
        self.assertIsNone(measured["lines"]["api"])
        self.assertIsNone(measured["warm_users"])

    def test_asynchronous_completion__is_waited_for(self):
        self.script("asynchronous", "answer * authorize member delay=5")
        line = self.measure("--phases", "warm", "--entry-points")["lines"]["entry_points"]
        self.assertEqual(line["calls"], line["authorized"])
        # A delay ends at a whole millisecond of the clock, so it may be up to one shorter.
        self.assertGreater(line["p50_ns"], 3000000)

    def test_rate__is_kept_and_late_answers_count_from_when_they_were_due(self):
        self.script("answer * authorize member delay=20")
        cold = self.measure("--phases", "cold", "--rate", "1000", duration="600ms")["lines"]["cold"]
        self.assertAlmostEqual(cold["calls"] + cold["missed"], 600, delta=40)
        self.assertGreaterEqual(cold["p50_ns"], 18000000)

    def test_errors__are_told(self):
        self.script("answer user1 error directory-limit", "answer * authorize member")
        measured = self.measure("--phases", "cold", status=3)
        self.assertGreater(measured["lines"]["cold"]["errors"], 0)
        self.assertIn("directory-limit", measured["first_error"])

    def test_no_answer_at_all__ends_in_time(self):
        self.script("timeout 100", "answer * authorize member never")
        for phase in ("cold", "warm"):
            with self.subTest(phase):
                done = self.bench("--senders", self.senders, "--phases", phase, timeout=30)
                self.assertEqual((done.returncode, done.stdout), (3, ""))
                self.assertIn("not answered", done.stderr)

    def test_no_answer_any_more__ends_in_time(self):
        """In the middle, when many are under way."""
        self.script("timeout 100", "answer user7 authorize member never", "answer * authorize member")
        for phase in ("cold", "warm"):
            with self.subTest(phase):
                done = self.bench("--senders", self.senders, "--phases", phase, timeout=30)
                self.assertEqual((done.returncode, done.stdout), (3, ""))
                self.assertIn("not answered", done.stderr)

    def test_warm_up_that_takes_longer_than_an_answer_may__goes_on(self):
        """Patience is for an answer, not for all of them: of a million users the last one is asked late."""
        with open(self.senders, "w", encoding="utf-8") as file:
            file.writelines("user%d\n" % number for number in range(8 * 512))
        self.script("timeout 1", "answer * authorize member delay=300")
        measured = self.measure("--phases", "warm", "--api")
        self.assertEqual((measured["warm_up_asked"], measured["warm_users"]), (8 * 512, 8 * 512))
        self.assertGreater(measured["warm_up_ns"], 2.1e9)

    def test_engine_that_takes_no_question__is_an_error(self):
        self.script("answer user7 authorize member refuse", "answer * authorize member")
        measured = self.measure("--phases", "cold,warm", status=3)
        self.assertGreater(measured["lines"]["cold"]["errors"], 0)
        self.assertEqual(measured["warm_users"], 19)

    def test_text__is_a_table(self):
        done = self.bench("--senders", "-", "--phases", "cold,warm", data=SENDERS)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr, "")
        for part in ("per second", "p99.9", "cold, many at a time", "warm, plug-in, all threads", "20 senders"):
            self.assertIn(part, done.stdout)

    def test_bad_command_line_or_files__are_status_2(self):
        for words in ((), ("--senders", "/nonexistent"), ("--senders", self.senders, "--phases", "hot"),
                      ("--senders", "/dev/null"), ("--senders", self.senders, "x")):
            with self.subTest(words=words):
                done = self.bench(*words)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertTrue(done.stderr.startswith("wsmauthz: error: "), done.stderr)
        self.script("unusable no_such_policy")
        done = self.bench("--senders", self.senders, "--phases", "cold")
        self.assertEqual((done.returncode, done.stdout), (2, ""))


if __name__ == "__main__":
    unittest.main(verbosity=2)
