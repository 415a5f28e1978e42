#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An include against the arrow does not compile. For each pair of modules: with the options that the build uses for the
# one, a header of the other is found exactly if a USES line of CMakeLists.txt leads there; and those lines lead
# downward only.
# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"
need gcc
/usr/bin/python3 "$here/includes.py" "$source_dir" "$build_dir" || findings=1
done_linting
