# SPDX-License-Identifier: Apache-2.0
"""The few LDAP requests (RFC 4511) that the conductor makes, on one connection, without a program for each."""
import re
import socket
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import testbed_ber as ber  # noqa: E402
from testbed_process import LOOPBACK  # noqa: E402

_BIND, _MODIFY, _ADD, _DELETE, _RENAME = 0x60, 0x66, 0x68, 0x4a, 0x6c
_SEARCH, _SEARCH_DONE = 0x63, 0x65
_ADD_VALUES, _DELETE_VALUES, _REPLACE = 0, 1, 2
_TIMEOUT_S = 30
#: What is said of a request that was carried out before: no such attribute, value exists, no such object, entry exists.
DONE_BEFORE = (16, 20, 32, 68)


class Unreachable(Exception):
    """Whether the last request was carried out is not known."""


class Writer:
    """Writes as the root of a Slapd; connects anew after a failure."""

    def __init__(self, slapd):
        self._slapd = slapd
        self._socket = None
        self._number = 0
        self._data = b""

    def close(self):
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def write(self, request):
        """Carry out a request of world.Changes; the result code."""
        try:
            if self._socket is None:
                self._connect()
            return self._exchange(_encode(request))
        except (OSError, ber.BerError) as error:
            self.close()
            raise Unreachable(str(error)) from error

    def context_csn(self):
        """The newest contextCSN of the suffix; "" where there is none."""
        request = ber.sequence(ber.octets(self._slapd.suffix), ber.integer(0, ber.ENUMERATED), ber.integer(0, ber.ENUMERATED),
                               ber.integer(0), ber.integer(0), ber.boolean(False), ber.octets("objectClass", 0x87),
                               ber.sequence(ber.octets("contextCSN")), tag=_SEARCH)
        try:
            if self._socket is None:
                self._connect()
            self._send(request)
            operation = self._receive()
            values = []
            while operation[0] != _SEARCH_DONE:
                values += [value.decode() for value in re.findall(rb"\d{14}\.\d{6}Z#[0-9a-f]{6}#[0-9a-f]{3}#[0-9a-f]{6}", operation[1])]
                operation = self._receive()
            return max(values, default="")
        except (OSError, ber.BerError) as error:
            self.close()
            raise Unreachable(str(error)) from error

    def _connect(self):
        self._socket = socket.create_connection((LOOPBACK, self._slapd.port), timeout=_TIMEOUT_S)
        self._data = b""
        code = self._exchange(ber.sequence(ber.integer(3), ber.octets(self._slapd.root_dn),
                                           ber.octets(self._slapd.root_password, 0x80), tag=_BIND))
        if code != 0:
            raise OSError("bind: %d" % code)

    def _exchange(self, operation):
        """Send, and wait for the one answer; its result code."""
        self._send(operation)
        return ber.Reader(self._receive()[1]).integer(ber.ENUMERATED)

    def _send(self, operation):
        self._number += 1
        self._socket.sendall(ber.sequence(ber.integer(self._number), operation))

    def _receive(self):
        """(tag, content) of the next answer."""
        while True:
            found = ber.header(self._data)
            if found is not None and found[2] <= len(self._data):
                break
            more = self._socket.recv(65536)
            if not more:
                raise OSError("closed")
            self._data += more
        message = ber.Reader(self._data[:found[2]]).inside(ber.SEQUENCE)
        self._data = self._data[found[2]:]
        if message.integer() != self._number:
            raise OSError("an answer to something else")
        return message.tag, message.take()


def _encode(request):
    kind, dn, *rest = request
    if kind == "value":
        attribute, value, is_added = rest
        return _modify(dn, _ADD_VALUES if is_added else _DELETE_VALUES, attribute, [value])
    if kind == "replace":
        return _modify(dn, _REPLACE, *rest)
    if kind == "add":
        attributes = [_attribute(name, [values] if isinstance(values, str) else values) for name, values in rest[0].items()]
        return ber.sequence(ber.octets(dn), ber.sequence(*attributes), tag=_ADD)
    if kind == "delete":
        return ber.octets(dn, _DELETE)
    if kind == "rename":
        return ber.sequence(ber.octets(dn), ber.octets(rest[0]), ber.boolean(True), tag=_RENAME)
    raise TypeError(kind)


def _attribute(name, values):
    return ber.sequence(ber.octets(name), ber.sequence(*[ber.octets(value) for value in values], tag=ber.SET))


def _modify(dn, action, attribute, values):
    change = ber.sequence(ber.integer(action, ber.ENUMERATED), _attribute(attribute, values))
    return ber.sequence(ber.octets(dn), ber.sequence(change), tag=_MODIFY)
