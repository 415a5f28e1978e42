#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The scripts of the tree: shellcheck for sh, the parser for Python.
# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"
tree_files >"$scratch/files"

# shellcheck disable=SC2016  # Python, not sh
grep '\.py$' "$scratch/files" | tr '\n' '\0' | xargs -0 -r /usr/bin/python3 -c '
import ast, pathlib, sys
for path in sys.argv[1:]:
    ast.parse(pathlib.Path(path).read_text(encoding="utf-8"), path)' || findings=1

need shellcheck
# SC1007, SC1010: `a= b=` and `x=done` mean what they say. SC3045: dash, which is our sh, has ulimit -n.
while read -r file; do
	case $(head -c 64 "$file" | tr -d '\0' | head -n 1) in
	'#!/bin/sh'* | '#!/bin/bash'* | '#!/usr/bin/env bash'*) echo "$file" ;;
	esac
done <"$scratch/files" | tr '\n' '\0' | xargs -0 -r \
	shellcheck --severity=warning --exclude=SC1007,SC1010,SC3045 --external-sources --source-path="$source_dir" || findings=1
done_linting
