#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
A connection through wldap32, under Wine, to a real slapd: `dir_conn.py PROGRAM RELEASE_PROGRAM`. Wine's wldap32 cannot secure a connection:
PROGRAM may do without (tests/support/dir_waiver_wine.c), RELEASE_PROGRAM is as what is shipped.
"""
import base64
import contextlib
import os
import sys
import tempfile
import unittest

from driving import BIND, CONNECT, RESOLVE, SECURE, Driver, keep_awake
from testbed import Authority, Slapd, entry, person
from testbed_scripted_ad import Forest
from testbed_wine import Wine

RELEASE_PROGRAM = os.path.abspath(sys.argv.pop())
PROGRAM = os.path.abspath(sys.argv.pop())

USERS = 300
PHOTO = bytes([0xff, 0, 0x0a, 0, 0x80, 0])
UMLAUT = "Jörg Größe"


def data(suffix):
    text = "".join(person("user%04d" % i) for i in range(USERS))
    text += person("joerg").rstrip("\n") + "\njpegPhoto:: %s\ndescription:: %s\n\n" % (
        base64.b64encode(PHOTO).decode(), base64.b64encode(UMLAUT.encode()).decode())
    text += entry("ou=referrals," + suffix, objectClass="organizationalUnit", ou="referrals")
    # Port 1: who chases it finds nobody.
    return text + entry("ou=elsewhere,ou=referrals," + suffix, objectClass=["referral", "extensibleObject"],
                        ou="elsewhere", ref="ldap://127.0.0.1:1/ou=elsewhere,dc=example")


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = contextlib.ExitStack()
        cls.addClassCleanup(cls.stack.close)
        cls.wine = cls.stack.enter_context(Wine())
        cls.folder = cls.stack.enter_context(tempfile.TemporaryDirectory(prefix="wsmauthz-wldap32-"))
        cls.authority = Authority(os.path.join(cls.folder, "ca"))
        cls.slapd = cls.stack.enter_context(Slapd(authority=cls.authority, ldif=data("dc=corp,dc=example,dc=test")))
        cls.people = "ou=people," + cls.slapd.suffix
        cls.stack.callback(keep_awake(cls.wine, PROGRAM))

    def drive(self, uri=None, program=PROGRAM, **options):
        if options.get("bind") == "simple":
            options.setdefault("dn", self.slapd.service_dn)
            options.setdefault("secret", self.slapd.service_password)
        driver = Driver(self.wine, program, uri or self.slapd.uri, **options)
        self.addCleanup(driver.close)
        return driver

    def opened(self, uri=None, **options):
        driver = self.drive(uri, **{"bind": "simple", **options})
        driver.open()
        return driver

    def refused(self, step, words, *args, **options):
        answer = self.drive(*args, **options).ask("open 10000")
        self.assertRegex(answer, r"^OPEN [a-z-]+ %d \d+ " % step)
        self.assertIn(words, answer)


class Searches(Case):
    def test_one_entry_with_bytes_of_every_kind(self):
        driver = self.opened()
        self.assertEqual("ok", driver.search(self.people, "(uid=joerg)", "uid", "jpegPhoto", "description").outcome)
        [(dn, attributes)] = driver.entries()
        self.assertEqual("uid=joerg," + self.people, dn)
        self.assertEqual({"uid": [b"joerg"], "jpegPhoto": [PHOTO], "description": [UMLAUT.encode()]}, attributes)
        self.assertEqual("BYE", driver.close())

    def test_filters_that_are_not_ascii(self):
        driver = self.opened()
        self.assertEqual(1, driver.search(self.people, "(description=%s)" % UMLAUT).count)
        self.assertEqual(0, driver.search(self.people, "(description=Jurg)").count)

    def test_scopes(self):
        driver = self.opened()
        self.assertEqual(1, driver.search(self.people, "(objectClass=*)", scope=0).count)
        self.assertEqual(USERS + 1, driver.search(self.people, "(objectClass=*)", scope=1).count)
        self.assertEqual(0, driver.search(self.slapd.suffix, "(uid=joerg)", scope=1).count)

    def test_pages_are_fetched_to_the_end(self):
        driver = self.opened()
        answer = driver.search(self.people, "(objectClass=inetOrgPerson)", "uid", page=100)
        self.assertEqual(("ok", USERS + 1, 4), (answer.outcome, answer.count, answer.pages))

    def test_what_is_no_answer_is_told_apart(self):
        driver = self.opened()
        answer = driver.search(self.people, "(objectClass=inetOrgPerson)", size=5)
        self.assertEqual(("limit", 4, 5), (answer.outcome, answer.code, answer.count))
        self.assertEqual("no-such-object", driver.search("ou=nowhere," + self.people, "(objectClass=*)").outcome)
        self.assertEqual("refused", driver.search(self.people, "(uid=").outcome)
        self.assertEqual("refused", driver.search("no DN", "(objectClass=*)").outcome)
        self.assertEqual("ok", driver.search(self.people, "(uid=joerg)").outcome)

    def test_referrals_are_not_followed(self):
        driver = self.opened()
        parent = "ou=referrals," + self.slapd.suffix
        answer = driver.search("ou=elsewhere," + parent, "(objectClass=*)", scope=0)
        self.assertEqual(("referral", 10, 0), (answer.outcome, answer.code, answer.count))
        answer = driver.search(parent, "(objectClass=*)")
        self.assertEqual(("ok", 1), (answer.outcome, answer.count))

    def test_every_allocation_may_fail(self):
        for uri, options in ((self.slapd.uri, {}), (self.slapd.ldaps_uri, {"tls": "ldaps", "ca_file": self.slapd.ca_file})):
            answer = self.drive(uri, bind="simple", **options).ask("memory 10000 " + self.people, patience_s=200)
            self.assertRegex(answer, "^MEMORY [0-9]+ ok$")
            self.assertGreater(int(answer.split()[1]), 20)

    def test_a_batch_larger_than_the_window(self):
        driver = self.opened()
        self.assertRegex(driver.ask("batch 20000 200 " + self.people), "^BATCH 200 200 ok ")

    def test_ping(self):
        self.assertRegex(self.opened().ask("ping 5000"), "^PING ok 1 ")

    def test_ranges(self):
        forest = Forest()
        with forest:
            domain = forest.root
            domain.group("large", [domain.user("m%04d" % i) for i in range(1600)])
            driver = self.opened(domain.dc.uri, dn=forest.service_dn, secret=forest.service_password)
            self.assertEqual("ok", driver.search(domain.suffix, "(sAMAccountName=large)", "member").outcome)
            [(_, attributes)] = driver.entries()
            self.assertEqual(["member"], list(attributes))
            self.assertEqual(1600, len(set(attributes["member"])))

    def test_an_attribute_that_comes_in_two_parts_is_not_had(self):
        # slapadd keeps the parts apart when its values do not stand together.
        dn = "cn=parted,ou=groups," + self.slapd.suffix
        text = "dn: %s\nobjectClass: groupOfNames\ncn: parted\nmember: cn=a\ndescription: x\nmember: cn=b\n\n" % dn
        with Slapd(ldif=text, authority=self.authority) as slapd:
            driver = self.opened(slapd.uri)
            answer = driver.search(slapd.suffix, "(cn=parted)", "member")
            if answer.outcome == "ok":  # this slapd joins them
                [(_, attributes)] = driver.entries()
                self.assertEqual([b"cn=a", b"cn=b"], sorted(attributes["member"]))
            else:
                self.assertEqual("incomplete", answer.outcome)


class Security(Case):
    def test_binds(self):
        self.refused(BIND, "invalid credentials", bind="simple", secret="wrong")
        self.drive(bind="anonymous").open()
        for mechanism in ("GSSAPI", "EXTERNAL", "SCRAM-SHA-256", "GSS-SPNEGO"):
            self.refused(RESOLVE, "cannot bind by the mechanism '%s' [write mechanism=\"negotiate\"" % mechanism,
                         bind=mechanism)

    def test_tls_where_the_library_can_do_nothing_for_it(self):
        for tls, uri in (("ldaps", self.slapd.ldaps_uri), ("starttls", self.slapd.uri)):
            with self.subTest(tls):
                driver = self.opened(uri, tls=tls, ca_file=self.slapd.ca_file)
                self.assertEqual(1, driver.search(self.people, "(uid=joerg)").count)
                self.assertEqual("BYE", driver.close())

    def test_what_is_shipped_sends_nothing_where_it_cannot_be_secured(self):
        for tls, uri, option in (("ldaps", self.slapd.ldaps_uri, "SSL"),
                                 ("starttls", self.slapd.uri, "SERVER_CERTIFICATE")):
            self.refused(SECURE, "does not take the option " + option, uri, RELEASE_PROGRAM, bind="simple", tls=tls,
                         ca_file=self.slapd.ca_file)
        self.refused(SECURE, "does not take the option SIGN", None, RELEASE_PROGRAM, bind="negotiate")
        # In clear text, which the policy asks for in words, it works.
        self.opened(program=RELEASE_PROGRAM)

    def test_a_policy_that_wants_tls_gets_no_clear_text(self):
        self.refused(RESOLVE, "is not an ldaps URI", bind="simple", tls="ldaps", ca_file=self.slapd.ca_file)
        forest = Forest()
        with forest:  # it has no TLS
            self.refused(SECURE, "could not start TLS", forest.root.dc.uri, bind="simple", tls="starttls",
                         ca_file=self.slapd.ca_file)

    def test_a_file_of_authorities_that_cannot_be_used(self):
        self.refused(RESOLVE, "could not read the CA file", self.slapd.ldaps_uri, bind="simple", tls="ldaps",
                     ca_file=os.path.join(self.folder, "nowhere.pem"))

    def test_who_cannot_be_reached(self):
        self.refused(CONNECT, "could not connect to '127.0.0.1' port 1", "ldap://127.0.0.1:1", bind="simple")
        self.refused(RESOLVE, "could not find the address of 'nowhere.invalid'", "ldap://nowhere.invalid", bind="simple")


if __name__ == "__main__":
    unittest.main()
