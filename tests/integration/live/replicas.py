#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
The pool reads from one replica and the watch is on another, as behind a balancer, and one of them lags: no question that is asked more
than a second after a revocation is answered "authorize"; when the replica has caught up all is as it was.
"""
import os
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
import testbed  # noqa: E402
from asking import SECOND, Asker, now  # noqa: E402
from testbed import HANG, PASS, RESET, Slapd, TcpProxy, group, group_dn, person, person_dn  # noqa: E402
from testbed_process import find_program, wait_until  # noqa: E402
from watch_proxy import WatchProxy  # noqa: E402

PROGRAM = os.path.abspath(sys.argv.pop())
LAG_S = 3.0
RECOVERY_S = 20.0

_SYNCREPL = """\
syncrepl rid=001 provider={uri} type=refreshAndPersist retry="1 +" keepalive=1:3:1
  searchbase="{suffix}" bindmethod=simple binddn="{root_dn}" credentials="{password}"
updateref {uri}
"""


class ReplicasTest(unittest.TestCase):
    def setUp(self):
        self.provider = Slapd(ldif=person("alice") + person("bob") + person("carol") + group("admins", ["alice", "bob"]),
                              extra_global="serverID 1").__enter__()
        self.addCleanup(self.provider.__exit__, None, None, None)
        self.replication = TcpProxy(self.provider.port).__enter__()
        self.addCleanup(self.replication.close)
        self.consumer = self.make_consumer().__enter__()
        self.addCleanup(self.consumer.__exit__, None, None, None)
        self.wait_until_replicated()

    def make_consumer(self):
        """A copy of the provider, entryUUIDs and all, that follows it through the proxy."""
        config = os.path.join(self.provider.directory, "slapd.conf")
        content = subprocess.run([find_program("slapcat"), "-o", "ldif_wrap=no", "-f", config], check=True, capture_output=True,
                                 text=True).stdout
        syncrepl = _SYNCREPL.format(uri=self.replication.uri, suffix=self.provider.suffix,
                                    root_dn=self.provider.root_dn, password=self.provider.root_password)
        return Slapd(ldif=content, extra_database=syncrepl)

    def context_csn(self, slapd):
        return subprocess.run([find_program("ldapsearch"), "-x", "-LLL", "-H", slapd.uri, "-D", slapd.root_dn, "-w",
                               slapd.root_password, "-b", slapd.suffix, "-s", "base", "contextCSN"], check=True,
                              capture_output=True, text=True).stdout

    def wait_until_replicated(self):
        wait_until(lambda: self.context_csn(self.consumer) == self.context_csn(self.provider), 30, "replication")

    def ask(self, reads, watch):
        proxy = WatchProxy(reads.port, watch.port)
        self.addCleanup(proxy.close)
        policy = testbed.write_policy(os.path.join(self.provider.directory, "policy.xml"), self.provider,
                                      allow=[group_dn("admins")], uri=proxy.uri, timeout="1s")
        asker = Asker(PROGRAM, policy, ["alice", "bob"], threads=8)
        self.addCleanup(asker.close)
        asker.wait_for("alice", "authorize")
        wait_until(lambda: proxy.watches() == 1, 10, "a watch")
        time.sleep(1.0)
        return asker

    def lag(self, asker):
        """Revoke on the provider while the consumer lags; look after it; then let the consumer catch up."""
        self.replication.set_mode(HANG)
        self.provider.remove_member(group_dn("admins"), person_dn("alice"))
        done = now()
        time.sleep(LAG_S)
        asker.not_authorized_since("alice", done + SECOND)
        self.replication.set_mode(PASS)
        self.wait_until_replicated()
        asker.wait_for("alice", "deny", RECOVERY_S)
        time.sleep(1.0)
        asker.not_authorized_since("alice", done + SECOND)
        self.provider.add_member(group_dn("admins"), person_dn("alice"))
        asker.wait_for("alice", "authorize", RECOVERY_S)

    def test_watch_lags(self):
        asker = self.ask(reads=self.provider, watch=self.consumer)
        for _ in range(2):
            self.lag(asker)

    def test_reads_lag(self):
        asker = self.ask(reads=self.consumer, watch=self.provider)
        for _ in range(2):
            self.lag(asker)

    def lose_provider(self, change, user):
        """The provider makes a change that the replica does not get, shows it, and is gone: nobody is let in by what the replica lacks."""
        with TcpProxy(self.provider.port) as first:
            policy = testbed.write_policy(os.path.join(self.provider.directory, "policy.xml"), self.provider,
                                          allow=[group_dn("admins")], uri=first.uri + " " + self.consumer.uri, timeout="1s")
            with Asker(PROGRAM, policy, ["alice", "bob", "carol"], threads=8) as asker:
                asker.wait_for("alice", "authorize")
                asker.wait_for("carol", "deny")
                time.sleep(1.5)
                self.replication.set_mode(HANG)
                change()
                done = now()
                asker.wait_for(user, "deny")
                time.sleep(1.0)
                first.set_mode(RESET)
                time.sleep(LAG_S)
                asker.not_authorized_since(user, done + SECOND)
                self.replication.set_mode(PASS)
                self.wait_until_replicated()
                asker.wait_for("bob", "authorize", RECOVERY_S)
                asker.wait_for(user, "deny", RECOVERY_S)
                asker.not_authorized_since(user, done + SECOND)

    def test_provider_lost_with_a_revocation(self):
        self.lose_provider(lambda: self.provider.remove_member(group_dn("admins"), person_dn("alice")), "alice")

    def test_provider_lost_with_a_deletion(self):
        self.lose_provider(lambda: self.provider.delete(person_dn("alice")), "alice")

    def test_provider_lost_between_two_changes(self):
        """Disabled, then made a member: never let in by anybody. The replica has him enabled, the groups that were read have him in."""
        def change():
            self.provider.modify("dn: %s\nchangetype: modify\nadd: objectClass\nobjectClass: shadowAccount\n-\nadd: shadowExpire\n"
                                 "shadowExpire: 1\n" % person_dn("carol"))
            self.provider.add_member(group_dn("admins"), person_dn("carol"))
        self.lose_provider(change, "carol")

    def test_both_on_the_replica(self):
        """No lag to speak of: as with one server."""
        asker = self.ask(reads=self.consumer, watch=self.consumer)
        for _ in range(5):
            self.provider.remove_member(group_dn("admins"), person_dn("alice"))
            done = now()
            self.assertLess(asker.wait_for("alice", "deny"), done + SECOND)
            self.provider.add_member(group_dn("admins"), person_dn("alice"))
            asker.wait_for("alice", "authorize")


if __name__ == "__main__":
    unittest.main(verbosity=2)
