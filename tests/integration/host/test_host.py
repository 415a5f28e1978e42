#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`wsmauthz host` with the plug-in itself and the sample company on a real slapd."""
import collections
import json
import os
import subprocess
import unittest
from pathlib import Path

import testbed
from testbed import Slapd, group, person
from testbed_company import Company

SCRIPTS = Path(__file__).resolve().parents[2] / "host" / "scripts"
MODES = ("synchronous", "asynchronous")


def run_script(policy, script, *options):
    """(status, events, standard error)."""
    done = subprocess.run([testbed.wsmauthz(), "host", "--json", "--plugin", testbed.plugin(), "--config", policy, "--script",
                           str(script), *options], capture_output=True, timeout=120, check=False)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr.decode()


class Host:
    """A host that is told its steps one by one."""

    def __init__(self, policy, *options):
        self._process = subprocess.Popen([testbed.wsmauthz(), "host", "--json", "--plugin", testbed.plugin(), "--config",
                                          policy, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def step(self, line):
        """The event of the step itself."""
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()
        word = line.split()[0]
        while True:
            event = json.loads(self._process.stdout.readline())
            if event["event"] == word:
                return event

    def end(self):
        self._process.stdin.close()
        self._process.stdout.read()
        self._process.stdout.close()
        return self._process.wait(timeout=30)

    def kill(self):
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            stream.close()


class HostTest(unittest.TestCase):
    def test_the_sample_company(self):
        company = Company()
        self.addCleanup(company.close)
        for mode in MODES:
            with self.subTest(mode):
                policy = company.policy(mode, "ldaps://127.0.0.1:%d" % company.tls_port, '<tls mode="ldaps" ca-file="ca.pem"/>',
                                        cache='<plugin completion="%s"/>' % mode)
                status, events, stderr = run_script(policy, SCRIPTS / "company.host")
                unmet = [event for event in events if event.get("met") is False]
                self.assertEqual((status, unmet), (0, []), stderr)
                insides = {event["inside"] for event in events if "inside" in event}
                self.assertEqual(insides, {mode == "synchronous"})
                self.check_audit(os.path.join(os.path.dirname(policy), "audit.log"), events)

    def check_audit(self, path, events):
        """The plug-in was loaded as a host loads it: it audits. What is written there is what was told."""
        told = collections.Counter()
        for event in events:
            if event["event"] in ("AuthzUserComplete", "AuthzOperationComplete"):
                told[(event["sender"].lower(), event["verdict"])] += 1
        with open(path, encoding="utf-8") as file:
            records = [record for record in map(json.loads, file) if record["kind"] != "repeats"]
        self.assertGreater(len(records), 0)
        for record in records:
            self.assertIn((record["sender"].lower(), record["verdict"]), told, record)
        denied = sum(1 for record in records if record["verdict"] == "deny")
        self.assertGreater(denied, 10)

    def test_a_directory_that_goes_and_comes_back(self):
        with Slapd(ldif=person("alice") + person("bob") + person("eve") + group("ops", ["alice", "bob"])) as slapd:
            policy = testbed.write_policy(slapd.directory + "/policy.xml", slapd, allow=[slapd.group_dn("ops")], timeout="2s")
            host = Host(policy)
            self.addCleanup(host.kill)
            self.assertEqual(host.step("connect CORP\\alice")["verdict"], "authorize")
            slapd.kill()
            testbed.wait_until(lambda: host.step("refresh CORP\\alice")["verdict"] == "error", 30, "the outage is noticed")
            # The record went with the authorization that failed.
            self.assertEqual(host.step("connect CORP\\alice")["code"], 0x80338083)
            slapd.start()
            testbed.wait_until(lambda: host.step("connect CORP\\alice")["verdict"] == "authorize", 60, "it is back")
            self.assertEqual(host.step("connect CORP\\eve")["verdict"], "deny")
            slapd.remove_member(slapd.group_dn("ops"), slapd.person_dn("alice"))
            testbed.wait_until(lambda: host.step("operate CORP\\alice")["verdict"] == "deny", 30, "the loss is noticed")
            # The record still lets in; each operation asks.
            self.assertTrue(host.step("connect CORP\\alice")["remembered"])
            self.assertEqual(host.end(), 0)

    def test_ten_thousand_authorizations_with_one_completion_each(self):
        users = ["u%d" % i for i in range(10)]
        with Slapd(ldif="".join(person(user) for user in users) + group("ops", users[:9])) as slapd:
            script = Path(slapd.directory, "many.host")
            lines = ["refresh CORP\\%s times 500\nexpect %s\noperate CORP\\%s times 500\nexpect %s\n" %
                     (user, verdict, user, verdict) for user, verdict in
                     [(user, "authorize") for user in users[:9]] + [("u9", "deny")]]
            script.write_text("together\n" + "".join(lines) + "end\n")
            for mode in MODES:
                with self.subTest(mode):
                    policy = testbed.write_policy(slapd.directory + "/policy.xml", slapd, allow=[slapd.group_dn("ops")],
                                                  extra='<plugin completion="%s"/>' % mode, timeout="20s")
                    status, events, stderr = run_script(policy, script, "--quiet", "--no-quota")
                    [total] = [event for event in events if event["event"] == "sum"]
                    self.assertEqual(status, 0, (events, stderr))
                    # The one who is denied is asked for anew with each operation.
                    self.assertEqual((total["calls"], total["completed"]), (10000, 10000))


if __name__ == "__main__":
    testbed.main()
