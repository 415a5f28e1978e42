# SPDX-License-Identifier: Apache-2.0
"""The program seeker as an object."""
import os
import subprocess
import threading
import time
from collections import namedtuple

PATIENCE_S = 20

Answer = namedtuple("Answer", "outcome ms uri")
Steady = namedtuple("Steady", "asked failed slowest_ms")


class Seeker:
    """Runs the seeker; `log` is what it logs. One command at a time."""

    def __init__(self, program, uri, domain, **environment):
        env = {name: value for name, value in os.environ.items() if not name.startswith(("LDAP", "LOCATE_"))}
        env.update({"LOCATE_" + name.upper(): str(value) for name, value in environment.items() if value is not None})
        self.log = []
        self._process = subprocess.Popen([program, uri, domain], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         stderr=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        self.pid = self._process.pid

    def _read_log(self):
        for line in self._process.stderr:
            self.log.append(line.rstrip("\n"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._process.wait()
        self._reader.join()
        for stream in (self._process.stdout, self._process.stderr):
            stream.close()
        # What a sanitizer found is in the log; a seeker that had to be killed hung.
        assert self._process.returncode == 0, (self._process.returncode, self.log)
        assert not self.has_logged("Sanitizer") and not self.has_logged("runtime error"), self.log

    def _say(self, line):
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _hear(self, word):
        words = self._process.stdout.readline().split()
        assert words and words[0] == word, (words, self.log)
        return words[1:]

    def ask(self, timeout_ms=3000):
        self._say("ask %d" % timeout_ms)
        outcome, milliseconds, uri = self._hear("ANSWER")
        return Answer(outcome, int(milliseconds), uri)

    def begin_steady(self, milliseconds):
        self._say("steady %d" % milliseconds)

    def end_steady(self):
        return Steady(*map(int, self._hear("STEADY")))

    def servers(self):
        """The URIs; or the word why there are none: "failed", "locating"."""
        self._say("list")
        words = self._process.stdout.readline().split()
        return words[1:] if words[0] == "SERVERS" else words[1]

    def hurry(self):
        self._say("hurry")

    def has_logged(self, *parts):
        return any(all(part in line for part in parts) for line in list(self.log))

    def close(self):
        """Ends it; how long that took, in milliseconds."""
        self._process.stdin.close()
        return int(self._hear("BYE")[0])


def eventually(test, condition, what="it did not come about", seconds=PATIENCE_S):
    end = time.monotonic() + seconds
    while not condition():
        test.assertLess(time.monotonic(), end, what() if callable(what) else what)
        time.sleep(0.02)


def assert_logged(test, seeker, *parts):
    """A line with all of them comes; who reads the log may lag behind the answers."""
    eventually(test, lambda: seeker.has_logged(*parts), lambda: (parts, seeker.log))
