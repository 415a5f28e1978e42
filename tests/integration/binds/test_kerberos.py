#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
Kerberos binds by keytab and by credential cache, with a real KDC and slapd: they decide; tickets are renewed without a
gap; what is refused says what is to blame.
"""
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
import testbed  # noqa: E402
from asking import Asking  # noqa: E402
from testbed import REALM, Kdc, Slapd, group, person  # noqa: E402

MANY = ["person%d" % number for number in range(3000)]
# "many" is an entry of 150 KB: more than one packet of the security layer (65536 bytes) holds.
PEOPLE = person("alice") + person("bob") + group("admins", ["alice"]) + group("many", ["alice"] + MANY)
SERVICE = "wsmauthz"
# Each with its key in a file of its own, NAME.keytab.
ACCOUNTS = (SERVICE, "rekeyed", "locked", "gone", "short")
# MIT's library asks a KDC that is silent for that long at most (dir_tickets.h), and one more time for luck.
SILENT_KDC_S = 45


class KerberosTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.program = testbed.wsmauthz()
        cls.klist, cls.kinit = testbed.need("klist", "kinit")
        cls.kdc = Kdc(principals=(SERVICE,))
        cls.addClassCleanup(cls.kdc.close)
        cls.kdc.administer(*("addprinc +requires_preauth -randkey " + name for name in ACCOUNTS[1:]),
                           *("ktadd -k %s -norandkey %s" % (cls.keytab_of(name), name) for name in ACCOUNTS))
        cls.kdc.start()
        cls.slapd = Slapd(ldif=PEOPLE, kdc=cls.kdc)
        cls.addClassCleanup(cls.slapd.close)
        cls.slapd.start()
        cls.host_uri = "ldap://localhost:%d" % cls.slapd.port

    @classmethod
    def keytab_of(cls, name):
        return os.path.join(cls.kdc.directory, name + ".keytab")

    def file(self, name):
        return os.path.join(self.slapd.directory, "%s.%s" % (self.id().rsplit(".", 1)[1], name))

    def policy(self, *, mechanism="GSSAPI", tls="none", uri=None, slapd=None, timeout="10s", **bind):
        slapd = slapd or self.slapd
        if uri is None:
            uri = "ldaps://localhost:%d" % slapd.tls_port if tls == "ldaps" else "ldap://localhost:%d" % slapd.port
        return testbed.write_policy(self.file("xml"), slapd, allow=[slapd.group_dn("admins")], tls=tls, uri=uri,
                                    bind=dict(bind, mechanism=mechanism), timeout=timeout)

    def environment(self, libdefaults="", kdc_port=None, **more):
        """This KDC, and no ticket or key but what the policy names."""
        kdc = self.kdc.client_environment()
        conf = Path(kdc["KRB5_CONFIG"]).read_text(encoding="utf-8")
        conf = conf.replace("[libdefaults]\n", "[libdefaults]\n" + libdefaults)
        if kdc_port:
            conf = re.sub(r"(kdc = [^:]*):\d+", r"\1:%d" % kdc_port, conf)
        path = self.file("krb5.conf")
        testbed.write_file(path, conf)
        env = dict(os.environ, KRB5_CONFIG=path, KRB5CCNAME="FILE:" + self.file("default-cache"), **more)
        env.pop("KRB5_CLIENT_KTNAME", None)
        return env

    def login(self, cache, *options):
        """What k5start does: a new file of tickets takes the old one's place."""
        new = cache + ".new"
        testbed.run(self.kinit, *options, "-c", "FILE:" + new, "-k", "-t", self.keytab_of(SERVICE), SERVICE,
                    env=self.environment())
        os.rename(new, cache)

    def decide(self, policy, env=None, **more):
        return testbed.check(self.program, policy, ["CORP\\alice", "CORP\\bob"], env=env or self.environment(), **more)

    def assert_decides(self, policy, env=None):
        answers = self.decide(policy, env)
        self.assertEqual([a["verdict"] for a in answers], ["authorize", "deny"], answers.stderr)

    def assert_blames(self, words, policy, env=None, **more):
        answers = self.decide(policy, env, **more)
        self.assertEqual([a["verdict"] for a in answers], ["error", "error"], answers.stderr)
        self.assertIn(words, answers.stderr)
        return answers

    def assert_logged(self, expression):
        self.assertIsNotNone(re.search(expression, self.slapd.log()), "slapd's log has no line: " + expression)

    # What works

    def test_keytab(self):
        for mechanism in ("GSSAPI", "GSS-SPNEGO"):
            for tls in ("none", "starttls", "ldaps"):
                with self.subTest(mechanism=mechanism, tls=tls):
                    self.assert_decides(self.policy(mechanism=mechanism, tls=tls, keytab=self.keytab_of(SERVICE),
                                                    principal="%s@%s" % (SERVICE, REALM)))
        self.assertFalse(os.path.exists(self.file("default-cache")), "the user's own cache was touched")

    def test_connection_without_tls_is_sealed(self):
        self.assert_decides(self.policy(keytab=self.keytab_of(SERVICE)))
        self.assert_logged(r'BIND dn="uid=wsmauthz,.* mech=GSSAPI bind_ssf=256 ssf=256\n')

    def test_tls_connection_is_not_sealed_twice(self):
        self.assert_decides(self.policy(tls="ldaps", keytab=self.keytab_of(SERVICE)))
        self.assert_logged(r'BIND dn="uid=wsmauthz,.* mech=GSSAPI bind_ssf=0 ssf=[1-9]')

    def test_answer_in_several_packets_of_the_layer(self):
        for mechanism in ("GSSAPI", "GSS-SPNEGO"):
            with self.subTest(mechanism=mechanism):
                policy = testbed.write_policy(
                    self.file("xml"), self.slapd, allow=[self.slapd.group_dn("many")], uri=self.host_uri,
                    bind={"mechanism": mechanism, "keytab": self.keytab_of(SERVICE)}, timeout="10s")
                self.assert_decides(policy)

    def test_careless_configuration_of_libldap_has_no_say(self):
        """What ldap.conf and the environment say of SASL would take the seal off, and the channel binding."""
        lines = {"SASL_SECPROPS": "none,maxssf=0", "SASL_MECH": "PLAIN", "SASL_CBINDING": "none", "SASL_NOCANON": "off",
                 "SASL_AUTHZID": "dn:cn=somebody", "SASL_REALM": "ELSEWHERE"}
        testbed.write_file(self.file("ldap.conf"), "".join("%s %s\n" % line for line in lines.items()))
        env = self.environment(LDAPCONF=self.file("ldap.conf"), **{"LDAP" + name: value for name, value in lines.items()})
        env.pop("LDAPNOINIT", None)
        before = len(self.slapd.log())
        self.assert_decides(self.policy(keytab=self.keytab_of(SERVICE)), env)
        self.assertIn("mech=GSSAPI bind_ssf=256 ssf=256", self.slapd.log()[before:])

    def test_own_cache_then_own_client_keytab(self):
        """With nothing in the policy: the process's own tickets, and when they are old its own keys."""
        cache = self.file("default-cache")
        env = self.environment()
        self.assert_blames("Kerberos", self.policy(), env)
        self.login(cache)
        before = Path(cache).read_bytes()
        self.assert_decides(self.policy(), env)
        self.login(cache, "-l", "1s")
        time.sleep(2.1)
        self.assert_blames("the Kerberos ticket has expired", self.policy(), env)
        env["KRB5_CLIENT_KTNAME"] = self.keytab_of(SERVICE)
        old = Path(cache).read_bytes()
        self.assert_decides(self.policy(), env)
        self.assertEqual(Path(cache).read_bytes(), old, "the process's own cache was written to")
        self.assertNotEqual(old, before)

    def test_first_key_without_a_principal(self):
        self.assert_decides(self.policy(keytab=self.keytab_of(SERVICE)))

    def test_cache_is_read_anew(self):
        cache = self.file("cache")
        policy = self.policy(credential_cache=cache)
        self.assert_blames("there is no Kerberos ticket", policy)
        self.login(cache, "-l", "1s")
        time.sleep(2.1)
        self.assert_blames("the Kerberos ticket has expired", policy)
        self.login(cache)
        before = Path(cache).read_bytes()
        self.assert_decides(policy)
        self.assertEqual(Path(cache).read_bytes(), before, "the cache of another program was written to")

    def test_keytab_is_read_anew(self):
        keytab = self.file("keytab")
        shutil.copy(self.keytab_of("gone"), keytab)
        os.chmod(keytab, 0o600)
        policy = self.policy(keytab=keytab)
        with Asking(self.program, policy, self.environment()) as asking:
            self.assertEqual(asking.ask("CORP\\alice")["verdict"], "error")  # "gone" may read nothing
        shutil.copy(self.keytab_of(SERVICE), keytab)
        self.assert_decides(policy)

    # Renewal

    def test_tickets_are_renewed_without_a_gap(self):
        """Tickets of some seconds, over several times their life: always new connections, never an error."""
        policy = self.policy(keytab=self.keytab_of(SERVICE))
        before = self.slapd.log().count("mech=GSSAPI")
        with Asking(self.program, policy, self.environment(" ticket_lifetime = 5s\n")) as asking:
            end = time.monotonic() + 12
            while time.monotonic() < end:
                self.assertEqual(asking.ask("CORP\\alice")["verdict"], "authorize", asking.errors())
                time.sleep(0.02)
        binds = len(re.findall(r"BIND dn=.* mech=GSSAPI", self.slapd.log())) - before
        self.assertGreaterEqual(binds, 2 * 3, "two connections, each of them made anew about every 4 s")
        self.assertNotIn("warning", asking.errors())

    def test_kdc_that_stops_costs_the_connections_nothing(self):
        policy = self.policy(keytab=self.keytab_of(SERVICE))
        with Asking(self.program, policy, self.environment(" ticket_lifetime = 4s\n")) as asking:
            self.assertEqual(asking.ask("CORP\\alice")["verdict"], "authorize", asking.errors())
            self.kdc.stop()
            try:
                end = time.monotonic() + 6
                while time.monotonic() < end:
                    self.assertEqual(asking.ask("CORP\\alice")["verdict"], "authorize", asking.errors())
                    time.sleep(0.05)
            finally:
                self.kdc.start()
        self.assertIn("no Kerberos server (KDC) answered", asking.errors())

    def test_kdc_that_comes_late(self):
        self.kdc.stop()
        try:
            with Asking(self.program, self.policy(keytab=self.keytab_of(SERVICE)), self.environment()) as asking:
                self.assertEqual(asking.ask("CORP\\alice")["verdict"], "error")
                self.kdc.start()
                testbed.wait_until(lambda: asking.ask("CORP\\alice")["verdict"] == "authorize", 30, "the bind")
            self.assertIn("no Kerberos server (KDC) answered", asking.errors())
        finally:
            if not self.kdc.is_running():
                self.kdc.start()

    # What is to blame

    def test_wrong_keytab_of_the_policy(self):
        open_keytab = self.file("open.keytab")
        shutil.copy(self.keytab_of(SERVICE), open_keytab)
        os.chmod(open_keytab, 0o644)
        for path, words in ((open_keytab, "chmod o-rwx"), (self.file("absent"), "bind/@keytab")):
            policy = self.policy(keytab=path)
            done = subprocess.run([self.program, "check", "--config", policy, "alice"], capture_output=True, text=True,
                                  check=False, env=self.environment())
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertIn(words, done.stderr)

    def test_principal_without_a_key(self):
        self.assert_blames("the keytab has no usable key for the principal",
                           self.policy(keytab=self.keytab_of(SERVICE), principal="other@" + REALM))

    def test_file_that_is_no_keytab(self):
        keytab = self.file("keytab")
        testbed.write_file(keytab, "no keytab", 0o600)
        self.assert_blames("the keytab has no usable key", self.policy(keytab=keytab))

    def test_cache_of_another(self):
        cache = self.file("cache")
        self.login(cache)
        self.assert_blames("holds another principal", self.policy(credential_cache=cache, principal="x@" + REALM))

    def test_old_key(self):
        self.kdc.administer("cpw -randkey rekeyed")
        self.assert_blames("did not accept the key of the keytab", self.policy(keytab=self.keytab_of("rekeyed")))

    def test_disabled_account(self):
        self.kdc.administer("modprinc -allow_tix locked")
        self.assert_blames("the account is disabled, or locked", self.policy(keytab=self.keytab_of("locked")))

    def test_unknown_account(self):
        keytab = self.file("keytab")
        self.kdc.administer("addprinc -randkey ghost", "ktadd -k %s -norandkey ghost" % keytab, "delprinc -force ghost")
        self.assert_blames("Kerberos does not know our principal", self.policy(keytab=keytab))

    def test_unknown_service(self):
        """By an address no service is known; the name would have been."""
        self.kdc.administer("delprinc -force ldap/127.0.0.1")
        answers = self.assert_blames("knows no service ldap/ of this server's name (SPN)",
                                     self.policy(keytab=self.keytab_of(SERVICE), uri=self.slapd.uri))
        self.assertIn("no ticket for ldap/127.0.0.1", answers.stderr)
        self.assertIn("full DNS name", answers.stderr)

    def test_unknown_realm(self):
        keytab = self.file("keytab")
        self.kdc.administer("addprinc -randkey x@NOWHERE.EXAMPLE", "ktadd -k %s x@NOWHERE.EXAMPLE" % keytab)
        answers = self.assert_blames("realm is not known here", self.policy(keytab=keytab))
        self.assertIn("krb5.conf", answers.stderr)

    def test_wrong_clock(self):
        """This host is an hour ahead, and its Kerberos library is not told to go by the KDC's clock."""
        faketime = testbed.need("faketime")
        # faketime's library comes before AddressSanitizer's, where the program has that.
        env = self.environment(" kdc_timesync = 0\n", FAKETIME_DONT_FAKE_MONOTONIC="1", DONT_FAKE_MONOTONIC="1",
                               ASAN_OPTIONS="verify_asan_link_order=0")
        done = subprocess.run([faketime, "-f", "+1h", self.program, "check", "--config",
                               self.policy(keytab=self.keytab_of("short")), "--json", "CORP\\alice"],
                              capture_output=True, text=True, env=env, check=False, timeout=60)
        self.assertEqual(json.loads(done.stdout)["verdict"], "error", done.stderr)
        self.assertIn("the clocks of this host and of the servers differ too much", done.stderr)

    def test_old_key_of_the_server(self):
        keytab = self.file("keytab")
        with Kdc(principals=(SERVICE,)) as kdc, Slapd(ldif=PEOPLE, kdc=kdc) as slapd:
            kdc.administer("cpw -randkey ldap/localhost")
            os.chmod(kdc.client_keytab, 0o600)
            env = dict(kdc.client_environment(), KRB5CCNAME="FILE:" + keytab)
            self.assert_blames("the server did not accept our Kerberos ticket",
                               self.policy(slapd=slapd, keytab=kdc.client_keytab), env)

    def test_layer_that_is_too_weak(self):
        env = self.environment(" permitted_enctypes = aes128-cts-hmac-sha1-96\n")
        self.assert_decides(self.policy(keytab=self.keytab_of(SERVICE), minssf=128), env)
        self.assert_blames("protected less than bind/@minssf wants",
                           self.policy(keytab=self.keytab_of(SERVICE), minssf=256), env)

    def test_server_that_takes_the_layer_off(self):
        """So would somebody on the way who changes what the server offers; nothing is sent over such a connection."""
        self.slapd.reconfigure(extra_global="sasl-secprops maxssf=0")
        self.addCleanup(self.slapd.reconfigure, extra_global="")
        before = len(self.slapd.log())
        self.assert_blames("protected less than bind/@minssf wants", self.policy(keytab=self.keytab_of(SERVICE)))
        self.assertNotIn(" SRCH ", self.slapd.log()[before:])
        self.assert_decides(self.policy(keytab=self.keytab_of(SERVICE), minssf=0))
        self.assert_logged(r'BIND dn="uid=wsmauthz,.* mech=GSSAPI bind_ssf=0 ssf=0\n')
        self.assert_decides(self.policy(tls="ldaps", keytab=self.keytab_of(SERVICE)))

    def test_server_that_wants_more(self):
        """It takes the bind, and then no search (13)."""
        self.slapd.reconfigure(extra_global="sasl-secprops maxssf=0\nsecurity sasl=128")
        self.addCleanup(self.slapd.reconfigure, extra_global="")
        self.assert_blames("confidentiality required (13)", self.policy(keytab=self.keytab_of(SERVICE), minssf=0))

    def test_silent_kdc(self):
        """Nobody is held longer than the policy says, and the program ends when the library has given up."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
            udp.bind(("127.0.0.1", 0))
            port = udp.getsockname()[1]
            tcp.bind(("127.0.0.1", port))
            tcp.listen()
            policy = self.policy(keytab=self.keytab_of(SERVICE), timeout="2s")
            with Asking(self.program, policy, self.environment(kdc_port=port)) as asking:
                began = time.monotonic()
                answer = asking.ask("CORP\\alice")
                self.assertEqual(answer["verdict"], "error")
                self.assertLess(time.monotonic() - began, 2 + 3)
                asking.close(SILENT_KDC_S)
            self.assertIn("no Kerberos server (KDC) answered", asking.errors())

    # Channel binding

    def test_somebody_who_ends_tls_on_the_way_is_refused(self):
        """He has a certificate that we believe; the ticket is not good for him all the same."""
        self.slapd.reconfigure(extra_global="sasl-cbinding tls-endpoint")
        policy = {"tls": "ldaps", "keytab": self.keytab_of(SERVICE)}
        for mechanism in ("GSSAPI", "GSS-SPNEGO"):
            with self.subTest(mechanism=mechanism):
                self.assert_decides(self.policy(mechanism=mechanism, **policy))
                with Interceptor(self.slapd.authority.issue("interceptor"), self.slapd) as interceptor:
                    answers = self.assert_blames("did not accept our Kerberos ticket", self.policy(
                        mechanism=mechanism, uri="ldaps://localhost:%d" % interceptor.port, **policy))
                    self.assertIn("channel binding", answers.stderr)


class Interceptor:
    """Ends TLS with a certificate of its own, and begins another with the server."""

    def __init__(self, certificate, slapd):
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate.certificate, certificate.key)
        self._to_server = ssl.create_default_context(cafile=slapd.ca_file)
        self._to_server.check_hostname = False
        self._upstream = ("127.0.0.1", slapd.tls_port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self):
        while True:
            try:
                client = self._listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        try:
            with self._context.wrap_socket(client, server_side=True) as mine, \
                    self._to_server.wrap_socket(socket.create_connection(self._upstream)) as theirs:
                back = threading.Thread(target=self._copy, args=(theirs, mine), daemon=True)
                back.start()
                self._copy(mine, theirs)
                back.join()
        except OSError:
            pass

    @staticmethod
    def _copy(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            pass
        for side in (source, target):
            try:
                side.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


if __name__ == "__main__":
    testbed.main()
