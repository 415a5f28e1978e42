#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
A server whose TLS records are shorter than its messages, and come in one segment: the socket is empty while half of a message
waits in the TLS library. Samba's are of 1,024 bytes. Who waits for the socket then waits for ever.
"""
import contextlib
import selectors
import socket
import ssl
import sys
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
import testbed  # noqa: E402
from testbed import entry, person  # noqa: E402

RECORD_BYTES = 400
# Longer than an answer takes, so that all of its records leave together.
GATHER_S = 0.1


class ShortRecords:
    """Ends TLS in front of a plain server, on a port of its own; every answer leaves as many short records in one piece."""

    def __init__(self, certificate, server_port):
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate.certificate, certificate.key)
        self._server_port = server_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.longest = 0  # records of one answer
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        self._listener.close()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self._context.wrap_bio(incoming, outgoing, server_side=True)
        with client, socket.create_connection(("127.0.0.1", self._server_port)) as server, contextlib.suppress(OSError):
            while not self._has_shaken(tls):
                client.sendall(outgoing.read())
                incoming.write(client.recv(65536) or b"")
            client.sendall(outgoing.read())
            self._pass_on(server, tls)  # the bind may have come with the end of the handshake
            with selectors.DefaultSelector() as selector:
                selector.register(client, selectors.EVENT_READ)
                selector.register(server, selectors.EVENT_READ)
                while True:
                    for key, _ in selector.select():
                        if key.fileobj is client:
                            if not self._forward(client, server, tls, incoming):
                                return
                        elif not self._answer(client, server, tls, outgoing):
                            return

    @staticmethod
    def _has_shaken(tls):
        try:
            tls.do_handshake()
            return True
        except ssl.SSLWantReadError:
            return False

    def _forward(self, client, server, tls, incoming):
        data = client.recv(65536)
        incoming.write(data)
        return bool(data) and self._pass_on(server, tls)

    @staticmethod
    def _pass_on(server, tls):
        """False: the client has said goodbye."""
        with contextlib.suppress(ssl.SSLWantReadError):
            while data := tls.read(65536):
                server.sendall(data)
            return False
        return True

    def _answer(self, client, server, tls, outgoing):
        time.sleep(GATHER_S)
        data = server.recv(1 << 20)
        for begin in range(0, len(data), RECORD_BYTES):
            tls.write(data[begin:begin + RECORD_BYTES])
        self.longest = max(self.longest, -(-len(data) // RECORD_BYTES))
        client.sendall(outgoing.read())
        return bool(data)


def data(suffix):
    members = [person("alice")] + [person("user%03d" % i) for i in range(40)]
    group = entry("cn=admins," + suffix, objectClass="groupOfNames", cn="admins",
                  member=["uid=alice,ou=people," + suffix] + ["uid=user%03d,ou=people,%s" % (i, suffix) for i in range(40)])
    return "".join(members) + group


class TlsRecords(unittest.TestCase):

    def test_messages_of_many_records(self):
        program = testbed.wsmauthz()
        with testbed.Slapd(ldif=data("dc=corp,dc=example,dc=test")) as slapd:
            proxy = ShortRecords(slapd.authority.issue("proxy", names=("IP:127.0.0.1",)), slapd.port)
            self.addCleanup(proxy.close)
            policy = testbed.write_policy(slapd.directory + "/policy.xml", slapd, uri="ldaps://127.0.0.1:%d" % proxy.port,
                                          tls="ldaps", allow=["cn=admins," + slapd.suffix], timeout="10s")
            answers = testbed.check(program, policy, ["alice", "user001", "nobody"])
        self.assertEqual([answer["verdict"] for answer in answers], ["authorize", "authorize", "deny"], answers.stderr)
        self.assertGreater(proxy.longest, 3)


if __name__ == "__main__":
    testbed.main()
