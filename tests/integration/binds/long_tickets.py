#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
A domain controller ends a connection with the ticket that it was bound with. One program renews its tickets and sees nothing of
it; another, whose tickets nobody renews, does. Minutes: a controller of Samba takes tickets of two minutes or less for ones that
change a password, and gives no others for them.
"""
import os
import sys
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
import testbed  # noqa: E402
from asking import Asking  # noqa: E402
from testbed import Samba  # noqa: E402

LIFE_S = 150
USERS = {"name-attribute": "sAMAccountName", "upn-attribute": "userPrincipalName", "filter": "(objectClass=user)"}


def fill(domain):
    domain.group("admins", [domain.user("alice")])


class TicketsTest(unittest.TestCase):
    def policy(self, samba, name, **bind):
        return testbed.write_policy(os.path.join(samba.directory, name), samba, allow=[samba.group_dn("admins")],
                                    bind=dict(bind, mechanism="GSSAPI"), users=USERS)

    def ask(self, asking, until, verdicts):
        """One who is remembered, while the watch lives, and one who is new to the directory each time."""
        while time.monotonic() < until:
            verdicts.append(asking.ask("CORP\\alice")["verdict"])
            verdicts.append(asking.ask("CORP\\nobody%d" % len(verdicts))["verdict"])
            time.sleep(0.1)

    def test_renewed_and_not_renewed(self):
        program, kinit = testbed.wsmauthz(), testbed.need("kinit")
        with Samba(fill, strong_auth="yes") as samba:
            env = samba.client_environment(keytab=False)
            env["KRB5_CONFIG"] = os.path.join(samba.directory, "short.conf")
            conf = Path(samba.krb5_conf).read_text(encoding="utf-8")
            testbed.write_file(env["KRB5_CONFIG"], conf.replace("[libdefaults]\n",
                                                                "[libdefaults]\n ticket_lifetime = %ds\n" % LIFE_S))
            cache = os.path.join(samba.directory, "cache")
            testbed.run(kinit, "-c", "FILE:" + cache, "-k", "-t", samba.keytab, samba.service_user, env=env)
            renewing, renewed, left = [], [], []
            with Asking(program, self.policy(samba, "renewed.xml", keytab=samba.keytab), env) as asking, \
                    Asking(program, self.policy(samba, "left.xml", credential_cache=cache), env) as other:
                renewing = threading.Thread(target=self.ask, args=(asking, time.monotonic() + 2 * LIFE_S + 20, renewed))
                renewing.start()
                self.ask(other, time.monotonic() + LIFE_S - 20, left)
                self.assertNotIn("error", left, other.errors())
                time.sleep(40)
                self.assertEqual(other.ask("CORP\\alice")["verdict"], "error", other.errors())
                renewing.join()
            self.assertIn("the Kerberos ticket has expired", other.errors())
            self.assertNotIn("error", renewed, asking.errors())
            self.assertNotIn("anew", asking.errors(), "a connection was ended before it was renewed")
            # The watch as well: its USN goes on, over three connections.
            self.assertNotIn("changes are", asking.errors(), "the watch was lost")
            self.assertNotIn("warning", asking.errors())
            self.assertIn("no longer told", other.errors())


if __name__ == "__main__":
    testbed.main()
