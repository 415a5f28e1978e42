#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Calls that do not come back in time, and a module that is unloaded meanwhile: `aside.py HOST MODULE`."""
import os
import sys
import unittest

from testbed_wine import Wine

MODULE = os.path.abspath(sys.argv.pop())
HOST = os.path.abspath(sys.argv.pop())


class Aside(unittest.TestCase):
    def test_a_module_is_never_unloaded_under_a_running_thread(self):
        with Wine() as wine:
            done = wine.run(HOST, wine.path(MODULE), timeout=240)
        self.assertEqual((0, "OK\n"), (done.returncode, done.stdout), done.stderr)


if __name__ == "__main__":
    unittest.main()
