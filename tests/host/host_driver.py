# SPDX-License-Identifier: Apache-2.0
"""Runs wsman_host: what the host tests share."""
import os
import subprocess
import unittest

PLUGIN_FAILED = 0x80338083
REDIRECT = 0x80338199
DENIED = 5


class HostTest(unittest.TestCase):
    def host(self, plugin, policy, completion, test, *expected, timeout=90):
        """
        One run of the host. `expected`: (sender, code) or (sender, code of the user, code of operations).
        SIGPIPE has its default action in the host: Python's own, to ignore it, is not handed down.
        """
        words = ["%s=%s" % (sender, "/".join(str(code) for code in codes)) for sender, *codes in expected]
        done = subprocess.run([os.environ["WSMAUTHZ_HOST"], plugin, os.environ["WSMAUTHZ_STANDIN"], policy, completion,
                               test, *words], capture_output=True, timeout=timeout, check=False, restore_signals=True)
        self.assertEqual(done.returncode, 0, "%s %s ended with %d:\n%s%s" % (
            test, completion, done.returncode, done.stdout.decode(errors="replace"),
            done.stderr.decode(errors="replace")))
