#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
Servers that DNS names: found, tried in order, changed while questions go on, and all that a DNS server may do wrong.

The domain is "localhost", because the host that DNS names must be within it and be known to the system too.
"""
import contextlib
import os
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
sys.path.insert(0, str(Path(__file__).resolve().parent))
import testbed  # noqa: E402
import testbed_dns  # noqa: E402
from seeking import Seeker, assert_logged, eventually  # noqa: E402
from testbed import Slapd  # noqa: E402
from testbed_dns import Dns  # noqa: E402

DOMAIN = "localhost"
PLAIN = "_ldap._tcp.localhost"
CONTROLLERS = "_ldap._tcp.dc._msdcs.localhost"
SITE = "_ldap._tcp.HQ._sites.dc._msdcs.localhost"

PROGRAM = None


def uri(port, scheme="ldap"):
    return "%s://localhost:%d" % (scheme, port)


class LocateTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.slapds = [Slapd().__enter__() for _ in range(2)]
        for slapd in cls.slapds:
            cls.addClassCleanup(slapd.__exit__, None, None, None)
        cls.ports = [slapd.port for slapd in cls.slapds]

    def setUp(self):
        self.dns = Dns().__enter__()
        self.addCleanup(self.dns.__exit__, None, None, None)

    def seek(self, where="ldap:///", **environment):
        environment.setdefault("resolvers", self.dns.address)
        # Nobody is to be asked for a site that is not a part of the test.
        environment.setdefault("ping_port", testbed.free_port())
        seeker = Seeker(PROGRAM, where, DOMAIN, **environment)
        self.addCleanup(seeker.__exit__, None, None, None)
        return seeker

    def await_servers(self, seeker, ports):
        wanted = [uri(port) for port in ports]
        eventually(self, lambda: seeker.servers() == wanted, lambda: (seeker.servers(), seeker.log))

    def test_found__asked_in_the_order_of_priority(self):
        self.dns.srv(PLAIN, [(20, 0, self.ports[0], DOMAIN), (10, 0, self.ports[1], DOMAIN)])
        seeker = self.seek()
        answer = seeker.ask()
        self.assertEqual((answer.outcome, answer.uri), ("ok", uri(self.ports[1])))
        self.assertEqual(seeker.servers(), [uri(self.ports[1]), uri(self.ports[0])])
        self.assertLess(seeker.close(), 1000)

    def test_site_of_the_policy__its_servers_come_first(self):
        self.dns.srv(CONTROLLERS, [(0, 100, self.ports[0], DOMAIN), (0, 100, self.ports[1], DOMAIN)])
        self.dns.srv(SITE, [(0, 100, self.ports[1], DOMAIN)])
        seeker = self.seek(site="HQ")
        self.assertEqual(seeker.ask().uri, uri(self.ports[1]))
        self.assertEqual(seeker.servers(), [uri(self.ports[1]), uri(self.ports[0])])

    def test_server_dies__the_next_answers_and_the_first_is_used_again_when_it_is_back(self):
        first = Slapd().__enter__()
        self.addCleanup(first.__exit__, None, None, None)
        self.dns.srv(PLAIN, [(0, 0, first.port, DOMAIN), (1, 0, self.ports[0], DOMAIN)])
        seeker = self.seek()
        self.assertEqual(seeker.ask().uri, uri(first.port))
        first.stop()
        self.assertEqual(seeker.ask().outcome, "ok")
        # A connection that nobody has asked yet may still count as one.
        eventually(self, lambda: seeker.ask()[::2] == ("ok", uri(self.ports[0])), lambda: seeker.log)
        seeker.begin_steady(1500)
        first.start()
        steady = seeker.end_steady()
        self.assertEqual(steady.failed, 0, seeker.log)
        eventually(self, lambda: seeker.ask().uri == uri(first.port), lambda: seeker.log)

    def test_list_changes__moves_without_a_blip(self):
        self.dns.srv(PLAIN, [(0, 0, self.ports[0], DOMAIN)])
        seeker = self.seek(refresh_ms=200)
        self.assertEqual(seeker.ask().uri, uri(self.ports[0]))
        seeker.begin_steady(2500)
        self.dns.srv(PLAIN, [(0, 0, self.ports[1], DOMAIN)])
        steady = seeker.end_steady()
        self.assertEqual(steady.failed, 0, seeker.log)
        self.assertGreater(steady.asked, 100)
        self.await_servers(seeker, [self.ports[1]])
        # Nothing is left at the one that is not there any more.
        eventually(self, lambda: set(self.connections_of(seeker)) == {":%d" % self.ports[1]}, lambda: seeker.log)
        self.assertEqual(seeker.ask().uri, uri(self.ports[1]))

    def test_new_server_is_dead__the_one_that_vanished_is_kept(self):
        self.dns.srv(PLAIN, [(0, 0, self.ports[0], DOMAIN)])
        seeker = self.seek(refresh_ms=200)
        self.assertEqual(seeker.ask().outcome, "ok")
        dead = testbed.free_port()
        self.dns.srv(PLAIN, [(0, 0, dead, DOMAIN)])
        self.await_servers(seeker, [dead])
        seeker.begin_steady(1000)
        self.assertEqual(seeker.end_steady().failed, 0, seeker.log)
        self.assertEqual(seeker.ask().uri, uri(self.ports[0]))

    def test_all_servers_die__dns_is_asked_at_once_and_the_new_one_answers(self):
        first = Slapd().__enter__()
        self.addCleanup(first.__exit__, None, None, None)
        self.dns.srv(PLAIN, [(0, 0, first.port, DOMAIN)], ttl=3600)
        seeker = self.seek()
        self.assertEqual(seeker.ask().uri, uri(first.port))
        self.dns.srv(PLAIN, [(0, 0, self.ports[1], DOMAIN)], ttl=3600)
        first.stop()
        eventually(self, lambda: seeker.ask().outcome == "ok", lambda: seeker.log, 8)
        self.assertEqual(seeker.servers(), [uri(self.ports[1])])

    def test_dns_is_silent_at_first__asks_fail_and_it_comes_by_itself(self):
        self.dns.behave(None, testbed_dns.SILENT)
        self.dns.srv(PLAIN, [(0, 0, self.ports[0], DOMAIN)])
        seeker = self.seek(pass_ms=600)
        self.assertIn(seeker.ask(3000).outcome, ("unavailable", "timeout"))
        eventually(self, lambda: seeker.servers() == "failed")
        answer = seeker.ask(3000)  # now that it is known, it is said at once
        self.assertEqual(answer.outcome, "unavailable")
        self.assertLess(answer.ms, 500)
        assert_logged(self, seeker, "warning", CONTROLLERS, "no answer in time", "dig SRV")
        self.dns.behave(None, testbed_dns.ANSWER)
        eventually(self, lambda: seeker.ask().outcome == "ok", lambda: seeker.log)

    def test_no_dns_server_is_there__says_so(self):
        seeker = self.seek(resolvers="127.0.0.1:%d" % testbed.free_port())
        self.assertEqual(seeker.ask().outcome, "unavailable")
        assert_logged(self, seeker, "no DNS server could be asked")

    def test_answers_that_are_none__say_which(self):
        for behaviour, words in ((testbed_dns.NXDOMAIN, "no such name"), (testbed_dns.SERVFAIL, "SERVFAIL"),
                                 (testbed_dns.REFUSED, "REFUSED"), (testbed_dns.GARBAGE, "not well-formed"),
                                 (testbed_dns.NOISE, "no answer in time"),
                                 (testbed_dns.TRUNCATED_EVERYWHERE, "not well-formed"),
                                 (testbed_dns.TRUNCATED_THEN_SILENT, "no DNS server could be asked")):
            with self.subTest(words=words):
                self.dns.behave(None, behaviour)
                with self.seek(pass_ms=1500) as seeker:
                    eventually(self, lambda: seeker.servers() == "failed", lambda: seeker.log)  # noqa: B023
                    self.assertEqual(seeker.ask().outcome, "unavailable")
                    assert_logged(self, seeker, "warning", words, PLAIN)

    def test_no_such_record__and_a_service_that_is_not_there(self):
        self.dns.srv(PLAIN, [])
        self.dns.srv(CONTROLLERS, [(0, 0, 0, ".")])
        seeker = self.seek()
        self.assertEqual(seeker.ask().outcome, "unavailable")
        assert_logged(self, seeker, "no such record", "the record '.'")

    def test_dns_fails_later__what_was_found_stays(self):
        self.dns.srv(PLAIN, [(0, 0, self.ports[0], DOMAIN)])
        seeker = self.seek(refresh_ms=200)
        self.assertEqual(seeker.ask().outcome, "ok")
        for behaviour in (testbed_dns.SERVFAIL, testbed_dns.NXDOMAIN, testbed_dns.GARBAGE):
            before = self.dns.asked(PLAIN)
            self.dns.behave(None, behaviour)
            eventually(self, lambda: self.dns.asked(PLAIN) > before + 2)  # noqa: B023
            self.assertEqual(seeker.servers(), [uri(self.ports[0])])
            self.assertEqual(seeker.ask().outcome, "ok")
        assert_logged(self, seeker, "keeping the servers that were found before")
        self.assertLessEqual(sum("keeping" in line for line in seeker.log), 2)

    def test_thousands_of_records__the_best_are_used(self):
        ports = [self.ports[0]] + [port for port in range(10000, 12001) if port != self.ports[0]][:2000]
        self.dns.srv(PLAIN, [(i, 0, port, DOMAIN) for i, port in enumerate(ports)])
        seeker = self.seek()
        answer = seeker.ask()
        self.assertEqual((answer.outcome, answer.uri), ("ok", uri(self.ports[0])))
        self.assertEqual(seeker.servers(), [uri(port) for port in ports[:64]])
        self.assertGreater(self.dns.asked_by_tcp(PLAIN), 0)
        assert_logged(self, seeker, "names 2001 servers", "only 64")

    def test_host_elsewhere__is_not_believed(self):
        self.dns.srv(PLAIN, [(0, 0, self.ports[0], "evil.example"), (1, 0, self.ports[1], DOMAIN)])
        seeker = self.seek()
        self.assertEqual(seeker.ask().uri, uri(self.ports[1]))
        self.assertEqual(seeker.servers(), [uri(self.ports[1])])
        assert_logged(self, seeker, "warning", "evil.example", "directory/@uri")

    def test_only_hosts_elsewhere__is_a_failure(self):
        self.dns.srv(PLAIN, [(0, 0, self.ports[0], "evil.example")])
        seeker = self.seek()
        self.assertEqual(seeker.ask().outcome, "unavailable")
        assert_logged(self, seeker, "warning", "evil.example", "not within it")

    def test_stop_while_dns_is_silent__does_not_wait(self):
        self.dns.behave(None, testbed_dns.SILENT)
        seeker = self.seek()
        eventually(self, lambda: self.dns.asked(PLAIN) > 0)
        self.assertLess(seeker.close(), 1000)

    def test_waits_cost_no_processor_time(self):
        self.dns.behave(None, testbed_dns.SILENT)
        seeker = self.seek()
        seeker.ask(2000)
        with open("/proc/%d/stat" % seeker.pid) as file:
            fields = file.read().rsplit(")", 1)[1].split()
        self.assertLess((int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), 0.5)

    def test_server_that_hangs__is_passed_over(self):
        hung = Slapd().__enter__()
        self.addCleanup(hung.__exit__, None, None, None)
        self.dns.srv(PLAIN, [(0, 0, hung.port, DOMAIN), (1, 0, self.ports[0], DOMAIN)])
        hung.suspend()
        self.addCleanup(hung.resume)
        seeker = self.seek()
        answer = seeker.ask()
        self.assertEqual((answer.outcome, answer.uri), ("ok", uri(self.ports[0])))

    def connections_of(self, seeker):
        """The peers of its TCP connections, as ":port"."""
        inodes = set()
        for name in os.listdir("/proc/%d/fd" % seeker.pid):
            target = ""
            with contextlib.suppress(FileNotFoundError):  # it is closed by now
                target = os.readlink("/proc/%d/fd/%s" % (seeker.pid, name))
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
        peers = []
        for path in ("/proc/%d/net/tcp" % seeker.pid, "/proc/%d/net/tcp6" % seeker.pid):
            with open(path) as file:
                for line in list(file)[1:]:
                    fields = line.split()
                    if fields[9] in inodes and fields[3] == "01":
                        peers.append(":%d" % int(fields[2].rsplit(":", 1)[1], 16))
        return peers


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    testbed.main()
