#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`wsmauthz host` with the plug-in itself and the sample company on a real slapd."""
import unittest
from pathlib import Path

import testbed
from testbed import Slapd, group, person
from testbed_company import Company
from testbed_host import NativeHost, authorized, refusals, total

SCRIPTS = Path(__file__).resolve().parents[2] / "host" / "scripts"
MODES = ("synchronous", "asynchronous")


class HostTest(unittest.TestCase):
    def setUp(self):
        self.host = NativeHost(testbed.wsmauthz(), testbed.plugin())

    def enter(self, context):
        self.addCleanup(context.__exit__, None, None, None)
        return context.__enter__()

    def test_the_sample_company(self):
        company = Company()
        self.addCleanup(company.close)
        for script in sorted(SCRIPTS.glob("*.host")):
            for mode in MODES:
                with self.subTest("%s, %s" % (script.name, mode)):
                    policy = company.policy(script.name + mode, "ldaps://127.0.0.1:%d" % company.tls_port,
                                            '<tls mode="ldaps" ca-file="ca.pem"/>', cache='<plugin completion="%s"/>' % mode)
                    run = self.host.run(policy, script)
                    unmet = [event for event in run.events if event.get("met") is False]
                    self.assertEqual((run.status, unmet), (0, []), run.stderr)
                    insides = {event["inside"] for event in run.events if "inside" in event}
                    self.assertEqual(insides, {mode == "synchronous"})
                    self.check_audit(policy, run.events)

    def check_audit(self, policy, events):
        """The plug-in was loaded as a host loads it: it audits. What is written there is what was told."""
        told = {(event["sender"], event["verdict"]) for event in events if event["event"].endswith("Complete")}
        refused = refusals(policy)
        self.assertGreater(len(refused), 10)
        for sender, _, _, verdict, *_ in refused:
            self.assertIn((sender, verdict), told)
        let_in = authorized(policy)
        self.assertGreater(len(let_in), 3)
        self.assertEqual({sender for sender in let_in if (sender, "authorize") not in told}, set())

    def test_a_directory_that_goes_and_comes_back(self):
        with Slapd(ldif=person("alice") + person("bob") + person("eve") + group("ops", ["alice", "bob"])) as slapd:
            policy = testbed.write_policy(slapd.directory + "/policy.xml", slapd, allow=[slapd.group_dn("ops")], timeout="2s")
            host = self.enter(self.host.start(policy))
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
                    run = self.host.run(policy, script, "--quiet", "--no-quota")
                    self.assertEqual(run.status, 0, run)
                    # The one who is denied is asked for anew with each operation.
                    self.assertEqual((total(run)["calls"], total(run)["completed"]), (10000, 10000))


if __name__ == "__main__":
    testbed.main()
