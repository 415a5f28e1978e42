#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
`wsmauthz report` on real directories: the sample company as it is written down, hostile names, ten thousand users who are
answered as `check` answers them, and everything that can break off: then there is no report, and no file was touched.
"""
import csv
import json
import os
import pty
import re
import signal
import subprocess
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "support"), str(HERE.parent / "company")]
import testbed  # noqa: E402
from test_company import Company  # noqa: E402
from testbed import DELAY, Slapd, TcpProxy, entry, group, person  # noqa: E402

HEADER = ["sender", "dn", "verdict", "rule", "site", "target", "path"]


def report(policy, *options, timeout=120):
    """What the program said: its exit status, standard output and standard error."""
    done = subprocess.run([testbed.wsmauthz(), "report", "--config", policy, *options], capture_output=True,
                          timeout=timeout, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode(errors="replace")


def read_csv(path):
    """The rows of a file, its header taken off and an apostrophe in front of a field with it."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file, strict=True))
    assert rows[0] == HEADER, rows[0]
    return [[field[1:] if field.startswith("'") else field for field in row] for row in rows[1:]]


def read_json(text):
    """The users' objects, and the summary, which has to be there."""
    objects = [json.loads(line) for line in text.splitlines()]
    assert objects and objects[-1]["type"] == "summary", text[-400:]
    return objects[:-1], objects[-1]


class CompanyTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        testbed.wsmauthz()
        cls.company = Company()
        cls.addClassCleanup(cls.company.close)
        cls.policy = cls.company.policy("report", "ldaps://127.0.0.1:%d" % cls.company.tls_port,
                                        '<tls mode="ldaps" ca-file="ca.pem"/>')
        cls.folder = Path(cls.policy).parent

    def test_csv_is_as_written_down(self):
        path = self.folder / "company.csv"
        status, out, error = report(self.policy, "--csv", str(path))
        self.assertEqual(status, 1, error)
        # Which of a site's two endpoints is somebody's goes by his entryUUID, which is another one each time.
        got = re.sub(rb"winrm-apac-[12]", b"winrm-apac-N", path.read_bytes())
        self.assertEqual(got.decode(), (HERE / "company.csv").read_bytes().decode())
        self.assertRegex(out, r"^359 users looked at in [0-9.]+ s: 86 let in \(43 here, 43 redirected\), 273 denied, 0 not known")
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)

    def test_all_has_everybody_and_the_same_totals(self):
        path = self.folder / "all.csv"
        status, out, error = report(self.policy, "--csv", str(path), "--all", "--json")
        self.assertEqual(status, 1, error)
        users, summary = read_json(out)
        rows = read_csv(path)
        self.assertEqual(len(rows), summary["users"])
        self.assertEqual(len(users), summary["users"])
        for verdict in ("authorize", "redirect", "deny", "error"):
            self.assertEqual(sum(row[2] == verdict for row in rows), summary[verdict], verdict)
            self.assertEqual(sum(user["verdict"] == verdict for user in users), summary[verdict], verdict)
        for row, user in zip(rows, users):
            self.assertEqual(row[:3], [user["sender"] or "", user["dn"], user["verdict"]])
            self.assertEqual(row[6], " -> ".join(user["path"] or []))

    def test_what_looks_wrong_is_told(self):
        _, out, _ = report(self.policy, "--json")
        users, summary = read_json(out)
        self.assertEqual(summary["cycle"], 2)
        self.assertEqual(summary["administrators"], 1)
        self.assertEqual([user["sender"] for user in users if user["administrator"]], ["CORP\\judy"])
        self.assertEqual([user["sender"] for user in users if "several-sites" in user["findings"]], ["CORP\\heidi"])
        self.assertEqual(sum("unmapped-site" in user["findings"] for user in users), summary["unmapped-site"])
        self.assertGreater(summary["unmapped-site"], 1)

    def test_seen_from_another_endpoint(self):
        _, out, _ = report(self.policy, "--json", "--url", "https://winrm-emea.corp.example:5986/wsman")
        carol = [user for user in read_json(out)[0] if user["sender"] == "CORP\\carol"]
        self.assertEqual([(user["verdict"], user["target"], user["site"]) for user in carol], [("authorize", None, "EMEA")])

    def test_each_way_to_the_groups_gives_the_same(self):
        answers = []
        for strategy in ("auto", "search"):
            policy = self.company.policy("report-" + strategy, "ldaps://127.0.0.1:%d" % self.company.tls_port,
                                         '<tls mode="ldaps" ca-file="ca.pem"/>', directory='<groups strategy="%s"/>' % strategy)
            _, out, error = report(policy, "--json", "--all")
            self.assertNotEqual(out, "", error)
            users, summary = read_json(out)
            del summary["elapsed_ms"]
            answers.append((users, summary))
        self.assertEqual(answers[0], answers[1])

    def test_table_for_people(self):
        status, out, error = report(self.policy)
        self.assertEqual(status, 1, error)
        lines = out.splitlines()
        self.assertTrue(lines[0].startswith("SENDER "))
        self.assertIn("CORP\\alice                authorize  AMER          via uid=alice -> cn=WinRM Users", lines)
        self.assertIn("  warning         2  groups that are nested in themselves", lines)


# Names that would be something else to a spreadsheet, a browser or a terminal.
HOSTILE = ["=1+1", "+cmd", "-2", "@SUM", "'quoted", "<script>alert(1)</script>", "a\u202egnp.exe", 'x"y', "two\nlines",
           "\u5c71\u7530", "a,b", "&amp;", "</td><img src=x onerror=alert(1)>", "\x1b[31mred", "O'Brien"]


class HostileTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        testbed.wsmauthz()
        people = "".join(entry("cn=h%d,ou=people,%s" % (i, testbed.DEFAULT_SUFFIX), objectClass="inetOrgPerson", cn="h%d" % i,
                               sn=name, uid=name, l=name) for i, name in enumerate(HOSTILE))
        members = ["cn=h%d,ou=people,%s" % (i, testbed.DEFAULT_SUFFIX) for i in range(len(HOSTILE))]
        cls.slapd = cls.enterClass(Slapd(ldif=people + group("ops", members)))
        cls.policy = testbed.write_policy(cls.slapd.directory + "/p.xml", cls.slapd, allow=[cls.slapd.group_dn("ops")],
                                          redirect={"attribute": "l", "here": "AMER", "unmapped": "authorize"})

    @classmethod
    def enterClass(cls, manager):
        value = manager.__enter__()
        cls.addClassCleanup(manager.__exit__, None, None, None)
        return value

    def test_csv_keeps_every_name_and_no_field_is_a_formula(self):
        path = self.slapd.directory + "/hostile.csv"
        status, _, error = report(self.policy, "--csv", path, "--all")
        self.assertEqual(status, 1, error)
        rows = read_csv(path)
        self.assertEqual(len(rows), len(HOSTILE))
        for name, row in zip(HOSTILE, rows):
            # By which of his names one comes depends on what may stand in a sender's name.
            self.assertTrue(row[0].split("\\")[-1].startswith(name), (name, row))
        with open(path, newline="", encoding="utf-8") as file:
            for row in csv.reader(file, strict=True):
                for field in row:
                    self.assertNotRegex(field, r"^[=+\-@\t\r\n]")

    def test_terminal_gets_no_control_characters(self):
        _, out, _ = report(self.policy, "--all")
        self.assertFalse(re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e]", out))
        self.assertEqual(len(out.split("\n\n")[0].splitlines()), len(HOSTILE) + 1)

    def test_json_says_the_same(self):
        _, out, _ = report(self.policy, "--all", "--json")
        users, summary = read_json(out)
        self.assertEqual(summary["users"], len(HOSTILE))
        self.assertEqual([user["sender"].split("\\")[-1].startswith(name) for user, name in zip(users, HOSTILE)],
                         [True] * len(HOSTILE))


def many_people(count):
    """People of all sorts: groups, nests, sites, states of the account, names that two have."""
    lines, groups = [], {"ops": [], "devs": [], "nested": [], "leavers": [], "tier0": []}
    for i in range(count):
        uid = "u%05d" % (i if i % 1000 else i + 1)  # ten pairs share a name
        dn = "cn=p%05d,ou=people,%s" % (i, testbed.DEFAULT_SUFFIX)
        more = {"l": ["EMEA", "AMER", "APAC", "Moon"][i % 4]} if i % 5 else {}
        if i % 7 == 0:
            more["pwdEndTime"] = "20200101000000Z"
        lines.append(entry(dn, objectClass="inetOrgPerson", uid=uid, cn="p%05d" % i, sn="x", **more))
        for number, name in enumerate(groups):
            if (i * 2654435761 >> number * 3) % (3 + number * 4) == 0:
                groups[name].append(dn)
    text = "".join(lines)
    for name, members in groups.items():
        nested = [testbed.group_dn("nested")] if name == "ops" else []
        text += group(name, members + nested)
    return text


class ManyTest(unittest.TestCase):
    COUNT = 10000

    @classmethod
    def setUpClass(cls):
        testbed.wsmauthz()
        slapd = Slapd(ldif=many_people(cls.COUNT), overlays=("syncprov", "ppolicy"))
        cls.slapd = slapd.__enter__()
        cls.addClassCleanup(slapd.__exit__, None, None, None)
        cls.policy = cls.write("p.xml")

    @classmethod
    def write(cls, name, **more):
        names = ("ops", "devs", "tier0")
        return testbed.write_policy(
            cls.slapd.directory + "/" + name, cls.slapd, deny=[cls.slapd.group_dn("leavers")],
            allow=[{"group": cls.slapd.group_dn(name), "administrator": "true" if name == "tier0" else None} for name in names],
            redirect={"attribute": "l", "here": "AMER", "unmapped": "authorize", "sites": [
                {"name": site, "uri": "https://winrm-%s.corp.example:5986/wsman" % site.lower()} for site in ("EMEA", "APAC")]},
            timeout="20s", **more)

    def test_verdicts_are_those_of_check(self):
        path = self.slapd.directory + "/all.csv"
        status, out, error = report(self.policy, "--csv", path, "--all", "--json")
        self.assertIn(status, (0, 1), error)
        users, summary = read_json(out)
        self.assertEqual(summary["users"], self.COUNT)
        answers = testbed.check(testbed.wsmauthz(), self.policy, [user["sender"] for user in users], timeout=120)
        for user, answer in zip(users, answers):
            # Of two who share a name, neither is found by it; the report says whose entry it was.
            dn = answer["dn"] if answer["reason"] != "ambiguous-user" else user["dn"]
            self.assertEqual((user["verdict"], user["reason"], user["rule"], user["target"], user["path"], user["dn"]),
                             (answer["verdict"], answer["reason"], answer["rule"], answer["redirect_uri"], answer["path"], dn))
        for verdict in ("authorize", "redirect", "deny", "error"):
            self.assertEqual(summary[verdict], sum(answer["verdict"] == verdict for answer in answers))
            self.assertEqual(summary[verdict], sum(row[2] == verdict for row in read_csv(path)))
        self.assertEqual(sum("ambiguous" in user["findings"] for user in users), 20)
        self.assertGreater(summary["many-ways"] + summary["redirect"] + summary["administrators"], 100)

    def test_server_is_killed_in_the_middle(self):
        path = self.slapd.directory + "/killed.csv"
        Path(path).write_text("what was there before")
        # Slow enough for the kill to come in the middle: who does not read makes the report wait.
        process = subprocess.Popen([testbed.wsmauthz(), "report", "--config", self.policy, "--csv", path, "--json", "--all"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdout.read(100000)
        self.slapd.kill()
        self.addCleanup(self.slapd.start)
        out, error = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 3, error)
        self.assertIn(b"the report is not whole, and no file was written", error)
        self.assertNotIn(b'"summary"', out)
        self.assertEqual(Path(path).read_text(), "what was there before")
        self.assertEqual([name for name in os.listdir(self.slapd.directory) if ".new-" in name], [])

    def test_connection_breaks_in_the_middle(self):
        with TcpProxy(self.slapd.port) as proxy:
            policy = self.write("proxied.xml", uri=proxy.uri)
            process = subprocess.Popen([testbed.wsmauthz(), "report", "--config", policy, "--json", "--all"],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            process.stdout.read(100000)
            proxy.close()
            out, error = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 3, error)
        self.assertNotIn(b'"summary"', out)

    def test_interrupted(self):
        path = self.slapd.directory + "/interrupted.csv"
        process = subprocess.Popen([testbed.wsmauthz(), "report", "--config", self.policy, "--csv", path, "--json", "--all"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdout.read(100000)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 3, error)
        self.assertIn(b"interrupted", error)
        self.assertEqual([name for name in os.listdir(self.slapd.directory) if "interrupted" in name], [])

    def test_policy_is_changed_in_between(self):
        policy = self.write("changing.xml")
        process = subprocess.Popen([testbed.wsmauthz(), "report", "--config", policy, "--json", "--all", "--log-level", "info"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdout.read(100000)
        self.write("changing.xml", account={"expired": "allow"})
        while b"the new policy is in force" not in process.stderr.readline():
            self.assertIsNone(process.poll())
        out, error = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 3, error)
        self.assertIn(b"the policy was changed in between", error)
        self.assertNotIn(b'"summary"', out)

    def test_progress_is_shown_on_a_terminal(self):
        ours, theirs = pty.openpty()
        process = subprocess.Popen([testbed.wsmauthz(), "report", "--config", self.policy, "--csv", self.slapd.directory + "/bar.csv"],
                                   stdout=subprocess.DEVNULL, stderr=theirs)
        os.close(theirs)
        seen = b""
        while True:
            try:
                piece = os.read(ours, 4096)
            except OSError:  # its end is told so
                break
            seen += piece
            if not piece:
                break
        os.close(ours)
        self.assertIn(process.wait(timeout=60), (0, 1))
        self.assertRegex(seen, rb"looking at users +\[-*#{4}-*\]  [1-9][0-9]*, [0-9]+ a second")
        self.assertTrue(seen.endswith(b"\r\x1b[K"), seen[-80:])

    def test_nobody_reads_any_more(self):
        process = subprocess.Popen([testbed.wsmauthz(), "report", "--config", self.policy, "--json", "--all"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdout.read(1000)
        process.stdout.close()
        error = process.stderr.read()
        process.stderr.close()
        self.assertEqual(process.wait(timeout=60), 3)
        self.assertNotIn(b"error", error)


class TroubleTest(unittest.TestCase):
    def setUp(self):
        testbed.wsmauthz()

    def start(self, **options):
        slapd = Slapd(ldif="".join(person("u%d" % i) for i in range(30)) + group("ops", ["u1"]), **options)
        slapd.__enter__()
        self.addCleanup(slapd.__exit__, None, None, None)
        return slapd

    def write(self, slapd, **more):
        return testbed.write_policy(slapd.directory + "/p.xml", slapd, allow=[slapd.group_dn("ops")], **more)

    def test_server_gives_only_some(self):
        slapd = self.start(service_limits="size=20 size.pr=unlimited size.prtotal=20")
        path = slapd.directory + "/r.csv"
        status, out, error = report(self.write(slapd), "--csv", path)
        self.assertEqual((status, out), (3, ""), error)
        self.assertFalse(os.path.exists(path))
        self.assertIn("size.prtotal=unlimited", error)

    def test_server_is_slow(self):
        """Who waits behind too many others is not answered in time: fewer are asked about then, and all get their row."""
        slapd = Slapd(ldif="".join(person("u%d" % i) for i in range(90)) + group("ops", ["u1", "u2"]))
        slapd.__enter__()
        self.addCleanup(slapd.__exit__, None, None, None)
        with TcpProxy(slapd.port) as proxy:
            policy = self.write(slapd, uri=proxy.uri, timeout="1500ms", groups={"strategy": "search"})
            proxy.set_mode(DELAY, 200)
            status, out, error = report(policy, "--json", "--all")
        self.assertEqual(status, 0, error)
        users, summary = read_json(out)
        self.assertEqual((summary["users"], summary["authorize"], summary["deny"]), (90, 2, 88))
        self.assertGreater(summary["elapsed_ms"], 1000)

    def test_server_is_not_there(self):
        slapd = self.start()
        policy = self.write(slapd)
        slapd.stop()
        status, out, error = report(policy, "--json")
        self.assertEqual((status, out), (3, ""), error)
        self.assertIn("directory-unavailable", error)

    def test_file_cannot_be_made(self):
        slapd = self.start()
        policy = self.write(slapd)
        for path, words in (("/nowhere/r.csv", "could not make"), ("/dev/null", "no regular file"),
                            (slapd.directory, "no regular file")):
            status, _, error = report(policy, "--csv", path)
            self.assertEqual(status, 3, path)
            self.assertIn(words, error)

    def test_place_of_another_file_is_taken_with_its_permissions(self):
        slapd = self.start()
        policy = self.write(slapd)
        real, link = Path(slapd.directory, "real.csv"), Path(slapd.directory, "link.csv")
        real.write_text("old")
        real.chmod(0o640)
        link.symlink_to(real)
        self.assertEqual(report(policy, "--csv", str(link))[0], 0)
        self.assertTrue(link.is_symlink())
        self.assertEqual(real.stat().st_mode & 0o777, 0o640)
        self.assertEqual([row[0] for row in read_csv(real)], ["CORP\\u1"])

    def test_command_line(self):
        slapd = self.start()
        policy = self.write(slapd)
        for options in (["alice"], ["--url", "nonsense"], ["--max-ways", "0"], ["--max-ways", "x"],
                        ["--csv", "a", "--html", "a"], ["--diff", "a"], ["--diff", "a", "b", "--all"]):
            status, out, error = report(policy, *options)
            self.assertEqual((status, out), (2, ""), options)
            self.assertTrue(error.startswith("wsmauthz: error: "), error)
        self.assertEqual(report(slapd.directory + "/none.xml")[0], 2)

    def test_what_changed_between_two(self):
        slapd = self.start()
        policy = testbed.write_policy(slapd.directory + "/p.xml", slapd, allow=[slapd.group_dn("ops")],
                                      redirect={"attribute": "l", "sites": [{"name": "EMEA", "uri": "https://emea:5986/wsman"}]})
        slapd.add_member(slapd.group_dn("ops"), slapd.person_dn("u2"))
        before, after = slapd.directory + "/before.csv", slapd.directory + "/after.csv"
        report(policy, "--csv", before)
        slapd.remove_member(slapd.group_dn("ops"), slapd.person_dn("u1"))
        slapd.add_member(slapd.group_dn("ops"), slapd.person_dn("u3"))
        slapd.modify("dn: uid=u2,ou=people,%s\nchangetype: modify\nadd: l\nl: EMEA\n" % slapd.suffix)
        report(policy, "--csv", after, "--all")
        status, out, error = report(policy, "--diff", before, after)
        self.assertEqual((status, error), (1, ""))
        rule = "allow " + slapd.group_dn("ops")
        self.assertEqual(out.splitlines(), [
            "moved   CORP\\u2                   authorize, %s  =>  redirect, EMEA at https://emea:5986/wsman, %s" % (rule, rule),
            "gained  CORP\\u3                   authorize, %s" % rule,
            "lost    CORP\\u1                   authorize, %s" % rule,
            "2 let in before, 2 now: 1 gained, 1 lost, 1 moved"])
        status, out, _ = report(policy, "--json", "--diff", before, after)
        self.assertEqual((status, [json.loads(line)["type"] for line in out.splitlines()]), (1, ["moved", "gained", "lost", "summary"]))
        self.assertEqual(report(policy, "--diff", after, after)[0], 0)
        self.assertEqual(report(policy, "--diff", before, policy)[0], 3)

    def test_group_missing_and_account_states(self):
        slapd = self.start(overlays=("syncprov", "ppolicy"))
        slapd.modify("dn: uid=u1,ou=people,%s\nchangetype: modify\nadd: pwdEndTime\npwdEndTime: 20200101000000Z\n" % slapd.suffix)
        policy = testbed.write_policy(slapd.directory + "/q.xml", slapd, account={"expired": "allow"},
                                      allow=[slapd.group_dn("ops"), slapd.group_dn("nobody-made-it")])
        status, out, error = report(policy, "--json")
        users, summary = read_json(out)
        self.assertEqual(status, 1, error)
        self.assertEqual((summary["group-missing"], summary["account-state"]), (1, 1))
        self.assertEqual([(user["account"], user["findings"]) for user in users], [(["expired"], ["account-state"])])


if __name__ == "__main__":
    testbed.main()
