#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`wsmauthz check` against a real directory: what it says, and what it says when certificates, network or policy are bad."""
import os
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
import testbed  # noqa: E402
from testbed import Authority, Folder, Slapd, TcpProxy, group, group_dn, person, person_dn  # noqa: E402

PROGRAM = testbed.wsmauthz()

DENIED = 5
FAILED = 0x80338083
REDIRECTED = 0x80338199

# What a decision may take on top of its deadline: the start of the program, on a busy machine.
MARGIN_S = 5


def chain(name, depth, member):
    """`depth` groups, each the only member of the next; the outermost is called `name`."""
    names = [name] + ["%s-%d" % (name, level) for level in range(1, depth)]
    inner = [group_dn(each) for each in names[1:]] + [member]
    return "".join(group(each, [below]) for each, below in zip(names, inner))


# A name that wants escaping in a filter, in LDIF, and in the mind of who reads it.
ERIN = "Erin O'Néill (x)"

PEOPLE = (person("alice") + person("bob") + person("carol", l="EMEA") + person("dave") + person(ERIN))
GROUPS = (group("users", ["alice", "carol", group_dn("deep"), group_dn("round")])
          + chain("deep", 20, "dave")
          + group("round", [group_dn("back"), ERIN]) + group("back", [group_dn("round")])
          + group("leavers", [group_dn("left")]) + group("left", ["carol", "bob"]))


class WithFolder(unittest.TestCase):

    def setUp(self):
        self.folder = Folder()
        self.addCleanup(self.folder.remove)

    def policy(self, slapd, **options):
        options.setdefault("allow", [group_dn("users")])
        return testbed.write_policy(self.folder.join("policy.xml"), slapd, **options)

    def ask_one(self, slapd, sender="CORP\\alice", **options):
        answers = testbed.check(PROGRAM, self.policy(slapd, **options), [sender])
        return answers[0], answers

    def assert_error(self, answer, answers):
        """An answer that says: not known. Whatever the fault, never an authorize, and nothing else either."""
        self.assertEqual((answer["verdict"], answer["code"]), ("error", FAILED), answer)
        self.assertEqual(answers.status, 3)


class Verdicts(WithFolder):

    @classmethod
    def setUpClass(cls):
        cls.slapd = Slapd(ldif=PEOPLE + GROUPS)
        cls.addClassCleanup(cls.slapd.close)
        cls.slapd.start()

    def assert_answers(self, rows, **options):
        answers = testbed.check(PROGRAM, self.policy(self.slapd, **options), [row[0] for row in rows])
        for (sender, *expected), answer in zip(rows, answers):
            with self.subTest(sender=sender):
                self.assertEqual([answer["verdict"], answer["reason"], answer["code"]], expected, answer)
        return answers

    def test_members__are_authorized_and_others_are_denied(self):
        answers = self.assert_answers((
            ("CORP\\alice", "authorize", "member", 0),
            ("alice", "authorize", "member", 0),
            ("alice@corp.example.test", "authorize", "member", 0),
            ("corp\\ALICE", "authorize", "member", 0),
            ("CORP\\dave", "authorize", "member", 0),
            ("CORP\\" + ERIN, "authorize", "member", 0),
            (ERIN, "authorize", "member", 0),
            ("CORP\\bob", "deny", "not-a-member", DENIED),
            ("CORP\\nobody", "deny", "no-such-user", DENIED),
            ("OTHER\\alice", "deny", "foreign-domain", DENIED),
            ("", "deny", "bad-sender-name", DENIED),
            (b"CORP\\al\xffice", "deny", "bad-sender-name", DENIED),
            ("CORP\\*", "deny", "bad-sender-name", DENIED),
            ("al*", "deny", "no-such-user", DENIED),
            ("alice)(uid=*", "deny", "no-such-user", DENIED),
        ))
        self.assertEqual(answers.status, 1)
        self.assertEqual(answers[0]["dn"], person_dn("alice"))
        self.assertEqual(answers[0]["path"], [person_dn("alice"), group_dn("users")])
        self.assertEqual(len(answers[4]["path"]), 22)
        self.assertEqual(answers[4]["path"][-2:], [group_dn("deep"), group_dn("users")])

    def test_deny_rule__wins_over_allow(self):
        self.assert_answers((("CORP\\carol", "deny", "denied-group", DENIED), ("CORP\\alice", "authorize", "member", 0)),
                            deny=[group_dn("leavers")])

    def test_deny_rule_for_a_group_that_does_not_exist__is_an_error_for_all(self):
        for sender in ("CORP\\alice", "CORP\\bob"):
            self.assert_error(*self.ask_one(self.slapd, sender, deny=[group_dn("no-such-group")]))

    def test_allow_rule_for_a_group_that_does_not_exist__matches_nobody(self):
        self.assert_answers((("CORP\\alice", "deny", "not-a-member", DENIED),), allow=[group_dn("no-such-group")])

    def test_redirect__sends_those_of_another_site(self):
        site = "https://winrm-emea.corp.example.test:5986/wsman"
        redirect = {"attribute": "l", "here": "AMER", "sites": [{"name": "EMEA", "uri": site}]}
        answers = self.assert_answers((("CORP\\carol", "redirect", "site-elsewhere", REDIRECTED),
                                       ("CORP\\alice", "authorize", "member", 0),
                                       ("CORP\\bob", "deny", "not-a-member", DENIED)), redirect=redirect)
        self.assertEqual([answer["redirect_uri"] for answer in answers], [site, None, None])

    def test_administrator__is_said_by_any_matching_rule(self):
        answers = self.assert_answers(
            (("CORP\\alice", "authorize", "member", 0), ("CORP\\dave", "authorize", "member", 0)),
            allow=[group_dn("users"), {"group": group_dn("deep"), "administrator": "true"}])
        self.assertEqual([answer["administrator"] for answer in answers], [False, True])

    def test_size_limit_of_the_server__never_becomes_a_no(self):
        ldif = "".join(person("p%d" % number) for number in range(40)) + \
            "".join(group("g%d" % number, ["p%d" % number]) for number in range(40)) + \
            group("users", [group_dn("g%d" % number) for number in range(40)])
        with Slapd(ldif=ldif, service_limits="size=3") as slapd:
            answers = testbed.check(PROGRAM, self.policy(slapd), ["CORP\\p%d" % number for number in range(40)])
            self.assertEqual({answer["verdict"] for answer in answers} - {"authorize", "error"}, set(), answers)


class Descriptors(WithFolder):
    """Closed ones must not become the connection to the directory, into which answers and log lines would be written."""

    def test_closed_standard_output_and_error__do_not_become_the_connection(self):
        with Slapd(ldif=PEOPLE + GROUPS) as slapd:
            for tls in ("ldaps", "none"):
                path = self.policy(slapd, tls=tls)
                for closed, status in ((">&-", 3), ("2>&-", 0), ("<&- 2>&-", 0), ("<&- >&- 2>&-", 3)):
                    with self.subTest(closed=closed, tls=tls):
                        command = 'exec "$@" ' + closed
                        done = subprocess.run(["sh", "-c", command, "sh", PROGRAM, "check", "--log-level", "debug",
                                               "--config", path, "alice", "alice", "alice"],
                                              stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
                        self.assertEqual(done.returncode, status, done)
                        self.assertEqual(done.stdout.count(b"authorize  member"), 3 if status == 0 else 0)
                        if closed == ">&-":
                            self.assertIn(b"could not write to standard output", done.stderr)


class Connections(WithFolder):

    def test_bad_certificate__is_an_error(self):
        with Folder() as folder:
            authority = Authority(folder.join("ca"))
            good = authority.issue("server")
            rows = {"expired": authority.issue("expired", expired=True),
                    "wrong name": authority.issue("elsewhere", names=("DNS:elsewhere.example.test", "IP:127.0.0.2")),
                    "unknown authority": Authority(folder.join("stranger"), "stranger").issue("server")}
            with Slapd(ldif=PEOPLE + GROUPS, authority=authority, certificate=good) as slapd:
                for name, certificate in rows.items():
                    slapd.reconfigure(certificate=certificate)
                    for tls in ("ldaps", "starttls"):
                        with self.subTest(certificate=name, tls=tls):
                            self.assert_error(*self.ask_one(slapd, tls=tls, timeout="3s"))

    def test_second_server__answers_when_the_first_does_not(self):
        with Slapd(ldif=PEOPLE + GROUPS) as slapd, TcpProxy(slapd.port) as first:
            for mode in (testbed.REFUSE, testbed.RESET, testbed.CLOSE, testbed.HANG):
                with self.subTest(mode):
                    first.set_mode(mode)
                    answer, _ = self.ask_one(slapd, uri=first.uri + " " + slapd.uri, timeout="10s")
                    self.assertEqual(answer["verdict"], "authorize", answer)


class Faults(WithFolder):

    def test_faulty_network__is_an_error_in_time(self):
        with Slapd(ldif=PEOPLE + GROUPS) as slapd, TcpProxy(slapd.port) as plain, TcpProxy(slapd.tls_port) as secure:
            modes = [(testbed.HANG, 0), (testbed.RESET, 0), (testbed.CLOSE, 0), (testbed.REFUSE, 0), (testbed.CUT, 20),
                     (testbed.GARBAGE, 0), (testbed.DELAY, 3000)]
            for mode, value in modes:
                for proxy, tls in ((plain, "none"), (plain, "starttls"), (secure, "ldaps")):
                    proxy.set_mode(mode, value)
                    with self.subTest(mode=mode, tls=tls):
                        uri = proxy.ldaps_uri if tls == "ldaps" else proxy.uri
                        answer, answers = self.ask_one(slapd, uri=uri, tls=tls, timeout="1s")
                        self.assert_error(answer, answers)
                        self.assertLess(answers.elapsed_s, 1 + MARGIN_S)


class Policies(WithFolder):

    def test_unusable_policy__is_status_2_and_no_answer(self):
        def secret_for_all(path):
            os.chmod(path + ".secret", 0o644)

        def policy_for_writers(path):
            os.chmod(path, 0o666)

        def no_secret(path):
            os.unlink(path + ".secret")

        def unknown_element(path):
            text = Path(path).read_text(encoding="utf-8")
            testbed.write_file(path, text.replace("</wsmauthz>", "<alow/></wsmauthz>"), 0o600)

        with Slapd(ldif=PEOPLE + GROUPS) as slapd:
            for spoil in (secret_for_all, policy_for_writers, no_secret, unknown_element, os.unlink):
                with self.subTest(spoil.__name__):
                    path = self.policy(slapd)
                    spoil(path)
                    done = testbed.run(PROGRAM, "check", "--config", path, "--json", "CORP\\alice", check=False)
                    self.assertEqual((done.returncode, done.stdout), (2, ""), done)
                    self.assertIn("policy.xml", done.stderr)


if __name__ == "__main__":
    testbed.main()
