#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
The soak: random faults x random changes of the directory x random senders, through the plug-in's entry points; see tests/soak.sh.

Makes the servers and starts the driver (soak.c), has changes and faults happen until enough requests were made, and judges every call by
replaying what the directory wrote into its own log. Everything random is a function of the seed.

The last line is `N requests, N completions, 0 wrong authorizes, 0 late, 0 leaks`; the exit status is 0 when that is so, and nothing else was
wrong either.
"""
import argparse
import bisect
import hashlib
import itertools
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import report  # noqa: E402
import testbed_network  # noqa: E402
import world  # noqa: E402
from faults import Faults, lanes  # noqa: E402
from history import History, csn_ns, writes  # noqa: E402
from judge import CLOCK_NS, Judge, read_calls  # noqa: E402
from ldap_writer import DONE_BEFORE, Unreachable, Writer  # noqa: E402
from rig import CLEAR, CONSUMER, PROVIDER, TIMEOUT_MS, TLS, Rig  # noqa: E402
from testbed import Folder, TestbedError, need, run, skip, wait_until  # noqa: E402

THREADS = 12  # of each application
CACHE_ENTRIES = 4000
AUDIT_BYTES, AUDIT_CLEAR_BYTES = 8 << 20, 4 << 20
REPLY_TIMEOUT_S = 90
#: Without faults so long before what the process has is looked at; and how long errors may go on in it.
CALM_S = 7.0


class Driver:
    """soak.c as an object."""

    def __init__(self, arguments, log_file):
        self._log = open(log_file, "ab")
        self._process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True)
        self._lock = threading.Lock()  # one line and its answer at a time
        self.before = self._read()

    def say(self, line):
        """Send a line; its answer as a dict."""
        with self._lock:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
            return self._read()

    def _read(self):
        timer = threading.Timer(REPLY_TIMEOUT_S, self._process.kill)
        timer.start()
        line = self._process.stdout.readline()
        timer.cancel()
        if not line:
            raise TestbedError("the driver ended with status %s" % self._process.wait())
        return {name: int(value) for name, _, value in (word.partition("=") for word in line.split()[1:])}

    def wait(self):
        self._process.stdin.close()
        return self._process.wait(REPLY_TIMEOUT_S)

    def kill(self):
        self._process.kill()
        self._process.wait()
        self._log.close()


class Policies:
    """The policy files of both applications, and what stands in them when: `journal` of (from when, whether it denies more)."""

    def __init__(self, rig, folder, audit):
        self.paths = [folder.join("policy-%d.xml" % application) for application in (TLS, CLEAR)]
        self._texts = []
        for application, path in enumerate(self.paths):
            both = []
            for denies in (False, True):
                self._write(rig, path, application, audit, denies)
                with open(path, encoding="utf-8") as file:
                    both.append(file.read())
            self._texts.append(both)
        self._denies = False
        self.journal = []
        self.change(False)

    @staticmethod
    def _write(rig, path, application, audit, denies):
        extra = '<audit to="file" file="%s/%d.log"/>' % (audit, application)
        if application == CLEAR:
            extra += '<plugin completion="asynchronous"/>'
        deny = [world.group_dn(world.LEAVERS)] + ([world.group_dn(world.POLICY_DENY)] if denies else [])
        sites = [{"name": name, "uri": "https://site%d.corp.example.test:5986/wsman" % number} for name, number in
                 (("EMEA", 1), ("APAC", 2))]
        sites.append({"group": world.group_dn(world.LAB), "uri": "https://site3.corp.example.test:5986/wsman"})
        rig.write_policy(path, application, extra=extra, deny=deny, cache={"max-entries": CACHE_ENTRIES},
                         allow=[{"group": world.group_dn(world.ALLOW), "max-shells": 5},
                                {"group": world.group_dn(world.TIER0), "administrator": "true"}],
                         redirect={"attribute": "physicalDeliveryOfficeName", "here": "AMER", "sites": sites})

    def change(self, denies):
        self._denies = denies
        self.journal.append((time.monotonic_ns(), denies))
        self._put([texts[denies] for texts in self._texts])

    def spoil(self):
        self._put([texts[self._denies][:-20] for texts in self._texts])

    def restore(self):
        self._put([texts[self._denies] for texts in self._texts])

    def _put(self, texts):
        for path, text in zip(self.paths, texts):
            with open(path + ".new", "w", encoding="utf-8") as file:
                os.fchmod(file.fileno(), 0o600)
                file.write(text)
            os.replace(path + ".new", path)


class Worker(threading.Thread):
    """A thread whose failure is that of the whole."""

    failures = []

    def __init__(self, name, work):
        super().__init__(name=name, daemon=True)
        self._work = work
        self.start()

    def run(self):
        try:
            self._work()
        except BaseException as error:  # reported by the main thread
            Worker.failures.append("%s: %r" % (self.name, error))

    @staticmethod
    def check():
        if Worker.failures:
            raise TestbedError("; ".join(Worker.failures))


class Conductor:
    def __init__(self, options, folder):
        self.options = options
        self.people = max(1000, options.requests // 20)
        self.world = world.World(options.seed, self.people)
        self.rig = Rig(folder, self.world.ldif())
        self.senders = self.world.senders()
        self.audit = folder.make("audit")
        run(need("mount"), "-t", "tmpfs", "-o", "size=%d,mode=0700" % AUDIT_BYTES, "tmpfs", self.audit)
        self.policies = Policies(self.rig, folder, self.audit)
        self.calls = folder.join("calls")
        with open(folder.join("senders"), "wb") as file:
            file.write(world.pack_senders(self.senders))
        self.driver = Driver([options.driver, options.plugin, options.standin] + self.policies.paths +
                             [self.calls, folder.join("senders")] +
                             [str(each) for each in (self.world.actors, self.people, options.requests, options.rate, THREADS,
                                                     options.seed)], options.log or folder.join("driver.log"))
        self.faults = Faults(self.rig, self.driver, self.policies, self.audit)
        self.offsets, self.writes, self.calms, self.quiets = [], [], [], []
        self.changes = {}
        self._is_over, self._is_calm = threading.Event(), threading.Event()
        self._idle = threading.Semaphore(0)

    # The threads

    def change(self):
        writer = Writer(self.rig.provider)
        for kind, requests in world.Changes(self.options.seed, self.world):
            if self._is_over.wait(1 / self.options.changes):
                return writer.close()
            for request in requests:
                with self.faults.writing:
                    self._write(writer, request)
            self.changes[kind] = self.changes.get(kind, 0) + 1

    def _write(self, writer, request):
        """Until it is answered that it is so."""
        sent = time.monotonic_ns()
        for _ in range(2000):
            try:
                code = writer.write(request)
            except Unreachable:
                code = None
            if code == 0 or code in DONE_BEFORE:
                self.writes.append((sent, time.monotonic_ns()))
                return
            time.sleep(0.02)
        raise TestbedError("could not write %r: %s" % (request, code))

    def watch_clocks(self):
        while not self._is_over.wait(0.1):
            self.offsets.append(time.time_ns() - time.monotonic_ns())

    def clear_audit(self):
        while not self._is_over.wait(0.5):
            for name in ("0.log", "1.log"):
                path = os.path.join(self.audit, name)
                if os.path.exists(path) and os.path.getsize(path) > AUDIT_CLEAR_BYTES // 2:
                    os.truncate(path, 0)

    def break_things(self, lane):
        for step in lane:
            if self._is_calm.is_set():
                self._idle.release()
                while self._is_calm.is_set() and not self._is_over.is_set():
                    time.sleep(0.01)
            if self._is_over.is_set():
                return
            self.faults.run(step)
            self._is_over.wait(step.pause_ms / 1000)

    # The course

    def run(self):
        began = time.monotonic()
        self.driver.say("go")
        fault_lanes = lanes(self.options.seed)
        workers = [Worker("changes", self.change), Worker("clocks", self.watch_clocks), Worker("audit", self.clear_audit)]
        breakers = [Worker(lane.name, lambda lane=lane: self.break_things(lane)) for lane in fault_lanes]
        due = [self.options.requests * each // (self.options.calms + 1) for each in range(1, self.options.calms + 1)]
        progress = report.Progress(self.options.requests)
        while True:
            time.sleep(0.2)
            Worker.check()
            count = self.driver.say("count")
            progress.show(count["made"], len(self.faults.journal))
            if due and count["made"] >= due[0]:
                due.pop(0)
                self.calm(len(fault_lanes))
            if count["made"] >= self.options.requests:
                break
        self.count = count
        self.settle(workers + breakers)
        self.quiets.append(self.driver.say("quiet"))
        self.driver.say("resume")
        self.ended = self.driver.say("end")
        self.status = self.driver.wait()
        self.elapsed_s = time.monotonic() - began
        progress.end()

    def calm(self, lane_count):
        """No faults; then nobody asks; then what the process has."""
        self._is_calm.set()
        for _ in range(lane_count):
            if not self._idle.acquire(timeout=60):
                Worker.check()
                raise TestbedError("a fault does not end")
        begin = time.monotonic_ns()
        time.sleep(CALM_S)
        self.calms.append((begin, time.monotonic_ns()))
        self.quiets.append(self.driver.say("quiet"))
        self.driver.say("resume")
        self._is_calm.clear()

    def settle(self, threads):
        self._is_over.set()
        for thread in threads:
            thread.join(60)
        Worker.check()
        try:
            wait_until(self._copy_is_whole, 10, "the copy to catch up")
        except TestbedError as error:  # it is judged by its own log; that it has everything only makes the last answers easier to read
            print("note: %s" % error)

    def _copy_is_whole(self):
        reader, other = Writer(self.rig.provider), Writer(self.rig.slapds[CONSUMER])
        try:
            # A provider that was killed may show an older mark than it had: that of its newest entry.
            return reader.context_csn() <= other.context_csn()
        except Unreachable:
            return False
        finally:
            reader.close()
            other.close()

    # What it was worth

    def judge(self):
        offset = sorted(self.offsets)[len(self.offsets) // 2]
        answered_at = [answered for _, answered in self.writes]

        def of_provider(log_entry):
            mark = csn_ns(log_entry["entrycsn"][0]) - offset
            for sent, done in self.writes[bisect.bisect_left(answered_at, mark - CLOCK_NS):]:
                if sent - CLOCK_NS <= mark <= done + CLOCK_NS:
                    return mark, mark, done
                break
            raise TestbedError("the log has a write that nobody made: %r" % log_entry)

        def of_copy(log_entry):
            # Of the moment when the copy had it the log has the second alone: what is behind the point counts requests.
            mark = csn_ns(log_entry["entrycsn"][0]) - offset
            second = csn_ns(log_entry["reqstart"][0]) // 10**9 * 10**9 - offset
            return mark, max(mark, second), max(mark, second + 10**9)

        self.histories = [History(self.rig.first_content, writes(self.rig.write_log(server)), times) for server, times in
                          ((PROVIDER, of_provider), (CONSUMER, of_copy))]
        doubtful = [history.directory.doubtful | {dn for dn, *_ in history.differences(self.rig.content(server))}
                    for server, history in enumerate(self.histories)]
        if doubtful[PROVIDER]:
            raise TestbedError("the log of the provider does not lead to what it has: %r" % sorted(doubtful[PROVIDER])[:5])
        self.doubtful = doubtful[CONSUMER]
        self.lost = self.histories[CONSUMER].differences(self.rig.content(PROVIDER))
        judge = Judge(self.histories, self.histories[CONSUMER].keys_of(self.doubtful), self.senders, self.policies.journal,
                      [self.faults.outages(application) for application in (TLS, CLEAR)], TIMEOUT_MS)
        self.records = read_calls(self.calls)
        return judge.judge(self.records)

    def close(self):
        self._is_over.set()
        self.driver.kill()
        self.rig.close()


def plan_name(seed):
    """The beginning of everything that is planned, as a few letters: the same for the same seed."""
    plan = [repr(step) for lane in lanes(seed) for step in itertools.islice(lane, 1000)]
    plan += [repr(each) for each in itertools.islice(world.Changes(seed, world.World(seed, 1000)), 1000)]
    return hashlib.sha256("\n".join(plan).encode()).hexdigest()[:12]


def main():
    parser = argparse.ArgumentParser(description="random faults, changes and senders, through the plug-in's entry points")
    parser.add_argument("--requests", type=int, default=1000000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=int, default=1500, help="requests a second")
    parser.add_argument("--changes", type=int, default=15, help="changes of the directory a second")
    parser.add_argument("--calms", type=int, default=0, help="how often faults cease; default: by the requests")
    parser.add_argument("--each", type=int, help="each kind of fault must have happened so often")
    parser.add_argument("--driver", default=os.environ.get("WSMAUTHZ_SOAK"))
    parser.add_argument("--plugin", default=os.environ.get("WSMAUTHZ_PLUGIN"))
    parser.add_argument("--standin", default=os.environ.get("WSMAUTHZ_STANDIN"))
    parser.add_argument("--log", help="keep what the plug-in logs in this file")
    options = parser.parse_args()
    if not (options.driver and options.plugin and options.standin):
        skip("the driver and the plug-in are not part of this build")
    if options.each is None:
        options.each = 20 if options.requests >= 1000000 else 0
    options.calms = options.calms or max(1, options.requests // 100000)
    testbed_network.enter()
    print("soak: %d requests, seed %d, plan %s" % (options.requests, options.seed, plan_name(options.seed)), flush=True)
    with Folder(prefix="wsmauthz-soak-") as folder:
        conductor = Conductor(options, folder)
        try:
            conductor.run()
            is_good = report.show(conductor, conductor.judge())
        finally:
            conductor.close()
            subprocess.run([need("umount"), "-l", conductor.audit], check=False)
    sys.exit(0 if is_good else 1)


if __name__ == "__main__":
    main()
