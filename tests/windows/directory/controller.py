#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
wldap32 under Wine, and a real domain controller: `controller.py PROGRAM WATCHER SEEKER`. Wine cannot bind by the process's own identity, so the mechanism
"negotiate" is told whose to take (tests/support/dir_waiver_wine.c); what comes of it is NTLM, where Windows speaks Kerberos.
"""
import os
import sys
import time
import unittest

from driving import BIND, Driver, keep_awake
from testbed_process import find_program
from testbed_samba import Samba
from testbed_wine import Wine
from watching import Watcher

SEEKER = os.path.abspath(sys.argv.pop())
WATCHER = os.path.abspath(sys.argv.pop())
PROGRAM = os.path.abspath(sys.argv.pop())

EXTENDED_DN, DOMAIN_SCOPE, SHOW_DELETED = 1, 2, 8
PROMISE_S = 1


def fill(domain):
    people = [domain.user("alice"), domain.user("bob")]
    crowd = [domain.user("crowd%03d" % i) for i in range(60)]
    inner = domain.group("inner", people)
    domain.group("outer", [inner])
    domain.group("crowd", crowd)


class Controller(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # Before Wine: its sockets belong to its server, which has to be in the same network.
        cls.samba = Samba(fill)
        cls.samba.__enter__()
        cls.addClassCleanup(cls.samba.__exit__, None, None, None)
        cls.wine = Wine()
        cls.addClassCleanup(cls.wine.close)
        cls.addClassCleanup(keep_awake(cls.wine, PROGRAM))

    def drive(self, uri=None, bind="simple", **options):
        if bind == "simple":
            options.setdefault("dn", self.samba.service_dn)
            options.setdefault("secret", self.samba.service_password)
        driver = Driver(self.wine, PROGRAM, uri or self.samba.uri, bind=bind, **options)
        self.addCleanup(driver.close)
        return driver

    def opened(self, *arguments, **options):
        driver = self.drive(*arguments, **options)
        driver.open()
        return driver

    def look_up(self, driver, name, *attributes, flags=0):
        answer = driver.search(self.samba.suffix, "(sAMAccountName=%s)" % name, *attributes, flags=flags)
        self.assertEqual(("ok", 1), (answer.outcome, answer.count), answer)
        return driver.entries()[0]

    def test_entries_with_binary_values_and_extended_names(self):
        driver = self.opened()
        dn, attributes = self.look_up(driver, "alice", "objectSid", "memberOf", flags=EXTENDED_DN | DOMAIN_SCOPE)
        self.assertEqual(self.samba.person_dn("alice").lower(), dn.lower())
        [sid] = attributes["objectSid"]
        self.assertEqual((28, 1, 5), (len(sid), sid[0], sid[1]))
        [group] = attributes["memberOf"]
        self.assertRegex(group.decode(), "^<GUID=[0-9a-f-]{36}>;<SID=S-1-5-21-[0-9-]+>;CN=inner,")

    def test_the_groups_of_a_token(self):
        driver = self.opened()
        dn, _ = self.look_up(driver, "alice", "cn")
        answer = driver.search(dn, "(objectClass=*)", "tokenGroups", scope=0)
        self.assertEqual("ok", answer.outcome)
        self.assertGreaterEqual(len(driver.entries()[0][1]["tokenGroups"]), 3)

    def test_pages(self):
        answer = self.opened().search(self.samba.suffix, "(sAMAccountName=crowd0*)", page=25)
        self.assertEqual(("ok", 60, 3), (answer.outcome, answer.count, answer.pages))

    def test_tls(self):
        for tls, uri in (("ldaps", self.samba.ldaps_uri), ("starttls", self.samba.uri)):
            with self.subTest(tls):
                driver = self.opened(uri, tls=tls, ca_file=self.samba.ca_file)
                self.look_up(driver, "bob")

    def test_negotiate(self):
        if find_program("ntlm_auth") is None:
            self.skipTest("there is no ntlm_auth (package winbind), which Wine needs")
        who = {"WINE_BIND_USER": self.samba.service_user, "WINE_BIND_DOMAIN": self.samba.domain,
               "WINE_BIND_PASSWORD": self.samba.service_password}
        driver = self.opened(bind="negotiate", more=who)
        self.look_up(driver, "alice")
        answer = self.drive(bind="negotiate", more={**who, "WINE_BIND_PASSWORD": "wrong"}).ask("open 10000")
        self.assertRegex(answer, r"^OPEN refused %d " % BIND)

    def test_a_wrong_password_and_the_server_s_words(self):
        answer = self.drive(secret="wrong").ask("open 10000")
        self.assertRegex(answer, r"^OPEN refused %d " % BIND)
        self.assertIn("password", answer)

    def test_the_watch_hears_of_a_revocation_within_a_second(self):
        launcher = self.wine.launcher("watcher", WATCHER)
        os.environ.update(self.wine.environment())
        watcher = Watcher(launcher, "", [self.samba.uri], bind_dn=self.samba.service_dn, linger_ms=60000,
                          secret=self.samba.service_password)
        self.addCleanup(watcher.close)
        watcher.next("UP")
        took = []
        for name in ("alice", "bob"):
            self.samba.remove_member(self.samba.group_dn("inner"), self.samba.person_dn(name))
            told = time.monotonic()
            event = watcher.next("CHANGE", dn=self.samba.group_dn("inner"))
            took.append(event.at - told)
        self.assertLess(min(took), PROMISE_S)

    def test_it_is_found_by_dns_and_the_ldap_ping(self):
        done = self.wine.run(SEEKER, "ldap://", self.samba.dns_domain, text="ask 20000\nlist\n")
        server = "ldap://%s:389" % self.samba.host
        self.assertRegex(done.stdout, "^ANSWER ok [0-9]+ %s\nSERVERS %s\n" % (server, server), done.stderr)
        self.assertIn("those of the site 'Default-First-Site-Name' first", done.stderr)

    def test_a_domain_that_dns_does_not_know(self):
        done = self.wine.run(SEEKER, "ldap://nowhere.example", "nowhere.example", text="ask 20000\n")
        self.assertRegex(done.stdout, "^ANSWER unavailable ", done.stderr)
        self.assertIn("SRV '_ldap._tcp.dc._msdcs.nowhere.example': no such name", done.stderr)
        self.assertIn("nslookup -type=SRV", done.stderr)



if __name__ == "__main__":
    unittest.main()
