#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What is not known is not a "no", and even less a "yes": a controller that is busy, gives up, or stops in the middle."""
import rig
import testbed
from rig import DENIED, MEMBER, STRANGER
from testbed_scripted_ad import BUSY, OPERATIONS_ERROR, SIZE_LIMIT, TIME_LIMIT, UNAVAILABLE, Fault

CODES = (BUSY, UNAVAILABLE, TIME_LIMIT, SIZE_LIMIT, OPERATIONS_ERROR)


def about_alice(search):
    return "alice" in repr(search.filter)


def about_groups(search):
    return "memberOf" in repr(search.filter)


class Faults(rig.Case):

    def setUp(self):
        super().setUp()
        self.alice = self.corp.user("alice")
        self.inner = self.corp.group("inner", [self.alice])
        self.outer = self.corp.group("outer", [self.inner])
        self.everybody = self.corp.group("everybody", [self.alice])

    def faulty(self, fault, **settings):
        """Not known while it lasts, known afterwards, by the same program."""
        program = self.program(**{"allow": [self.outer], "timeout": "1s", **settings})
        self.dc.faults[:] = [fault]
        answer = program.ask("CORP\\alice")
        self.assertEqual(answer["verdict"], "error", answer)
        self.assertGreater(fault.hits, 0)
        self.assertFalse(answer["cached"])
        self.dc.faults[:] = []
        program.until("CORP\\alice", "authorize", 20)
        program.close()

    def test_the_user_cannot_be_asked_for(self):
        for code in CODES:
            for entries in (0, 1):
                with self.subTest(code=code, entries=entries):
                    self.faulty(Fault(when=about_alice, code=code, entries=entries))

    def test_the_connection_ends_behind_the_users_entry(self):
        """An entry without a result behind it is half an answer: a second one might have made it ambiguous."""
        for notice in (False, True):
            with self.subTest(notice=notice):
                self.faulty(Fault(when=about_alice, entries=1, close=True, notice=notice))

    def test_no_answer_at_all(self):
        self.faulty(Fault(when=about_alice, hang=True))

    def test_an_answer_that_is_late(self):
        self.faulty(Fault(when=about_alice, delay_s=2.5, times=1))

    def test_the_groups_cannot_be_read(self):
        """Half of the groups would leave a way to a deny rule out."""
        for code in CODES:
            with self.subTest(code=code):
                self.dc.faults[:] = [Fault(when=about_groups, code=code, entries=1)]
                [(verdict, _)] = self.decide("CORP\\alice", allow=[self.everybody], deny=[self.outer], timeout="1s")
                self.assertEqual(verdict, "error")

    def test_the_groups_come_in_many_pages(self):
        """A domain controller gives 1,000 entries a page. All of them, or none."""
        chain = [self.corp.group("c0", [self.alice])]
        for number in range(1, 2300):
            chain.append(self.corp.group("c%d" % number, [chain[-1]]))
        self.corp.user("bob")
        self.assertEqual(self.decide("CORP\\alice", "CORP\\bob", allow=[chain[-1]]), [MEMBER, STRANGER])
        self.assertEqual(self.decide("CORP\\alice", allow=[self.everybody], deny=[chain[-1]]), [DENIED])
        pages = [search for search in self.dc.searches if about_groups(search)]
        self.assertGreaterEqual(len(pages), 6)
        self.dc.faults[:] = [Fault(when=lambda search: about_groups(search) and not self.is_first_page(search),
                                   code=BUSY, entries=5)]
        [(verdict, _)] = self.decide("CORP\\alice", allow=[self.everybody], deny=[chain[-1]], timeout="1s")
        self.assertEqual(verdict, "error")

    @staticmethod
    def is_first_page(search):
        return search.controls["1.2.840.113556.1.4.319"][1].endswith(b"\x04\x00")

    def test_an_entry_without_what_decides(self):
        """Nothing says that it may not be read: attributes are absent, and the answer is a success."""
        for hidden in ("objectSid", "primaryGroupID", "userAccountControl", "sAMAccountName"):
            with self.subTest(hidden=hidden):
                self.dc.faults[:] = [Fault(when=about_alice, reply=lambda search, hidden=hidden: [self.without(hidden, search)])]
                [(verdict, reason)] = self.decide("CORP\\alice", allow=[self.outer], timeout="1s")
                self.assertNotEqual(verdict, "authorize", reason)

    def without(self, hidden, search):
        dn, attributes = self.dc.shown(self.alice, search)
        return dn, [(name, values) for name, values in attributes if name.lower() != hidden.lower()]


if __name__ == "__main__":
    testbed.main()
