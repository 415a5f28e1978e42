#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""wldap32 under Wine, and servers that stop, die, or say half of what they have to say: `dir_conn_faults.py PROGRAM`."""
import contextlib
import os
import signal
import socket
import sys
import threading
import time
import unittest

import testbed
from driving import BIND, SECURE, Driver, keep_awake
from testbed import Slapd, TcpProxy, person
from testbed_wine import Wine

PROGRAM = os.path.abspath(sys.argv.pop())

DEADLINE_MS = 1000
# What a busy machine adds to a deadline.
SLACK_MS = 5000


class Mute:
    """Accepts connections and says nothing."""

    def __enter__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._held = []
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                self._held.append(self._listener.accept()[0])

    def __exit__(self, *_):
        self._listener.close()
        for connection in self._held:
            connection.close()


class Faults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = contextlib.ExitStack()
        cls.addClassCleanup(cls.stack.close)
        cls.wine = cls.stack.enter_context(Wine())
        cls.stack.callback(keep_awake(cls.wine, PROGRAM))

    def setUp(self):
        self.slapd = Slapd(ldif="".join(person("user%04d" % i) for i in range(100)))
        self.slapd.__enter__()
        self.addCleanup(self.slapd.__exit__, None, None, None)
        self.people = "ou=people," + self.slapd.suffix

    def drive(self, uri=None, **options):
        driver = Driver(self.wine, PROGRAM, uri or self.slapd.uri, bind="simple", dn=self.slapd.service_dn,
                        secret=self.slapd.service_password, **options)
        self.addCleanup(driver.close)
        return driver

    def opened(self, uri=None, **options):
        driver = self.drive(uri, **options)
        driver.open()
        return driver

    def assert_in_time(self, ms):
        self.assertGreaterEqual(ms, DEADLINE_MS - 50)
        self.assertLess(ms, DEADLINE_MS + SLACK_MS)

    def assert_opening_ends(self, driver, step):
        words = driver.ask("open %d" % DEADLINE_MS).split(" ", 4)
        self.assertEqual(["OPEN", "timeout", str(step)], words[:3])
        self.assert_in_time(int(words[3]))
        self.assertEqual("BYE", driver.close())

    def test_a_server_that_says_nothing(self):
        with Mute() as mute:
            self.assert_opening_ends(self.drive("ldap://127.0.0.1:%d" % mute.port), BIND)

    def test_a_server_that_says_nothing_in_tls(self):
        with Mute() as mute:
            self.assert_opening_ends(
                self.drive("ldaps://127.0.0.1:%d" % mute.port, tls="ldaps", ca_file=self.slapd.ca_file), BIND)
            self.assert_opening_ends(
                self.drive("ldap://127.0.0.1:%d" % mute.port, tls="starttls", ca_file=self.slapd.ca_file), SECURE)

    def test_a_server_that_stops(self):
        driver = self.opened()
        os.kill(self.slapd.pid, signal.SIGSTOP)
        self.addCleanup(os.kill, self.slapd.pid, signal.SIGCONT)
        answer = driver.search(self.people, "(uid=user0001)", ms=DEADLINE_MS)
        self.assertEqual(("timeout", "timeout"), (answer.outcome, answer.status))
        self.assert_in_time(answer.ms)
        self.assertRegex(driver.ask("open %d" % DEADLINE_MS), "^OPEN timeout %d " % BIND)
        self.assertEqual("BYE", driver.close())

    def test_a_server_that_stops_in_a_batch(self):
        driver = self.opened()
        os.kill(self.slapd.pid, signal.SIGSTOP)
        begin = time.monotonic()
        answer = driver.ask("batch %d 200 %s" % (DEADLINE_MS, self.people))
        took_ms = (time.monotonic() - begin) * 1000
        os.kill(self.slapd.pid, signal.SIGCONT)
        self.assertRegex(answer, "^BATCH 0 0 timeout ")
        self.assert_in_time(took_ms)

    def test_a_late_answer_is_not_taken_for_another(self):
        """One search times out beside another that is answered: the connection goes on."""
        with TcpProxy(self.slapd.port) as proxy:
            driver = self.opened(proxy.uri)
            proxy.set_mode(testbed.HANG)
            answer = driver.search(self.people, "(uid=user0001)", "uid", ms=DEADLINE_MS)
            self.assertEqual("timeout", answer.outcome)
            proxy.set_mode(testbed.PASS)
            # This turn heard nothing at all: the connection counts as dead, and another is made.
            driver.open()
            driver.search(self.people, "(uid=user0002)", "uid")
            self.assertEqual([b"user0002"], driver.entries()[0][1]["uid"])

    def test_half_a_message(self):
        """Wine's library waits for the rest of it for ever: it is cut, so the call comes back."""
        with Half(self.slapd.port) as half:
            driver = self.opened("ldap://127.0.0.1:%d" % half.port)
            half.stop_after(20)
            answer = driver.search(self.people, "(uid=user0001)", "uid", ms=DEADLINE_MS)
            self.assertIn(answer.outcome, ("timeout", "bad-connection"))
            self.assertIn(answer.status, ("timeout", "unreachable"))
            self.assert_in_time(answer.ms)
            self.assertEqual("BYE", driver.close())

    def test_a_server_that_dies_and_comes_back(self):
        driver = self.opened()
        self.slapd.kill()
        answer = driver.search(self.people, "(uid=user0001)", ms=10000)
        self.assertEqual(("bad-connection", "unreachable"), (answer.outcome, answer.status))
        self.assertLess(answer.ms, 5000)
        self.assertRegex(driver.ask("open 2000"), "^OPEN unreachable ")
        self.slapd.start()
        driver.open()
        self.assertEqual(1, driver.search(self.people, "(uid=user0001)").count)
        self.assertEqual("BYE", driver.close())

    def test_resets_and_garbage(self):
        for mode in (testbed.RESET, testbed.CLOSE, testbed.GARBAGE):
            with self.subTest(mode), TcpProxy(self.slapd.port) as proxy:
                driver = self.opened(proxy.uri)
                proxy.set_mode(mode)
                answer = driver.search(self.people, "(uid=user0001)", ms=DEADLINE_MS)
                self.assertIn(answer.outcome, ("bad-connection", "timeout"))
                self.assertIn(answer.status, ("unreachable", "timeout"))
                self.assertEqual("BYE", driver.close())


class Half:
    """Forwards to a server; once it was told to, the first so many bytes of answers, and then nothing more."""

    def __init__(self, port):
        self._upstream = port
        self._left = None
        self._held = []

    def __enter__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._listener.close()
        for connection in self._held:
            connection.close()

    def stop_after(self, count):
        self._left = count

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                server = socket.create_connection(("127.0.0.1", self._upstream))
                self._held += [client, server]
                threading.Thread(target=self._copy, args=(client, server, False), daemon=True).start()
                threading.Thread(target=self._copy, args=(server, client, True), daemon=True).start()

    def _copy(self, source, target, is_answer):
        with contextlib.suppress(OSError):
            while data := source.recv(4096):
                if is_answer and self._left is not None:
                    data = data[:self._left]
                    self._left -= len(data)
                if data:
                    target.sendall(data)


if __name__ == "__main__":
    unittest.main()
