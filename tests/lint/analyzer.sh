#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# gcc's path analysis over what the build compiles of src; a warning is an error. Where it is wrong (and gcc 12 is, at
# times, about pointers that move between structures), the code is written so that it sees what we see; a case
# that cannot be is named below, with the reason, as FILE:WARNING.
# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"
need gcc
ACCEPTED=""
# shellcheck disable=SC2016  # $0 is ACCEPTED, $1 the file, $2 the folder, $3 the command
for_each_source sh -c '
	cd "$2" || exit 1
	options=
	for accepted in $0; do
		case $1 in
		*/"${accepted%:*}") options="$options -Wno-${accepted#*:}" ;;
		esac
	done
	file=$1
	eval "set -- $3"
	shift
	# -O1: enough to see through our small functions.
	exec gcc "$@" -O1 -Werror -fanalyzer $options -S -o /dev/null "$file"' "$ACCEPTED"
done_linting
