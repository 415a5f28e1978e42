#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
`wsmauthz check` while a single call of the C library or of libldap fails (broken_calls.c): each that it makes, the first times that it
makes it and the last. Whatever fails: it ends in time and by itself, every sender has his line, and the line says what is true, or error.

broken.py --some | --every   of all the times that a call is made
"""
import concurrent.futures
import json
import os
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
import testbed  # noqa: E402
from testbed import Folder, Slapd, group, group_dn, person  # noqa: E402

PROGRAM = testbed.wsmauthz()
LIBRARY = os.environ["WSMAUTHZ_BROKEN_CALLS"]
SITE = "https://winrm-emea.corp.example.test:5986/wsman"
PEOPLE = person("alice") + person("bob") + person("carol", l="EMEA") + person("dave")
GROUPS = group("users", ["alice", "carol", group_dn("deep")]) + group("deep", ["dave"]) + group("leavers", ["bob"])
TRUTH = (("CORP\\alice", "authorize"), ("CORP\\bob", "deny"), ("CORP\\carol", "redirect"), ("CORP\\dave", "authorize"),
         ("CORP\\nobody", "deny"), ("alice", "authorize"))
# The policy's deadline, and what a busy machine may add to all that is done one behind the other.
DEADLINE_S = 2
PATIENCE_S = 30
WORKERS = 2
# What can keep it from asking, or from telling: then not every sender has his line, and status and message must say so.
KEEPS_FROM_ANSWERING = ("write", "writev", "read", "pthread_create")


class BrokenCalls(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.slapd = Slapd(ldif=PEOPLE + GROUPS)
        cls.addClassCleanup(cls.slapd.close)
        cls.slapd.start()
        cls.folder = Folder()
        cls.addClassCleanup(cls.folder.remove)
        redirect = {"attribute": "l", "here": "AMER", "sites": [{"name": "EMEA", "uri": SITE}]}
        cls.policies = {tls: testbed.write_policy(cls.folder.join(tls + ".xml"), cls.slapd, allow=[group_dn("users")],
                                                  deny=[group_dn("leavers")], redirect=redirect, tls=tls, timeout="%ds" % DEADLINE_S)
                        for tls in ("none", "starttls")}

    def run_check(self, tls, **more):
        environment = dict(os.environ, LD_PRELOAD=LIBRARY, **more)
        return subprocess.run([PROGRAM, "check", "--config", self.policies[tls], "--json", "-"], env=environment, timeout=PATIENCE_S,
                              input="".join(sender + "\n" for sender, _ in TRUTH), capture_output=True, text=True, check=False)

    def census(self, tls):
        path = self.folder.join("census-" + tls)
        done = self.run_check(tls, BROKEN_CENSUS=path)
        self.assertEqual([json.loads(line)["verdict"] for line in done.stdout.splitlines()], [verdict for _, verdict in TRUTH], done)
        return {name: int(count) for name, count in (line.split() for line in Path(path).read_text().splitlines())}

    def complaint(self, tls, call, number):
        """What is wrong with a run in which the call of this number failed; None: nothing."""
        try:
            done = self.run_check(tls, BROKEN_CALL="%s:%d" % (call, number))
        except subprocess.TimeoutExpired:
            return "did not end within %d s" % PATIENCE_S
        if done.returncode == 2:
            return None if done.stderr.strip() and not done.stdout else "status 2: %r %r" % (done.stdout, done.stderr)
        if done.returncode not in (0, 1, 3):
            return "status %d: %r %r" % (done.returncode, done.stdout, done.stderr)
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        wrong = [answer for answer, (_, verdict) in zip(answers, TRUTH) if answer["verdict"] not in (verdict, "error")]
        if wrong:
            return "wrong: %r" % wrong
        if call in KEEPS_FROM_ANSWERING and done.returncode == 3 and "error:" in done.stderr:
            return None
        if len(answers) != len(TRUTH) or done.returncode != (3 if any(answer["verdict"] == "error" for answer in answers) else 1):
            return "%d answers, status %d: %r %s" % (len(answers), done.returncode, answers, done.stderr)
        return None

    def test_whatever_call_fails__nobody_gets_in_who_may_not_and_it_ends(self):
        rows = []
        for tls in self.policies:
            for call, count in sorted(self.census(tls).items()):
                numbers = range(1, count + 1) if EVERY_TIME else {1, 2, 3, max(1, count // 2), count} & set(range(1, count + 1))
                rows += [(tls, call, number) for number in sorted(numbers)]
        self.assertGreater(len({call for _, call, _ in rows}), 30)
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            for row, complaint in zip(rows, pool.map(lambda row: self.complaint(*row), rows)):
                with self.subTest(tls=row[0], call=row[1], number=row[2]):
                    self.assertIsNone(complaint)
        print("%d calls, %d runs with one failure each" % (len({call for _, call, _ in rows}), len(rows)), flush=True)


EVERY_TIME = sys.argv.pop(1) == "--every"
if __name__ == "__main__":
    testbed.main()
