#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`wsmauthz explain`, with an engine that answers by a script (tests/support/engine_fake.h), from the outside."""
import json
import os
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree

PROGRAM = os.environ["WSMAUTHZ_CLI"]
SCRIPT = """
timeout 2000
answer alice authorize member rule=allow_CN=g path=uid=alice,dc=x|cn=a,dc=x|CN=g,dc=x
answer bob redirect site-elsewhere uri=https://emea.corp.example:5986/wsman
answer carol error directory-unavailable
answer slow authorize member delay=300
answer refuse authorize member refuse
"""
CHECK_MEMBERS = ["sender", "verdict", "code", "redirect_uri", "rule", "reason", "dn", "path", "administrator", "searches",
                 "cached", "elapsed_us"]


class ExplainTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="wsmauthz-cli-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.policy = folder.name + "/policy"
        with open(self.policy, "w", encoding="utf-8") as file:
            file.write(SCRIPT)

    def explain(self, *words):
        done = subprocess.run([PROGRAM, "explain", "--config", self.policy, *words], stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=60, check=False)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def test_json__begins_with_the_members_of_check(self):
        status, out, _ = self.explain("--json", "alice", "bob")
        alice, bob = [json.loads(line) for line in out.splitlines()]
        self.assertEqual(status, 0)
        self.assertEqual(list(alice)[:len(CHECK_MEMBERS)], CHECK_MEMBERS)
        self.assertEqual(alice["rules"][0]["paths"], [["cn=a,dc=x", "CN=g,dc=x"]])
        self.assertEqual(bob["redirect_uri"], "https://emea.corp.example:5986/wsman")

    def test_text__is_a_tree_for_each_sender(self):
        status, out, stderr = self.explain("alice", "slow")
        self.assertEqual((status, stderr), (0, ""))
        self.assertIn("uid=alice → cn=a → CN=g\n", out)
        self.assertEqual([tree.split("  ")[0] for tree in out.split("\n\n")], ["alice", "slow"])

    def test_exit_status__is_that_of_check(self):
        for senders, expected in [(["alice"], 0), (["bob"], 0), (["alice", "eve"], 1), (["carol"], 3),
                                  (["eve", "carol", "alice"], 3), (["refuse"], 3)]:
            self.assertEqual(self.explain(*senders)[0], expected, senders)

    def test_usage__errors_are_2_with_what_and_hint(self):
        for words in ([], ["--url", "ldap://h/", "x"], ["--log-level", "loud", "x"], ["--jsno", "x"]):
            status, out, stderr = self.explain(*words)
            self.assertEqual((status, out), (2, ""), words)
            self.assertRegex(stderr, r"\Awsmauthz: error: .+; .+\n\Z", words)

    def test_policy_that_is_unusable__is_said(self):
        with open(self.policy, "w", encoding="utf-8") as file:
            file.write("unusable no such policy\n")
        status, out, stderr = self.explain("alice")
        self.assertEqual((status, out), (2, ""))
        self.assertIn("no such policy", stderr)

    def test_question__is_the_one_that_the_plugin_would_ask(self):
        for words, expected in [(["alice"], "user mechanism=Negotiate url=- sid=1 certificate=-/-/-/-"),
                                (["--mechanism", "Basic", "alice"], "user mechanism=Basic url=- sid=0"),
                                (["--url", "https://h:5986/wsman", "alice"], "url=https://h:5986/wsman")]:
            self.assertIn(expected, json.loads(self.explain("--json", *words)[1])["detail"])

    def test_pictures__are_written_whole_and_are_of_one_sender(self):
        svg, dot = self.folder + "/a.svg", self.folder + "/a.dot"
        status, out, stderr = self.explain("--svg", svg, "--dot", dot, "alice")
        self.assertEqual((status, stderr), (0, ""))
        self.assertIn("uid=alice → cn=a → CN=g\n", out)
        root = xml.etree.ElementTree.parse(svg).getroot()
        self.assertEqual(root.tag, "{http://www.w3.org/2000/svg}svg")
        self.assertEqual(len(root.findall("{*}g")), 3)
        with open(dot, encoding="utf-8") as file:
            self.assertIn("n0 -> n1 [penwidth=3];", file.read())
        for words, expected in [(["--svg", svg, "alice", "bob"], 2), (["--dot", dot, "alice", "bob"], 2),
                                (["--svg", self.folder + "/none/a.svg", "alice"], 3)]:
            status, _, stderr = self.explain(*words)
            self.assertEqual(status, expected, words)
            self.assertIn("error: ", stderr)

    def test_names__hostile_bytes_do_not_reach_the_terminal(self):
        _, out, _ = self.explain("a\x1b[31mb\u202ec")
        self.assertTrue(out.startswith("a\ufffd[31mb\ufffdc  deny"), out)


if __name__ == "__main__":
    unittest.main()
