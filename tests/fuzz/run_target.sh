#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run_target.sh PROGRAM NAME SECONDS [FOLDER]: fuzz one target for so long, from its corpus. What it finds stays in FOLDER, which gets
# the corpus first; without one it is thrown away. An input that fails is kept in the current folder, and named at the end.
set -u
program=$1 name=$2 seconds=$3
here=$(cd "$(dirname "$0")" && pwd) || exit 1
folder=${4:-$(mktemp -d)} || exit 1
[ $# -gt 3 ] || trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM
[ ! -f "$here/corpus/$name.tar.gz" ] || tar -C "$folder" -xzf "$here/corpus/$name.tar.gz" || exit 1

"$program" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=1024 -max_len=4096 -print_final_stats=1 \
	-dict="$here/$name.dict" -artifact_prefix="$PWD/$name-" "$folder" 2>"$folder.log"
status=$?
if [ "$status" = 0 ]; then
	grep -E '^stat::(number_of_executed_units|new_units_added|peak_rss_mb)|^#.*DONE' "$folder.log"
else
	tail -n 60 "$folder.log"
fi
rm -f "$folder.log"
exit "$status"
