#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
The metrics of an engine that is asked without a pause, read by the parsers of Prometheus' own client: whole at every moment, of the names
that conf/doc/metrics.md lists, never going back; and what `wsmauthz stats` makes of them.
"""
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path

TREE = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(TREE / "tests" / "support"))
sys.path.insert(0, str(TREE / "tests" / "integration" / "live"))
import testbed  # noqa: E402
from asking import Asker  # noqa: E402
from testbed import Slapd, group, group_dn, person, person_dn  # noqa: E402

try:
    from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
    from prometheus_client.parser import text_string_to_metric_families as prometheus
except ImportError:
    print("skipped: python3-prometheus-client is not installed")
    sys.exit(77)

os.environ["WSMAUTHZ_ASKER_RECORDS"] = "yes"
PROGRAM = os.path.abspath(sys.argv.pop())
PATIENCE = 20.0


def figures(text):
    """{(sample's name, labels): value} by the OpenMetrics parser, which is strict."""
    return {(sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in openmetrics(text) for sample in family.samples}


def total(found, name, **labels):
    return sum(value for (known, its), value in found.items()
               if known == name and all(dict(its).get(label) == wanted for label, wanted in labels.items()))


class Collector:
    """Reads the file again and again, as fast as it can: each state is whole, and no counter goes back."""

    def __init__(self, path):
        self.path, self.failures, self.states = path, [], 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        before, last = {}, None
        while not self._over.wait(0.02):
            try:
                text = self.path.read_text()
            except FileNotFoundError:
                continue
            if text == last:
                continue
            last = text
            try:
                now = figures(text)
            except ValueError as error:
                self.failures.append("%s\n%s" % (error, text[-200:]))
                continue
            counters = [key for key in now if key[0].endswith(("_total", "_bucket", "_count", "_sum"))]
            self.failures += ["%s: %r, then %r" % (key, before[key], now[key])
                              for key in counters if now[key] < before.get(key, 0)]
            before = now
            self.states += 1

    def end(self):
        self._over.set()
        self._thread.join()


class MetricsTest(unittest.TestCase):
    def setUp(self):
        people = "".join(person(name) for name in ("alice", "bob", "carol"))
        groups = group("admins", ["alice", "carol"]) + group("team", ["bob", "carol"])
        self.slapd = Slapd(ldif=people + groups).__enter__()
        self.addCleanup(self.slapd.__exit__, None, None, None)
        self.folder = Path(self.slapd.directory)
        self.path = self.folder / "policy.xml"
        self.file = self.folder / "figures" / "wsmauthz.prom"
        self.file.parent.mkdir()
        self.audit = self.folder / "audit.log"

    def write_policy(self, name="admins", metrics='<metrics file="figures/wsmauthz.prom" interval="1s"/>'):
        new = self.folder / "policy.xml.new"
        testbed.write_policy(new, self.slapd, allow=[group_dn(name)],
                             extra=metrics + '<audit to="file" file="audit.log"/>')
        new.rename(self.path)

    def ask(self):
        asker = Asker(PROGRAM, str(self.path), ["alice", "bob", "nobody"], threads=2)
        self.addCleanup(asker.close)
        asker.wait_for("alice", "authorize", timeout=PATIENCE)
        asker.wait_for("bob", "deny", timeout=PATIENCE)
        return asker

    def until(self, condition, what):
        """The figures once they are so."""
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            if self.file.exists():
                found = figures(self.file.read_text())
                if condition(found):
                    return found
            time.sleep(0.05)
        self.fail("%s is never so:\n%s" % (what, self.file.read_text() if self.file.exists() else "no file"))

    def stats(self, *options, policy=True, status=0):
        config = ["--config", str(self.path)] if policy else []
        ends = time.monotonic() + PATIENCE
        while True:
            done = subprocess.run([testbed.wsmauthz(), "stats", *config, *options], capture_output=True, text=True, timeout=60)
            # On a busy machine the figures may be late for once.
            if status != 0 or done.returncode != 1 or time.monotonic() > ends:
                break
            time.sleep(0.2)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_names__are_those_of_the_page(self):
        page = (TREE / "conf" / "doc" / "metrics.md").read_text()
        listed = dict(re.findall(r"^\| `(wsmauthz_\w+)` \| (\w+) \|", page, re.M))
        self.write_policy()
        self.ask()
        self.until(lambda found: found, "there is a file")
        text = self.file.read_text()
        written = {family.name + ("_total" if family.type == "counter" else ""): family.type
                   for family in openmetrics(text)}
        self.assertEqual(listed, written)
        self.assertGreater(len(written), 30)
        # The node exporter reads the older format, in which what is new in this one has to be a comment.
        self.assertTrue(any(family.samples for family in prometheus(text)))
        for line in text.splitlines():
            if line.startswith("# TYPE"):
                self.assertIn(line.split()[3], ("counter", "gauge", "histogram"))
        reasons = {dict(labels)["reason"] for name, labels in figures(text) if name == "wsmauthz_decisions_total"}
        words = set(re.findall(r'\[WA_REASON_\w+\] = "([^"]+)"', (TREE / "src/authorizer/reason.c").read_text()))
        self.assertEqual(reasons, words - {"none"})
        self.assertEqual(self.file.stat().st_mode & 0o777, 0o644)
        self.assertEqual([entry.name for entry in self.file.parent.iterdir()], [self.file.name])

    def test_figures__say_what_was_decided(self):
        self.write_policy()
        asker = self.ask()
        found = self.until(lambda found: total(found, "wsmauthz_decisions_total", reason="no-such-user") > 0
                           and total(found, "wsmauthz_watch_up") == 1
                           and total(found, "wsmauthz_decisions_total", verdict="authorize") > 1000, "all has happened")
        self.assertGreater(total(found, "wsmauthz_decisions_total", verdict="deny", reason="not-a-member"), 0)
        self.assertGreater(total(found, "wsmauthz_decisions_cached_total"), 0)
        self.assertEqual(total(found, "wsmauthz_decisions_total", verdict="error"), 0)
        self.assertGreaterEqual(total(found, "wsmauthz_decision_seconds_count"), 1)
        self.assertGreater(total(found, "wsmauthz_decision_seconds_sum"), 0)
        self.assertEqual(total(found, "wsmauthz_closure_groups"), 1)
        self.assertEqual(total(found, "wsmauthz_closure_memberships"), 2)
        self.assertGreater(total(found, "wsmauthz_directory_searches_total"), 0)
        self.assertGreater(total(found, "wsmauthz_directory_connections"), 0)
        self.assertLess(abs(total(found, "wsmauthz_watch_proven_timestamp_seconds") - time.time()), 30)
        self.assertEqual(total(found, "wsmauthz_policy_current"), 1)
        self.slapd.add_member(group_dn("admins"), person_dn("bob"))
        asker.wait_for("bob", "authorize", timeout=PATIENCE)
        self.until(lambda later: total(later, "wsmauthz_changes_total") > total(found, "wsmauthz_changes_total"),
                   "the change is counted")
        asker.close()
        lines = len(self.audit.read_text().splitlines())
        self.assertGreater(lines, 0)

    def test_reloads__counters_never_go_back(self):
        self.write_policy()
        asker = self.ask()
        self.until(lambda found: found, "there is a file")
        collector = Collector(self.file)
        for i in range(6):
            self.write_policy("team" if i % 2 == 0 else "admins")
            asker.wait_for("bob", "authorize" if i % 2 == 0 else "deny", timeout=PATIENCE)
            time.sleep(0.4)
        found = self.until(lambda found: total(found, "wsmauthz_policy_taken_total") == 6, "six policies were taken")
        self.assertEqual(total(found, "wsmauthz_policy_refused_total"), 0)
        self.assertGreaterEqual(total(found, "wsmauthz_closure_loads_total"), 7)
        self.path.write_text("no policy")
        found = self.until(lambda found: total(found, "wsmauthz_policy_refused_total") >= 1, "one was refused")
        self.assertEqual(total(found, "wsmauthz_policy_current"), 0)
        self.write_policy("admins")
        self.until(lambda found: total(found, "wsmauthz_policy_current") == 1, "it is current again")
        collector.end()
        self.assertEqual(collector.failures, [])
        self.assertGreater(collector.states, 3)

    def test_reload__with_another_file__and_none(self):
        self.write_policy()
        asker = self.ask()
        self.until(lambda found: found, "there is a file")
        self.write_policy(metrics='<metrics file="figures/other.prom" interval="1s"/>')
        other = self.file.with_name("other.prom")
        ends = time.monotonic() + PATIENCE
        while (self.file.exists() or not other.exists()) and time.monotonic() < ends:
            time.sleep(0.05)
        self.assertEqual([entry.name for entry in self.file.parent.iterdir()], ["other.prom"])
        self.write_policy(metrics="")
        while other.exists() and time.monotonic() < ends:
            time.sleep(0.05)
        self.assertFalse(other.exists())
        self.write_policy()
        self.until(lambda found: total(found, "wsmauthz_decisions_total") > 0, "the first file is there again")
        asker.close()
        self.assertEqual(asker.status, 0)
        self.assertEqual(list(self.file.parent.iterdir()), [], "what ends in good order leaves nothing")

    def test_a_folder_that_is_not_there__is_told_once_and_decisions_go_on(self):
        self.file.parent.rmdir()
        self.write_policy()
        asker = self.ask()
        time.sleep(2.2)  # it is tried again meanwhile
        self.file.parent.mkdir()
        found = self.until(lambda found: found, "it is written once it can be")
        self.assertGreaterEqual(total(found, "wsmauthz_metrics_write_failures_total"), 1)
        asker.close()
        told = [line for line in asker.log if "the metrics are not written" in line]
        self.assertEqual(len(told), 1, "".join(asker.log))
        self.assertIn("make the folder", told[0])

    def test_stats(self):
        self.assertIn("the policy says where the metrics are", self.stats(status=2))
        self.write_policy(metrics="")
        self.assertIn("<metrics", self.stats(status=2))
        self.write_policy()
        self.assertIn("is the plug-in loaded?", self.stats(status=3))
        asker = self.ask()
        self.until(lambda found: total(found, "wsmauthz_decisions_total", verdict="deny") > 0 and
                   total(found, "wsmauthz_decisions_cached_total") > 0, "it has counted")
        for_people = self.stats()
        self.assertRegex(for_people, r"decisions +[\d,]+, [\d.]+ % of them from the cache")
        self.assertRegex(for_people, r"\n  authorize  member +[\d,]+\n")
        self.assertRegex(for_people, r"groups +1 groups, 2 memberships")
        self.assertIn("the directory tells of them", for_people)
        self.assertNotIn("nan", for_people)
        found = figures(self.stats("--openmetrics"))
        listed = [json.loads(line) for line in self.stats("--json", "--file", str(self.file), policy=False).splitlines()]
        self.assertEqual({(entry["name"], tuple(sorted(entry["labels"].items()))) for entry in listed}, set(found))
        self.assertTrue(all(isinstance(entry["value"], (int, float)) for entry in listed))
        # Killed: the file stays, and says how old it is.
        os.kill(asker._process.pid, signal.SIGKILL)
        asker.close()
        text = self.file.read_text()
        stamp = "wsmauthz_metrics_timestamp_seconds %d\n"
        old = re.sub(r"wsmauthz_metrics_timestamp_seconds \d+\n", stamp % (time.time() - 100), text)
        self.assertNotEqual(old, text)
        self.file.write_text(old)
        self.assertIn("nobody writes them any more", self.stats(status=1))
        self.file.write_text(text[:-6])
        self.assertIn("or was cut", self.stats(status=3))
        self.file.write_text(old.replace('verdict="deny"', 'verdict="\x1b[2Jdeny"'))
        self.assertNotIn("\x1b", self.stats("--file", str(self.file), policy=False, status=1))

    def test_two_processes__one_file__is_told(self):
        self.write_policy()
        first, second = self.ask(), self.ask()
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends and not any("another process" in line for line in first.log + second.log):
            time.sleep(0.1)
        self.assertTrue(any("another process" in line for line in first.log + second.log))
        second.close()
        first.close()
        self.assertEqual(list(self.file.parent.iterdir()), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
