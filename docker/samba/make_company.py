#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
Makes the domain of the sample company as Active Directory, for run-samba.sh: make_company.py FOLDER ADDRESS ADMIN_SECRET
AUTHORIZER_SECRET <company.ldif

Standard input is the company as OpenLDAP has it (company.ldif and what mass.awk makes). Everybody gets the account that
an AD administrator would have made of it; what AD cannot hold, or has another way to say, is below, each with its reason.
FOLDER, which is empty, gets private/, state/ and authorizer.keytab. The DC is dc1.corp.example, at ADDRESS.

As `samba-tool domain provision` does it, but without the ACLs on the files of SYSVOL, which an ordinary user may not set
and which nobody reads here. The domain's SID is always the same, so that people.txt can name one.
"""
import logging
import os
import re
import sys

import ldb
from samba import enable_net_export_keytab
from samba.auth import system_session
from samba.dcerpc import security
from samba.dsdb import DS_DOMAIN_FUNCTION_2008_R2
from samba.net import Net
from samba.param import LoadParm
from samba.provision import provision
from samba.samdb import SamDB

REALM = "CORP.EXAMPLE"
DNS_DOMAIN = REALM.lower()
DOMAIN = "CORP"
SUFFIX = "DC=corp,DC=example"
SID = "S-1-5-21-2863311530-1431655765-858993459"
# Another suffix that the forest gives to user principal names.
OTHER_SUFFIX = "research.example"
AUTHORIZER = "authorizer"

# A directory of ten thousand computers takes a minute to make; a few show the same.
DEVICE_COUNT = 20
# sAMAccountName of a user, MS-SAMR 3.1.1.6 (and [MS-ADTS]'s reason for it: LAN Manager).
MAX_USER_NAME = 20
FORBIDDEN_IN_ACCOUNT_NAMES = re.compile(r'["/\\\[\]:;|=,+*?<>]')

# MS-ADTS 2.2.12
SECURITY = -0x80000000
GLOBAL, LOCAL, UNIVERSAL = 2, 4, 8
# What administrators of one domain do: people into global groups, those into the domain local groups that rights are
# given to. AD takes a local group into nothing but a local group.
SCOPES = {"WinRM Users": LOCAL, "Leavers": LOCAL, "All IT": LOCAL, "Partners": UNIVERSAL, "Datacenter East": UNIVERSAL,
          "Datacenter West": UNIVERSAL, "Regional Operators": UNIVERSAL, "All Staff": UNIVERSAL}

ENABLED, DISABLED, WORKSTATION = "512", "514", "4096"
YEAR_2024 = "133485408000000000"  # 1 January 2024 in units of 100 ns since 1601
FOREVER = "-9223372036854775808"
MINUTES_15 = "-9000000000"

KEPT = ("sn", "givenName", "mail", "title", "employeeNumber", "telephoneNumber", "l", "description")


# The company as OpenLDAP has it

def read_ldif(file):
    """[(dn, {attribute: [values]})]; company.ldif and mass.awk fold no line and encode no value."""
    for record in re.split(r"\n\n+", file.read()):
        lines = [line.split(": ", 1) for line in record.splitlines() if line and not line.startswith("#")]
        if lines:
            values = {}
            for name, *value in lines[1:]:
                values.setdefault(name.rstrip(":"), []).extend(value)
            yield lines[0][1], values


def dn_key(dn):
    """Equal for names that OpenLDAP takes for equal, as far as this company goes."""
    return re.sub(r"\s*([,=])\s*", r"\1", dn).lower()


# The company as AD has it

class Company:
    def __init__(self, samdb):
        self.ldb = samdb
        self.dns = {}    # dn_key of OpenLDAP -> DN here
        self.names = {}  # uid -> DN here
        self.groups = []
        self.devices = 0
        self.add("CN=Partitions,CN=Configuration," + SUFFIX, None, uPNSuffixes=[OTHER_SUFFIX])

    def add(self, dn, object_class, **attributes):
        """Add an entry, or to an entry. Values are lists or strings; None and [] are nothing."""
        if object_class is None:
            message = ldb.Message(ldb.Dn(self.ldb, dn))
            for name, value in attributes.items():
                message[name] = ldb.MessageElement(value, ldb.FLAG_MOD_ADD, name)
            self.ldb.modify(message)
            return
        self.ldb.add({"dn": dn, "objectClass": object_class,
                      **{name: value for name, value in attributes.items() if value}})

    def replace(self, dn, **attributes):
        message = ldb.Message(ldb.Dn(self.ldb, dn))
        for name, value in attributes.items():
            message[name] = ldb.MessageElement(value, ldb.FLAG_MOD_REPLACE, name)
        self.ldb.modify(message)

    def child(self, name, parent):
        dn = ldb.Dn(self.ldb, parent)
        dn.add_child("CN=x")
        dn.set_component(0, "CN", name)
        return str(dn)

    def parent(self, dn):
        """Where an entry of OpenLDAP belongs: its folder, which is called the same here."""
        units = re.findall(r"(?<!\\),(ou=[^,]+)", dn, re.I)
        return ",".join(["OU" + unit[2:] for unit in units] + [SUFFIX])

    def take(self, dn, values):
        classes = values["objectClass"]
        if "organizationalUnit" in classes:
            self.add(re.sub(r"\bou=", "OU=", dn.replace("dc=", "DC=")), "organizationalUnit")
        elif "inetOrgPerson" in classes:
            self.take_person(dn, values)
        elif "account" in classes:
            self.take_device(dn, values)
        elif {"groupOfNames", "groupOfUniqueNames", "posixGroup"} & set(classes):
            self.groups.append((dn, values))
        # else a policy of OpenLDAP's, or the suffix: AD has its own

    def take_person(self, dn, values):
        uid, cn = values["uid"][0], values["cn"][0]
        here = self.child(cn, self.parent(dn))
        name = uid[:MAX_USER_NAME]
        if name in self.names:  # AD has no two accounts of one name
            name = values["mail"][0].split("@")[0]
        sites = values.get("physicalDeliveryOfficeName", [])
        kept = {key: values[key] for key in KEPT if key in values}
        self.add(here, "user", sAMAccountName=name, userPrincipalName=values["mail"], userAccountControl=ENABLED,
                 pwdLastSet="-1", department=values.get("ou"), departmentNumber=sites,
                 physicalDeliveryOfficeName=sites[:1], **kept)
        self.dns[dn_key(dn)] = self.names[name] = here
        self.take_account_state(here, values)

    def take_account_state(self, dn, values):
        """What OpenLDAP's ppolicy and shadowAccount say, in AD's words."""
        locked = values.get("pwdAccountLockedTime", [""])[0]
        if locked.startswith("0000"):
            self.replace(dn, userAccountControl=DISABLED)
        elif locked:
            self.replace(dn, lockoutTime=YEAR_2024)
        if "pwdPolicySubentry" in values:
            self.lock_for_good(dn)
        if "pwdEndTime" in values or "shadowExpire" in values:
            self.replace(dn, accountExpires=YEAR_2024)

    def lock_for_good(self, dn):
        """A fine-grained password policy whose locks do not end."""
        self.add("CN=strict,CN=Password Settings Container,CN=System," + SUFFIX, "msDS-PasswordSettings", **{
            "msDS-PasswordSettingsPrecedence": "10", "msDS-PasswordReversibleEncryptionEnabled": "FALSE",
            "msDS-PasswordHistoryLength": "0", "msDS-PasswordComplexityEnabled": "FALSE",
            "msDS-MinimumPasswordLength": "12", "msDS-MinimumPasswordAge": "0", "msDS-MaximumPasswordAge": FOREVER,
            "msDS-LockoutThreshold": "3", "msDS-LockoutObservationWindow": MINUTES_15,
            "msDS-LockoutDuration": FOREVER, "msDS-PSOAppliesTo": dn})

    def take_device(self, dn, values):
        if self.devices < DEVICE_COUNT:
            self.devices += 1
            here = self.child(values["uid"][0].upper(), self.parent(dn))
            self.add(here, "computer", sAMAccountName=values["uid"][0].upper() + "$", userAccountControl=WORKSTATION)
            self.dns[dn_key(dn)] = here

    def make_groups(self):
        """First all, then who is in them: they may be in each other."""
        for dn, values in self.groups:
            here = self.child(values["cn"][0], self.parent(dn))
            self.add(here, "group", sAMAccountName=self.group_name(dn, values["cn"][0]),
                     groupType=str(SECURITY | SCOPES.get(values["cn"][0], GLOBAL)),
                     description=values.get("description"))
            self.dns[dn_key(dn)] = here
        for dn, values in self.groups:
            members = [self.dns.get(dn_key(member)) for member in values.get("member", []) + values.get("uniqueMember", [])]
            members += [self.names.get(uid) for uid in values.get("memberUid", [])]
            self.add_members(self.dns[dn_key(dn)], dict.fromkeys(filter(None, members)))

    def group_name(self, dn, cn):
        """sAMAccountName is unique in the domain, and takes fewer characters than a name does."""
        suffix = " (retired)" if ",ou=retired," in dn.lower() else ""
        return FORBIDDEN_IN_ACCOUNT_NAMES.sub("", cn) + suffix

    def add_members(self, group, members):
        if members:
            self.add(group, None, member=list(members))

    # What OpenLDAP cannot say

    def add_what_is_ad_only(self):
        base = "OU=Groups," + SUFFIX
        users = "CN=WinRM Users," + base
        # A member by primaryGroupID alone: AD ends his link to it.
        victor, unixadmins = self.names["victor"], "CN=unixadmins," + base
        self.replace(victor, primaryGroupID=self.sid(unixadmins).rsplit("-", 1)[1])
        # A distribution group gives nothing, and nothing passes through it.
        mail = self.child("Remote Hands", base)
        self.add(mail, "group", sAMAccountName="Remote Hands", groupType=str(UNIVERSAL), member=self.names["victoria"])
        self.add_members(users, [mail])
        # A member that was deleted; AD takes its links along.
        ghost = self.child("ghost", "OU=People," + SUFFIX)
        self.add(ghost, "user", sAMAccountName="ghost", userAccountControl=ENABLED)
        self.add_members(users, [ghost])
        self.ldb.delete(ghost)
        # A user principal name of another suffix, beside which the implicit one stays.
        self.replace(self.names["judy"], userPrincipalName="judy@" + OTHER_SUFFIX)

    def sid(self, dn):
        entry = self.ldb.search(base=dn, scope=ldb.SCOPE_BASE, attrs=["objectSid"])[0]
        return self.ldb.schema_format_value("objectSid", entry["objectSid"][0]).decode()


# The domain

def loaded(configuration):
    lp = LoadParm()
    lp.load(configuration)
    return lp


def make_domain(folder, address, admin_password):
    """Samba's own provisioning. Returns the path of its smb.conf."""
    first = os.path.join(folder, "first.conf")
    with open(first, "w", encoding="ascii") as file:
        file.write("[global]\nldb:nosync = yes\n")  # what is lost in a crash is made anew
    lp = loaded(first)
    logger = logging.getLogger("provision")
    logger.addHandler(logging.StreamHandler())
    logger.setLevel(logging.WARNING)
    provision(logger, system_session(lp), smbconf=first, targetdir=folder, realm=REALM, domain=DOMAIN,
              domainsid=security.dom_sid(SID), hostname="dc1", hostip=address, adminpass=admin_password,
              serverrole="active directory domain controller", dns_backend="SAMBA_INTERNAL", use_rfc2307=True,
              dom_for_fun_level=DS_DOMAIN_FUNCTION_2008_R2, skip_sysvolacl=True, plaintext_secrets=True, lp=lp)
    return os.path.join(folder, "etc", "smb.conf")


def set_up(company, authorizer_password):
    """Service names that only the service `dnsupdate` would add, the rules for passwords, the service account."""
    names = ["ldap/dc1." + DNS_DOMAIN, "ldap/dc1", "ldap/dc1.%s/%s" % (DNS_DOMAIN, DNS_DOMAIN),
             "ldap/dc1.%s/%s" % (DNS_DOMAIN, DOMAIN), "GC/dc1.%s/%s" % (DNS_DOMAIN, DNS_DOMAIN)]
    company.add("CN=DC1,OU=Domain Controllers," + SUFFIX, None, servicePrincipalName=names)
    company.replace(SUFFIX, maxPwdAge="0", minPwdAge="0", lockoutThreshold="5", lockoutDuration=MINUTES_15,
                    lockOutObservationWindow=MINUTES_15)
    dn = "CN=%s,OU=Services,%s" % (AUTHORIZER, SUFFIX)
    company.add(dn, "user", sAMAccountName=AUTHORIZER, userPrincipalName="%s@%s" % (AUTHORIZER, DNS_DOMAIN),
                userAccountControl=ENABLED, description="wsmauthz reads users and groups as this account",
                unicodePwd=('"%s"' % authorizer_password).encode("utf-16-le"))
    # The default of Samba is not AD's newest, and a keytab without AES would be of no use with other DCs.
    company.replace(dn, **{"msDS-SupportedEncryptionTypes": "24"})


def main(folder, address, admin_secret, authorizer_secret):
    secrets = []
    for path in (admin_secret, authorizer_secret):
        with open(path, encoding="ascii") as file:
            secrets.append(file.read().rstrip("\n"))
    lp = loaded(make_domain(folder, address, secrets[0]))
    samdb = SamDB(url=lp.private_path("sam.ldb"), session_info=system_session(lp), lp=lp)
    samdb.transaction_start()
    company = Company(samdb)
    for dn, values in read_ldif(sys.stdin):
        company.take(dn, values)
    company.make_groups()
    company.add_what_is_ad_only()
    set_up(company, secrets[1])
    samdb.transaction_commit()
    enable_net_export_keytab()
    Net(None, lp).export_keytab(keytab=os.path.join(folder, "authorizer.keytab"), principal=AUTHORIZER)


if __name__ == "__main__":
    main(*sys.argv[1:])
