#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
The sample company of docker/, on the server that docker/demo.sh starts: every sender of docker/company/expected.txt
is answered as written there, over each transport, and by each of the ways to a user's groups.
"""
import json
import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
import testbed  # noqa: E402
from testbed_company import COMPANY, Company  # noqa: E402

SERVICE_DN = "cn=authorizer,ou=Services,dc=corp,dc=example"
# The endpoint in AMER, as docker/company/expected.txt has it.
HERE = "https://winrm-amer.corp.example:5986/wsman"


def expected_answers():
    """[(sender, verdict, reason, {targets})] in the order of the file."""
    rows = []
    for line in (COMPANY / "expected.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            sender, verdict, reason, target = line.split("\t")
            rows.append((sender, verdict, reason, {None if t == "-" else t for t in target.split("|")}))
    return rows


class CompanyTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.program = testbed.wsmauthz()
        cls.company = Company()
        cls.rows = expected_answers()
        cls.ldap = "ldap://127.0.0.1:%d" % cls.company.port
        cls.ldaps = "ldaps://127.0.0.1:%d" % cls.company.tls_port
        cls.ldapi = Path(cls.company.state, "run", "ldapi").read_text().strip()

    @classmethod
    def tearDownClass(cls):
        cls.company.close()

    def compare(self, policy, most_searches=1):
        answers = testbed.check(self.program, policy, [row[0] for row in self.rows], "--url", HERE)
        wrong = []
        for (sender, verdict, reason, targets), answer in zip(self.rows, answers):
            got = (answer["verdict"], answer["reason"])
            if got != (verdict, reason) or answer["redirect_uri"] not in targets:
                wrong.append("%s: expected %s, got %s" % (sender, (verdict, reason, targets), answer))
            # A lock that ends by itself is looked up in the password policy: one round trip more.
            lookup = 1 if sender in ("CORP\\zoe", "CORP\\chad") else 0
            self.assertLessEqual(answer["searches"], most_searches + lookup, answer)
        self.assertEqual(wrong, [], "\n".join([""] + wrong + [answers.stderr]))
        self.assertGreater(len(self.rows), 40)

    def test_over_ldaps(self):
        self.compare(self.company.policy("ldaps", self.ldaps, '<tls mode="ldaps" ca-file="ca.pem"/>'))

    def explain(self, *words):
        policy = self.company.policy("explained", self.ldaps, '<tls mode="ldaps" ca-file="ca.pem"/>')
        done = subprocess.run([self.program, "explain", "--config", policy, "--url", HERE, *words], capture_output=True,
                              text=True, check=False, timeout=60)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return done.stdout

    def test_explanations__decide_as_check_does(self):
        """Everybody at once, so that one answer after the other may come from the cache."""
        policy = self.company.policy("explained", self.ldaps, '<tls mode="ldaps" ca-file="ca.pem"/>')
        senders = [row[0] for row in self.rows]
        explained = [json.loads(line) for line in self.explain("--json", *senders).splitlines()]
        for one, other in zip(testbed.check(self.program, policy, senders, "--url", HERE), explained):
            for member in ("sender", "verdict", "code", "redirect_uri", "rule", "reason", "dn", "administrator"):
                self.assertEqual(one[member], other[member], other)
            self.assertEqual(len(one["path"] or ()), len(other["path"] or ()), other)
            self.assertFalse(other["incomplete"])

    def test_explanations__are_those_of_the_file(self):
        """docker/company/explained.txt, but for what may be another one each time: ids, times, the server's port, how far the watch is."""
        expected = (COMPANY / "explained.txt").read_text()
        for wanted in [part for part in expected.split("\n\n") if not part.startswith("#")]:
            shown = self.explain(wanted.split("  ")[0])
            for pattern, steady in ((r"id [0-9a-f-]{36}", "id ID"), (r"[0-9.]+ (ms|s)\b", "TIME"), (r"ldaps://127[^\s]*", "SERVER"),
                                    (r"by /\S+/policy.xml", "by policy.xml"), (r"├─ cache(.|\n)*", ""),
                                    (r"│  ├─ TIME: the configured groups were being read\n", ""),
                                    (r".*├─ mark: .*\n", ""), (r": 2 searches", ": 1 search")):
                shown = re.sub(pattern, steady, shown)
            self.assertEqual(shown.rstrip("\n"), wanted.rstrip("\n"))

    def test_over_starttls(self):
        self.compare(self.company.policy("starttls", self.ldap, '<tls mode="starttls" ca-file="ca.pem" minimum="1.3"/>'))

    def test_in_the_clear(self):
        # The server takes no password in the clear; a mechanism that shows none may be used.
        bind = '<bind mechanism="SCRAM-SHA-256" user="authorizer" password-file="authorizer.secret"/>'
        self.compare(self.company.policy("clear", self.ldap, '<tls mode="none"/>', bind=bind))

    def test_password_in_the_clear_is_refused_by_the_server(self):
        policy = self.company.policy("refused", self.ldap, '<tls mode="none"/>')
        [answer] = answers = testbed.check(self.program, policy, ["CORP\\alice"])
        self.assertEqual((answer["verdict"], answer["reason"]), ("error", "directory-unavailable"))
        self.assertIn("confidentiality required", answers.stderr)

    def test_over_ldapi_with_external(self):
        self.compare(self.company.policy("ldapi", self.ldapi, "", bind='<bind mechanism="EXTERNAL"/>'))

    def test_with_scram(self):
        bind = '<bind mechanism="SCRAM-SHA-256" user="authorizer" password-file="authorizer.secret"/>'
        self.compare(self.company.policy("scram", self.ldaps, '<tls mode="ldaps" ca-file="ca.pem"/>', bind=bind))

    def test_asking_for_each_users_groups(self):
        self.compare(self.company.policy("search", self.ldaps, '<tls mode="ldaps" ca-file="ca.pem"/>',
                                         directory='<groups strategy="search"/>'), most_searches=2)

    def test_with_a_member_index_that_is_too_small(self):
        self.compare(self.company.policy("small", self.ldaps, '<tls mode="ldaps" ca-file="ca.pem"/>',
                                         cache='<cache member-index="1KB"/>'), most_searches=2)

    def test_every_answer_proven_fresh(self):
        self.compare(self.company.policy("fresh", self.ldaps, '<tls mode="ldaps" ca-file="ca.pem"/>',
                                         cache='<cache unwatched-ttl="0s"/>'))

    def test_audit_has_no_dry_runs(self):
        policy = self.company.policy("audit", self.ldaps, '<tls mode="ldaps" ca-file="ca.pem"/>')
        testbed.check(self.program, policy, ["CORP\\alice"])
        audit = os.path.join(os.path.dirname(policy), "audit.log")
        self.assertTrue(not os.path.exists(audit) or os.path.getsize(audit) == 0)


    def test_audit_file_that_cannot_be_made_is_refused_in_a_dry_run_too(self):
        policy = self.company.policy("no-audit", self.ldaps, '<tls mode="ldaps" ca-file="ca.pem"/>')
        text = Path(policy).read_text().replace('file="audit.log"', 'file="none/audit.log"')
        testbed.write_file(policy, text, 0o600)
        done = subprocess.run([self.program, "check", "--config", policy, "alice"], capture_output=True, text=True,
                              check=False)
        self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
        self.assertIn("audit/@file", done.stderr)

    def test_a_quick_end_raises_no_alarm(self):
        policy = self.company.policy("quick", self.ldaps, '<tls mode="ldaps" ca-file="ca.pem"/>')
        for _ in range(10):
            answers = testbed.check(self.program, policy, ["CORP\\nobody"])
            self.assertEqual(answers[0]["reason"], "no-such-user")
            self.assertNotIn("error", answers.stderr)


if __name__ == "__main__":
    testbed.main()
