#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
The bind password of a running plug-in: it is in none of its output, however much is logged, and of its memory only in the pages that
stay out of core dumps: not in buffers of libraries, nor in memory that was freed. (Of a SCRAM bind Cyrus SASL keeps a copy of its own for
as long as the connection lives; only the output is looked at there.)
"""
import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
import testbed  # noqa: E402
from testbed import Folder, Slapd, group, group_dn, person  # noqa: E402

PROGRAM = testbed.wsmauthz()
PLUGIN = testbed.plugin()
REGION = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S+) ")


def regions(pid):
    """(from, to, whether it is in core dumps) of each readable part of the process's memory."""
    found = []
    for line in Path("/proc/%d/smaps" % pid).read_text().splitlines():
        matched = REGION.match(line)
        if matched:
            start, end, permissions = int(matched[1], 16), int(matched[2], 16), matched[3]
        elif line.startswith("VmFlags:") and "r" in permissions:
            found.append((start, end, " dd" not in line))
    return found


def count_in_memory(pid, text):
    """How often the text stands in what a core dump would have, and in what it would not."""
    counts = {True: 0, False: 0}
    with open("/proc/%d/mem" % pid, "rb", buffering=0) as memory:
        for start, end, is_dumped in regions(pid):
            try:
                memory.seek(start)
                counts[is_dumped] += memory.read(end - start).count(text)
            except (OSError, ValueError):
                continue  # [vvar] and the like cannot be read, nor written by us
    return counts[True], counts[False]


class Secrets(unittest.TestCase):

    def test_the_password_is_nowhere_but_in_its_own_pages(self):
        folder = Folder()
        self.addCleanup(folder.remove)
        with Slapd(ldif=person("alice") + group("users", ["alice"])) as slapd:
            secret = slapd.service_password.encode()
            for bind, tls in (("simple", "none"), ("simple", "starttls"), ("simple", "ldaps"), ("SCRAM-SHA-256", "starttls")):
                with self.subTest(bind=bind, tls=tls):
                    policy = testbed.write_policy(folder.join("policy.xml"), slapd, allow=[group_dn("users")], bind=bind, tls=tls)
                    self.look_into(policy, secret, library_keeps_it=bind != "simple")

    def look_into(self, policy, secret, library_keeps_it):
        host = subprocess.Popen([PROGRAM, "host", "--plugin", PLUGIN, "--config", policy, "--log-level", "debug", "--script", "-"],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=dict(os.environ, LC_ALL="C"))
        output = b""
        try:
            host.stdin.write(b"connect CORP\\alice\nexpect authorize\n")
            host.stdin.flush()
            while b"AuthzUserComplete" not in output:
                line = host.stdout.readline()
                self.assertTrue(line, output)
                output += line
            dumped, kept_out = count_in_memory(host.pid, secret)
        finally:
            output += host.communicate(timeout=60)[0]
        self.assertEqual(host.returncode, 0, output)
        self.assertNotIn(secret, output)
        if not library_keeps_it:
            self.assertEqual(dumped, 0)
        self.assertGreater(kept_out, 0, "the password is in use, so it must be found somewhere: this test is blind")


if __name__ == "__main__":
    testbed.main()
