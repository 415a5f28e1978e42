#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
What a cold decision costs on Active Directory, for each way to write the sender: one search, by the program's own count and by
the server's log, whatever the depth of the groups. What the server would put into the token (tokenGroups) may be read beside
it, once, for the comparison that no decision waits for.
"""
import datetime
import json
import re
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
import testbed  # noqa: E402
from testbed import Samba  # noqa: E402

DEPTH = 12
OTHER_SUFFIX = "research.example.test"
# What Samba says of each search at this level.
LOG_LEVEL = "10"
SEARCH = re.compile(r"^ldapsrv_SearchRequest: .* filter: \[(.*)\] basedn: \[(.*)\] scope: \[(.*)\] result: (.*)$", re.M)
# What only the question about a person says, however it names him; and the reading of his token.
ABOUT_A_PERSON = re.compile(r"sAMAccountName=|userPrincipalName=|objectSid=|objectCategory=person")
TOKEN = "<SID=%s>"


def fill(domain):
    domain.replace("CN=Partitions,CN=Configuration," + domain.suffix, "uPNSuffixes", OTHER_SUFFIX)
    below = domain.user("alice", upn="alice@" + OTHER_SUFFIX)
    for number in range(DEPTH):
        below = domain.group("level-%02d" % number, [below], scope="local" if number == DEPTH - 1 else "global")
    bob = domain.user("bob")
    domain.set_primary_group(bob, domain.group_dn("level-00"))
    domain.user("carol", upn=None)
    return {name: domain.sid(domain.person_dn(name)) for name in ("alice", "bob", "carol")}


class Senders(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        Samba.need()
        cls.program = testbed.wsmauthz()
        cls.samba = Samba(fill, strong_auth="yes")
        cls.addClassCleanup(cls.samba.close)
        cls.samba.log_level = LOG_LEVEL
        cls.samba.configure()
        cls.samba.start()
        cls.policy = testbed.write_policy(
            cls.samba.directory + "/policy.xml", cls.samba, bind="GSSAPI", tls="none", domain=None, timeout="10s",
            allow=[cls.samba.group_dn("level-%02d" % (DEPTH - 1))])

    def ask(self, sender):
        """A process of its own, so that nothing is known but the groups. Returns its answer, the searches seen, its messages."""
        before = len(self.samba.log())
        answers = testbed.check(self.program, self.policy, [sender], env=self.samba.client_environment())
        return answers[0], SEARCH.findall(self.samba.log()[before:]), answers.stderr

    def senders(self):
        """[(how it is written, sender, name)]; carol is in no group, and has no user principal name but AD's own."""
        for name in ("alice", "bob", "carol"):
            yield "CORP\\name", "CORP\\" + name, name
            yield "DNS name\\name", "corp.example.test\\" + name.upper(), name
            yield "plain name", name, name
            yield "SID", self.samba.filled[name], name
            yield "user principal name", "%s@%s" % (name, OTHER_SUFFIX if name == "alice" else self.samba.dns_domain), name
        yield "the name that AD makes for everybody", "alice@" + self.samba.dns_domain, "alice"

    def test_cold_decision__however_the_sender_is_written__is_one_search(self):
        for how, sender, name in self.senders():
            with self.subTest(how=how, sender=sender):
                answer, searches, stderr = self.ask(sender)
                self.assertEqual((answer["verdict"], answer["reason"]),
                                 ("deny", "not-a-member") if name == "carol" else ("authorize", "member"), (answer, stderr))
                self.assertEqual(answer["dn"], self.samba.person_dn(name))
                self.assertEqual((answer["searches"], answer["cached"]), (1, False), answer)
                self.assertEqual(len(self.about_people(searches)), 1, searches)
                self.assertIn(self.of_tokens(searches), ([], [TOKEN % self.samba.filled[name]]))

    def test_path__of_every_depth__was_no_more_searches(self):
        answer, _, _ = self.ask("CORP\\alice")
        self.assertEqual(answer["path"], [self.samba.person_dn("alice")] +
                         [self.samba.group_dn("level-%02d" % number) for number in range(DEPTH)])

    def explain(self, sender):
        done = subprocess.run([self.program, "explain", "--config", self.policy, "--json", sender], timeout=60,
                              capture_output=True, env=self.samba.client_environment(), check=False)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return json.loads(done.stdout)

    def test_explain__shows_the_primary_group_and_sids(self):
        """bob is in level-00 by his primaryGroupID alone, which neither memberOf nor member shows."""
        levels = [self.samba.group_dn("level-%02d" % number) for number in range(DEPTH)]
        bob = self.explain("CORP\\bob")
        self.assertEqual((bob["verdict"], bob["active_directory"], bob["strategy"]), ("authorize", True, "memberof-sid"), bob)
        self.assertEqual(bob["rules"][0]["paths"], [levels])
        self.assertEqual((bob["path"][1:], bob["entry_id"]), (levels, self.samba.filled["bob"]))
        primary = [group for group in bob["groups"] if group["primary"]]
        self.assertEqual([group["dn"] for group in primary], levels[:1])
        self.assertTrue(all(group["id"].startswith(self.samba.domain_sid) for group in bob["groups"]))
        evidence = dict(line.split(": ", 1) for line in bob["account"]["evidence"])
        self.assertEqual(evidence["userAccountControl"], "512")
        self.assertRegex(evidence["accountExpires"], r"^[0-9]+ \(never\)$")
        number, date = evidence["pwdLastSet"].split(" ", 1)
        moment = datetime.datetime.fromtimestamp(int(number) // 10**7 - 11644473600, datetime.timezone.utc)
        self.assertEqual(date, moment.strftime("(%Y-%m-%d %H:%M UTC)"))

    def test_explain__by_sid__says_how_it_was_looked_up(self):
        alice = self.explain(self.samba.filled["alice"])
        self.assertEqual((alice["identity"]["form"], alice["identity"]["sid"]), ("sid", self.samba.filled["alice"]))
        self.assertIn("objectSid=", alice["identity"]["filter"])
        self.assertFalse(any(group["primary"] for group in alice["groups"]))
        self.assertEqual(alice["searches"], 1)
        carol = self.explain("carol")
        self.assertEqual((carol["rules"][0]["holds"], carol["rules"][0]["paths"]), ("no", []))

    def test_nobody__is_one_search_as_well(self):
        for sender in ("CORP\\nobody", "nobody@" + OTHER_SUFFIX, self.samba.domain_sid + "-999999"):
            with self.subTest(sender=sender):
                answer, searches, _ = self.ask(sender)
                self.assertEqual((answer["reason"], answer["searches"]), ("no-such-user", 1), answer)
                self.assertEqual(len(self.about_people(searches)), 1, searches)
                self.assertEqual(self.of_tokens(searches), [])

    def test_foreign_domain_and_no_name__are_no_search(self):
        for sender, reason in (("OTHER\\alice", "foreign-domain"), ("alice@elsewhere.example", "foreign-domain"),
                               ("CORP\\alice*", "bad-sender-name"), ("S-1-5-21-9-9-9-1234", "foreign-domain")):
            with self.subTest(sender=sender):
                answer, searches, _ = self.ask(sender)
                self.assertEqual((answer["verdict"], answer["reason"], answer["searches"]), ("deny", reason, 0), answer)
                self.assertEqual(self.about_people(searches) + self.of_tokens(searches), [])

    @staticmethod
    def about_people(searches):
        return [search for search in searches if ABOUT_A_PERSON.search(search[0])]

    @staticmethod
    def of_tokens(searches):
        return [base for _, base, scope, _ in searches if scope == "BASE" and base.startswith("<SID=")]


if __name__ == "__main__":
    testbed.main()
