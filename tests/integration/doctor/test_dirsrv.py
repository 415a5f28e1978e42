#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`wsmauthz doctor` against 389 Directory Server, which is watched by a persistent search and has no marks."""
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
import testbed  # noqa: E402
from doctoring import Doctoring, doctor  # noqa: E402
from testbed import Folder, group, group_dn, person  # noqa: E402
from testbed_dirsrv import Dirsrv  # noqa: E402


class WithoutMarks(Doctoring, unittest.TestCase):

    def test_watch__is_a_persistent_search(self):
        with Folder() as folder, Dirsrv(person("alice") + group("admins", ["alice"])) as server:
            policy = testbed.write_policy(folder.join("policy.xml"), server, allow=[group_dn("admins")], tls="none")
            findings = doctor(policy)

        self.assert_line(findings, "server-type", "ok", "^LDAP, 389 Project")
        self.assert_line(findings, "group", "ok", "^1 member; id [0-9a-f-]+$", subject="cn=admins")
        self.assert_line(findings, "mark", "ok", "a persistent search and who the server is take its place")
        self.assert_line(findings, "watch", "ok", "^a persistent search: .*used for 300 s")
        self.assert_line(findings, "clock", "not-tried", "does not tell its time")


if __name__ == "__main__":
    testbed.main()
