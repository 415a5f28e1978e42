#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# man.sh SOURCE_DIR BUILD_DIR PROGRAM: the manual page and what the program says of itself name the same commands and the
# same options, the page explains each word of the table of reasons and no other; the page of the policy names the elements and
# attributes of the schema and no other; both format without a warning.
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

# The table's entries look like `[WA_REASON_MEMBER] = "member",`, the page's like a bold item below `.SS Reasons`.
reasons=src/authorizer/reason.c
sed -n 's/.*\[WA_REASON_[A-Z_]*\] = "\([^"]*\)".*/\1/p' "$reasons" | sort -u >"$scratch/reasons"
[ -s "$scratch/reasons" ] || finding "$reasons: no table of reasons is found in it"
awk '/^\.S[HS]/ { on = tolower($2) == "reasons"; next } on && after_tp && $1 == ".B" { print $2 } { after_tp = /^\.TP/ }' \
	"$scratch/page" | sort -u >"$scratch/page_reasons"
comm -23 "$scratch/reasons" "$scratch/page_reasons" >"$scratch/found"
findings_from "$scratch/found" "a reason of $reasons, not in $page"
comm -13 "$scratch/reasons" "$scratch/page_reasons" >"$scratch/found"
findings_from "$scratch/found" "a reason in $page, not in $reasons"

# "element attribute", or "element" alone: the schema's complexType of a name is the element's.
policy_page=src/cli/wsmauthz.xml.5
sed 's/<xs:attribute/\n&/g' conf/wsmauthz.xsd | awk '
	match($0, /<xs:complexType name="[a-z-]+"/) { element = substr($0, RSTART + 22, RLENGTH - 23); print element }
	/<xs:element name="wsmauthz"/ { element = "wsmauthz"; print element }
	match($0, /<xs:attribute name="[a-z-]+"/) { print element, substr($0, RSTART + 20, RLENGTH - 21) }' | sort -u >"$scratch/schema"
[ "$(wc -l <"$scratch/schema")" -gt 60 ] || finding "conf/wsmauthz.xsd: its elements and attributes are not found"
sed 's/\\-/-/g' "$policy_page" | awk '/^\.SH/ { on = $2 == "ELEMENTS"; next } on && /^\.SS/ { element = $2; print element }
	on && after_tp && $1 == ".B" { print element, $2 } { after_tp = /^\.TP/ }' | sort -u >"$scratch/policy_page"
comm -23 "$scratch/schema" "$scratch/policy_page" >"$scratch/found"
findings_from "$scratch/found" "in conf/wsmauthz.xsd, not in $policy_page"
comm -13 "$scratch/schema" "$scratch/policy_page" >"$scratch/found"
findings_from "$scratch/found" "in $policy_page, not in conf/wsmauthz.xsd"

if command -v groff >/dev/null 2>&1; then
	for each in "$page" "$policy_page"; do
		groff -man -ww -Tutf8 -z "$each" 2>"$scratch/found"
		findings_from "$scratch/found" "groff"
	done
fi
done_linting
