# SPDX-License-Identifier: Apache-2.0
"""
`wsmauthz host` with a plug-in file: natively, and the files for Windows under Wine, driven alike.

    host = NativeHost(program, plugin)          or  WineHost(wine, program, plugin)
    run = host.run(policy, script)              run.status, run.events, run.stderr
    with host.start(policy) as driven:
        driven.step("connect CORP\\\\alice")["verdict"]
"""
import collections
import json
import os
import queue
import subprocess
import threading

from testbed_process import TestbedError

# A machine with much else to do.
PATIENCE_S = 120

Run = collections.namedtuple("Run", "status events stderr")


class Driven:
    """A host that is told its steps one by one."""

    def __init__(self, command, environment=None):
        # Wine's own services inherit standard error, and a pipe would not end before they do.
        self._process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         stderr=subprocess.DEVNULL)
        self._lines = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def step(self, line):
        """The event of the step itself."""
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()
        word = line.split()[0]
        while True:
            try:
                said = self._lines.get(timeout=PATIENCE_S)
            except queue.Empty:
                raise TestbedError("no answer to " + line) from None
            if said is None:
                raise TestbedError("the host ended before it answered " + line)
            event = json.loads(said)
            if event["event"] == word:
                return event

    def end(self):
        """The exit status."""
        self._process.stdin.close()
        return self._process.wait(timeout=PATIENCE_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._reader.join()
        self._process.stdout.close()


class NativeHost:
    def __init__(self, program, plugin):
        self._command = [program, "host", "--json", "--plugin", plugin]

    @staticmethod
    def path(path):
        return path

    def run(self, policy, script, *options):
        done = subprocess.run(self._command + ["--config", policy, "--script", str(script), *options], capture_output=True,
                              timeout=2 * PATIENCE_S, check=False)
        return Run(done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr.decode())

    def start(self, policy, *options):
        return Driven(self._command + ["--config", policy, *options])


class WineHost:
    def __init__(self, wine, program, plugin):
        self._wine = wine
        self._command = [program, "host", "--json", "--plugin", wine.path(plugin)]

    def path(self, path):
        return self._wine.path(path)

    def run(self, policy, script, *options):
        done = self._wine.run(*self._command, "--config", self.path(policy), "--script", self.path(script), *options,
                              timeout=2 * PATIENCE_S)
        return Run(done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr)

    def start(self, policy, *options):
        return Driven(["wine"] + self._command + ["--config", self.path(policy), *options], self._wine.environment())


def outcomes(run):
    """What each step came to, in the order of the script: alike on both systems."""
    return sorted((event["line"], event["event"], event["sender"] or "", event["verdict"], event["code"], event["redirect_uri"] or "",
                   event["administrator"], event["remembered"], event["same"]) for event in run.events if "remembered" in event)


def _records(policy):
    path = os.path.join(os.path.dirname(policy), "audit.log")
    with open(path, encoding="utf-8") as file:
        return [record for record in map(json.loads, file) if record["kind"] != "repeats"]


def refusals(policy):
    """Of the audit beside a policy all that was not authorized: each is written, alike on both systems; each thing once."""
    names = ("sender", "mechanism", "kind", "verdict", "reason", "code", "rule", "redirect_uri")
    return sorted({tuple(str(record[name]) for name in names) for record in _records(policy) if record["verdict"] != "authorize"})


def authorized(policy):
    """{sender: by what}. Whom the cache knows already is not written each time, so some may be missing."""
    return {record["sender"]: (record["reason"], record["rule"], record["dn"], record["administrator"])
            for record in _records(policy) if record["verdict"] == "authorize"}


def total(run):
    """The event that sums up."""
    [event] = [event for event in run.events if event["event"] == "sum"]
    return event
