#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
wsmauthz.dll in a host whose thread impersonates (tests/windows/impersonating.c), before a real directory. Wine writes down what
each thread asks of the system, and what would be written to the Event Log.
"""
import os
import re
import shutil
import sys
import unittest

from company import Company
from testbed_wine import Wine

LIBRARY, STANDIN, HOST = (os.environ[name] for name in ("WSMAUTHZ_PLUGIN", "WSMAUTHZ_STANDIN", "WSMAUTHZ_IMPERSONATING"))

# Shutdown ends the watch of the policy's folder by it: no file is looked at.
HARMLESS = {"NtCancelIoFileEx"}
STARTED, CONNECTED, STOPPED = 0x4000000a, 0x4000001e, 0x4000000b
AUTHORIZED, AUTHORIZED_AGAIN, DENIED, NOT_STARTED = 0x40000064, 0x40000065, 0x80000067, 0xc000000c
EVENTS = "fixme+advapi,+eventlog"


class PluginTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.wine = Wine()
        cls.addClassCleanup(cls.wine.close)
        cls.company = Company()
        cls.addClassCleanup(cls.company.close)
        cls.policy = cls.company.policy("clear", "ldap://127.0.0.1:%d" % cls.company.port, '<tls mode="none"/>',
                                        audit='<audit to="eventlog"/>')

    def host(self, sender, channels, policy=None):
        """(caller's thread, what it says, [(thread, channel, text)])"""
        done = self.wine.run(HOST, self.wine.path(LIBRARY), self.wine.path(STANDIN), self.wine.path(policy or self.policy), sender,
                             WINEDEBUG="-all," + channels)
        self.assertEqual(done.returncode, 0, done)
        caller, said = re.match(r"caller ([0-9a-f]{4})\n(.*)\nunloaded 1 threads 1\n$", done.stdout).groups()
        return caller, said, re.findall(r"^([0-9a-f]{4}):\w+:(\w+):(.*)$", done.stderr, re.M)

    def events(self, lines):
        """[(id, line, thread)] in their order"""
        found = []
        for thread, channel, text in lines:
            number = re.match(r"ReportEventW \(\w+,0x\w+,0x0000,0x(\w+),", text)
            if number:
                found.append([int(number.group(1), 16), None, thread])
            elif channel == "eventlog" and text.startswith('ReportEventW L"'):
                found[-1][1] = text
        return found

    def test_a_thread_that_impersonates_does_no_io_and_stays_what_it_is(self):
        caller, said, lines = self.host("CORP\\alice", "+file,+winsock,+reg")
        self.assertEqual(said, "started 0 user 0 operation 0 stopped 0 completions 2 token 1 impersonating 1 1")
        asked = [(channel, text) for thread, channel, text in lines if thread == caller and text.split(" ")[0] not in HARMLESS]
        self.assertEqual(asked, [])
        # It is not that nothing was written down: others read the policy and connect.
        others = [(channel, text) for thread, channel, text in lines if thread != caller]
        self.assertTrue(any(channel == "file" and "policy.xml" in text for channel, text in others))
        self.assertTrue(any(channel == "winsock" and text.startswith("connect") for channel, text in others))

    def test_events_of_a_life_have_their_numbers(self):
        caller, said, lines = self.host("CORP\\alice", EVENTS)
        self.assertTrue(said.startswith("started 0 user 0 "), said)
        events = self.events(lines)
        numbers = [number for number, *_ in events]
        self.assertEqual([number for number in numbers if number in (STARTED, AUTHORIZED, AUTHORIZED_AGAIN, STOPPED)],
                         [STARTED, AUTHORIZED, AUTHORIZED_AGAIN, STOPPED], events)
        self.assertIn(CONNECTED, numbers)
        self.assertIn("policy.xml", dict((number, text) for number, text, _ in events)[STARTED])
        # The caller impersonates: it asks the service of nothing. The source is opened once.
        self.assertNotIn(caller, [thread for *_, thread in events])
        self.assertEqual(sum(text.startswith("RegisterEventSourceW") for _, _, text in lines), 1)

    def test_a_denial_is_an_event_and_its_name_fills_in_nothing(self):
        _, said, lines = self.host("CORP\\eve%1", EVENTS)
        self.assertTrue(said.startswith("started 0 user 5 operation 5 "), said)
        denials = [text for number, text, _ in self.events(lines) if number == DENIED]
        self.assertEqual(len(denials), 2, lines)
        for text in denials:
            self.assertIn("eve\\\\u00251", text)
            self.assertNotIn("%1", text)

    def test_a_policy_that_is_not_there_is_told_and_starts_nothing(self):
        _, said, lines = self.host("CORP\\alice", EVENTS, policy=self.policy + ".none")
        self.assertEqual(said, "started %d user 0 operation 0 stopped 0 completions 0 token 0 impersonating 1 1" % 0x80338190)
        [[number, text, _]] = self.events(lines)
        self.assertEqual(number, NOT_STARTED)
        self.assertIn("policy.xml.none", text)

    def test_without_the_hosts_library_it_is_refused_when_it_is_loaded(self):
        alone = os.path.join(self.wine.folder, "alone")
        os.mkdir(alone)
        for file in (LIBRARY, HOST):
            shutil.copy(file, alone)
        done = self.wine.run(os.path.join(alone, os.path.basename(HOST)), "--load-alone",
                             self.wine.path(os.path.join(alone, "wsmauthz.dll")))
        self.assertEqual(done.stdout, "not loaded: 126\n", done)  # ERROR_MOD_NOT_FOUND


if __name__ == "__main__":
    if not all(os.path.exists(path) for path in (LIBRARY, STANDIN, HOST)):
        sys.exit("not built: %s, %s, %s" % (LIBRARY, STANDIN, HOST))
    unittest.main()
