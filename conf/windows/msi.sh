#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# msi.sh OUTPUT.msi VERSION SOURCE_DIR wsmauthz.dll wsmauthz.exe wsmsvc.dll: the installer, of files that are built (the last is
# the stand-in beside the program). Needs wixl and msibuild.
set -eu
[ $# -eq 6 ] || {
	echo "usage: msi.sh OUTPUT.msi VERSION SOURCE_DIR wsmauthz.dll wsmauthz.exe wsmsvc.dll" >&2
	exit 2
}
version=$2 source=$3 library=$4 program=$5 standin=$6
output=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
windows=$source/conf/windows
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
trap 'exit 1' HUP INT TERM

cp "$library" "$stage/wsmauthz.dll"
cp "$program" "$stage/wsmauthz.exe"
cp "$standin" "$stage/wsmsvc.dll"
cp "$source/conf/wsmauthz.xsd" "$windows/wsmauthz.xml" "$windows/web.config" "$windows/wsmauthz.admx" \
	"$windows/wsmauthz.adml" "$stage"
# Notepad of older systems shows one long line otherwise.
sed 's/$/\r/' "$source/conf/README.md" >"$stage/README.md"
sed 's/$/\r/' "$source/LICENSE" >"$stage/LICENSE.txt"

# A product of its own for each version, the same each time: a UUID of the version's SHA-256 (RFC 9562, version 8).
code=$(printf 'wsmauthz %s' "$version" | sha256sum | tr '[:lower:]' '[:upper:]' |
	sed 's/^\(.\{8\}\)\(.\{4\}\).\(.\{3\}\).\(.\{3\}\)\(.\{12\}\).*/\1-\2-8\3-A\4-\5/')

# wixl takes files beside its source only.
rm -f "$output"
cp "$windows/wsmauthz.wxs" "$stage"
(cd "$stage" && wixl -a x64 -D Version="$version" -D ProductCode="$code" -o "$output" wsmauthz.wxs)

# For what wixl 0.101 has no words:
# the policy is the administrator's: never overwritten (0x80), never removed (0x10), of 64 bits (0x100);
# shellcheck disable=SC2016  # it is SQL, and the quotes are its own
msibuild "$output" -q 'UPDATE `Component` SET `Attributes` = 400 WHERE `Component` = '"'Policy'"
# who may put a policy there decides who gets in. SYSTEM and Administrators: everything; IIS_IUSRS (whatever application
# pool it is): to read; nobody else, and nothing is inherited. Owner: Administrators.
table=$stage/MsiLockPermissionsEx.idt
printf '%s\t%s\t%s\t%s\t%s\r\n' \
	MsiLockPermissionsEx LockObject Table SDDLText Condition \
	s72 s72 s32 s0 S255 \
	MsiLockPermissionsEx MsiLockPermissionsEx '' '' '' \
	PolicyFolder POLICYDIR CreateFolder 'O:BAG:SYD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;IS)' '' >"$table"
sed -i '3s/\t*\r$/\r/' "$table"
msibuild "$output" -i "$table"
