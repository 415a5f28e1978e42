#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fuzz for as long as you like: see usage(), or sh tests/fuzz.sh --help.
set -u

PACKAGES="
clang libclang-rt-14-dev cmake ninja-build pkg-config
libldap-dev libsasl2-dev libkrb5-dev libxml2-dev libc-ares-dev libcmocka-dev
"
# As many inputs of a corpus as are kept in the tree, the smallest first: the fuzzer finds the way on from there.
CORPUS_MAX=400

usage() {
	cat <<'TEXT'
Usage: sh tests/fuzz.sh [--seconds N] [--target NAME]... [--keep] [--no-install] [--help]

Installs what is missing (Debian packages, as root or with sudo), builds build/fuzz with clang, libFuzzer,
AddressSanitizer and UndefinedBehaviorSanitizer, and runs each target, one on each processor:

  --seconds N    each target for so long (default 60)
  --target NAME  this one only; may be said again. Without a name that exists, the names are told
  --keep         add what was found to tests/fuzz/corpus/NAME.tar.gz, and the time to tests/fuzz/corpus/seconds.txt
  --no-install   install nothing

An input that fails a target is kept as build/NAME-crash-..., and told with the command that repeats it.
Exit status: 0, nothing failed; 1, something did; 2, the command line.
TEXT
}

say() {
	printf '\n== %s\n' "$*"
}

# shellcheck source=tests/support/packages.sh
. "$(dirname "$0")/support/packages.sh"

seconds=60 wanted="" keep=no install=yes
while [ $# -gt 0 ]; do
	case $1 in
	--seconds | --target)
		[ $# -gt 1 ] || { usage >&2 && exit 2; }
		if [ "$1" = --seconds ]; then seconds=$2; else wanted="$wanted $2"; fi
		shift
		;;
	--keep) keep=yes ;;
	--no-install) install=no ;;
	--help) usage && exit 0 ;;
	*) echo "fuzz.sh: unknown option: $1 (see --help)" >&2 && exit 2 ;;
	esac
	shift
done
case $seconds in '' | *[!0-9]*) echo "fuzz.sh: --seconds wants a whole number" >&2 && exit 2 ;; esac

root=$(cd "$(dirname "$0")/.." && pwd -P) || exit 1
cd "$root" || exit 1
mkdir -p build || exit 1

trap 'allow_services' EXIT
trap 'exit 1' HUP INT TERM
[ "$install" = no ] || install_packages_or_exit

say "build fuzz"
{ cmake --preset fuzz && cmake --build build/fuzz; } >build/fuzz.log 2>&1 || {
	tail -n 40 build/fuzz.log
	exit 1
}

targets=""
for program in build/fuzz/tests/fuzz/fuzz_*; do
	name=${program##*/fuzz_}
	[ -x "$program" ] && [ ! -d "$program" ] || continue
	[ -z "$wanted" ] || case " $wanted " in *" $name "*) ;; *) continue ;; esac
	targets="$targets $name"
done
[ -n "$targets" ] || {
	echo "fuzz.sh: no such target:$wanted; there are:" >&2
	find build/fuzz/tests/fuzz -name 'fuzz_*' -type f -perm -u+x | sed 's|.*/fuzz_|  |' | sort >&2
	exit 2
}

found=$(mktemp -d) || exit 1
trap 'rm -rf "$found"' EXIT

# fuzz_target NAME: in build, where an input that fails is kept.
fuzz_target() {
	mkdir "$found/$1"
	(cd build && sh ../tests/fuzz/run_target.sh "$root/build/fuzz/tests/fuzz/fuzz_$1" "$1" "$seconds" "$found/$1") >"$found/$1.out" 2>&1
	echo $? >"$found/$1.status"
}

# keep_corpus NAME: the smallest inputs that reach what all of them reach, and the time that it took.
keep_corpus() {
	mkdir "$found/$1.least"
	"build/fuzz/tests/fuzz/fuzz_$1" -merge=1 "$found/$1.least" "$found/$1" >"$found/$1.merge" 2>&1 || return
	mkdir -p tests/fuzz/corpus
	(cd "$found/$1.least" && find . -type f -printf '%s %f\n' | sort -n | head -n "$CORPUS_MAX" | cut -d ' ' -f 2 |
		tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf - -T - | gzip -9n) >"tests/fuzz/corpus/$1.tar.gz"
	touch tests/fuzz/corpus/seconds.txt
	awk -v name="$1" -v more="$seconds" '$1 == name { $2 += more; seen = 1 } { print } END { if (!seen) print name, more }' \
		tests/fuzz/corpus/seconds.txt | sort >"$found/seconds" && cp "$found/seconds" tests/fuzz/corpus/seconds.txt
}

failed=""
# shellcheck disable=SC2086  # a list
set -- $targets
jobs=$(nproc)
say "$# targets, $seconds s each, $jobs at a time: about $((($# + jobs - 1) / jobs * (seconds + 5) / 60 + 1)) min"
while [ $# -gt 0 ]; do
	running=""
	while [ $# -gt 0 ] && [ "$(echo "$running" | wc -w)" -lt "$jobs" ]; do
		fuzz_target "$1" &
		running="$running $1"
		shift
	done
	wait
	for name in $running; do
		say "$name"
		cat "$found/$name.out"
		if [ "$(cat "$found/$name.status")" != 0 ]; then
			failed="$failed $name"
		elif [ "$keep" = yes ]; then
			keep_corpus "$name"
		fi
	done
done

[ -z "$failed" ] && say "nothing failed" && exit 0
say "failed:$failed"
for name in $failed; do
	for input in build/"$name"-*; do
		[ ! -f "$input" ] || echo "again: build/fuzz/tests/fuzz/fuzz_$name $input"
	done
done
exit 1
