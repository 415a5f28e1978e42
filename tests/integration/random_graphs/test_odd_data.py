#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
Groups as slapadd leaves them: stored as the LDIF had them, where slapd would have tidied up. It matches them all the same.
"""
import unittest

import slapd_truth
import spelling
import testbed


def group_lines(name, *lines):
    return "\n".join(("dn: " + testbed.group_dn(name), "objectClass: groupOfNames") + lines) + "\n\n"


class OddData(unittest.TestCase):
    """slapd says that bob is a member: so the allow rule lets him in, and the deny rule keeps him out."""

    def assert_bob_counts(self, ldif, group):
        ldif += testbed.person("bob") + testbed.group("all", ["bob"])
        bob = spelling.filter_value(testbed.person_dn("bob"))
        with testbed.Slapd(ldif=ldif) as slapd:
            [found] = slapd_truth.Truth(slapd).search(["(&(cn=%s)(member=%s))" % (group, bob)], "cn")
            self.assertEqual(len(found), 1, "slapd itself does not take bob for a member")
            path = slapd.directory + "/policy.xml"
            for effect, expected in (("allow", ("authorize", "member")), ("deny", ("deny", "denied-group"))):
                rules = {"allow": [testbed.group_dn("all")], effect: [testbed.group_dn(group)]}
                [answer] = testbed.check(testbed.wsmauthz(), testbed.write_policy(path, slapd, **rules), ["bob"])
                self.assertEqual((answer["verdict"], answer["reason"]), expected, answer)

    def test_an_attribute_that_comes_in_two_parts__both_count(self):
        other, bob = testbed.person_dn("other"), testbed.person_dn("bob")

        self.assert_bob_counts(group_lines("parts", "member: " + other, "cn: parts", "member: " + bob), "parts")

    def test_semicolons_between_rdns__the_member_counts(self):
        bob = testbed.person_dn("bob").replace(",", ";")

        self.assert_bob_counts(group_lines("old", "cn: old", "member: " + bob), "old")


if __name__ == "__main__":
    testbed.main()
