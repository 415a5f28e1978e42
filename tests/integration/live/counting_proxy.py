# SPDX-License-Identifier: Apache-2.0
"""A proxy that knows what is asked: how much a host costs a directory."""
import socket
import struct
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
import testbed_process as process  # noqa: E402
from testbed_process import LOOPBACK  # noqa: E402

# RFC 4511 4.5.1: [APPLICATION 3]
_SEARCH = 0x63


class CountingProxy:
    """
    Forwards ldap connections (in clear text) and keeps what is searched for.

    set_open(False) resets all connections and refuses new ones, until set_open(True).
    """

    def __init__(self, upstream):
        self._upstream = upstream
        self._lock = threading.Lock()  # guards what follows
        self._searches = []  # (when, the number of the connection, the request)
        self._sockets = []
        self._listener = None
        self._count = 0
        self.port = process.free_port()
        self.set_open(True)

    @property
    def uri(self):
        return "ldap://%s:%d" % (LOOPBACK, self.port)

    def set_open(self, is_open):
        with self._lock:
            if is_open and self._listener is None:
                self._listener = socket.create_server((LOOPBACK, self.port), backlog=64)
                threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()
            elif not is_open and self._listener is not None:
                self._listener.shutdown(socket.SHUT_RDWR)
                self._listener.close()
                self._listener = None
                for end in self._sockets:
                    _reset(end)
                self._sockets.clear()

    def close(self):
        self.set_open(False)

    def searches(self, since=0.0, containing=b""):
        """The requests after `since` (time.monotonic()) in which these bytes are."""
        with self._lock:
            return [request for at, _, request in self._searches if at > since and containing in request]

    def connections(self, since=0.0, containing=b""):
        """The numbers of the connections by which they came."""
        with self._lock:
            return {number for at, number, request in self._searches if at > since and containing in request}

    def _accept(self, listener):
        while True:
            try:
                client = listener.accept()[0]
            except OSError:
                return
            try:
                server = socket.create_connection(self._upstream, timeout=5)
            except OSError:
                _reset(client)
                continue
            server.settimeout(None)
            with self._lock:
                self._sockets += [client, server]
                self._count += 1
                number = self._count
            threading.Thread(target=self._forward, args=(client, server, number), daemon=True).start()
            threading.Thread(target=self._forward, args=(server, client, None), daemon=True).start()

    def _forward(self, source, target, number):
        """number: of the connection, to the server; None: the other direction."""
        waiting = b""
        try:
            while data := source.recv(65536):
                if number is not None:
                    waiting = self._read(waiting + data, number)
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _read(self, data, number):
        """Keep the searches in it; returns what is not a whole message yet."""
        while (size := _message_size(data)) is not None and len(data) >= size:
            message, data = data[:size], data[size:]
            if _operation(message) == _SEARCH:
                with self._lock:
                    self._searches.append((time.monotonic(), number, message))
        return data


def _element(data, at):
    """Where the content of the element begins, and its length; None: it is not all there."""
    if len(data) < at + 2:
        return None
    first = data[at + 1]
    count = first & 0x7F if first & 0x80 else 0
    if len(data) < at + 2 + count:
        return None
    return at + 2 + count, int.from_bytes(data[at + 2:at + 2 + count], "big") if count else first


def _message_size(data):
    found = _element(data, 0)
    return found and sum(found)


def _operation(message):
    begin, _ = _element(message, 0)
    return message[sum(_element(message, begin))]


def _reset(end):
    try:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    end.close()
