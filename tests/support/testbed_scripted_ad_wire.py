# SPDX-License-Identifier: Apache-2.0
"""The wire of testbed_scripted_ad: connections on loopback, requests taken apart, answers put together, faults by script."""
import re
import socket
import threading
import time

import testbed_ber as ber
from testbed_process import LOOPBACK

SUCCESS, OPERATIONS_ERROR, PROTOCOL_ERROR, TIME_LIMIT, SIZE_LIMIT, REFERRAL = 0, 1, 2, 3, 4, 10
NO_EXTENSION, NO_SUCH_OBJECT, INVALID_CREDENTIALS, BUSY, UNAVAILABLE, UNWILLING = 12, 32, 49, 51, 52, 53

PAGED, EXTENDED_DN, DOMAIN_SCOPE = "1.2.840.113556.1.4.319", "1.2.840.113556.1.4.529", "1.2.840.113556.1.4.1339"
LINK_TTL, SHOW_DELETED = "1.2.840.113556.1.4.2309", "1.2.840.113556.1.4.417"
CONTROLS = (PAGED, EXTENDED_DN, DOMAIN_SCOPE, LINK_TTL, SHOW_DELETED)

WHO_AM_I, NOTICE_OF_DISCONNECTION = "1.3.6.1.4.1.4203.1.11.3", "1.3.6.1.4.1.1466.20036"
BASE, ONE, SUBTREE = 0, 1, 2


class Search:
    """One search request, as a fault or a test looks at it."""

    def __init__(self, operation):
        self.base = operation.text()
        self.scope = operation.integer(ber.ENUMERATED)
        operation.integer(ber.ENUMERATED)  # aliases
        self.size_limit = operation.integer()
        self.time_limit = operation.integer()
        self.types_only = operation.boolean()
        self.filter = read_filter(operation)
        attributes = operation.inside(ber.SEQUENCE)
        self.attributes = []
        while attributes:
            self.attributes.append(attributes.text())
        self.controls = {}
        self.at = time.monotonic()

    def asks_for(self, name):
        """Whether an attribute is asked for by name, with any options."""
        return any(each.split(";")[0].lower() == name.lower() for each in self.attributes)

    @property
    def is_range(self):
        """Whether further values of some attribute are asked for."""
        return any(";range=" in each.lower() for each in self.attributes)

    def __repr__(self):
        return "Search(%r, scope %d, %r, %r, %s)" % (self.base, self.scope, self.filter, self.attributes,
                                                     sorted(self.controls))


class Fault:
    """
    What a controller does instead of answering, or before.

    when      a function of the Search: whether it is meant. None: every one.
    times     how often; None: always.
    before    a function of the Search, called first, without a lock: to change the directory under the client's feet.
    delay_s   wait so long before the answer.
    code      answer with this result code...
    entries   ...after so many of the entries that match (of a page, all that fit).
    close     close the connection after that, without a result.
    notice    before it closes, say that it will: RFC 4511 4.4.1.
    hang      answer nothing at all to it.
    reply     a function of the Search: [(dn, [(name, [bytes])])], sent as they are, and "success".
    """

    def __init__(self, when=None, times=None, before=None, delay_s=0, code=None, entries=0, close=False, notice=False,
                 hang=False, reply=None):
        self.when = when
        self.times = times
        self.before = before
        self.delay_s = delay_s
        self.code = code
        self.entries = entries
        self.close = close or notice
        self.notice = notice
        self.hang = hang
        self.reply = reply
        self.hits = 0

    def is_meant(self, search):
        if self.times is not None and self.hits >= self.times:
            return False
        return self.when is None or bool(self.when(search))


def read_filter(reader):
    """A filter as nested tuples, for testbed_scripted_ad_data.Matcher."""
    tag = reader.tag
    content = reader.inside()
    if tag in (0xa0, 0xa1):
        nodes = []
        while content:
            nodes.append(read_filter(content))
        return ("and" if tag == 0xa0 else "or", nodes)
    if tag == 0xa2:
        return ("not", read_filter(content))
    if tag in (0xa3, 0xa5, 0xa6):
        return ({0xa3: "equal", 0xa5: "greater", 0xa6: "less"}[tag], content.text(), content.take(ber.OCTETS))
    if tag == 0x87:
        return ("present", content.data.decode())
    if tag == 0xa4:
        return _read_substring(content)
    if tag == 0xa9:
        return _read_extensible(content)
    raise ber.BerError("filter %r" % tag)


def _read_substring(content):
    name, pieces, pattern = content.text(), content.inside(ber.SEQUENCE), ""
    while pieces:
        tag = pieces.tag
        text = re.escape(pieces.text(tag))
        pattern += {0x80: text + ".*", 0x81: (".*" if not pattern else "") + text + ".*",
                    0x82: (".*" if not pattern else "") + text}[tag]
    return ("substring", name, pattern)


def _read_extensible(content):
    found = {}
    while content:
        tag = content.tag
        found[tag] = content.take()
    return ("extensible", found.get(0x81, b"").decode(), found.get(0x82, b"").decode(), found.get(0x83, b""))


def message(message_id, operation, controls=b""):
    return ber.sequence(ber.integer(message_id), operation, ber.tlv(0xa0, controls) if controls else b"")


def result(tag, code, text="", more=b""):
    return ber.sequence(ber.integer(code, ber.ENUMERATED), ber.octets(""), ber.octets(text), more, tag=tag)


def entry(dn, attributes):
    return ber.sequence(ber.octets(dn), ber.sequence(*[
        ber.sequence(ber.octets(name), ber.sequence(*[ber.octets(value) for value in values], tag=ber.SET))
        for name, values in attributes]), tag=0x64)


def control(oid, value):
    return ber.sequence(ber.octets(oid), ber.octets(value))


class Gone(Exception):
    """This connection ends."""


class Connection:
    """One client. `controller` answers; see testbed_scripted_ad.Controller."""

    def __init__(self, controller, client):
        self.controller = controller
        self.client = client
        self.who = None  # the DN that is bound; None: nobody
        self.cookies = {}
        self.lock = threading.Lock()

    def serve(self):
        data = b""
        try:
            while True:
                found = ber.header(data)
                if found is None or len(data) < found[2]:
                    more = self.client.recv(65536)
                    if not more:
                        return
                    data += more
                    continue
                self._take(ber.Reader(data[found[1]:found[2]]))
                data = data[found[2]:]
        except (OSError, ber.BerError, Gone):
            pass
        finally:
            self.client.close()

    def send(self, data):
        with self.lock:
            self.client.sendall(data)

    def notice(self):
        self.send(message(0, result(0x78, UNAVAILABLE, "The server is going down.",
                                    ber.octets(NOTICE_OF_DISCONNECTION, 0x8a))))

    def hang_up(self):
        """From any thread."""
        try:
            self.client.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def _take(self, reader):
        message_id = reader.integer()
        tag = reader.tag
        operation = reader.inside()
        controls = self._controls(reader)
        if tag == 0x60:
            self._bind(message_id, operation)
        elif tag == 0x63:
            search = Search(operation)
            search.controls = controls
            self._search(message_id, search)
        elif tag == 0x77:
            self._extended(message_id, operation)
        elif tag == 0x42:
            raise Gone
        # An abandon (0x50) finds nothing to abandon: one request is answered after the other.

    @staticmethod
    def _controls(reader):
        found = {}
        if reader.tag == 0xa0:
            each = reader.inside()
            while each:
                one = each.inside(ber.SEQUENCE)
                oid = one.text()
                critical = one.tag == ber.BOOLEAN and one.boolean()
                found[oid] = (critical, one.take(ber.OCTETS) if one else b"")
        return found

    def _bind(self, message_id, operation):
        operation.integer()
        name = operation.text()
        if operation.tag != 0x80:
            self.send(message(message_id, result(0x61, 7, "simple binds only")))
            return
        secret = operation.text(0x80)
        self.who = None
        self.controller.binds += 1
        if name == "" or secret == "":
            self.send(message(message_id, result(0x61, SUCCESS)))
            return
        self.who = self.controller.login(name, secret)
        code = SUCCESS if self.who else INVALID_CREDENTIALS
        text = "" if self.who else "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data 52e, v4563"
        self.send(message(message_id, result(0x61, code, text)))

    def _extended(self, message_id, operation):
        if operation.text(0x80) == WHO_AM_I:
            self.send(message(message_id, result(0x78, SUCCESS, "", ber.octets("dn:%s" % (self.who or ""), 0x8b))))
        else:
            self.send(message(message_id, result(0x78, UNAVAILABLE, "Error initializing SSL/TLS")))

    # Searches

    def _search(self, message_id, search):
        fault = self.controller.note(search)
        if fault is not None:
            if fault.before is not None:
                fault.before(search)
            if fault.delay_s:
                time.sleep(fault.delay_s)
            if fault.hang:
                return
        code, text, entries, references, controls = self._answer(search, fault)
        data = b"".join(message(message_id, entry(dn, attributes)) for dn, attributes in entries)
        data += b"".join(message(message_id, ber.sequence(ber.octets(url), tag=0x73)) for url in references)
        if fault is not None and fault.close:
            self.send(data)
            if fault.notice:
                self.notice()
            raise Gone
        self.send(data + message(message_id, result(0x65, code, text), controls))

    def _answer(self, search, fault):
        if fault is not None and fault.reply is not None:
            return SUCCESS, "", fault.reply(search), [], b""
        code, text, entries, references, controls = self._answer_paged(search)
        if fault is not None and (fault.code is not None or fault.close):
            return fault.code or SUCCESS, "by script", entries[:fault.entries], [], b""
        return code, text, entries, references, controls

    def _answer_paged(self, search):
        unknown = [oid for oid, (critical, _) in search.controls.items() if critical and oid not in self.controller.controls]
        if unknown:
            return NO_EXTENSION, "00000057: unknown critical control " + unknown[0], [], [], b""
        size, cookie = None, b""
        if PAGED in search.controls:
            reader = ber.Reader(search.controls[PAGED][1]).inside(ber.SEQUENCE)
            size, cookie = reader.integer(), reader.take(ber.OCTETS)
        limit = self.controller.max_page_size
        if cookie:
            # MS-ADTS 3.1.1.3.4.1.1: a cookie means something to the connection it was given on only.
            if cookie not in self.cookies:
                return UNWILLING, "00000057: LdapErr: DSID-0C090B2F, comment: Error processing control", [], [], b""
            code, text, entries, references = SUCCESS, "", self.cookies.pop(cookie), []
        else:
            code, text, entries, references = self.controller.search(search, self.who)
        if size is None:
            limit = min(limit, search.size_limit or limit)
            if len(entries) > limit:
                return SIZE_LIMIT, "", entries[:limit], references, b""
            return code, text, entries, references, b""
        page = min(size or limit, limit)
        rest = entries[page:]
        cookie = b""
        if rest:
            cookie = b"page-%d" % (len(self.cookies) + self.controller.next_number())
            self.cookies[cookie] = rest
        value = ber.sequence(ber.integer(0), ber.octets(cookie))
        return code, text, entries[:page], references, control(PAGED, value)


class Listener:
    """Accepts clients on a port of loopback, each on a thread of its own."""

    def __init__(self, controller):
        self.controller = controller
        self.port = 0
        self.listener = None
        self.connections = []
        self.threads = []
        self.lock = threading.Lock()

    def open(self):
        self.listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((LOOPBACK, self.port))
        self.port = self.listener.getsockname()[1]
        self.listener.listen(64)
        self._begin(self._accept, self.listener)

    def _begin(self, function, *arguments):
        thread = threading.Thread(target=function, args=arguments, daemon=True)
        self.threads.append(thread)
        thread.start()

    def _accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(self.controller, client)
            with self.lock:
                self.connections.append(connection)
                self._begin(connection.serve)

    def hang_up(self, with_notice=False):
        """End all connections; new ones are taken."""
        with self.lock:
            ended, self.connections = self.connections, []
        for connection in ended:
            if with_notice:
                try:
                    connection.notice()
                except OSError:
                    pass
            connection.hang_up()

    def close(self):
        if self.listener is None:
            return
        # A thread in accept() is not woken by close() alone.
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        self.listener = None
        self.hang_up()
        for thread in self.threads:
            thread.join(10)
        self.threads = []
