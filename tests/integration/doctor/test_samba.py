#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`wsmauthz doctor` against an Active Directory domain controller (Samba)."""
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
import testbed  # noqa: E402
from doctoring import Doctoring, doctor  # noqa: E402
from testbed import Folder, Samba  # noqa: E402


def fill(domain):
    alice = domain.user("alice", physicalDeliveryOfficeName="EMEA")
    bob = domain.user("bob", physicalDeliveryOfficeName="Moon")
    inner = domain.group("inner", [alice], scope="universal")
    users = domain.group("winrm-users", [inner, bob], scope="universal")
    domain.add_members(inner, [users])
    primary = domain.group("primary")
    domain.set_primary_group(bob, primary)
    domain.group("empty")
    domain.group("mail", [alice], scope="universal", security=False)
    return {name: domain.sid(domain.group_dn(name)) for name in ("winrm-users", "inner", "primary", "empty")}


class Controller(Doctoring, unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        Samba.need()
        cls.folder = Folder()
        cls.addClassCleanup(cls.folder.remove)
        cls.samba = Samba(fill)
        cls.addClassCleanup(cls.samba.close)
        cls.samba.start()

    def doctor(self, **options):
        options.setdefault("allow", [self.samba.group_dn("winrm-users")])
        options.setdefault("tls", "ldaps")
        options.setdefault("domain", None)
        options.setdefault("timeout", "10s")
        more = options.pop("extra_directory", "")
        policy = testbed.write_policy(self.folder.join("policy.xml"), self.samba, **options)
        text = Path(policy).read_text().replace("<directory ", "<directory %s " % more, 1)
        testbed.write_file(policy, text, 0o600)
        return doctor(policy, env=self.samba.client_environment())

    def test_all_is_well__what_only_a_domain_controller_has_is_told(self):
        findings = self.doctor()

        self.assertEqual((findings.worse_than_ok(), findings.status), (set(), 0))
        for check, text, subject in (
                ("server-type", "^Samba, Samba Team", "ldaps://dc1"),
                ("functional-level", r"domain: Windows Server [0-9].* \([0-9]\), forest: .* \([0-9]\), this controller: ",
                 "ldaps://dc1"),
                ("domain", "^corp.example.test, %s; users are looked for in it, and no other" % self.samba.domain_sid,
                 "^CORP$"),
                ("trust", "trusts nobody else", None),
                ("site", "^this host is in the site 'Default-First-Site-Name', this server in 'Default-First-Site-Name'",
                 "ldaps://dc1"),
                ("token-groups", "^tokenGroups of [2-8] users are as the groups say$", None),
                ("users", "show their 'sAMAccountName'", "objectCategory=person"),
                ("account-state", "may be read: userAccountControl", None),
                ("listing", "groups", None),
                ("index", "a search by it takes", "^sAMAccountName$"),
                ("index", "a search by it takes", "^userPrincipalName$"),
                ("member-index", "not needed", None),
                ("mark", "^highestCommittedUSN is [1-9][0-9]+$", "ldaps://dc1"),
                ("watch", "^highestCommittedUSN: asked for every 250 ms while somebody decides.*used for 300 s", None),
                ("clock", "differ by [12] s at most", "ldaps://dc1")):
            self.assert_line(findings, check, "ok", text, subject=subject)

    def test_groups__are_told_with_their_sid_size_and_depth(self):
        sids = self.samba.filled
        findings = self.doctor(allow=[self.samba.group_dn("winrm-users"), "CORP\\primary", sids["inner"]])

        self.assert_line(findings, "group", "ok", "^2 members, 1 group nested, 1 deep, 2 of them nested in themselves .*; "
                         "id %s$" % sids["winrm-users"], subject="^allow CN=winrm-users,")
        self.assert_line(findings, "group", "ok", "^1 member; id %s$" % sids["primary"], subject="^allow CORP.primary$")
        self.assert_line(findings, "group", "ok", "id %s$" % sids["inner"], subject="^allow " + sids["inner"])

    def test_groups__that_let_nobody_in(self):
        mail, missing = self.samba.group_dn("mail"), "CORP\\nope"
        findings = self.doctor(allow=[self.samba.group_dn("winrm-users"), self.samba.group_dn("empty"), mail, missing])

        self.assert_line(findings, "group", "warning", "^nobody is in it: .*%s" % self.samba.filled["empty"], "put somebody",
                         "CN=empty")
        self.assert_line(findings, "group", "error", "is not a security group", "policy.xml:[0-9]+", "CN=mail")
        self.assert_line(findings, "group", "error", "does not exist", "policy.xml:[0-9]+", "CORP.nope")

    def test_redirect__by_what_people_may_write__is_a_warning(self):
        site = {"name": "EMEA", "uri": "https://winrm-emea.corp.example:5986/wsman"}
        findings = self.doctor(redirect={"attribute": "physicalDeliveryOfficeName", "sites": [site]})

        self.assert_line(findings, "redirect-attribute", "warning", "lets people write it in their own entries",
                         "<site ou=", "^physicalDeliveryOfficeName$")
        self.assert_line(findings, "redirect-users", "warning", "^1 of 2 users .* authorized here .*'Moon' of 1 user .CN=bob,",
                         "<here value=")

    def test_servers__found_by_dns(self):
        findings = self.doctor(uri="ldaps://" + self.samba.dns_domain, domain="CORP " + self.samba.dns_domain)
        self.assert_line(findings, "servers", "ok", "there are 1, the first is ldaps://dc1.corp.example.test")
        self.assert_line(findings, "bind", "ok", "bound by simple", subject="^ldaps://dc1.corp.example.test")
        self.assert_line(findings, "watch", "ok", "^highestCommittedUSN")
        findings = self.doctor(uri="ldaps:///", domain="CORP nowhere.example.test")
        self.assert_line(findings, "servers", "error", "nowhere.example.test", "dig SRV")
        self.assertEqual(findings.levels("watch"), ["not-tried"])

    def test_site__that_is_not_the_one_of_this_host(self):
        by_dns = {"uri": "ldaps://" + self.samba.dns_domain, "domain": "CORP " + self.samba.dns_domain}
        findings = self.doctor(extra_directory='site="Elsewhere"', **by_dns)
        self.assert_line(findings, "site", "warning", "says 'Elsewhere', and .* in the site 'Default-First-Site-Name'",
                         "directory/@site")
        self.assertEqual(self.doctor(extra_directory='site="default-first-site-name"', **by_dns).levels("site"), ["ok"])

    def test_clear_text__over_a_network__is_an_error(self):
        # The controller's address is this machine's own, but no loopback address.
        self.assert_line(self.doctor(tls="none"), "tls", "error", "whoever sits on the wire decides", "ldaps")

    def test_kerberos__binds_without_a_secret(self):
        findings = self.doctor(bind="GSSAPI")
        self.assert_line(findings, "bind-secret", "ok", r"the bind \(GSSAPI\) needs no secret")
        self.assert_line(findings, "bind", "ok", "bound by GSSAPI")


if __name__ == "__main__":
    testbed.main()
