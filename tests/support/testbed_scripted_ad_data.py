# SPDX-License-Identifier: Apache-2.0
"""
What one domain controller of testbed_scripted_ad holds: entries, links with a time to live, USNs; and how it matches filters.

Sources: MS-ADTS 3.1.1.1 (state model), 3.1.1.1.6 (attribute syntaxes), 3.1.1.3.4.4 (matching rules), 3.1.1.4.5 (constructed attributes), 2.2.12 (group type).
"""
import copy
import itertools
import re
import struct
import time
import uuid

DN_ATTRIBUTES = {"member", "memberof", "distinguishedname", "ncname", "objectcategory", "dsservicename", "servername"}
LARGE = {"usnchanged", "accountexpires", "lockouttime", "pwdlastset", "lockoutduration"}
INTEGERS = LARGE | {"primarygroupid", "useraccountcontrol", "grouptype", "systemflags", "trustdirection", "trustattributes",
                    "samaccounttype", "msds-user-account-control-computed"}
BIT_AND, BIT_OR, IN_CHAIN = "1.2.840.113556.1.4.803", "1.2.840.113556.1.4.804", "1.2.840.113556.1.4.1941"
SECURITY_ENABLED = 0x80000000
SCOPES = {"global": 2, "local": 4, "universal": 8}
# Classes whose defaultObjectCategory has another name than they.
CATEGORIES = {"user": "person", "organizationalperson": "person", "foreignsecurityprincipal": "foreign-security-principal"}
# Looked up for an equality; all else is found by looking at every entry.
INDEXED = {"cn", "samaccountname", "userprincipalname", "objectsid", "objectguid"}

_STAMPS = itertools.count(1)


def sid_bytes(text):
    numbers = [int(part) for part in text.split("-")[1:]]
    return struct.pack(">BB", numbers[0], len(numbers) - 2) + numbers[1].to_bytes(6, "big") + \
        b"".join(struct.pack("<I", number) for number in numbers[2:])


def sid_text(data):
    numbers = struct.unpack("<%dI" % data[1], data[8:8 + 4 * data[1]])
    return "-".join(["S", str(data[0]), str(int.from_bytes(data[2:8], "big"))] + [str(number) for number in numbers])


def dn_key(dn):
    """What equal DNs have in common: case and blanks around separators do not count."""
    parts = re.split(r"(?<!\\),", dn)
    return ",".join("=".join(piece.strip() for piece in part.split("=", 1)) for part in parts).lower()


def parent_key(key):
    parts = re.split(r"(?<!\\),", key, maxsplit=1)
    return parts[1] if len(parts) == 2 else ""


def is_below(key, base):
    return key == base or key.endswith("," + base) or base == ""


def signed(number):
    """32 bits as AD shows them: a groupType with the security bit is negative."""
    return number - (1 << 32) if number & SECURITY_ENABLED else number


def _bytes(value):
    return value if isinstance(value, bytes) else str(value).encode()


class Entry:
    """An object. `values`: lower-case name -> (name, [bytes]); `members`: GUID -> when the link expires, or None."""

    def __init__(self, dn, attributes, sid=None, is_phantom=False):
        self.guid = uuid.uuid4()
        self.sid = sid
        self.dn = dn
        self.members = {}
        self.is_deleted = False
        self.is_phantom = is_phantom
        self.usn = 0
        self.stamp = 0
        self.values = {}
        self._keyed = ("", "")
        for name, value in attributes.items():
            self.set(name, value)

    def set(self, name, value):
        values = value if isinstance(value, (list, tuple)) else [value]
        if value is None or not values:
            self.values.pop(name.lower(), None)
        else:
            self.values[name.lower()] = (name, [_bytes(each) for each in values])

    def get(self, name):
        return self.values.get(name.lower(), (name, []))[1]

    def number(self, name, default=0):
        values = self.get(name)
        return int(values[0]) if values else default

    @property
    def key(self):
        if self._keyed[0] != self.dn:
            self._keyed = (self.dn, dn_key(self.dn))
        return self._keyed[1]

    def is_of_class(self, name):
        return name.encode() in self.get("objectClass")


class Replica:
    """The objects of one domain controller. Whoever uses it holds the controller's lock."""

    def __init__(self):
        self.entries = {}
        self.usn = 1000
        self.cursors = {}  # invocationId of another -> its USN, up to which all that it held is here
        self._by_key = self._groups_of = self._by_value = None

    # Changes

    def touch(self, entry, stamp=None):
        self.usn += 1
        entry.usn = self.usn
        entry.stamp = stamp or next(_STAMPS)
        self._by_key = self._groups_of = self._by_value = None

    def add(self, entry):
        self.entries[entry.guid] = entry
        self.touch(entry)
        return entry

    def link(self, group, member, ttl_s=None):
        group.members[member.guid] = None if ttl_s is None else time.monotonic() + ttl_s
        self.touch(group)

    def unlink(self, group, member):
        del group.members[member.guid]
        self.touch(group)

    def delete(self, entry):
        """Links to it go without a trace on the groups (measured on Samba: neither uSNChanged nor whenChanged moves)."""
        entry.is_deleted = True
        entry.members = {}
        entry.dn = "CN=%s\\0ADEL:%s,CN=Deleted Objects,%s" % (entry.get("cn")[0].decode(), entry.guid, self.root_dn())
        entry.values = {name: entry.values[name] for name in ("objectclass", "cn", "samaccountname")
                        if name in entry.values}
        entry.set("isDeleted", "TRUE")
        self.touch(entry)

    def vector(self):
        """replUpToDateVector (MS-DRSR 5.209, UPTODATE_VECTOR_V2_EXT): none before the first replication."""
        if not self.cursors:
            return []
        cursors = sorted((invocation_id.bytes_le, usn) for invocation_id, usn in self.cursors.items())
        return [struct.pack("<IIII", 2, 0, len(cursors), 0) +
                b"".join(invocation_id + struct.pack("<QQ", usn, 0) for invocation_id, usn in cursors)]

    def root_dn(self):
        return next(entry.dn for entry in self.entries.values() if entry.is_of_class("domainDNS"))

    def take(self, theirs):
        """Replicate one object in: theirs, where it is newer than ours. It keeps its stamp, and gets a USN of ours."""
        ours = self.entries.get(theirs.guid)
        if ours is not None and ours.stamp >= theirs.stamp:
            return
        mine = copy.deepcopy(theirs)
        self.entries[mine.guid] = mine
        self.touch(mine, theirs.stamp)

    # Reading

    def at(self, key):
        """The object with that DN, also a phantom; None: none."""
        if self._by_key is None:
            self._by_key = {entry.key: entry for entry in self.entries.values()}
        return self._by_key.get(key)

    def resolve(self, dn):
        """A DN, or <GUID=...>, <SID=...> (MS-ADTS 3.1.1.3.1.2.4). None: no such object."""
        found = re.fullmatch(r"<(GUID|SID)=([^>]*)>", dn)
        if found is None:
            return self.at(dn_key(dn))
        kind, text = found.groups()
        try:
            if kind == "GUID":
                guid = uuid.UUID(text) if "-" in text else uuid.UUID(bytes_le=bytes.fromhex(text))
                return self.entries.get(guid)
            sid = sid_bytes(text) if text.startswith("S-") else bytes.fromhex(text)
        except (ValueError, struct.error):
            return None
        found = [entry for entry in self.entries.values() if entry.sid == sid and not entry.is_deleted]
        return found[0] if len(found) == 1 else None

    def with_value(self, name, value):
        """The entries that have one of the INDEXED attributes with that value (as _compared gives it)."""
        if self._by_value is None:
            self._by_value = {}
            for entry in self.entries.values():
                values = [(each, value) for each in INDEXED for value in entry.get(each)]
                values += [("objectguid", entry.guid.bytes_le)] + ([("objectsid", entry.sid)] if entry.sid else [])
                for each, found in values:
                    self._by_value.setdefault((each, _compared(each, found)), []).append(entry)
        return self._by_value.get((name, value), [])

    def is_live(self, guid, expires):
        target = self.entries.get(guid)
        return target is not None and not target.is_deleted and (expires is None or expires > time.monotonic())

    def members_of(self, group):
        """[(member, when the link expires or None)], always in the same order."""
        return [(self.entries[guid], expires) for guid, expires in sorted(group.members.items(), key=lambda item: item[0].bytes)
                if self.is_live(guid, expires)]

    def groups_of(self, member):
        """The same for the groups that have the member: back links of this controller only."""
        if self._groups_of is None:
            self._groups_of = {}
            for group in sorted(self.entries.values(), key=lambda entry: entry.guid.bytes):
                for guid in group.members:
                    self._groups_of.setdefault(guid, []).append(group)
        return [(group, group.members[member.guid]) for group in self._groups_of.get(member.guid, ())
                if not group.is_deleted and self.is_live(member.guid, group.members[member.guid])]

    def token_groups(self, entry):
        """SIDs of the security groups that it is in, through security groups only (MS-DRSR 4.1.8.3)."""
        if not entry.get("primaryGroupID"):
            return []
        domain = sid_text(entry.sid).rsplit("-", 1)[0]
        primary = self.resolve("<SID=%s-%d>" % (domain, entry.number("primaryGroupID")))
        todo = ([primary] if primary else []) + [group for group, _ in self.groups_of(entry)]
        found = {}
        while todo:
            group = todo.pop()
            if group.sid in found or not group.number("groupType") & SECURITY_ENABLED:
                continue
            found[group.sid] = group
            todo += [outer for outer, _ in self.groups_of(group)]
        return sorted(found)

    def computed_control(self, entry):
        """LOCKOUT and PASSWORD_EXPIRED as msDS-User-Account-Control-Computed says them."""
        return (0x10 if entry.number("lockoutTime") else 0) | (0x800000 if entry.get("pwdLastSet") == [b"0"] else 0)


# Filters: True, False, or None for undefined (RFC 4511 4.5.1.7)

def _compared(name, value):
    """A value as it is compared."""
    name = name.lower()
    if name == "objectsid":
        return sid_bytes(value.decode()) if value.startswith(b"S-") else value
    if name in ("objectguid", "invocationid"):
        return value
    if name in DN_ATTRIBUTES:
        return dn_key(value.decode())
    if name in INTEGERS:
        return int(value)
    return value.decode(errors="replace").strip().lower()


class Matcher:
    """Evaluates filters over one replica; `values(entry, name)` gives an attribute's values."""

    def __init__(self, replica, values):
        self.replica = replica
        self.values = values

    def matches(self, entry, node):
        return self._evaluate(entry, node) is True

    def candidates(self, node):
        """Entries that may match, by GUID; None: any may."""
        kind, *rest = node
        if kind == "equal" and rest[0].lower() in INDEXED:
            wanted = self._wanted(*rest)
            return {} if wanted is None else {each.guid: each for each in
                                              self.replica.with_value(rest[0].lower(), wanted)}
        if kind == "equal" and rest[0].lower() == "memberof":
            group = self.replica.resolve(rest[1].decode())
            return {each.guid: each for each, _ in self.replica.members_of(group)} if group else {}
        if kind == "and":
            found = [each for each in map(self.candidates, rest[0]) if each is not None]
            return min(found, key=len) if found else None
        if kind == "or":
            found = [self.candidates(each) for each in rest[0]]
            return None if None in found else {guid: each for some in found for guid, each in some.items()}
        return None

    def _evaluate(self, entry, node):
        kind, *rest = node
        return getattr(self, "_" + kind)(entry, *rest)

    def _and(self, entry, nodes):
        results = [self._evaluate(entry, node) for node in nodes]
        return False if False in results else None if None in results else True

    def _or(self, entry, nodes):
        results = [self._evaluate(entry, node) for node in nodes]
        return True if True in results else None if None in results else False

    def _not(self, entry, node):
        result = self._evaluate(entry, node)
        return None if result is None else not result

    def _present(self, entry, name):
        return name.lower() == "objectclass" or bool(self.values(entry, name))

    def _wanted(self, name, value):
        if name.lower() in DN_ATTRIBUTES and value.startswith(b"<"):
            target = self.replica.resolve(value.decode())
            return target.key if target else None
        try:
            return _compared(name, value)
        except (ValueError, struct.error, UnicodeDecodeError):
            return None

    def _compare(self, entry, name, value, test):
        wanted = self._wanted(name, value)
        if wanted is None:
            return None
        return any(test(_compared(name, each), wanted) for each in self.values(entry, name))

    def _equal(self, entry, name, value):
        if name.lower() == "objectcategory" and b"=" not in value:
            # MS-ADTS 3.1.1.3.1.3.5: a class's name stands for its defaultObjectCategory.
            category = CATEGORIES.get(value.decode().lower(), value.decode().lower())
            return any(_compared(name, each).startswith("cn=%s," % category) for each in self.values(entry, name))
        return self._compare(entry, name, value, lambda have, wanted: have == wanted)

    def _greater(self, entry, name, value):
        return self._compare(entry, name, value, lambda have, wanted: have >= wanted)

    def _less(self, entry, name, value):
        return self._compare(entry, name, value, lambda have, wanted: have <= wanted)

    def _substring(self, entry, name, pattern):
        return any(re.fullmatch(pattern, each.decode(errors="replace"), re.I | re.S) is not None
                   for each in self.values(entry, name))

    def _extensible(self, entry, rule, name, value):
        if rule == BIT_AND:
            return self._compare(entry, name, value, lambda have, wanted: have & wanted == wanted)
        if rule == BIT_OR:
            return self._compare(entry, name, value, lambda have, wanted: have & wanted != 0)
        if rule == IN_CHAIN and name.lower() == "memberof":
            return self._is_in_chain(entry, self.replica.resolve(value.decode()))
        return None

    def _is_in_chain(self, entry, group):
        if group is None:
            return None
        todo, seen = [entry], set()
        while todo:
            for outer, _ in self.replica.groups_of(todo.pop()):
                if outer is group:
                    return True
                if outer.guid not in seen:
                    seen.add(outer.guid)
                    todo.append(outer)
        return False
