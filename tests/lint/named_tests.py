# SPDX-License-Identifier: Apache-2.0
"""
named_tests.py DOCUMENT...: each test that a document names in code font must exist. Names are `function__given__expected` of a unit
test, `name.scn` of a scenario, `file.py test_name` of an integration test, `fuzz_name` of a fuzz target. Works in the current folder.
"""
import re
import sys
from pathlib import Path

NAME = re.compile(r"`([a-z0-9_]+__[a-z0-9_]+__[a-z0-9_]+|[a-z0-9_]+\.scn|[a-z0-9_]+\.py test_[a-z0-9_]+|fuzz_[a-z0-9_]+)`")
C_TEST = re.compile(r"^static void ([a-z0-9_]+__[a-z0-9_]+__[a-z0-9_]+)\(void \*\*", re.MULTILINE)
PYTHON_TEST = re.compile(r"^ +def (test_\w+)\(", re.MULTILINE)


def names_of_tests():
    names = set()
    for path in Path("tests").rglob("*"):
        if path.suffix == ".c":
            names.update(C_TEST.findall(path.read_text(encoding="utf-8")))
        elif path.suffix == ".py":
            names.update("%s %s" % (path.name, name) for name in PYTHON_TEST.findall(path.read_text(encoding="utf-8")))
        elif path.suffix == ".scn":
            names.add(path.name)
        if path.parent.name == "fuzz":
            names.add(path.stem)
    return names


def main():
    known, bad = names_of_tests(), False
    for document in sys.argv[1:]:
        for number, line in enumerate(Path(document).read_text(encoding="utf-8").splitlines(), 1):
            for name in NAME.findall(line):
                if name not in known:
                    print("%s:%d: there is no test %s" % (document, number, name))
                    bad = True
    sys.exit(bad)


main()
