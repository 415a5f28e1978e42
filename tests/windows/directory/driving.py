# SPDX-License-Identifier: Apache-2.0
"""dir_driver under Wine: a connection that is driven line by line."""
import contextlib
import os
import queue
import subprocess
import tempfile
import threading
import time

PATIENCE_S = 60
# The first program starts all of Wine, and has a prefix updated: on a busy machine that takes its time.
START_PATIENCE_S = 180

# The order of enum dir_step.
RESOLVE, CONNECT, SECURE, BIND, DONE = range(5)


class Driver:
    """
    driver = Driver(wine, program, uri, bind="simple", dn=..., secret=..., tls="ldaps", ca_file=...)
    driver.ask("open 3000") -> "OPEN ok 127.0.0.1 12"
    """

    def __init__(self, wine, program, uri, *, ca_file=None, crl_file=None, more=None, **options):
        environment = {"DRIVER_" + name.upper(): value for name, value in options.items() if value is not None}
        for name, path in (("DRIVER_CA_FILE", ca_file), ("DRIVER_CRL_FILE", crl_file)):
            if path is not None:
                environment[name] = wine.path(path)
        environment.update(more or {})
        self._process = subprocess.Popen(["wine", program, uri], env=wine.environment(**environment),
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                         encoding="utf-8", errors="replace")
        self._lines = queue.Queue()
        self._closed = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._process.stdout:
            self._lines.put(line.rstrip("\r\n"))
        self._lines.put(None)

    def say(self, line):
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def next(self, patience_s=PATIENCE_S):
        line = self._lines.get(timeout=patience_s)
        if line is None:
            raise AssertionError("the program has ended with %s" % self._process.wait(10))
        return line

    def ask(self, line, patience_s=PATIENCE_S):
        self.say(line)
        return self.next(patience_s)

    def open(self, ms=10000):
        line = self.ask("open %d" % ms)
        if not line.startswith("OPEN ok "):
            raise AssertionError(line)
        return line

    def search(self, base, query, *names, scope=2, size=0, page=0, flags=0, ms=10000):
        return Answer(self.ask("search %d %d %s|%s|%s|%d|%d|%d" % (ms, scope, base, query, ",".join(names) or "1.1",
                                                                    size, page, flags)))

    def entries(self):
        """Of the last search: [(dn, {name: [value]})]"""
        self.say("show")
        found = []
        while True:
            word, _, rest = self.next().partition(" ")
            if word == "END":
                return found
            if word == "ENTRY":
                found.append((rest, {}))
            elif word == "ATTRIBUTE":
                name = rest.rpartition(" ")[0]
                found[-1][1][name] = []
            else:
                found[-1][1][name].append(bytes.fromhex(rest))

    def close(self):
        """@return what the program said at its end. Twice is allowed."""
        if self._closed:
            return None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        self._process.stdout.close()
        last = None
        while (line := self._lines.get(timeout=PATIENCE_S)) is not None:
            last = line
        self._closed = True
        return last


def keep_awake(wine, program):
    """
    While one program runs, Wine need not start anew for each of the others, and what it starts does not hold their pipes open.
    @return a function that ends it.
    """
    said = tempfile.TemporaryFile()
    process = subprocess.Popen(["wine", program, "ldap://127.0.0.1"], env=wine.environment(), stdin=subprocess.PIPE,
                               stdout=said, stderr=subprocess.DEVNULL)

    def end():
        process.stdin.close()
        process.wait(PATIENCE_S)
        said.close()

    process.stdin.write(b"sleep 0\n")
    process.stdin.flush()
    last = time.monotonic() + START_PATIENCE_S
    while b"SLEPT" not in os.pread(said.fileno(), 4096, 0):
        if process.poll() is not None or time.monotonic() > last:
            process.kill()
            raise AssertionError("%s does not start under Wine (%s)" % (program, process.wait(PATIENCE_S)))
        time.sleep(0.02)
    return end


class Answer:
    def __init__(self, line):
        words = line.split(" ", 7)
        if words[0] != "SEARCH":
            raise AssertionError(line)
        self.outcome, self.code, self.count, self.pages = words[1], int(words[2]), int(words[3]), int(words[4])
        self.status, self.ms, self.text = words[5], int(words[6]), words[7]

    def __repr__(self):
        return repr(vars(self))
