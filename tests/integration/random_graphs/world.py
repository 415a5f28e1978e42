# SPDX-License-Identifier: Apache-2.0
"""
A directory made up at random: people in several units, groups of three classes in a graph with cycles, diamonds and
self-members, and how it changes. Everything that happens is an event in `log` (for the oracle) and LDIF (for slapd).
"""
import spelling
import testbed

SUFFIX = testbed.DEFAULT_SUFFIX
BASE = tuple((("dc", part[3:]),) for part in SUFFIX.split(","))
UNITS = ("people", "Zürich Büro", "Sales, EMEA", "Æsir", "Straße 5", "Strasse 5")

PEOPLE = 260
GROUPS = 130
# Every groupOfNames holds this one, so that it never runs out of members (its class demands one).
ANCHOR = ((("cn", "nobody"),),) + BASE

GIVEN = ("Anna", "Jürgen", "Zoë", "Łukasz", "Ölfe", "Søren", "Ñandú", "Weiß", "Weiss", "Νίκος", "Ирина", "Ģirts", "İpek",
         "ılgın", "O'Brien", "Mary Ann", "Smith, John", "a+b", "back\\slash", 'quo"te', "#hash", "semi;colon", "eq=ual")
CLASSES = {"groupOfNames": "member", "groupOfUniqueNames": "uniqueMember", "posixGroup": "memberUid"}


class World:
    """`rng` makes everything; `habits` are the ways of spelling a name that the server takes for the same."""

    def __init__(self, rng, habits):
        self.rng, self.habits = rng, habits
        self.log = []
        self.people, self.groups, self.units = {}, {}, {}
        self.members = {}       # group -> set of paths, or of uids in a posixGroup
        self.configured = []    # [(effect, group)], document order
        self.allowed = set()    # groups that were beneath an allow rule at first
        self._next = 0
        self._first = {}        # entry -> lines of its record, while the first state is made
        self._ldif = []
        self._fillers = 0
        self._make()

    def take_first_ldif(self):
        """The first state, whole entries, for slapadd."""
        # sorted() is stable and keeps an attribute's values together: what slapadd expects.
        ldif = "".join("\n".join(lines[:1] + sorted(lines[1:], key=lambda line: line.partition(":")[0])) + "\n\n"
                       for lines in self._first.values())
        self._first = None
        return ldif

    def take_ldif(self):
        """What has to be sent to slapd since the last time, for ldapmodify."""
        ldif, self._ldif = "".join(self._ldif), []
        return ldif

    # The first state

    def _make(self):
        for name in UNITS:
            self._add_unit(name)
        for number in range(PEOPLE):
            self._add_person(self._uid(number), self._person_rdn(number), self.rng.choice(list(self.units)))
        for person in self.rng.sample(list(self.people), 6):
            # The same uid again, elsewhere: whoever asks by it is told that it is ambiguous.
            twin_rdn = (("cn", "twin of %d" % person),)
            self._add_person(self.people[person]["uid"], twin_rdn, self.rng.choice(list(self.units)))
        for number in range(GROUPS):
            self._add_group(self._group_cn(number), self._group_class(number), self.rng.choice(list(self.units)))
        self._configure()
        self._nest()
        self._enrol()

    def _add_unit(self, name):
        path = ((("ou", name),),) + BASE
        unit = self._entry(path, None)
        self.units[unit] = {"path": path}
        self._record(path, unit, ["objectClass: organizationalUnit"])

    def _uid(self, number):
        if number % 3 != 0:
            return "u%d" % number
        given = ("Anna", "jürgen", "ZOË", "weiß", "weiss", "ирина", "ñandú", "søren")[number % 8]
        return "%s%d" % (given, number // 24)

    def _person_rdn(self, number):
        kind = self.rng.random()
        if kind < 0.5:
            return (("uid", self._uid(number)),)
        common = "%s %d" % (self.rng.choice(GIVEN), number)
        if kind < 0.9:
            return (("cn", common),)
        return (("cn", common), ("employeeNumber", str(number)))

    def _group_cn(self, number):
        first = self.rng.choice(("Group", "Straße", "Strasse", "Größe", "ops"))
        return "%s %s %d" % (first, self.rng.choice(GIVEN), number // 2)

    def _group_class(self, number):
        return ("groupOfNames", "groupOfNames", "groupOfUniqueNames", "posixGroup")[number % 4]

    def _entry(self, path, uid):
        entry, self._next = self._next, self._next + 1
        self.log.append(("entry", entry, path, uid))
        return entry

    def _record(self, path, entry, lines):
        dn = testbed.ldif_line("dn", spelling.canonical(path))
        lines = lines + [testbed.ldif_line(name, value) for name, value in path[0]] + ["description: entry-%d" % entry]
        if self._first is not None:
            self._first[entry] = [dn] + lines
        else:
            self._ldif.append("\n".join([dn, "changetype: add"] + lines) + "\n\n")

    def _add_person(self, uid, rdn, unit):
        path = (rdn,) + self.units[unit]["path"]
        if path in self._taken():
            path = ((("cn", "person %d" % self._next),),) + self.units[unit]["path"]
        person = self._entry(path, uid)
        self.people[person] = {"path": path, "uid": uid}
        names = {name for name, _ in path[0]}
        lines = ["objectClass: inetOrgPerson", "sn: surname"]
        lines += [testbed.ldif_line("uid", uid)] if "uid" not in names else []
        lines += ["cn: person"] if "cn" not in names else []
        self._record(path, person, lines)
        return person

    def _add_group(self, cn, kind, unit):
        path = ((("cn", cn),),) + self.units[unit]["path"]
        if path in self._taken():
            path = ((("cn", "%s again %d" % (cn, self._next)),),) + self.units[unit]["path"]
        return self._add_group_at(path, kind)

    def _add_group_at(self, path, kind):
        group = self._entry(path, None)
        self.groups[group] = {"path": path, "class": kind}
        self.members[group] = set()
        lines = ["objectClass: " + kind]
        if kind == "posixGroup":
            lines.append("gidNumber: %d" % (10000 + group))
        else:
            lines.append(testbed.ldif_line(CLASSES[kind], spelling.canonical(ANCHOR)))
        self._record(path, group, lines)
        return group

    def _taken(self):
        return {entry["path"] for kind in (self.people, self.groups, self.units) for entry in kind.values()}

    # Edges

    def _configure(self):
        """Three allow rules with large trees, two deny rules with small ones: else nobody would be let in."""
        roots = self.rng.sample([group for group in self.groups if self.groups[group]["class"] != "posixGroup"], 5)
        self.configured = list(zip(("allow", "deny", "allow", "deny", "allow"), roots))

    def _nest(self):
        nesting = [group for group in self.groups if self.groups[group]["class"] != "posixGroup"]
        free = [group for group in self.groups if group not in dict((g, e) for e, g in self.configured)]
        self.rng.shuffle(free)
        for effect, root in self.configured:
            tree = [root]
            for _ in range(22 if effect == "allow" else 6):
                child = free.pop()
                parent = self.rng.choice([group for group in tree if group in nesting])
                self.join(parent, self.groups[child]["path"])
                tree.append(child)
            self.allowed.update(tree if effect == "allow" else ())
            parents = [group for group in tree if group in nesting]
            for _ in range(len(tree) // 2):
                # Diamonds and cycles: any two of one tree.
                self.join(self.rng.choice(parents), self.groups[self.rng.choice(tree)]["path"])
            if self.rng.random() < 0.7:
                own = self.rng.choice(parents)
                self.join(own, self.groups[own]["path"])
        # What hangs on no rule is a graph as well, and allowed to reach into a tree from above.
        for group in [group for group in free if group in nesting]:
            for _ in range(self.rng.randrange(3)):
                self.join(group, self.groups[self.rng.choice(list(self.groups))]["path"])
        self.join(self.configured[0][1], self.groups[self.configured[2][1]]["path"])

    def _enrol(self):
        for person in self.people:
            for group in self.rng.sample(list(self.groups), self.rng.choice((0, 1, 1, 2, 3))):
                self.enrol(group, person)
        for group in self.groups:
            if self.rng.random() < 0.4:
                self.join_nobody(group)

    def enrol(self, group, person):
        """Make a person a member, by whatever the group's class names members by."""
        if self.groups[group]["class"] == "posixGroup":
            # An IA5 string: slapd refuses other letters in it.
            if self.people[person]["uid"].isascii():
                self._join_uid(group, self.people[person]["uid"])
        else:
            self.join(group, self.people[person]["path"])

    def join(self, group, path):
        """A DN as a member; no change when it is one already, or when the group names members by uid."""
        kind = self.groups[group]["class"]
        if kind == "posixGroup" or path in self.members[group]:
            return
        self.members[group].add(path)
        self.log.append(("member", group, path, True))
        self._modify(group, "add", CLASSES[kind], self.spell(path))

    def _join_uid(self, group, uid):
        if uid in self.members[group]:
            return
        self.members[group].add(uid)
        self.log.append(("uid", group, uid, True))
        self._modify(group, "add", "memberUid", uid)

    def join_nobody(self, group):
        """A member that looks like somebody and is nobody: for the oracle it does not exist."""
        kind = self.groups[group]["class"]
        someone = self.rng.choice(list(self.people.values()))
        self._fillers += 1
        if kind == "posixGroup":
            # memberUid minds the case, so this names nobody.
            other = someone["uid"].swapcase()
            if other.isascii() and other != someone["uid"] and other not in self.members[group]:
                self._join_uid(group, other)
        elif kind == "groupOfUniqueNames" and self.rng.random() < 0.5:
            value = spelling.canonical(someone["path"]) + "#'%s'B" % format(self._fillers, "b")
            self._modify(group, "add", "uniqueMember", value)
        else:
            gone = ((("cn", "gone %d" % self._fillers),),) + someone["path"][1:]
            self.join(group, gone)

    def spell(self, path):
        return spelling.write(path, self.rng, self.habits, self.rng.choice((0.0, 0.1, 0.3, 0.6)))

    def _modify(self, group, action, attribute, value):
        if self._first is not None:
            self._first[group].append(testbed.ldif_line(attribute, value))
            return
        dn = testbed.ldif_line("dn", spelling.canonical(self.groups[group]["path"]))
        self._ldif.append("\n".join((dn, "changetype: modify", "%s: %s" % (action, attribute),
                                     testbed.ldif_line(attribute, value))) + "\n\n")

    # Changes

    def change(self):
        """One change of some kind, chosen at random."""
        self.rng.choice((self._gain, self._gain, self._gain, self._drop, self._drop, self._drop, self._nest_more,
                         self._move_person, self._leave_and_return, self._rename_group, self._remake_group))()

    def rename_unit(self):
        """A unit and all beneath it get another name; members under the old one name nobody any more."""
        unit = self.rng.choice(list(self.units))
        old = self.units[unit]["path"]
        self._rename(old, ("ou", "moved %d" % self._next), old[1:])
        self._relocate(old, ((("ou", "moved %d" % self._next),),) + old[1:])
        self._next += 1
        return old, self.units[unit]["path"]

    def rename_back(self, old, new):
        """The opposite: whoever was named comes back."""
        self._rename(new, old[0][0], old[1:])
        self._relocate(new, old)

    def _gain(self):
        """More often into what lets people in: every dead name keeps somebody out, and the test needs people inside."""
        everywhere = self.rng.random() < 0.4
        groups = [group for group in self.groups if everywhere or group in self.allowed]
        self.enrol(self.rng.choice(groups), self.rng.choice(list(self.people)))

    def _nest_more(self):
        self.join(self.rng.choice(list(self.groups)), self.groups[self.rng.choice(list(self.groups))]["path"])

    def _drop(self):
        group = self.rng.choice([group for group in self.groups if self.members[group]])
        self._leave(group, self.rng.choice(sorted(self.members[group], key=repr)))

    def _leave(self, group, member):
        self.members[group].remove(member)
        kind = self.groups[group]["class"]
        self.log.append(("uid" if kind == "posixGroup" else "member", group, member, False))
        self._modify(group, "delete", CLASSES[kind], member if kind == "posixGroup" else self.spell(member))

    def _move_person(self):
        person = self.rng.choice(list(self.people))
        old = self.people[person]["path"]
        self._move(self.people[person], person, self.units[self.rng.choice(list(self.units))]["path"])
        if self.rng.random() < 0.6:
            self._mend(old, self.people[person]["path"])

    def _mend(self, old, new):
        """Somebody corrects the old name in the groups, as a server's referential integrity would."""
        for group in [group for group in self.groups if old in self.members[group] and new not in self.members[group]]:
            self.join(group, new)
            self._leave(group, old)

    def _move(self, entry, number, unit):
        old = entry["path"]
        new = (old[0],) + unit
        if new in self._taken():
            return
        self._rename(old, None, unit)
        entry["path"] = new
        self.log.append(("moved", number, new))

    def _rename_group(self):
        rooted = {group for _, group in self.configured}
        group = self.rng.choice([group for group in self.groups if group not in rooted])
        old = self.groups[group]["path"]
        new = ((("cn", "%s %d" % (self.rng.choice(GIVEN), self._next)),),) + old[1:]
        self._next += 1
        self._rename(old, new[0][0], old[1:])
        self.groups[group]["path"] = new
        self.log.append(("moved", group, new))
        if self.rng.random() < 0.7:
            self._mend(old, new)

    def _leave_and_return(self):
        """A person is deleted, and another comes under the same name: the memberships that name him are hers now."""
        person = self.rng.choice(list(self.people))
        gone = self.people.pop(person)
        self._delete(person, gone["path"])
        if self.rng.random() < 0.7:
            unit = next(number for number, unit in self.units.items() if unit["path"] == gone["path"][1:])
            self._add_person(gone["uid"], gone["path"][0], unit)

    def _remake_group(self):
        rooted = {group for _, group in self.configured}
        group = self.rng.choice([group for group in self.groups if group not in rooted])
        gone = self.groups.pop(group)
        del self.members[group]
        self._delete(group, gone["path"])
        made = self._add_group_at(gone["path"], gone["class"])
        for person in self.rng.sample(list(self.people), 3):
            self.enrol(made, person)

    def _delete(self, number, path):
        self.log.append(("gone", number))
        self._ldif.append(testbed.ldif_line("dn", spelling.canonical(path)) + "\nchangetype: delete\n\n")

    def _rename(self, old, rdn, parent):
        rdns = old[0] if rdn is None else (rdn,)
        new_rdn = spelling.canonical((rdns,))
        self._ldif.append("\n".join((testbed.ldif_line("dn", spelling.canonical(old)), "changetype: modrdn",
                                     testbed.ldif_line("newrdn", new_rdn), "deleteoldrdn: 1",
                                     testbed.ldif_line("newsuperior", spelling.canonical(parent)))) + "\n\n")

    def _relocate(self, old, new):
        for kind in (self.units, self.people, self.groups):
            for number, entry in kind.items():
                if entry["path"][-len(old):] == old:
                    entry["path"] = entry["path"][:-len(old)] + new
                    self.log.append(("moved", number, entry["path"]))
