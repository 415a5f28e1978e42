# SPDX-License-Identifier: Apache-2.0
"""
A random domain: groups of every scope, security and distribution, nested as Active Directory lets them be (with cycles,
diamonds and chains), users who are in them by link and by primary group; and random changes of it.
"""
import random

import ldb
from samba.auth import system_session
from samba.credentials import DONT_USE_KERBEROS, Credentials
from samba.dcerpc import security
from samba.ndr import ndr_unpack
from samba.param import LoadParm
from samba.samdb import SamDB
from testbed_domain import group_type

# A suffix of user principal names that the forest has beside its domains' names.
OTHER_SUFFIX = "research.example.test"
SCOPES = ("global", "universal", "local")
# MS-SAMR 3.1.1.8.9: which groups a group of a scope takes as members.
TAKES = {"global": ("global",), "universal": ("global", "universal"), "local": SCOPES}


class Group:
    def __init__(self, name, scope, is_security):
        self.name, self.scope, self.is_security = name, scope, is_security

    def __repr__(self):
        return "%s(%s %s)" % (self.name, "security" if self.is_security else "distribution", self.scope)


class World:
    """Names and choices; the links are in the directory alone, and whoever wants to know them asks it."""

    def __init__(self, seed, user_count, group_count):
        self.random = random.Random(seed)
        self.suffix = None
        self.dns_domain = None
        self.primary = set()  # (group DN, user DN): AD takes no link of those
        self.users = ["user%03d" % i for i in range(user_count)]
        self.groups = [Group("group%03d" % i, self.random.choices(SCOPES, (5, 2, 3))[0], self.random.random() < 0.8)
                       for i in range(group_count)]

    def user_dn(self, name):
        return "CN=%s,OU=People,%s" % (name, self.suffix)

    def group_dn(self, group):
        return "CN=%s,OU=Groups,%s" % (group.name, self.suffix)

    def fill(self, domain):
        """For testbed.Samba; returns {name: SID} of the users and the groups, and `primary`."""
        self.suffix, self.dns_domain = domain.suffix, domain.dns_domain
        domain.replace("CN=Partitions,CN=Configuration," + domain.suffix, "uPNSuffixes", OTHER_SUFFIX)
        for name in self.users:
            domain.user(name, upn=self.upn(name))
        for group in self.groups:
            domain.group(group.name, scope=group.scope, security=group.is_security)
        for group in self.groups:
            members = self.random_members(group)
            if members:
                domain.add_members(self.group_dn(group), members)
        for name in self.users:
            if self.random.random() < 0.3:
                group = self.group_dn(self.possible_primary_group())
                domain.set_primary_group(self.user_dn(name), group)
                self.primary.add((group, self.user_dn(name)))
        sids = {name: domain.sid(self.user_dn(name)) for name in self.users}
        sids.update((group.name, domain.sid(self.group_dn(group))) for group in self.groups)
        return sids, self.primary

    def upn(self, name):
        """Every third has an explicit one, which is not what AD would make up."""
        return "first.%s@%s" % (name, OTHER_SUFFIX) if int(name[4:]) % 3 == 0 else None

    def random_members(self, group):
        possible = [other for other in self.groups if other.scope in TAKES[group.scope] and other is not group]
        groups = self.random.sample(possible, min(len(possible), self.random.choice((0, 1, 1, 2, 4))))
        users = self.random.sample(self.users, self.random.choice((0, 1, 2, 5, 9)))
        return [self.group_dn(other) for other in groups] + [self.user_dn(name) for name in users]

    def possible_primary_group(self):
        """MS-SAMR 3.1.1.8.2: a security group that is not domain local."""
        return self.random.choice([group for group in self.groups if group.is_security and group.scope != "local"])

    def sender(self, name, sid):
        """One of the ways to write the user."""
        ways = ["CORP\\" + name, "corp.example.test\\" + name.upper(), name, "%s@%s" % (name, "corp.example.test"), sid]
        if self.upn(name):
            ways.append(self.upn(name))
        return self.random.choice(ways)

    def changes(self, links, count):
        """Random changes, as LDIF. links: [(group DN, member DN)], of those that are there."""
        return "\n".join(self._change(links) for _ in range(count))

    def _change(self, links):
        kind = self.random.choice(("remove", "add", "turn"))
        if kind == "remove" and links:
            group, member = links.pop(self.random.randrange(len(links)))
            return _modification(group, "delete", "member", member)
        if kind == "add":
            while True:
                group = self.random.choice(self.groups)
                member = self.random.choice(self.random_members(group) or [None])
                link = (self.group_dn(group), member)
                if member and link not in links and link not in self.primary:
                    links.append(link)
                    return _modification(self.group_dn(group), "add", "member", member)
        # A security group becomes a mailing list, or the other way round.
        group = self.random.choice([group for group in self.groups if not group.is_security or group.scope == "local"])
        group.is_security = not group.is_security
        return _modification(self.group_dn(group), "replace", "groupType",
                             str(group_type(group.scope, group.is_security)))


def _modification(dn, action, attribute, value):
    return "dn: %s\nchangetype: modify\n%s: %s\n%s: %s\n" % (dn, action, attribute, attribute, value)


class Truth:
    """What the server itself says, to a client that has nothing to do with ours (python3-samba, bound by NTLM)."""

    def __init__(self, samba):
        lp = LoadParm()
        lp.load(samba.smb_conf)
        credentials = Credentials()
        credentials.guess(lp)
        credentials.set_kerberos_state(DONT_USE_KERBEROS)
        credentials.set_username(samba.service_user)
        credentials.set_password(samba.service_password)
        credentials.set_domain(samba.domain)
        self._ldb = SamDB(url=samba.uri, session_info=system_session(lp), credentials=credentials, lp=lp)

    def token_groups(self, dn):
        """The SIDs of everything that the account is in."""
        entry = self._ldb.search(base=dn, scope=ldb.SCOPE_BASE, attrs=["tokenGroups"])[0]
        return {str(ndr_unpack(security.dom_sid, value)) for value in entry["tokenGroups"]}

    def links(self, base):
        """[(group DN, member DN)] of all groups below a DN."""
        found = self._ldb.search(base=base, scope=ldb.SCOPE_SUBTREE, expression="(objectClass=group)", attrs=["member"])
        return [(str(entry.dn), str(member)) for entry in found for member in entry.get("member", [])]
