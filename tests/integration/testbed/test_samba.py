#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The domain controller of the test bed, tested: what the other tests take for granted about it."""
import base64
import concurrent.futures
import os
import re
import subprocess
import sys
import time
import unittest
import unittest.mock
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
import testbed  # noqa: E402
import testbed_samba  # noqa: E402
from testbed import Folder, Samba, TestbedError, ldif_line  # noqa: E402

LDAPSEARCH, LDAPWHOAMI = testbed.need("ldapsearch", "ldapwhoami")
MACHINE_NETWORK = os.readlink("/proc/self/ns/net")
OTHER_SID = "S-1-5-21-9-9-9-1234"


def fill(domain):
    alice = domain.user("alice", password="User-Passw0rd1", l="Rome", upn="alice@other.example.test")
    domain.user("bob", cn='o\'b, "x" #é')
    domain.user("gone", userAccountControl="514")
    inner = domain.group("inner", [alice])
    local = domain.group("local", [inner], scope="local")
    domain.group("universal", [inner], scope="universal")
    mail = domain.group("mail", [alice], scope="universal", security=False)
    domain.group("behind-mail", [mail], scope="universal")
    primary = domain.group("primary")
    domain.set_primary_group(alice, primary)
    domain.add_members(local, ["<SID=%s>" % OTHER_SID])
    ring = [domain.group("ring-" + name) for name in "abc"]
    for group, member in zip(ring, ring[1:] + ring[:1]):
        domain.add_members(group, [member])
    return {name: domain.sid(domain.group_dn(name))
            for name in ("inner", "local", "universal", "mail", "behind-mail", "primary")}


def search(samba, *arguments, bind=None, uri=None, env=None):
    """ldapsearch as the service account (StartTLS and its password unless told otherwise)."""
    bind = bind or ("-ZZ", "-x", "-D", samba.service_upn, "-w", samba.service_password)
    command = [LDAPSEARCH, "-LLL", "-Q", "-o", "nettimeout=2", "-o", "ldif-wrap=no", "-H", uri or samba.uri, *bind, "-b",
               samba.suffix, *arguments]
    if "-x" in bind:
        command.remove("-Q")
    return testbed.run(*command, check=False,
                       env=dict(env or os.environ, LDAPTLS_CACERT=samba.ca_file, LDAPTLS_REQCERT="demand"))


def token_groups(samba, dn):
    """The SIDs of tokenGroups, by the directory's own computation."""
    done = search(samba, "-b", dn, "-s", "base", "tokenGroups")
    return set(re.findall(r"^tokenGroups:: (.*)$", done.stdout, re.M)), done


class Data(unittest.TestCase):
    """One controller for all that only reads."""

    @classmethod
    def setUpClass(cls):
        cls.samba = Samba(fill)
        cls.addClassCleanup(cls.samba.close)
        cls.samba.start()

    def test_simple_bind__over_each_transport(self):
        plain = ("-x", "-D", self.samba.service_upn, "-w", self.samba.service_password)
        for uri, bind in ((self.samba.uri, plain), (self.samba.uri, ("-ZZ",) + plain), (self.samba.ldaps_uri, plain)):
            with self.subTest(uri=uri, bind=bind[0]):
                done = search(self.samba, "(sAMAccountName=alice)", "l", uri=uri, bind=bind)
                self.assertIn("l: Rome", done.stdout, done.stderr)

    def test_kerberos__from_the_keytab_alone_and_by_login(self):
        self.samba.login("logged-in")
        for environment in (self.samba.client_environment("fresh"),
                            self.samba.client_environment("logged-in", keytab=False)):
            for mechanism in ("GSSAPI", "GSS-SPNEGO"):
                with self.subTest(mechanism=mechanism):
                    done = search(self.samba, "(sAMAccountName=alice)", "l", bind=("-Y", mechanism), env=environment)
                    self.assertIn("l: Rome", done.stdout, done.stderr)

    def test_service_account__does_not_write(self):
        done = testbed.run(testbed.need("ldapmodify"), "-x", "-H", self.samba.uri, "-D", self.samba.service_upn, "-w",
                           self.samba.service_password, text="dn: %s\nchangetype: delete\n" %
                           self.samba.person_dn("alice"), check=False)
        self.assertEqual(done.returncode, 50, done.stderr)

    def test_groups__of_every_scope_and_kind(self):
        types = {"inner": -2147483646, "local": -2147483644, "universal": -2147483640, "mail": 8}
        for name, value in types.items():
            self.assertIn("groupType: %d\n" % value, search(self.samba, "(cn=%s)" % name, "groupType").stdout)

    def test_token_groups__know_nesting_primary_group_and_no_mail(self):
        [groups, done] = token_groups(self.samba, self.samba.person_dn("alice"))
        self.assertTrue(groups, done)
        have = {name: self.is_in_token(groups, sid) for name, sid in self.samba.filled.items()}
        self.assertEqual(have, {"inner": True, "local": True, "universal": True, "primary": True, "mail": False,
                                "behind-mail": False})

    def is_in_token(self, groups, sid):
        done = search(self.samba, "(objectSid=%s)" % sid, "objectSid")
        return re.search(r"^objectSid:: (.*)$", done.stdout, re.M).group(1) in groups

    def test_primary_group__is_not_a_link(self):
        self.assertNotIn("member:", search(self.samba, "(cn=primary)", "member").stdout)
        rid = self.samba.filled["primary"].rsplit("-", 1)[1]
        self.assertIn("primaryGroupID: %s\n" % rid, search(self.samba, "(sAMAccountName=alice)", "primaryGroupID").stdout)

    def test_foreign_security_principal__is_a_member(self):
        self.assertIn("member: CN=%s,CN=ForeignSecurityPrincipals," % OTHER_SID,
                      search(self.samba, "(cn=local)", "member").stdout)

    def test_domain__has_the_sid_that_it_is_told(self):
        for sid in self.samba.filled.values():
            self.assertTrue(sid.startswith(self.samba.domain_sid + "-"))

    def test_awkward_name__is_escaped(self):
        self.assertEqual(self.decoded("(sAMAccountName=bob)"),
                         ['CN=o\'b\\, \\"x\\" \\#é,OU=People,' + self.samba.suffix])

    def decoded(self, query):
        done = search(self.samba, query, "distinguishedName")
        return [base64.b64decode(value).decode()
                for value in re.findall(r"^distinguishedName:: (.*)$", done.stdout, re.M)]

    def test_dns__names_the_controller(self):
        dig = testbed.need("dig")
        for name, kind, expected in (("_ldap._tcp." + self.samba.dns_domain, "SRV", "389 dc1."),
                                     ("_ldap._tcp.dc._msdcs." + self.samba.dns_domain, "SRV", "389 dc1."),
                                     ("_ldap._tcp.Default-First-Site-Name._sites.dc._msdcs." + self.samba.dns_domain,
                                      "SRV", "389 dc1."),
                                     (self.samba.host, "A", self.samba.address)):
            with self.subTest(name=name):
                self.assertIn(expected, testbed.run(dig, "+short", name, kind).stdout)

    def test_global_catalog__answers(self):
        done = search(self.samba, "(sAMAccountName=alice)", "cn", uri="ldap://%s:3268" % self.samba.host)
        self.assertIn("cn: alice", done.stdout, done.stderr)


class Writes(unittest.TestCase):

    def test_changes__are_seen_by_others(self):
        with Samba(fill) as samba:
            group, bob = samba.group_dn("inner"), "CN=new,OU=People," + samba.suffix
            samba.modify("\n".join((ldif_line("dn", bob), "objectClass: user", "sAMAccountName: new", "")))
            samba.add_member(group, bob)
            self.assertIn("memberOf: " + group, search(samba, "(sAMAccountName=new)", "memberOf").stdout)
            samba.replace(bob, "physicalDeliveryOfficeName", "EMEA")
            self.assertIn(": EMEA", search(samba, "(sAMAccountName=new)", "physicalDeliveryOfficeName").stdout)
            samba.remove_member(group, bob)
            self.assertNotIn("memberOf", search(samba, "(sAMAccountName=new)", "memberOf").stdout)
            samba.delete(bob)
            self.assertNotIn("dn:", search(samba, "(sAMAccountName=new)", "1.1").stdout)

    def test_bad_fill__is_an_error(self):
        with self.assertRaisesRegex(TestbedError, "filled"):
            Samba(lambda domain: domain.user("no*star"))


class Life(unittest.TestCase):

    def test_restart__keeps_the_data(self):
        with Samba(fill) as samba:
            samba.replace(samba.person_dn("alice"), "l", "Oslo")
            for end in (samba.stop, samba.kill):
                end()
                self.assertNotEqual(search(samba).returncode, 0)
                samba.start()
                self.assertIn("l: Oslo", search(samba, "(sAMAccountName=alice)", "l").stdout)

    def test_suspend__hangs_until_resumed(self):
        for model in ("single", "prefork"):
            with self.subTest(model=model), Samba(model=model) as samba:
                command = [LDAPSEARCH, "-x", "-H", samba.uri, "-b", "", "-s", "base", "1.1"]
                samba.suspend()
                with self.assertRaises(subprocess.TimeoutExpired):
                    subprocess.run(command, timeout=0.3, check=False, capture_output=True)
                samba.resume()
                self.assertEqual(subprocess.run(command, timeout=20, check=False, capture_output=True).returncode, 0)

    def test_close__leaves_no_process_and_no_folder(self):
        for model in ("single", "prefork"):
            with self.subTest(model=model):
                with Samba(model=model) as samba:
                    group, folder = samba.pid, samba.directory
                    self.assertTrue(processes_of(group))
                    samba.suspend()
                testbed.wait_until(lambda: not processes_of(group), 5, "the end of the controller's processes")
                self.assertFalse(os.path.exists(folder))

    def test_killed_test__takes_its_controller_along(self):
        script = ("import sys, time; sys.path.insert(0, %r); import testbed\n"
                  "samba = testbed.Samba(directory=%r, model='prefork'); samba.start()\n"
                  "print(samba.pid, flush=True); time.sleep(60)\n")
        with Folder() as folder:
            with subprocess.Popen([sys.executable, "-c", script % (sys.path[0], folder.join("samba"))],
                                  stdout=subprocess.PIPE, text=True) as test:
                group = int(test.stdout.readline())
                test.kill()
            testbed.wait_until(lambda: not processes_of(group), 10, "the end of the controller's processes")

    def test_second_controller__holds_the_same_and_fails_alone(self):
        first = Samba(fill)
        self.addCleanup(first.close)
        second = Samba(host="dc2", copy_of=first)
        self.addCleanup(second.close)
        for samba in (first, second):
            samba.start()
        for samba in (first, second):
            done = search(samba, "(sAMAccountName=alice)", "l", bind=("-Y", "GSSAPI"), env=samba.client_environment())
            self.assertIn("l: Rome", done.stdout, done.stderr)
            self.assertIn("l: Rome", search(samba, "(sAMAccountName=alice)", "l").stdout)
        first.kill()
        self.assertNotEqual(search(first).returncode, 0)
        self.assertIn("l: Rome", search(second, "(sAMAccountName=alice)", "l").stdout)


class StrongAuthentication(unittest.TestCase):
    """`ldap server require strong auth`, by what is taken: 0 the bind, 8 a stronger one is wanted."""

    def test_matrix(self):
        rows = {"no": (0, 0, 0, 0), "allow_sasl_over_tls": (8, 0, 0, 0), "yes": (8, 0, 0, 8)}
        with Samba() as samba:
            for strong_auth, expected in rows.items():
                samba.reconfigure(strong_auth=strong_auth)
                env = samba.client_environment()
                simple = ("-x", "-D", samba.service_upn, "-w", samba.service_password)
                have = (search(samba, "-s", "base", bind=simple),
                        search(samba, "-s", "base", bind=("-ZZ",) + simple),
                        search(samba, "-s", "base", bind=("-Y", "GSSAPI"), env=env),
                        search(samba, "-s", "base", bind=("-ZZ", "-Y", "GSSAPI", "-O", "maxssf=0"), env=env))
                with self.subTest(strong_auth=strong_auth):
                    self.assertEqual(tuple(done.returncode for done in have), expected)


class Cache(unittest.TestCase):

    def test_domain__wanted_by_several_at_once__is_made_once(self):
        made = []

        def make(path):
            made.append(path)
            time.sleep(0.1)
            testbed.write_file(path, "a domain")

        with Folder() as folder, unittest.mock.patch("testbed_samba._make_domain", make), \
                unittest.mock.patch.dict(os.environ, {testbed_samba.CACHE_VARIABLE: folder.path}):
            with concurrent.futures.ThreadPoolExecutor(4) as executor:
                paths = list(executor.map(testbed_samba.cached_domain, [folder.join("scratch")] * 4))
            self.assertEqual((set(paths), len(made)), ({made[0]}, 1))

    def test_network__is_private(self):
        with Samba() as samba:
            self.assertNotEqual(os.readlink("/proc/self/ns/net"), MACHINE_NETWORK)
            self.assertEqual(os.readlink("/proc/self/ns/net"), os.readlink("/proc/%d/ns/net" % samba.pid))


class ByHand(unittest.TestCase):

    def test_run_samba__gives_the_command_a_controller(self):
        script = '%s -LLL -Q -Y GSSAPI -H "$SAMBA_URI" -b "$SAMBA_SUFFIX" "(sAMAccountName=zoe)" l' % LDAPSEARCH
        with Folder() as folder:
            fill_file = folder.write("fill.py", "def fill(domain):\n    domain.user('zoe', l='Rome')\n")
            done = testbed.run("/usr/bin/python3", testbed.__file__, "run-samba", "--fill", fill_file, "--", "sh", "-c",
                               script)
        self.assertIn("l: Rome", done.stdout)


def processes_of(group):
    """The processes of a process group that are not just waiting to be buried."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % name, encoding="ascii", errors="replace") as file:
                state, _, in_group = file.read().rsplit(")", 1)[1].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(in_group) == group and state != "Z":
            found.append(int(name))
    return found


if __name__ == "__main__":
    testbed.main()
