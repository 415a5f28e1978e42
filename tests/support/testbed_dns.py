# SPDX-License-Identifier: Apache-2.0
"""
A DNS server that says what a test wants: by UDP and TCP on one port, in a thread of the test.

    with Dns() as dns:
        dns.srv("_ldap._tcp.corp.example", [(0, 100, 389, "dc1.corp.example")], ttl=60)
        dns.a("dc1.corp.example", "127.0.0.1")
        dns.behave("_ldap._tcp.corp.example", SERVFAIL)
        ... dns.address, dns.asked("_ldap._tcp.corp.example") ...

What it has no record for is NXDOMAIN. Names are compared without case.
"""
import collections
import select
import socket
import struct
import threading

from testbed_process import LOOPBACK

# What becomes of a question, for a name or (name None) for all.
ANSWER, SILENT, SERVFAIL, NXDOMAIN, REFUSED, GARBAGE, NOISE, TRUNCATED_EVERYWHERE, TRUNCATED_THEN_SILENT = range(9)

A, SRV, OPT, IN = 1, 33, 41, 1
_CODES = {SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5}
_TRUNCATED = 0x0200
_PLAIN_UDP_BYTES = 512


def encode_name(name):
    labels = [label for label in name.strip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"


def _read_question(message):
    """(id, the name in lower case, type, bytes of the question, the size that the asker takes)"""
    number, _, questions, _, _, additional = struct.unpack(">HHHHHH", message[:12])
    at, labels = 12, []
    while message[at]:
        labels.append(message[at + 1:at + 1 + message[at]].decode("ascii", "replace"))
        at += 1 + message[at]
    at += 1
    kind, _ = struct.unpack(">HH", message[at:at + 4])
    question, at = message[12:at + 4], at + 4
    size = _PLAIN_UDP_BYTES
    if additional and questions == 1 and message[at:at + 3] == b"\0" + struct.pack(">H", OPT):
        size = max(size, struct.unpack(">H", message[at + 3:at + 5])[0])
    return number, ".".join(labels).lower(), kind, question, size


class Dns:
    def __init__(self, address=LOOPBACK, port=0):
        self._wanted = (address, port)
        self._lock = threading.Lock()
        self._records = collections.defaultdict(list)  # (name, type) -> [data]
        self._ttls = {}
        self._behaviours = {}
        self._asked = collections.Counter()
        self._by_tcp = collections.Counter()

    def __enter__(self):
        # The same port for both, which a stranger may have of one.
        for _ in range(50):
            self._tcp = socket.create_server(self._wanted, backlog=16)
            self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                self._udp.bind(self._tcp.getsockname())
                break
            except OSError:
                self._tcp.close()
                self._udp.close()
        self.port = self._tcp.getsockname()[1]
        self.address = "%s:%d" % (self._wanted[0], self.port)
        self._ended, self._end = socket.socketpair()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.close()
        self._thread.join()
        for one in (self._tcp, self._udp, self._ended):
            one.close()

    # What it says

    def set(self, name, kind, datas, ttl=60):
        with self._lock:
            self._records[name.lower(), kind] = list(datas)
            self._ttls[name.lower(), kind] = ttl

    def srv(self, name, targets, ttl=60):
        """targets: (priority, weight, port, host); none: the name is there, and the record is not."""
        self.set(name, SRV, [struct.pack(">HHH", *target[:3]) + encode_name(target[3]) for target in targets], ttl)

    def a(self, name, *addresses, ttl=60):
        self.set(name, A, [socket.inet_aton(address) for address in addresses], ttl)

    def forget(self, name, kind=SRV):
        with self._lock:
            self._records.pop((name.lower(), kind), None)

    def behave(self, name, behaviour):
        with self._lock:
            self._behaviours[name and name.lower()] = behaviour

    def asked(self, name):
        """How often the name was asked for, by UDP and TCP."""
        with self._lock:
            return self._asked[name.lower()]

    def asked_by_tcp(self, name):
        with self._lock:
            return self._by_tcp[name.lower()]

    # How it says it

    def _answer(self, message, is_tcp):
        number, name, kind, question, size = _read_question(message)
        with self._lock:
            self._asked[name] += 1
            self._by_tcp[name] += is_tcp
            behaviour = self._behaviours.get(name, self._behaviours.get(None, ANSWER))
            datas = list(self._records.get((name, kind), ()))
            ttl = self._ttls.get((name, kind), 0)
            exists = any(key[0] == name for key in self._records)
        if behaviour == SILENT:
            return None
        if behaviour == TRUNCATED_THEN_SILENT and is_tcp:  # and the connection ends without a word
            return None
        if behaviour == NOISE:  # no DNS at all
            return b"\xff" * 7
        if behaviour == GARBAGE:  # a header that fits the question, records that do not
            return struct.pack(">HHHHHH", number, 0x8580, 1, 3, 0, 0) + question + b"\xc0\xff\xc0\x00\x00\x21" * 4
        code = _CODES.get(behaviour, 0 if exists else 3)
        if code:
            datas = []
        head = struct.pack(">HHHHHH", number, 0x8580 | code, 1, len(datas), 0, 0)
        records = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", kind, IN, ttl, len(data)) + data for data in datas)
        whole = head + question + records
        if behaviour in (TRUNCATED_EVERYWHERE, TRUNCATED_THEN_SILENT) or (not is_tcp and len(whole) > size):
            return struct.pack(">HHHHHH", number, 0x8580 | _TRUNCATED, 1, 0, 0, 0) + question
        return whole

    def _serve_tcp(self, connection):
        """One question; the connection is closed then."""
        connection.settimeout(2)
        try:
            data = b""
            while len(data) < 2 or len(data) < 2 + struct.unpack(">H", data[:2])[0]:
                more = connection.recv(4096)
                if not more:
                    return
                data += more
            answer = self._answer(data[2:], True)
            if answer is not None:
                connection.sendall(struct.pack(">H", len(answer)) + answer)
        except OSError:
            pass
        finally:
            connection.close()

    def _run(self):
        while True:
            ready, _, _ = select.select([self._udp, self._tcp, self._ended], [], [])
            if self._ended in ready:
                return
            if self._tcp in ready:
                threading.Thread(target=self._serve_tcp, args=(self._tcp.accept()[0],), daemon=True).start()
            if self._udp in ready:
                message, peer = self._udp.recvfrom(65536)
                answer = self._answer(message, False)
                if answer is not None:
                    self._udp.sendto(answer, peer)
