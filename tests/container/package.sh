#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes the Debian packages of a build and looks at them: package.sh BUILD_DIR OUTPUT_DIR. That they work is for image.sh, which installs
# them on a machine with nothing else.
#
# Status 77: a tool is not installed, or the build was not configured for /usr.
set -u
build=$1
output=$2
failed=0

skip() {
	printf 'skipped: %s\n' "$*"
	exit 77
}

check() {
	if [ "$2" = "$3" ]; then
		printf 'ok      %s\n' "$1"
	else
		printf 'not ok  %s\n        | wanted: %s\n        | got:    %s\n' "$1" "$2" "$3"
		failed=1
	fi
}

for tool in cpack dpkg-deb dpkg-shlibdeps lintian; do
	command -v "$tool" >/dev/null || skip "$tool is not installed"
done
prefix=$(sed -n 's/^CMAKE_INSTALL_PREFIX:[A-Z]*=//p' "$build/CMakeCache.txt")
[ "$prefix" = /usr ] || skip "this build is configured for $prefix, not for /usr"
[ -z "$(sed -n 's/^WSMAUTHZ_SANITIZE:[A-Z]*=//p' "$build/CMakeCache.txt")" ] || skip "this build has sanitizers"

rm -rf "$output"
mkdir -p "$output" || exit 1
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM HUP
(cd "$build" && umask 022 && cpack -B "$scratch") >"$scratch/log" 2>&1 || {
	cat "$scratch/log"
	exit 1
}
mv "$scratch"/*.deb "$output/"
check "there are three packages" "libwsmauthz-dev libwsmauthz0 wsmauthz" \
	"$(for each in "$output"/*.deb; do dpkg-deb -f "$each" Package; done | sort | paste -s -d ' ' -)"

# Nobody's address is in them: who makes packages for others gives his own.
check "lintian has nothing to say" "" \
	"$(lintian --suppress-tags bogus-mail-host,bogus-mail-host-in-debian-changelog "$output"/*.deb 2>&1 | grep -v '^running with root')"

main=$(echo "$output"/wsmauthz_*.deb)
dpkg-deb -c "$main" >"$scratch/files"
list() {
	awk -v path="./$1" '$6 == path { print $1, $2 }' "$scratch/files"
}
check "the policy is root's, and everybody reads it" "-rw-r--r-- root/root" "$(list etc/wsmauthz/wsmauthz.xml)"
check "its folder is root's" "drwxr-xr-x root/root" "$(list etc/wsmauthz/)"
check "the program is root's" "-rwxr-xr-x root/root" "$(list usr/bin/wsmauthz)"
check "there is the plug-in" "-rw-r--r-- root/root" "$(list "$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null | sed 's|.*|usr/lib/&/wsmauthz/wsmauthz.so|')")"
for file in usr/share/man/man1/wsmauthz.1.gz usr/share/man/man5/wsmauthz.xml.5.gz usr/share/bash-completion/completions/wsmauthz \
	usr/share/zsh/vendor-completions/_wsmauthz etc/logrotate.d/wsmauthz usr/lib/tmpfiles.d/wsmauthz.conf; do
	check "there is $file" "-rw-r--r-- root/root" "$(list $file)"
done
dpkg-deb --ctrl-tarfile "$main" | tar -xOf - ./conffiles >"$scratch/conffiles"
check "what an administrator changes is kept" "/etc/logrotate.d/wsmauthz /etc/wsmauthz/wsmauthz.xml" "$(sort "$scratch/conffiles" | paste -s -d ' ' -)"
check "no package depends on another but for the development files" "libwsmauthz-dev" \
	"$(for each in "$output"/*.deb; do dpkg-deb -f "$each" Depends | grep -q wsmauthz && dpkg-deb -f "$each" Package; done)"
exit $failed
