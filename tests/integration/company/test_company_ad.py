#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
The sample company as Active Directory, on the Samba that docker/demo.sh --ad starts: every sender of
docker/company-ad/expected.txt is answered as written there, in one search each, however the connection is bound and kept
secret; and the demonstration itself.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
import testbed  # noqa: E402
import testbed_network  # noqa: E402
from testbed import Folder, wait_until  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]
COMPANY = ROOT / "docker" / "company-ad"
SAMBA = ROOT / "docker" / "samba" / "run-samba.sh"
ADDRESS = "10.53.0.1"
CONTROLLER = "dc1.corp.example"
# The endpoint in AMER, as docker/company-ad/expected.txt has it.
HERE = "https://winrm-amer.corp.example:5986/wsman"
START_TIMEOUT_S = 120


def expected_answers():
    """[(sender, verdict, reason, {targets})] in the order of the file."""
    rows = []
    for line in (COMPANY / "expected.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            sender, verdict, reason, target = line.split("\t")
            rows.append((sender, verdict, reason, {None if t == "-" else t for t in target.split("|")}))
    return rows


class Company:
    """run-samba.sh in the test's own network, in a folder of its own."""

    def __init__(self):
        testbed.need("openssl")
        network = testbed_network.enter()
        network.add_address(ADDRESS, CONTROLLER, "dc1")
        network.set_resolvers([ADDRESS], "corp.example")
        self.folder = Folder(prefix="wsmauthz-ad-")
        self.state = self.folder.make("state")
        self.server = testbed.Server(self.folder.join("server.log"))
        try:
            self.start()
        except BaseException:
            print(self.server.log()[-4000:])
            self.close()
            raise

    def start(self, **environment):
        self.server.launch(["sh", str(SAMBA), self.state, ADDRESS], dict(os.environ, **environment))
        wait_until(self._answers, START_TIMEOUT_S, "the sample company's domain controller answers")

    def stop(self):
        self.server.end()

    def _answers(self):
        if not self.server.is_running():
            raise testbed.TestbedError("the domain controller ended:\n" + self.server.log()[-2000:])
        return subprocess.run(["sh", str(SAMBA), "--health", self.state], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, check=False).returncode == 0

    def close(self):
        self.server.end()
        self.folder.remove()

    def environment(self):
        return dict(os.environ, KRB5_CONFIG=self.state + "/krb5.conf")

    def policy(self, name, *replacements):
        """policy.xml.in, with some of its text replaced."""
        text = (COMPANY / "policy.xml.in").read_text()
        for old, new in replacements:
            if old not in text:
                raise testbed.TestbedError("policy.xml.in does not hold " + old)
            text = text.replace(old, new)
        folder = Path(self.folder.make(name))
        for file in ("ca.pem", "authorizer.secret", "authorizer.keytab"):
            shutil.copy(Path(self.state, file), folder)
        testbed.write_file(str(folder / "policy.xml"), text, 0o600)
        return str(folder / "policy.xml")


BIND = '<bind mechanism="GSSAPI" keytab="authorizer.keytab"/>'
PASSWORD = ('<bind mechanism="simple" dn="CN=authorizer,OU=Services,DC=corp,DC=example" '
            'password-file="authorizer.secret"/>')
TLS = '<tls mode="none"/>'
URI = 'uri="ldap://'


class CompanyTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        testbed.Samba.need()
        cls.program = testbed.wsmauthz()
        cls.company = Company()
        cls.addClassCleanup(cls.company.close)
        cls.rows = expected_answers()

    def compare(self, policy):
        answers = testbed.check(self.program, policy, [row[0] for row in self.rows], "--url", HERE,
                                env=self.company.environment())
        wrong = []
        for (sender, verdict, reason, targets), answer in zip(self.rows, answers):
            if (answer["verdict"], answer["reason"]) != (verdict, reason) or answer["redirect_uri"] not in targets:
                wrong.append("%s: expected %s, got %s" % (sender, (verdict, reason, targets), answer))
            self.assertLessEqual(answer["searches"], 1, answer)
        self.assertEqual(wrong, [], "\n".join([""] + wrong + [answers.stderr]))
        self.assertGreater(len(self.rows), 40)
        self.assertEqual([answer["sender"] for answer in answers if answer["administrator"]],
                         ["judy@research.example", "judy@corp.example", "CORP\\judy"])

    def test_by_kerberos_sealed(self):
        self.compare(self.company.policy("gssapi"))

    def test_report_has_everybody_as_check_decides(self):
        """Users and machines, whom the report knows by the SIDs of their tokens, and check by their names."""
        policy = self.company.policy("report")
        path = str(Path(policy).parent / "report.csv")
        done = subprocess.run([self.program, "report", "--config", policy, "--json", "--all", "--url", HERE, "--csv", path],
                              env=self.company.environment(), capture_output=True, text=True, timeout=60, check=False)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        *users, summary = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual((summary["type"], summary["users"]), ("summary", len(users)))
        named = {user["sender"]: user for user in users if user["sender"].startswith("CORP\\")}
        answers = testbed.check(self.program, policy, list(named), "--url", HERE, env=self.company.environment())
        for answer in answers:
            user = named[answer["sender"]]
            self.assertEqual((user["verdict"], user["reason"], user["rule"], user["target"], user["dn"]),
                             (answer["verdict"], answer["reason"], answer["rule"], answer["redirect_uri"], answer["dn"]))
        expected = {sender: verdict for sender, verdict, reason, _ in self.rows
                    if sender.startswith("CORP\\") and reason not in ("no-such-user", "bad-sender-name")}
        self.assertEqual({sender: named[sender]["verdict"] for sender in expected if sender in named},
                         {sender: verdict for sender, verdict in expected.items() if sender in named})
        self.assertGreater(len(set(expected) & set(named)), 15)
        self.assertEqual([user["sender"] for user in users if user["administrator"]], ["CORP\\judy"])
        self.assertIn("CORP\\DC1$", named)

    def test_by_negotiation_sealed(self):
        self.compare(self.company.policy("spnego", ("GSSAPI", "GSS-SPNEGO")))

    def test_by_password_over_ldaps(self):
        self.compare(self.company.policy("ldaps", (BIND, PASSWORD), (URI, 'uri="ldaps://'),
                                         (TLS, '<tls mode="ldaps" ca-file="ca.pem"/>')))

    def test_by_password_over_starttls(self):
        self.compare(self.company.policy("starttls", (BIND, PASSWORD), (TLS, '<tls mode="starttls" ca-file="ca.pem"/>')))

    def test_password_in_the_clear_is_refused(self):
        policy = self.company.policy("clear", (BIND, PASSWORD))
        [answer] = testbed.check(self.program, policy, ["CORP\\alice"], env=self.company.environment())
        self.assertEqual((answer["verdict"], answer["reason"]), ("error", "directory-unavailable"))

    def test_restart_keeps_the_domain(self):
        before = Path(self.company.state, "authorizer.secret").read_text()
        self.company.stop()
        self.company.start()
        self.assertEqual(Path(self.company.state, "authorizer.secret").read_text(), before)
        self.compare(self.company.policy("restarted"))

    def test_expected_answers_are_those_of_the_senders(self):
        senders = [line.split("\t")[0] for line in (COMPANY / "people.txt").read_text().splitlines()
                   if line and not line.startswith("#")]
        self.assertEqual(senders, [row[0] for row in self.rows])


class Demonstration(unittest.TestCase):

    def test_demo_ad__ends_well_and_leaves_nothing(self):
        testbed.Samba.need()
        with Folder(prefix="wsmauthz-demo-") as folder:
            done = testbed.run("sh", str(ROOT / "docker" / "demo.sh"), "--ad", "--program", testbed.wsmauthz(),
                               env=dict(os.environ, TMPDIR=folder.path), timeout=250, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            count, of = re.search(r"demo: ok, (\d+) of (\d+) as expected", done.stdout).groups()
            self.assertEqual((count, of), (str(len(expected_answers())),) * 2)
            self.assertEqual(os.listdir(folder.path), [])
            server = int(re.search(r"Samba runs natively, process (\d+),", done.stdout).group(1))
            self.assertFalse(os.path.exists("/proc/%d" % server))


if __name__ == "__main__":
    testbed.main()
