# SPDX-License-Identifier: Apache-2.0
"""The program on a policy, asked now and then, so that its connections are seen to live."""
import json
import subprocess
from pathlib import Path


class Asking:
    """The program on a policy, asked now and then."""

    def __init__(self, program, policy, env):
        self._log = open(policy + ".log", "wb")
        self._process = subprocess.Popen([program, "check", "--config", policy, "--json", "-"], env=env,
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True,
                                         bufsize=1)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def ask(self, sender):
        self._process.stdin.write(sender + "\n")
        return json.loads(self._process.stdout.readline())

    def close(self, timeout=60):
        if not self._process.stdin.closed:
            self._process.stdin.close()
        try:
            self._process.wait(timeout)
        finally:
            self._process.kill()
            self._process.stdout.close()
            self._log.close()

    def errors(self):
        return Path(self._log.name).read_text(encoding="utf-8", errors="replace")
