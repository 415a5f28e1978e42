# SPDX-License-Identifier: Apache-2.0
"""A proxy that understands as much LDAP (RFC 4511) as it takes to answer falsely. For connections in clear text."""
import testbed_ber as ber
from testbed_process import LOOPBACK
from testbed_proxy import Link, TcpProxy

ANSWER = "answer"  # value: the result code that every search is answered with at once
CUT_SHORT = "cut-short"  # value: the result code that every search ends with when its first entry would come
PARTIAL = "partial"  # of the next search one entry, then RST
NOTICE = "notice"  # Notice of Disconnection (4.4.1), then FIN: every connection now, each new one at its first request
WRONG_ID = "wrong-id"  # answers have the id of a message that nobody sent; such a connection is reset when the mode changes
HUGE = "huge"  # each answer is one that says it is 2 GB long, and goes on for ever
REFERRALS = "referrals"  # every search is answered by 100 references, and a referral at the end

_BIND, _SEARCH = 0x60, 0x63
_ENTRY, _DONE, _REFERENCE, _EXTENDED = 0x64, 0x65, 0x73, 0x78
_REFERRAL = 10
_NOTICE_OID = "1.3.6.1.4.1.1466.20036"
_ELSEWHERE = "ldap://%s:1/dc=elsewhere" % LOOPBACK
# An id that no client reaches.
_ID_SHIFT = 1000000
_UNAVAILABLE = 52


class LdapProxy(TcpProxy):
    """A TcpProxy that has these modes too."""

    modes = TcpProxy.modes + (ANSWER, CUT_SHORT, PARTIAL, NOTICE, WRONG_ID, HUGE, REFERRALS)

    def make_link(self, client, server):
        return _LdapLink(self, client, server)


class _Stream:
    """Bytes as they come; messages as they are whole."""

    def __init__(self):
        self._data = b""

    def take(self, data):
        """The messages that are whole with these bytes."""
        self._data += data
        messages, at = [], 0
        while True:
            found = ber.header(self._data, at)
            if found is None or found[2] > len(self._data):
                break
            messages.append(self._data[at:found[2]])
            at = found[2]
        self._data = self._data[at:]
        return messages


def _parts(message):
    """(id, tag of the operation, all behind the id)"""
    content = ber.Reader(message).inside(ber.SEQUENCE)
    number = content.integer()
    return number, content.tag, content.data[content.at:]


def _message(number, operation):
    return ber.sequence(ber.integer(number), operation)


def _result(tag, code, *more):
    return ber.sequence(ber.integer(code, ber.ENUMERATED), ber.octets(""), ber.octets("as the test wants it"), *more, tag=tag)


def _notice():
    return _message(0, _result(_EXTENDED, _UNAVAILABLE, ber.octets(_NOTICE_OID, 0x8a)))


class _LdapLink(Link):
    def __init__(self, proxy, client, server):
        super().__init__(proxy, client, server)
        self._requests, self._responses = _Stream(), _Stream()
        self._cut = set()  # ids of searches that were ended here: nothing more of them goes on
        self._is_asked = False

    def _turn(self, mode, value):
        if mode == NOTICE and self._is_asked:
            self._send(self._client, _notice())
            return False
        return super()._turn(mode, value)

    def requested(self, data):
        """Without what is answered here."""
        self._is_asked = True
        return b"".join(message for message in self._requests.take(data) if not self._answer(message))

    def _answer(self, message):
        mode, value = self._proxy.mode()
        number, tag, _ = _parts(message)
        if tag != _SEARCH or mode not in (ANSWER, REFERRALS):
            return False
        if mode == ANSWER:
            self._send(self._client, _message(number, _result(_DONE, value)))
            return True
        reference = _message(number, ber.sequence(ber.octets(_ELSEWHERE), tag=_REFERENCE))
        referral = ber.sequence(ber.octets(_ELSEWHERE), tag=0xa3)
        self._send(self._client, reference * 100 + _message(number, _result(_DONE, _REFERRAL, referral)))
        return True

    def answered(self, data):
        """The bytes that go on to the client."""
        mode, value = self._proxy.mode()
        out = b""
        for message in self._responses.take(data):
            number, tag, rest = _parts(message)
            if mode == WRONG_ID:
                message = ber.sequence(ber.integer(number + _ID_SHIFT), rest)
                self.loses()
            elif mode == HUGE:
                message = b"\x30\x84\x7f\xff\xff\xf0" + message * 8
            elif number in self._cut:
                continue
            elif mode == CUT_SHORT and tag == _ENTRY:
                self._cut.add(number)
                message = _message(number, _result(_DONE, value))
            elif mode == PARTIAL and tag == _ENTRY:
                self._send(self._client, out + message)
                self.break_off(reset=True)
                return b""
            out += message
        return out
