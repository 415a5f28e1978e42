#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
Random directories against an oracle.

Makes a random graph of groups and people, loads it into a real slapd, asks two long-lived `wsmauthz check` (with the
member index, with strategy="search", and with a cache that the server's notifications keep true) about many people, changes the graph over LDAP, asks again, and so on; each
answer is compared with an oracle that was written another way. Member values are spelled as other clients spell them.
What slapd takes for the same name is calibrated at the beginning, and in each round slapd itself is asked for every
direct membership, so that the oracle never rests on an assumption.

    test_random_graphs.py [--seed N] [--rounds N] [--asks N] [--oracle-only] [--keep-going]

The seed is printed first; the same seed makes the same directory, changes and questions. --oracle-only tests the oracle
and the generator against slapd (and its dynlist overlay's nested memberOf) without the program.
"""
import argparse
import collections
import contextlib
import copy
import random
import sys
import time
import unicodedata

import slapd_truth
import spelling
import testbed
from long_check import LongCheck
from oracle import Oracle, Rule
from world import World

ROUNDS = 50
ASKS = 520
CHANGES = (5, 30)
# Of the questions of a round; the member index is what most installations have.
SHARES = {"auto": 1.0, "search": 0.3, "cached": 0.7}
MOST_SEARCHES = {"auto": 1, "search": 2, "cached": 2}
# Once more, when the groups were read anew while the user's entry was under way; so few of all decisions at most.
ONCE_MORE = 0.005
# Nothing is cached but by "cached", which learns of changes from the server's notifications. It promises to know them within a
# second, is asked after that time, twice, and only so often.
NO_CACHE = {"ttl": "0s", "negative_ttl": "0s", "unwatched_ttl": "0s"}
HEARSAY_S = 1.0
CACHED_EVERY = 5
LEAST_DECISIONS = 20000
LEAST_LET_IN = 0.30
LEAST_DENIED_BY_RULE = 0.05


class Mismatch(Exception):
    """An answer that is not what the oracle says."""


class Comparison:
    """Compares answers of the program with verdicts of the oracle."""

    def __init__(self, own_names, pairs, rules):
        self.own_names, self.pairs = own_names, pairs
        self.roots = {rule.label: rule.group for rule in rules}

    def complaints(self, answer, verdict):
        """What is wrong with an answer: a list of sentences, empty when it is right."""
        wrong = ["%s is %r, expected %r" % (key, answer[key], expected)
                 for key, expected in (("verdict", verdict.verdict), ("reason", verdict.reason), ("rule", verdict.rule),
                                       ("administrator", verdict.administrator),
                                       ("code", 0 if verdict.verdict == "authorize" else 5))
                 if answer[key] != expected]
        entry = None if answer["dn"] is None else self.own_names.get(answer["dn"], answer["dn"])
        if entry != verdict.person:
            wrong.append("dn %r is entry %r, expected %r" % (answer["dn"], entry, verdict.person))
        if verdict.rule is not None and answer["rule"] == verdict.rule:
            # Of a cached answer the path is told as far as the sender's name and DN lead to it.
            if answer["path"] or not answer["cached"]:
                wrong += self._path_complaints(answer["path"], verdict)
        return wrong

    def _path_complaints(self, path, verdict):
        if not path:
            return ["no path"]
        entries = [self.own_names.get(dn) for dn in path]
        wrong = ["'%s' on the path is no entry" % dn for dn, entry in zip(path, entries) if entry is None]
        if entries[0] != verdict.person:
            wrong.append("the path does not begin at the user")
        if entries[-1] != self.roots[verdict.rule]:
            wrong.append("the path does not end at the rule's group")
        wrong += ["'%s' is not a direct member of '%s'" % (path[at], path[at + 1])
                  for at in range(len(path) - 1) if (entries[at], entries[at + 1]) not in self.pairs]
        if len(set(path)) != len(path):
            wrong.append("the path passes a group twice")
        return wrong


class Run:
    """One seed: a directory, its changes, the questions, and what came of them."""

    def __init__(self, options, habits):
        self.options, self.habits = options, habits
        self.rng = random.Random(options.seed)
        self.world = self._make_world()
        self.rules = []
        self.decisions = collections.Counter()
        self.searches = collections.Counter()
        self.longest_path = self.once_more = 0
        self.planted = False
        self.failures = []

    def _make_world(self):
        """Worlds in which too few get in, or no deny rule ever fires, are thrown away: they would test little."""
        while True:
            world = World(self.rng, self.habits)
            oracle = Oracle([Rule(effect, "", group, False) for effect, group in world.configured])
            oracle.replay(world.log)
            oracle.prepare()
            verdicts = collections.Counter(oracle.judge(person["uid"], True).reason for person in world.people.values())
            if verdicts["member"] > 0.4 * len(world.people) and verdicts["denied-group"] > 0.05 * len(world.people):
                return world

    def make_rules(self):
        for number, (effect, group) in enumerate(self.world.configured):
            # A policy is written by RFC 4514, which knows no semicolon between RDNs.
            dn = spelling.write(self.world.groups[group]["path"], self.rng, self.habits - {"semicolon"}, 0.2)
            self.rules.append((Rule(effect, "%s %s" % (effect, dn), group, number == 4), dn))

    def policy(self, slapd, strategy):
        """Rules in document order; write_policy would put the deny rules first."""
        lines = [testbed._element(rule.effect, {"group": dn, "administrator": "true" if rule.administrator else None})
                 for rule, dn in self.rules]
        return testbed.write_policy("%s/policy-%s.xml" % (slapd.directory, strategy), slapd, extra="\n".join(lines),
                                    timeout="30s", cache=None if strategy == "cached" else NO_CACHE,
                                    groups={"strategy": "auto" if strategy == "cached" else strategy},
                                    domain="CORP corp.example.test")

    # Rounds

    def rounds(self, slapd, checks):
        """`checks`: {strategy: LongCheck}"""
        truth = slapd_truth.Truth(slapd)
        oracle = Oracle([rule for rule, _ in self.rules])
        moved = None
        for number in range(self.options.rounds):
            if number > 0:
                moved = self._change(number, moved)
                slapd.modify(self.world.take_ldif())
            oracle.replay(self.world.log)
            oracle.prepare()
            pairs = oracle.direct()
            self._verify(truth, pairs, number)
            comparison = Comparison(truth.own_names(), pairs, oracle.rules)
            for strategy, check in checks.items():
                if strategy != "cached":
                    self._ask(strategy, check, oracle, comparison, number)
                elif number % CACHED_EVERY == CACHED_EVERY - 1:
                    time.sleep(HEARSAY_S)
                    self._ask(strategy, check, oracle, comparison, number)
                    self._ask(strategy, check, oracle, comparison, number)

    def _change(self, number, moved):
        if moved is not None:
            self.world.rename_back(*moved)
        for _ in range(self.rng.randint(*CHANGES)):
            self.world.change()
        return self.world.rename_unit() if number % 7 == 3 else None

    def _verify(self, truth, pairs, number):
        seen = truth.direct(self.world.people, self.world.groups)
        if seen != pairs:
            raise testbed.TestbedError("round %d: different memberships: only slapd sees %s, only the oracle %s" %
                                       (number, sorted(seen - pairs)[:5], sorted(pairs - seen)[:5]))

    def _ask(self, strategy, check, oracle, comparison, number):
        people = self._people_by_reason(oracle)
        questions = [self._question(people) for _ in range(int(self.options.asks * SHARES[strategy]))]
        planted_at = self.rng.randrange(len(questions))
        answers = check.ask([sender for sender, _, _ in questions])
        for at, ((sender, uid, as_written), answer) in enumerate(zip(questions, answers)):
            verdict = oracle.judge(uid, as_written)
            self._count(strategy, answer)
            complaints = comparison.complaints(answer, verdict)
            if answer["searches"] == MOST_SEARCHES[strategy] + 1:
                self.once_more += 1
            elif answer["searches"] > MOST_SEARCHES[strategy]:
                complaints.append("%d searches" % answer["searches"])
            if complaints:
                self._fail("round %d, %s, sender %r: %s\n    %s" %
                           (number, strategy, sender, "; ".join(complaints), answer))
            if at == planted_at and number == self.options.rounds // 2:
                self._plant(comparison, answer, verdict)

    def _count(self, strategy, answer):
        self.decisions[answer["reason"]] += 1
        self.searches[(strategy, answer["searches"])] += 1
        self.longest_path = max(self.longest_path, len(answer["path"] or ()))

    def _fail(self, text):
        self.failures.append(text)
        print("WRONG: " + text, flush=True)
        if not self.options.keep_going or len(self.failures) >= 20:
            raise Mismatch("%d wrong answers" % len(self.failures))

    def _plant(self, comparison, answer, verdict):
        """A comparison that never complains would pass everything: it must notice one verdict turned round."""
        turned = copy.deepcopy(answer)
        turned["verdict"] = "deny" if answer["verdict"] == "authorize" else "authorize"
        if not comparison.complaints(turned, verdict):
            raise Mismatch("a planted wrong verdict was not noticed")
        self.planted = True

    # Questions

    def _people_by_reason(self, oracle):
        people = collections.defaultdict(list)
        for person in self.world.people.values():
            people[oracle.judge(person["uid"], True).reason].append(person["uid"])
        return people

    def _uid(self, people):
        """Anybody; but often somebody who is let in, and now and then somebody whom a deny rule keeps out."""
        for reason, share in (("member", 0.5), ("denied-group", 0.15)):
            if people[reason] and self.rng.random() < share:
                return self.rng.choice(people[reason])
        return self.rng.choice(list(self.world.people.values()))["uid"]

    def _question(self, people):
        """(sender, the uid that is meant, whether the name is that uid but for the case of letters)"""
        kind = self.rng.random()
        if kind < 0.03:
            return "stranger%d" % self.rng.randrange(1000), None, True
        uid = self._uid(people)
        if kind < 0.08:
            wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in uid)
            other = self.rng.choice((unicodedata.normalize("NFD", uid), wide))
            return other, uid, other == uid
        written = uid
        if kind < 0.25:
            written = "".join(c.swapcase() if spelling.folds_simply(c) and self.rng.random() < 0.5 else c for c in uid)
        return self.rng.choice(("%s", "CORP\\%s", "corp\\%s", "%s@corp.example.test")) % written, uid, True

    # The end

    def summary(self, elapsed_s):
        total = sum(self.decisions.values())
        words = ", ".join("%s %d" % item for item in self.decisions.most_common())
        searches = ", ".join("%s %d: %d" % (*key, count) for key, count in sorted(self.searches.items()))
        return ("seed %d: %d decisions in %d rounds, %d wrong (%s); by searches: %s; longest path %d; "
                "planted error noticed: %s; %.1f s" % (self.options.seed, total, self.options.rounds, len(self.failures),
                                                       words, searches, self.longest_path, self.planted, elapsed_s))

    def assert_worth(self):
        """A run that lets nobody in, or asks little, proves nothing."""
        total = sum(self.decisions.values())
        assert self.planted, "no wrong verdict was planted"
        assert self.once_more <= ONCE_MORE * total, "%d decisions took a round trip more" % self.once_more
        assert self.options.rounds < ROUNDS or self.options.asks < ASKS or total >= LEAST_DECISIONS, total
        assert self.decisions["member"] >= LEAST_LET_IN * total, self.decisions
        assert self.decisions["denied-group"] >= LEAST_DENIED_BY_RULE * total, self.decisions
        for reason in ("not-a-member", "no-such-user", "ambiguous-user"):
            assert self.decisions[reason] > 0, self.decisions


def compare_with_dynlist(world):
    """The overlay computes nested memberships of groupOfNames itself: a third opinion on the oracle's fixpoint."""
    names = {group for group in world.groups if world.groups[group]["class"] == "groupOfNames"}
    oracle = Oracle([])
    oracle.replay(world.log)
    pairs = {(child, parent) for child, parent in oracle.direct()
             if parent in names and (child in names or child in world.people)}
    expected = {(child, parent) for child, parent in oracle.beneath(names, pairs) if child in world.people}
    with testbed.Slapd(ldif=world.first_ldif, overlays=("dynlist",)) as slapd:
        truth = slapd_truth.Truth(slapd)
        own = truth.own_names()
        [entries] = truth.search(["(objectClass=inetOrgPerson)"], "description", "memberOf")
        # dynlist gives names in the form that slapd compares, not as the entry shows them.
        listed = sorted({group for _, attributes in entries for group in attributes.get("memberOf", ())})
        shown = truth.search(["(entryDN=%s)" % spelling.filter_value(group) for group in listed], "description")
        groups = {name: own[dn] for name, [(dn, _)] in zip(listed, shown)}
    seen = {(own[dn], groups[group]) for dn, attributes in entries for group in attributes.get("memberOf", ())}
    if seen != expected:
        raise testbed.TestbedError("dynlist disagrees: only it %s, only the oracle %s" %
                                   (sorted(seen - expected)[:5], sorted(expected - seen)[:5]))
    return len(expected)


def calibrated():
    habits = slapd_truth.calibrate()
    lost, gained = spelling.MEASURED_SAME - habits, spelling.MEASURED_DIFFERENT & habits
    print("slapd takes for the same name: " + ", ".join(sorted(habits)), flush=True)
    if lost or gained:
        raise testbed.TestbedError("slapd compares names otherwise than was measured: lost %s, gained %s" %
                                   (sorted(lost), sorted(gained)))
    return habits


def command_line():
    parser = argparse.ArgumentParser(description="Random directories against an oracle.")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--asks", type=int, default=ASKS)
    parser.add_argument("--oracle-only", action="store_true")
    parser.add_argument("--keep-going", action="store_true")
    return parser.parse_args()


def main():
    options = command_line()
    print("seed %d (again: %s --seed %d)" % (options.seed, sys.argv[0], options.seed), flush=True)
    begin = time.monotonic()
    program = None if options.oracle_only else testbed.wsmauthz()
    run = Run(options, calibrated())
    run.make_rules()
    run.world.first_ldif = run.world.take_first_ldif()
    print("dynlist agrees on %d nested memberships" % compare_with_dynlist(run.world), flush=True)
    try:
        with testbed.Slapd(ldif=run.world.first_ldif) as slapd:
            with contextlib.ExitStack() as stack:
                checks = {strategy: stack.enter_context(
                    LongCheck(program, run.policy(slapd, strategy), "%s/%s.log" % (slapd.directory, strategy)))
                          for strategy in SHARES if program is not None}
                run.rounds(slapd, checks)
    finally:
        print(run.summary(time.monotonic() - begin), flush=True)
    if program is not None:
        run.assert_worth()
    return 1 if run.failures else 0


if __name__ == "__main__":
    sys.exit(main())
