# SPDX-License-Identifier: Apache-2.0
"""
What is right, computed another way than the product does it.

The oracle reads the log of changes and nothing else. It knows entries by number and names by path, never by
spelling, and finds who is beneath a group by joining what is known with (child, parent) until nothing new comes.
"""
import collections

Rule = collections.namedtuple("Rule", "effect label group administrator")
Verdict = collections.namedtuple("Verdict", "verdict reason rule administrator person")


class Oracle:
    """The state of a directory, by replaying its log."""

    def __init__(self, rules):
        self.rules = rules          # in document order; `group` is an entry's number
        self.paths = {}             # entry -> path
        self.uids = {}              # person -> uid
        self.members = set()        # (path of the member, group)
        self.member_uids = set()    # (uid, group)
        self._seen = 0

    def replay(self, log):
        """Take in what was appended to the log since the last time."""
        for event in log[self._seen:]:
            getattr(self, "_" + event[0])(*event[1:])
        self._seen = len(log)

    def _entry(self, entry, path, uid):
        self.paths[entry] = path
        if uid is not None:
            self.uids[entry] = uid

    def _moved(self, entry, path):
        self.paths[entry] = path

    def _gone(self, entry):
        del self.paths[entry]
        self.uids.pop(entry, None)
        self.members = {(path, group) for path, group in self.members if group != entry}
        self.member_uids = {(uid, group) for uid, group in self.member_uids if group != entry}

    def _member(self, group, path, is_member):
        (self.members.add if is_member else self.members.remove)((path, group))

    def _uid(self, group, uid, is_member):
        (self.member_uids.add if is_member else self.member_uids.remove)((uid, group))

    # Relations

    def direct(self):
        """Every (child, parent), both entries that exist."""
        occupants = {path: entry for entry, path in self.paths.items()}
        people = collections.defaultdict(set)
        for person, uid in self.uids.items():
            people[uid].add(person)
        pairs = {(occupants[path], group) for path, group in self.members if path in occupants}
        return pairs | {(person, group) for uid, group in self.member_uids for person in people[uid]}

    def beneath(self, groups, pairs=None):
        """{(entry, group)}: the entries beneath these groups at any depth, and each group beneath itself."""
        pairs = self.direct() if pairs is None else pairs
        reached = {(group, group) for group in groups if group in self.paths}
        while True:
            above = collections.defaultdict(set)
            for entry, group in reached:
                above[entry].add(group)
            joined = {(child, group) for child, parent in pairs for group in above.get(parent, ())}
            if joined <= reached:
                return reached
            reached |= joined

    # Judgement

    def judge(self, uid, asked_as_written):
        """The verdict on the person called `uid`; `asked_as_written`: not by a spelling that only the server folds."""
        found = [person for person, theirs in self.uids.items() if theirs == uid]
        if not found or not asked_as_written:
            return Verdict("deny", "no-such-user", None, False, None)
        if len(found) > 1:
            return Verdict("deny", "ambiguous-user", None, False, None)
        return self._judge_person(found[0])

    def prepare(self):
        """Compute memberships once for many judgements."""
        self._held = collections.defaultdict(set)
        for entry, group in self.beneath({rule.group for rule in self.rules}):
            self._held[entry].add(group)

    def _judge_person(self, person):
        held = self._held[person]
        for effect, verdict, reason in (("deny", "deny", "denied-group"), ("allow", "authorize", "member")):
            firing = [rule for rule in self.rules if rule.effect == effect and rule.group in held]
            if firing:
                return Verdict(verdict, reason, firing[0].label, any(rule.administrator for rule in firing), person)
        return Verdict("deny", "not-a-member", None, False, person)
