#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The watch without marks against a server that says what 389 Directory Server does not, or not often."""
import os
import sys
import threading
import time
import unittest

from watching import FakeServer, Watcher, element, entry, enumerated, message, octets, result

PROGRAM = os.path.abspath(sys.argv.pop())

PSEARCH = "2.16.840.1.113730.3.4.3"
DSE = {"supportedControl": ["1.2.3", PSEARCH], "netscapemdsuffix": ["cn=ldap://dc=a:389"], "dataversion": ["0201"]}
NAME = "server: cn=ldap://dc=a:389 0201"
ADD, DELETE, MODIFY, RENAME = 1, 2, 4, 8


def notice(value):
    return element(0x30, octets("2.16.840.1.113730.3.4.7"), octets(value))


def changed(number, change=MODIFY, dn="uid=a,dc=x", previous=None, **attributes):
    more = [octets(previous)] if previous is not None else []
    return message(number, entry(dn, uid=["a"], objectClass=["account"], **attributes), [notice(element(0x30, enumerated(change), *more))])


class PsearchTest(unittest.TestCase):
    def serve(self, *said, dse=DSE, first=None):
        """A server that says each of `said` once it is up, 0.3 s behind the search; `first`: at once."""
        def search(server, connection, number):
            if first is not None:
                connection.sendall(first(number))
            if said and (server.searches == 1 or first is not None):
                time.sleep(0.3)
            for part in said if server.searches == 1 else ():
                connection.sendall(part(number) if callable(part) else message(number, part))
        server = FakeServer(lambda *which: self.later(search, *which), csn=(), dse=dse)
        self.addCleanup(server.close)
        return server

    @staticmethod
    def later(search, server, connection, number):
        """The pings behind the search are answered meanwhile."""
        threading.Thread(target=search, args=(server, connection, number), daemon=True).start()

    def watch(self, server, **environment):
        watcher = Watcher(PROGRAM, "dc=x", [server.uri], **environment)
        self.addCleanup(watcher.close)
        return watcher

    def test_changes(self):
        watcher = self.watch(self.serve(
            lambda n: changed(n, ADD, nsUniqueId=["1-2-3-4"]), lambda n: changed(n, DELETE, entryUUID=["u"], nsUniqueId=["n"]),
            lambda n: changed(n, RENAME, "uid=b,dc=x", "uid=a,dc=x"), element(0x73, octets("ldap://127.0.0.1:1/dc=y")),
            lambda n: changed(n)))
        watcher.next("CHANGE", change="modify", dn="uid=a,dc=x")
        self.assertEqual([(event.kind, event.change, event.id, event.mark, event.dn) for event in watcher.events], [
            ("UP", None, None, NAME, None),
            ("CHANGE", "add", "1-2-3-4", None, "uid=a,dc=x"),
            ("CHANGE", "delete", "u", None, "uid=a,dc=x"),
            ("CHANGE", "modify", "uid=b,dc=x", None, "uid=b,dc=x"),
            ("CHANGE", "modify", "uid=a,dc=x", None, "uid=a,dc=x"),
        ])

    def test_changes_before_it_is_up(self):
        """They are in what is read from then on."""
        watcher = self.watch(self.serve(lambda n: changed(n, dn="uid=b,dc=x"), first=changed))
        self.assertEqual(watcher.next("CHANGE").dn, "uid=b,dc=x")
        self.assertEqual(["UP", "CHANGE"], watcher.kinds())

    def test_up_and_current_wait_for_what_is_on_its_way(self):
        server = self.serve()
        begin = time.monotonic()
        watcher = self.watch(server, settle_ms=300)
        self.assertGreater(watcher.next("UP").at, begin + 0.3)
        asked = time.monotonic()
        watcher.say("prove 5")
        self.assertGreater(watcher.next("CURRENT", words="5").at, asked + 0.3)

    def test_change_of_which_nothing_is_shown(self):
        """It is told, and the search begins anew: 389-ds-base 2.3.1 shows nothing more once a role was added."""
        watcher = self.watch(self.serve(lambda n: message(n, entry("cn=r,dc=x", hasSubordinates=["FALSE"]), [notice(element(0x30, enumerated(ADD)))])))
        watcher.next("CHANGE", dn="cn=r,dc=x", id="cn=r,dc=x")
        self.assertIn("shows nothing", watcher.next("LOST").words)
        watcher.next("UP")
        self.assertEqual(["UP", "CHANGE", "LOST", "UP"], watcher.kinds())

    def test_nothing_proves_it(self):
        server = self.serve()
        watcher = self.watch(server, connect_ms=400)
        watcher.next("UP")
        server.deaf = True
        watcher.say("prove 1")
        self.assertIn("in time", watcher.next("LOST").words)
        server.deaf = False
        watcher.next("UP")
        time.sleep(0.3)
        self.assertEqual(["UP", "LOST", "UP"], watcher.kinds())

    def test_search_that_is_not_taken_up(self):
        server = self.serve()
        server.deaf = True
        watcher = self.watch(server, connect_ms=300)
        self.assertIn("in time", watcher.next("LOST").words)
        self.assertEqual(["LOST"], watcher.kinds())

    def test_not_offered(self):
        for dse in (None, {}, {**DSE, "supportedControl": ["1.2.3"]}, {**DSE, "dataversion": []},
                    {name: DSE[name] for name in ("supportedControl", "dataversion")}):
            with self.subTest(dse):
                server = self.serve(dse=dse)
                self.assertIn("contextCSN", self.watch(server).next("UNSUPPORTED").words)
                self.assertEqual(server.searches, 0)

    def test_refusals(self):
        for code in (12, 50, 53):
            self.watch(self.serve(first=lambda n, code=code: message(n, result(0x65, code)))).next("UNSUPPORTED")
        for code in (0, 1, 3, 11, 51, 80):
            self.watch(self.serve(first=lambda n, code=code: message(n, result(0x65, code)))).next("LOST")

    def test_what_ends_it(self):
        rows = {
            "an entry without its notice": lambda n: message(n, entry("uid=a,dc=x")),
            "a notice of another form": lambda n: message(n, entry("uid=a,dc=x"), [notice(b"\x30\x03\x0a\x01\x03")]),
            "an empty notice": lambda n: message(n, entry("uid=a,dc=x"), [notice(b"")]),
            "a result": result(0x65, 53),
            "a result without content": element(0x65),
            "an answer to a bind": element(0x61),
            "no LDAP": lambda n: b"GARBAGE GARBAGE",
        }
        for row, said in rows.items():
            with self.subTest(row):
                watcher = self.watch(self.serve(said), connect_ms=500, ping_ms=300)
                for kind in ("UP", "LOST", "UP"):
                    watcher.next(kind, timeout=5)
                self.assertEqual(["UP", "LOST", "UP"], watcher.kinds())
                watcher.close()

    def test_no_memory_while_it_begins(self):
        for n in range(1, 30):
            watcher = self.watch(self.serve(), fail_at=n, steady_ms=0, settle_ms=1)
            watcher.next("UP")
            watcher.say("prove 1")
            if watcher.next_of(("CURRENT", "LOST")).kind == "LOST":
                watcher.next("UP")
            watcher.close()

    def test_no_memory_while_it_is_up(self):
        outcomes = set()

        def search(server, connection, number):
            server.change = lambda: connection.sendall(changed(number))

        server = FakeServer(search, csn=(), dse=DSE)
        self.addCleanup(server.close)
        watcher = self.watch(server, steady_ms=0, settle_ms=1)
        watcher.next("UP")
        for n in range(1, 10):
            watcher.say("fail %d" % n)
            watcher.next("FAILING")
            server.change()
            event = watcher.next_of(("CHANGE", "LOST"))
            outcomes.add(event.kind)
            if event.kind == "LOST":
                watcher.next("UP")
        self.assertEqual({"CHANGE", "LOST"}, outcomes)


if __name__ == "__main__":
    unittest.main(verbosity=2)
