#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The program `wsmauthz`, with an engine that answers by a script (tests/support/engine_fake.h), from the outside."""
import json
import os
import signal
import subprocess
import tempfile
import time
import unittest

PROGRAM = os.environ["WSMAUTHZ_CLI"]
SCRIPT = """
timeout 2000
answer alice authorize member administrator cached rule=allow_CN=g path=uid=alice,dc=x|CN=g,dc=x
answer slow authorize member delay=300
answer bob redirect site-elsewhere uri=https://emea.corp.example:5986/wsman
answer carol error directory-unavailable
answer S-1-5-21-1 authorize member
answer refuse authorize member refuse
answer zeroed authorize member zeroed
answer J\u00f6rg authorize member
"""
MEMBERS = ["sender", "verdict", "code", "redirect_uri", "rule", "reason", "dn", "path", "administrator", "searches",
           "cached", "elapsed_us"]


class CheckTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="wsmauthz-cli-")
        self.addCleanup(folder.cleanup)
        self.policy = folder.name + "/policy"
        with open(self.policy, "w", encoding="utf-8") as file:
            file.write(SCRIPT)

    def run_program(self, *words, data=b"", program_path=PROGRAM):
        return subprocess.run([program_path, *words], input=data, capture_output=True, timeout=60, check=False)

    def check(self, *words, data=b""):
        done = self.run_program("check", "--json", "--config", self.policy, *words, data=data)
        return done.returncode, [json.loads(line) for line in done.stdout.decode().splitlines()], done.stderr.decode()

    def start(self, *words, **streams):
        process = subprocess.Popen([PROGRAM, "check", "--json", "--config", self.policy, *words],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **streams)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        for stream in (process.stdin, process.stdout, process.stderr):
            self.addCleanup(stream.close)
        return process

    def test_json__has_the_members_in_their_order_and_types(self):
        status, [alice, bob, carol], stderr = self.check("alice", "bob", "carol")
        self.assertEqual(status, 3)
        self.assertEqual(stderr, "")
        self.assertEqual(list(alice), MEMBERS)
        self.assertEqual(alice, {"sender": "alice", "verdict": "authorize", "code": 0, "redirect_uri": None,
                                 "rule": "allow CN=g", "reason": "member", "dn": "uid=alice,dc=x",
                                 "path": ["uid=alice,dc=x", "CN=g,dc=x"], "administrator": True, "searches": 0,
                                 "cached": True, "elapsed_us": 0})
        self.assertEqual((bob["verdict"], bob["code"], bob["redirect_uri"], bob["path"], bob["dn"]),
                         ("redirect", 0x80338199, "https://emea.corp.example:5986/wsman", None, None))
        self.assertEqual((carol["verdict"], carol["code"], carol["reason"]),
                         ("error", 0x80338083, "directory-unavailable"))

    def test_exit_status__is_that_of_the_worst_verdict(self):
        for senders, expected in [(["alice"], 0), (["alice", "bob"], 0), (["alice", "eve"], 1), (["carol"], 3),
                                  (["eve", "carol", "alice"], 3), (["refuse"], 3), (["zeroed"], 1)]:
            self.assertEqual(self.check(*senders)[0], expected, senders)

    def test_usage__errors_are_2_with_what_and_hint(self):
        for words in ([], ["chekc"], ["check"], ["check", "--jsno", "x"], ["check", "x", "--config"],
                      ["check", "-", "x"], ["check", "x", "-"], ["check", "--log-level", "loud", "x"],
                      ["check", "--json=1", "x"], ["check", "--url", "a", "--url", "b", "x"],
                      ["check", "--config=", "x"], ["check", "--mechanism=", "x"], ["check", "--mechanism", "", "x"],
                      ["check", "--config", self.policy, "--url", "ldaps://h/", "x"]):
            done = self.run_program(*words)
            self.assertEqual(done.returncode, 2, words)
            self.assertEqual(done.stdout, b"")
            self.assertRegex(done.stderr.decode(), r"\Awsmauthz: error: .+; .+\n\Z", words)

    def test_policy__unusable_is_2_with_its_own_words(self):
        with open(self.policy, "w", encoding="utf-8") as file:
            file.write("unusable policy.xml:3: no such element 'alow'\n")
        status, lines, stderr = self.check("alice")
        self.assertEqual((status, lines), (2, []))
        self.assertEqual(stderr, "wsmauthz: error: policy.xml:3: no such element 'alow'; write a better one\n")
        self.assertEqual(self.check("--config=/nonexistent", "alice")[0], 2)

    def test_url__that_is_none_is_a_usage_error(self):
        for url in ("h", "h:5986", "emea.corp.example/wsman", "ftp://h/", "https:///wsman", "https://h:99999/",
                    "https://a b/", "\xff"):
            status, lines, stderr = self.check("--url", url, "alice")
            self.assertEqual((status, lines), (2, []), url)
            self.assertEqual(stderr, "wsmauthz: error: '%s' is no http or https URL; "
                                     "write it as --url https://host:5986/wsman\n" % url)
        for url in ("https://h", "HTTP://h:5985/wsman", "https://[::1]:5986/wsman?a"):
            self.assertEqual(self.check("--url", url, "alice")[0], 0, url)

    @unittest.skipIf(os.path.exists("/etc/wsmauthz/wsmauthz.xml"), "this machine has a policy at the default path")
    def test_policy__missing_at_the_default_path_is_2_with_what_to_do(self):
        hint = "; name it by --config FILE, or begin with conf/wsmauthz.xml\n"
        done = self.run_program("check", "alice")
        self.assertEqual((done.returncode, done.stdout), (2, b""))
        self.assertIn("/etc/wsmauthz/wsmauthz.xml", done.stderr.decode())
        self.assertTrue(done.stderr.decode().endswith(hint), done.stderr)
        self.assertNotIn(hint, self.check("--config=/nonexistent", "alice")[2])

    def test_help_and_version__are_0_on_standard_output(self):
        done = self.run_program("--version")
        self.assertEqual((done.returncode, done.stdout.decode()),
                         (0, "wsmauthz %s\n" % os.environ["WSMAUTHZ_VERSION"]))
        for words in (["--help"], ["check", "--help"], ["--help", "check"], ["check", "x", "--help"], ["-h"],
                      ["check", "-h"]):
            done = self.run_program(*words)
            self.assertEqual((done.returncode, done.stderr), (0, b""), words)
            for option in (b"--config", b"--json", b"--url", b"--mechanism", b"--log-level"):
                self.assertIn(option, done.stdout, words)

    def test_options__may_stand_before_and_after_the_command(self):
        for words in (["--json", "--config", self.policy, "check", "alice"],
                      ["--config=" + self.policy, "check", "alice", "--json"],
                      ["--url", "https://h/", "--json", "check", "--config", self.policy, "alice"]):
            done = self.run_program(*words)
            self.assertEqual(done.returncode, 0, words)
            self.assertEqual(json.loads(done.stdout)["sender"], "alice")

    def test_stdin__every_line_gets_its_line(self):
        data = (b"alice\r\n" b"\n" b"J\xc3\xb6rg\n" b"ali\xffce\n" b"alice\0x\n" b"\r\n" b"bob\n" +
                b"x" * 100000 + b"\n" + b"\xf0\x9f\x98\x80" * 2000 + b"\n" + b"alice")
        status, lines, _ = self.check("-", data=data)
        self.assertEqual(status, 1)
        self.assertEqual([(line["sender"] if len(line["sender"]) < 20 else "long", line["reason"]) for line in lines], [
            ("alice", "member"), ("", "bad-sender-name"), ("J\u00f6rg", "member"), ("ali\ufffdce", "bad-sender-name"),
            ("alice\0x", "bad-sender-name"), ("", "bad-sender-name"), ("bob", "site-elsewhere"),
            ("long", "bad-sender-name"), ("long", "bad-sender-name"), ("alice", "member")])
        for line in (lines[7], lines[8]):
            self.assertTrue(line["sender"].endswith("\ufffd"))
            self.assertLess(len(line["sender"]), 10000)
        self.assertEqual(self.check("-", data=b""), (0, [], ""))

    def test_stdin__a_byte_order_mark_in_front_is_left_out(self):
        _, lines, _ = self.check("-", data=b"\xef\xbb\xbfalice\r\n\xef\xbb\xbfalice\r\n")
        self.assertEqual([(line["sender"], line["reason"]) for line in lines],
                         [("alice", "member"), ("\ufeffalice", "not-a-member")])
        self.assertEqual(self.check("-", data=b"\xef\xbb\xbf"), (0, [], ""))

    def test_text__a_name_that_is_no_unicode_is_said_to_be_that(self):
        done = self.run_program("check", "--config", self.policy, "-", data=b"J\xf6rg\na\0b\n")
        self.assertEqual(done.stdout.decode().count("the sender's name is not valid Unicode text\n"), 2)

    def test_operands__are_any_bytes(self):
        status, lines, _ = self.check("", b"ali\xffce", "x" * 100000, "--", "--json", "-x")
        self.assertEqual(status, 1)
        self.assertEqual([line["reason"] for line in lines], ["bad-sender-name"] * 3 + ["not-a-member"] * 2)

    def test_order__is_that_of_the_input(self):
        status, lines, _ = self.check("slow", "alice", "slow", "eve", "bob")
        self.assertEqual(status, 1)
        self.assertEqual([line["sender"] for line in lines], ["slow", "alice", "slow", "eve", "bob"])

    def test_stdin__many_are_under_way_at_once(self):
        begin = time.monotonic()
        status, lines, _ = self.check("-", data=b"slow\n" * 1000)
        self.assertEqual((status, len(lines)), (0, 1000))
        self.assertLess(time.monotonic() - begin, 10)

    def test_stdin__more_than_the_window_keeps_its_order(self):
        senders = ["user%d" % number for number in range(20000)]
        status, lines, _ = self.check("-", data="\n".join(senders).encode())
        self.assertEqual(status, 1)
        self.assertEqual([line["sender"] for line in lines], senders)

    def test_stdin__a_pipe_that_stays_open_is_answered_at_once(self):
        process = self.start("-")
        for sender in ("alice", "slow", "eve"):
            process.stdin.write(sender.encode() + b"\n")
            process.stdin.flush()
            self.assertEqual(json.loads(process.stdout.readline())["sender"], sender)
        process.stdin.close()
        self.assertEqual(process.wait(timeout=30), 1)

    def test_stdout__a_reader_that_goes_away_ends_it_quietly(self):
        process = self.start("-")
        process.stdin.write(b"alice\n")
        process.stdin.flush()
        self.assertTrue(process.stdout.readline())
        process.stdout.close()
        # Standard input stays open and silent: the program notices all the same.
        self.assertEqual(process.wait(timeout=30), 0)
        self.assertEqual(process.stderr.read(), b"")

    def test_stdout__a_reader_that_goes_away_in_the_middle_ends_it_quietly(self):
        # As a shell does it, and not as Python does, SIGPIPE has its default action.
        script = 'yes alice | "$0" check --json --config "$1" - | head -n 3'
        done = subprocess.run(["sh", "-c", script, PROGRAM, self.policy], capture_output=True, timeout=60, check=False,
                              preexec_fn=lambda: signal.signal(signal.SIGPIPE, signal.SIG_DFL))
        self.assertEqual((len(done.stdout.splitlines()), done.stderr), (3, b""))

    def test_stdout__that_cannot_be_written_is_an_error(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([PROGRAM, "check", "--config", self.policy, "alice"], stdout=full,
                                  stderr=subprocess.PIPE, timeout=60, check=False)
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"could not write to standard output", done.stderr)

    def run_closed(self, closed, *words, data=b""):
        """With some of the descriptors 0 to 2 closed, as a shell does it with >&-."""
        redirections = " ".join("%d<&-" % descriptor for descriptor in closed)
        return subprocess.run(["sh", "-c", 'exec "$@" ' + redirections, "sh", PROGRAM, *words], input=data,
                              capture_output=True, timeout=60, check=False)

    def test_closed__standard_output_is_an_error(self):
        for words in (["check", "alice"], ["check", "-"], ["--help"], ["--version"]):
            for closed in ([1], [0, 1]):
                with self.subTest(words=words, closed=closed):
                    done = self.run_closed(closed, "--config", self.policy, *words, data=b"alice\n")
                    is_nothing_to_say = words[-1] == "-" and 0 in closed
                    self.assertEqual(done.returncode, 0 if is_nothing_to_say else 3, done)
                    self.assertEqual(b"could not write to standard output" in done.stderr, not is_nothing_to_say)

    def test_closed__standard_error_and_input_do_no_harm(self):
        for closed in ([0], [2], [0, 2]):
            with self.subTest(closed=closed):
                done = self.run_closed(closed, "--log-level", "debug", "--config", self.policy, "check", "alice")
                self.assertEqual((done.returncode, len(done.stdout.splitlines())), (0, 1), done)
        self.assertEqual(self.run_closed([0, 1, 2], "check", "--config", self.policy, "alice").returncode, 3)
        done = self.run_closed([0], "check", "--config", self.policy, "-")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))

    def test_closed__descriptors_are_filled_before_anything_is_opened(self):
        process = subprocess.Popen(["sh", "-c", 'exec "$@" >&- 2>&-', "sh", PROGRAM, "check", "--config", self.policy, "-"],
                                   stdin=subprocess.PIPE)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(process.stdin.close)
        folder = "/proc/%d/fd/" % process.pid
        deadline = time.monotonic() + 30
        while not (os.path.exists(folder + "1") and os.path.exists(folder + "2")) or \
                os.readlink("/proc/%d/exe" % process.pid) != os.path.realpath(PROGRAM):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        self.assertEqual([os.readlink(folder + each) for each in "12"], ["/dev/null"] * 2)
        process.stdin.write(b"alice\n")
        process.stdin.close()
        self.assertEqual(process.wait(timeout=30), 3)

    def test_stdin__that_cannot_be_read_is_an_error_after_what_was_read(self):
        folder = os.open("/", os.O_RDONLY)
        self.addCleanup(os.close, folder)
        done = subprocess.run([PROGRAM, "check", "--config", self.policy, "-"], stdin=folder,
                              capture_output=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"could not read standard input", done.stderr)

    def test_mechanism_and_url__reach_the_plugin(self):
        def detail(*words):
            done = self.run_program("check", "--config", self.policy, "eve", *words)
            return done.stdout.decode().split(None, 3)[3].strip()
        self.assertTrue(detail().startswith("user mechanism=Negotiate url=- sid=1"))
        self.assertTrue(detail("--mechanism", "basic", "--url", "https://h:5986/wsman")
                        .startswith("user mechanism=basic url=https://h:5986/wsman sid=0"))

    def test_text__is_aligned_and_clean(self):
        done = self.run_program("check", "--config", self.policy, "alice", "bob", "\x1b[31meve\u202e")
        self.assertEqual(done.stdout.decode().splitlines()[:2], [
            "alice      authorize  member          via uid=alice -> CN=g",
            "bob        redirect   site-elsewhere  to https://emea.corp.example:5986/wsman"])
        self.assertTrue(done.stdout.decode().splitlines()[2].startswith("\ufffd[31meve\ufffd  deny"))

    def test_log_level__lines_go_to_standard_error(self):
        self.assertIn("the scripted engine has started", self.check("--log-level", "info", "alice")[2])
        self.assertEqual(self.check("--log-level", "warning", "alice")[2], "")


if __name__ == "__main__":
    unittest.main()
