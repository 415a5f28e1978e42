# SPDX-License-Identifier: Apache-2.0
"""
Right and wrong of every call, by what the directory had (history.py), and when it had it.

A call that was made at A and answered at E may be answered by any standing that its sender had between A - WINDOW and E: a revocation counts
at the latest WINDOW after the directory has answered the write. A copy that follows the provider has a history of its own, by its own log (a
slapd may even lose a deletion on the way); what only the copy can explain is counted apart, and nobody is let in by it any more WINDOW after the application has
denied him by what is newer.
"""
import bisect
import collections
import struct

from history import NOBODY
from world import NOBODY as FIRST_NOBODY

RECORD = struct.Struct("<QQIIBBBB4x")
NS_PER_MS = 10**6
WINDOW_NS = 1000 * NS_PER_MS
#: A changed policy counts when it was noticed and read and its groups were loaded, which takes what the faults let it take; the one before it
#: may be what counts for so long.
POLICY_WINDOW_NS = 10000 * NS_PER_MS
#: Beyond the policy's timeout, of any answer.
GRACE_MS = 250
#: Between the two clocks that are compared.
CLOCK_NS = 5 * NS_PER_MS

AUTHORIZE, DENY, REDIRECT, ERROR, STRANGE = "authorize", "deny", "redirect", "error", "strange"
_VERDICTS = {0: AUTHORIZE, 5: DENY, 0x80338199: REDIRECT, 0x80338083: ERROR}
_USER = 0
_FOR_EVER = 1 << 62


class Judgement:
    """What came out: `counts` by name, `lines` about the first of what is wrong."""

    _SHOWN = 20

    def __init__(self):
        self.counts = collections.Counter()
        self.lines = []

    def wrong(self, kind, text):
        self.counts[kind] += 1
        if len(self.lines) < self._SHOWN:
            self.lines.append("%s: %s" % (kind, text))


class Judge:
    """
    histories   history.History of the provider and of its copy, by the clock of the calls
    doubtful    keys whose standing in the copy is not known; None: nobody's is
    senders     [(name, key)]
    policies    [(from when, whether it denies more)], the first from 0
    outages     [per application: [(from, to)]]: when no server could be reached at all
    """

    def __init__(self, histories, doubtful, senders, policies, outages, timeout_ms):
        self._histories, self._doubtful, self._senders = histories, doubtful, senders
        self._policies, self._outages = policies, outages
        self._late_ns = (timeout_ms + GRACE_MS) * NS_PER_MS
        self._seen = {}  # (application, key) -> [(when, mark of the newest standing that it has denied by)]
        self._begins = [begin for begin, _ in policies]

    def judge(self, calls):
        judgement = Judgement()
        asked = set()
        for call in sorted(calls, key=lambda call: call[1]):
            self._judge_one(call, judgement, asked)
        return judgement

    def _judge_one(self, call, judgement, asked):
        began, ended, sender, code, kind, application, administrator, site = call
        if ended == 0:
            judgement.wrong("missing", "no completion: %r" % (call,))
            return
        verdict = _VERDICTS.get(code, STRANGE)
        key = None if sender >= FIRST_NOBODY else self._senders[sender][1]
        judgement.counts[verdict] += 1
        if sender not in asked:
            asked.add(sender)
            judgement.counts["cold"] += 1
        if ended - began > self._late_ns:
            judgement.wrong("late", "%s after %.3f s: %s" % (verdict, (ended - began) / 1e9, self._name(sender)))
        if verdict == STRANGE:
            judgement.wrong("strange", "%#x for %s" % (code, self._name(sender)))
        if verdict in (ERROR, STRANGE):
            return
        if verdict != DENY or key is not None or sender >= FIRST_NOBODY:
            self._check_outage(call, verdict, judgement)
        if key is None:
            if verdict != DENY:
                judgement.wrong("wrong " + verdict, "%s is nobody" % self._name(sender))
            return
        self._check_standing(call, verdict, key, judgement)

    def _check_outage(self, call, verdict, judgement):
        began, ended, sender, application = call[0], call[1], call[2], call[5]
        outages = self._outages[application]
        at = bisect.bisect_right(outages, (began - WINDOW_NS, _FOR_EVER)) - 1
        if at >= 0 and ended <= outages[at][1]:
            judgement.wrong("wrong " + verdict, "%s, asked %.3f s after the last server was gone" % (
                self._name(sender), (began - outages[at][0]) / 1e9))

    def _check_standing(self, call, verdict, key, judgement):
        began, ended, sender, _, kind, application, administrator, site = call
        high = ended + CLOCK_NS
        policies = self._policies_between(began - POLICY_WINDOW_NS, high)
        seen = self._seen_before(application, key, began - WINDOW_NS)
        all_standings, went_back = [], False
        for history in self._histories:
            standings = _standings_between(history, key, began - WINDOW_NS - CLOCK_NS, high)
            fits = [(mark, until) for mark, until, standing in standings
                    if any(_is_right(verdict, kind, administrator, site, standing, denies) for denies in policies)]
            is_copy = history is not self._histories[0]
            new_enough = [mark for mark, until in fits if until > seen or verdict == DENY or not is_copy]
            if new_enough:
                if not is_copy and verdict == DENY:
                    self._note(application, key, ended, min(new_enough))
                if is_copy:
                    judgement.counts["%s by a copy that is behind" % verdict] += 1
                return
            went_back = went_back or bool(fits)
            all_standings.append([standing for _, _, standing in standings[-4:]])
        if self._doubtful is None or key in self._doubtful:
            if any(_is_right(verdict, kind, administrator, site, standing, denies) for denies in policies
                   for *_, standing in _standings_between(self._histories[0], key, 0, high)):
                judgement.counts["%s by a copy whose log has not all" % verdict] += 1
                return
        text = "%s told %s%s, kind %d, site %d, administrator %d, application %d, asked at %d, answered %.3f s later; had%s" % (
            self._name(sender), verdict, " (it went back to what it had seen the end of)" if went_back else "", kind, site,
            administrator, application, began, (ended - began) / 1e9,
            "; ".join(_told(history, key, began) for history in self._histories))
        allowed = any(_allowed(standing, denies) for standings in all_standings for standing in standings for denies in policies)
        if verdict == AUTHORIZE and (not allowed or went_back or administrator):
            judgement.wrong("wrong authorize", text)
        elif verdict == DENY:
            judgement.wrong("wrong deny", text)
        else:
            judgement.wrong("wrong redirect", text)

    def _policies_between(self, low, high):
        begin = max(0, bisect.bisect_right(self._begins, low) - 1)
        return {denies for _, denies in self._policies[begin:bisect.bisect_right(self._begins, high)]}

    def _seen_before(self, application, key, began):
        seen = self._seen.get((application, key))
        if not seen:
            return 0
        at = bisect.bisect_right(seen, (began, _FOR_EVER))
        return seen[at - 1][1] if at else 0

    def _note(self, application, key, ended, mark):
        seen = self._seen.setdefault((application, key), [])
        if mark and (not seen or mark > seen[-1][1]):
            seen.append((ended, mark))

    def _name(self, sender):
        return "nobody%d" % (sender - FIRST_NOBODY) if sender >= FIRST_NOBODY else repr(self._senders[sender][0])


def _standings_between(history, key, low, high):
    """[(mark, mark of the next one, standing)] of those that a server may have had at some moment from `low` to `high`."""
    steps = history.steps.get(key, ())
    end = len(steps)
    while end > 0 and steps[end - 1][1] > high:
        end -= 1
    begin = end
    while begin > 0 and steps[begin - 1][2] >= low:
        begin -= 1
    return [(steps[index - 1][0] if index else 0, steps[index][0] if index < len(steps) else _FOR_EVER,
             steps[index - 1][3] if index else history.first.get(key, NOBODY)) for index in range(begin, end + 1)]


def _told(history, key, moment):
    """The last standings before a moment, and the next: since when, in seconds from it, and what."""
    steps = history.steps.get(key, ())
    at = next((index for index, step in enumerate(steps) if step[1] > moment), len(steps))
    shown = [(0, 0, 0, history.first.get(key, NOBODY))] if at < 3 else []
    return ",".join(" %+.3f..%+.3f %s%s%s%d" % ((step[1] - moment) / 1e9, (step[2] - moment) / 1e9, "in" if step[3][0] else "out",
                                               " administrator" if step[3][1] else "",
                                               " denied-by-policy" if step[3][0] and not step[3][2] else " ", step[3][3])
                    for step in shown + list(steps[max(0, at - 3):at + 1]))


def _allowed(standing, denies):
    return standing[2] if denies else standing[0]


def _is_right(verdict, kind, administrator, site, standing, denies):
    allowed = _allowed(standing, denies)
    if verdict == DENY:
        return not allowed
    if not allowed:
        return False
    if kind != _USER:
        return verdict == AUTHORIZE
    if verdict == AUTHORIZE:
        return standing[3] == 0 and bool(administrator) == standing[1]
    return standing[3] == site


def read_calls(path):
    with open(path, "rb") as file:
        return list(RECORD.iter_unpack(file.read()))
