#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Samba makes its domains with Authenticated Users in some groups, as Windows does; and says of itself that its data are whole."""
import json
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
import testbed  # noqa: E402
from testbed import Samba  # noqa: E402


def fill(domain):
    domain.group("people", [domain.user("alice")])


class Principals(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        Samba.need()
        cls.samba = Samba(fill, strong_auth="yes")
        cls.addClassCleanup(cls.samba.close)
        cls.samba.configure()
        cls.samba.start()
        cls.everybody = "CN=Pre-Windows 2000 Compatible Access,CN=Builtin," + cls.samba.suffix

    def ask(self, **rules):
        policy = testbed.write_policy(self.samba.directory + "/policy.xml", self.samba, bind="GSSAPI", tls="none", domain=None,
                                      timeout="10s", **rules)
        answers = testbed.check(testbed.wsmauthz(), policy, ["CORP\\alice"], env=self.samba.client_environment())
        return answers[0]["verdict"], answers[0]["reason"], answers.stderr

    def test_a_deny_rule_that_holds_authenticated_users__denies_everybody(self):
        people = self.samba.group_dn("people")
        self.assertEqual(self.ask(allow=[people])[:2], ("authorize", "member"))
        verdict, reason, said = self.ask(allow=[people], deny=[self.everybody])
        self.assertEqual((verdict, reason), ("deny", "denied-group"))
        self.assertIn("denies everybody", said)
        done = subprocess.run([testbed.wsmauthz(), "explain", "--config", self.samba.directory + "/policy.xml", "--json",
                               "CORP\\alice"], capture_output=True, env=self.samba.client_environment(), timeout=60, check=False)
        [rule, allowed] = json.loads(done.stdout)["rules"]
        self.assertEqual((rule["holds"], rule["part"], rule["paths"]), ("yes", "decided", []))
        self.assertIn("holds Everyone or Authenticated Users", rule["note"])
        self.assertEqual((allowed["holds"], allowed["part"]), ("yes", "overruled"))

    def test_an_allow_rule_that_holds_them__lets_nobody_in(self):
        verdict, reason, said = self.ask(allow=[self.everybody])
        self.assertEqual((verdict, reason), ("deny", "not-a-member"))
        self.assertIn("counts for nobody here", said)

    def test_it_is_synchronized(self):
        done = subprocess.run(["ldapsearch", "-LLL", "-x", "-H", self.samba.uri, "-s", "base", "-b", "", "isSynchronized"],
                              capture_output=True, text=True, timeout=30)
        self.assertIn("isSynchronized: TRUE", done.stdout)


if __name__ == "__main__":
    testbed.main()
