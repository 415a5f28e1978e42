#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a decision costs, and what the directory itself allows, measured in the same run: see usage(), or sh tests/bench/run.sh --help.
#
# The files here:
#   run.sh          packages, the build, then run.py
#   run.py          for each depth: data, a slapd of its own, `wsmauthz bench`; then the table
#   generate.py     the data: users, groups, depth, cycles, sizes of groups
#   bench_slapd.py  the slapd: on loopback, loaded by slapadd -q, gone at the end
#   report.py       by itself: what `wsmauthz report` takes for such a directory
#   revocation.py   how soon a change counts, while many threads ask: a slapd, and revocation.c
set -u

PACKAGES="
gcc libc6-dev cmake ninja-build pkg-config
libldap-dev libsasl2-dev libkrb5-dev libxml2-dev libc-ares-dev libcmocka-dev
slapd openssl util-linux python3
"

usage() {
	cat <<'TEXT'
Usage: sh tests/bench/run.sh [--users N] [--depths 1,5,20,64] [--duration 2s] [--outstanding 64] [--connections N]
                             [--phases cold,warm,floor] [--json FILE] [--verbose] [--no-install] [-- OPTION...]

Installs what is missing (Debian packages, as root or with sudo; no service is started), builds build/release, and
measures: for each depth of nesting a throw-away slapd with N users (default 100000), of whom half are members of the
allowed group, by way of as many groups as the depth says. Prints one table:

  floor   raw searches for the same users on the same server, pipelined on as many connections
  cold    decisions that ask the directory each time, many under way, and one at a time
  warm    decisions from the cache: through the engine and through the plug-in's entry points, beside a bare hash
          probe and a copy of the sender's name
  memory, the time to the first answer, the time that reading the groups takes

  --json FILE   all that was measured, one JSON object a depth
  --program F   measure this program; build nothing, install nothing
  -- OPTION...  for generate.py: --members N, --group-size N, --groups N, --nested N, --cycles N, --big-group N

Exit status 0: measured, and what was decided was right; 1: something was wrong.
TEXT
}

# shellcheck source=tests/support/packages.sh
. "$(dirname "$0")/../support/packages.sh"

build() {
	{ cmake --preset release && cmake --build build/release --parallel "$(nproc)" --target wsmauthz_program; } \
		>build/bench.log 2>&1 || {
		tail -n 40 build/bench.log >&2
		exit 1
	}
}

install=yes program=""
for word; do
	shift
	case $word in
	--no-install) install=no ;;
	--help)
		usage
		exit 0
		;;
	--program) take_program=yes ;;
	*)
		if [ "${take_program:-no}" = yes ]; then
			program=$word take_program=no
		else
			set -- "$@" "$word"
		fi
		;;
	esac
done

# A relative --json or --program is the caller's: so the folder is not changed but for the build.
export LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
here=$(cd "$(dirname "$0")" && pwd -P) || exit 1
root=$(cd "$here/../.." && pwd -P) || exit 1
trap 'allow_services' EXIT
trap 'exit 1' HUP INT TERM
if [ -z "$program" ]; then
	(
		cd "$root" && mkdir -p build || exit 1
		trap 'allow_services' EXIT
		[ "$install" = no ] || install_packages_or_exit
		build
	) || exit 1
	program=$root/build/release/src/cli/wsmauthz
fi
/usr/bin/python3 "$here/run.py" --program "$program" "$@"
