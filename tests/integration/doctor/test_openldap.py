#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`wsmauthz doctor` against slapd: every line as it is when all is well, and as it is when that one thing is not."""
import os
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
import testbed  # noqa: E402
from doctoring import PROGRAM, Doctoring, doctor  # noqa: E402
from testbed import Authority, Folder, Slapd, entry, group, group_dn, person, person_dn  # noqa: E402

CROWD = 200

LDIF = (
    person("here", l="AMER") + person("away", l="EMEA") + person("lost", l="Moon") + person("twofold", l=["EMEA", "AMER"]) +
    "".join(person("user-%03d" % i) for i in range(CROWD)) + person("alice", shadowExpire="99999",
                                                                    objectClass=["inetOrgPerson", "shadowAccount"])
    + group("crowd", ["user-%03d" % i for i in range(CROWD)])
    + group("users", ["alice", group_dn("a")]) + group("a", [group_dn("b"), "user-001"]) + group("b", [group_dn("a")])
    + group("leavers", ["user-002"])
    + entry(group_dn("empty"), objectClass="posixGroup", cn="empty", gidNumber="4711"))


class Case(Doctoring, unittest.TestCase):
    """A server that all tests of the class ask, and a folder for policies."""

    options = {}

    @classmethod
    def setUpClass(cls):
        cls.folder = Folder()
        cls.addClassCleanup(cls.folder.remove)
        cls.slapd = Slapd(ldif=LDIF, **cls.options)
        cls.addClassCleanup(cls.slapd.close)
        cls.slapd.start()

    def policy(self, **options):
        options.setdefault("allow", [group_dn("users")])
        options.setdefault("tls", "starttls")
        return testbed.write_policy(self.folder.join("policy.xml"), self.slapd, **options)

    def doctor(self, *arguments, **options):
        return doctor(self.policy(**options), *arguments)


class Well(Case):

    def test_all_is_well__every_line_says_so(self):
        findings = self.doctor(deny=[group_dn("leavers")])

        self.assertEqual((findings.worse_than_ok(), findings.status), (set(), 0))
        for check, text in (
                ("policy-file", "only its owner may write it .2 rules, 0 sites"), ("policy-folder", "nobody else"),
                ("bind-secret", "neither read nor write"), ("default-domain", "looked up in 'CORP'"),
                ("dns", "1 address in"), ("tcp", "connected to 127.0.0.1 in"), ("tls", "TLS1.[23] .*known authority"),
                ("tls-expiry", "29|30 days left"), ("bind", "bound by simple as uid=wsmauthz"),
                ("server-type", "LDAP, OpenLDAP"), ("base", "there, and may be seen"), ("users", "show their 'uid'"),
                ("passwords-hidden", "cannot be read"), ("account-state", "may be read: .*shadowExpire"),
                ("listing", "6 groups"), ("index", "a search by it takes"), ("groups", "4 groups with their members"),
                ("mark", "contextCSN is 20[0-9]{12}.*no group is newer"),
                ("watch", "RFC 4533 refreshAndPersist.*used for 300 s"), ("clock", "nothing there is from this"),
                ("member-index", "3 memberships, 0.0 MB of the 128.0 MB")):
            self.assert_line(findings, check, "ok", text)

    def test_groups__are_told_with_size_depth_cycle_and_id(self):
        findings = self.doctor(allow=[group_dn("users"), group_dn("crowd")], deny=[group_dn("leavers")])

        self.assert_line(findings, "group", "ok", r"^2 members, 2 groups nested, 2 deep, 2 of them nested in themselves "
                         r"\(cn=[ab] > cn=[ab] > cn=[ab]\); id [0-9a-f-]{36}$", subject="allow cn=users,")
        self.assert_line(findings, "group", "ok", "^200 members; id [0-9a-f-]{36}$", subject="allow cn=crowd,")
        self.assert_line(findings, "group", "ok", "^1 member; id", subject="deny cn=leavers,")

    def test_groups_that_are_not_there(self):
        findings = self.doctor(allow=[group_dn("users"), group_dn("nope")])
        self.assert_line(findings, "group", "error", "does not exist, .*lets nobody in", "policy.xml:[0-9]+", "allow cn=nope")
        findings = self.doctor(deny=[group_dn("nope")])
        self.assert_line(findings, "group", "error", "does not exist, .*every decision is an error", ".", "deny cn=nope")
        findings = self.doctor(deny=[{"group": group_dn("nope"), "if-missing": "ignore"}])
        self.assert_line(findings, "group", "warning", "keeps nobody out", "make the group", "deny cn=nope")
        findings = self.doctor(redirect={"sites": [{"group": group_dn("nope"), "uri": "https://a.example:5986/wsman"}]})
        self.assert_line(findings, "group", "error", "this site gets nobody", "make the group", "site group cn=nope")

    def test_groups_of_nobody_and_what_is_no_group(self):
        findings = self.doctor(allow=[group_dn("empty"), person_dn("alice"), group_dn("users")])

        self.assert_line(findings, "group", "warning", "nobody is in it", "put somebody in", "cn=empty")
        self.assert_line(findings, "group", "error", "is not a group", "correct the name", "uid=alice")

    def test_member_index__beyond_its_budget__says_what_would_do(self):
        findings = self.doctor(allow=[group_dn("crowd")], cache={"member_index": "1KB"})
        self.assert_line(findings, "member-index", "warning", r"allows 0.0 MB: the server is asked",
                         'member-index="1MB".*index member eq')

    def test_member_index__not_wanted(self):
        for strategy, text in (("search", "ask the server"), ("memberof", "believe memberOf")):
            findings = self.doctor(groups={"strategy": strategy})
            self.assert_line(findings, "member-index", "ok", text)

    def test_clear_text__to_this_machine__is_a_warning(self):
        self.assert_line(self.doctor(tls="none"), "tls", "warning", "clear text", "starttls")

    def test_no_default_domain(self):
        self.assert_line(self.doctor(default_domain=None), "default-domain", "ok", "a plain name is refused")

    def test_certificate__of_another_authority__is_told_and_nothing_is_sent(self):
        other = Authority(self.folder.join("other")).ca_file
        findings = self.doctor(tls={"mode": "starttls", "ca-file": other})
        self.assert_line(findings, "tls", "error", "certificate|TLS")
        self.assert_line(findings, "bind", "not-tried", "failed before it")
        self.assert_line(findings, "groups", "not-tried", "no server of the directory can be used")

    def test_bind__refused(self):
        path = self.folder.write("wrong.secret", "wrong", 0o600)
        bind = {"mechanism": "simple", "dn": self.slapd.service_dn, "password-file": path}
        findings = self.doctor(bind=bind)
        self.assert_line(findings, "bind", "error", "could not bind.*[Ii]nvalid credentials", ".")
        self.assertEqual(findings.levels("watch"), ["not-tried"])

    def test_bind__anonymous__is_a_warning_and_sees_nothing(self):
        findings = self.doctor(bind="anonymous")
        self.assert_line(findings, "bind-secret", "warning", "anonymous", "make an account")
        self.assert_line(findings, "base", "error", "insufficient access", "give <bind> an account")

    def test_bind__that_may_read_passwords__is_a_warning(self):
        path = self.folder.write("root.secret", self.slapd.root_password, 0o600)
        findings = self.doctor(bind={"mechanism": "simple", "dn": self.slapd.root_dn, "password-file": path})
        self.assert_line(findings, "passwords-hidden", "warning", "may read userPassword", "access to attrs=userPassword")

    def test_servers__one_of_two_is_a_warning_and_all_are_an_error(self):
        closed = "ldap://127.0.0.1:%d" % testbed.free_port()
        findings = self.doctor(uri="ldap://nowhere.invalid " + closed + " " + self.slapd.uri)
        self.assert_line(findings, "dns", "warning", "could not find", "DNS", "nowhere.invalid")
        self.assert_line(findings, "tcp", "not-tried", "failed before it", subject="nowhere.invalid")
        self.assert_line(findings, "tcp", "warning", "refused", ".", closed)
        self.assert_line(findings, "watch", "ok", "RFC 4533")
        self.assertEqual(findings.status, 1)

        findings = self.doctor(uri=closed)
        self.assert_line(findings, "tcp", "error", "refused", ".", closed)
        self.assertEqual(findings.status, 3)

    def test_users__nobody_or_nameless(self):
        findings = self.doctor(users={"filter": "(objectClass=device)"})
        self.assert_line(findings, "users", "error", "everybody is denied", "users/@filter")
        self.assertEqual(findings.levels("account-state") + findings.levels("passwords-hidden"), ["not-tried"] * 2)
        findings = self.doctor(users={"name-attribute": "employeeNumber"})
        self.assert_line(findings, "users", "error", "8 of 8 users .* show no 'employeeNumber'", "users/@name-attribute")

    def test_socket_of_this_machine(self):
        findings = self.doctor(uri=self.slapd.ldapi_uri, tls="none")
        self.assert_line(findings, "dns", "ok", "a socket of this machine")
        self.assert_line(findings, "tls", "ok", "needs none")

    def test_policy_that_is_not_there_or_broken(self):
        findings = doctor(self.folder.join("none.xml"))
        self.assert_line(findings, "policy-file", "error", "none.xml", "--config")
        self.assert_line(findings, "watch", "not-tried", "the policy cannot be used")
        self.folder.write("broken.xml", "<wsmauthz/>", 0o600)
        self.assert_line(doctor(self.folder.join("broken.xml")), "policy-file", "error", "broken.xml:1")

    def test_policy_folder__that_others_may_write__is_a_warning(self):
        path = self.folder.make("open")
        os.chmod(path, 0o777)
        policy = testbed.write_policy(path + "/policy.xml", self.slapd, allow=[group_dn("users")], tls="starttls")
        self.assert_line(doctor(policy), "policy-folder", "warning", "may", ".", "open/policy.xml")

    def test_redirect__whose_value_leads_nowhere_or_to_several(self):
        sites = [{"name": "EMEA", "uri": "https://winrm-emea.corp.example:5986/wsman"}]
        findings = self.doctor(redirect={"attribute": "l", "here": "AMER", "sites": sites})
        self.assert_line(findings, "redirect-attribute", "ok", "see that this server's do not", subject="^l$")
        self.assert_line(findings, "redirect-users", "warning", "^1 of 4 users .*authorized here.*'Moon' of 1 user .uid=lost,",
                         "<here value=", "^l$")
        self.assert_line(findings, "redirect-users", "warning", "^1 user has several values.* of uid=twofold,", "one value")

        sites.append({"ou": "ou=people," + self.slapd.suffix, "uri": "https://a.example:5986/wsman"})
        findings = self.doctor("--limit", "3", redirect={"attribute": "l", "here": "AMER", "unmapped": "deny", "sites": sites})
        self.assertFalse([line for line in findings.of("redirect-users") if "no site is for" in line["text"]])
        self.assert_line(findings, "redirect-users", "ok", "no more than 3 users")

        findings = self.doctor(redirect={"attribute": "employeeType", "here": "AMER", "sites": sites[:1]})
        self.assert_line(findings, "redirect-users", "warning", "nobody is redirected by it", "redirect/@attribute")

    def test_redirect__every_value_is_somebodys(self):
        site = {"name": "Moon", "uri": "https://winrm-moon.corp.example:5986/wsman"}
        findings = self.doctor(users={"filter": "(uid=lost)"}, redirect={"attribute": "l", "sites": [site]})
        self.assert_line(findings, "redirect-users", "ok", "^1 user has a value, and each is a site's")

    def test_as_text__a_heading_a_line_and_a_remedy(self):
        done = subprocess.run([PROGRAM, "doctor", "--config", self.policy(tls="none")], capture_output=True, text=True,
                              check=False, timeout=120)
        self.assertEqual((done.returncode, done.stderr), (1, ""))
        self.assertRegex(done.stdout, "^policy\n  ok         policy-file  ")
        self.assertRegex(done.stdout, "\n\nservers\n  ok         dns  ")
        self.assertRegex(done.stdout, "\n  warning    tls +ldap://.*: clear text.*\n +-> use ldaps://")
        self.assertRegex(done.stdout, "\n\n0 errors, 1 warning, [0-9]+ ok\n$")

    def test_command_line__unusable(self):
        for arguments in (["operand"], ["--limit", "0"], ["--limit", "1x"], ["--log-level", "loud"], ["--nope"]):
            done = subprocess.run([PROGRAM, "doctor", *arguments], capture_output=True, text=True, check=False, timeout=60)
            self.assertEqual((done.returncode, done.stdout), (2, ""), arguments)
            self.assertTrue(done.stderr)


class Unwatched(Case):
    options = {"overlays": ()}

    def test_without_syncprov__what_is_done_instead_is_told(self):
        findings = self.doctor()
        self.assert_line(findings, "mark", "warning", "contextCSN", "overlay syncprov")
        self.assert_line(findings, "watch", "warning", r"used for 1000 ms \(cache/@unwatched-ttl\)", "overlay syncprov")
        self.assert_line(findings, "clock", "not-tried", "does not tell its time")


class Limited(Case):
    options = {"service_limits": "size=3 time=unlimited"}

    def test_limit__that_cuts_the_groups__is_an_error(self):
        findings = self.doctor()
        self.assert_line(findings, "listing", "error", "[Ss]ize", 'limits dn.exact="uid=wsmauthz')
        self.assertEqual(findings.levels("watch"), ["not-tried"])


class Unindexed(Case):
    # A search that no index serves has every entry for a candidate; slapd refuses it.
    options = {"index": ("objectClass,member,entryCSN eq",),
               "service_limits": "size=unlimited time=unlimited size.unchecked=%d" % (CROWD + 5)}

    def test_missing_indexes__are_named(self):
        findings = self.doctor()
        for attribute in ("uid", "entryUUID"):
            self.assert_line(findings, "index", "warning", "no index", "index %s eq; then slapindex" % attribute, attribute)
        self.assert_line(findings, "index", "ok", "a search by it takes", subject="member")


class Hidden(Case):
    options = {"access": "access to attrs=shadowExpire by * none"}

    def test_account_state__that_is_hidden__is_a_warning(self):
        self.assert_line(self.doctor(), "account-state", "warning", "^hidden from the account: shadowExpire; who is",
                         "access to attrs=shadowExpire")


class HiddenMembers(Case):
    options = {"access": "access to attrs=member by * none"}

    def test_members__that_are_hidden__are_an_error(self):
        findings = self.doctor()
        self.assert_line(findings, "groups", "error", "cn=users,.* shows no members", "read access to its member attribute")
        self.assertEqual(findings.levels("watch"), ["not-tried"])


class Ending(Case):

    def test_certificate__that_ends_soon__is_a_warning(self):
        self.slapd.reconfigure(certificate=self.slapd.authority.issue("ending", days=9))
        findings = self.doctor()
        self.assert_line(findings, "tls-expiry", "warning", "ends in [89] days, on 20", "renewed")
        self.assert_line(findings, "tls", "ok", "known authority")


class Future(unittest.TestCase, Doctoring):

    def test_change_from_the_future__is_a_warning(self):
        suffix = entry(testbed.DEFAULT_SUFFIX, objectClass=["dcObject", "organization"], dc="corp", o="Example",
                       contextCSN="20991231235959.000000Z#000000#000#000000")
        with Folder() as folder, Slapd(ldif=suffix + LDIF) as slapd:
            policy = testbed.write_policy(folder.join("policy.xml"), slapd, allow=[group_dn("users")], tls="none")
            self.assert_line(doctor(policy), "clock", "warning", "^the directory was changed [0-9]+ s from now", "chrony")


if __name__ == "__main__":
    testbed.main()
