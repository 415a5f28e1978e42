#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# coverage.sh BUILD_DIR: how many lines of src and include the tests of this build have run so far: for each module, and the files that have
# the most of the others. The build is one of the preset `coverage`; its tests were run with LLVM_PROFILE_FILE=BUILD_DIR/profiles/%m.profraw.
# Exit status 0: at least LEAST_PERCENT in all; 1: less, or nothing was run.
set -u
LEAST_PERCENT=90
FILES_SHOWN=12

build=$(cd "$1" && pwd) || exit 1
ls "$build"/profiles/*.profraw >/dev/null 2>&1 || {
	echo "coverage.sh: no test has left a profile in $build/profiles" >&2
	exit 1
}
llvm-profdata merge -sparse "$build"/profiles/*.profraw -o "$build/coverage.profdata" || exit 1

# Whatever was linked may have run: programs, plug-ins.
objects=$(find "$build/src" "$build/tests" -type f -perm -u+x ! -path '*/CMakeFiles/*' ! -name '*.a' ! -name '*.sh' ! -name '*.py' | sed 's/^/-object /')
# shellcheck disable=SC2086  # a list
llvm-cov export -summary-only -format=text $objects -instr-profile="$build/coverage.profdata" \
	-ignore-filename-regex='/tests/' 2>/dev/null >"$build/coverage.json" || exit 1

/usr/bin/python3 - "$build/coverage.json" "$LEAST_PERCENT" "$FILES_SHOWN" <<'PYTHON'
import collections
import json
import re
import sys

path, least, shown = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
modules, files = collections.Counter(), []
covered = collections.Counter()
with open(path, encoding="utf-8") as file:
    for one in json.load(file)["data"][0]["files"]:
        # A header is reached by its name in the build's view of the module.
        place = re.search(r"/(src|view|include)/(\w+)/", one["filename"])
        lines = one["summary"]["lines"]
        if not place or not lines["count"]:
            continue
        module = place.group(2) if place.group(1) != "include" else "include"
        modules[module] += lines["count"]
        covered[module] += lines["covered"]
        files.append((lines["count"] - lines["covered"], lines["percent"], "%s/%s" % (module, one["filename"].split("/")[-1])))
for module in sorted(modules):
    print("  %-12s %6d lines  %5.1f %%" % (module, modules[module], 100.0 * covered[module] / modules[module]))
print("  most lines that no test ran:")
for count, percent, name in sorted(files, reverse=True)[:shown]:
    print("    %4d of %-40s %5.1f %% were" % (count, name, percent))
total = 100.0 * sum(covered.values()) / sum(modules.values())
print("coverage: %.1f %% of %d lines (at least %.0f %%)" % (total, sum(modules.values()), least))
sys.exit(total < least)
PYTHON
