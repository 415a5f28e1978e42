#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
The audit file of an engine that is asked without a pause: its fields and words are those of conf/doc/audit.md, and every decision is in it, as a
line or in a count, while the file is rotated, the policy replaced, and at the end.
"""
import json
import os
import re
import sys
import time
import unittest
from pathlib import Path

TREE = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(TREE / "tests" / "support"))
sys.path.insert(0, str(TREE / "tests" / "integration" / "live"))
import testbed  # noqa: E402
from asking import Asker  # noqa: E402
from testbed import Slapd, group, group_dn, person, person_dn  # noqa: E402

os.environ["WSMAUTHZ_ASKER_RECORDS"] = "yes"
PROGRAM = os.path.abspath(sys.argv.pop())
PAGE = (TREE / "conf" / "doc" / "audit.md").read_text()
PATIENCE = 20.0


def table(title):
    """The first column of the table below a title of the page: a list of words."""
    section = PAGE.split("\n## %s\n" % title)[1].split("\n## ")[0]
    return [word for row in re.findall(r"^\| (`[^|]*) \|", section, re.M) for word in re.findall(r"`([^`]+)`", row)]


class AuditTest(unittest.TestCase):
    def setUp(self):
        people = "".join(person(name) for name in ("alice", "bob"))
        self.slapd = Slapd(ldif=people + group("admins", ["alice"]) + group("team", ["bob"])).__enter__()
        self.addCleanup(self.slapd.__exit__, None, None, None)
        self.folder = Path(self.slapd.directory) / "audit"
        self.folder.mkdir()
        self.path = Path(self.slapd.directory) / "policy.xml"
        self.write_policy()

    def write_policy(self, name="admins"):
        new = self.path.with_suffix(".new")
        testbed.write_policy(new, self.slapd, allow=[group_dn(name)], extra='<audit to="file" file="audit/audit.log"/>')
        new.rename(self.path)

    def ask(self, users=("alice", "bob", "nobody", "ODD\\a\x07b")):
        asker = Asker(PROGRAM, str(self.path), list(users), threads=3)
        self.addCleanup(asker.close)
        asker.wait_for("alice", "authorize", timeout=PATIENCE)
        asker.wait_for("bob", "deny", timeout=PATIENCE)
        return asker

    def records(self):
        found = []
        for file in sorted(self.folder.iterdir()):
            text = file.read_text()
            self.assertTrue(text.endswith("\n"))
            found += [json.loads(line) for line in text.split("\n")[:-1]]
        return found

    def test_reasons__are_those_of_the_page(self):
        words = re.findall(r'\[WA_REASON_\w+\] = "([^"]+)"', (TREE / "src/authorizer/reason.c").read_text())
        self.assertGreater(len(words), 20)
        self.assertEqual(table("Reasons"), words)

    def test_every_decision__is_a_line_or_in_a_count(self):
        asker = self.ask()
        for i in range(6):
            time.sleep(0.2)
            (self.folder / "audit.log").rename(self.folder / ("audit.log.%d" % i))
            self.write_policy("team" if i % 2 == 0 else "admins")
            asker.wait_for("bob", "authorize" if i % 2 == 0 else "deny", timeout=PATIENCE)
        asker.close()
        self.assertEqual(asker.status, 0, "".join(asker.log[-40:]))
        self.assertNotIn("lost", "".join(asker.log))
        records = self.records()
        decisions = [record for record in records if record["kind"] != "repeats"]
        counts = [record for record in records if record["kind"] == "repeats"]
        self.assertEqual(len(decisions) + sum(record["count"] for record in counts), asker.summary["asked"])
        self.assertEqual(asker.summary["errors"],
                         sum(record.get("count", 1) for record in records if record["verdict"] == "error"))
        # It is bounded: six policies with a few things to say of four people.
        self.assertLess(len(records), 6 * 4 * 3 * 11 + 100)
        self.assertGreater(len([entry for entry in self.folder.iterdir()]), 3)
        for record in decisions:
            self.assertEqual(list(record), table("A decision"))
            self.assertIn(record["reason"], table("Reasons"))
        for record in counts:
            self.assertLessEqual(set(record) - {"time"}, set(table("A count")))
        odd = [record for record in decisions if record["sender"] == "ODD\\a\x07b"]
        self.assertTrue(odd)
        self.assertEqual({(record["verdict"], record["reason"]) for record in odd}, {("deny", "bad-sender-name")})
        of_alice = [record for record in decisions if record["sender"].endswith("alice") and record["reason"] == "member"]
        self.assertEqual(of_alice[0]["dn"], person_dn("alice"))
        self.assertEqual(of_alice[0]["rule"], "allow " + group_dn("admins"))

    def test_nothing_secret__is_in_it(self):
        asker = self.ask()
        asker.close()
        secret = Path(str(self.path.with_suffix(".new")) + ".secret").read_text().strip()
        self.assertGreater(len(secret), 4)
        everything = "".join(file.read_text() for file in self.folder.iterdir()) + "".join(asker.log)
        self.assertNotIn(secret, everything)

    def test_its_file__is_not_for_everybody(self):
        self.ask().close()
        self.assertEqual((self.folder / "audit.log").stat().st_mode & 0o777, 0o640)


if __name__ == "__main__":
    unittest.main(verbosity=2)
