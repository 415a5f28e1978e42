# SPDX-License-Identifier: Apache-2.0
"""What the soak shows: how far it is, and in the end what happened and what was wrong."""
import collections
import sys
import time

from faults import kinds

#: The heap of the process may be so much greater after everything was stopped than before anything was broken: what libraries keep.
HEAP_KEPT_BYTES = 256 * 1024
#: From the first quiet moment to any later one, with full caches.
HEAP_GROWTH_BYTES = 4 << 20
#: Connections come and go; those of each application are bounded.
DESCRIPTOR_GROWTH, THREAD_GROWTH = 12, 0
#: Without faults, no error after this time: the back-off of a server that was gone for a while (dir_pool.h), or the pause before a replica
#: that was behind is looked at again (MEMBERSHIP_LAG_LAST_MS), and a load.
RECOVERY_S = 6.0
COLD_SHARE = 0.30
ERROR_CODE = 0x80338083


class Progress:
    """One line that moves on a terminal; elsewhere a line every ten seconds."""

    _EVERY_S = 10

    def __init__(self, total):
        self._total = total
        self._began = self._shown = time.monotonic()
        self._is_terminal = sys.stdout.isatty()

    def show(self, made, fault_count):
        now = time.monotonic()
        if not self._is_terminal and now - self._shown < self._EVERY_S:
            return
        self._shown = now
        done = made / self._total
        left = (now - self._began) * (1 - done) / done if done > 0 else 0
        line = "%3d %%  %d of %d requests, %d faults, %.0f s, %.0f s to go" % (
            100 * done, made, self._total, fault_count, now - self._began, left)
        if self._is_terminal:
            bar = "#" * int(30 * done)
            sys.stdout.write("\r[%-30s] %s  " % (bar, line))
            sys.stdout.flush()
        else:
            print(line, flush=True)

    def end(self):
        if self._is_terminal:
            print()


def show(conductor, judgement):
    """Print it all; whether all is as it must be."""
    problems = list(_leaks(conductor))
    leaks = len(problems)
    counts, options = judgement.counts, conductor.options
    problems += _faults(conductor, options.each)
    problems += _recovery(conductor)
    requests, completions = len(conductor.records), conductor.ended["completed"]
    print("\n%d changes of the directory (%s), %d writes in its log" % (
        sum(conductor.changes.values()), ", ".join("%s %d" % each for each in sorted(conductor.changes.items())),
        conductor.histories[0].writes))
    for name in ("authorize", "deny", "redirect", "error"):
        print("%-10s %9d  %5.1f %%" % (name, counts[name], 100 * counts[name] / requests))
    print("%-10s %9d  %5.1f %%  (senders who had not been asked about before)" % ("cold", counts["cold"], 100 * counts["cold"] / requests))
    for name in sorted(counts):
        if "by a copy" in name:
            print("%d: %s" % (counts[name], name))
    if conductor.lost:
        print("%d entries of the copy are not those of the provider: slapd has lost writes" % len(conductor.lost))
    if conductor.doubtful:
        print("%d entries of the copy are not what its log leads to" % len(conductor.doubtful))
    print("%d allocations failed, %d applications could not start meanwhile" % (
        conductor.count["memory_failures"], conductor.count["refused_startups"]))
    wrong = sum(counts[name] for name in counts if name.startswith("wrong") and name != "wrong authorize")
    problems += ["%d %s" % (counts[name], name) for name in sorted(counts)
                 if counts[name] and (name.startswith("wrong") or name in ("late", "missing", "strange"))]
    if counts["cold"] < COLD_SHARE * requests:
        problems.append("fewer than %d %% were cold" % (100 * COLD_SHARE))
    if conductor.ended["extra"] or conductor.ended["off_contract"]:
        problems.append("%d completions too many, %d not as the contract has it" % (
            conductor.ended["extra"], conductor.ended["off_contract"]))
    if conductor.status != 0:
        problems.append("the driver ended with status %d" % conductor.status)
    for line in judgement.lines:
        print("WRONG: " + line)
    for line in problems:
        print("PROBLEM: " + line)
    print("%d wrong denies or redirects; %.0f s, %d requests a second, seed %d" % (
        wrong, conductor.elapsed_s, requests / conductor.elapsed_s, options.seed))
    print("%d requests, %d completions, %d wrong authorizes, %d late, %d leaks" % (
        requests, completions, counts["wrong authorize"], counts["late"], leaks), flush=True)
    return not problems and requests == completions == options.requests


def _leaks(conductor):
    before, ended, quiets = conductor.driver.before, conductor.ended, conductor.quiets
    for name, figures in [("before", before)] + [("quiet %d" % (number + 1), quiet) for number, quiet in enumerate(quiets)] + [
            ("ended", ended)]:
        print("%-9s heap %8.1f KB, resident %8d KB, %3d descriptors, %3d threads" % (
            name, figures["heap"] / 1024, figures["resident_kb"], figures["descriptors"], figures["threads"]))
    if ended["heap"] > before["heap"] + HEAP_KEPT_BYTES:
        yield "%d bytes of the heap are left when all is stopped" % (ended["heap"] - before["heap"])
    for name in ("descriptors", "threads"):
        if ended[name] > before[name]:
            yield "%d %s are left when all is stopped" % (ended[name] - before[name], name)
    # A policy that was changed a moment ago has two generations of everything for as long as it takes to load: the least of the last two
    # quiet moments counts.
    last = {name: min(quiet[name] for quiet in quiets[-2:]) for name in ("heap", "descriptors", "threads")}
    for name, limit in (("heap", HEAP_GROWTH_BYTES), ("descriptors", DESCRIPTOR_GROWTH), ("threads", THREAD_GROWTH)):
        if last[name] > quiets[0][name] + limit:
            yield "%s: %d more than in the first quiet moment" % (name, last[name] - quiets[0][name])


def _faults(conductor, each):
    """The table; what is missing in it."""
    happened = collections.Counter(kind for kind, *_ in conductor.faults.journal)
    lasted = collections.Counter()
    for kind, _, whole, ends in conductor.faults.journal:
        lasted[kind] += ends - whole
    print("\n%-28s %6s %9s" % ("fault", "times", "seconds"))
    for kind in kinds():
        print("%-28s %6d %9.1f" % (kind, happened[kind], lasted[kind] / 1e9))
    total = sum(happened.values())
    print("%-28s %6d %9.1f  %.2f a second\n" % ("all", total, sum(lasted.values()) / 1e9, total / conductor.elapsed_s))
    missing = [kind for kind in kinds() if happened[kind] < each]
    if missing:
        yield "fewer than %d times: %s" % (each, ", ".join(missing))
    if total < conductor.elapsed_s:
        yield "fewer faults than one a second"


def _recovery(conductor):
    """How long errors went on when faults had ceased."""
    for number, (begin, end) in enumerate(conductor.calms):
        errors = [ended for began, ended, _, code, *_ in conductor.records if code == ERROR_CODE and begin <= ended and began <= end]
        last_s = (max(errors, default=begin) - begin) / 1e9
        print("calm %d: %d errors, the last %.2f s after the faults had ended" % (number + 1, len(errors), last_s))
        if last_s > RECOVERY_S:
            yield "errors %.2f s after the faults had ended" % last_s
