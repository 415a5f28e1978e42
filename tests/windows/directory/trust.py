#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Which certificates are believed on Windows (src/directory/dir_trust.h), judged by Wine's crypt32: `trust.py PROGRAM`."""
import os
import re
import sys
import tempfile
import unittest

from testbed import Authority
from testbed_wine import Wine

PROGRAM = os.path.abspath(sys.argv.pop())

NAMES = ("DNS:dc1.corp.example", "DNS:*.sub.corp.example", "IP:127.0.0.1", "IP:::1")


class Trust(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="wsmauthz-trust-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = folder.name
        cls.wine = Wine()
        cls.addClassCleanup(cls.wine.close)
        cls.authority = Authority(os.path.join(cls.folder, "ca"))
        # Of the same name, and with another key.
        cls.impostor = Authority(os.path.join(cls.folder, "impostor"))
        cls.stranger = Authority(os.path.join(cls.folder, "stranger"), name="stranger")
        cls.good = cls.authority.issue("good", names=NAMES).certificate

    def judge(self, *questions):
        """Each is (certificate, host[, ca file[, crl file]]); the answers."""
        lines = []
        for question in questions:
            certificate, host, ca_file, crl_file = (list(question) + [None, None])[:4]
            paths = [self.wine.path(path) if path else "" for path in (certificate, ca_file, crl_file)]
            lines.append("|".join((paths[0], host, paths[1], paths[2])))
        done = self.wine.run(PROGRAM, text="\n".join(lines) + "\n")
        answers = done.stdout.splitlines()
        self.assertEqual(len(questions) + 1, len(answers), done)
        self.assertEqual("BYE", answers.pop())
        return answers

    def assert_all(self, pattern, *questions):
        for question, answer in zip(questions, self.judge(*questions)):
            self.assertRegex(answer, pattern, question)

    def test_names_and_addresses(self):
        ca = self.authority.ca_file
        self.assert_all("^ok$", *[(self.good, host, ca) for host in
                                  ("dc1.corp.example", "DC1.Corp.Example", "x.sub.corp.example", "127.0.0.1", "::1")])
        self.assert_all(r"^unreachable the certificate is for the names \(dc1\.corp\.example, .*\), not for ",
                        *[(self.good, host, ca) for host in
                          ("dc2.corp.example", "corp.example", "dc1.corp.example.org", "a.b.sub.corp.example",
                           "sub.corp.example", "127.0.0.2", "::2")])

    def test_an_address_is_no_name(self):
        odd = self.authority.issue("odd", names=("DNS:*.0.0.1", "DNS:127.0.0.1")).certificate
        self.assert_all("^unreachable the certificate is for the names ", (odd, "127.0.0.1", self.authority.ca_file))

    def test_other_authorities(self):
        words = "^unreachable the certificate is not signed by an authority "
        self.assert_all(words + "in '.*stranger", (self.good, "dc1.corp.example", self.stranger.ca_file))
        self.assert_all(words + "that this system knows", (self.good, "dc1.corp.example"))
        self.assert_all(words, (self.stranger.ca_file, "localhost", self.authority.ca_file))  # self-signed

    def test_an_authority_of_the_same_name_with_another_key(self):
        forged = self.impostor.issue("forged", names=NAMES).certificate
        self.assert_all("^unreachable ", (forged, "dc1.corp.example", self.authority.ca_file),
                        (self.with_chain(forged, self.impostor.ca_file), "dc1.corp.example", self.authority.ca_file))

    def with_chain(self, *paths):
        path = os.path.join(self.folder, "chain.pem")
        with open(path, "w", encoding="ascii") as out:
            for each in paths:
                with open(each, encoding="ascii") as file:
                    out.write(file.read())
        return path

    def test_what_the_server_sends_along_is_no_authority(self):
        stranger = self.stranger.issue("stranger", names=NAMES).certificate
        self.assert_all("^unreachable the certificate is not signed by an authority ",
                        (self.with_chain(stranger, self.stranger.ca_file), "dc1.corp.example", self.authority.ca_file))

    def test_dates(self):
        expired = self.authority.issue("expired", names=NAMES, expired=True).certificate
        self.assert_all("^unreachable the certificate expired on 2020-02-01$",
                        (expired, "dc1.corp.example", self.authority.ca_file))

    def test_what_it_is_meant_for(self):
        client = self.authority.issue("client", names=NAMES, usage="clientAuth").certificate
        self.assert_all("^unreachable the certificate is not meant for servers$",
                        (client, "dc1.corp.example", self.authority.ca_file))

    def test_revocation(self):
        ca = self.authority.ca_file
        revoked = self.authority.issue("revoked", names=NAMES)
        self.authority.revoke(revoked)
        crl = self.authority.crl()
        self.assert_all("^ok$", (revoked.certificate, "dc1.corp.example", ca), (self.good, "dc1.corp.example", ca, crl))
        self.assert_all("^unreachable the certificate is revoked$", (revoked.certificate, "dc1.corp.example", ca, crl))
        # A list of somebody else says nothing of this authority; one in its name with another key is refused.
        self.assert_all("^ok$", (self.good, "dc1.corp.example", ca, self.stranger.crl()))
        self.assert_all("^unreachable its authority's revocation list is badly signed$",
                        (self.good, "dc1.corp.example", ca, self.impostor.crl()))

    def test_files_that_cannot_be_used(self):
        nowhere = os.path.join(self.folder, "nowhere.pem")
        key = os.path.join(self.folder, "ca", "good.key")
        answers = self.judge((self.good, "dc1.corp.example", nowhere), (self.good, "dc1.corp.example", key),
                             (self.good, "dc1.corp.example", self.authority.ca_file, key))
        for answer, words in zip(answers, ("could not read the CA file", "could not use the CA file",
                                           "could not use the revocation list")):
            self.assertTrue(re.match("invalid " + words, answer), answer)


if __name__ == "__main__":
    unittest.main()
