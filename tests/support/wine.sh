#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# sh wine.sh [--says PATTERN] PREFIX PROGRAM [ARGUMENT]...: run a program of Windows under Wine, in the Windows of its own that is in the
# folder PREFIX, made by the first who comes. Exit status: the program's.
#
# --says PATTERN: it must also have printed this (as grep takes it), at the beginning of a line. A program that was not run at all (a 32-bit one without
# Wine's 32-bit part) ends with 0 as well.
set -u
says=""
if [ "$1" = --says ]; then
	says=$2
	shift 2
fi
prefix=$1
shift

# What Wine would otherwise say, ask for, or put on the desktop; and it must not read a display.
export WINEDEBUG="${WINEDEBUG:--all}" WINEDLLOVERRIDES='mscoree=;mshtml=;winemenubuilder.exe=' WINEPREFIX="$prefix"
unset DISPLAY WAYLAND_DISPLAY

# A prefix that was half made by one who was killed is not used.
if [ ! -e "$prefix/ready" ]; then
	mkdir -p "$prefix"
	(
		flock 9
		[ ! -e "$prefix/ready" ] || exit 0
		# Its exit status says nothing: what counts is that a program runs there.
		wineboot -i >"$prefix/wineboot.log" 2>&1
		if wine cmd /c echo runs 2>>"$prefix/wineboot.log" | grep -q '^runs'; then
			touch "$prefix/ready"
		else
			cat "$prefix/wineboot.log"
			echo "wine.sh: could not make the Wine prefix $prefix" >&2
			exit 1
		fi
	) 9>"$prefix.lock" || exit 1
fi

[ -n "$says" ] || exec wine "$@"

output=$(mktemp) || exit 1
trap 'rm -f "$output"' EXIT
wine "$@" >"$output" 2>&1
status=$?
cat "$output"
if [ "$status" = 0 ] && ! grep -q "^$says" "$output"; then
	echo "wine.sh: it ended with 0 and did not say '$says': was it run at all?" >&2
	exit 1
fi
exit "$status"
