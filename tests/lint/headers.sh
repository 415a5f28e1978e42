#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each header compiles alone, twice in a row, with the include path of its own module; a public one as C++ too.
# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"
need gcc
compile_commands
tr '\0\n' '\n ' <"$scratch/commands" >"$scratch/lines"

# options_of FOLDER: the compiler's options for the files of src/FOLDER; nothing where the build has none.
options_of() {
	awk -v prefix="$source_dir/src/$1/" '
		NR % 3 == 1 { mine = index($0, prefix) == 1 }
		NR % 3 == 0 && mine { sub(/^[^ ]+ /, ""); print; exit }' "$scratch/lines"
}

# compiles COMPILER HEADER OPTIONS...
compiles() {
	compiler=$1 header=$2
	shift 2
	printf '#include "%s"\n#include "%s"\n' "$source_dir/$header" "$source_dir/$header" >"$scratch/alone.c"
	"$compiler" "$@" -fsyntax-only "$scratch/alone.c" || finding "$header: does not compile alone ($compiler $*)"
}

compiled=0
c_files src | grep '\.h$' >"$scratch/headers"
while read -r header; do
	case $header in
	*/windows/* | *_windows.h | *_wldap32.h | *_xmllite.h) continue ;; # compiled by the Windows build
	esac
	folder=${header#src/}
	options=$(options_of "${folder%%/*}")
	[ -n "$options" ] || continue # not part of this build
	compiled=$((compiled + 1))
	eval "compiles gcc $header $options"
done <"$scratch/headers"

[ "$compiled" -gt 0 ] || finding "no header of src could be tried"

c_files include >"$scratch/headers"
while read -r header; do
	compiles gcc "$header" -std=c17 -Wall -Wextra -Werror -Wundef -Wstrict-prototypes -Iinclude
	if command -v clang >/dev/null 2>&1; then
		compiles clang "$header" -x c++ -std=c++17 -Wall -Wextra -Werror -Wundef -Iinclude
	fi
done <"$scratch/headers"
done_linting
