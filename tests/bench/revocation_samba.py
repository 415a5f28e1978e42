#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
How soon a change counts where the directory is a domain controller, which is polled: a Samba with the people and groups that
revocation.c changes, and then that program. The plug-in's account may only read, and sees no deleted objects.

    revocation_samba.py --driver build/release/tests/bench/revocation [--repetitions 50] [--threads 4] [--kinds member,nest]
                        [--users N]

--users: so many others in the directory, and in a group, for their size to count. Ends with the driver's exit status.
"""
import argparse
import os
import shutil
import subprocess
import sys

from revocation import KINDS, STEADY, names

import testbed
from testbed import Folder, Samba

ROOT, DENIED = "winrm-users", "denied"
KINDS_OF_DIRECTORY = ",".join(KINDS)


def fill_with(others):
    def fill(domain):
        people = {kind: [domain.user(name) for name in names(kind)] for kind in KINDS}
        steady = [domain.user(name) for name in names("steady", STEADY)]
        for name in names("stranger", STEADY):
            domain.user(name)
        policy = [domain.user(name) for name in names("policy", 1)]
        crowd = domain.group("leaf-others", [domain.user("u%07d" % number) for number in range(others)])
        inner = {kind: [domain.group(name + "-of", [dn], cn=name) for name, dn in zip(names(kind), people[kind])]
                 for kind in ("nest", "group")}
        nested = [domain.group("revocable", people["member"]), domain.group("mortals", people["user"]),
                  domain.group("nests", inner["nest"]), domain.group("deletables", inner["group"]), crowd]
        domain.group(ROOT, nested + people["account"] + policy + steady)
        domain.group(DENIED, policy)
    return fill


def write_policies(folder, samba):
    policy = testbed.write_policy(folder.join("policy.xml"), samba, allow=[samba.group_dn(ROOT)])
    shutil.copy2(policy, policy + ".plain")
    return policy, testbed.write_policy(folder.join("denying.xml"), samba, allow=[samba.group_dn(ROOT)],
                                        deny=[samba.group_dn(DENIED)])


def main():
    parser = argparse.ArgumentParser(description="how soon a change counts on a domain controller")
    parser.add_argument("--driver", default=os.environ.get("WSMAUTHZ_REVOCATION"))
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--repetitions", default="50")
    parser.add_argument("--threads", default="4")
    parser.add_argument("--kinds", default=KINDS_OF_DIRECTORY)
    parser.add_argument("--hold", default="1500")
    arguments = parser.parse_args()
    if not arguments.driver:
        testbed.skip("the driver is not part of this build (WSMAUTHZ_REVOCATION is not set)")
    with Folder() as folder, Samba(fill_with(arguments.users)) as samba:
        policy, denying = write_policies(folder, samba)
        command = [arguments.driver, "--config", policy, "--deny-config", denying, "--uri", samba.uri, "--root-dn",
                   "Administrator@" + samba.dns_domain, "--suffix", samba.suffix, "--server", "ad", "--p99", "1000"]
        for option in ("repetitions", "threads", "kinds", "hold"):
            command += ["--" + option, getattr(arguments, option)]
        status = subprocess.run(command, env=dict(os.environ, REVOCATION_PASSWORD=samba.administrator_password),
                                check=False).returncode
    sys.exit(status)


if __name__ == "__main__":
    main()
