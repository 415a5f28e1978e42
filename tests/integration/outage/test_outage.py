#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
Directories that fail: what cannot be known is an error within its deadline, never a deny and never an authorize, and the
right answers come back by themselves.
"""
import json
import os
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
import testbed  # noqa: E402
from testbed import HANG, PASS, RESET, Slapd, TcpProxy, group, person  # noqa: E402

# The policy's timeout here, and what the machine may add to it.
TIMEOUT_S = 2.0
MARGIN_S = 1.0


class Stream:
    """A `check -` that stays: one question, one answer."""

    def __init__(self, program, policy):
        self.process = subprocess.Popen([program, "check", "--config", policy, "--json", "-"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def ask(self, sender):
        begin = time.monotonic()
        self.process.stdin.write(sender.encode() + b"\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        answer["waited_s"] = time.monotonic() - begin
        return answer

    def cpu_s(self):
        with open("/proc/%d/stat" % self.process.pid) as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=30)
        self.process.stdout.close()
        self.process.stderr.close()


class OutageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.program = testbed.wsmauthz()

    def setUp(self):
        self.slapd = Slapd(ldif=person("alice") + person("bob") + group("admins", ["alice"])).__enter__()
        self.addCleanup(self.slapd.__exit__, None, None, None)

    def policy(self, name, uri, **more):
        return testbed.write_policy(os.path.join(self.slapd.directory, name + ".xml"), self.slapd, uri=uri,
                                    allow=[self.slapd.group_dn("admins")], timeout="%gs" % TIMEOUT_S,
                                    cache={"ttl": "0s", "negative-ttl": "0s", "unwatched-ttl": "0s"}, **more)

    def stream(self, policy):
        stream = Stream(self.program, policy)
        self.addCleanup(stream.close)
        return stream

    def assert_error(self, answer, *reasons):
        self.assertEqual(answer["verdict"], "error", answer)
        self.assertEqual(answer["code"], 0x80338083, answer)
        self.assertIn(answer["reason"], reasons, answer)
        self.assertLess(answer["waited_s"], TIMEOUT_S + MARGIN_S, answer)

    def assert_right(self, stream, within_s):
        """alice is in and bob is out, again, within that time."""
        end = time.monotonic() + within_s
        while True:
            answer = stream.ask("CORP\\alice")
            self.assertNotEqual(answer["verdict"], "deny", answer)
            if answer["verdict"] == "authorize":
                break
            self.assertLess(time.monotonic(), end, answer)
            time.sleep(0.05)
        self.assertEqual(stream.ask("CORP\\bob")["reason"], "not-a-member")

    def test_server_killed_and_back(self):
        stream = self.stream(self.policy("killed", self.slapd.uri))
        self.assert_right(stream, 0)
        self.slapd.kill()
        for _ in range(3):
            self.assert_error(stream.ask("CORP\\alice"), "directory-unavailable", "deadline-exceeded")
        self.slapd.start()
        self.assert_right(stream, 20)

    def test_server_not_there_at_the_start(self):
        self.slapd.kill()
        stream = self.stream(self.policy("late", self.slapd.uri))
        self.assert_error(stream.ask("CORP\\alice"), "directory-unavailable", "deadline-exceeded")
        self.slapd.start()
        self.assert_right(stream, 20)

    def check_hung_server(self, tls):
        stream = self.stream(self.policy("hung", None, tls=tls))
        self.assert_right(stream, 0)
        self.slapd.suspend()
        try:
            self.assert_error(stream.ask("CORP\\alice"), "deadline-exceeded", "directory-unavailable")
            before = stream.cpu_s()
            for _ in range(3):
                self.assert_error(stream.ask("CORP\\alice"), "deadline-exceeded", "directory-unavailable")
                time.sleep(0.5)
            self.assertLess(stream.cpu_s() - before, 0.2, "a hung server costs no CPU")
        finally:
            self.slapd.resume()
        self.assert_right(stream, 20)

    def test_server_hangs_in_the_clear(self):
        self.check_hung_server("none")

    def test_server_hangs_under_tls(self):
        self.check_hung_server("ldaps")

    def test_server_hangs_from_the_start_under_tls(self):
        self.slapd.suspend()
        try:
            stream = self.stream(self.policy("hung-start", None, tls="ldaps"))
            self.assert_error(stream.ask("CORP\\alice"), "deadline-exceeded", "directory-unavailable")
            self.assertLess(stream.cpu_s(), 0.5)
        finally:
            self.slapd.resume()
        self.assert_right(stream, 20)

    def test_first_server_dead_second_answers(self):
        dead = "ldap://127.0.0.1:%d" % testbed.free_port()
        stream = self.stream(self.policy("second", dead + " " + self.slapd.uri))
        answer = stream.ask("CORP\\alice")
        self.assertEqual(answer["verdict"], "authorize", answer)

    def test_first_server_dies_second_takes_over(self):
        with TcpProxy(self.slapd.port) as proxy:
            stream = self.stream(self.policy("over", proxy.uri + " " + self.slapd.uri))
            self.assert_right(stream, 0)
            proxy.set_mode(RESET)
            answer = stream.ask("CORP\\alice")
            self.assertEqual(answer["verdict"], "authorize", answer)
            self.assertLess(answer["waited_s"], TIMEOUT_S, answer)

    def test_first_server_hangs_second_takes_over(self):
        with TcpProxy(self.slapd.port) as proxy:
            stream = self.stream(self.policy("hang-over", proxy.uri + " " + self.slapd.uri))
            self.assert_right(stream, 0)
            proxy.set_mode(HANG)
            self.assertIn(stream.ask("CORP\\alice")["verdict"], ("error", "authorize"))
            self.assert_right(stream, 10)
            proxy.set_mode(PASS)
            self.assert_right(stream, 1)

    def test_revocation_is_seen_at_once(self):
        stream = self.stream(self.policy("revoked", self.slapd.uri))
        member, dn = self.slapd.group_dn("admins"), self.slapd.person_dn
        for _ in range(10):
            self.assertEqual(stream.ask("CORP\\alice")["verdict"], "authorize")
            self.slapd.modify("dn: %s\nchangetype: modify\nreplace: member\nmember: %s\n" % (member, dn("bob")))
            self.assertEqual(stream.ask("CORP\\alice")["reason"], "not-a-member")
            self.assertEqual(stream.ask("CORP\\bob")["verdict"], "authorize")
            self.slapd.modify("dn: %s\nchangetype: modify\nreplace: member\nmember: %s\n" % (member, dn("alice")))


if __name__ == "__main__":
    testbed.main()
