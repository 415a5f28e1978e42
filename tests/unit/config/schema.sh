#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The schema and the loader agree: the sample validates, and so does or does not each policy of policies.h.
#
#	schema.sh WRITE_POLICIES CONF_FOLDER
#
# Ends with 77 (skipped) where there is no xmllint.
set -eu

write_policies=$1
conf=$2

command -v xmllint >/dev/null || {
	echo "skipped: xmllint is not installed"
	exit 77
}

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$write_policies" "$folder"
failures=0

# xmllint: 0 valid, 3 and 4 not valid; anything else is an error of its own, and no answer.
judge() {
	status=0
	xmllint --nonet --noout --schema "$conf/wsmauthz.xsd" "$1" >"$folder/said" 2>&1 || status=$?
	[ "$status" -eq "$2" ] || { [ "$2" -eq 3 ] && [ "$status" -eq 4 ]; } && return
	echo "$1: xmllint ended with $status, expected $2"
	cat "$1" "$folder/said"
	failures=$((failures + 1))
}

judge "$conf/wsmauthz.xml" 0
taken=0
for file in "$folder"/takes-*.xml; do
	judge "$file" 0
	taken=$((taken + 1))
done
refused=0
for file in "$folder"/refuses-*.xml; do
	judge "$file" 3
	refused=$((refused + 1))
done
echo "$taken policies taken, $refused refused, $failures not as expected"
[ "$taken" -gt 20 ] && [ "$refused" -gt 20 ] && [ "$failures" -eq 0 ]
