# SPDX-License-Identifier: Apache-2.0
"""As much of BER as LDAP needs (RFC 4511 section 5.1), for servers that are scripted."""

BOOLEAN, INTEGER, OCTETS, ENUMERATED, SEQUENCE, SET = 0x01, 0x02, 0x04, 0x0a, 0x30, 0x31


class BerError(Exception):
    """Bytes that are not BER."""


def tlv(tag, content):
    """One element of any kind."""
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    size = (length.bit_length() + 7) // 8
    return bytes((tag, 0x80 | size)) + length.to_bytes(size, "big") + content


def integer(value, tag=INTEGER):
    return tlv(tag, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def boolean(value):
    return tlv(BOOLEAN, b"\xff" if value else b"\x00")


def octets(value, tag=OCTETS):
    return tlv(tag, value.encode() if isinstance(value, str) else value)


def sequence(*parts, tag=SEQUENCE):
    return tlv(tag, b"".join(parts))


def header(data, at=0):
    """(tag, where the content begins, where it ends) of the element at `at`; None: its header is not all there."""
    if len(data) < at + 2:
        return None
    length = data[at + 1]
    begin = at + 2
    if length >= 0x80:
        size = length & 0x7f
        if size == 0 or size > 4:
            raise BerError("a length of %d bytes" % size)
        if len(data) < begin + size:
            return None
        length = int.from_bytes(data[begin:begin + size], "big")
        begin += size
    return data[at], begin, begin + length


class Reader:
    """The elements of a content, one after the other."""

    def __init__(self, data):
        self.data = data
        self.at = 0

    def __bool__(self):
        return self.at < len(self.data)

    @property
    def tag(self):
        """Of the next element; None at the end."""
        return self.data[self.at] if self else None

    def take(self, *tags):
        """The content of the next element, which has one of these tags (any, where none is given)."""
        found = header(self.data, self.at)
        if found is None or found[2] > len(self.data):
            raise BerError("an element that is cut")
        tag, begin, end = found
        if tags and tag not in tags:
            raise BerError("tag %#x where %s was expected" % (tag, "/".join("%#x" % each for each in tags)))
        self.at = end
        return self.data[begin:end]

    def inside(self, *tags):
        return Reader(self.take(*tags))

    def integer(self, tag=INTEGER):
        return int.from_bytes(self.take(tag), "big", signed=True)

    def boolean(self):
        return self.take(BOOLEAN) != b"\x00"

    def text(self, tag=OCTETS):
        return self.take(tag).decode(errors="surrogateescape")
