# SPDX-License-Identifier: Apache-2.0
"""One domain controller of testbed_scripted_ad: its root DSE, its searches, what an entry shows."""
import copy
import itertools
import threading
import time
import uuid

import testbed_scripted_ad_data as data
import testbed_scripted_ad_wire as wire
from testbed_scripted_ad_data import Entry, sid_text

# MS-ADTS 3.1.1.3.4.3: Active Directory, Windows Server 2003, LDAP signing, 2008, 2008 R2, 2012
CAPABILITIES = ["1.2.840.113556.1.4." + number for number in ("800", "1670", "1791", "1935", "2080", "2237")]
WINDOWS_2016 = "7"


class Controller:
    """One domain controller: `uri`, `faults` (first that is meant is taken), `searches` (all that were asked)."""

    def __init__(self, domain, name):
        self.domain = domain
        self.name = name
        self.replica = data.Replica()
        self.invocation_id = uuid.uuid4()
        self.lock = threading.RLock()
        self.faults = []
        self.searches = []
        self.binds = 0
        self.controls = list(wire.CONTROLS)
        self.max_page_size = 1000
        self.max_val_range = 1500
        self.is_synchronized = True
        self.hides = set()  # lower-case names of attributes that nobody may read
        self._numbers = itertools.count(1)
        self._listener = wire.Listener(self)

    # Life

    @property
    def uri(self):
        return "ldap://127.0.0.1:%d" % self._listener.port

    @property
    def port(self):
        return self._listener.port

    @property
    def host_name(self):
        return "%s.%s" % (self.name.lower(), self.domain.dns_name)

    @property
    def server_dn(self):
        return "CN=%s,CN=Servers,CN=Default-First-Site-Name,CN=Sites,%s" % (self.name, self.domain.forest.configuration)

    def start(self):
        self._listener.open()

    def stop(self):
        """Off the network; start() brings it back on its port with what it held."""
        self._listener.close()

    def hang_up(self, with_notice=False):
        self._listener.hang_up(with_notice)

    # Replication by hand

    def replicate_from(self, other):
        """Take over what the other has that is newer: a whole cycle, at whose end the cursors move (MS-DRSR 4.1.10.6)."""
        with other.lock:
            theirs = copy.deepcopy(list(other.replica.entries.values()))
            cursors = {**other.replica.cursors, other.invocation_id: other.replica.usn}
        with self.lock:
            for entry in sorted(theirs, key=lambda each: each.stamp):
                self.replica.take(entry)
            for invocation_id, usn in cursors.items():
                if invocation_id != self.invocation_id:
                    self.replica.cursors[invocation_id] = max(usn, self.replica.cursors.get(invocation_id, 0))

    def snapshot(self):
        with self.lock:
            return copy.deepcopy(self.replica)

    def restore(self, snapshot, keep_invocation_id=False):
        """
        Older data: from a backup, with a new invocationId, as MS-ADTS 3.1.1.1.12 wants it; or from a copy of the virtual
        machine without it, where USNs go back and tell something else than before.
        """
        with self.lock:
            self.replica = copy.deepcopy(snapshot)
            if not keep_invocation_id:
                self.replica.cursors[self.invocation_id] = self.replica.usn
                self.invocation_id = uuid.uuid4()

    # What the wire asks

    def next_number(self):
        return next(self._numbers)

    def note(self, search):
        """Write a search down. The fault that it meets, or None."""
        with self.lock:
            self.searches.append(search)
            for fault in self.faults:
                if fault.is_meant(search):
                    fault.hits += 1
                    return fault
        return None

    def login(self, name, secret):
        """The DN of the account, or None. By DN, user principal name or DOMAIN\\name."""
        with self.lock:
            account = self.replica.at(data.dn_key(name)) if "=" in name else self._account(name)
        if account is None or account.is_deleted or self.domain.forest.passwords.get(account.guid) != secret:
            return None
        return account.dn

    def _account(self, name):
        for entry in self.replica.entries.values():
            if entry.is_deleted or not entry.get("sAMAccountName"):
                continue
            sam = entry.get("sAMAccountName")[0].decode().lower()
            if name.lower() in [upn.decode().lower() for upn in entry.get("userPrincipalName")] or name.lower() in (
                    "%s@%s" % (sam, self.domain.dns_name), "%s\\%s" % (self.domain.netbios_name.lower(), sam)):
                return entry
        return None

    def search(self, search, who):
        """(code, text, [(dn, attributes)], [references])"""
        with self.lock:
            if search.base == "" and search.scope == wire.BASE:
                return wire.SUCCESS, "", self._root_dse(search), []
            if who is None:
                return wire.OPERATIONS_ERROR, "000004DC: LdapErr: DSID-0C0907C2, comment: In order to perform this " \
                    "operation a successful bind must be completed on the connection.", [], []
            return self._search(search)

    def _root_dse(self, search):
        forest, replica = self.domain.forest, self.replica
        values = {
            "currentTime": time.strftime("%Y%m%d%H%M%S.0Z", time.gmtime()),
            "subschemaSubentry": "CN=Aggregate," + forest.schema,
            "dsServiceName": "CN=NTDS Settings," + self.server_dn,
            "namingContexts": [self.domain.suffix, forest.configuration, forest.schema],
            "defaultNamingContext": self.domain.suffix,
            "schemaNamingContext": forest.schema,
            "configurationNamingContext": forest.configuration,
            "rootDomainNamingContext": forest.root.suffix,
            "supportedControl": list(self.controls),
            "supportedLDAPVersion": ["3", "2"],
            "supportedLDAPPolicies": ["MaxPageSize", "MaxValRange"],
            "highestCommittedUSN": replica.usn,
            "supportedSASLMechanisms": ["GSSAPI", "GSS-SPNEGO", "EXTERNAL", "DIGEST-MD5"],
            "dnsHostName": self.host_name,
            "ldapServiceName": "%s:%s$@%s" % (forest.root.dns_name, self.name.lower(), self.domain.dns_name.upper()),
            "serverName": self.server_dn,
            "supportedCapabilities": CAPABILITIES,
            "isSynchronized": "TRUE" if self.is_synchronized else "FALSE",
            "isGlobalCatalogReady": "TRUE",
            "domainFunctionality": WINDOWS_2016, "forestFunctionality": WINDOWS_2016,
            "domainControllerFunctionality": WINDOWS_2016,
        }
        root = Entry("", {**values, "objectClass": None})
        asked = [name.lower() for name in search.attributes]
        everything = not asked or "*" in asked or "+" in asked
        return [("", [(name, each) for name, each in root.values.values() if everything or name.lower() in asked])]

    def _search(self, search):
        base = self.replica.resolve(search.base)
        shows_deleted = wire.SHOW_DELETED in search.controls
        if search.scope != wire.BASE and search.asks_for("tokenGroups"):
            return wire.OPERATIONS_ERROR, "00002120: SvcErr: DSID-03140363, problem 5012 (DIR_ERROR), data 0", [], []
        if base is None or base.is_phantom or (base.is_deleted and not shows_deleted):
            return self._elsewhere(search.base, base)
        matcher = data.Matcher(self.replica, lambda entry, name: self._values(entry, name, search, plain=True))
        found = [entry for entry in self._in_scope(search, base, matcher)
                 if (shows_deleted or not entry.is_deleted) and matcher.matches(entry, search.filter)]
        return wire.SUCCESS, "", [self.shown(entry, search) for entry in found], self._references(search, base)

    def _elsewhere(self, dn, phantom):
        key = phantom.key if phantom else data.dn_key(dn)
        for domain in self.domain.forest.domains:
            if domain is not self.domain and data.is_below(key, data.dn_key(domain.suffix)) and not \
                    data.is_below(key, data.dn_key(self.domain.suffix)):
                return wire.REFERRAL, "0000202B: RefErr: DSID-03100781", [], []
        return wire.NO_SUCH_OBJECT, "0000208D: NameErr: DSID-03100241, problem 2001 (NO_OBJECT), data 0", [], []

    def _in_scope(self, search, base, matcher):
        """Of the base's naming context only. As far as it can be told beforehand only what may match."""
        if search.scope == wire.BASE:
            return [base]
        candidates = matcher.candidates(search.filter)
        entries = self.replica.entries if candidates is None else candidates
        is_there = data.is_below if search.scope == wire.SUBTREE else lambda key, top: data.parent_key(key) == top
        context_of = self.domain.forest.context_of
        context = context_of(base.key)
        return [entry for entry in entries.values() if not entry.is_phantom and is_there(entry.key, base.key)
                and context_of(entry.key) == context]

    def _references(self, search, base):
        """To the naming contexts beneath the base: continuation references, unless DOMAIN_SCOPE forbids them."""
        if search.scope != wire.SUBTREE or wire.DOMAIN_SCOPE in search.controls:
            return []
        forest = self.domain.forest
        contexts = [(domain.dns_name, domain.suffix) for domain in forest.domains] + \
            [(forest.root.dns_name, forest.configuration), (forest.root.dns_name, forest.schema)]
        return ["ldap://%s/%s" % (host, dn) for host, dn in contexts
                if data.dn_key(dn) != base.key and data.parent_key(data.dn_key(dn)) == base.key]

    # What an entry shows

    def _link(self, target, expires, search, plain):
        text = self._extended(target, search, plain)
        if expires is None or plain or wire.LINK_TTL not in search.controls:
            return text
        return b"<TTL=%d>," % max(0, int(expires - time.monotonic())) + text

    @staticmethod
    def _extended(target, search, plain):
        if plain or wire.EXTENDED_DN not in search.controls:
            return target.dn.encode()
        # MS-ADTS 3.1.1.3.4.1.5: flag 1 is text, 0 (or no value) is hexadecimal.
        value = search.controls[wire.EXTENDED_DN][1]
        is_text = value != b"" and wire.ber.Reader(value).inside().integer() == 1
        guid = str(target.guid) if is_text else target.guid.bytes_le.hex()
        text = "<GUID=%s>;" % guid
        if target.sid:
            text += "<SID=%s>;" % (sid_text(target.sid) if is_text else target.sid.hex())
        return (text + target.dn).encode()

    def _values(self, entry, name, search, plain=False):
        """The values of one attribute, constructed ones too; plain: as filters see them."""
        name, replica = name.lower(), self.replica
        if name in self.hides:
            return []
        if name == "member":
            return [self._link(target, expires, search, plain) for target, expires in replica.members_of(entry)]
        if name == "memberof":
            return [self._link(group, expires, search, plain) for group, expires in replica.groups_of(entry)]
        if name == "tokengroups":
            return self.domain.forest.token_groups(self, entry)
        if name == "msds-user-account-control-computed":
            return [b"%d" % replica.computed_control(entry)] if entry.is_of_class("user") else []
        if name == "repluptodatevector":
            return replica.vector() if entry.key == data.dn_key(self.domain.suffix) else []
        if name == "invocationid":
            is_own = entry.key == data.dn_key("CN=NTDS Settings," + self.server_dn)
            return [self.invocation_id.bytes_le] if is_own else []
        own = {"distinguishedname": lambda: [entry.dn.encode()], "objectguid": lambda: [entry.guid.bytes_le],
               "objectsid": lambda: [entry.sid] if entry.sid else [], "usnchanged": lambda: [b"%d" % entry.usn]}
        if name in own:
            return own[name]()
        values = entry.get(name)
        if name in data.DN_ATTRIBUTES and not plain:
            targets = [(value, replica.at(data.dn_key(value.decode()))) for value in values]
            return [self._extended(target, search, plain) if target else value for value, target in targets]
        return values

    def shown(self, entry, search):
        """As a search is told of it: (dn, [(name, values)])."""
        asked = [name for name in search.attributes if name != "1.1"]
        names = asked
        if not search.attributes or "*" in asked:
            names = [name for name, _ in entry.values.values()] + ["distinguishedName", "objectGUID", "objectSid",
                                                                  "member", "memberOf", "uSNChanged"]
            names += [name for name in asked if name != "*" and name.lower() not in {each.lower() for each in names}]
        shown = []
        for name in names:
            shown += self._part(entry, name, search)
        return self._extended(entry, search, False).decode(), shown

    def _part(self, entry, asked, search):
        """One attribute: all its values, or a range of them (MS-ADTS 3.1.1.3.1.3.3). [(name, values)]"""
        name, _, option = asked.partition(";")
        values = self._values(entry, name, search)
        name = {"member": "member", "memberof": "memberOf"}.get(name.lower(), entry.values.get(name.lower(), (name,))[0])
        first, last = 0, None
        if option.lower().startswith("range="):
            low, _, high = option[6:].partition("-")
            first, last = int(low), None if high == "*" else int(high)
            if first >= len(values) > 0:
                return []
        elif len(values) <= self.max_val_range:
            return [(name, values)] if values else []
        part = values[first:first + self.max_val_range if last is None else min(last + 1, first + self.max_val_range)]
        if not part:
            return []
        is_end = first + len(part) == len(values)
        ranged = "%s;range=%d-%s" % (name, first, "*" if is_end else first + len(part) - 1)
        return ([] if option else [(name, [])]) + [(ranged, part)]
