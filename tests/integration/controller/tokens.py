#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
The cross-check: what the closure says of a user is held against what the domain controller would put into his token. A group
that the bound account may not read makes them differ, and then nobody is let in, or kept out of a deny rule, by half of the truth.
"""
import os
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[2] / "support"), str(HERE.parents[1] / "live")]
import testbed  # noqa: E402
from asking import Asker  # noqa: E402
from testbed import Samba  # noqa: E402

PROGRAM = os.path.abspath(sys.argv.pop())

POLICY = """<wsmauthz xmlns="urn:wsmauthz:policy:1" default-domain="{domain}">
  <directory uri="{uri}" base="{suffix}">
    <bind mechanism="simple" dn="{service}" password-file="{secret}"/>
    <tls mode="none"/>
  </directory>
  {rules}
</wsmauthz>
"""


def hide(domain, dn):
    """The bound account may not read this one."""
    from samba.sd_utils import SDUtils  # only where samba is
    SDUtils(domain.ldb).dacl_add_ace(dn, "(D;;RPLCLORC;;;%s)" % domain.sid(Samba.service_dn))


def fill(domain):
    alice, bob, carol = (domain.user(name) for name in ("alice", "bob", "carol"))
    hidden = domain.group("hidden", [alice])
    open_group = domain.group("open", [bob])
    admins = domain.group("admins", [hidden, open_group], scope="local")
    domain.group("everybody", [alice, bob, carol])
    hide(domain, hidden)
    return {"admins": admins, "everybody": domain.group_dn("everybody")}


class TokensTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.samba = Samba(fill).__enter__()
        cls.addClassCleanup(cls.samba.__exit__, None, None, None)
        cls.secret = os.path.join(cls.samba.directory, "secret")
        testbed.write_file(cls.secret, cls.samba.service_password, 0o600)

    def ask(self, user, rules):
        path = os.path.join(self.samba.directory, "policy.xml")
        testbed.write_file(path, POLICY.format(
            domain=self.samba.domain, uri=self.samba.uri, suffix=self.samba.suffix, service=self.samba.service_dn,
            secret=self.secret, rules=rules.format(**self.samba.filled)), 0o600)
        asker = Asker(PROGRAM, path, [user], threads=2)
        self.addCleanup(asker.close)
        return asker

    def test_they_agree(self):
        asker = self.ask("bob", '<allow group="{admins}"/>')
        asker.wait_for("bob", "authorize")
        asker.close()
        self.assertFalse([line for line in asker.log if "ALARM" in line])

    def test_a_group_that_may_not_be_read_on_the_way_to_an_allow_rule(self):
        asker = self.ask("alice", '<allow group="{admins}"/>')
        asker.wait_for("alice", "error")
        self.check_alarm(asker)

    def test_a_group_that_may_not_be_read_on_the_way_to_a_deny_rule(self):
        asker = self.ask("alice", '<deny group="{admins}"/><allow group="{everybody}"/>')
        asker.wait_for("alice", "error")
        self.check_alarm(asker)

    def check_alarm(self, asker):
        """It names the user, the configured group, and which of the two says what; once."""
        asker.close()
        alarms = [line for line in asker.log if "ALARM" in line]
        self.assertEqual(len(alarms), 1, "".join(asker.log))
        self.assertRegex(alarms[0], "'CN=alice,.*' is not in 'CN=admins,.*' by the groups that can be read, and is by")


if __name__ == "__main__":
    unittest.main()
