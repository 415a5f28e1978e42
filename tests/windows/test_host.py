#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
wsmauthz.dll in its host, under Wine: wsmauthz.exe, which loads it as WinRM in IIS does, with tokens and a wsmsvc.dll of its
own. The same scripts (tests/host/scripts) drive wsmauthz.so natively before the same slapd, and each outcome and each audited
decision is the same.

test_host.py --long: only what takes long.
"""
import os
import sys
import time
import unittest
from pathlib import Path

import testbed
from testbed import Slapd, group, person
from testbed_company import Company
from testbed_host import NativeHost, WineHost, authorized, outcomes, refusals, total
from testbed_wine import Wine

SCRIPTS = sorted(Path(__file__).resolve().parents[1].glob("host/scripts/*.host"))
MODES = ("synchronous", "asynchronous")
USERS = ["u%d" % i for i in range(10)]


def native():
    """What the ordinary build has made; the tests of the files for Windows run behind it."""
    program, plugin = (os.environ.get("WSMAUTHZ_NATIVE_" + name, "") for name in ("CLI", "PLUGIN"))
    if not os.path.exists(program) or not os.path.exists(plugin):
        testbed.skip("there is no native build to compare with: %s, %s" % (program, plugin))
    return NativeHost(program, plugin)


def many(calls):
    """A script that makes so many calls, ten users at once; the last is denied. Each user is authorized, and operates."""
    times = calls // len(USERS) // 2
    lines = ["together"]
    for user in USERS:
        verdict = "deny" if user == USERS[-1] else "authorize"
        for step in ("refresh", "operate"):
            lines += ["%s CORP\\%s times %d" % (step, user, times), "expect " + verdict]
    return "\n".join(lines + ["end", ""])


class WineCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.wine = Wine()
        cls.addClassCleanup(cls.wine.close)
        cls.windows = WineHost(cls.wine, os.environ["WSMAUTHZ_CLI"], os.environ["WSMAUTHZ_PLUGIN"])

    def slapd(self):
        slapd = Slapd(ldif="".join(person(user) for user in USERS) + group("ops", USERS[:-1]))
        slapd.__enter__()
        self.addCleanup(slapd.__exit__, None, None, None)
        return slapd

    def policy(self, slapd, mode="synchronous", **options):
        return testbed.write_policy(slapd.directory + "/policy.xml", slapd, allow=[slapd.group_dn("ops")],
                                    extra='<plugin completion="%s"/>' % mode, **options)

    def check_many(self, calls, mode):
        slapd = self.slapd()
        script = Path(slapd.directory, "many.host")
        script.write_text(many(calls))
        begin = time.monotonic()
        run = self.windows.run(self.policy(slapd, mode, timeout="30s"), script, "--quiet", "--no-quota")
        print("%d calls, %s: %.1f s" % (calls, mode, time.monotonic() - begin))
        self.assertEqual(run.status, 0, run)
        # Who is denied is asked about anew by each operation, which then is not made.
        self.assertEqual((total(run)["calls"], total(run)["completed"]), (calls, calls))


class WindowsTest(WineCase):
    def test_each_script_has_the_same_outcome_on_both_systems(self):
        host = native()
        company = Company(takes_clear=True)
        self.addCleanup(company.close)
        self.assertTrue(SCRIPTS)
        for script in SCRIPTS:
            for mode in MODES:
                with self.subTest("%s, %s" % (script.name, mode)):
                    runs, refused, let_in = [], [], []
                    for system in (host, self.windows):
                        policy = company.policy("%s-%s-%s" % (script.name, mode, type(system).__name__), "ldap://127.0.0.1:%d" % company.port,
                                                '<tls mode="none"/>', cache='<plugin completion="%s"/>' % mode)
                        runs.append(system.run(policy, script))
                        refused.append(refusals(policy))
                        let_in.append(authorized(policy))
                        self.assertEqual((runs[-1].status, total(runs[-1])["unmet"]), (0, 0), runs[-1].stderr)
                        insides = {event["inside"] for event in runs[-1].events if "inside" in event}
                        self.assertEqual(insides, {mode == "synchronous"})
                    self.assertEqual(outcomes(runs[0]), outcomes(runs[1]))
                    self.assertEqual(refused[0], refused[1])
                    both = let_in[0].keys() & let_in[1].keys()
                    self.assertEqual({sender: let_in[0][sender] for sender in both}, {sender: let_in[1][sender] for sender in both})
                    self.assertGreater(len(outcomes(runs[0])), 20)
                    self.assertGreater(len(refused[0]), 10)
                    self.assertGreater(len(both), 2)

    def test_users_at_once_are_on_threads_of_their_own(self):
        slapd = self.slapd()
        script = Path(slapd.directory, "many.host")
        script.write_text(many(200))
        run = self.windows.run(self.policy(slapd), script)
        self.assertEqual(run.status, 0, run.stderr)
        self.assertEqual(len({event["thread"] for event in run.events if event["event"] == "AuthzUser"}), len(USERS))

    def test_a_hundred_thousand_authorizations_with_one_completion_each(self):
        self.check_many(100000, "synchronous")

    def test_ten_thousand_that_are_completed_later_with_one_completion_each(self):
        self.check_many(10000, "asynchronous")

    def test_records_time_out_and_contexts_are_released(self):
        slapd = self.slapd()
        script = Path(slapd.directory, "records.host")
        script.write_text("connect CORP\\u0\nwait 10ms\nconnect CORP\\u0\nexpect authorize remembered\nwait 1500ms\nconnect CORP\\u0\n"
                          "expect authorize\noperate CORP\\u0 times 3\nexpect authorize\n")
        run = self.windows.run(self.policy(slapd), script, "--idle-timeout", "1200ms")
        self.assertEqual(run.status, 0, run)
        self.assertEqual(len([event for event in run.events if event["event"] == "AuthzUser"]), 2)
        given = [event for event in run.events if event["event"] in ("AuthzUserComplete", "AuthzOperationComplete") and event["code"] == 0]
        self.assertEqual(len([event for event in run.events if event["event"] == "AuthzReleaseContext"]), len(given))

    def test_a_directory_that_goes_and_comes_back(self):
        slapd = self.slapd()
        with self.windows.start(self.policy(slapd, timeout="2s")) as host:
            self.assertEqual(host.step("connect CORP\\u0")["verdict"], "authorize")
            slapd.kill()
            testbed.wait_until(lambda: host.step("refresh CORP\\u0")["verdict"] == "error", 60, "the outage is noticed")
            self.assertEqual(host.step("connect CORP\\u0")["code"], 0x80338083)
            slapd.start()
            testbed.wait_until(lambda: host.step("connect CORP\\u0")["verdict"] == "authorize", 90, "it is back")
            self.assertEqual(host.step("connect CORP\\u9")["verdict"], "deny")
            slapd.remove_member(slapd.group_dn("ops"), slapd.person_dn("u0"))
            testbed.wait_until(lambda: host.step("operate CORP\\u0")["verdict"] == "deny", 60, "the loss is noticed")
            self.assertEqual(host.end(), 0)

    def test_a_policy_that_is_refused_is_told_with_its_reason(self):
        slapd = self.slapd()
        script = Path(slapd.directory, "one.host")
        script.write_text("connect CORP\\u0\n")
        policy = self.policy(slapd)
        testbed.write_file(policy, "<wsmauthz xmlns='urn:wsmauthz:policy:1'><alow/></wsmauthz>", 0o600)
        run = self.windows.run(policy, script)
        self.assertEqual(run.status, 2, run)
        self.assertIn("alow", run.stderr)

    def test_a_plug_in_that_breaks_the_rules_is_noticed(self):
        host = WineHost(self.wine, os.environ["WSMAUTHZ_CLI"], os.environ["WSMAUTHZ_MISBEHAVING_PLUGIN"])
        script = Path(self.wine.folder, "bad.host")
        for name, counter in (("never", "missing"), ("twice", "twice"), ("strange", "strange"), ("wrong-function", "malformed"),
                              ("other-token", "malformed"), ("redirect-nowhere", "malformed"), ("generous-denial", "malformed")):
            with self.subTest(name):
                script.write_text("connect %s\n" % name)
                run = host.run("/nowhere", script, "--patience", "500ms", "--no-quota")
                self.assertEqual((run.status, total(run)[counter]), (1, 1), run.stderr)

    def test_files_that_are_no_plug_in(self):
        script = Path(self.wine.folder, "empty.host")
        script.write_text("")
        text = Path(self.wine.folder, "text.dll")
        text.write_text("no library")
        for plugin in ("/nonexistent/wsmauthz.dll", str(text)):
            run = WineHost(self.wine, os.environ["WSMAUTHZ_CLI"], plugin).run("/nowhere", script)
            self.assertEqual((run.status, run.events), (2, []), run)
            self.assertIn("could not load the plug-in", run.stderr)

    def test_what_is_not_built_in_says_so(self):
        done = self.wine.run(os.environ["WSMAUTHZ_CLI"], "host", "--plugin", self.wine.path(os.environ["WSMAUTHZ_PLUGIN"]), "--listen",
                             "127.0.0.1:0")
        self.assertEqual(done.returncode, 2, done)
        self.assertIn("built without libmicrohttpd", done.stderr)


class LongTest(WineCase):
    def test_a_hundred_thousand_that_are_completed_later_with_one_completion_each(self):
        self.check_many(100000, "asynchronous")


if __name__ == "__main__":
    if sys.argv[1:] == ["--long"]:
        del WindowsTest, sys.argv[1]
    else:
        del LongTest
    testbed.main()
