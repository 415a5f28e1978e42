#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The numbers of events are the same in the code (src/base/log_event.h, log.c), in the message table of the Event Log
# (src/plugin/events.mc), with the same levels, and in the guide (conf/README.md).
# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"
need awk

# Each list has lines "<number> <name> <level>".
levels=$(sed -n '/^enum log_level log_event_level/,/^}/p' src/base/log.c)
sed -n 's/^[[:space:]]*LOG_EVENT_\([A-Z_]*\) = \([0-9]*\).*/\2 \1/p' src/base/log_event.h | while read -r number name; do
	[ "$name" != NONE ] || continue
	printf '%s %s %s\n' "$number" "$name" "$(echo "$levels" | awk -v wanted="LOG_EVENT_$name:" '
		$1 == "case" && $2 == wanted { found = 1 } found && $1 == "return" { sub(/.*LOG_LEVEL_/, ""); sub(/;/, ""); print; exit }')"
done | sort >"$scratch/code"

awk '
	/^MessageId=/ { number = substr($0, 11) } /^Severity=/ { severity = substr($0, 10) }
	/^SymbolicName=EVENT_/ { name = substr($0, 20) }
	/^%1$/ { print number, name, severity == "Informational" ? "INFO" : toupper(severity) }' src/plugin/events.mc |
	tr -d '\r' | sort >"$scratch/table"

awk -F'|' '/^\| [0-9, ]+ \|/ {
	count = split($2, numbers, ","); split($3, words, ",")
	for (i = 1; i <= count; i++) {
		gsub(/ /, "", numbers[i]); word = toupper(count > 1 ? words[i] : $3); gsub(/ /, "", word)
		print numbers[i], word == "INFORMATION" ? "INFO" : word
	} }' conf/README.md | sort >"$scratch/guide"

[ "$(wc -l <"$scratch/code")" -gt 10 ] || finding "src/base/log_event.h: no events were found"
comm -23 "$scratch/code" "$scratch/table" >"$scratch/found"
findings_from "$scratch/found" "an event of src/base/log_event.h that src/plugin/events.mc has not, or not so"
comm -13 "$scratch/code" "$scratch/table" >"$scratch/found"
findings_from "$scratch/found" "a message of src/plugin/events.mc that src/base/log_event.h has not, or not so"
awk '{ print $1, $3 }' "$scratch/code" | sort >"$scratch/numbers"
comm -3 "$scratch/numbers" "$scratch/guide" >"$scratch/found"
findings_from "$scratch/found" "an event that only one of src/base/log_event.h and conf/README.md has so"
done_linting
