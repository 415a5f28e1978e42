# SPDX-License-Identifier: Apache-2.0
"""A domain controller that answers as MS-ADTS says, or as a test wants: what the watch asks, and nothing else."""
import re
import threading
import time
from collections import Counter

from watching import FakeServer, element, entry, integer, message, octets, result

DOMAIN = "DC=corp,DC=example"
CONFIGURATION = "CN=Configuration," + DOMAIN
DNS = "DC=DomainDnsZones," + DOMAIN
SERVICE = "CN=NTDS Settings,CN=%s,CN=Servers,CN=Site,CN=Sites," + CONFIGURATION

_PAGED, _SHOW_DELETED = "1.2.840.113556.1.4.319", "1.2.840.113556.1.4.417"
_CONTROLS = (_PAGED, _SHOW_DELETED, "1.2.840.113556.1.4.1339")


class FakeController(FakeServer):
    """
    Attributes that a test may change at any time:

    usn            highestCommittedUSN
    name           of the controller
    shows_deleted  the account sees CN=Deleted Objects
    page           objects on a page of an answer
    codes          what is asked ("root", "mark", "rights", "deleted", "changes", "others") -> a result code instead of an answer
    hooks          the same -> called before the answer
    delay_s        before the answer to "changes"
    asked          Counter of what was asked
    """

    def __init__(self, samba=False, name="DC1", usn=100):
        self.guard = threading.RLock()
        self.usn, self.name = usn, name
        self.is_samba = samba
        self.shows_deleted, self.shows_usn, self.is_synchronized = False, True, True
        self.is_controller = True
        self.page = 100
        self.codes, self.hooks, self.asked = {}, {}, Counter()
        self.delay_s = 0
        self.limits = []
        self.objects = {}
        super().__init__(None)

    def put(self, name, context=DOMAIN, usn=None, hidden=False, deleted=False, **attributes):
        """Make, change or delete an object; its SID ends in a number made of its name. usn: what it shows; default the next one."""
        with self.guard:
            if usn is None:
                self.usn += 1
                usn = self.usn
            guid = (name * 16)[:16].encode()
            dn = "CN=%s,%s" % (name, context)
            if deleted:
                dn = "CN=%s\\0ADEL:%s,CN=Deleted Objects,%s" % (name, name, context)
            self.objects[name] = (context, usn, hidden, deleted, dn, guid, dict({"sAMAccountName": name}, **attributes))
            return usn

    def mark(self, usn=None):
        name = (SERVICE % self.name).replace(" ", "%20")
        return "%020d#0#%s#usn" % (self.usn if usn is None else usn, name)

    # What is asked

    def _answer(self, connection, request):
        number, operation = _read_header(request)
        if self.silent or operation in (0x42, 0x50):
            return
        if operation == 0x60:
            connection.sendall(message(number, result(0x61)))
            return
        what, base = _what(request)
        self.asked[what] += 1
        if what in self.hooks:
            self.hooks[what]()
        if what in self.codes:
            connection.sendall(message(number, result(0x65, self.codes[what], "because")))
            return
        if what == "changes" and self.delay_s:
            time.sleep(self.delay_s)
        with self.guard:
            answer = getattr(self, "_say_" + what)(number, base, request)
        connection.sendall(answer)

    def _say_root(self, number, _base, _request):
        root = {"highestCommittedUSN": [str(self.usn)], "dsServiceName": [SERVICE % self.name],
                "defaultNamingContext": [DOMAIN], "namingContexts": [DOMAIN, CONFIGURATION, DNS],
                "supportedControl": _CONTROLS, "isSynchronized": ["TRUE" if self.is_synchronized else "FALSE"]}
        if self.is_controller:
            root["supportedCapabilities"] = ["1.2.840.113556.1.4.800"]
        if self.is_samba:
            root["vendorName"] = ["Samba Team (https://www.samba.org)"]
        return message(number, entry("", **root)) + message(number, result(0x65))

    def _say_mark(self, number, _base, _request):
        root = {"highestCommittedUSN": [str(self.usn)], "dsServiceName": [SERVICE % self.name]}
        return message(number, entry("", **root)) + message(number, result(0x65))

    def _say_rights(self, number, _base, _request):
        shown = {"uSNChanged": ["17"]} if self.shows_usn else {}
        return message(number, entry(DOMAIN, **shown)) + message(number, result(0x65))

    def _say_deleted(self, number, _base, _request):
        answer = b""
        for context, _, _, deleted, dn, _, _ in self.objects.values():
            if deleted and context == DOMAIN and self.shows_deleted:
                answer = message(number, entry(dn, isDeleted=["TRUE"]))
        return answer + message(number, result(0x65))

    def _say_changes(self, number, base, request):
        lowest = _lowest(request)
        shows_deleted = self.shows_deleted and _SHOW_DELETED.encode() in request
        found = [item for item in self.objects.values()
                 if item[0] == base and item[1] >= lowest and not item[2] and (shows_deleted or not item[3])]
        self.limits.append(lowest)
        return _paged(number, [_entry_of(item) for item in found], self.page, request)

    _say_others = _say_changes


def _entry_of(item):
    _, usn, _, deleted, dn, guid, attributes = item
    shown = {name: [value] for name, value in attributes.items()}
    shown.update({"uSNChanged": [str(usn)], "objectGUID": [guid], "objectClass": ["top", "group"]})
    shown["objectSid"] = [sid(attributes["sAMAccountName"])]
    if deleted:
        shown["isDeleted"] = ["TRUE"]
    return entry(dn, **shown)


def rid(name):
    return sum(name.encode())


def sid(name):
    return b"\x01\x02" + (5).to_bytes(6, "big") + (32).to_bytes(4, "little") + rid(name).to_bytes(4, "little")


def _paged(number, entries, size, request):
    begun = re.search(rb"at:(\d+);", request)
    start = int(begun.group(1)) if begun else 0
    cookie = "at:%d;" % (start + size) if start + size < len(entries) else ""
    value = element(0x30, integer(0), octets(cookie))
    control = element(0x30, octets(_PAGED), octets(value))
    said = b"".join(message(number, each) for each in entries[start:start + size])
    return said + message(number, result(0x65), [control])


def _element(data, at):
    """The tag, and where the content begins and ends."""
    length, at_content = data[at + 1], at + 2
    if length & 0x80:
        at_content += length & 0x7F
        length = int.from_bytes(data[at + 2:at_content], "big")
    return data[at], at_content, at_content + length


def _read_header(request):
    _, at, _ = _element(request, 0)
    _, start, end = _element(request, at)
    return int.from_bytes(request[start:end], "big"), request[end]


def _lowest(request):
    """The number in its filter (RFC 4511 4.5.1.7)."""
    _, start, end = _element(request, request.index(b"uSNChanged") + len(b"uSNChanged"))
    return int(request[start:end])


def _what(request):
    """Which of the watch's questions it is, and its base (RFC 4511 4.5.1)."""
    _, at, _ = _element(request, 0)
    _, _, at = _element(request, at)
    _, at, _ = _element(request, at)
    _, start, end = _element(request, at)
    base, scope = request[start:end].decode(), request[end + 2]
    if base == "":
        return "root" if b"defaultNamingContext" in request else "mark", base
    if scope == 0:
        return "rights", base
    if scope == 1:
        return "deleted", base
    return "changes" if base == DOMAIN else "others", base
