#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`wsmauthz doctor` against a scripted forest of two domains that trust each other."""
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
import testbed  # noqa: E402
from doctoring import Doctoring, doctor  # noqa: E402
from testbed import Folder  # noqa: E402
from testbed_scripted_ad import Forest  # noqa: E402


class TwoDomains(Doctoring, unittest.TestCase):

    def setUp(self):
        self.folder = Folder()
        self.addCleanup(self.folder.remove)
        self.forest = Forest()
        self.emea = self.forest.add_domain("emea.corp.example.test", "EMEA")
        self.forest.start()
        self.addCleanup(self.forest.close)
        self.corp = self.forest.root
        self.admins = self.corp.group("admins", [self.corp.user("alice")], scope="universal")

    def policy(self, *groups):
        corp, secret = self.corp, self.folder.write("secret", self.forest.service_password, 0o600)
        rules = "".join('<allow group="%s"/>' % group for group in groups)
        return self.folder.write("policy.xml", """<wsmauthz xmlns="urn:wsmauthz:policy:1" default-domain="CORP">
            <directory uri="%s" base="%s" timeout="10s">
              <bind mechanism="simple" dn="%s" password-file="%s"/><tls mode="none"/>
            </directory>%s</wsmauthz>""" % (corp.dc.uri, corp.suffix, self.forest.service_dn, secret, rules), 0o600)

    def test_domains_and_trusts__are_told_with_their_sids(self):
        findings = doctor(self.policy(self.admins.dn))

        self.assert_line(findings, "server-type", "ok", "^Active Directory$")
        self.assert_line(findings, "domain", "ok", "^corp.example.test, %s; users are looked for in it; groups of other "
                         "domains are seen by tokenGroups$" % self.corp.sid, subject="^CORP$")
        self.assert_line(findings, "domain", "ok", "^emea.corp.example.test, %s; of the forest too" % self.emea.sid,
                         subject="^EMEA$")
        self.assert_line(findings, "trust", "ok", "^a trust within the forest, %s: its users may come" % self.emea.sid,
                         subject="^emea.corp.example.test$")
        self.assert_line(findings, "group", "ok", "^1 member; id %s-[0-9]+$" % self.corp.sid, subject="CN=admins")
        self.assert_line(findings, "token-groups", "ok", "^tokenGroups of [0-9]+ users? (is|are) as the groups say$")

    def test_group__of_another_domain__is_not_asked_for(self):
        sid = self.emea.sid + "-4711"
        self.emea.group("operators", scope="universal", rid=4711)
        findings = doctor(self.policy(self.admins.dn, sid))
        self.assert_line(findings, "group", "ok", "^of another domain of the forest", subject=sid)

    def test_group__that_holds_principals_of_elsewhere__says_what_that_means(self):
        inner = self.corp.group("inner", [self.corp.foreigner("S-1-5-21-1-2-3-1000"), self.corp.foreigner("S-1-5-11")],
                                scope="local")
        leavers = self.corp.group("leavers", [inner], scope="local")
        policy = self.policy(self.admins.dn, inner.dn)
        with open(policy, encoding="utf-8") as file:
            text = file.read()
        self.folder.write("policy.xml", text.replace("</wsmauthz>", '<deny group="%s"/></wsmauthz>' % leavers.dn), 0o600)
        findings = doctor(policy)
        self.assert_line(findings, "group", "warning", "inner.*: this rule denies everybody", subject="leavers")
        self.assert_line(findings, "group", "warning", "inner.*deny them in their own forest", subject="leavers")
        self.assert_line(findings, "group", "warning", "inner.*counts for nobody here", subject="inner")


if __name__ == "__main__":
    testbed.main()
