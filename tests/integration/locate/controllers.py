#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
Domain controllers found as clients of Active Directory find theirs: Samba's own DNS, its LDAP ping, and the sites that it keeps. (The seeker
binds anonymously, which is enough for a question to the root DSE.)
"""
import os
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
sys.path.insert(0, str(Path(__file__).resolve().parent))
import testbed  # noqa: E402
from seeking import Seeker, assert_logged, eventually  # noqa: E402
from testbed import Samba  # noqa: E402

PROGRAM = None
DOMAIN = "corp.example.test"
SAMBA_TOOL = testbed.need("samba-tool")
FIRST, SECOND = "ldap://dc1.%s:389" % DOMAIN, "ldap://dc2.%s:389" % DOMAIN


class ControllersTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.first = Samba()
        cls.addClassCleanup(cls.first.close)
        # Only the first one says where things are; the network's /etc/resolv.conf names it.
        cls.second = Samba(copy_of=cls.first, host="dc2", services="ldap, cldap")
        cls.addClassCleanup(cls.second.close)
        cls.first.start()
        cls.second.start()
        cls.add_srv("_ldap._tcp.dc", "dc2")

    @classmethod
    def dns(cls, verb, zone, name, kind, data):
        done = subprocess.run(
            [SAMBA_TOOL, "dns", verb, "10.53.0.1", zone, name, kind, data,
             "-s", os.path.join(cls.first.directory, "dc", "smb.conf"),
             "-U", "Administrator%" + cls.first.administrator_password], capture_output=True, text=True, check=False)
        if done.returncode:
            raise testbed.TestbedError(done.stdout + done.stderr)

    @classmethod
    def add_srv(cls, name, host):
        cls.dns("add", "_msdcs." + DOMAIN, name, "SRV", "%s.%s 389 0 100" % (host, DOMAIN))

    @classmethod
    def delete_srv(cls, name, host):
        cls.dns("delete", "_msdcs." + DOMAIN, name, "SRV", "%s.%s 389 0 100" % (host, DOMAIN))

    def seek(self, where="ldap:///", **environment):
        seeker = Seeker(PROGRAM, where, DOMAIN, **environment)
        self.addCleanup(seeker.__exit__, None, None, None)
        return seeker

    def await_servers(self, seeker, servers):
        eventually(self, lambda: seeker.servers() == servers, lambda: (seeker.servers(), seeker.log))

    def test_1_site_is_learnt_from_a_controller__its_servers_come_first(self):
        # The domain has both; dc1 alone has registered itself for the site.
        for where in ("ldap:///", "ldap://" + DOMAIN):
            seeker = self.seek(where)
            self.assertEqual(seeker.ask().uri, FIRST)
            self.await_servers(seeker, [FIRST, SECOND])
            assert_logged(self, seeker, "those of the site 'Default-First-Site-Name' first")

    def test_2_fail_over_to_another_site_and_back(self):
        seeker = self.seek()
        self.assertEqual(seeker.ask().uri, FIRST)
        self.first.suspend()
        try:
            answer = seeker.ask(5000)  # the hung one costs a deadline, not an answer
            eventually(self, lambda: seeker.ask(5000)[::2] == ("ok", SECOND), lambda: (answer, seeker.log))
        finally:
            self.first.resume()
        seeker.begin_steady(2000)
        self.assertEqual(seeker.end_steady().failed, 0, seeker.log)
        eventually(self, lambda: seeker.ask().uri == FIRST, lambda: seeker.log)

    def test_3_site_of_another_subnet(self):
        configuration = "CN=Configuration," + self.first.suffix
        site = "CN=HQ,CN=Sites," + configuration
        self.first.modify(
            "dn: %s\nobjectClass: site\n\ndn: CN=Servers,%s\nobjectClass: serversContainer\n\n"
            "dn: CN=10.53.0.0/24,CN=Subnets,CN=Sites,%s\nobjectClass: subnet\nsiteObject: %s\n"
            % (site, site, configuration, site))
        self.add_srv("_ldap._tcp.HQ._sites.dc", "dc2")
        seeker = self.seek(refresh_ms=300)
        assert_logged(self, seeker, "those of the site 'HQ' first")
        self.await_servers(seeker, [SECOND, FIRST])
        eventually(self, lambda: seeker.ask().uri == SECOND, lambda: seeker.log)
        # What the policy says is not asked for.
        other = self.seek(site="Default-First-Site-Name")
        self.assertEqual(other.ask().uri, FIRST)
        # It leaves the site, and then the domain: nobody notices.
        seeker.begin_steady(3000)
        self.delete_srv("_ldap._tcp.HQ._sites.dc", "dc2")
        self.delete_srv("_ldap._tcp.dc", "dc2")
        steady = seeker.end_steady()
        self.assertEqual(steady.failed, 0, seeker.log)
        self.await_servers(seeker, [FIRST])
        eventually(self, lambda: seeker.ask().uri == FIRST, lambda: seeker.log)

    def test_4_nobody_answers_the_ping__the_servers_are_found_all_the_same(self):
        seeker = self.seek(ping_port=testbed.free_port())
        self.assertEqual(seeker.ask().outcome, "ok")
        self.assertEqual(seeker.servers()[0], FIRST)
        assert_logged(self, seeker, "DNS names")
        self.assertFalse(seeker.has_logged("site"), seeker.log)

    def test_5_dns_restarts__comes_back_by_itself(self):
        self.first.stop()
        seeker = self.seek()
        self.assertEqual(seeker.ask(3000).outcome, "unavailable")
        self.first.start()
        eventually(self, lambda: seeker.ask().outcome == "ok", lambda: seeker.log)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    testbed.main()
