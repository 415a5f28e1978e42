#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The test bed, tested: what the other tests take for granted about it."""
import os
import socket
import stat
import subprocess
import sys
import threading
import time
import unittest
import unittest.mock
import xml.dom.minidom
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
import testbed  # noqa: E402
from testbed import Authority, Folder, Kdc, Slapd, TcpProxy, TestbedError, group, person  # noqa: E402

LDAPSEARCH, LDAPWHOAMI = testbed.need("ldapsearch", "ldapwhoami")


def search(uri, slapd, *arguments, password=None, env=None, options=()):
    """ldapsearch as the service account; returns the CompletedProcess."""
    command = [LDAPSEARCH, "-LLL", "-x", "-o", "nettimeout=2", "-o", "ldif-wrap=no", "-H", uri, "-D", slapd.service_dn,
               "-w", password or slapd.service_password, "-b", slapd.suffix, *options, *arguments]
    return testbed.run(*command, env=dict(os.environ, LDAPTLS_CACERT=slapd.ca_file, **(env or {})), check=False)


class Directory(unittest.TestCase):
    """One slapd for all that only reads."""

    @classmethod
    def setUpClass(cls):
        cls.slapd = Slapd(ldif=person("alice", l=["Rome", "Zürich"]) + person("o'b, \"x\"") + group("admins", ["alice"]))
        cls.addClassCleanup(cls.slapd.close)
        cls.slapd.start()

    def test_service_account__reads_people_but_no_passwords(self):
        for uri in (self.slapd.uri, self.slapd.ldaps_uri, self.slapd.ldapi_uri):
            with self.subTest(uri=uri):
                done = search(uri, self.slapd, "(uid=alice)", "l", "userPassword")
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn("l: Rome", done.stdout)
                self.assertIn("l:: WsO8cmljaA==", done.stdout)
                self.assertNotIn("userPassword", done.stdout)

    def test_service_account__does_not_write(self):
        done = testbed.run(testbed.need("ldapmodify"), "-x", "-H", self.slapd.uri, "-D", self.slapd.service_dn, "-w",
                           self.slapd.service_password, text="dn: %s\nchangetype: delete\n" %
                           self.slapd.person_dn("alice"), check=False)
        self.assertEqual(done.returncode, 50, done.stderr)

    def test_anonymous__sees_nothing(self):
        done = testbed.run(LDAPSEARCH, "-LLL", "-x", "-H", self.slapd.uri, "-b", self.slapd.suffix, check=False)
        self.assertNotIn("dn:", done.stdout)
        self.assertEqual(done.returncode, 50, done.stderr)

    def test_bad_password__is_refused(self):
        self.assertEqual(search(self.slapd.uri, self.slapd, password="wrong").returncode, 49)

    def test_special_characters_in_a_dn__are_escaped(self):
        done = search(self.slapd.uri, self.slapd, "-s", "base", "-b", self.slapd.person_dn("o'b, \"x\""), "uid")
        self.assertIn("uid: o'b, \"x\"", done.stdout)

    def test_starttls__works_and_checks_the_name(self):
        done = search(self.slapd.uri, self.slapd, "(uid=alice)", "uid", options=("-ZZ",))
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_sasl__maps_to_the_service_account(self):
        for mechanism in ("EXTERNAL", "SCRAM-SHA-256", "SCRAM-SHA-1"):
            with self.subTest(mechanism=mechanism):
                uri = self.slapd.ldapi_uri if mechanism == "EXTERNAL" else self.slapd.uri
                done = testbed.run(LDAPWHOAMI, "-Q", "-H", uri, "-Y", mechanism, "-U", self.slapd.service_user, "-w",
                                   self.slapd.service_password)
                self.assertEqual(done.stdout.strip(), "dn:" + self.slapd.service_dn)

    def test_searches__counts_searches(self):
        before = self.slapd.searches()
        search(self.slapd.uri, self.slapd, "(uid=alice)")
        self.assertEqual(self.slapd.searches(), before + 1)


class Life(unittest.TestCase):

    def test_restart__keeps_ports_and_data(self):
        with Slapd() as slapd:
            uri = slapd.uri
            slapd.modify(person("bob"))
            for end in (slapd.stop, slapd.kill):
                end()
                self.assertEqual(search(uri, slapd).returncode, 255)
                slapd.start()
                self.assertIn("uid: bob", search(uri, slapd, "(uid=bob)", "uid").stdout)

    def test_start_in_a_thread__outlives_the_thread(self):
        with Slapd() as slapd:
            thread = threading.Thread(target=slapd.restart)
            thread.start()
            thread.join()
            time.sleep(0.1)
            self.assertTrue(slapd.is_running())

    def test_suspend__hangs_until_resumed(self):
        with Slapd() as slapd:
            slapd.suspend()
            command = [LDAPWHOAMI, "-x", "-H", slapd.uri]
            with self.assertRaises(subprocess.TimeoutExpired):
                subprocess.run(command, timeout=0.3, check=False, capture_output=True)
            slapd.resume()
            self.assertEqual(subprocess.run(command, timeout=20, check=False, capture_output=True).returncode, 0)

    def test_close__leaves_no_process_and_no_folder(self):
        with Slapd() as slapd:
            pid, folder = slapd.pid, slapd.directory
            slapd.suspend()
        self.assertFalse(os.path.exists("/proc/%d" % pid))
        self.assertFalse(os.path.exists(folder))

    def test_killed_test__takes_its_slapd_along(self):
        script = ("import sys, time; sys.path.insert(0, %r); import testbed\nslapd = testbed.Slapd(%r); slapd.start()\n"
                  "print(slapd.pid, flush=True); time.sleep(60)\n")
        with Folder() as folder:
            with subprocess.Popen([sys.executable, "-c", script % (sys.path[0], folder.join("slapd"))],
                                  stdout=subprocess.PIPE, text=True) as test:
                pid = int(test.stdout.readline())
                test.kill()
            testbed.wait_until(lambda: not is_alive(pid), 5, "the end of slapd")

    def test_reconfigure__limits_the_service_account(self):
        with Slapd(ldif=person("a") + person("b")) as slapd:
            slapd.reconfigure(service_limits="size=1")
            self.assertEqual(search(slapd.uri, slapd).returncode, 4)

    def test_start__port_taken_meanwhile__takes_another(self):
        with socket.create_server(("127.0.0.1", 0)) as other, Slapd() as slapd, Folder() as folder:
            taken = other.getsockname()[1]
            ports = iter((taken, taken, testbed.free_port(), testbed.free_port()))
            with unittest.mock.patch("testbed_process.free_port", lambda kinds=None: next(ports)):
                with Slapd(folder.join("slapd")) as second:
                    self.assertNotEqual(second.port, taken)
            self.assertTrue(slapd.is_running())

    def test_bad_ldif__is_an_error_that_says_where(self):
        with self.assertRaisesRegex(TestbedError, "line="):
            Slapd(ldif="dn: uid=x,%s\nobjectClass: nonsense\n" % testbed.DEFAULT_SUFFIX)


class Overlays(unittest.TestCase):

    def test_each_overlay__starts(self):
        for overlays in (("ppolicy",), ("refint",), ("syncprov", "memberof", "refint", "ppolicy")):
            with self.subTest(overlays=overlays), Slapd(overlays=overlays) as slapd:
                self.assertTrue(slapd.is_running())

    def test_memberof__follows_changes(self):
        with Slapd(overlays=("memberof",), ldif=person("a") + person("b") + group("g", ["a"])) as slapd:
            slapd.add_member(slapd.group_dn("g"), slapd.person_dn("b"))
            self.assertIn("memberOf: " + slapd.group_dn("g"),
                          search(slapd.uri, slapd, "(uid=b)", "memberOf").stdout)
            slapd.remove_member(slapd.group_dn("g"), slapd.person_dn("b"))
            self.assertNotIn("memberOf", search(slapd.uri, slapd, "(uid=b)", "memberOf").stdout)

    def test_dynlist__computes_nested_groups(self):
        ldif = person("a") + group("inner", ["a"]) + group("outer", [testbed.group_dn("inner")])
        with Slapd(overlays=("dynlist",), ldif=ldif) as slapd:
            self.assertIn("memberOf: " + slapd.group_dn("outer"),
                          search(slapd.uri, slapd, "(uid=a)", "memberOf").stdout)


class Certificates(unittest.TestCase):

    def test_bad_certificates__are_refused_by_a_client_that_checks(self):
        with Folder() as folder:
            authority = Authority(folder.join("good"))
            bad = {"expired": authority.issue("expired", expired=True),
                   "wrong name": authority.issue("elsewhere", names=("DNS:elsewhere.example.test",)),
                   "unknown authority": Authority(folder.join("stranger"), "stranger").issue("server")}
            with Slapd(authority=authority) as slapd:
                self.assertEqual(search(slapd.ldaps_uri, slapd).returncode, 0)
                for name, certificate in bad.items():
                    with self.subTest(name=name):
                        slapd.reconfigure(certificate=certificate)
                        self.assertEqual(search(slapd.ldaps_uri, slapd).returncode, 255)

    def test_revocation_list__names_the_certificate(self):
        openssl = testbed.need("openssl")
        with Folder() as folder:
            authority = Authority(folder.join("ca"))
            good, revoked = authority.issue("good"), authority.issue("revoked")
            authority.revoke(revoked)
            verify = [openssl, "verify", "-crl_check", "-CAfile", authority.ca_file, "-CRLfile", authority.crl()]
            self.assertEqual(testbed.run(*verify, good.certificate, check=False).returncode, 0)
            self.assertIn("revoked", testbed.run(*verify, revoked.certificate, check=False).stderr)


class Kerberos(unittest.TestCase):

    def test_gssapi__maps_to_the_service_account(self):
        with Kdc() as kdc, Slapd(kdc=kdc) as slapd:
            kdc.login("wsmauthz")
            for mechanism in ("GSSAPI", "GSS-SPNEGO"):
                with self.subTest(mechanism=mechanism):
                    done = testbed.run(LDAPWHOAMI, "-Q", "-H", slapd.uri, "-Y", mechanism, env=kdc.client_environment())
                    self.assertEqual(done.stdout.strip(), "dn:" + slapd.service_dn)


class Echo:
    """A server that answers each line with `size` bytes."""

    def __init__(self, size):
        self.size = size
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                side, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.answer, args=(side,), daemon=True).start()

    def answer(self, side):
        with side:
            while side.recv(100):
                side.sendall(b"x" * self.size)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class Proxy(unittest.TestCase):
    ANSWER = 1000

    def setUp(self):
        echo = Echo(self.ANSWER)
        self.addCleanup(echo.__exit__)
        self.proxy = TcpProxy(echo.port)
        self.addCleanup(self.proxy.close)
        self.proxy.__enter__()

    def connect(self):
        side = socket.create_connection(("127.0.0.1", self.proxy.port), timeout=5)
        self.addCleanup(side.close)
        return side

    def ask(self, side):
        """One question, the whole answer; fewer bytes where the connection ended."""
        side.sendall(b"?")
        answer = b""
        while len(answer) < self.ANSWER:
            data = side.recv(self.ANSWER)
            if not data:
                break
            answer += data
        return answer

    def test_pass__forwards_and_counts(self):
        side = self.connect()
        self.assertEqual(self.ask(side), b"x" * self.ANSWER)
        self.assertEqual((self.proxy.accepted, self.proxy.live), (1, 1))
        self.assertEqual((self.proxy.bytes_to_server, self.proxy.bytes_to_client), (1, self.ANSWER))
        side.close()
        testbed.wait_until(lambda: self.proxy.live == 0, 5, "the end of the connection")

    def test_delay__holds_answers_back(self):
        side = self.connect()
        self.proxy.set_mode(testbed.DELAY, 150)
        begin = time.monotonic()
        self.assertEqual(len(self.ask(side)), self.ANSWER)
        self.assertGreaterEqual(time.monotonic() - begin, 0.15)

    def test_hang__answers_nothing_until_it_passes(self):
        side = self.connect()
        self.proxy.set_mode(testbed.HANG)
        side.settimeout(0.2)
        with self.assertRaises(TimeoutError):
            self.ask(side)
        side.settimeout(5)
        self.proxy.set_mode(testbed.PASS)
        self.assertEqual(len(side.recv(self.ANSWER)), self.ANSWER)

    def test_reset__resets_old_and_new_connections(self):
        old = self.connect()
        self.ask(old)
        self.proxy.set_mode(testbed.RESET)
        with self.assertRaises(ConnectionResetError):
            old.recv(1)
        with self.assertRaises(ConnectionError):  # by the connect itself or by what comes after it
            self.ask(self.connect())

    def test_close__ends_old_and_new_connections(self):
        old = self.connect()
        self.ask(old)
        self.proxy.set_mode(testbed.CLOSE)
        for side in (old, self.connect()):
            self.assertEqual(side.recv(1), b"")

    def test_refuse__refuses_until_it_passes(self):
        old = self.connect()
        self.ask(old)
        self.proxy.set_mode(testbed.REFUSE)
        with self.assertRaises(ConnectionError):
            old.recv(1)
        with self.assertRaises(ConnectionRefusedError):
            self.connect()
        self.proxy.set_mode(testbed.PASS)
        self.assertEqual(len(self.ask(self.connect())), self.ANSWER)

    def test_cut__ends_after_that_many_bytes(self):
        self.proxy.set_mode(testbed.CUT, 10)
        side = self.connect()
        side.sendall(b"?")
        received = 0
        with self.assertRaises(ConnectionResetError):
            while True:
                received += len(side.recv(1))
        self.assertLessEqual(received, 10)  # a reset may overtake what it follows
        self.assertEqual(self.proxy.bytes_to_client, 10)

    def test_garbage__keeps_the_length_and_nothing_else(self):
        self.proxy.set_mode(testbed.GARBAGE)
        answer = self.ask(self.connect())
        self.assertEqual(len(answer), self.ANSWER)
        self.assertNotEqual(answer, b"x" * self.ANSWER)


class Policy(unittest.TestCase):

    def test_write_policy__is_well_formed_and_private(self):
        with Folder() as folder, Slapd() as slapd:
            nasty = slapd.group_dn('a "<&> b')
            path = testbed.write_policy(
                folder.join("policy.xml"), slapd, allow=[nasty, {"group": "cn=x", "max_shells": 5}], deny=["cn=y"],
                tls="ldaps", cache={"ttl": "5m"}, account={"locked": None},
                redirect={"attribute": "l", "sites": [{"name": "EMEA", "uri": "https://emea/wsman"}]})
            document = xml.dom.minidom.parse(path)
            self.assertEqual([rule.getAttribute("group") for rule in document.getElementsByTagName("allow")],
                             [nasty, "cn=x"])
            self.assertEqual(document.getElementsByTagName("allow")[1].getAttribute("max-shells"), "5")
            self.assertEqual(document.getElementsByTagName("directory")[0].getAttribute("uri"), slapd.ldaps_uri)
            self.assertEqual(document.getElementsByTagName("site")[0].getAttribute("name"), "EMEA")
            for name in (path, path + ".secret"):
                self.assertEqual(stat.S_IMODE(os.stat(name).st_mode), 0o600)

    def test_check__reads_what_the_program_prints(self):
        program = '#!/bin/sh\n[ "$*" = "check --config p.xml --json -" ] || exit 2\n' \
                  'while read -r line; do echo "{\\"sender\\":\\"$line\\"}"; done; exit 3\n'
        with Folder() as folder:
            answers = testbed.check(folder.write("wsmauthz", program, 0o755), "p.xml", ["alice", b"bob"])
            self.assertEqual([answer["sender"] for answer in answers], ["alice", "bob"])
            self.assertEqual(answers.status, 3)

    def test_check__program_that_does_not_answer__is_an_error(self):
        rows = (("exit 2", "did not answer"), ("cat >/dev/null; exit 0", "1 senders, 0 answers"),
                ("cat >/dev/null; echo nonsense", "did not print JSON"), ("kill -SEGV $$", "did not answer"))
        with Folder() as folder:
            for index, (script, message) in enumerate(rows):
                program = folder.write("program%d" % index, "#!/bin/sh\n%s\n" % script, 0o755)
                with self.subTest(script=script), self.assertRaisesRegex(TestbedError, message):
                    testbed.check(program, "p.xml", ["alice"])


class ByHand(unittest.TestCase):

    def test_run__gives_the_command_a_directory(self):
        script = '%s -LLL -x -H "$SLAPD_URI" -D "$SLAPD_SERVICE_DN" -y "$SLAPD_SERVICE_SECRET" -b "$SLAPD_SUFFIX" uid'
        done = testbed.run("/usr/bin/python3", testbed.__file__, "run", "--", "sh", "-c", script % LDAPSEARCH)
        self.assertIn("uid: wsmauthz", done.stdout)


def is_alive(pid):
    try:
        with open("/proc/%d/stat" % pid, encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


if __name__ == "__main__":
    testbed.main()
