#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The watch against slapd: every kind of change is told, in order, with its mark; what breaks it is told, and it comes back."""
import os
import re
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
from testbed import Slapd, entry, group, group_dn, need, person, person_dn, run  # noqa: E402
from watching import CSN, Watcher  # noqa: E402

PROGRAM = os.path.abspath(sys.argv.pop())


class SlapdTest(unittest.TestCase):
    def start(self, **options):
        options.setdefault("ldif", person("alice") + person("bob") + group("admins", ["alice"]))
        slapd = Slapd(**options).__enter__()
        self.addCleanup(slapd.__exit__, None, None, None)
        return slapd

    def watch(self, slapd, uris=None, **more):
        more.setdefault("tls", "starttls")
        watcher = Watcher(PROGRAM, slapd.suffix, uris or [slapd.uri], bind_dn=slapd.service_dn,
                          secret=slapd.service_password, ca_file=slapd.ca_file, **more)
        self.addCleanup(watcher.close)
        return watcher

    def check_changes(self, slapd, watcher):
        """Each kind of change, its DN, its id, and marks that only grow."""
        suffix = slapd.suffix
        mark = watcher.next("UP").mark
        self.assertRegex(mark, CSN)
        marks = [mark]

        def seen(ldif, change, dn, **wanted):
            slapd.modify(ldif)
            event = watcher.next("CHANGE")
            self.assertEqual((event.change, event.dn), (change, dn))
            for name, value in wanted.items():
                self.assertEqual(getattr(event, name), value)
            if event.mark:
                marks.append(event.mark)
            return event

        carol = seen(person("carol"), "add", person_dn("carol"), uid="carol").id
        self.assertRegex(carol, "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
        seen(changed(person_dn("carol"), "replace", "sn", "X"), "modify", person_dn("carol"), id=carol, uid="carol")
        seen(changed(group_dn("admins"), "add", "member", person_dn("carol")), "modify", group_dn("admins"))
        seen(renamed(person_dn("carol"), "uid=carola"), "modify", person_dn("carola"), id=carol, uid="carola")
        seen(deleted(person_dn("carola")), "delete", person_dn("carola"), id=carol)
        team = seen(group("team", ["bob"]), "add", group_dn("team")).id
        seen(deleted(group_dn("team")), "delete", group_dn("team"), id=team)
        self.assertNotEqual(seen(group("team", ["bob"]), "add", group_dn("team")).id, team)
        unit = seen(entry("ou=x," + suffix, objectClass="organizationalUnit", ou="x"), "add", "ou=x," + suffix).id
        seen(renamed("ou=x," + suffix, "ou=y"), "modify", "ou=y," + suffix, id=unit)
        seen(deleted("ou=y," + suffix), "delete", "ou=y," + suffix, id=unit)
        self.assertEqual(marks, sorted(marks))
        self.assertEqual(len(marks), 12, "every change has its mark: %s" % watcher.events)

    def test_changes(self):
        slapd = self.start()
        watcher = self.watch(slapd)
        self.check_changes(slapd, watcher)
        self.assertNotIn("LOST", watcher.kinds())
        self.assertLess(watcher.stop(), 1)

    def test_changes_over_tls(self):
        slapd = self.start()
        self.check_changes(slapd, self.watch(slapd, [slapd.ldaps_uri]))

    def test_many_changes_at_once(self):
        """Many messages lie in the buffers of TLS and of the library while the socket is silent."""
        slapd = self.start()
        watcher = self.watch(slapd, [slapd.ldaps_uri])
        watcher.next("UP")
        slapd.modify("".join(person("user%04d" % i) for i in range(2000)))
        for i in range(2000):
            self.assertEqual(watcher.next("CHANGE").dn, person_dn("user%04d" % i))
        self.assertNotIn("LOST", watcher.kinds())

    def test_what_cannot_be_read(self):
        """Nothing is told of it, but that something was changed."""
        slapd = self.start()
        slapd.stop()
        path = Path(slapd.directory, "slapd.conf")
        hidden = 'access to dn.subtree="ou=people,%s" by * none\naccess to * by' % slapd.suffix
        path.write_text(path.read_text().replace("access to * by", hidden, 1))
        slapd.start()
        watcher = self.watch(slapd)
        before = watcher.next("UP").mark
        slapd.modify(changed(person_dn("alice"), "replace", "sn", "X"))
        self.assertGreater(watcher.next("MARK").mark, before)
        self.assertEqual(["UP", "MARK"], watcher.kinds())

    def test_killed_and_started(self):
        slapd = self.start()
        watcher = self.watch(slapd)
        before = watcher.next("UP").mark
        for _ in range(3):
            slapd.kill()
            watcher.next("LOST", timeout=3)
            slapd.start()
            slapd.modify(changed(person_dn("alice"), "replace", "sn", "X%f" % time.monotonic()))
            up = watcher.next("UP")
            self.assertGreaterEqual(up.mark, before)
            slapd.modify(changed(person_dn("bob"), "replace", "sn", "Y%f" % time.monotonic()))
            watcher.next("CHANGE", dn=person_dn("bob"))
            before = up.mark
        self.assertEqual(3, watcher.kinds().count("LOST"), "once a loss")

    def test_stopped_by_its_administrator(self):
        slapd = self.start()
        watcher = self.watch(slapd)
        watcher.next("UP")
        slapd.stop()
        watcher.next("LOST", timeout=3)
        slapd.start()
        watcher.next("UP")

    def test_not_there_yet(self):
        slapd = self.start()
        slapd.kill()
        watcher = self.watch(slapd)
        watcher.next("LOST")
        slapd.start()
        watcher.next("UP")
        self.assertEqual(["LOST", "UP"], watcher.kinds())

    def test_second_server(self):
        slapd = self.start()
        watcher = self.watch(slapd, ["ldap://127.0.0.1:1", slapd.uri])
        watcher.next("UP")

    def test_without_syncprov(self):
        slapd = self.start(overlays=())
        watcher = self.watch(slapd, ask_again_ms=200)
        self.assertIn("contextCSN", watcher.next("UNSUPPORTED").words)
        time.sleep(1)
        self.assertEqual(["UNSUPPORTED"], watcher.kinds(), "told once")
        self.assertGreater(slapd.connections(), 3, "asked again")
        slapd.reconfigure(overlays=("syncprov",))
        watcher.next("UP")

    def test_without_syncprov_but_with_an_old_contextcsn(self):
        """What syncprov has left in the database when it was taken away."""
        slapd = self.start()
        slapd.modify(changed(person_dn("alice"), "replace", "sn", "X"))
        slapd.reconfigure(overlays=())
        watcher = self.watch(slapd)
        self.assertIn("(12)", watcher.next("UNSUPPORTED").words)

    def test_base_that_is_not_there(self):
        slapd = self.start()
        watcher = Watcher(PROGRAM, "ou=nowhere," + slapd.suffix, [slapd.uri], bind_dn=slapd.service_dn,
                          secret=slapd.service_password, ca_file=slapd.ca_file, tls="starttls")
        self.addCleanup(watcher.close)
        watcher.next("UNSUPPORTED")

    def test_wrong_password(self):
        slapd = self.start()
        watcher = Watcher(PROGRAM, slapd.suffix, [slapd.uri], bind_dn=slapd.service_dn, secret="wrong",
                          ca_file=slapd.ca_file, tls="starttls")
        self.addCleanup(watcher.close)
        self.assertIn("(49)", watcher.next("LOST").words)
        time.sleep(1)
        self.assertEqual(1, slapd.log().count(" err=49 "), "a wrong password is not tried again and again")

    def test_stop_while_it_hangs(self):
        slapd = self.start()
        for uri in (slapd.uri, slapd.ldaps_uri):
            up, connecting = self.watch(slapd, [uri]), None
            up.next("UP")
            slapd.suspend()
            try:
                connecting = self.watch(slapd, [uri])
                self.assertLess(up.stop(), 1)
                time.sleep(0.2)
                self.assertLess(connecting.stop(), 3)
            finally:
                slapd.resume()

    def test_hangs(self):
        """A server that falls silent is asked, and lost when it does not answer."""
        slapd = self.start()
        watcher = self.watch(slapd, ping_ms=300, connect_ms=300)
        watcher.next("UP")
        time.sleep(1.5)
        self.assertEqual(["UP"], watcher.kinds(), "it has answered")
        slapd.suspend()
        try:
            watcher.next("LOST", timeout=5)
        finally:
            slapd.resume()
        watcher.next("UP")

    def test_told_more_than_is_heard(self):
        slapd = self.start()
        watcher = self.watch(slapd, max_queued=20)
        watcher.next("UP")
        watcher.say("sleep 500")
        slapd.modify("".join(person("user%04d" % i) for i in range(100)))
        self.assertIn("could be heard", watcher.next("LOST").words)
        watcher.say("sleep 0")
        watcher.next("UP")
        slapd.modify(changed(person_dn("alice"), "replace", "sn", "X"))
        watcher.next("CHANGE", dn=person_dn("alice"))

    def test_changes_while_it_begins(self):
        """What has a later CSN than the mark of UP is told, all of it, and in order."""
        slapd = self.start()
        search = need("ldapsearch")
        secret = os.path.join(slapd.directory, "secret")
        Path(secret).write_text(slapd.root_password)
        for i in range(10):
            watcher, count = self.watch(slapd), 0
            while "UP" not in watcher.kinds():
                slapd.modify("".join(person("w%d-%d" % (i, count + k)) for k in range(10)))
                count += 10
            slapd.modify(person("end%d" % i))
            watcher.next("CHANGE", dn=person_dn("end%d" % i))
            [up] = [event for event in watcher.events if event.kind == "UP"]
            told = [event.dn for event in watcher.events if event.kind == "CHANGE"]
            found = run(search, "-x", "-LLL", "-H", slapd.ldapi_uri, "-D", slapd.root_dn, "-y", secret, "-b", slapd.suffix,
                        "(&(entryCSN>=%s)(!(entryCSN=%s)))" % (up.mark, up.mark), "1.1").stdout
            self.assertEqual(sorted(told), sorted(re.findall("^dn: (.*)$", found, re.M)))
            watcher.close()


def changed(dn, action, attribute, value):
    return "dn: %s\nchangetype: modify\n%s: %s\n%s: %s\n\n" % (dn, action, attribute, attribute, value)


def deleted(dn):
    return "dn: %s\nchangetype: delete\n\n" % dn


def renamed(dn, rdn):
    return "dn: %s\nchangetype: modrdn\nnewrdn: %s\ndeleteoldrdn: 1\n\n" % (dn, rdn)


if __name__ == "__main__":
    unittest.main(verbosity=2)
