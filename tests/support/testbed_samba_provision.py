#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
Makes the domain of the test bed's domain controller in a folder: testbed_samba_provision.py FOLDER <settings.json
Run by testbed_samba.py, once; what it makes is kept, and unpacked for every test.

As `samba-tool domain provision` does it, without the ACLs on the file system of SYSVOL: nobody reads that here, and they
are what an ordinary user may not set. As a program of its own, because Samba's libraries keep settings for good.
"""
import json
import logging
import os
import sys

import ldb
from samba.auth import system_session
from samba.dcerpc import security
from samba.dsdb import DS_DOMAIN_FUNCTION_2008_R2
from samba.param import LoadParm
from samba.provision import provision

from testbed_domain import GROUPS, PEOPLE, SERVICES, Domain


def add_service_names(samdb, dns_domain, domain, hosts):
    """The principals that the service `dnsupdate`, which does not run here, would add: GSSAPI asks for ldap/HOST."""
    account = ldb.Message(ldb.Dn(samdb, "CN=%s,OU=Domain Controllers,%s" % (hosts[0].upper(), samdb.domain_dn())))
    names = []
    for host in hosts:
        full = "%s.%s" % (host, dns_domain)
        names += ["ldap/" + full, "ldap/" + host, "ldap/%s/%s" % (full, dns_domain), "ldap/%s/%s" % (full, domain),
                  "GC/%s/%s" % (full, dns_domain)]
    account["servicePrincipalName"] = ldb.MessageElement(names, ldb.FLAG_MOD_ADD, "servicePrincipalName")
    samdb.modify(account)


def allow_any_password(samdb):
    root = ldb.Message(ldb.Dn(samdb, str(samdb.domain_dn())))
    for name, value in (("maxPwdAge", "0"), ("minPwdAge", "0"), ("minPwdLength", "0"), ("pwdProperties", "0")):
        root[name] = ldb.MessageElement(value, ldb.FLAG_MOD_REPLACE, name)
    samdb.modify(root)


def make_domain(folder, settings):
    first = os.path.join(folder, "first.conf")
    with open(first, "w", encoding="ascii") as file:
        file.write("[global]\nldb:nosync = yes\n")  # what is lost in a crash is made anew
    lp = LoadParm()
    lp.load(first)
    logger = logging.getLogger("provision")
    logger.addHandler(logging.StreamHandler())
    logger.setLevel(logging.WARNING)
    provision(logger, system_session(lp), smbconf=first, targetdir=folder, realm=settings["realm"],
              domain=settings["domain"], domainsid=security.dom_sid(settings["sid"]), hostname=settings["hosts"][0],
              hostip=settings["address"], adminpass=settings["administrator_password"],
              serverrole="active directory domain controller", dns_backend="SAMBA_INTERNAL", use_rfc2307=True,
              dom_for_fun_level=DS_DOMAIN_FUNCTION_2008_R2, skip_sysvolacl=True, plaintext_secrets=True, lp=lp)


def main(folder):
    settings = json.load(sys.stdin)
    make_domain(folder, settings)
    with Domain(os.path.join(folder, "etc", "smb.conf"), settings["realm"].lower()) as domain:
        add_service_names(domain.ldb, domain.dns_domain, settings["domain"], settings["hosts"])
        allow_any_password(domain.ldb)
        for unit in (PEOPLE, GROUPS, SERVICES):
            domain.unit(unit)
        domain.user(settings["service_user"], unit=SERVICES, password=settings["service_password"])
    domain.export_keytab(os.path.join(folder, "service.keytab"), settings["service_user"])


if __name__ == "__main__":
    main(*sys.argv[1:])
