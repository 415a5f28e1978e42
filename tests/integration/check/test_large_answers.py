#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
Groups whose entry is larger than a TLS record (16 KB) and than what is read ahead of one. libldap takes one record at a call, and the
rest may be inside of it while the socket has nothing more to say: who then waits for the socket waits until the deadline.
"""
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
import testbed  # noqa: E402
from testbed import Folder, Slapd, group, group_dn, person  # noqa: E402

PROGRAM = testbed.wsmauthz()

# With a member's DN of about 50 bytes: below a record, a little above one and two, and many.
SIZES = (100, 330, 400, 700, 5000)


class LargeAnswers(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.folder = Folder()
        cls.addClassCleanup(cls.folder.remove)
        groups = "".join(group("of-%d" % size, ["alice"] + ["user-%05d" % i for i in range(size - 1)])
                         for size in SIZES)
        cls.slapd = cls.enterClassContext(Slapd(ldif=person("alice") + groups))

    @classmethod
    def enterClassContext(cls, manager):  # Python 3.11 has it
        entered = manager.__enter__()
        cls.addClassCleanup(manager.__exit__, None, None, None)
        return entered

    def test_members_of_large_groups_are_read_whatever_the_transport(self):
        for tls in ("none", "starttls", "ldaps"):
            for size in SIZES:
                with self.subTest(tls=tls, size=size):
                    policy = testbed.write_policy(self.folder.join("policy.xml"), self.slapd, tls=tls,
                                                  allow=[group_dn("of-%d" % size)])
                    [alice] = testbed.check(PROGRAM, policy, ["CORP\\alice"])
                    self.assertEqual((alice["verdict"], alice["reason"]), ("authorize", "member"), alice)


if __name__ == "__main__":
    testbed.main()
