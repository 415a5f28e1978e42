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

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

missing_packages() {
	for package in $PACKAGES; do
		dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || echo "$package"
	done
}

# slapd's package starts its service unless this policy forbids it.
POLICY=/usr/sbin/policy-rc.d
forbid_services() {
	[ -e "$POLICY" ] && return
	printf '#!/bin/sh\nexit 101\n' | as_root tee "$POLICY" >/dev/null && as_root chmod 755 "$POLICY" && policy_is_ours=yes
}

allow_services() {
	if [ "${policy_is_ours:-no}" = yes ]; then
		as_root rm -f "$POLICY"
		policy_is_ours=no
	fi
}

install_packages() {
	command -v dpkg-query >/dev/null 2>&1 || {
		echo "run.sh: this is not Debian: install what PACKAGES in $0 names, then use --no-install" >&2
		exit 1
	}
	missing=$(missing_packages | tr '\n' ' ')
	[ -n "$missing" ] || return 0
	echo "installing: $missing" >&2
	forbid_services
	# shellcheck disable=SC2086  # a list
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 update >build/install.log 2>&1 &&
		as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 install \
			--no-install-recommends $missing >>build/install.log 2>&1 || {
		tail -n 30 build/install.log >&2
		exit 1
	}
	allow_services
}

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
		[ "$install" = no ] || install_packages
		build
	) || exit 1
	program=$root/build/release/src/cli/wsmauthz
fi
/usr/bin/python3 "$here/run.py" --program "$program" "$@"
