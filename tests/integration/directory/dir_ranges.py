#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
A scripted Active Directory controller for test_dir_ranges, and that program: `dir_ranges.py PROGRAM`.

Each group "g-<what>" is one that this happens to while its members are read.
"""
import os
import subprocess
import sys

from testbed_scripted_ad import BUSY, OPERATIONS_ERROR, Fault, Forest

PEOPLE = 3200


class World:

    def __init__(self):
        self.forest = Forest()
        self.corp = self.forest.root
        self.dc = self.corp.dc
        self.people = [self.corp.user("u%04d" % number) for number in range(PEOPLE)]
        # As the controller orders them.
        self.people.sort(key=lambda person: person.guid.bytes)

    def group(self, name, count=PEOPLE):
        return self.corp.group("g-" + name, self.people[:count])

    def on_range(self, group, **fault):
        """At a request for further values of that group. (The first request is none.)"""
        self.dc.faults.append(Fault(when=lambda search: search.is_range and str(group.guid) in search.base.lower()
                                    or search.is_range and search.base == group.dn, **fault))

    def fill(self):
        corp = self.corp
        for count in (1500, 1501, 2999, 3000):
            self.group("n%d" % count, count)
        big = self.group("big")
        outer = [corp.group("o%04d" % number, [big]) for number in range(1600)]
        # The one that is put into the back links at the end, by hand: a value that only the second range has.
        assert len(outer) == 1600
        for number in range(30):
            self.group("many-%02d" % number, 1600)

        moves = self.group("moves-once")
        self.on_range(moves, times=1, before=lambda search: corp.unlink(moves, self.people[7]))
        always = self.group("moves-always")
        spare = iter(self.people)
        self.on_range(always, before=lambda search: ";range=0-" not in search.attributes[0] and
                      corp.unlink(always, next(spare)))
        vanishes = self.group("vanishes")
        self.on_range(vanishes, before=lambda search: corp.delete(vanishes))
        shrinks = self.group("shrinks")
        self.on_range(shrinks, times=1, before=lambda search: [corp.unlink(shrinks, person)
                                                               for person in self.people[1000:]])
        renamed = self.group("renamed")
        self.on_range(renamed, times=1, before=lambda search: corp.rename(renamed, "CN=elsewhere," + corp.users_dn))
        self.on_range(self.group("busy"), code=BUSY)
        self.on_range(self.group("refused"), code=OPERATIONS_ERROR)
        self.on_range(self.group("nobody"), code=0)
        self.on_range(self.group("late"), delay_s=1.8, times=1)
        self.on_range(self.group("closes"), close=True)
        self.on_range(self.group("notice"), notice=True)
        endless = self.group("endless")
        self.on_range(endless, reply=lambda search: [(endless.dn, [self.endless(search)])])
        stuck = self.group("stuck")
        self.on_range(stuck, reply=lambda search: [(stuck.dn, [("member;range=1499-1499", [self.people[1499].dn])])])
        two = self.group("two")
        self.on_range(two, reply=lambda search: [(two.dn, [("member;range=1499-*", [self.people[1499].dn])])] * 2)
        gap = self.group("gap")
        self.on_range(gap, reply=lambda search: [(gap.dn, [("member;range=1500-*", [self.people[1500].dn])])])
        lies = self.group("lies", 1)
        self.dc.faults.append(Fault(when=lambda search: "g-lies" in repr(search.filter) or search.base == lies.dn,
                                    reply=lambda search: [(lies.dn, [("member;range=5-9", [b"x"] * 5)])]))

    def endless(self, search):
        """The last value again, and one more."""
        first = int(search.attributes[0].split("=")[1].split("-")[0])
        last = self.people[1499].dn if first == 1499 else "cn=%d" % first
        return "member;range=%d-%d" % (first, first + 1), [last, "cn=%d" % (first + 1)]

    def environment(self):
        environment = dict(os.environ, BENCH_URI=self.dc.uri, BENCH_SERVICE_DN=self.forest.service_dn,
                           BENCH_SERVICE_SECRET=self.forest.service_password, BENCH_CA_FILE="",
                           BENCH_SUFFIX=self.corp.suffix)
        for name in [name for name in environment if name.startswith("LDAP")]:
            del environment[name]
        return environment


def main():
    world = World()
    world.fill()
    with world.forest:
        return subprocess.run(sys.argv[1:], env=world.environment(), timeout=250, check=False,
                              stdin=subprocess.DEVNULL).returncode


if __name__ == "__main__":
    sys.exit(main())
