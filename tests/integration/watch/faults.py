#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The watch against a server that says what slapd does not, or not often."""
import os
import sys
import time
import unittest

from watching import (FakeServer, Watcher, boolean, element, entry, intermediate, message, octets, result,
                      state_control)

PROGRAM = os.path.abspath(sys.argv.pop())

UUID = bytes(range(16))
UUID_TEXT = "00010203-0405-0607-0809-0a0b0c0d0e0f"
CSN = "20260101000000.%06dZ#000000#000#000000"
PRESENT, ADD, MODIFY, DELETE = range(4)

END_OF_DELETES = intermediate(element(0xA1))
# Without words: libldap 2.5.13 leaks those of any message that nobody asked for.
NOTICE = element(0x30, b"\x02\x01\x00", element(0x78, b"\x0a\x01\x34", octets(""), octets(""),
                                               octets("1.3.6.1.4.1.1466.20036", 0x8A)))


def cookie(*numbers):
    return "rid=000,csn=" + ";".join(CSN % number for number in numbers)


def changed(number, state, dn="uid=a,dc=x", sync_cookie=None, uuid=UUID):
    return message(number, entry(dn, uid=["a"]), [state_control(state, uuid, sync_cookie)])


def id_set(deletes, *uuids, sync_cookie=None):
    more = [octets(sync_cookie)] if sync_cookie else []
    return intermediate(element(0xA3, *more, boolean(deletes), element(0x31, *[octets(uuid) for uuid in uuids])))


class FaultsTest(unittest.TestCase):
    def serve(self, sync, **options):
        server = FakeServer(sync, **options)
        self.addCleanup(server.close)
        return server

    def watch(self, *servers, **environment):
        watcher = Watcher(PROGRAM, "dc=x", [server.uri for server in servers], **environment)
        self.addCleanup(watcher.close)
        return watcher

    def say(self, *said):
        """A server that says, on the first search, each of `said`: bytes, or what makes them of the search's number."""
        def sync(server, connection, number):
            for part in said:
                connection.sendall(part(number) if callable(part) else message(number, part))
        return self.serve(sync)

    def first_then_well(self, *said):
        """The same, but on later searches all is well."""
        def sync(server, connection, number):
            for part in said if server.searches == 1 else (END_OF_DELETES,):
                connection.sendall(part(number) if callable(part) else message(number, part))
        return self.serve(sync)

    # The refresh stage

    def test_changes_before_it_is_up(self):
        server = self.say(lambda n: changed(n, ADD, sync_cookie=cookie(3)), id_set(True, UUID, bytes(16)),
                          intermediate(octets(cookie(4), 0x80)), intermediate(element(0xA1, octets(cookie(2, 9)))),
                          lambda n: changed(n, ADD, sync_cookie=cookie(10)))
        watcher = self.watch(server)
        watcher.next("MARK")
        watcher.next("CHANGE")
        events = [(event.kind, event.change, event.id, event.mark, event.dn) for event in watcher.events]
        zero = "00000000-0000-0000-0000-000000000000"
        self.assertEqual(events, [
            ("UP", None, None, CSN % 1, None),
            ("CHANGE", "modify", UUID_TEXT, None, "uid=a,dc=x"),
            ("CHANGE", "delete", UUID_TEXT, None, ""),
            ("CHANGE", "delete", zero, None, ""),
            ("MARK", None, None, CSN % 2 + " " + CSN % 9, None),
            ("CHANGE", "add", UUID_TEXT, CSN % 10, "uid=a,dc=x"),
        ])

    def test_several_values_of_contextcsn(self):
        server = self.serve(lambda server, connection, n: connection.sendall(message(n, END_OF_DELETES)),
                            csn=(CSN % 7, CSN % 3))
        self.assertEqual(self.watch(server).next("UP").mark, CSN % 3 + " " + CSN % 7)

    def test_present_phase(self):
        """The server lists what it has: what is gone cannot be told from that."""
        for said in (lambda n: changed(n, PRESENT), id_set(False, UUID)):
            server = self.first_then_well(said, intermediate(element(0xA2)))
            watcher = self.watch(server)
            watcher.next("LOST")
            watcher.next("UP")
            self.assertEqual(["LOST", "UP"], watcher.kinds())

    def test_empty_present_phase(self):
        watcher = self.watch(self.say(intermediate(element(0xA2))))
        watcher.next("UP")

    def test_phase_that_goes_on(self):
        server = self.say(intermediate(element(0xA1, boolean(False))), lambda n: changed(n, ADD), END_OF_DELETES)
        watcher = self.watch(server)
        watcher.next("CHANGE")
        self.assertEqual(["UP", "CHANGE"], watcher.kinds())

    def test_refresh_that_never_ends(self):
        watcher = self.watch(self.say(lambda n: changed(n, ADD)), refresh_ms=300)
        self.assertIn("in time", watcher.next("LOST").words)
        self.assertEqual(["LOST"], watcher.kinds())

    def test_no_answer_to_the_first_question(self):
        server = self.serve(None)
        server.silent = True
        self.assertIn("in time", self.watch(server, connect_ms=300).next("LOST").words)

    # Results

    def test_refusals(self):
        for code in (12, 50, 53):
            server = self.say(result(0x65, code, "because"))
            event = self.watch(server, ask_again_ms=100).next("UNSUPPORTED")
            self.assertIn("(%d): because" % code, event.words)

    def test_other_results(self):
        for code in (0, 1, 3, 4, 11, 51, 52, 80, 4096):
            server = self.first_then_well(result(0x65, code))
            watcher = self.watch(server)
            watcher.next("LOST")
            watcher.next("UP")

    def test_results_while_it_is_up(self):
        for code in (0, 4096, 53):
            server = self.first_then_well(END_OF_DELETES, result(0x65, code))
            watcher = self.watch(server)
            watcher.next("UP")
            watcher.next("LOST")
            watcher.next("UP")
            self.assertEqual(["UP", "LOST", "UP"], watcher.kinds())

    def test_contextcsn_of_another_form(self):
        server = self.serve(None, csn=("a,b",))
        self.assertIn("form", self.watch(server).next("LOST").words)
        self.assertEqual(0, server.searches)

    def test_no_contextcsn(self):
        self.watch(self.serve(None, csn=None)).next("UNSUPPORTED")

    # The persist stage

    def test_deletes_by_id_while_it_is_up(self):
        watcher = self.watch(self.say(END_OF_DELETES, id_set(True, UUID, sync_cookie=cookie(5))))
        event = watcher.next("CHANGE")
        self.assertEqual((event.change, event.id, event.dn), ("delete", UUID_TEXT, ""))
        self.assertEqual(watcher.next("MARK").mark, CSN % 5)

    def test_what_means_nothing(self):
        server = self.say(END_OF_DELETES, lambda n: message(n + 50, result(0x65)),
                          element(0x73, octets("ldap://127.0.0.1:1/dc=y")), intermediate(b"?", "1.2.3"),
                          lambda n: changed(n, PRESENT), intermediate(octets("", 0x80)),
                          intermediate(octets("host:389#x#17", 0x80)), id_set(False), id_set(True),
                          lambda n: changed(n, MODIFY, dn="uid=b,dc=x"))
        watcher = self.watch(server)
        self.assertEqual(watcher.next("CHANGE").dn, "uid=b,dc=x")
        self.assertEqual(["UP", "CHANGE"], watcher.kinds())

    def test_what_ends_it(self):
        rows = {
            "a notice of disconnection": lambda n: NOTICE,
            "an id that is present": id_set(False, UUID),
            "a present phase": intermediate(element(0xA2)),
            "a delete phase": END_OF_DELETES,
            "an entry without its state": lambda n: message(n, entry("uid=a,dc=x")),
            "a state that is none": lambda n: changed(n, 4),
            "an id that is too short": lambda n: changed(n, ADD, uuid=UUID[1:]),
            "a cookie that is none": lambda n: changed(n, ADD, sync_cookie="rid=000,csn=?"),
            "a new cookie that is none": intermediate(octets("rid=000,csn=?", 0x80)),
            "an info message that is cut": intermediate(b"\x80\x05x"),
            "an empty info message": intermediate(b""),
            "a result without content": element(0x65),
            "an intermediate response without content": element(0x79, b"\xff\xff"),
            "an answer to a bind": element(0x61),
            "a message that is cut": lambda n: b"\x30\x03\x02\x01",
            "no LDAP": lambda n: b"GARBAGE GARBAGE",
            "a message beyond every limit": lambda n: b"\x30\x84\x7f\xff\xff\xff",
        }
        for row, said in rows.items():
            with self.subTest(row):
                server = self.first_then_well(END_OF_DELETES, said)
                watcher = self.watch(server, connect_ms=500, ping_ms=300)
                watcher.next("UP", timeout=5)
                watcher.next("LOST", timeout=5)
                watcher.next("UP", timeout=5)
                self.assertEqual(["UP", "LOST", "UP"], watcher.kinds())
                watcher.close()

    def test_byte_by_byte(self):
        def trickle(server, connection, number):
            for byte in message(number, END_OF_DELETES) + changed(number, ADD, sync_cookie=cookie(5)):
                connection.sendall(bytes([byte]))
                time.sleep(0.002)
        watcher = self.watch(self.serve(trickle))
        self.assertEqual(watcher.next("CHANGE").mark, CSN % 5)

    def test_thousands_in_one_go(self):
        def burst(server, connection, number):
            changes = b"".join(changed(number, MODIFY, "uid=%d,dc=x" % i) for i in range(5000))
            connection.sendall(message(number, END_OF_DELETES) + changes)
        watcher = self.watch(self.serve(burst))
        for i in range(5000):
            self.assertEqual(watcher.next("CHANGE").dn, "uid=%d,dc=x" % i)

    def test_silence(self):
        """Asked, and lost when there is no answer: a black hole."""
        server = self.say(END_OF_DELETES)
        watcher = self.watch(server, ping_ms=150, connect_ms=300)
        watcher.next("UP")
        time.sleep(1)
        self.assertEqual(["UP"], watcher.kinds())
        self.assertGreaterEqual(server.pings, 3)
        server.silent = True
        self.assertIn("in time", watcher.next("LOST").words)

    def test_too_much_before_it_is_up(self):
        def many(server, connection, number):
            if server.searches == 1:
                connection.sendall(b"".join(changed(number, ADD) for _ in range(50)))
            else:
                connection.sendall(message(number, END_OF_DELETES))
        watcher = self.watch(self.serve(many), max_queued=20)
        self.assertIn("could be heard", watcher.next("LOST").words)
        watcher.next("UP")
        self.assertEqual(["LOST", "UP"], watcher.kinds())

    def test_up_and_lost_again_and_again(self):
        """It is not tried without a pause: connections in a second."""
        server = self.say(END_OF_DELETES, lambda n: NOTICE)
        watcher = self.watch(server)
        watcher.next("LOST")
        time.sleep(1.5)
        self.assertLess(server.searches, 7)
        self.assertLess(watcher.stop(), 1)

    def test_no_memory_while_it_is_up(self):
        """Wherever it runs out: a change is told, or the watch is lost and comes up again."""
        outcomes = set()

        def sync(server, connection, number):
            server.change = lambda: connection.sendall(changed(number, MODIFY, sync_cookie=cookie(5)))
            connection.sendall(message(number, END_OF_DELETES))

        server = self.serve(sync)
        watcher = self.watch(server, steady_ms=0)
        watcher.next("UP")
        for n in range(1, 12):
            watcher.say("fail %d" % n)
            watcher.next("FAILING")
            server.change()
            event = watcher.next_of(("CHANGE", "LOST"))
            outcomes.add(event.kind)
            if event.kind == "LOST":
                watcher.next("UP")
        self.assertEqual({"CHANGE", "LOST"}, outcomes)

    def test_no_memory_while_it_begins(self):
        for n in range(1, 40):
            watcher = self.watch(self.say(lambda n: changed(n, ADD, sync_cookie=cookie(5)), END_OF_DELETES), fail_at=n,
                                 steady_ms=0)
            watcher.next("UP")
            self.assertEqual(CSN % 5, watcher.next("MARK").mark)
            watcher.close()

    def test_two_servers(self):
        bad = self.serve(None)
        bad.silent = True
        self.watch(bad, self.say(END_OF_DELETES), connect_ms=300).next("UP")


if __name__ == "__main__":
    unittest.main(verbosity=2)
