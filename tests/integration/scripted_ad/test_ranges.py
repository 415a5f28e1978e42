#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""More values than a domain controller gives at once (MaxValRange, 1,500): a user in many groups, a group with many members."""
import rig
import testbed
from rig import DENIED, MEMBER, STRANGER
from testbed_scripted_ad import BUSY, OPERATIONS_ERROR, SIZE_LIMIT, TIME_LIMIT, UNAVAILABLE, Fault

MANY = 3100


class Ranges(rig.Case):

    def setUp(self):
        super().setUp()
        self.alice = self.corp.user("alice")
        self.corp.user("bob")

    def many_groups(self, member):
        groups = [self.corp.group("g%04d" % number, [member]) for number in range(MANY)]
        # As the controller orders them.
        return sorted(groups, key=lambda group: group.guid.bytes)

    def test_a_user_in_more_groups_than_a_range__by_each_of_them(self):
        groups = self.many_groups(self.alice)
        for number in (0, 1499, 1500, 2999, 3000, MANY - 1):
            with self.subTest(number=number):
                self.assertEqual(self.decide("CORP\\alice", "CORP\\bob", allow=[groups[number]]), [MEMBER, STRANGER])
        self.assertTrue(any(search.is_range for search in self.dc.searches))

    def test_a_deny_rule_in_the_last_range(self):
        groups = self.many_groups(self.alice)
        self.assertEqual(self.decide("CORP\\alice", allow=[groups[0]], deny=[groups[-1]]), [DENIED])

    def test_a_group_that_is_in_more_groups_than_a_range(self):
        inner = self.corp.group("inner", [self.alice])
        groups = self.many_groups(inner)
        self.assertEqual(self.decide("CORP\\alice", "CORP\\bob", allow=[groups[-1]]), [MEMBER, STRANGER])

    def test_a_group_with_more_members_than_a_range(self):
        people = [self.corp.user("u%04d" % number) for number in range(MANY)]
        group = self.corp.group("all", people)
        outer = self.corp.group("outer", [group])
        self.assertEqual(self.decide("CORP\\u0000", "CORP\\u%04d" % (MANY - 1), "CORP\\alice", allow=[outer]),
                         [MEMBER, MEMBER, STRANGER])

    def test_a_value_that_moves_between_two_ranges_is_not_lost(self):
        """The deny rule's group is the first one behind the first range; then one before it goes."""
        groups = self.many_groups(self.alice)
        fault = Fault(when=lambda search: search.is_range, times=1,
                      before=lambda search: self.corp.unlink(groups[7], self.alice))
        self.dc.faults.append(fault)
        self.assertEqual(self.decide("CORP\\alice", allow=[groups[0]], deny=[groups[1500]]), [DENIED])
        self.assertEqual(fault.hits, 1)

    def test_a_range_that_cannot_be_had_is_not_a_no(self):
        groups = self.many_groups(self.alice)
        for code in (BUSY, OPERATIONS_ERROR, SIZE_LIMIT, TIME_LIMIT, UNAVAILABLE, 0):
            with self.subTest(code=code):
                self.dc.faults[:] = [Fault(when=lambda search: search.is_range, code=code)]
                [(verdict, reason)] = self.decide("CORP\\alice", allow=[groups[0]], deny=[groups[-1]], timeout="3s")
                self.assertEqual(verdict, "error", reason)


if __name__ == "__main__":
    testbed.main()
