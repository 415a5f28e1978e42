#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
`wsmauthz explain` beside a real slapd: every way through diamonds, rings and twelve levels, what each rule did, what was asked, what
the watch knows; hostile names in text, JSON and pictures; a directory that is gone. The decision is that of `check`, always.
"""
import json
import re
import shutil
import subprocess
import sys
import unittest
import xml.etree.ElementTree as xml
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
import testbed  # noqa: E402
from testbed import Slapd, group, group_dn, person  # noqa: E402

DEPTH = 12
# Red, backwards, markup, quotes, and what DOT and XML read as orders.
HOSTILE = 'x<script>alert("1")</script>&amp;\u202egro\x1b[31m\\N]]>'
CHECK_MEMBERS = ["sender", "verdict", "code", "redirect_uri", "rule", "reason", "dn", "path", "administrator", "searches",
                 "cached", "elapsed_us"]
SVG = "{http://www.w3.org/2000/svg}"


def ldif():
    people = ("alice", "bob", "carol", "dave", "erin", "frank")
    text = "".join(person(name) for name in people if name not in ("dave", "erin"))
    text += person("dave", l="EMEA") + person("erin", pwdAccountLockedTime="000001010000Z")
    nested = {  # alice: a diamond, and by a ring; frank: twelve levels
        "left": ["alice"], "right": ["alice"], "ring-a": ["alice", group_dn("ring-b")], "ring-b": [group_dn("ring-a")],
        "top": ["dave", "erin", "bob"] + [group_dn(name) for name in ("left", "right", "ring-b", "level-%02d" % (DEPTH - 1))],
        "leavers": [group_dn("gone")], "gone": ["bob"], HOSTILE: ["carol"], "outer": [group_dn(HOSTILE)]}
    for level in range(DEPTH):
        nested["level-%02d" % level] = ["frank"] if level == 0 else [group_dn("level-%02d" % (level - 1))]
    return text + "".join(group(name, members) for name, members in nested.items())


class ExplainTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.program = testbed.wsmauthz()
        cls.slapd = Slapd(ldif=ldif(), overlays=("syncprov", "ppolicy"))
        cls.slapd.start()
        cls.addClassCleanup(cls.slapd.close)
        cls.policy = cls.write(cls.slapd.directory + "/policy.xml")

    @classmethod
    def write(cls, path, **more):
        dn = cls.slapd.group_dn
        rules = {"deny": [dn("leavers")], "allow": [{"group": dn("top"), "max-shells": 3}, dn("none"), dn("outer")],
                 "redirect": {"attribute": "l", "here": "AMER", "sites": [{"name": "EMEA", "uri": "https://e.test:5986/wsman"}]}}
        rules.update(more)
        return testbed.write_policy(path, cls.slapd, **rules)

    def run_it(self, *words, policy=None):
        return subprocess.run([self.program, "explain", "--config", policy or self.policy, *words], capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=60, check=False)

    def explain(self, *senders, policy=None):
        done = self.run_it("--json", *senders, policy=policy)
        lines = [json.loads(line) for line in done.stdout.decode().splitlines()]
        self.assertEqual(len(lines), len(senders), done.stderr)
        return lines[0] if len(lines) == 1 else lines

    def names(self, path):
        return [re.match(r"cn=([^,]*)", dn).group(1) for dn in path]

    def ways(self, explained, rule):
        return [self.names(path) for path in explained["rules"][rule]["paths"]]

    def test_decisions__are_those_of_check(self):
        senders = ["alice", "bob", "carol", "dave", "erin", "frank", "nobody", "CORP\\alice", "OTHER\\alice", "a\tb", "S-1-5-21-1"]
        checked = testbed.check(self.program, self.policy, senders)
        for one, explained in zip(checked, self.explain(*senders)):
            self.assertEqual(list(explained)[:len(CHECK_MEMBERS)], CHECK_MEMBERS)
            for member in CHECK_MEMBERS:
                if member not in ("elapsed_us", "searches", "cached"):
                    self.assertEqual(one[member], explained[member], (member, explained))
            self.assertFalse(explained["incomplete"])

    def test_ways__of_a_diamond_and_a_ring__shortest_first(self):
        alice = self.explain("alice")
        self.assertEqual(self.ways(alice, 1)[2:], [["ring-a", "ring-b", "top"]])
        self.assertEqual(sorted(self.ways(alice, 1)[:2]), [["left", "top"], ["right", "top"]])
        self.assertEqual(alice["rules"][1]["more_paths"], 0)
        self.assertEqual(alice["path"], ["uid=alice,ou=people," + self.slapd.suffix] + alice["rules"][1]["paths"][0])
        rings = {self.names([one["dn"]])[0]: one["ring"] for one in alice["groups"]}
        self.assertTrue(rings["ring-a"] == rings["ring-b"] != 0)
        self.assertEqual((rings["top"], rings["left"]), (0, 0))
        self.assertIn("ring-a ↺ → cn=ring-b ↺ → cn=top", self.run_it("alice").stdout.decode())

    def test_ways__of_twelve_levels__is_one(self):
        frank = self.explain("frank")
        self.assertEqual(self.ways(frank, 1), [["level-%02d" % level for level in range(DEPTH)] + ["top"]])
        self.assertEqual(frank["searches"], 1)

    def test_rules__say_what_they_did(self):
        alice, bob, erin, nobody = self.explain("alice", "bob", "erin", "nobody")
        parts = [[(rule["holds"], rule["part"]) for rule in one["rules"]] for one in (alice, bob, erin, nobody)]
        self.assertEqual(parts[0], [("no", "none"), ("yes", "decided"), ("group-missing", "none"), ("no", "none")])
        self.assertEqual(parts[1], [("yes", "decided"), ("yes", "overruled"), ("group-missing", "none"), ("no", "none")])
        self.assertEqual(parts[2], [("no", "none"), ("yes", "overruled"), ("group-missing", "none"), ("no", "none")])
        self.assertEqual(parts[3], [("not-asked", "none")] * 2 + [("group-missing", "none"), ("not-asked", "none")])
        self.assertEqual(self.ways(bob, 0), [["gone", "leavers"]])
        self.assertTrue(bob["account"]["overruled"] and bob["redirect"]["overruled"])

    def test_account__shows_the_check_and_what_says_so(self):
        erin = self.explain("erin")
        self.assertEqual(erin["reason"], "account-disabled")
        self.assertEqual(erin["account"]["checks"][0],
                         {"check": "disabled", "denies": True, "state": "failed", "decided": True})
        self.assertEqual(erin["account"]["evidence"], ["pwdAccountLockedTime: 000001010000Z"])

    def test_place__is_the_site_or_already_there(self):
        dave = self.explain("dave")
        self.assertEqual((dave["verdict"], dave["redirect"]["place"], dave["redirect"]["site"]), ("redirect", "site", "EMEA"))
        self.assertEqual((dave["redirect"]["uri"], dave["redirect"]["values"]), (dave["redirect_uri"], ["EMEA"]))
        done = self.run_it("--json", "--url", "https://e.test:5986/wsman", "dave")
        self.assertTrue(json.loads(done.stdout)["redirect"]["already_there"])
        self.assertEqual(self.explain("alice")["redirect"]["place"], "unmapped")

    def test_asked__is_what_was_sent_and_the_watch_is_seen(self):
        alice = self.explain("alice")
        trips = [step for step in alice["steps"] if step["step"] == "round-trip"]
        self.assertEqual(len([step for step in trips if not step["extra"]]), alice["searches"])
        self.assertEqual(trips[-1]["server"], self.slapd.uri)
        [search] = [search for search in trips[-1]["searches"] if search["purpose"] == "user"]
        self.assertEqual((search["outcome"], search["entries"], search["base"]), ("ok", 1, self.slapd.suffix))
        self.assertEqual(search["filter"], alice["identity"]["filter"])
        self.assertEqual((alice["strategy"], alice["extra_searches"]), ("member-index", 0))
        # The explanation waits for the watch, but not for long.
        seen = self.explain(*["alice"] * 12)
        self.assertIn(("up", self.slapd.uri), [(one["watch"]["state"], one["watch"]["server"]) for one in seen])
        self.assertEqual(alice["cache"]["state"], "absent")

    def test_watch__that_the_server_has_none_of__is_said(self):
        with Slapd(ldif=ldif(), overlays=("ppolicy",)) as slapd:
            alice = self.explain("alice", policy=self.write(slapd.directory + "/policy.xml", uri=slapd.uri))
        self.assertEqual((alice["verdict"], alice["watch"]["state"], alice["watch"]["loaded"]), ("authorize", "unsupported", True))

    def test_asked__by_search__shows_the_search_for_groups(self):
        policy = self.write(self.slapd.directory + "/search.xml", groups={"strategy": "search"})
        alice = self.explain("alice", policy=policy)
        self.assertEqual(alice["strategy"], "search")
        self.assertEqual(self.ways(alice, 1)[2:], [["ring-a", "ring-b", "top"]])
        purposes = [search["purpose"] for step in alice["steps"] for search in step["searches"]]
        self.assertIn("groups", purposes)

    def test_cached__decision_is_the_caches_and_the_rest_is_counted_apart(self):
        policy = self.write(self.slapd.directory + "/cached.xml", cache={"ttl": "1m", "unwatched_ttl": "1m"})
        # The first may be asked for before the watch is up, which forgets what was cached; on a busy machine the next, too.
        served = [one for one in self.explain(*["alice"] * 12, policy=policy) if one["cache"]["state"] == "served"]
        self.assertTrue(served)
        last = served[-1]
        self.assertEqual((last["cached"], last["searches"]), (True, 0), last)
        self.assertGreaterEqual(last["extra_searches"], 1)
        self.assertTrue(all(step["extra"] for step in last["steps"] if step["step"] == "round-trip"))
        self.assertEqual(last["rules"][1]["part"], "decided")

    def test_hostile_names__are_text_everywhere(self):
        folder = testbed.Folder()
        self.addCleanup(folder.remove)
        svg, dot = folder.join("a.svg"), folder.join("a.dot")
        done = self.run_it("--svg", svg, "--dot", dot, "carol")
        text = done.stdout.decode()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("→ cn=outer", text)
        for shown in (text, Path(svg).read_text(), Path(dot).read_text()):
            self.assertNotRegex(shown, "[\x00-\x08\x0b-\x1f\u202e]")
        root = xml.parse(svg).getroot()
        self.assertEqual({one.tag for one in root.iter()} & {SVG + "script", "script"}, set())
        # slapd writes "\\3Cscript"; tests/unit/cli/test_explain_picture.c has the bare one.
        self.assertTrue(any("script" in "".join(one.itertext()) for one in root.iter(SVG + "text")))
        self.assertIn("script", self.explain("carol")["rules"][3]["paths"][0][0])
        if shutil.which("dot"):
            subprocess.run(["dot", "-Tsvg", dot], stdout=subprocess.DEVNULL, check=True, timeout=60)

    def test_picture__has_every_group_once_and_nothing_overlaps(self):
        folder = testbed.Folder()
        self.addCleanup(folder.remove)
        for sender in ("alice", "frank", "bob", "nobody"):
            svg = folder.join(sender + ".svg")
            self.run_it("--svg", svg, sender)
            root = xml.parse(svg).getroot()
            boxes = [[float(one.find(SVG + "rect").get(name)) for name in ("x", "y", "width", "height")]
                     for one in root.findall(SVG + "g")]
            self.assertEqual(len(boxes), 1 + len(self.explain(sender)["groups"]), sender)
            page = [float(root.get("width")), float(root.get("height"))]
            for i, (x, y, width, height) in enumerate(boxes):
                self.assertTrue(0 <= x and x + width <= page[0] and 0 <= y and y + height <= page[1])
                for other in boxes[:i]:
                    self.assertFalse(x < other[0] + other[2] and other[0] < x + width and
                                     y < other[1] + other[3] and other[1] < y + height, (sender, boxes))

    def test_directory_is_dead__is_an_error_that_says_so(self):
        policy = self.write(self.slapd.directory + "/dead.xml", uri="ldap://127.0.0.1:%d" % testbed.free_port(), timeout="2s")
        done = self.run_it("--json", "alice", policy=policy)
        alice = json.loads(done.stdout)
        self.assertEqual((done.returncode, alice["verdict"]), (3, "error"))
        self.assertIn(alice["reason"], ("directory-unavailable", "deadline-exceeded"))
        self.assertEqual({rule["holds"] for rule in alice["rules"]}, {"not-asked"})
        self.assertEqual((alice["identity"]["user"], alice["watch"]["loaded"]), ("alice", False))
        self.assertTrue(alice["detail"])
        self.assertIn("not looked at", self.run_it("alice", policy=policy).stdout.decode())


if __name__ == "__main__":
    testbed.main()
