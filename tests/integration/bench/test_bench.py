#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`wsmauthz bench` before a real slapd of 200 users: what it measures is sane, and it ends when the directory does not answer."""
import json
import re
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))
import generate  # noqa: E402
import testbed  # noqa: E402
from testbed import HANG, Folder, Slapd, TcpProxy, group_dn  # noqa: E402

PROGRAM = testbed.wsmauthz()
USERS = 200
MEMBERS = 50
LINES = ("floor_one", "cold_one", "floor", "cold", "probe", "api", "api_threads", "probe_all", "api_all", "copy",
         "entry_points", "entry_points_threads")


class Bench(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.folder = Folder()
        cls.addClassCleanup(cls.folder.remove)
        cls.expected = generate.generate(generate.read_arguments(
            ["--users", str(USERS), "--members", str(MEMBERS), "--depth", "5", "--group-size", "20", "--groups", "3",
             "--nested", "5", "--out", cls.folder.path]))
        cls.senders = cls.folder.join("senders.txt")
        cls.slapd = Slapd(ldif=Path(cls.folder.join("data.ldif")))
        cls.addClassCleanup(cls.slapd.close)
        cls.slapd.start()

    def policy(self, **options):
        return testbed.write_policy(self.folder.join("policy.xml"), self.slapd, allow=[group_dn(generate.ROOT)],
                                    **options)

    def run_bench(self, policy, *words, duration="300ms", timeout=60):
        return subprocess.run([PROGRAM, "bench", "--config", policy, "--senders", self.senders, "--json", "--duration",
                               duration, "--log-level", "error", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=timeout, check=False)

    def measure(self, *words, **options):
        done = self.run_bench(self.policy(), *words, **options)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return json.loads(done.stdout)

    def test_everything__is_measured_and_sane(self):
        measured = self.measure()
        lines = measured["lines"]
        self.assertEqual(tuple(lines), LINES)
        for name in LINES:
            with self.subTest(name):
                line = lines[name]
                self.assertGreater(line["calls"], 0)
                self.assertLessEqual(line["per_second_min"], line["per_second"])
                self.assertLessEqual(line["per_second"], line["per_second_max"])
                self.assertEqual(line["errors"], 0)
                points = [line[point] for point in ("p50_ns", "p90_ns", "p99_ns", "p99_9_ns", "max_ns")]
                if None not in points:
                    self.assertEqual(points, sorted(points))
        self.assertEqual(measured["senders"], USERS)
        self.assertEqual(measured["warm_up_asked"], USERS)
        self.assertEqual(measured["warm_users"], self.expected["members"])
        self.assertEqual(lines["floor_one"]["denied"], 0, "the floor finds everybody")
        self.assertEqual(lines["api"]["denied"] + lines["entry_points"]["denied"], 0)
        self.assertGreaterEqual(measured["round_trips_per_decision"], 1)
        self.assertGreater(measured["searches_per_decision"], 0)
        # An entry's DN and a name or two, and what LDAP puts around them; a batch spares some of that.
        self.assertGreater(measured["bytes_per_decision"], 50)
        self.assertLess(measured["bytes_per_decision"], 2000)
        for ratio in ("cold_to_floor", "cold_one_p50_to_floor", "api_to_probe", "entry_points_to_copy"):
            self.assertGreater(measured["ratios"][ratio], 0, ratio)

    def test_cold_decisions__let_in_those_who_are_members(self):
        cold = self.measure("--phases", "cold", "--outstanding", "128")["lines"]["cold"]
        self.assertGreater(cold["calls"], USERS)
        self.assertAlmostEqual(cold["authorized"] / cold["calls"], self.expected["share"], delta=0.1)

    def test_floor__asks_for_what_the_engine_asks_for(self):
        """Without this, the floor would be that of another question."""
        begin = len(self.slapd.log())
        self.measure("--phases", "floor", duration="30ms")
        floor = self.searches(begin)
        begin = len(self.slapd.log())
        answers = testbed.check(PROGRAM, self.policy(), ["CORP\\u0000001"])
        self.assertIn(answers[0]["verdict"], ("authorize", "deny"))
        self.assertEqual(len(floor), 1, floor)
        self.assertTrue(floor & self.searches(begin), "floor %s, engine %s" % (floor, self.searches(begin)))

    def searches(self, begin):
        """The (base, scope, attributes) of searches for people since then."""
        time.sleep(0.1)
        log = self.slapd.log()[begin:]
        asked = re.findall(r'(conn=\d+ op=\d+) SRCH base="([^"]*)" scope=(\d) .*filter="[^"]*uid=', log)
        # Lines of searches that run side by side stand between each other.
        attributes = dict(re.findall(r'(conn=\d+ op=\d+) SRCH attr=(.*)', log))
        return {(base, scope, " ".join(sorted(attributes[search].split()))) for search, base, scope in asked}

    def test_directory_that_hangs__ends_in_time(self):
        with TcpProxy(self.slapd.port) as proxy:
            proxy.set_mode(HANG)
            for phases in ("cold", "warm", "floor"):
                with self.subTest(phases):
                    begin = time.monotonic()
                    done = self.run_bench(self.policy(uri=proxy.uri, timeout="500ms"), "--phases", phases)
                    self.assertEqual((done.returncode, done.stdout), (3, ""))
                    self.assertIn("wsmauthz: error: ", done.stderr)
                    self.assertLess(time.monotonic() - begin, 10)

    def test_directory_that_begins_to_hang__ends_in_time(self):
        with TcpProxy(self.slapd.port) as proxy:
            policy = self.policy(uri=proxy.uri, timeout="500ms")
            process = subprocess.Popen([PROGRAM, "bench", "--config", policy, "--senders", self.senders, "--json",
                                        "--duration", "1s", "--log-level", "error"], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            self.addCleanup(process.kill)
            time.sleep(0.7)
            proxy.set_mode(HANG)
            self.assertEqual(process.wait(30), 3)


if __name__ == "__main__":
    testbed.main()
