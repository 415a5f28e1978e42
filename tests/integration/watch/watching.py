# SPDX-License-Identifier: Apache-2.0
"""The watcher as an object, and a server that says just what a test lets it say."""
import os
import re
import socket
import subprocess
import threading
import time
from collections import namedtuple

PATIENCE_S = 20

Event = namedtuple("Event", "kind change id mark dn uid words at")


def read_event(line):
    kind, _, rest = line.rstrip("\n").partition(" ")
    event = Event(kind, None, None, None, None, None, rest, time.monotonic())
    if kind in ("UP", "MARK"):
        return event._replace(mark=rest)
    if kind == "CHANGE":
        change, uuid, mark, entry = rest.split(" ", 3)
        dn, _, uid = entry.rpartition("|")
        return event._replace(change=change, id=uuid, mark=None if mark == "-" else mark, dn=dn, uid=uid)
    return event


class Watcher:
    """Runs the watcher; what it says is kept in `events`, what it logs in `log`."""

    def __init__(self, program, base, uris, **environment):
        env = {name: value for name, value in os.environ.items() if not name.startswith(("LDAP", "WATCH_"))}
        env.update({"WATCH_" + name.upper(): str(value) for name, value in environment.items() if value is not None})
        self._heard = threading.Condition()
        self.events, self.log = [], []  # guarded by _heard
        self._seen = 0
        self._process = subprocess.Popen([program, base, *uris], env=env, stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self._readers = [threading.Thread(target=read, daemon=True) for read in (self._read, self._read_log)]
        for reader in self._readers:
            reader.start()

    def _read(self):
        for line in self._process.stdout:
            with self._heard:
                self.events.append(read_event(line))
                self._heard.notify_all()

    def _read_log(self):
        for line in self._process.stderr:
            with self._heard:
                self.log.append(line)

    def next(self, kind, timeout=PATIENCE_S, **wanted):
        """The next event of that kind that fits, behind those that were waited for before."""
        return self.next_of((kind,), timeout, **wanted)

    def next_of(self, kinds, timeout=PATIENCE_S, **wanted):
        end = time.monotonic() + timeout
        with self._heard:
            while True:
                while self._seen < len(self.events):
                    event = self.events[self._seen]
                    self._seen += 1
                    if event.kind in kinds and all(getattr(event, name) == value for name, value in wanted.items()):
                        return event
                if not self._heard.wait(end - time.monotonic()) and time.monotonic() >= end:
                    raise AssertionError("no %s %s, but %s\n%s" % (kinds, wanted, self.events[-9:], "".join(self.log)))

    def kinds(self):
        with self._heard:
            return [event.kind for event in self.events]

    def say(self, line):
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def stop(self):
        """End the watch; the seconds that it took."""
        self.say("stop")
        return int(self.next("STOPPED").words) / 1000

    def close(self):
        if self._process.stdin.closed:
            return
        self._process.stdin.close()
        try:
            self._process.wait(timeout=PATIENCE_S)
        finally:
            self._process.kill()
            self._process.wait()
            for reader in self._readers:
                reader.join()
            self._process.stdout.close()
            self._process.stderr.close()
        if self._process.returncode != 0 or self.events[-1].kind != "BYE":
            raise AssertionError("the watcher ended with %d:\n%s" % (self._process.returncode, "".join(self.log)))


# BER, as much as an LDAP server needs that answers binds and searches

def element(tag, *contents):
    data = b"".join(contents)
    size = len(data)
    length = bytes([size]) if size < 128 else b"\x84" + size.to_bytes(4, "big")
    return bytes([tag]) + length + data


def octets(text, tag=0x04):
    return element(tag, text.encode() if isinstance(text, str) else text)


def integer(value, tag=0x02):
    return element(tag, value.to_bytes(4, "big"))


def enumerated(value):
    return element(0x0A, value.to_bytes(2, "big") if value > 127 else bytes([value]))


def boolean(value):
    return element(0x01, b"\xff" if value else b"\x00")


def message(number, operation, controls=()):
    more = [element(0xA0, *controls)] if controls else []
    return element(0x30, integer(number), operation, *more)


def result(tag, code=0, text=""):
    return element(tag, enumerated(code), octets(""), octets(text))


def entry(dn, **attributes):
    lines = [element(0x30, octets(name), element(0x31, *[octets(value) for value in values]))
             for name, values in attributes.items()]
    return element(0x64, octets(dn), element(0x30, *lines))


def intermediate(value, oid="1.3.6.1.4.1.4203.1.9.1.4"):
    return element(0x79, octets(oid, 0x80), octets(value, 0x81))


def state_control(state, uuid, cookie=None):
    value = element(0x30, enumerated(state), octets(uuid), *([octets(cookie)] if cookie else []))
    return element(0x30, octets("1.3.6.1.4.1.4203.1.9.1.2"), octets(value))


class FakeServer:
    """
    Answers binds and base searches; a search with the sync control, or a persistent one, is given to `sync(server, connection,
    number)`, which says what it likes. `csn`: the values of contextCSN. `dse`: attributes of the root DSE, which says who it is.
    `silent`: answers nothing any more. `deaf`: no pings.
    """

    def __init__(self, sync, csn=("20260101000000.000001Z#000000#000#000000",), dse=None):
        self._sync = sync
        self.csn = csn
        self.dse = dse
        self.deaf = False
        self.silent = False
        self.searches = 0  # with the control
        self.pings = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.uri = "ldap://127.0.0.1:%d" % self._listener.getsockname()[1]
        self._connections = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        """May be called twice."""
        if self._listener.fileno() < 0:
            return
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._connections:
            connection.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        data = b""
        try:
            while True:
                more = connection.recv(65536)
                if not more:
                    return
                data += more
                while (size := _message_size(data)) and len(data) >= size:
                    self._answer(connection, data[:size])
                    data = data[size:]
        except OSError:
            pass

    def _answer(self, connection, request):
        number, operation = _read_request(request)
        if self.silent or operation in (0x42, 0x50):
            return
        if operation == 0x60:
            connection.sendall(message(number, result(0x61)))
        elif b"1.3.6.1.4.1.4203.1.9.1.1" in request or b"2.16.840.1.113730.3.4.3" in request:
            self.searches += 1
            self._sync(self, connection, number)
        elif b"contextCSN" in request:
            answer = message(number, entry("dc=x", contextCSN=self.csn)) if self.csn is not None else b""
            connection.sendall(answer + message(number, result(0x65)))
        elif b"netscapemdsuffix" in request:
            answer = message(number, entry("", **self.dse)) if self.dse is not None else b""
            connection.sendall(answer + message(number, result(0x65)))
        elif not self.deaf:
            self.pings += 1
            connection.sendall(message(number, result(0x65)))


def _message_size(data):
    """Of the first message; None: not to be seen yet."""
    if len(data) < 2:
        return None
    if data[1] < 0x80:
        return 2 + data[1]
    count = data[1] & 0x7F
    return 2 + count + int.from_bytes(data[2:2 + count], "big") if len(data) >= 2 + count else None


def _read_request(request):
    """Its number and the tag of its operation."""
    at = 2 if request[1] < 0x80 else 2 + (request[1] & 0x7F)
    length = request[at + 1]
    return int.from_bytes(request[at + 2:at + 2 + length], "big"), request[at + 2 + length]


CSN = re.compile(r"\d{14}\.\d{6}Z#[0-9a-f]{6}#[0-9a-f]{3}#[0-9a-f]{6}")
