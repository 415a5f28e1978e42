# SPDX-License-Identifier: Apache-2.0
"""The program beside a scripted Active Directory: what the tests of this folder share."""
import json
import subprocess
import time
import unittest

import testbed
from testbed_scripted_ad import Forest

# What a decision may take on a machine that does other things as well.
PATIENCE = "20s"


class Policy:
    """What write_policy wants to know of a server."""

    ca_file = None

    def __init__(self, forest, controllers):
        self.uri = " ".join(controller.uri for controller in controllers)
        self.suffix = controllers[0].domain.suffix
        self.service_dn = forest.service_dn
        self.service_password = forest.service_password


class Program:
    """`wsmauthz check -`, asked one by one while it goes on."""

    def __init__(self, policy):
        self._process = subprocess.Popen([testbed.wsmauthz(), "check", "--config", policy, "--json", "-"], text=True,
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def begin(self, sender):
        """Ask without waiting; end() has the answer."""
        self._process.stdin.write(sender + "\n")
        self._process.stdin.flush()

    def end(self):
        return json.loads(self._process.stdout.readline())

    def ask(self, sender):
        self.begin(sender)
        return self.end()

    def until(self, sender, verdict, within_s, reason=None):
        """Ask until that is the answer, to a question that was asked within that time."""
        begin = time.monotonic()
        while True:
            asked = time.monotonic()
            answer = self.ask(sender)
            if asked - begin > within_s:
                raise AssertionError("%s: no %s (%s) within %.1f s: %r" % (sender, verdict, reason, within_s, answer))
            if answer["verdict"] == verdict and reason in (None, answer["reason"]):
                return answer
            time.sleep(0.01)

    def close(self):
        """Twice is allowed. It has to end as `check` does: no sanitizer had anything to say."""
        if self._process.stdin.closed:
            return
        try:
            said = self._process.communicate(timeout=60)[1]
        finally:
            self._process.kill()
        if self._process.returncode not in (0, 1, 3):
            raise AssertionError("it ended with status %d: %s" % (self._process.returncode, said))


class Case(unittest.TestCase):
    """A forest of the test's own: `corp`, its first domain, and `dc`, that one's controller."""

    def setUp(self):
        self.forest = Forest()
        self.corp = self.forest.root
        self.dc = self.corp.dc
        self.folder = testbed.Folder()
        self.addCleanup(self.folder.remove)

    def start(self):
        self.forest.start()
        self.addCleanup(self.forest.close)

    def policy(self, *, controllers=None, **more):
        if not self.forest.is_started:
            self.start()
        settings = {"domain": None, "identity": "name", "timeout": PATIENCE, **more}
        settings = {name: [getattr(rule, "dn", rule) for rule in value] if name in ("allow", "deny") else value
                    for name, value in settings.items()}
        return testbed.write_policy(self.folder.join("policy.xml"), Policy(self.forest, controllers or [self.dc]),
                                    **settings)

    def program(self, **settings):
        program = Program(self.policy(**settings))
        self.addCleanup(program.close)
        return program

    def decide(self, *senders, **settings):
        """A program of its own, for these senders; the answers as (verdict, reason)."""
        answers = testbed.check(testbed.wsmauthz(), self.policy(**settings), senders)
        return [(answer["verdict"], answer["reason"]) for answer in answers]

    def assertDecided(self, answer, verdict, reason):
        self.assertEqual((answer["verdict"], answer["reason"]), (verdict, reason), answer)


MEMBER, DENIED, STRANGER = ("authorize", "member"), ("deny", "denied-group"), ("deny", "not-a-member")
