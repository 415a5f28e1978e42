#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# man.sh SOURCE_DIR BUILD_DIR PROGRAM: the manual page and what the program says of itself name the same commands and the
# same options, and the page formats without a warning.
# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"
program=${3:-}
page=src/cli/wsmauthz.1
[ -n "$program" ] || skip "the program is not part of this build"
[ -f "$page" ] || {
	finding "$page: there is none"
	done_linting
}

options() {
	grep -oE -e '(^|[^-[:alnum:]])--[a-z][a-z-]*' | sed 's/^[^-]//' | sort -u
}

"$program" --help >"$scratch/help" || finding "wsmauthz --help ended with $?"
awk 'tolower($0) ~ /^commands/ { on = 1; next } on && /^[^ \t]|^$/ { on = 0 } on && $1 ~ /^[a-z]+$/ && /^[ \t]+[a-z]/ { print $1 }' \
	"$scratch/help" | sort -u >"$scratch/commands"
[ -s "$scratch/commands" ] || finding "wsmauthz --help names no command (below a line that begins with \"Commands\")"
while read -r command; do
	"$program" "$command" --help >>"$scratch/help" || finding "wsmauthz $command --help ended with $?"
done <"$scratch/commands"

# The page's commands: the first word of each heading, or of each bold item of a list, in the section COMMANDS.
sed 's/\\-/-/g' "$page" >"$scratch/page"
awk '/^\.SH/ { on = toupper($0) ~ /COMMANDS/; next }
	on && (/^\.SS/ || (after_tp && /^\.B/)) {
		for (i = 2; i <= NF; i++) {
			gsub(/"|\\f[A-Z]/, "", $i)
			if ($i != "wsmauthz") { if ($i ~ /^[a-z]+$/) print $i; break }
		}
	}
	{ after_tp = /^\.T[PQ]/ }' "$scratch/page" | sort -u >"$scratch/page_commands"

sed 's/\\f[A-Z]//g' "$scratch/page" | options >"$scratch/page_options"
options <"$scratch/help" >"$scratch/options"
for what in commands options; do
	comm -23 "$scratch/$what" "$scratch/page_$what" >"$scratch/found"
	findings_from "$scratch/found" "in --help, not in $page"
	comm -13 "$scratch/$what" "$scratch/page_$what" >"$scratch/found"
	findings_from "$scratch/found" "in $page, not in --help"
done

if command -v groff >/dev/null 2>&1; then
	groff -man -ww -Tutf8 -z "$page" 2>"$scratch/found"
	findings_from "$scratch/found" "groff"
fi
done_linting
