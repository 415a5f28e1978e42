#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
`wsmauthz host --listen` with the plug-in itself and the sample company on a real slapd: curl, and a real WinRM client
(python3-winrm), are let in, refused and redirected, from one region's endpoint to the other's.
"""
import base64
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
import unittest
from pathlib import Path

import testbed
from testbed import Authority, free_port, need
from testbed_company import Company

try:
    import winrm
    from winrm import exceptions as winrm_exceptions
except ImportError:
    winrm = None

EMEA = "https://winrm-emea.corp.example:5986/wsman"
IDENTIFY = ('<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
            'xmlns:wsmid="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"><s:Header/><s:Body>'
            '<wsmid:Identify/></s:Body></s:Envelope>')
GET = ('<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
       'xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"><s:Header><a:Action>http://schemas.xmlsoap.org/ws/2004/09/transfer/Get'
       '</a:Action><a:MessageID>uuid:1&lt;2&amp;3</a:MessageID><w:ResourceURI>http://x.example/y</w:ResourceURI></s:Header><s:Body/></s:Envelope>')
SOAP = "application/soap+xml;charset=UTF-8"


def basic(name, password):
    return "Basic " + base64.b64encode(("%s:%s" % (name, password)).encode()).decode()


class Listener:
    """`wsmauthz host --listen` in a process of its own."""

    def __init__(self, policy, *options, port=0, address="127.0.0.1"):
        self.process = subprocess.Popen([testbed.wsmauthz(), "host", "--json", "--plugin", testbed.plugin(), "--config", policy,
                                         "--listen", "%s:%d" % (address, port), *options], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        self.events, self._seen = [], threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.url = self.wait("listen", 30)["text"]
        self.port = int(re.search(r":(\d+)/wsman$", self.url).group(1))

    def _read(self):
        for line in self.process.stdout:
            with self._seen:
                self.events.append(json.loads(line))
                self._seen.notify_all()

    def wait(self, name, timeout, after=0):
        def found():
            return [event for event in self.events[after:] if event["event"] == name]
        with self._seen:
            self._seen.wait_for(lambda: found() or self.process.poll() is not None, timeout)
            if not found():
                raise testbed.TestbedError("no event %s in %s" % (name, self.events[after:]))
            return found()[0]

    def named(self, name):
        with self._seen:
            return [event for event in self.events if event["event"] == name]

    def end(self, by=signal.SIGTERM):
        """The exit status; may be called twice."""
        if self.process.poll() is None:
            self.process.send_signal(by)
        status = self.process.wait(timeout=60)
        self._reader.join()
        self.process.stdout.close()
        self.process.stderr.close()
        return status


class ListenTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.curl = need("curl")
        cls.company = Company()
        cls.addClassCleanup(cls.company.close)
        # EMEA's endpoint is a second one here.
        emea = free_port()
        cls.policy = cls.company.policy("listen", "ldaps://127.0.0.1:%d" % cls.company.tls_port, '<tls mode="ldaps" ca-file="ca.pem"/>')
        text = Path(cls.policy).read_text().replace('uri="%s"' % EMEA, 'uri="http://127.0.0.1:%d/wsman" allow-http="true"' % emea)
        testbed.write_file(cls.policy, text, 0o600)
        cls.amer = Listener(cls.policy)
        cls.addClassCleanup(cls.amer.end)
        cls.emea = Listener(cls.policy, port=emea)
        cls.addClassCleanup(cls.emea.end)

    def ask(self, user, body=IDENTIFY, *options, password=None, url=None, kind=SOAP):
        """(status, headers, body) of curl."""
        password = "secret-" + re.sub(r".*\\", "", user) if password is None else password
        done = subprocess.run([self.curl, "-sS", "-i", "--max-time", "30", "--noproxy", "*", "-u", "%s:%s" % (user, password), "-H",
                               "Content-Type: " + kind, "--data-binary", "@-", *options, url or self.amer.url],
                              input=body.encode(), capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        # Of several answers (redirects that were followed) the last.
        *_, last = re.split(rb"(?m)^(?=HTTP/1\.1 )", done.stdout)
        head, _, content = last.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines[1:])}
        return int(lines[0].split()[1]), headers, content.decode()

    def raw(self, data):
        with socket.create_connection(("127.0.0.1", self.amer.port), timeout=20) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            while True:
                piece = connection.recv(65536)
                if not piece:
                    return answer
                answer += piece

    # curl

    def test_who_is_allowed_is_identified(self):
        for user in ("CORP\\alice", "CORP\\frank", "CORP\\judy"):
            status, headers, body = self.ask(user)
            self.assertEqual((status, headers["content-type"]), (200, SOAP), body)
            self.assertIn("IdentifyResponse", body)
            self.assertIn("wsman/1/wsman.xsd</wsmid:ProtocolVersion>", body)

    def test_other_requests_are_authorized_as_operations_and_end_in_a_fault(self):
        status, _, body = self.ask("CORP\\alice", GET)
        self.assertEqual(status, 500)
        self.assertIn("a:DestinationUnreachable", body)
        self.assertIn('Code="2150858752"', body)
        self.assertIn("<a:RelatesTo>uuid:1&lt;2&amp;3</a:RelatesTo>", body)
        event = [event for event in self.amer.named("AuthzOperation") if event["sender"] == "CORP\\alice"][-1]
        self.assertEqual((event["mechanism"], event["action"]), ("Basic", "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get"))

    def test_who_is_not_allowed_gets_a_fault(self):
        for user in ("CORP\\bob", "CORP\\dave", "CORP\\mallory"):
            for body in (IDENTIFY, GET):
                status, headers, answer = self.ask(user, body)
                self.assertEqual(status, 500, answer)
                self.assertIn("w:AccessDenied", answer)
                self.assertIn('Code="5"', answer)
                self.assertNotIn("location", headers)

    def test_wrong_credentials_get_no_further(self):
        before = len(self.amer.named("AuthzUser"))
        for user, password in (("CORP\\peggy", "wrong"), ("CORP\\peggy", ""), ("CORP\\nobody", "secret-nobody"), ("OTHER\\peggy", "secret-peggy"),
                               ("", "secret-peggy"), ("CORP\\peggy*", "secret-peggy"), ("CORP\\*", "secret-peggy"),
                               ("CORP\\peggy", "secret-victor"), ("S-1-5-21-1-2-3-4", "x")):
            status, headers, body = self.ask(user, password=password)
            self.assertEqual((status, body), (401, ""), user)
            self.assertTrue(headers["www-authenticate"].startswith("Basic realm="))
        self.assertEqual(len(self.amer.named("AuthzUser")), before)

    def test_who_belongs_elsewhere_is_redirected(self):
        status, headers, body = self.ask("CORP\\carol")
        self.assertEqual((status, headers["location"], body), (302, self.emea.url, ""))
        status, headers, _ = self.ask("CORP\\niaj", GET)
        self.assertEqual((status, headers["location"]), (302, "https://winrm-latam.corp.example:5986/wsman"))

    def test_a_client_that_follows_is_served_where_it_belongs(self):
        status, _, body = self.ask("CORP\\carol", IDENTIFY, "--location-trusted", "--post302")
        self.assertEqual(status, 200, body)
        self.assertIn("IdentifyResponse", body)
        event = [event for event in self.emea.named("AuthzUser") if event["sender"] == "CORP\\carol"][-1]
        self.assertEqual(event["url"], self.emea.url)

    def test_urls_reach_the_plug_in_as_they_came(self):
        self.ask("CORP\\trent", url=self.amer.url + "?PSVersion=5.1&a=%20b")
        event = [event for event in self.amer.named("AuthzUser") if event["sender"] == "CORP\\trent"][-1]
        self.assertEqual(event["url"], self.amer.url + "?PSVersion=5.1&a=%20b")

    def test_a_user_record_spares_the_next_question(self):
        for _ in range(3):
            self.assertEqual(self.ask("CORP\\grace")[0], 200)
        self.assertEqual(len([event for event in self.amer.named("AuthzUser") if event["sender"] == "CORP\\grace"]), 1)

    def test_many_at_once(self):
        results = []

        def work(user, expected):
            for _ in range(5):
                results.append((self.ask(user)[0], expected))
        threads = [threading.Thread(target=work, args=row) for row in
                   (("CORP\\alice", 200), ("CORP\\judy", 200), ("CORP\\bob", 500), ("CORP\\niaj", 302), ("CORP\\victor", 200))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(results), 25)
        self.assertTrue(all(got == expected for got, expected in results), results)

    # Requests that are none

    def test_other_paths_methods_and_kinds_are_refused(self):
        self.assertEqual(self.ask("CORP\\alice", url=self.amer.url + "x")[0], 404)
        self.assertEqual(self.ask("CORP\\alice", url=self.amer.url.replace("wsman", ""))[0], 404)
        status, headers, _ = self.ask("CORP\\alice", IDENTIFY, "-X", "PUT")
        self.assertEqual((status, headers["allow"]), (405, "POST"))
        self.assertEqual(self.ask("CORP\\alice", kind="text/xml")[0], 415)
        self.assertEqual(self.ask("CORP\\alice", kind="application/soap+xmlx")[0], 415)

    def test_bodies_that_are_none_are_refused(self):
        hostile = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + IDENTIFY.replace("<s:Header/>", "<s:Header>&e;</s:Header>")
        deep = IDENTIFY.replace("<s:Header/>", "<x>" * 1000 + "</x>" * 1000)
        for body in ("", "x", "<a/>", hostile, deep, IDENTIFY[:-1], IDENTIFY.replace("2003/05", "2003/06"),
                     GET.replace("<a:Action>", "<a:Action>a</a:Action><a:Action>"), GET.replace("a:Action", "a:Actions")):
            status, _, answer = self.ask("CORP\\alice", body)
            self.assertEqual(status, 500, body[:100])
            self.assertIn("w:SchemaValidationError", answer)
            self.assertNotIn("root:", answer)

    def test_a_body_that_is_too_long_is_refused(self):
        self.assertEqual(self.ask("CORP\\alice", "x" * 200000)[0], 413)
        self.assertEqual(self.ask("CORP\\alice", IDENTIFY + " " * 100000)[0], 200)
        # In chunks as well.
        self.assertEqual(self.ask("CORP\\alice", "x" * 200000, "-H", "Transfer-Encoding: chunked")[0], 413)
        self.assertEqual(self.ask("CORP\\alice", IDENTIFY, "-H", "Transfer-Encoding: chunked")[0], 200)

    def test_ambiguous_requests_are_refused(self):
        good = ("POST /wsman HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n" %
                (self.amer.port, basic("CORP\\alice", "secret-alice"), SOAP, len(IDENTIFY)))
        self.assertIn(b" 200 ", self.raw((good + "\r\n" + IDENTIFY).encode()))
        for line in ("Authorization: " + basic("CORP\\bob", "secret-bob"), "Host: other.example", "Content-Type: text/plain"):
            answer = self.raw((good + line + "\r\n\r\n" + IDENTIFY).encode())
            self.assertIn(b" 400 ", answer)
        self.assertNotIn(b" 200 ", self.raw(("POST /wsman HTTP/1.1\r\n" + "\r\n".join(good.split("\r\n")[2:]) + "\r\n" + IDENTIFY).encode()))
        # Two lengths, a length that is none, a header that goes on in the next line: never more than one answer, none of them good.
        for spoiled in (good.replace("Content-Length: ", "Content-Length: 5\r\nContent-Length: "), good.replace("Content-Length: ", "Content-Length: +"),
                        good + "Content-Length : 3\r\n", good + "Transfer-Encoding: xchunked\r\n", good + "Transfer-Encoding: chunked\r\n",
                        good.replace("Host:", "Host :")):
            answer = self.raw((spoiled + "\r\n" + IDENTIFY).encode())
            self.assertNotIn(b" 200 ", answer, spoiled)

    def test_credentials_of_odd_forms_are_refused(self):
        pair = base64.b64encode(b"CORP\\alice:secret-alice").decode()
        for value in ("Basic", "Basic ", "Basic =", "Basic " + pair + "=", "Basic " + pair[:-1], "Basic " + pair + " x", "Bearer " + pair,
                      "Basicx " + pair, "Basic " + base64.b64encode(b"CORP\\alice").decode(), "Basic " + "A" * 20000,
                      "Basic " + base64.b64encode(b"CORP\\alice:secret-alice\0").decode(), "Basic " + base64.b64encode(b"CORP\\al\nice:x").decode(),
                      "Basic " + base64.b64encode(b"CORP\\\xff:x").decode()):
            connection = http.client.HTTPConnection("127.0.0.1", self.amer.port, timeout=30)
            connection.request("POST", "/wsman", IDENTIFY, {"Content-Type": SOAP, "Authorization": value})
            self.assertEqual(connection.getresponse().status, 401, value[:60])
            connection.close()
        connection = http.client.HTTPConnection("127.0.0.1", self.amer.port, timeout=30)
        connection.request("POST", "/wsman", IDENTIFY, {"Content-Type": SOAP, "Authorization": "basic  " + pair})
        self.assertEqual(connection.getresponse().status, 200)
        connection.close()

    def test_silent_connections_keep_nobody_out(self):
        silent = [socket.create_connection(("127.0.0.1", self.amer.port)) for _ in range(40)]
        try:
            self.assertEqual(self.ask("CORP\\alice")[0], 200)
        finally:
            for connection in silent:
                connection.close()

    # A WinRM client

    def session(self, user, url=None):
        if winrm is None:
            testbed.skip("python3-winrm is not installed")
        return winrm.Session(url or self.amer.url, auth=("CORP\\" + user, "secret-" + user), transport="plaintext",
                             read_timeout_sec=30, operation_timeout_sec=20)

    def test_winrm__who_is_allowed_is_let_in(self):
        session = self.session("alice")
        self.assertIn(b"IdentifyResponse", session.protocol.transport.send_message(IDENTIFY))
        with self.assertRaises(Exception) as raised:
            session.run_cmd("ipconfig")
        self.assertIn("nothing is served here", str(raised.exception))
        self.assertIn("2150858752", str(raised.exception))

    def test_winrm__who_is_not_allowed_is_told_so(self):
        for user in ("bob", "dave"):
            with self.assertRaises(Exception) as raised:
                self.session(user).run_cmd("ipconfig")
            self.assertIn("Access is denied", str(raised.exception))

    def test_winrm__wrong_credentials(self):
        if winrm is None:
            testbed.skip("python3-winrm is not installed")
        session = winrm.Session(self.amer.url, auth=("CORP\\peggy", "wrong"), transport="plaintext")
        with self.assertRaises(winrm_exceptions.InvalidCredentialsError):
            session.run_cmd("ipconfig")

    def test_winrm__a_client_that_knows_no_redirect_ends_at_the_other_endpoint_with_a_get(self):
        # requests, below it, turns the POST into a GET without credentials: only PowerShell is served by a redirect.
        with self.assertRaises(winrm_exceptions.WinRMTransportError) as raised:
            self.session("carol").run_cmd("ipconfig")
        self.assertIn("405", str(raised.exception))
        self.assertIn("GET /wsman: 405", [event["text"] for event in self.emea.named("answer")])
        # There she is let in.
        self.assertIn(b"IdentifyResponse", self.session("carol", self.emea.url).protocol.transport.send_message(IDENTIFY))

    # The program

    def run_options(self, *options):
        return subprocess.run([testbed.wsmauthz(), "host", "--plugin", testbed.plugin(), "--config", self.policy, *options],
                              capture_output=True, text=True, timeout=60, check=False)

    def test_what_cannot_be_listened_on_is_refused(self):
        for address, message in (("0.0.0.0:5985", "not the loopback"), ("[::]:5985", "not the loopback"), ("127.0.0.1", "not an address"),
                                 ("127.0.0.1:", "not an address"), ("127.0.0.1:65536", "not an address"), ("::1:5985", "not an address"),
                                 ("localhost:5985", "not an address"), ("127.0.0.1:5985x", "not an address"), ("10.1.2.3:1", "not the loopback")):
            done = self.run_options("--listen", address)
            self.assertEqual(done.returncode, 2, address)
            self.assertIn(message, done.stderr)
        self.assertEqual(self.run_options("--listen", "127.0.0.1:0", "--script", "x").returncode, 2)
        self.assertEqual(self.run_options("--listen", "127.0.0.1:0", "--key", "x").returncode, 2)
        self.assertEqual(self.run_options("--key", "x").returncode, 2)
        done = self.run_options("--listen", "127.0.0.1:%d" % self.amer.port)
        self.assertEqual(done.returncode, 3)
        self.assertIn("could not listen on 127.0.0.1 port %d" % self.amer.port, done.stderr)

    def test_with_a_certificate(self):
        authority = Authority(self.company.folder.make("tls"))
        certificate = authority.issue("server")
        os.chmod(certificate.key, 0o600)
        files = ("--certificate", certificate.certificate, "--key", certificate.key)
        listener = Listener(self.policy, *files)
        self.addCleanup(listener.end)
        self.assertTrue(listener.url.startswith("https://127.0.0.1:"))
        url = listener.url.replace("127.0.0.1", "localhost")
        status, _, body = self.ask("CORP\\alice", IDENTIFY, "--cacert", authority.ca_file, url=url)
        self.assertEqual(status, 200, body)
        done = subprocess.run([self.curl, "-sS", "--tls-max", "1.1", "--cacert", authority.ca_file, url], capture_output=True, check=False)
        self.assertNotEqual(done.returncode, 0)
        event = [event for event in listener.named("AuthzUser")][-1]
        self.assertEqual(event["url"], url)
        self.assertEqual(listener.end(signal.SIGINT), 0)
        os.chmod(certificate.key, 0o644)
        done = self.run_options("--listen", "127.0.0.1:0", *files)
        self.assertEqual(done.returncode, 3)
        self.assertIn(certificate.key, done.stderr)

    def test_it_ends_when_it_is_told_to_and_releases_what_it_has(self):
        listener = Listener(self.policy, "--idle-timeout", "300ms")
        self.addCleanup(listener.end)
        self.assertEqual(self.ask("CORP\\alice", url=listener.url)[0], 200)
        self.assertEqual(listener.wait("AuthzReleaseContext", 20)["text"], "the record's idle time is over")
        # A connection that is silent does not hold it up.
        with socket.create_connection(("127.0.0.1", listener.port)):
            begin = time.monotonic()
            self.assertEqual(listener.end(), 0)
            self.assertLess(time.monotonic() - begin, 20)
        self.assertEqual(len(listener.named("Shutdown")), 2)

    def test_a_directory_that_is_gone_lets_nobody_in(self):
        with testbed.TcpProxy(self.company.tls_port) as proxy:
            policy = self.company.policy("gone", "ldaps://127.0.0.1:%d" % proxy.port, '<tls mode="ldaps" ca-file="ca.pem"/>')
            testbed.write_file(policy, Path(policy).read_text().replace('timeout="5s"', 'timeout="1s"'), 0o600)
            listener = Listener(policy)
            self.addCleanup(listener.end)
            self.assertEqual(self.ask("CORP\\alice", url=listener.url)[0], 200)
            proxy.set_mode(testbed.HANG)
            self.assertEqual(self.ask("CORP\\alice", url=listener.url)[0], 500)
            proxy.set_mode(testbed.PASS)
            testbed.wait_until(lambda: self.ask("CORP\\alice", url=listener.url)[0] == 200, 60, "it is back")
            self.assertEqual(listener.end(), 0)


if __name__ == "__main__":
    testbed.main()
