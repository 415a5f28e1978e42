# SPDX-License-Identifier: Apache-2.0
"""The asker as an object: what it was answered, and when."""
import subprocess
import threading
import time

SECOND = 1.0


class Asker:
    """
    Runs the asker on a policy: `threads` threads ask about `users` until the end.

    Each answer that differs from the last one about the same user is kept as (asked at, verdict, reason), by the
    clock of time.monotonic().
    """

    def __init__(self, program, policy, users, threads=4):
        self._changed = threading.Condition()
        self._answers = {user: [] for user in users}  # guarded by _changed
        self._lasts = {}  # likewise
        self.summary = None
        self.log = []
        self._process = subprocess.Popen([program, policy, str(threads), *users], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self._readers = [threading.Thread(target=read, daemon=True) for read in (self._read, self._read_log)]
        for reader in self._readers:
            reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self):
        """End it; its last line is in `summary`, as a dict."""
        if self._process.stdin.closed:
            return
        self._process.stdin.close()
        try:
            self._process.wait(timeout=60)
        finally:
            self._process.kill()
            for reader in self._readers:
                reader.join()
            self._process.stdout.close()
            self._process.stderr.close()

    @property
    def status(self):
        return self._process.returncode

    def answers(self, user):
        with self._changed:
            return list(self._answers[user])

    def wait_for(self, user, verdict, timeout=10.0, reason=None):
        """Wait until the last answer about `user` is that; returns when the first question with this answer was asked."""
        def is_there():
            answers = self._answers[user]
            return bool(answers) and answers[-1][1] == verdict and reason in (None, answers[-1][2])

        with self._changed:
            if not self._changed.wait_for(is_there, timeout):
                raise AssertionError("%s: no %s within %.1f s; answers: %r\nlog:\n%s" % (
                    user, verdict, timeout, self._answers[user][-8:], "".join(self.log[-40:])))
            return self._answers[user][-1][0]

    def last(self, user, verdict, since):
        """When the last change to this verdict after `since` was, or None."""
        times = [at for at, is_now, _ in self.answers(user) if is_now == verdict and at > since]
        return times[-1] if times else None

    def last_authorize(self, user):
        """When the last question was asked that was answered so; 0.0 for none."""
        with self._changed:
            self._lasts.pop(user, None)
            self._process.stdin.write("?")
            self._process.stdin.flush()
            if not self._changed.wait_for(lambda: user in self._lasts, 10):
                raise AssertionError("the asker says nothing any more\n" + "".join(self.log[-40:]))
            return self._lasts[user]

    def not_authorized_since(self, user, since):
        """No question that was asked after `since` was answered "authorize"."""
        last = self.last_authorize(user)
        if last > since:
            raise AssertionError("%s: authorized, asked %.3f s after it was over; answers: %r\n%s" % (
                user, last - since, self.answers(user)[-8:], "".join(self.log[-40:])))

    def _read(self):
        for line in self._process.stdout:
            words = line.split()
            if words[0] == "asked":
                self.summary = {words[i]: int(words[i + 1]) for i in (0, 2, 4)}
            elif words[0] != "ready" and words[2] == "last":
                with self._changed:
                    self._lasts[words[1]] = int(words[0]) / 1e6
                    self._changed.notify_all()
            elif words[0] != "ready":
                with self._changed:
                    self._answers[words[1]].append((int(words[0]) / 1e6, words[2], words[3]))
                    self._changed.notify_all()

    def _read_log(self):
        for line in self._process.stderr:
            self.log.append(line)


def now():
    return time.monotonic()
