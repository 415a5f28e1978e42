# SPDX-License-Identifier: Apache-2.0
"""`wsmauthz doctor` as the tests of it run it."""
import json
import re
import subprocess

import testbed

PROGRAM = testbed.wsmauthz()
FIELDS = {"id", "group", "level", "subject", "text", "remedy"}


class Findings(list):
    """The lines of `doctor --json`, and the exit `status`."""

    def of(self, check):
        return [line for line in self if line["id"] == check]

    def levels(self, check):
        return [line["level"] for line in self.of(check)]

    def worse_than_ok(self):
        return {line["id"] for line in self if line["level"] != "ok"}


def doctor(policy, *options, env=None):
    """Run it; what it prints must be what its help says, and its exit status must be the worst line's."""
    done = subprocess.run([PROGRAM, "doctor", "--config", policy, "--json", *options], env=env, timeout=120,
                          capture_output=True, check=False)
    report = "status %d\n%s%s" % (done.returncode, done.stdout.decode(), done.stderr.decode())
    findings = Findings(json.loads(line) for line in done.stdout.decode().splitlines())
    findings.status = done.returncode
    for line in findings:
        assert set(line) == FIELDS, report
        assert line["level"] in ("ok", "warning", "error", "not-tried"), report
        assert (line["remedy"] is not None) or line["level"] in ("ok", "not-tried"), report
    levels = {line["level"] for line in findings}
    expected = 3 if "error" in levels else 1 if "warning" in levels else 0
    assert done.returncode == expected and not done.stderr, report
    return findings


class Doctoring:
    """For a TestCase."""

    def assert_line(self, findings, check, level, text, remedy=None, subject=None):
        """One of the lines of that check has this level, and texts that these patterns are found in."""
        for line in findings.of(check):
            if line["level"] == level and re.search(text, line["text"]) and \
                    re.search(remedy or "", line["remedy"] or "") and re.search(subject or "", line["subject"] or ""):
                return
        self.fail("no %s of '%s' with %r, %r, %r:\n%s" % (
            level, check, text, remedy, subject,
            "\n".join(map(str, findings.of(check) or ["(no line of it)"] + list(findings)))))
