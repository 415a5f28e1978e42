# SPDX-License-Identifier: Apache-2.0
"""A TCP proxy that does on command what networks do by accident; needs no privileges."""
import collections
import os
import select
import socket
import struct
import threading
import time

import testbed_process as process
from testbed_process import LOOPBACK

PASS = "pass"  # forward
DELAY = "delay"  # value: milliseconds that each answer is held back
HANG = "hang"  # accept, read and forward nothing; what waits goes on when the mode changes
RESET = "reset"  # RST: every connection now, each new one at once
CLOSE = "close"  # FIN: every connection now, each new one at once
REFUSE = "refuse"  # no listener: connection refused; existing connections are reset
CUT = "cut"  # value: bytes of answers on each connection after which it is reset, counted from now
GARBAGE = "garbage"  # answers are replaced by as many random bytes; such a connection is reset when the mode changes
DRIBBLE = "dribble"  # value: bytes of answers that go on each hundredth of a second
MUTE = "mute"  # half open: requests go on, answers are lost; a connection that lost some is reset when the mode changes

_MODES = (PASS, DELAY, HANG, RESET, CLOSE, REFUSE, CUT, GARBAGE, DRIBBLE, MUTE)

# How soon a connection notices a new mode.
_TICK_S = 0.01
_CHUNK = 65536


class TcpProxy:
    """
    Listens on a loopback port of its own (or on `port`) and forwards to `upstream_port`.

        with TcpProxy(slapd.port) as proxy:
            ... proxy.uri ...
            proxy.set_mode(testbed.HANG)
            proxy.set_mode(testbed.DELAY, 200)
            proxy.set_mode(testbed.PASS)

    Counters, each since the start: `accepted` connections, bytes forwarded `bytes_to_server` and
    `bytes_to_client`. `live` is the number of connections open now.
    Threads: set_mode and the counters may be used from any.
    """

    modes = _MODES

    def __init__(self, upstream_port, upstream_host=LOOPBACK, port=None):
        self._upstream = (upstream_host, upstream_port)
        self._control = threading.Lock()  # one change of mode at a time; taken before _lock
        self._lock = threading.Lock()  # guards what follows
        self._mode = (PASS, 0)
        self._links = set()
        self._listener = None
        self.accepted = self.bytes_to_server = self.bytes_to_client = 0
        self.port = None
        self._wanted_port = port

    def __enter__(self):
        process.start_with_retry(self._start_once)
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self):
        """Ends every connection and thread. May be called twice."""
        self._stop_listening()
        for link in self._current_links():
            link.break_off(reset=True)
            link.join()

    @property
    def uri(self):
        return "ldap://%s:%d" % (LOOPBACK, self.port)

    @property
    def ldaps_uri(self):
        """For a proxy in front of a server's ldaps port."""
        return "ldaps://%s:%d" % (LOOPBACK, self.port)

    @property
    def live(self):
        with self._lock:
            return len(self._links)

    def mode(self):
        """(mode, value)"""
        with self._lock:
            return self._mode

    def set_mode(self, mode, value=0):
        """Takes effect for new and for existing connections; see the modes above."""
        if mode not in self.modes:
            raise TypeError("unknown mode: %r" % (mode,))
        with self._control:
            with self._lock:
                self._mode = (mode, value)
            if mode == REFUSE:
                self._stop_listening()
            elif self._listener is None:
                self._listen()
            for link in self._current_links():
                link.mode_changed(mode)

    def count(self, to_server, to_client):
        with self._lock:
            self.bytes_to_server += to_server
            self.bytes_to_client += to_client

    def forget(self, link):
        with self._lock:
            self._links.discard(link)

    def make_link(self, client, server):
        """A connection; may be overridden."""
        return Link(self, client, server)

    def _start_once(self, attempt):
        self.port = self._wanted_port or process.free_port()
        self._listen()

    def _listen(self):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, self.port))
        except OSError as error:
            listener.close()
            raise process.PortTaken(str(error)) from error
        listener.listen(128)
        self._listener = listener
        self._acceptor = threading.Thread(target=self._accept, args=(listener,), daemon=True)
        self._acceptor.start()

    def _stop_listening(self):
        listener, self._listener = self._listener, None
        if listener:
            listener.shutdown(socket.SHUT_RDWR)  # wakes the thread in accept
            self._acceptor.join()
            listener.close()

    def _accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self._welcome(client)

    def _welcome(self, client):
        with self._lock:
            self.accepted += 1
            mode, _ = self._mode
        if mode in (RESET, CLOSE, REFUSE):
            _end(client, reset=mode != CLOSE)
            return
        try:
            server = socket.create_connection(self._upstream, timeout=10)
        except OSError:
            _end(client, reset=True)
            return
        link = self.make_link(client, server)
        with self._lock:
            self._links.add(link)
            mode, _ = self._mode
        link.mode_changed(mode)
        link.start()

    def _current_links(self):
        with self._lock:
            return list(self._links)


class Link(threading.Thread):
    """One connection through the proxy, served by a thread of its own."""

    def __init__(self, proxy, client, server):
        super().__init__(daemon=True)
        self._proxy, self._client, self._server = proxy, client, server
        self._answers = collections.deque()  # (due, bytes)
        self._answered = 0  # bytes, since the mode changed
        self._has_lost = None  # the mode in which something was lost for good
        self._ending = None  # None: goes on; else whether to end by RST
        for side in (client, server):
            side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def mode_changed(self, mode):
        self._answered = 0
        if self._has_lost is not None and mode != self._has_lost:
            self.break_off(reset=True)
        if mode in (RESET, CLOSE, REFUSE):
            self.break_off(reset=mode != CLOSE)

    def loses(self):
        """What it forwards has a gap: with the next mode it has to end."""
        self._has_lost = self._proxy.mode()[0]

    def break_off(self, reset):
        """Ask the thread to end; it does within a tick."""
        self._ending = reset

    def run(self):
        reset = False
        try:
            while self._ending is None and self._turn(*self._proxy.mode()):
                pass
            reset = bool(self._ending)
        except OSError:
            reset = True
        finally:
            _end(self._server, reset=False)
            _end(self._client, reset)
            self._proxy.forget(self)

    def _turn(self, mode, value):
        """Wait for something to do, a tick at most, and do it. False: the connection is over."""
        if mode == HANG:
            time.sleep(_TICK_S)
            return True
        wait = _TICK_S
        if self._answers:
            wait = max(0.0, min(wait, self._answers[0][0] - time.monotonic()))
        readable, _, _ = select.select([self._client, self._server], [], [], wait)
        if self._client in readable and not self._forward_request():
            return False
        more = self._server not in readable or self._take_answer(value if mode == DELAY else 0)
        return self._deliver(mode, value, everything=not more) and more

    def _forward_request(self):
        data = self._client.recv(_CHUNK)
        self._proxy.count(len(data), 0)
        self._send(self._server, self.requested(data))
        return bool(data)

    def _take_answer(self, delay_ms):
        data = self._server.recv(_CHUNK)
        if data:
            self._answers.append((time.monotonic() + delay_ms / 1000, self.answered(data)))
        return bool(data)

    def requested(self, data):
        """What goes on to the server of what the client sent; may be overridden, as the next one."""
        return data

    def answered(self, data):
        """What goes on to the client of what the server sent."""
        return data

    def _send(self, side, data):
        """Send all of it, or until the connection is to end: a peer that does not read must not hold this thread."""
        while data and self._ending is None:
            _, writable, _ = select.select([], [side], [], _TICK_S)
            if writable:
                data = data[side.send(data, socket.MSG_DONTWAIT):]

    def _deliver(self, mode, value, everything=False):
        """Send on the answers whose time has come. False: the connection was cut."""
        while self._answers and (everything or self._answers[0][0] <= time.monotonic()):
            _, data = self._answers.popleft()
            if mode == MUTE:
                self.loses()
                continue
            if mode == DRIBBLE and len(data) > value and not everything:
                self._answers.appendleft((time.monotonic() + _TICK_S, data[value:]))
                data = data[:value]
            if mode == GARBAGE:
                self.loses()
                data = os.urandom(len(data))
            if mode == CUT:
                data = data[:max(0, value - self._answered)]
            self._answered += len(data)
            self._proxy.count(0, len(data))
            self._send(self._client, data)
            if mode == CUT and self._answered >= value:
                self._ending = True
                return False
        return True


def _end(side, reset):
    """Close a socket; with `reset` its peer gets RST instead of FIN."""
    try:
        if reset:
            side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    except OSError:
        pass
    side.close()
