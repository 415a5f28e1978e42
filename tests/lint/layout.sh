#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What people forget: what stands at the top, licence lines, include guards, file sizes, promises of work, and names of
# the machine that the code was written on.
# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"
need awk

# Code that is written by a script from a table is as long as its table.
GENERATED=""
MAX_LINES=500

tree_files | sort >"$scratch/files"
c_files src include tests >"$scratch/c"

sed 's|/.*||' "$scratch/files" | sort -u >"$scratch/top"
cat >"$scratch/allowed" <<'NAMES'
.ci
.clang-format
.clang-tidy
.editorconfig
.gitignore
CMakeLists.txt
CMakePresets.json
LICENSE
README.md
conf
docker
include
src
tests
NAMES
comm -23 "$scratch/top" "$scratch/allowed" >"$scratch/found"
findings_from "$scratch/found" "does not belong at the top of the tree"

while read -r file; do
	[ "$(head -n 1 "$file")" = '/* SPDX-License-Identifier: Apache-2.0 */' ] ||
		finding "$file:1: does not begin with the licence line"
done <"$scratch/c"

grep -E '^(src|include)/' "$scratch/c" | xargs -r awk -v max="$MAX_LINES" -v generated=" $GENERATED " '
	FNR == max + 1 && !index(generated, " " FILENAME " ") { print FILENAME ":" FNR ": over " max " lines" }' >"$scratch/found"
findings_from "$scratch/found" "one story a file"

# A guard is WSMAUTHZ_... (in the tests, any), is defined in the next line, and is nobody else's, except of files that stand for each other.
grep '\.h$' "$scratch/c" | xargs -r awk '
	FNR == 1 { if (file != "" && !guard) print file ":1: no include guard"; file = FILENAME; guard = 0; wanted = "" }
	!guard && /^#ifndef / { wanted = $2; line = FNR }
	!guard && /^#define / && wanted == $2 && FNR == line + 1 {
		guard = 1
		if (FILENAME !~ /^tests\// && wanted !~ /^WSMAUTHZ_[A-Z0-9_]+_H$/) print FILENAME ":" line ": guard " wanted " is not WSMAUTHZ_..._H"
		base = FILENAME; sub(/.*\//, "", base)
		if ((wanted in owner) && name[wanted] != base)
			print FILENAME ":" line ": guard " wanted " is that of " owner[wanted] " too"
		owner[wanted] = FILENAME; name[wanted] = base
	}
	END { if (file != "" && !guard) print file ":1: no include guard" }' >"$scratch/found"
findings_from "$scratch/found" "include guards"

# words PATTERN WHAT [FOLDER...]: lines of the tree's text files that match; in these words' own patterns a letter is in
# brackets, so that this file is clean.
words() {
	pattern=$1 what=$2
	shift 2
	if [ $# -gt 0 ]; then
		for folder; do grep "^$folder/" "$scratch/files"; done
	else
		cat "$scratch/files"
	fi | tr '\n' '\0' | xargs -0 -r grep -nHIE "$pattern" -- >"$scratch/found"
	findings_from "$scratch/found" "$what"
}
words '\<(T[O]DO|F[I]XME|X[X]X)\>' "a promise of work: do it, or say in the text what is so" src include tests docker conf '\.ci'
words '(^|[^A-Za-z0-9_.-])/w[o]rk(/|$|[^A-Za-z0-9_])|\.\./sh[a]red\>' "a folder of the machine it was written on"
words '\<(p[y]pi\.org|pythonh[o]sted\.org|n[p]mjs\.(org|com)|cr[a]tes\.io|ruby[g]ems\.org|pr[o]xy\.golang\.org|qu[a]y\.io|gh[c]r\.io|d[o]cker\.io/|d[e]b\.debian\.org)' \
	"the host of a package registry: machines have their own"
done_linting
