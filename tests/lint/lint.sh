# SPDX-License-Identifier: Apache-2.0
# What the lints share. Each is run as `sh NAME.sh SOURCE_DIR BUILD_DIR [...]`, reads this file first, prints
# what is wrong and where (file:line), and ends with 0 (clean), 1 (findings) or 77 (its tool is not installed).
set -u
export LC_ALL=C.UTF-8
here=$(cd "$(dirname "$0")" && pwd) || exit 1
source_dir=$(cd "$1" && pwd) || exit 1
build_dir=$(cd "$2" && pwd) || exit 1
cd "$source_dir" || exit 1
findings=0
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

skip() {
	echo "SKIP: $*"
	exit 77
}

need() {
	for tool; do
		command -v "$tool" >/dev/null 2>&1 || skip "$tool is not installed"
	done
}

# finding TEXT: something is wrong; the lint goes on.
finding() {
	echo "$*"
	findings=1
}

# findings_from FILE WHAT: each line of the file is a finding of this kind.
findings_from() {
	if [ -s "$1" ]; then
		sed "s|\$|: $2|" "$1"
		findings=1
	fi
}

done_linting() {
	exit "$findings"
}

# The C files of these folders, one a line.
c_files() {
	for folder; do
		[ -d "$folder" ] && find "$folder" -name '*.[ch]' -type f
	done | sort
}

# The files that belong to the tree: what git tracks or would track; without git, all but the builds.
tree_files() {
	git -c safe.directory='*' ls-files --cached --others --exclude-standard 2>/dev/null ||
		find . -path ./.git -prune -o -path ./build -prune -o -type f -print | sed 's|^\./||'
}

# compile_commands: "$scratch/commands" gets what compile_commands.py prints.
compile_commands() {
	/usr/bin/python3 "$here/compile_commands.py" "$source_dir" "$build_dir" >"$scratch/commands" || exit 1
	[ -s "$scratch/commands" ] || {
		echo "$build_dir/compile_commands.json names no file of src"
		exit 1
	}
}

# for_each_source COMMAND...: run it for every file of src that this build compiles, as many at once as
# there are processors; its arguments are the file, the folder to run the compiler in, and the
# compiler's command without the file and its output.
for_each_source() {
	compile_commands
	xargs -0 -n 3 -P "$(nproc)" "$@" <"$scratch/commands" || findings=1
}
