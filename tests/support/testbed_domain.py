# SPDX-License-Identifier: Apache-2.0
"""
The data of a domain controller that is not running, through its own database and its own rules (python3-samba): what a
test's fill(domain) gets. One transaction; much faster than LDAP (6 ms a user).
"""
import ldb
from samba import enable_net_export_keytab
from samba.auth import system_session
from samba.net import Net
from samba.param import LoadParm
from samba.samdb import SamDB

# MS-ADTS 2.2.12: scope, and the bit that makes it a security group.
_SCOPES = {"global": 0x2, "local": 0x4, "universal": 0x8}
_SECURITY = 0x80000000

PEOPLE, GROUPS, SERVICES = "OU=People", "OU=Groups", "OU=Services"


class Domain:
    """
    domain.user("alice", l="Rome"), domain.group("admins", [dn, ...], scope="universal", security=False): each returns
    its DN; whatever is not here is in `ldb` (a samba.samdb.SamDB), for everything else.
    """

    def __init__(self, configuration, dns_domain):
        self._lp = LoadParm()
        self._lp.load(configuration)
        self.ldb = SamDB(url=self._lp.private_path("sam.ldb"), session_info=system_session(self._lp), lp=self._lp)
        self.suffix = str(self.ldb.domain_dn())
        self.dns_domain = dns_domain

    def __enter__(self):
        self.ldb.transaction_start()
        return self

    def __exit__(self, kind, *exception):
        if kind is None:
            self.ldb.transaction_commit()
        else:
            self.ldb.transaction_cancel()

    # Entries

    def person_dn(self, name):
        return self._dn(name, PEOPLE)

    def group_dn(self, name):
        return self._dn(name, GROUPS)

    def unit(self, unit):
        """An organizational unit: "OU=Rome,OU=People"."""
        self.ldb.add({"dn": "%s,%s" % (unit, self.suffix), "objectClass": "organizationalUnit"})

    def user(self, name, *, cn=None, unit=PEOPLE, upn="", password=None, **attributes):
        """
        A user that is enabled. upn: None for none; the default is name@domain. An attribute that is a list has several
        values; one that is None is left out.
        """
        entry = {"dn": self._dn(cn or name, unit), "objectClass": "user", "sAMAccountName": name,
                 "userPrincipalName": "%s@%s" % (name, self.dns_domain) if upn == "" else upn,
                 "userAccountControl": "512", "pwdLastSet": "-1",  # enabled, and the password need not be changed
                 "unicodePwd": ('"%s"' % password).encode("utf-16-le") if password else None}
        entry.update(attributes)
        return self._add(entry)

    def group(self, name, members=(), *, cn=None, unit=GROUPS, scope="global", security=True, **attributes):
        """A group; scope: global, local (domain local) or universal; security=False: a distribution group."""
        entry = {"dn": self._dn(cn or name, unit), "objectClass": "group", "sAMAccountName": name,
                 "groupType": str(group_type(scope, security)), "member": list(members) or None}
        entry.update(attributes)
        return self._add(entry)

    def add_members(self, group, members):
        """More members. "<SID=S-1-5-21-...>" of another domain makes a foreign security principal."""
        message = ldb.Message(ldb.Dn(self.ldb, group))
        message["member"] = ldb.MessageElement(list(members), ldb.FLAG_MOD_ADD, "member")
        self.ldb.modify(message)

    def set_primary_group(self, user, group):
        """Make the user a member by primaryGroupID alone, as the rules of AD do: his membership by link ends."""
        try:
            self.add_members(group, [user])
        except ldb.LdbError as error:
            if error.args[0] != ldb.ERR_ENTRY_ALREADY_EXISTS:
                raise
        self.replace(user, "primaryGroupID", self.sid(group).rsplit("-", 1)[1])

    def replace(self, dn, attribute, *values):
        message = ldb.Message(ldb.Dn(self.ldb, dn))
        message[attribute] = ldb.MessageElement(list(values), ldb.FLAG_MOD_REPLACE, attribute)
        self.ldb.modify(message)

    def sid(self, dn):
        """S-1-5-21-..., of an entry."""
        entry = self.ldb.search(base=dn, scope=ldb.SCOPE_BASE, attrs=["objectSid"])[0]
        return self.ldb.schema_format_value("objectSid", entry["objectSid"][0]).decode()

    # Inside

    def export_keytab(self, path, principal):
        """Outside of the transaction: it has a connection of its own."""
        enable_net_export_keytab()
        Net(None, self._lp).export_keytab(keytab=path, principal=principal)

    def _dn(self, name, unit):
        dn = ldb.Dn(self.ldb, "%s,%s" % (unit, self.suffix))
        dn.add_child("CN=x")
        dn.set_component(0, "CN", name)
        return str(dn)

    def _add(self, entry):
        self.ldb.add({name: value for name, value in entry.items() if value is not None})
        return entry["dn"]


def group_type(scope, security=True):
    """The value of groupType, a signed integer of 32 bits."""
    value = _SCOPES[scope] | (_SECURITY if security else 0)
    return value - (1 << 32) if value & _SECURITY else value
