#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
How soon a change counts: a slapd with the people and groups that revocation.c changes, and then that program.

    revocation.py --driver build/release/tests/bench/revocation [--repetitions 100] [--threads 8] [--kinds member,nest]
                  [--users N]

--users: so many others in the directory, and in the groups, for their size to count. Ends with the driver's exit status.
"""
import argparse
import os
import shutil
import subprocess
import sys

import generate
from bench_slapd import BenchSlapd

import testbed
from testbed import Folder, entry, group, group_dn, person_dn

VICTIMS = 10
STEADY = 10
KINDS = ("member", "account", "user", "nest", "group")


def names(kind, count=VICTIMS):
    return ["%s-%02d" % (kind, number) for number in range(count)]


def people():
    every = [name for kind in KINDS for name in names(kind)] + names("policy", 1)
    every += names("steady", STEADY) + names("stranger", STEADY) + ["keeper"]
    return "".join(entry(person_dn(name), objectClass=["inetOrgPerson", "posixAccount", "shadowAccount"], uid=name, cn=name,
                         sn=name, uidNumber="1000", gidNumber="1000", homeDirectory="/") for name in every)


def groups(others):
    """winrm-users holds all but the strangers. A group of this schema has at least one member: keeper."""
    text = group(generate.ROOT, [group_dn(name) for name in ("revocable", "mortals", "nests", "deletables", "leaf-others")]
                 + names("account") + names("policy", 1) + names("steady", STEADY))
    text += group("revocable", names("member") + ["keeper"])
    text += group("mortals", names("user") + ["keeper"])
    text += group("nests", [group_dn(name) for name in names("nest")] + ["keeper"])
    text += group("deletables", [group_dn(name) for name in names("group")] + ["keeper"])
    text += "".join(group(name, [name]) for name in names("nest") + names("group"))
    text += group("leaf-others", ["keeper"] + ["u%07d" % (number + 1) for number in range(others)])
    return text + group("denied", names("policy", 1))


def write_data(path, others):
    with open(path, "w", encoding="utf-8") as file:
        generate.write_people(file, others, testbed.DEFAULT_SUFFIX)
        file.write(people() + groups(others))
    return path


def main():
    parser = argparse.ArgumentParser(description="how soon a change counts")
    parser.add_argument("--driver", default=os.environ.get("WSMAUTHZ_REVOCATION"))
    parser.add_argument("--users", type=int, default=1000)
    for option in ("--repetitions", "--threads", "--kinds", "--hold"):
        parser.add_argument(option)
    arguments = parser.parse_args()
    if not arguments.driver:
        testbed.skip("the driver is not part of this build (WSMAUTHZ_REVOCATION is not set)")
    with Folder() as folder, BenchSlapd(write_data(folder.join("data.ldif"), arguments.users), arguments.users) as slapd:
        allow = [group_dn(generate.ROOT)]
        policy = testbed.write_policy(folder.join("policy.xml"), slapd, allow=allow)
        shutil.copy2(policy, policy + ".plain")
        denying = testbed.write_policy(folder.join("denying.xml"), slapd, allow=allow, deny=[group_dn("denied")])
        # Each policy names the secret beside it; the one that is put in the other's place must find it there.
        command = [arguments.driver, "--config", policy, "--deny-config", denying, "--uri", slapd.uri,
                   "--root-dn", slapd.root_dn, "--suffix", slapd.suffix]
        for option in ("repetitions", "threads", "kinds", "hold"):
            if getattr(arguments, option):
                command += ["--" + option, getattr(arguments, option)]
        status = subprocess.run(command, env=dict(os.environ, REVOCATION_PASSWORD=slapd.root_password),
                                check=False).returncode
    sys.exit(status)


if __name__ == "__main__":
    main()
