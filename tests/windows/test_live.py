#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
wsmauthz.exe under Wine, while the directory changes: who is thrown out of a group loses the next operation, on OpenLDAP (contextCSN is polled)
and on a real domain controller (highestCommittedUSN is); a directory that dies and comes back.
"""
import json
import os
import subprocess
import tempfile
import time
import unittest

import testbed_network
from testbed import Slapd, group, person, write_policy
from testbed_samba import Samba
from testbed_wine import Wine

PROGRAM = os.environ["WSMAUTHZ_CLI"]

# The promise, on a machine that has time for it; and what is waited for on one that has none.
PROMISE_S = 1
BUSY_S = 20


def setUpModule():
    # Before Wine, whose server holds its sockets, and for both servers alike.
    testbed_network.enter()


class Case(unittest.TestCase):
    server = None
    domain = "CORP"

    @classmethod
    def start(cls, server):
        server.__enter__()
        cls.addClassCleanup(server.__exit__, None, None, None)
        cls.server = server
        cls.wine = Wine()
        cls.addClassCleanup(cls.wine.close)
        folder = tempfile.TemporaryDirectory(prefix="wsmauthz-live-")
        cls.addClassCleanup(folder.cleanup)
        cls.policy = write_policy(os.path.join(folder.name, "policy.xml"), server, domain=cls.domain, identity="name",
                                  allow=[server.group_dn("outer")], timeout="20s")
        cls.process = subprocess.Popen(["wine", PROGRAM, "check", "--json", "--config", cls.wine.path(cls.policy), "-"],
                                       env=cls.wine.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL, encoding="utf-8")
        cls.addClassCleanup(cls.end)

    @classmethod
    def end(cls):
        cls.process.stdin.close()
        cls.process.wait(60)
        cls.process.stdout.close()

    def ask(self, name):
        self.process.stdin.write("%s\\%s\n" % (self.domain, name))
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def until(self, name, verdict, reason):
        """The seconds until that is the answer."""
        begin = time.monotonic()
        while True:
            asked = time.monotonic()
            answer = self.ask(name)
            if (answer["verdict"], answer["reason"]) == (verdict, reason):
                return asked - begin
            self.assertLess(asked - begin, BUSY_S, answer)
            time.sleep(0.01)

    def warm(self, name):
        """Until the answer comes without a question to the directory."""
        end = time.monotonic() + BUSY_S
        while not self.ask(name)["cached"]:
            self.assertLess(time.monotonic(), end)

    def change(self, action, name):
        self.server.modify("dn: %s\nchangetype: modify\n%s: member\nmember: %s\n" % (
            self.server.group_dn("inner"), action, self.server.person_dn(name)))

    def check_revocations(self):
        took = []
        for _ in range(3):
            self.until("bob", "authorize", "member")
            self.warm("bob")
            self.change("delete", "bob")
            took.append(self.until("bob", "deny", "not-a-member"))
            self.assertEqual("authorize", self.ask("alice")["verdict"])
            self.change("add", "bob")
        self.assertLess(min(took), PROMISE_S, took)


class OpenLdap(Case):
    @classmethod
    def setUpClass(cls):
        people = ["alice", "bob"]
        text = "".join(person(name) for name in people) + group("inner", people)
        cls.start(Slapd(ldif=text + group("outer", ["cn=inner,ou=groups,dc=corp,dc=example,dc=test"])))

    def test_who_is_thrown_out_loses_the_next_operation(self):
        self.check_revocations()

    def test_a_directory_that_dies_and_comes_back(self):
        self.until("alice", "authorize", "member")
        self.server.kill()
        self.until("alice", "error", "directory-unavailable")
        self.server.start()
        self.until("alice", "authorize", "member")


class DomainController(Case):
    domain = Samba.domain

    @classmethod
    def setUpClass(cls):
        def fill(domain):
            inner = domain.group("inner", [domain.user("alice"), domain.user("bob")])
            domain.group("outer", [inner])

        cls.start(Samba(fill))

    def test_who_is_thrown_out_loses_the_next_operation(self):
        self.check_revocations()


if __name__ == "__main__":
    unittest.main()
