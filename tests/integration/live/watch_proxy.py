# SPDX-License-Identifier: Apache-2.0
"""A proxy that knows the watch's connection by what is asked on it, and does to it what networks do."""
import select
import socket
import struct
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
import testbed_process as process  # noqa: E402
from testbed_process import LOOPBACK  # noqa: E402

# RFC 4533 section 2.2: the Sync Request control; the persistent search. They travel in clear text here.
_WATCHES = (b"1.3.6.1.4.1.4203.1.9.1.1", b"2.16.840.1.113730.3.4.3")

PASS, FREEZE, CUT = "pass", "freeze", "cut"


class WatchProxy:
    """
    Forwards ldap connections. The first `read_connections` of them go to `upstream_port`, the others (the watch is begun
    after the pool's) to `watch_port`, which is the same unless said otherwise.

    set_watch(FREEZE) holds back everything on the watch's connection in both directions, CUT resets it; both apply to
    new ones too, until set_watch(PASS).
    """

    def __init__(self, upstream_port, watch_port=None, read_connections=2):
        self._ports = (upstream_port, watch_port or upstream_port)
        self._read_connections = read_connections
        self._lock = threading.Lock()  # guards what follows
        self._links = []
        self._mode = PASS
        self.accepted = 0
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.port = process.free_port()
        self._listener.bind((LOOPBACK, self.port))
        self._listener.listen(64)
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    @property
    def uri(self):
        return "ldap://%s:%d" % (LOOPBACK, self.port)

    @property
    def mode(self):
        with self._lock:
            return self._mode

    def watches(self):
        """How many connections are the watch's now."""
        with self._lock:
            return sum(link.is_watch and link.is_alive() for link in self._links)

    def set_watch(self, mode):
        with self._lock:
            self._mode = mode
            links = list(self._links)
        if mode == CUT:
            for link in links:
                if link.is_watch:
                    link.reset()

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        self._listener.close()
        with self._lock:
            links = list(self._links)
        for link in links:
            link.reset()
            link.join()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.accepted += 1
                port = self._ports[self.accepted > self._read_connections]
            try:
                link = _Link(self, client, socket.create_connection((LOOPBACK, port), timeout=10))
            except OSError:
                client.close()
                continue
            with self._lock:
                self._links.append(link)
            link.start()


class _Link(threading.Thread):
    def __init__(self, proxy, client, server):
        super().__init__(daemon=True)
        self._proxy, self._client, self._server = proxy, client, server
        self._is_over = False
        self.is_watch = False

    def reset(self):
        self._is_over = True

    def run(self):
        try:
            while not self._is_over and self._turn():
                pass
        except OSError:
            pass
        finally:
            self._client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._client.close()
            self._server.close()

    def _turn(self):
        if self.is_watch and self._proxy.mode == CUT:
            return False
        if self.is_watch and self._proxy.mode == FREEZE:
            select.select([], [], [], 0.01)
            return True
        readable, _, _ = select.select([self._client, self._server], [], [], 0.01)
        return all(self._forward(side) for side in readable)

    def _forward(self, side):
        data = side.recv(65536)
        if side is self._client and any(watch in data for watch in _WATCHES):
            self.is_watch = True
        if self.is_watch and self._proxy.mode != PASS and side is self._client and data:
            while self._proxy.mode == FREEZE and not self._is_over:
                select.select([], [], [], 0.01)
        (self._server if side is self._client else self._client).sendall(data)
        return bool(data)
