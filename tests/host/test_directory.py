#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The plug-in in a host, before a real slapd and before directories that break."""
import collections
import json
import os
import socket
import struct
import tempfile
import threading
import unittest

import testbed
from host_driver import DENIED, PLUGIN_FAILED, REDIRECT, HostTest
from testbed import Slapd, TcpProxy, group, person

LDIF = (person("alice") + person("bob", l="Rome") + person("eve") + group("inner", ["alice", "bob"]) +
        group("ops", ["cn=inner,ou=groups," + testbed.DEFAULT_SUFFIX]))
SITE = {"attribute": "l", "here": "Oslo",
        "sites": [{"name": "Rome", "uri": "https://winrm-rome.corp.example.test:5986/wsman"}]}
MODES = ("synchronous", "asynchronous")


class Resetter:
    """A listener that takes every connection and resets it, at once or after the first bytes came."""

    def __init__(self, reads_first):
        self._reads_first = reads_first
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exception):
        # Closing alone would not wake the accept.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _run(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                try:
                    if self._reads_first:
                        connection.recv(1)
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                except OSError:
                    pass


class DirectoryTest(HostTest):
    @classmethod
    def setUpClass(cls):
        cls.plugin = testbed.plugin()
        cls.slapd = cls.enterClass(Slapd(ldif=LDIF)) if hasattr(cls, "enterClass") else cls._start()
        cls.expected = [("CORP\\alice", 0), ("bob@corp.example.test", REDIRECT, 0), ("eve", DENIED),
                        ("nobody", DENIED), ("OTHER\\alice", DENIED), ("al*", DENIED)]

    @classmethod
    def _start(cls):
        slapd = Slapd(ldif=LDIF)
        slapd.__enter__()
        cls.addClassCleanup(slapd.__exit__, None, None, None)
        return slapd

    def policy(self, mode, name="policy.xml", audit="", **options):
        folder = tempfile.TemporaryDirectory(prefix="wsmauthz-host-")
        self.addCleanup(folder.cleanup)
        options.setdefault("timeout", "3s")
        return testbed.write_policy(folder.name + "/" + name, self.slapd, allow=[self.slapd.group_dn("ops")],
                                    redirect=SITE, extra='<plugin completion="%s"/>%s' % (mode, audit), **options)

    def run_host(self, test, *expected, modes=MODES, **options):
        for mode in modes:
            with self.subTest(mode):
                self.host(self.plugin, self.policy(mode, **options), mode, test, *expected)

    def test_exports(self):
        self.run_host("exports", modes=MODES[:1])

    def test_calls(self):
        self.run_host("calls", *self.expected)

    def test_matrix(self):
        self.run_host("matrix")

    def test_matrix__what_the_edge_refuses_is_audited_too(self):
        for mode in MODES:
            with self.subTest(mode):
                policy = self.policy(mode, audit='<audit to="file" file="audit.log"/>')
                self.host(self.plugin, policy, mode, "matrix")
                with open(os.path.join(os.path.dirname(policy), "audit.log"), encoding="utf-8") as file:
                    records = [json.loads(line) for line in file]
                reasons = collections.Counter((record["verdict"], record["reason"]) for record in records)
                # Each of the three kinds of call; without a context there is no policy, and so no audit.
                self.assertEqual(reasons, {("error", "bad-call"): 3, ("deny", "bad-sender-name"): 6,
                                           ("deny", "no-token"): 3})

    def test_records(self):
        self.run_host("records", ("CORP\\alice", 0))

    def test_two_applications(self):
        self.run_host("two-applications", ("CORP\\alice", 0))

    def test_reload(self):
        self.run_host("reload", ("CORP\\alice", 0))

    def test_reload__over_tls(self):
        self.run_host("reload", ("CORP\\alice", 0), tls="ldaps")

    def test_threads(self):
        self.run_host("threads", *self.expected)

    def test_threads__without_a_cache_over_tls(self):
        self.run_host("threads", *self.expected, tls="starttls",
                      cache={"ttl": "0s", "negative_ttl": "0s", "unwatched_ttl": "0s"})

    def test_signals(self):
        self.run_host("signals", ("CORP\\alice", 0))

    def test_startup_fails(self):
        for text in ("", "<wsmauthz/>", "<wsmauthz xmlns='urn:wsmauthz:policy:1'><alow/></wsmauthz>"):
            path = self.policy("synchronous")
            testbed.write_file(path, text, 0o600)
            self.host(self.plugin, path, "synchronous", "startup-fails")
        path = self.policy("synchronous")
        os.chmod(path, 0o666)
        self.host(self.plugin, path, "synchronous", "startup-fails")
        self.host(self.plugin, "/nonexistent/policy.xml", "synchronous", "startup-fails")

    def test_broken_connections__are_errors_and_kill_nobody(self):
        for reads_first in (False, True):
            for tls in ("none", "starttls", "ldaps"):
                with Resetter(reads_first) as server:
                    scheme = "ldaps" if tls == "ldaps" else "ldap"
                    self.run_host("long", ("alice", PLUGIN_FAILED), timeout="500ms", tls=tls,
                                  uri="%s://127.0.0.1:%d" % (scheme, server.port), modes=MODES[:1])

    def test_no_listener__is_an_error(self):
        self.run_host("long", ("alice", PLUGIN_FAILED), timeout="500ms",
                      uri="ldap://127.0.0.1:%d" % testbed.free_port())

    def test_silent_directory__is_an_error_at_the_deadline(self):
        with TcpProxy(self.slapd.port) as proxy:
            proxy.set_mode(testbed.HANG)
            self.run_host("long", ("alice", PLUGIN_FAILED), timeout="500ms", uri=proxy.uri)

    def test_shutdown_running__with_a_silent_directory(self):
        with TcpProxy(self.slapd.port) as proxy:
            proxy.set_mode(testbed.HANG)
            self.run_host("shutdown-running", ("alice", 0), timeout="60s", uri=proxy.uri)


if __name__ == "__main__":
    testbed.main()
