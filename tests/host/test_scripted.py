#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The plug-in's edge in a host, with an engine that answers by a script (tests/support/engine_fake.h)."""
import os
import tempfile
import unittest

from host_driver import DENIED, PLUGIN_FAILED, REDIRECT, HostTest

ANSWERS = """
timeout 300
answer alice authorize member administrator quota=5,15,60,100
answer slow authorize member delay=5
answer carol error directory-unavailable
answer bob redirect site-elsewhere uri=https://emea.corp.example:5986/wsman
answer never authorize member never
answer refuse authorize member refuse
answer zeroed authorize member zeroed
"""
EXPECTED = [("alice", 0), ("slow", 0), ("eve", DENIED), ("carol", PLUGIN_FAILED), ("bob", REDIRECT, PLUGIN_FAILED),
            ("refuse", PLUGIN_FAILED), ("zeroed", DENIED)]


class ScriptedTest(HostTest):
    def run_host(self, test, *expected, script=ANSWERS, modes=("synchronous", "asynchronous")):
        for mode in modes:
            with self.subTest(mode), tempfile.TemporaryDirectory(prefix="wsmauthz-host-") as folder:
                policy = folder + "/policy"
                with open(policy, "w", encoding="utf-8") as file:
                    file.write(script + ("asynchronous\n" if mode == "asynchronous" else ""))
                self.host(os.environ["WSMAUTHZ_SCRIPTED_PLUGIN"], policy, mode, test, *expected)

    def test_exports(self):
        self.run_host("exports", modes=("synchronous",))

    def test_calls(self):
        self.run_host("calls", *EXPECTED)

    def test_matrix(self):
        self.run_host("matrix")

    def test_records(self):
        self.run_host("records", ("alice", 0))

    def test_startup_fails(self):
        self.run_host("startup-fails", script="unusable on purpose\n", modes=("synchronous",))
        self.host(os.environ["WSMAUTHZ_SCRIPTED_PLUGIN"], "/nonexistent/policy", "synchronous", "startup-fails")

    def test_two_applications(self):
        self.run_host("two-applications", ("alice", 0))

    def test_reload(self):
        self.run_host("reload", ("alice", 0))

    def test_threads(self):
        self.run_host("threads", *EXPECTED)

    def test_signals(self):
        self.run_host("signals", ("alice", 0))

    def test_shutdown_running(self):
        self.run_host("shutdown-running", ("never", 0), script=ANSWERS.replace("timeout 300", "timeout 60000"))

    def test_long(self):
        self.run_host("long", ("never", PLUGIN_FAILED))


if __name__ == "__main__":
    unittest.main()
