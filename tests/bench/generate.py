#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
A directory for measuring: LDIF, the senders to ask for, and what to expect.

    generate.py --users 100000 --depth 20 --out FOLDER

    ou=people   uid=u0000001 ... , inetOrgPerson
    ou=groups   cn=winrm-users, the group that the policy allows. Its members are in leaf groups, each of --group-size of
                them, that hang at the end of a chain: --depth groups from winrm-users to the leaf, both counted. With
                depth 1 winrm-users has them itself. (chain-02, chain-03, ..., then leaf-00001, ...)
                cn=big, of --big-group members, and cn=nested-00001 ..., --nested groups of one member: in winrm-users too
                cn=cycle-01-a, -b, -c: --cycles circles of three groups, in winrm-users
                cn=group-00001 ..., --groups others that have nothing to do with it, of --group-size members at random

The files: data.ldif; senders.txt, CORP\\uid one a line, in no order; expected.json: how many of the senders are
members ("members", "share"), the groups that are winrm-users or below it ("closure_groups"), the memberships in them.

The same parameters give the same files. Plain writes: a million users take some seconds.
"""
import argparse
import json
import os
import random

SUFFIX = "dc=corp,dc=example,dc=test"
DOMAIN = "CORP"
ROOT = "winrm-users"
LINES_AT_ONCE = 10000


def user_dn(number, suffix):
    return "uid=u%07d,ou=people,%s" % (number, suffix)


def group_dn(name, suffix):
    return "cn=%s,ou=groups,%s" % (name, suffix)


def write_people(file, users, suffix):
    record = ("dn: uid=u%07d,ou=people," + suffix + "\nobjectClass: inetOrgPerson\nuid: u%07d\ncn: User %d\nsn: S%d\n"
              "givenName: G%d\nmail: u%07d@corp.example.test\nl: %s\n\n")
    places = ("Oslo", "Berlin", "Pune", "Austin", "Lyon", "Osaka", "Quito", "Perth", "Lagos", "Gdansk")
    for first in range(1, users + 1, LINES_AT_ONCE):
        file.write("".join(record % (n, n, n, n % 9973, n % 997, n, places[n % len(places)])
                           for n in range(first, min(first + LINES_AT_ONCE, users + 1))))


class Groups:
    """Writes groups, and counts what is winrm-users or below it."""

    def __init__(self, file, suffix):
        self.file = file
        self.suffix = suffix
        self.closure_groups = self.memberships = 0

    def write(self, name, users=(), groups=(), in_closure=True):
        self.file.write("dn: %s\nobjectClass: groupOfNames\ncn: %s\n" % (group_dn(name, self.suffix), name))
        member = "member: uid=u%07d,ou=people," + self.suffix + "\n"
        for first in range(0, len(users), LINES_AT_ONCE):
            self.file.write("".join(member % n for n in users[first:first + LINES_AT_ONCE]))
        self.file.write("".join("member: %s\n" % group_dn(each, self.suffix) for each in groups) + "\n")
        if in_closure:
            self.closure_groups += 1
            self.memberships += len(users) + len(groups)


def cut(members, size):
    return [members[first:first + size] for first in range(0, len(members), size)]


def write_tree(groups, members, arguments):
    """winrm-users, and the chain and the leaves below it. A group of this schema has at least one member."""
    tops = (["big"] if arguments.big_group else []) + ["cycle-%02d-a" % (n + 1) for n in range(arguments.cycles)]
    tops += ["nested-%05d" % (n + 1) for n in range(arguments.nested)]
    if arguments.depth == 1:
        groups.write(ROOT, members, tops)
        return
    leaves = cut(members, arguments.group_size)
    names = ["leaf-%05d" % (n + 1) for n in range(len(leaves))]
    chain = [ROOT] + ["chain-%02d" % level for level in range(2, arguments.depth)]
    for level, name in enumerate(chain):
        below = [chain[level + 1]] if level + 1 < len(chain) else names
        groups.write(name, (), below + (tops if level == 0 else []))
    for name, users in zip(names, leaves):
        groups.write(name, users)


def write_groups(groups, members, arguments, numbers):
    write_tree(groups, members, arguments)
    if arguments.big_group:
        groups.write("big", range(1, arguments.big_group + 1))
    for n in range(arguments.nested):
        groups.write("nested-%05d" % (n + 1), (members[n % len(members)],))
    for n in range(arguments.cycles):
        names = ["cycle-%02d-%s" % (n + 1, letter) for letter in "abc"]
        for own, following in zip(names, names[1:] + names[:1]):
            groups.write(own, (members[n % len(members)],), (following,))
    size = min(arguments.group_size, arguments.users)
    for n in range(arguments.groups):
        groups.write("group-%05d" % (n + 1), sorted(numbers.sample(range(1, arguments.users + 1), size)),
                     in_closure=False)


def write_senders(path, order):
    with open(path, "w", encoding="ascii") as file:
        for first in range(0, len(order), LINES_AT_ONCE):
            file.write("".join("%s\\u%07d\n" % (DOMAIN, n) for n in order[first:first + LINES_AT_ONCE]))


def read_arguments(words=None):
    parser = argparse.ArgumentParser(description="LDIF, senders and expectations for tests/bench")
    parser.add_argument("--out", required=True, help="the folder for the files; made where it is not there")
    parser.add_argument("--users", type=int, required=True)
    parser.add_argument("--members", type=int, help="how many of them are in winrm-users (default: half)")
    parser.add_argument("--depth", type=int, default=1, help="1: direct members; 64: 63 groups between (default 1)")
    parser.add_argument("--group-size", type=int, default=1000, help="members of one leaf, or other group (default 1000)")
    parser.add_argument("--groups", type=int, default=20, help="groups that have nothing to do with it (default 20)")
    parser.add_argument("--nested", type=int, default=0, help="groups of one member in winrm-users (default 0)")
    parser.add_argument("--cycles", type=int, default=2, help="circles of three groups in winrm-users (default 2)")
    parser.add_argument("--big-group", type=int, default=0, help="members of one big group in winrm-users (default: none)")
    parser.add_argument("--suffix", default=SUFFIX)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args(words)
    if arguments.members is None:
        arguments.members = max(1, arguments.users // 2)
    if not 1 <= arguments.members <= arguments.users or arguments.depth < 1 or arguments.group_size < 1:
        parser.error("--members is from 1 to --users, --depth and --group-size from 1")
    if arguments.big_group > arguments.users:
        parser.error("--big-group is at most --users")
    return arguments


def generate(arguments):
    """Write the files. Returns what expected.json says."""
    numbers = random.Random(arguments.seed)
    order = list(range(1, arguments.users + 1))
    numbers.shuffle(order)
    members = sorted(order[:arguments.members])
    os.makedirs(arguments.out, exist_ok=True)
    with open(os.path.join(arguments.out, "data.ldif"), "w", encoding="ascii", buffering=1 << 20) as file:
        write_people(file, arguments.users, arguments.suffix)
        groups = Groups(file, arguments.suffix)
        write_groups(groups, members, arguments, numbers)
    numbers.shuffle(order)
    write_senders(os.path.join(arguments.out, "senders.txt"), order)
    inside = len(set(members) | set(range(1, arguments.big_group + 1)))
    expected = {"users": arguments.users, "members": inside, "share": inside / arguments.users,
                "closure_groups": groups.closure_groups, "memberships": groups.memberships}
    with open(os.path.join(arguments.out, "expected.json"), "w", encoding="ascii") as file:
        json.dump(expected, file)
    return expected


if __name__ == "__main__":
    print(json.dumps(generate(read_arguments())))
