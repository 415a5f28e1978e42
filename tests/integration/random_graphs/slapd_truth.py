# SPDX-License-Identifier: Apache-2.0
"""What slapd itself says: which spellings it takes for the same name, and who is directly in what."""
import base64
import random
import re

import spelling
import testbed

PROBES = (
    ((("uid", "probe"),), (("ou", "Probe Unit"),)),
    ((("cn", "Jürgen Weiß, jr"),), (("ou", "Zürich Büro"),)),
    ((("cn", "Νίκος Ирина"), ("employeeNumber", "7")), (("ou", "x"),)),
    ((("cn", "fission ılgın İpek Kiel"),), (("ou", "Sales, EMEA"),)),
)


class Truth:
    """Searches as the root of the database, many in one run of ldapsearch."""

    def __init__(self, slapd):
        self._ldapsearch = testbed.need("ldapsearch")
        self._slapd = slapd
        self._secret = slapd.directory + "/truth.secret"
        testbed.write_file(self._secret, slapd.root_password, 0o600)

    def search(self, filters, *attributes):
        """For each filter the list of (DN, {attribute: [values]})."""
        path = self._slapd.directory + "/filters"
        testbed.write_file(path, "".join(each + "\n" for each in filters), 0o600)
        done = testbed.run(self._ldapsearch, "-x", "-H", self._slapd.ldapi_uri, "-D", self._slapd.root_dn,
                           "-y", self._secret, "-b", self._slapd.suffix, "-o", "ldif-wrap=no", "-L", "-f", path,
                           "(&(objectClass=*)%s)", *attributes, timeout=120)
        answers = []
        for line in done.stdout.split("\n"):
            if line.startswith("# filter: "):
                answers.append([])
            elif line.startswith("dn:"):
                answers[-1].append((_value(line), {}))
            elif re.match("[A-Za-z]", line) and not line.startswith("version:"):
                answers[-1][-1][1].setdefault(line.split(":")[0], []).append(_value(line))
        if len(answers) != len(filters):
            raise testbed.TestbedError("%d filters, %d answers:\n%s" % (len(filters), len(answers), done.stdout[:2000]))
        return answers

    def own_names(self):
        """{DN as the entry shows it: number of the entry}"""
        [entries] = self.search(["(description=entry-*)"], "description")
        return {dn: _number(attributes) for dn, attributes in entries}

    def direct(self, people, groups):
        """Every (child, parent), as slapd's own matching sees it."""
        children = [(number, entry) for kind in (people, groups) for number, entry in kind.items()]
        answers = self.search([_who_holds(entry) for _, entry in children], "description")
        return {(child, _number(attributes))
                for (child, _), entries in zip(children, answers) for _, attributes in entries}


def _value(line):
    name, _, value = line.partition(":")
    return base64.b64decode(value[2:]).decode() if value.startswith(": ") else value.strip()


def _number(attributes):
    return int(attributes["description"][0].partition("-")[2])


def _who_holds(entry):
    dn = spelling.filter_value(spelling.canonical(entry["path"]))
    parts = "(member=%s)(uniqueMember=%s)" % (dn, dn)
    if "uid" in entry:
        parts += "(memberUid=%s)" % spelling.filter_value(entry["uid"])
    return "(|%s)" % parts


def calibrate():
    """The habits of spelling that slapd takes for the same name, each asked about with several names."""
    habits = sorted(spelling.MEASURED_SAME | spelling.MEASURED_DIFFERENT | spelling.MAYBE)
    asked = [(habit, probe, text) for habit in habits
             for number, probe in enumerate(_probes()) for text in _texts(habit, probe, number)]
    groups = "".join(testbed.group("g%d" % number, [text]) for number, (_, _, text) in enumerate(asked))
    with testbed.Slapd(ldif=None, overlays=()) as slapd:
        # One by one: a spelling that is not a DN at all is refused, and that is an answer too.
        refused = _add_each(slapd, groups)
        names = [spelling.filter_value(spelling.canonical(probe)) for _, probe, _ in asked]
        answers = Truth(slapd).search(["(&(cn=g%d)(member=%s))" % pair for pair in enumerate(names)], "cn")
    same = {habit: [] for habit in habits}
    for number, ((habit, _, _), entries) in enumerate(zip(asked, answers)):
        same[habit].append(number not in refused and len(entries) == 1)
    return {habit for habit in habits if same[habit] and all(same[habit])}


def _probes():
    suffix = tuple((("dc", part[3:]),) for part in testbed.DEFAULT_SUFFIX.split(","))
    return [probe + suffix for probe in PROBES]


def _texts(habit, probe, seed):
    """Spellings by this habit alone that differ from the plain one; none where there is nothing to apply it to."""
    texts = {spelling.write(probe, random.Random("%s %d %d" % (habit, seed, turn)), {habit}, chance)
             for turn, chance in enumerate((1.0, 0.5, 0.5))}
    return sorted(texts - {spelling.canonical(probe)})


def _add_each(slapd, ldif):
    refused = set()
    tool = testbed.need("ldapmodify")
    secret = slapd.directory + "/calibration.secret"
    testbed.write_file(secret, slapd.root_password, 0o600)
    done = testbed.run(tool, "-a", "-c", "-x", "-H", slapd.ldapi_uri, "-D", slapd.root_dn, "-y", secret, text=ldif,
                       check=False)
    for number in re.findall(r'^adding new entry "cn=g(\d+),[^\n]*"\nldap_add: ', done.stdout + done.stderr, re.M):
        refused.add(int(number))
    added = len(re.findall("^adding new entry", done.stdout, re.M))
    if added == 0:
        raise testbed.TestbedError("the calibration added nothing:\n" + done.stderr)
    return refused
