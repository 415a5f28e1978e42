#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# It never lies, never hangs, never leaks: see usage(), or sh tests/soak.sh --help.
#
# The files, in tests/soak:
#   conduct.py     has it all happen, then judges
#   rig.py         two slapds, a provider and a copy, proxies before them
#   world.py       people, groups, senders, and the changes that are made
#   faults.py      the kinds of faults, and when which happens
#   soak.c ...     the host: loads the plug-in file as WinRM does, asks, writes down every call
#   history.py     what everybody was allowed and when, out of the directory's own log of writes
#   judge.py       every call against that
#   report.py      what is shown
#   failover.py    beside it: what a host feels when the first server goes, and when it is back
set -u

PACKAGES="
gcc libc6-dev cmake ninja-build pkg-config
libldap-dev libsasl2-dev libkrb5-dev libxml2-dev libc-ares-dev libcmocka-dev
slapd openssl util-linux iproute2 mount python3
"

usage() {
	cat <<'TEXT'
Usage: sh tests/soak.sh [--requests N] [--seed S] [--rate N] [--changes N] [--each N] [--log FILE] [--no-install]

Installs what is missing (Debian packages, as root or with sudo; no service is started), builds build/release, and asks N
times (default 1000000) who may come in, through the plug-in's entry points, from two applications (one synchronous and by TLS, one
neither) in one process, while the directory changes and everything fails: servers are killed, stopped, restarted, get new and
expired certificates; networks delay, lose, cut and spoil; servers answer nonsense; disk, memory and descriptors are used up;
the policy changes and is spoiled; the clock jumps.

Every call is then judged by what the directory wrote into its own log. What happens is a function of the seed.

  --rate N      requests a second (default 1500), as far as the machine and the faults allow
  --changes N   changes of the directory a second (default 15)
  --each N      each kind of fault must have happened so often (default: 20 from 1000000 requests on)
  --log FILE    what the plug-in logs

The last line is `N requests, N completions, 0 wrong authorizes, 0 late, 0 leaks`. Exit status 0: it is so, at least 30 % were cold, there
was at least one fault a second, no answer was wrong in any other way, and errors ended when the faults did; 1: not so.
TEXT
}

# shellcheck source=tests/support/packages.sh
. "$(dirname "$0")/support/packages.sh"

build() {
	{ cmake --preset release && cmake --build build/release --parallel "$(nproc)" --target soak_all; } \
		>build/soak.log 2>&1 || {
		tail -n 40 build/soak.log >&2
		exit 1
	}
}

install=yes
for word; do
	shift
	case $word in
	--no-install) install=no ;;
	--help)
		usage
		exit 0
		;;
	*) set -- "$@" "$word" ;;
	esac
done

export LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
root=$(cd "$(dirname "$0")/.." && pwd -P) || exit 1
trap 'allow_services' EXIT
trap 'exit 1' HUP INT TERM
(
	cd "$root" && mkdir -p build || exit 1
	trap 'allow_services' EXIT
	[ "$install" = no ] || install_packages_or_exit
	build
) || exit 1
# The build writes where its files are.
# shellcheck source=/dev/null
. "$root/build/release/tests/soak/files.sh"
/usr/bin/python3 "$root/tests/soak/conduct.py" "$@"
