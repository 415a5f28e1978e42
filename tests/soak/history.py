# SPDX-License-Identifier: Apache-2.0
"""
What everybody was allowed, and when: a directory's content, replayed through its own log of writes. Nested membership is worked out
here from the entries alone, and knows nothing of how the product does it.

A standing is a tuple (allowed, administrator, allowed by the policy that denies more, site's number), NOBODY where there is no entry.
"""
import datetime
import re

from world import ALLOW, LAB, LEAVERS, NEW_NAME, POLICY_DENY, TIER0, TOPS, group_dn

NOBODY = (False, False, False, 0)
#: site's number in the policy, by the value of the attribute; LAB_SITE by group.
SITE_NUMBERS = {"EMEA": 1, "APAC": 2}
LAB_SITE = 3


def records(text):
    """Of LDIF without folded lines: (dn, {attribute: [values]}), names in lower case. Values in base64 are left out."""
    for block in text.split("\n\n"):
        dn, attributes = None, {}
        for line in block.splitlines():
            name, colon, value = line.partition(": ")
            if not colon or name.endswith(":"):
                continue
            if name == "dn":
                dn = value
            else:
                attributes.setdefault(name.lower(), []).append(value)
        if dn is not None:
            yield dn, attributes


def csn_ns(csn):
    """The wall clock's nanoseconds of a change sequence number (or of reqStart)."""
    match = re.match(r"(\d{14})\.(\d{6})Z", csn)
    moment = datetime.datetime.strptime(match.group(1), "%Y%m%d%H%M%S").replace(tzinfo=datetime.timezone.utc)
    return int(moment.timestamp()) * 10**9 + int(match.group(2)) * 1000


class Directory:
    """Entries by DN (in lower case), as far as standings need them, and the standings."""

    _KEPT = ("objectclass", "uid", "mail", "member", "shadowexpire", "physicaldeliveryofficename", "cn")

    def __init__(self, text):
        self.entries = {}
        self._holders = {}  # member's DN -> DNs of the groups that have it as a value
        self._groups_in = {}  # group's DN -> the DNs of groups among its values
        self._owners = {}  # key -> DN
        self._reached = {top: set() for top in TOPS}
        self.doubtful = set()  # DNs of entries whose writes do not follow from each other
        for dn, attributes in records(text):
            self._put(dn, {name: set(values) for name, values in attributes.items() if name in self._KEPT})
        self._reach()
        self.standings = {key: self.standing(key) for key in self._owners}

    # Standings

    def standing(self, key):
        dn = self._owners.get(key)
        if dn is None:
            return NOBODY
        holders = self._holders.get(dn, ())
        held = {top: any(holder in reached for holder in holders) for top, reached in self._reached.items()}
        entry = self.entries[dn]
        is_out = held[LEAVERS] or bool(entry.get("shadowexpire"))
        allowed = (held[ALLOW] or held[TIER0]) and not is_out
        [site] = [SITE_NUMBERS.get(value, 0) for value in entry.get("physicaldeliveryofficename", ())] or [0]
        if site == 0 and held[LAB]:
            site = LAB_SITE
        return (allowed, allowed and held[TIER0], allowed and not held[POLICY_DENY], site)

    def apply(self, log_entry):
        """One write. Returns {key: standing} of those whose standing is another now."""
        before_reach = self._reached
        touched = self._carry_out(log_entry)
        if touched.pop("groups", False):
            self._reach()
            for top in TOPS:
                for group in before_reach[top] ^ self._reached[top]:
                    touched.setdefault("dns", set()).update(self.entries.get(group, {}).get("member", ()))
        changed = {}
        for key in touched.get("keys", set()) | {key for dn in touched.get("dns", ()) for key in self._keys(dn.lower())}:
            standing = self.standing(key)
            if self.standings.get(key, NOBODY) != standing:
                self.standings[key] = changed[key] = standing
        return changed

    # Writes

    def _carry_out(self, log_entry):
        kind, dn = log_entry["reqtype"][0], log_entry["reqdn"][0]
        before = self.entries.get(dn.lower(), {})
        if bool(before) == (kind == "add"):
            self.doubtful.add(dn.lower())
        if kind == "modify":
            after = {name: set(values) for name, values in before.items()}
            for change in log_entry.get("reqmod", ()):
                _modify(after, change)
            return self._replace(dn, dn, before, after)
        if kind == "add":
            after = {}
            for change in log_entry.get("reqmod", ()):
                _modify(after, change)
            return self._replace(dn, dn, before, after)
        if kind == "delete":
            return self._replace(dn, None, before, {})
        if kind == "modrdn":
            new_rdn = log_entry["reqnewrdn"][0]
            attribute, _, value = new_rdn.partition("=")
            old_value = dn.partition(",")[0].partition("=")[2]
            after = {name: set(values) for name, values in before.items()}
            after[attribute] = after.get(attribute, set()) - {old_value} | {value}
            return self._replace(dn, new_rdn + "," + dn.partition(",")[2], before, after)
        raise ValueError("the log has a write of the kind " + kind)

    def _replace(self, dn, new_dn, before, after):
        """What may be touched by it: "keys", "dns" (whose standing), "groups" (whether groups hold other groups now)."""
        keys = self._keys(dn.lower())
        before_members, after_members = before.get("member", set()), after.get("member", set())
        is_moved = new_dn is None or new_dn.lower() != dn.lower()
        touched_members = before_members | after_members if is_moved or not before else before_members ^ after_members
        self._take(dn)
        if new_dn is not None:
            self._put(new_dn, after)
            keys |= self._keys(new_dn.lower())
        is_group = "groupOfNames" in before.get("objectclass", ()) or "groupOfNames" in after.get("objectclass", ())
        groups = is_group and (is_moved or not before or any(member.startswith("cn=") for member in touched_members))
        return {"keys": keys, "dns": set(touched_members), "groups": groups}

    def _put(self, dn, entry):
        entry = {name: values for name, values in entry.items() if name in self._KEPT and values}
        dn = dn.lower()
        entry["member"] = {member.lower() for member in entry.get("member", ())}
        self.entries[dn] = entry
        for member in entry["member"]:
            self._holders.setdefault(member, set()).add(dn)
        self._groups_in[dn] = {member for member in entry["member"] if member.startswith("cn=")}
        for key in self._keys(dn):
            self._owners[key] = dn

    def _take(self, dn):
        dn = dn.lower()
        for key in self._keys(dn):
            self._owners.pop(key, None)
        for member in self.entries.pop(dn, {}).get("member", ()):
            self._holders[member].discard(dn)
        self._groups_in.pop(dn, None)

    def _keys(self, dn):
        entry = self.entries.get(dn, {})
        if "inetOrgPerson" not in entry.get("objectclass", ()):
            return set()
        return {(name, value) for name in ("uid", "mail") for value in entry.get(name, ())}

    def _reach(self):
        """The groups beneath each top, at any depth, itself among them."""
        reached = {}
        for top in TOPS:
            seen, work = set(), [group_dn(top)]
            while work:
                group = work.pop()
                if group in seen or group not in self.entries:
                    continue
                seen.add(group)
                work.extend(self._groups_in[group])
            reached[top] = seen
        self._reached = reached


def _modify(entry, change):
    """One reqMod: "member:+ uid=...", "member:- uid=...", "l:= Rome", "l:-" (all values), "l:=" (none)."""
    name, _, rest = change.partition(":")
    name, action, value = name.lower(), rest[:1], rest[2:]
    if action == "+":
        entry.setdefault(name, set()).add(value)
    elif action == "-" and value:
        entry.setdefault(name, set()).discard(value.lower() if name == "member" else value)
    elif action == "-":
        entry.pop(name, None)
    elif action == "=":
        entry[name] = {value} if value else set()
    else:
        raise ValueError("the log has the change " + change)


def writes(text):
    """The writes of a log, in their order."""
    return [entry for _, entry in records(text) if "reqtype" in entry]


class History:
    """
    The standings of one server over time: of each key that ever changed a list of (the write's own mark, from the earliest, to the latest moment,
    standing): the moments between which the server began to have it. All by the clock whose readings `times` gives.

    log               the writes.
    times(log_entry)  (mark, earliest, latest) of a write. The mark is of the write where it was made first: the same in every copy.
    """

    def __init__(self, first_content, log, times):
        self.directory = Directory(first_content)
        self.first = dict(self.directory.standings)
        self.steps = {}
        self.writes = len(log)
        for log_entry in log:
            changed = self.directory.apply(log_entry)
            if changed:
                mark, earliest, latest = times(log_entry)
                for key, standing in changed.items():
                    self.steps.setdefault(key, []).append((mark, earliest, latest, standing))

    def keys_of(self, dns):
        """Whose standing is unknown where what these entries had is; None: perhaps everybody's."""
        if any(dn.startswith("cn=") for dn in dns):
            return None
        names = {dn.partition(",")[0].partition("=")[2].replace(NEW_NAME, "") for dn in dns}
        return {key for key in set(self.first) | set(self.steps) if key[1].partition("@")[0].replace(NEW_NAME, "") in names}

    def differences(self, content):
        """[(DN, replayed, there)] of entries that, replayed, are not those of the directory at the end."""
        there, replayed = Directory(content).entries, self.directory.entries
        return [(dn, replayed.get(dn), there.get(dn)) for dn in sorted(set(there) | set(replayed)) if there.get(dn) != replayed.get(dn)]
