# SPDX-License-Identifier: Apache-2.0
"""
The directory of the soak: people, groups that hold groups, and the changes that are made to them; all of it a function of the seed.

    winrm-users  allow; holds the halls          tier0      allow, administrator       leavers       deny
    hall-NN      hold halls (rings too), teams   lab        goes to the lab's site     policy-deny   deny, in one of two policies
    team-NNNN    hold people: actors and others

Actors are people whose standing changes all the time; every other person is in one team, and teams come and go from halls.
"""
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from testbed import entry, group, group_dn, person_dn  # noqa: E402

ALLOW, TIER0, LEAVERS, LAB, POLICY_DENY = "winrm-users", "tier0", "leavers", "lab", "policy-deny"
TOPS = (ALLOW, TIER0, LEAVERS, LAB, POLICY_DENY)
SITES = ("EMEA", "APAC", "AMER", "", "ANTARCTICA")
HALLS = 12
ACTORS = 40
TEAM_SIZE = 100
DOMAIN = "corp.example.test"
NEW_NAME = "-renamed"
#: The driver's records of names: UTF-16, so many units, NUL-padded.
SENDER_UNITS = 64
NOBODY = 0x80000000

_CLASSES = ["inetOrgPerson", "posixAccount", "shadowAccount"]
_SPECIALS = ("", "\\", "CORP\\", "OTHER\\actor00", "actor00@elsewhere.test", "CORP\\a*", "CORP\\*)(uid=*", "S-1-5-32-544",
             "uid=actor00,ou=people", "CORP\\" + "x" * 50, "CORP\\actor00\r\n")


def actor(number):
    return "actor%02d" % number


def other(number):
    return "person%06d" % number


def team(number):
    return "team-%04d" % number


def hall(number):
    return "hall-%02d" % number


def mail(uid):
    return "%s@%s" % (uid, DOMAIN)


def person_values(uid, site):
    values = {"objectClass": _CLASSES, "uid": uid, "cn": uid, "sn": uid, "mail": mail(uid), "uidNumber": "1000",
              "gidNumber": "1000", "homeDirectory": "/"}
    if site:
        values["physicalDeliveryOfficeName"] = site
    return values


class World:
    """What is in the directory at the beginning, and who asks."""

    def __init__(self, seed, people):
        self._random = random.Random("world %d" % seed)
        self.people = people
        self.teams = max(8, people // TEAM_SIZE)
        self.first_members = {}  # of halls and tops: the DNs

    def ldif(self):
        """The entries, as a generator of text."""
        for uid in ["keeper"] + [actor(number) for number in range(ACTORS)] + [other(number) for number in range(self.people)]:
            yield entry(person_dn(uid), **person_values(uid, self._random.choice(SITES)))
        for number in range(self.teams):
            members = [other(each) for each in range(number, self.people, self.teams)]
            yield group(team(number), ["keeper"] + members + self._random.sample([actor(each) for each in range(ACTORS)], 2))
        for number in range(HALLS):
            inner = self._random.sample(range(self.teams), max(1, self.teams // HALLS))
            yield self._holder(hall(number), [group_dn(hall((number + 1) % HALLS if number % 3 else number))]
                               + [group_dn(team(each)) for each in inner])
        yield self._holder(ALLOW, [group_dn(hall(number)) for number in range(HALLS) if number % 4 != 3] + [person_dn(actor(5))])
        yield self._holder(TIER0, [person_dn(actor(0)), group_dn(team(1))])
        yield self._holder(LAB, [group_dn(team(2)), person_dn(actor(1))])
        yield self._holder(LEAVERS, [person_dn(actor(2)), group_dn(team(3))])
        yield self._holder(POLICY_DENY, [group_dn(team(4)), person_dn(actor(3)), person_dn(actor(4))])

    def _holder(self, name, members):
        self.first_members[name] = frozenset(members)
        return group(name, ["keeper"] + members)

    def senders(self):
        """
        [(name, key)]: actors, then people, then specials. `key` says whose entry it is: ("uid", value) or ("mail", value), or None
        for a name that is nobody's.
        """
        senders = []
        for number in range(ACTORS):
            uid = actor(number)
            senders += [("CORP\\" + uid, ("uid", uid)), (mail(uid), ("mail", mail(uid)))]
        self.actors = len(senders)
        for number in range(self.people):
            uid = other(number)
            form = ("CORP\\" + uid, "corp\\" + uid.upper(), DOMAIN + "\\" + uid)[number % 3]
            senders.append((mail(uid), ("mail", mail(uid))) if number % 5 == 0 else (form, ("uid", uid)))
        return senders + [(name, None) for name in _SPECIALS]


def pack_senders(senders):
    """The driver's file."""
    size = SENDER_UNITS * 2
    return b"".join(name.encode("utf-16-le")[:size - 2].ljust(size, b"\0") for name, _ in senders)


class Changes:
    """
    The changes, one after the other, for ever: each a list of requests that lead from a known state to another. What is done is undone
    by another of them: who is in, where he is, and what he is called is kept here.
    """

    KINDS = ("member", "member", "member", "deny", "administrator", "nest", "nest", "disable", "rename", "delete", "site", "group",
             "group-name", "lab")

    def __init__(self, seed, world):
        self._random = random.Random("changes %d" % seed)
        self._world = world
        self._state = {}

    def __iter__(self):
        while True:
            kind = self._random.choice(self.KINDS)
            requests = getattr(self, "_" + kind.replace("-", "_"))()
            yield kind, requests

    def _toggle(self, key, initial):
        value = self._state[key] = not self._state.get(key, initial)
        return value

    def _actor(self, first=5):
        return self._random.randrange(first, ACTORS)

    def _whole(self, number):
        """Whether that actor has an entry under his own name."""
        return self._state.get(("exists", number), True) and not self._state.get(("renamed", number), False)

    def _membership(self, holder, member_dn):
        is_in = self._toggle((holder, member_dn), member_dn in self._world.first_members.get(holder, ()))
        return [("value", group_dn(holder), "member", member_dn, is_in)]

    def _member(self):
        # Some are members of tops directly, some by way of a hall, which may be nested or not.
        return self._membership(self._random.choice((ALLOW, hall(self._random.randrange(HALLS)))), person_dn(actor(self._actor())))

    def _deny(self):
        return self._membership(LEAVERS, person_dn(actor(self._actor())))

    def _administrator(self):
        return self._membership(TIER0, person_dn(actor(self._actor())))

    def _lab(self):
        return self._membership(LAB, person_dn(actor(self._actor())))

    def _nest(self):
        # Teams above those that the beginning uses for tops; halls into halls, rings and all.
        outer = self._random.choice((ALLOW, hall(self._random.randrange(HALLS)), hall(self._random.randrange(HALLS)), LEAVERS))
        inner = hall(self._random.randrange(HALLS))
        if outer == LEAVERS or self._random.random() < 0.6:
            inner = team(self._random.randrange(5, self._world.teams))
        return self._membership(outer, group_dn(inner))

    def _disable(self):
        number = self._actor()
        if not self._whole(number):
            return []
        return [("value", person_dn(actor(number)), "shadowExpire", "1", self._toggle(("disabled", number), False))]

    def _rename(self):
        number = self._actor()
        if not self._state.get(("exists", number), True):
            return []
        uid = actor(number)
        is_renamed = self._toggle(("renamed", number), False)
        before, after = (uid, uid + NEW_NAME) if is_renamed else (uid + NEW_NAME, uid)
        return [("rename", person_dn(before), "uid=" + after)]

    def _delete(self):
        number = self._actor()
        if self._state.get(("renamed", number), False):
            return []
        exists = self._toggle(("exists", number), True)
        if not exists:
            return [("delete", person_dn(actor(number)))]
        self._state[("disabled", number)] = False
        return [("add", person_dn(actor(number)), person_values(actor(number), self._random.choice(SITES)))]

    def _site(self):
        number = self._actor(0)
        if not self._whole(number):
            return []
        site = self._random.choice(SITES)
        return [("replace", person_dn(actor(number)), "physicalDeliveryOfficeName", [site] if site else [])]

    def _group(self):
        """A team of its own, nested in a hall: deleted, made again with one actor."""
        number = self._random.randrange(6)
        name = "squad-%d" % number
        if self._toggle(("squad", number), False):
            members = [person_dn("keeper"), person_dn(actor(self._actor()))]
            requests = [("add", group_dn(name), {"objectClass": "groupOfNames", "cn": name, "member": members})]
            if not self._state.get(("squad nested", number)):
                self._state[("squad nested", number)] = True
                requests.append(("value", group_dn(hall(number)), "member", group_dn(name), True))
            return requests
        return [("delete", group_dn(name))]

    def _group_name(self):
        """A team gets another name: who holds it holds it no more, until it has its own again."""
        number = self._random.randrange(5, self._world.teams)
        is_renamed = self._toggle(("team renamed", number), False)
        before, after = (team(number), team(number) + NEW_NAME) if is_renamed else (team(number) + NEW_NAME, team(number))
        return [("rename", group_dn(before), "cn=" + after)]
