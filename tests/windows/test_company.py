#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
wsmauthz.exe and the sample company of docker/, on a real slapd: under Wine every sender of docker/company/expected.txt is
answered as written there, as natively. Over ldaps only the variant that waives what Wine has not can be tried; the program
that is delivered refuses, which is tested as well.
"""
import json
import os
import sys
import unittest

from company import ROOT, Company, expected_answers
from testbed_process import write_file
from testbed_wine import Wine

PROGRAM, WAIVED = os.environ["WSMAUTHZ_CLI"], os.environ["WSMAUTHZ_WAIVED_CLI"]
HERE = "https://winrm-amer.corp.example:5986/wsman"


class CompanyTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.wine = Wine()
        cls.addClassCleanup(cls.wine.close)
        cls.company = Company()
        cls.addClassCleanup(cls.company.close)
        cls.rows = expected_answers()
        cls.ldap = "ldap://127.0.0.1:%d" % cls.company.port
        cls.ldaps = "ldaps://127.0.0.1:%d" % cls.company.tls_port

    def check(self, program, policy, senders, *options):
        # From standard input: a name of Windows may hold any character, and a command line of Wine not.
        done = self.wine.run(program, "check", "--json", "--config", self.wine.path(policy), *options, "-",
                             text="".join(sender + "\n" for sender in senders))
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([answer["sender"] for answer in answers], senders, done.stderr)
        return answers, done

    def compare(self, program, policy):
        answers, done = self.check(program, policy, [row[0] for row in self.rows], "--url", HERE)
        wrong = ["%s: expected %s, got %s" % (sender, (verdict, reason, targets), answer)
                 for (sender, verdict, reason, targets), answer in zip(self.rows, answers)
                 if (answer["verdict"], answer["reason"]) != (verdict, reason) or answer["redirect_uri"] not in targets]
        self.assertEqual(wrong, [], "\n".join([""] + wrong + [done.stderr]))
        self.assertGreater(len(self.rows), 40)
        self.assertEqual(done.returncode, 1, done.stderr)  # some are denied, and none is an error

    def test_over_ldap_everybody_is_answered_as_natively(self):
        self.compare(PROGRAM, self.company.policy("ldap", self.ldap, '<tls mode="none"/>'))

    def test_over_ldaps_with_the_waiver_everybody_is_answered_as_natively(self):
        self.compare(WAIVED, self.company.policy("waived", self.ldaps, '<tls mode="ldaps" ca-file="ca.pem"/>'))

    def test_over_ldaps_what_is_delivered_believes_nobody_whose_certificate_it_has_not_seen(self):
        policy = self.company.policy("ldaps", self.ldaps, '<tls mode="ldaps" ca-file="ca.pem"/>')
        answers, done = self.check(PROGRAM, policy, ["CORP\\alice", "CORP\\bob"])
        self.assertEqual({(answer["verdict"], answer["reason"]) for answer in answers}, {("error", "directory-unavailable")}, done)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("this system's wldap32 does not take the option SSL", done.stderr)

    def test_exit_statuses_are_those_of_every_system(self):
        policy = self.company.policy("statuses", self.ldap, '<tls mode="none"/>')
        for senders, status in ((["CORP\\alice"], 0), (["CORP\\alice", "CORP\\nobody"], 1)):
            done = self.wine.run(PROGRAM, "check", "--config", self.wine.path(policy), *senders)
            self.assertEqual(done.returncode, status, done)
        for command in ([], ["no-such-command"], ["check"], ["check", "--config", "Z:\\no\\such.xml", "alice"]):
            done = self.wine.run(PROGRAM, *command)
            self.assertEqual((done.returncode, done.stdout), (2, ""), done)
            self.assertIn("wsmauthz: error: ", done.stderr)
        done = self.wine.run(PROGRAM, "--version")
        self.assertEqual((done.returncode, done.stdout), (0, "wsmauthz %s\n" % os.environ["WSMAUTHZ_VERSION"]))

    def test_names_of_the_command_line_are_utf8(self):
        policy = self.company.policy("names", self.ldap, '<tls mode="none"/>')
        foreign = [sender for sender, *_ in self.rows if not sender.isascii()]
        self.assertTrue(foreign)
        done = self.wine.run(PROGRAM, "check", "--json", "--config", self.wine.path(policy), *foreign, LC_ALL="C.UTF-8")
        self.assertEqual([json.loads(line)["sender"] for line in done.stdout.splitlines()], foreign, done.stderr)

    def test_the_policy_is_found_by_the_registry(self):
        policy = self.company.policy("found", self.ldap, '<tls mode="none"/>')
        done = self.wine.run(PROGRAM, "check", "CORP\\alice")
        self.assertEqual(done.returncode, 2, done)
        self.assertIn("ProgramData\\wsmauthz\\wsmauthz.xml", done.stderr)
        self.wine.set_registry("HKLM\\SOFTWARE\\wsmauthz", "", self.wine.path(policy))
        done = self.wine.run(PROGRAM, "check", "CORP\\alice")
        self.assertEqual(done.returncode, 0, done)
        self.wine.set_registry("HKLM\\SOFTWARE\\Policies\\wsmauthz", "PolicyFile", "no-full-path.xml")
        done = self.wine.run(PROGRAM, "check", "CORP\\alice")
        self.assertEqual(done.returncode, 2, done)
        self.assertIn("it is not a full path", done.stderr)
        self.wine.run("reg", "delete", "HKLM\\SOFTWARE\\Policies\\wsmauthz", "/f", check=True)
        self.wine.run("reg", "delete", "HKLM\\SOFTWARE\\wsmauthz", "/f", check=True)

    def test_the_policy_that_the_installer_brings_is_one(self):
        # It names nobody's domain: no server is found, which is another matter than a policy that cannot be used (2).
        sample = os.path.join(self.wine.folder, "sample.xml")
        write_file(sample, (ROOT / "conf" / "windows" / "wsmauthz.xml").read_text(encoding="utf-8"), 0o600)
        done = self.wine.run(PROGRAM, "check", "--json", "--config", self.wine.path(sample), "CORP\\alice")
        self.assertEqual(done.returncode, 3, done)
        self.assertEqual(json.loads(done.stdout)["verdict"], "error")

    def test_doctor_runs_to_its_end(self):
        policy = self.company.policy("doctor", self.ldap, '<tls mode="none"/>')
        done = self.wine.run(PROGRAM, "doctor", "--json", "--config", self.wine.path(policy))
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        levels = {line["id"]: line["level"] for line in lines if "id" in line}
        self.assertEqual(levels.get("policy-file"), "ok", done)
        # What the host must have: Wine has neither IIS nor, in this prefix, our event source.
        self.assertEqual(levels.get("identity"), "ok", done)
        self.assertIn("S-1-5-21-", next(line["text"] for line in lines if line.get("id") == "identity"))
        self.assertEqual((levels.get("event-source"), levels.get("iis")), ("warning", "warning"), done)
        self.assertEqual(levels.get("bind"), "ok", done)
        self.assertEqual(levels.get("groups"), "ok", done)
        self.assertEqual(done.returncode, 1, done)


if __name__ == "__main__":
    if not all(os.path.exists(path) for path in (PROGRAM, WAIVED)):
        sys.exit("not built: %s, %s" % (PROGRAM, WAIVED))
    unittest.main()
