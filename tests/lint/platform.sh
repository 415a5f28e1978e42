#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Conditions on the platform or the compiler stand in the three headers made for them and nowhere else: what differs
# between systems is a file (NAME_posix.c, NAME_windows.c), and the build chooses.
# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"
names='_WIN32|_WIN64|WIN32|_MSC_VER|__MINGW32__|__MINGW64__|__CYGWIN__|__linux__|__linux|__unix__|__unix|__APPLE__|'
names="$names"'__FreeBSD__|__OpenBSD__|__NetBSD__|__GLIBC__|__GNUC__|__clang__|_POSIX_VERSION'
c_files src include | grep -vxE 'src/base/compiler\.h|include/wsmauthz/export\.h|include/wsmauthz/wsman\.h' |
	xargs -r grep -nHE "^[[:space:]]*#[[:space:]]*(if|ifdef|ifndef|elif)\>.*\<($names)\>" >"$scratch/found"
findings_from "$scratch/found" "a platform condition outside the three headers made for it"
done_linting
