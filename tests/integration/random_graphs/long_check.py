# SPDX-License-Identifier: Apache-2.0
"""One `wsmauthz check --json -` that lives through many rounds: questions go in, answers come out, in order."""
import contextlib
import json
import queue
import subprocess
import threading

ANSWER_TIMEOUT_S = 60


class LongCheck:
    """A process of the program under test; `ask` may be called as often as wanted."""

    def __init__(self, program, policy, log_file):
        self._log = open(log_file, "w+b")
        self._process = subprocess.Popen([program, "check", "--config", policy, "--json", "-"], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, stderr=self._log)
        self._lines = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        try:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
            self._process.wait(timeout=ANSWER_TIMEOUT_S)
        finally:
            self._process.kill()
            self._process.wait()
            self._reader.join()
            self._process.stdout.close()
            self._log.close()

    def ask(self, senders):
        """The answers to these senders, in their order."""
        writer = threading.Thread(target=self._write, args=(senders,), daemon=True)
        writer.start()
        answers = [self._next_answer() for _ in senders]
        writer.join()
        return answers

    def log(self):
        self._log.flush()
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def _write(self, senders):
        # The reader tells when the process is gone.
        with contextlib.suppress(BrokenPipeError):
            for sender in senders:
                self._process.stdin.write(sender.encode() + b"\n")
            self._process.stdin.flush()

    def _read(self):
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def _next_answer(self):
        try:
            line = self._lines.get(timeout=ANSWER_TIMEOUT_S)
        except queue.Empty:
            line = None
        if line is None:
            raise RuntimeError("wsmauthz check gave no answer (status %s):\n%s" %
                               (self._process.poll(), self.log()[-4000:]))
        return json.loads(line.decode())
