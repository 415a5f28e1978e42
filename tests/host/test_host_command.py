#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`wsmauthz host`: its script language, its user records, its trace; and a plug-in that breaks each rule there is."""
import json
import os
import pty
import select
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

import testbed

ANSWERS = """
timeout 300
answer alice authorize member administrator quota=5,15,60,100
answer dora authorize member quota=2,4294967295,60,4294967295
answer slow authorize member delay=5
answer carol error directory-unavailable
answer bob redirect site-elsewhere uri=https://emea.corp.example:5986/wsman
answer never authorize member never
"""
ALL_IS_WELL = """
# Everything that a script can say.
connect alice
expect authorize administrator
expect quota 5 15 100 60
connect alice mechanism Negotiate   # the record
expect authorize administrator remembered
connect alice mechanism Kerberos
expect authorize
operate alice action http://x.example/act resource http://x.example/thing
expect authorize
quota alice
expect quota 5 15 100 60
quota dora
expect quota 2 unlimited
connect "bob" url https://amer.corp.example:5986/wsman
expect redirect
expect redirect https://emea.corp.example:5986/wsman
operate bob
expect redirect
connect carol
expect error
expect error 0x80338083
expect error 2150858883
connect "a user"
expect deny
refresh alice times 20
expect authorize administrator
connect alice mechanism t token none
expect deny
connect alice mechanism c subject CN=alice issuer CN=ca thumbprint 00 subject-name alice
expect authorize
leave alice
leave alice
connect alice
expect authorize
together
  connect slow
  expect authorize
  refresh alice times 10
  expect authorize
  connect eve times 5
  expect deny
  leave slow
end
"""


class HostCommandTest(unittest.TestCase):
    def setUp(self):
        self.program = testbed.wsmauthz()
        folder = tempfile.TemporaryDirectory(prefix="wsmauthz-host-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.policy = str(self.folder / "policy & <more>")
        self.write(self.policy, ANSWERS)

    def write(self, path, text):
        Path(path).write_text(text, encoding="utf-8")
        return str(path)

    def run_host(self, script, *options, plugin=None, config=True):
        """(status, events, standard error); the script is a file."""
        path = self.write(self.folder / "script.host", script)
        return self.run_words("--script", path, *options, plugin=plugin, config=config)

    def run_words(self, *words, plugin=None, config=True, data=b""):
        plugin = plugin or os.environ["WSMAUTHZ_SCRIPTED_PLUGIN"]
        config = ["--config", self.policy] if config else []
        done = subprocess.run([self.program, "host", "--json", "--plugin", plugin, *config, *words], input=data,
                              capture_output=True, timeout=60, check=False)
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr.decode()

    def bad(self, script, *options):
        return self.run_host(script, "--patience", "300ms", *options, plugin=os.environ["WSMAUTHZ_MISBEHAVING_PLUGIN"])

    @staticmethod
    def named(events, name):
        return [event for event in events if event["event"] == name]

    def sum(self, events):
        [event] = self.named(events, "sum")
        return event

    # Scripts

    def test_everything_that_a_script_can_say(self):
        for lines in (ALL_IS_WELL, ALL_IS_WELL.replace("\n", "\r\n"), "\ufeff" + ALL_IS_WELL.lstrip()):
            status, events, stderr = self.run_host(lines)
            self.assertEqual((status, stderr), (0, ""), [e for e in events if not e.get("met", True)])
            self.assertEqual(self.sum(events)["unmet"], 0)
            self.assertEqual(self.sum(events)["met"], lines.count("expect "))

    def test_each_expectation_can_fail(self):
        for step, expected in (("connect alice", "deny"), ("connect alice", "redirect"), ("connect alice", "error"),
                               ("connect alice", "authorize remembered"), ("connect slow", "authorize administrator"),
                               ("connect alice", "quota 5 16 100 60"), ("connect alice", "quota 5 15"),
                               ("connect alice", "quota 5 15 100 61"), ("connect eve", "authorize"), ("connect eve", "error"),
                               ("connect bob", "redirect https://emea.corp.example:5986/"), ("connect bob", "deny"),
                               ("connect carol", "error 5"), ("connect carol", "deny"),
                               # One of the two is otherwise.
                               ("connect alice times 2", "authorize remembered")):
            with self.subTest("%s: %s" % (step, expected)):
                status, events, _ = self.run_host("%s\nexpect %s\n" % (step, expected))
                self.assertEqual((status, self.sum(events)["unmet"]), (1, 1))
                [event] = self.named(events, "expect")
                self.assertEqual((event["met"], event["line"]), (False, 2))
                status, events, _ = self.run_host("together\n%s\nexpect %s\nend\n" % (step, expected))
                self.assertEqual((status, self.sum(events)["unmet"]), (1, 1))

    def test_wrong_scripts_are_refused_at_their_line_before_anything_is_done(self):
        for line, message in (("conect alice", "'conect' is no step"), ("connect", "a name is missing"),
                              ("connect alice bob", "'bob' is not understood"), ("connect alice url", "has no value"),
                              ("connect alice url a url b", "said twice"), ("connect alice times 0", "from 1 to"),
                              ("connect alice times 1e3", "from 1 to"), ("connect alice times 1 times 2", "not understood"),
                              ("connect alice times 99999999999", "from 1 to"), ("leave alice times 2", "not understood"),
                              ("connect alice action a", "not understood"), ("connect alice token some", "the word none"), ("leave alice subject x", "not understood"), ("wait", "duration"), ("wait 5", "duration"),
                              ("wait 25h", "duration"), ("wait 1s 2s", "not understood"), ("expect", "wants to know what"),
                              ("expect denied", "wants to know what"), ("expect deny alice", "not understood"),
                              ("expect error x", "number"), ("expect error 0x100000000", "number"),
                              ("expect quota 5", "numbers"), ("expect quota 5 6 7", "numbers"), ("end", "without"),
                              ('connect "alice', "not closed"), ('connect "al"ice', "closing"), ("together alice", "not understood"),
                              ("together\ntogether", "inside that of line 2"), ("together\nexpect deny", "no step before"),
                              ("together\nwait 1s", "who is to wait"), ("together\nconnect alice\nend\nexpect deny", "no step before"),
                              (" ".join(["connect"] * 33), "too many words"), ("connect a\udcff", "not UTF-8"),
                              ("connect " + "a" * 70000, "longer than"), ("together", "has no 'end'")):
            with self.subTest(line[:40]):
                path = self.folder / "script.host"
                path.write_bytes(b"connect alice\n" + line.encode("utf-8", "surrogateescape"))
                status, events, stderr = self.run_words("--script", str(path))
                self.assertEqual((status, events), (2, []))
                self.assertIn("script.host:%d: " % (2 + line.count("\n")), stderr)
                self.assertIn(message, stderr)

    def test_expect_without_a_step_is_refused(self):
        for script in ("expect deny", "leave alice\nexpect deny"):
            self.assertEqual(self.run_host(script)[0], 2)

    def test_too_many_users_at_once_are_refused(self):
        users = ["connect u%d" % i for i in range(257)]
        status, _, stderr = self.run_host("\n".join(["together"] + users + ["end"]))
        self.assertEqual(status, 2)
        self.assertIn("256 users", stderr)
        status, events, _ = self.run_host("\n".join(["together"] + users[:64] + ["end"]))
        self.assertEqual((status, self.sum(events)["steps"]), (0, 64))
        self.assertGreater(len({event["thread"] for event in events}), 60)

    def test_usage(self):
        self.assertEqual(self.run_words("alice")[0], 2)
        self.assertEqual(self.run_words("--idle-timeout", "5")[0], 2)
        self.assertEqual(self.run_words("--patience", "0s")[0], 2)
        self.assertEqual(self.run_words("--script", "/nonexistent")[0], 2)
        done = subprocess.run([self.program, "host"], capture_output=True, check=False, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"--plugin FILE is missing", done.stderr)

    def test_files_that_are_no_plug_in(self):
        text = self.write(self.folder / "text.so", "no library")
        for plugin in ("/nonexistent/wsmauthz.so", "text.so", text, str(self.folder)):
            status, events, stderr = self.run_words(plugin=plugin)
            self.assertEqual((status, events), (2, []))
            self.assertIn(plugin, stderr)

    def test_a_policy_that_is_refused_is_told_with_its_reason(self):
        status, _, stderr = self.run_words("--config", "/nonexistent/policy.xml", config=False)
        self.assertEqual(status, 2)
        self.assertIn("/nonexistent/policy.xml", stderr)

    # Records

    def test_a_record_lives_as_long_as_it_is_used(self):
        status, events, _ = self.run_host("connect alice\nwait 10ms\nconnect alice\nexpect authorize remembered\n"
                                          "wait 700ms\nconnect alice\nexpect authorize\n", "--idle-timeout", "600ms")
        self.assertEqual(status, 0)
        self.assertEqual(len(self.named(events, "AuthzUser")), 2)
        # One when the time was over, one at the end.
        self.assertEqual([event["text"] for event in self.named(events, "AuthzReleaseContext")],
                         ["the record's idle time is over", "the host ends"])

    def test_a_record_is_authorized_anew_after_a_while_and_the_old_context_goes_last(self):
        status, events, _ = self.run_host("connect alice\nwait 60ms\nconnect alice\nexpect authorize\n",
                                          "--refresh-interval", "50ms", "--no-quota")
        names = [event["event"] for event in events]
        self.assertEqual(status, 0)
        self.assertEqual(names.count("AuthzUser"), 2)
        second = names.index("AuthzUserComplete", names.index("AuthzUserComplete") + 1)
        self.assertEqual(names[second + 1], "AuthzReleaseContext")
        self.assertEqual(self.named(events, "AuthzQueryQuota"), [])

    def test_contexts_are_released_as_often_as_they_are_given(self):
        _, events, _ = self.run_host(ALL_IS_WELL)
        given = sum(1 for event in events if event["event"] in ("AuthzUserComplete", "AuthzOperationComplete") and event["code"] == 0)
        self.assertEqual(len(self.named(events, "AuthzReleaseContext")), given)

    # Standard input

    def test_standard_input_is_obeyed_line_by_line(self):
        with subprocess.Popen([self.program, "host", "--json", "--plugin", os.environ["WSMAUTHZ_SCRIPTED_PLUGIN"], "--config",
                               self.policy], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as host:
            for line, wanted in (("connect alice", "connect"), ("expect authorize", "expect"), ("leave alice", "AuthzReleaseContext")):
                host.stdin.write(line.encode() + b"\n")
                host.stdin.flush()
                while json.loads(host.stdout.readline())["event"] != wanted:
                    pass
            host.stdin.close()
            host.stdout.read()
            self.assertEqual(host.wait(timeout=20), 0)

    def test_a_wrong_line_of_standard_input_ends_the_host(self):
        status, events, stderr = self.run_words(data=b"connect alice\nconnect\nconnect eve\n")
        self.assertEqual(status, 2)
        self.assertIn("standard input:2:", stderr)
        self.assertEqual([event["sender"] for event in self.named(events, "AuthzUser")], ["alice"])
        self.assertEqual(len(self.named(events, "Shutdown")), 2)

    def test_at_a_terminal_there_is_a_prompt_and_a_wrong_line_is_forgiven(self):
        master, slave = pty.openpty()
        with subprocess.Popen([self.program, "host", "--plugin", os.environ["WSMAUTHZ_SCRIPTED_PLUGIN"], "--config", self.policy],
                              stdin=slave, stdout=slave, stderr=slave) as host:
            os.close(slave)
            os.write(master, b"conect alice\nconnect alice\nexpect authorize\n\x04")
            seen, end = b"", time.monotonic() + 20
            while host.poll() is None and time.monotonic() < end:
                if select.select([master], [], [], 0.1)[0]:
                    try:
                        seen += os.read(master, 65536)
                    except OSError:
                        break
            os.close(master)
            self.assertEqual(host.wait(timeout=20), 0, seen)
        for wanted in (b"host> ", b"'conect' is no step", b"so it is"):
            self.assertIn(wanted, seen)

    def test_nobody_reads_the_trace__the_host_ends(self):
        with subprocess.Popen([self.program, "host", "--plugin", os.environ["WSMAUTHZ_SCRIPTED_PLUGIN"], "--config", self.policy,
                               "--script", self.write(self.folder / "long.host", "refresh alice times 10000000\n")],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as host:
            host.stdout.readline()
            host.stdout.close()
            self.assertEqual(host.wait(timeout=20), 1)

    # A plug-in that breaks the rules

    def test_each_broken_rule_is_noticed(self):
        for name, counter, message in (("never", "missing", "did not come"), ("twice", "twice", "second time"),
                                       ("strange", "strange", "given nobody"), ("wrong-function", "malformed", "another kind"),
                                       ("other-token", "malformed", "another token"), ("redirect-nowhere", "malformed", "without an address"),
                                       ("generous-denial", "malformed", "yet with a context"), ("no-quota", "malformed", "without a quota")):
            with self.subTest(name):
                status, events, _ = self.bad("connect %s\n" % name)
                self.assertEqual((status, self.sum(events)[counter]), (1, 1))
                self.assertTrue(any(message in (event.get("text") or "") for event in events), events)
                status, events, _ = self.bad("connect %s\n" % name, "--quiet")
                self.assertTrue(any(message in (event.get("text") or "") for event in events), events)
        status, events, _ = self.bad("operate operation-redirect\n")
        self.assertEqual((status, self.sum(events)["malformed"]), (1, 1))

    def test_a_second_completion_long_after_the_first_is_noticed(self):
        status, events, _ = self.bad("connect alice\nconnect late\n", "--no-quota")
        self.assertEqual((status, self.sum(events)["twice"]), (1, 1))
        self.assertEqual(self.bad("connect alice\nexpect authorize\n")[0], 0)

    def test_slots_are_used_again(self):
        status, events, _ = self.bad("refresh alice times 5000\nexpect authorize\n", "--quiet")
        self.assertEqual((status, self.sum(events)["completed"]), (0, 10000))


if __name__ == "__main__":
    testbed.main()
