# SPDX-License-Identifier: Apache-2.0
"""
Active Directory as MS-ADTS describes it, scripted: for what Samba does not do (range retrieval, links with a time to live,
several domains in a forest) and for what no healthy controller does (faults).

    forest = Forest()                                  # domain CORP, corp.example.test, with one controller, DC1
    corp = forest.root
    with forest:
        alice = corp.user("alice", upn="alice@example.test")
        admins = corp.group("admins", [alice])
        ... corp.dc.uri, corp.suffix, forest.service_dn, forest.service_password ...
        corp.unlink(admins, alice)                     # highestCommittedUSN ticks
        corp.dc.faults.append(Fault(when=lambda search: search.asks_for("memberOf"), code=BUSY, times=1))

Every controller has its own objects, USNs and invocationId; a second one of the same domain (`corp.add_controller("DC2")`)
knows nothing before `dc2.replicate_from(dc1)`. Changes go to a domain's first controller unless `on=` names another.
Everything runs on threads of the test and listens on 127.0.0.1. In clear text: Samba is there for TLS and Kerberos.

Not imitated: access rights (whoever is bound sees all), schema, aliases, changes over LDAP, sorting, the global catalogue
(tokenGroups has the universal groups of the whole forest all the same), notifications, DirSync.

Sources: MS-ADTS 3.1.1.3.1.3.3 (ranges), 3.1.1.3.2 (root DSE), 3.1.1.3.4.1 (controls), 3.1.1.3.4.6 (limits),
3.1.1.4.5.19 (tokenGroups), 6.1.1.2 (Partitions, NTDS Settings), 6.1.6.7 (trusts).
"""
import copy
import itertools

import testbed_scripted_ad_data as data
from testbed_scripted_ad_controller import Controller
from testbed_scripted_ad_data import Entry, sid_bytes, sid_text
from testbed_scripted_ad_wire import BUSY, OPERATIONS_ERROR, SIZE_LIMIT, TIME_LIMIT, UNAVAILABLE, Fault
from testbed_slapd import dn_escape

__all__ = ["BUSY", "Controller", "Domain", "Fault", "Forest", "OPERATIONS_ERROR", "SIZE_LIMIT", "TIME_LIMIT", "UNAVAILABLE"]

NEVER = 0x7fffffffffffffff
DOMAIN_USERS = 513


class Domain:
    """One domain: makes users and groups on its first controller, or on the one that `on` names."""

    def __init__(self, forest, dns_name, netbios_name, number):
        self.forest = forest
        self.dns_name = dns_name
        self.netbios_name = netbios_name
        self.suffix = ",".join("DC=" + part for part in dns_name.split("."))
        self.sid = "S-1-5-21-1000000001-2000000002-%d" % number
        self.users_dn = "CN=Users," + self.suffix
        self.controllers = []
        self._rids = itertools.count(1100)
        self._head = Entry(self.suffix, {"objectClass": ["top", "domain", "domainDNS"], "dc": dns_name.split(".")[0],
                                         "lockoutDuration": "-18000000000"}, sid_bytes(self.sid))

    @property
    def dc(self):
        return self.controllers[0]

    def head(self, is_phantom=False):
        head = copy.deepcopy(self._head)
        head.is_phantom = is_phantom
        return head

    def add_controller(self, name):
        """A further controller; it holds nothing of the domain before it replicates."""
        controller = Controller(self, name)
        self.controllers.append(controller)
        self.forest.fill_configuration()
        if self.forest.is_started:
            controller.start()
        return controller

    def _next_sid(self, rid):
        return sid_bytes("%s-%d" % (self.sid, rid if rid is not None else next(self._rids)))

    def _add(self, entry, on):
        controller = on or self.dc
        with controller.lock:
            return controller.replica.add(entry)

    def user(self, name, *, cn=None, upn=None, password=None, disabled=False, primary=DOMAIN_USERS, on=None, **attributes):
        """An Entry. upn: an explicit userPrincipalName. More attributes by their names."""
        cn = cn or name
        values = {"objectClass": ["top", "person", "organizationalPerson", "user"], "cn": cn, "name": cn,
                  "sAMAccountName": name, "sAMAccountType": 805306368, "userAccountControl": 514 if disabled else 512,
                  "accountExpires": NEVER, "lockoutTime": 0, "pwdLastSet": 132000000000000000, "primaryGroupID": primary,
                  "objectCategory": "CN=Person," + self.forest.schema, "userPrincipalName": upn, **attributes}
        entry = self._add(Entry("CN=%s,%s" % (dn_escape(cn), self.users_dn), values, self._next_sid(None)), on)
        if password is not None:
            self.forest.passwords[entry.guid] = password
        return entry

    def group(self, name, members=(), *, scope="global", security=True, rid=None, on=None):
        kind = data.SCOPES[scope] | (data.SECURITY_ENABLED if security else 0)
        entry = Entry("CN=%s,%s" % (dn_escape(name), self.users_dn),
                      {"objectClass": ["top", "group"], "cn": name, "name": name, "sAMAccountName": name,
                       "groupType": data.signed(kind), "objectCategory": "CN=Group," + self.forest.schema},
                      self._next_sid(rid))
        self._add(entry, on)
        for member in members:
            self.link(entry, member, on=on)
        return entry

    def unit(self, name, on=None):
        """An organizational unit."""
        return self._add(Entry("OU=%s,%s" % (dn_escape(name), self.suffix),
                               {"objectClass": ["top", "organizationalUnit"], "ou": name, "name": name}), on)

    def computer(self, name, on=None):
        """A machine's account: its sAMAccountName ends with "$"."""
        return self._add(Entry("CN=%s,CN=Computers,%s" % (dn_escape(name), self.suffix), {
            "objectClass": ["top", "person", "organizationalPerson", "user", "computer"], "cn": name, "name": name,
            "sAMAccountName": name + "$", "sAMAccountType": 805306369, "userAccountControl": 4096,
            "accountExpires": NEVER, "primaryGroupID": 515, "objectCategory": "CN=Computer," + self.forest.schema},
                               self._next_sid(None)), on)

    def foreigner(self, sid, on=None):
        """Somebody of another forest, or a well-known principal: an object that has nothing but a SID."""
        return self._add(Entry("CN=%s,CN=ForeignSecurityPrincipals,%s" % (sid, self.suffix), {
            "objectClass": ["top", "foreignSecurityPrincipal"], "cn": sid, "name": sid,
            "objectCategory": "CN=Foreign-Security-Principal," + self.forest.schema}, sid_bytes(sid)), on)

    def trust(self, dns_name, netbios_name, sid, *, attributes=0, direction=2):
        """To a domain that is none of the forest's. direction: 1 its users may not come here, 2 they may, 3 both ways."""
        self._add(Entry("CN=%s,CN=System,%s" % (dns_name, self.suffix), {
            "objectClass": ["top", "leaf", "trustedDomain"], "cn": dns_name, "trustPartner": dns_name,
            "flatName": netbios_name, "securityIdentifier": sid_bytes(sid), "trustDirection": direction,
            "trustAttributes": attributes}), None)

    def _own(self, controller, entry):
        """The controller's copy of an entry; of another domain's a phantom (MS-ADTS 3.1.1.1.5)."""
        own = controller.replica.entries.get(entry.guid)
        if own is None:
            own = copy.deepcopy(entry)
            own.is_phantom = True
            own.members = {}
            controller.replica.add(own)
        return own

    def change(self, entry, on=None, **attributes):
        controller = on or self.dc
        with controller.lock:
            own = self._own(controller, entry)
            for name, value in attributes.items():
                own.set(name, value)
            controller.replica.touch(own)

    def rename(self, entry, dn, on=None):
        """A new DN. What lies beneath comes along."""
        controller = on or self.dc
        with controller.lock:
            own = self._own(controller, entry)
            old = own.key
            for each in list(controller.replica.entries.values()):
                if each is not own and data.is_below(each.key, old):
                    each.dn = each.dn[:-len(own.dn)] + dn
            own.dn = dn
            controller.replica.touch(own)

    def link(self, group, member, ttl_s=None, on=None):
        """Make a member; with ttl_s the link expires by itself (MS-ADTS 3.1.1.1.9.1)."""
        controller = on or self.dc
        with controller.lock:
            controller.replica.link(self._own(controller, group), self._own(controller, member), ttl_s)

    def unlink(self, group, member, on=None):
        controller = on or self.dc
        with controller.lock:
            controller.replica.unlink(self._own(controller, group), member)

    def delete(self, entry, on=None):
        controller = on or self.dc
        with controller.lock:
            controller.replica.delete(self._own(controller, entry))


class Forest:
    """Domains, the configuration that all of their controllers hold, and a service account in the first one."""

    service_password = "Service-Passw0rd1"

    def __init__(self, dns_name="corp.example.test", netbios_name="CORP", upn_suffixes=()):
        self.domains = []
        self._contexts = []
        self.passwords = {}
        self.token_extra = {}  # GUID -> SIDs that are in the token besides: what several domains together make
        self.is_started = False
        self.upn_suffixes = list(upn_suffixes)
        self._configuration_entries = {}
        suffix = ",".join("DC=" + part for part in dns_name.split("."))
        self.configuration = "CN=Configuration," + suffix
        self.schema = "CN=Schema," + self.configuration
        self.root = self.add_domain(dns_name, netbios_name)
        service = self.root.user("svc-wsmauthz", password=self.service_password)
        self.service_dn = service.dn

    def add_domain(self, dns_name, netbios_name):
        """A domain with one controller. Domains of one forest trust each other."""
        domain = Domain(self, dns_name, netbios_name, 3000000001 + len(self.domains))
        self.domains.append(domain)
        contexts = [self.configuration, self.schema] + [each.suffix for each in self.domains]
        self._contexts = sorted(map(data.dn_key, contexts), key=len, reverse=True)  # the innermost first
        controller = domain.add_controller("DC1" if not self.domains[1:] else netbios_name + "-DC1")
        with controller.lock:
            controller.replica.add(domain.head())
            for name in ("Users", "Computers", "ForeignSecurityPrincipals", "System"):
                controller.replica.add(Entry("CN=%s,%s" % (name, domain.suffix),
                                             {"objectClass": ["top", "container"], "cn": name}))
        self.fill_configuration()
        domain.group("Domain Users", rid=DOMAIN_USERS)
        return domain

    def _configure(self, dn, attributes):
        """The same object on every controller."""
        made = self._configuration_entries.get(dn)
        if made is None:
            made = self._configuration_entries[dn] = Entry(dn, attributes)
        for domain in self.domains:
            for controller in domain.controllers:
                with controller.lock:
                    if made.guid not in controller.replica.entries:
                        controller.replica.add(copy.deepcopy(made))

    def _cross_ref(self, name, context, flags, dns_name):
        self._configure("CN=%s,CN=Partitions,%s" % (name, self.configuration),
                        {"objectClass": ["top", "crossRef"], "cn": name, "nCName": context, "dnsRoot": dns_name,
                         "systemFlags": flags, "nETBIOSName": name if flags & 2 else None})

    def fill_configuration(self):
        """What every controller of the forest knows of all others. Phantoms are for the heads of other domains."""
        self._configure(self.configuration, {"objectClass": ["top", "configuration"], "cn": "Configuration"})
        self._configure(self.schema, {"objectClass": ["top", "dMD"], "cn": "Schema"})
        self._configure("CN=Partitions," + self.configuration, {"objectClass": ["top", "crossRefContainer"],
                                                                "cn": "Partitions", "uPNSuffixes": self.upn_suffixes})
        root = self.domains[0]
        self._cross_ref("Enterprise Configuration", self.configuration, 1, root.dns_name)
        self._cross_ref("Enterprise Schema", self.schema, 1, root.dns_name)
        for domain in self.domains:
            self._cross_ref(domain.netbios_name, domain.suffix, 3, domain.dns_name)
            for controller in domain.controllers:
                self._configure("CN=NTDS Settings," + controller.server_dn,
                                {"objectClass": ["top", "applicationSettings", "nTDSDSA"], "cn": "NTDS Settings"})
                for other in self.domains:
                    self._know(controller, other)

    def _know(self, controller, other):
        """A trust to another domain of the forest, and its head as a phantom."""
        domain = controller.domain
        if other is domain:
            return
        with controller.lock:
            if controller.replica.at(data.dn_key(other.suffix)) is None:
                controller.replica.add(other.head(is_phantom=True))
            dn = "CN=%s,CN=System,%s" % (other.dns_name, domain.suffix)
            if controller.replica.at(data.dn_key(dn)) is None:
                controller.replica.add(Entry(dn, {
                    "objectClass": ["top", "leaf", "trustedDomain"], "cn": other.dns_name, "trustPartner": other.dns_name,
                    "flatName": other.netbios_name, "securityIdentifier": sid_bytes(other.sid), "trustDirection": 3,
                    "trustAttributes": 0x20}))

    def context_of(self, key):
        """The key of the naming context that an object lies in."""
        return next((context for context in self._contexts if data.is_below(key, context)), "")

    def token_groups(self, controller, entry):
        """With the universal groups of other domains, which a controller asks a global catalogue for."""
        own = {sid: None for sid in controller.replica.token_groups(entry) + self.token_extra.get(entry.guid, [])}
        for domain in self.domains:
            if domain is not controller.domain and own:
                replica = domain.dc.replica
                copy_there = replica.entries.get(entry.guid)
                for sid in replica.token_groups(copy_there) if copy_there else ():
                    group = replica.resolve("<SID=%s>" % sid_text(sid))
                    if group is not None and group.number("groupType") & data.SCOPES["universal"]:
                        own[sid] = None
        return sorted(own)

    def start(self):
        self.is_started = True
        for domain in self.domains:
            for controller in domain.controllers:
                controller.start()

    def close(self):
        for domain in self.domains:
            for controller in domain.controllers:
                controller.stop()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.close()
