#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
What a host feels when the first of two directory servers goes, and when it is back: 1,000 requests a second, more than a third of them cold,
from two applications (one synchronous and by TLS, one neither).

    killed       the server's process ends: no error at all, and the 99th percentile of the time to the answer grows by less than 200 ms
    black hole   nothing comes back from it any more: errors of none but requests that were under way as long as they may be (the policy's
                 timeout), and the 99th percentile less than twice the timeout
    back         both times it comes back, and is used again: no error, and no answer later than before

    failover.py [--rate N] [--no-return]      by hand after tests/soak.sh has built: see tests/soak/CMakeLists.txt for its environment
"""
import argparse
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import testbed_network  # noqa: E402
import world  # noqa: E402
from conduct import Driver  # noqa: E402
from judge import read_calls  # noqa: E402
from ldap_writer import Writer  # noqa: E402
from rig import CLEAR, PROVIDER, TIMEOUT_MS, TLS, Rig  # noqa: E402
from testbed import Folder, TestbedError, skip  # noqa: E402
from testbed_proxy import HANG, PASS  # noqa: E402

THREADS = 48
PEOPLE = 20000
BEFORE_S = 4.0
#: How long after the fault is looked at, which is longer than it is felt.
AFTER_S = 3.0
#: dir_pool.h: a better server is looked for that often.
RETURN_S = 40.0
ERROR = 0x80338083
KILL_ADDS_MS = 200
#: What a busy machine adds where nothing at all happens.
NOISE_MS = 100
#: A request that was given up took so long at least.
GIVEN_UP_MS = TIMEOUT_MS - 20


class Load:
    """The driver on a rig, and the moments that its calls are looked at by."""

    def __init__(self, folder, rate):
        self.folder = folder
        self._world = world.World(1, PEOPLE)
        self.rig = Rig(folder, self._world.ldif())
        # A slapd (2.5.13) that was killed does not start again on a log in which nothing was ever written.
        writer = Writer(self.rig.provider)
        writer.write(("replace", world.person_dn("keeper"), "l", ["Rome"]))
        writer.close()
        self._calls = folder.join("calls")
        senders = self._world.senders()
        with open(folder.join("senders"), "wb") as file:
            file.write(world.pack_senders(senders))
        policies = [self._policy(application) for application in (TLS, CLEAR)]
        arguments = [os.environ[name] for name in ("WSMAUTHZ_SOAK", "WSMAUTHZ_PLUGIN", "WSMAUTHZ_STANDIN")] + policies
        arguments += [self._calls, folder.join("senders")]
        arguments += [str(each) for each in (self._world.actors, PEOPLE, rate * 600, rate, THREADS, 1)]
        self._driver = Driver(arguments, folder.join("driver.log"))

    def _policy(self, application):
        path = self.folder.join("policy-%d.xml" % application)
        extra = '<audit to="file" file="%s.log"/>' % path
        if application == CLEAR:
            extra += '<plugin completion="asynchronous"/>'
        self.rig.write_policy(path, application, extra=extra, allow=[world.group_dn(world.ALLOW)])
        return path

    def go(self):
        self._driver.say("go")
        time.sleep(BEFORE_S)

    def pass_through_first(self):
        """Bytes that the first server has answered, of each application."""
        return [self.rig.proxies[application][PROVIDER].bytes_to_client for application in (TLS, CLEAR)]

    def wait_for_return(self):
        """Until both applications ask the first server again."""
        before, end = self.pass_through_first(), time.monotonic() + RETURN_S
        while not all(now > then + 50000 for now, then in zip(self.pass_through_first(), before)):
            if time.monotonic() > end:
                raise TestbedError("the first server is not used again")
            time.sleep(0.1)

    def calls(self):
        """Those that are over, and those that should be."""
        self._driver.say("quiet")
        calls = [call for call in read_calls(self._calls) if call[0]]
        self._driver.say("resume")
        return calls

    def close(self):
        self._driver.kill()
        self.rig.close()


class Figures:
    """Of the calls of an application that began between two moments."""

    def __init__(self, calls, application, begin, end):
        chosen = [call for call in calls if call[5] == application and begin <= call[0] < end]
        self.count = len(chosen)
        self.rate = len(chosen) / ((end - begin) / 1e9)
        times = sorted((call[1] - call[0]) / 1e6 for call in chosen)
        self.p50, self.p99, self.most = (times[min(len(times) - 1, int(len(times) * share))] for share in (0.5, 0.99, 1.0))
        self.errors = [(call[1] - call[0]) / 1e6 for call in chosen if call[3] == ERROR]
        self.unfinished = sum(call[1] == 0 for call in chosen)

    def __str__(self):
        return "%6d requests, %4.0f a second, p50 %7.2f ms, p99 %7.2f ms, longest %7.2f ms, %d errors" % (
            self.count, self.rate, self.p50, self.p99, self.most, len(self.errors))


class Measurement:
    def __init__(self, load):
        self._load = load
        self._problems = []
        self._moments = []

    def during(self, name, work):
        """What was measured before, and from the beginning of `work` on."""
        begin = time.monotonic_ns()
        work()
        self._moments.append((name, begin, time.monotonic_ns()))

    def show(self, rate):
        """The problems."""
        calls = self._load.calls()
        for application, of_what in ((TLS, "synchronous, TLS"), (CLEAR, "asynchronous, clear text")):
            print("\n%s" % of_what)
            before = None
            for name, begin, end in self._moments:
                figures = Figures(calls, application, begin, end)
                print("  %-22s %s" % (name, figures), flush=True)
                before = before or figures
                self._check("%s, %s" % (of_what, name), name, figures, before)
        for name, begin, end in self._moments:
            made = sum(begin <= call[0] < end for call in calls) / ((end - begin) / 1e9)
            if made < 0.8 * rate:
                self._problems.append("%s: %.0f requests a second only" % (name, made))
        return self._problems

    def _check(self, where, name, figures, before):
        given_up = [ms for ms in figures.errors if ms >= GIVEN_UP_MS]
        if figures.unfinished:
            self._problems.append("%s: %d without an answer" % (where, figures.unfinished))
        if len(figures.errors) > (len(given_up) if name == "black hole" else 0):
            self._problems.append("%s: %d errors, of which %d of requests that were given up" % (
                where, len(figures.errors), len(given_up)))
        limit = {"killed": before.p99 + KILL_ADDS_MS, "black hole": 2 * TIMEOUT_MS}.get(name, before.p99 + NOISE_MS)
        if figures.p99 >= limit:
            self._problems.append("%s: p99 %.1f ms, of %.1f allowed" % (where, figures.p99, limit))


def measure(load, rate, is_returned):
    measurement = Measurement(load)
    first = load.rig.slapds[PROVIDER]

    def set_first(mode):
        for application in (TLS, CLEAR):
            load.rig.proxies[application][PROVIDER].set_mode(mode)

    def lose(begin):
        begin()
        time.sleep(AFTER_S)

    def come_back(begin):
        begin()
        load.wait_for_return()
        time.sleep(1)

    load.go()
    measurement.during("before", lambda: time.sleep(BEFORE_S))
    measurement.during("killed", lambda: lose(first.kill))
    measurement.during("on the second", lambda: time.sleep(AFTER_S))
    if is_returned:
        measurement.during("back", lambda: come_back(first.start))
    else:
        return measurement.show(rate)
    measurement.during("black hole", lambda: lose(lambda: set_first(HANG)))
    measurement.during("on the second", lambda: time.sleep(AFTER_S))
    measurement.during("back", lambda: come_back(lambda: set_first(PASS)))
    return measurement.show(rate)


def main():
    parser = argparse.ArgumentParser(description="fail-over and fail-back under load")
    parser.add_argument("--rate", type=int, default=1000)
    parser.add_argument("--no-return", action="store_true", help="the first server is killed, and that is all")
    options = parser.parse_args()
    if not all(os.environ.get(name) for name in ("WSMAUTHZ_SOAK", "WSMAUTHZ_PLUGIN", "WSMAUTHZ_STANDIN")):
        skip("the driver and the plug-in are not part of this build")
    testbed_network.enter()
    with Folder(prefix="wsmauthz-failover-") as folder:
        load = Load(folder, options.rate)
        try:
            problems = measure(load, options.rate, not options.no_return)
        finally:
            load.close()
    for problem in problems:
        print("PROBLEM: " + problem)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
