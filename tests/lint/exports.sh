#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# exports.sh SOURCE_DIR BUILD_DIR PLUGIN [LIBRARY]: the plug-in shows the six names of the interface and nothing else, takes from
# the host the three completion functions and nothing else, and is linked as a guest in another process should be. The
# library for embedders shows what its header declares and nothing else, under the number of its interface.
# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"
need readelf ldd comm
plugin=${3:-}
library=${4:-}
[ -n "$plugin" ] || skip "the plug-in is not part of this build"

cat >"$scratch/exports" <<'NAMES'
WSManPluginAuthzOperation
WSManPluginAuthzQueryQuota
WSManPluginAuthzReleaseContext
WSManPluginAuthzUser
WSManPluginShutdown
WSManPluginStartup
NAMES
cat >"$scratch/host" <<'NAMES'
WSManPluginAuthzOperationComplete
WSManPluginAuthzQueryQuotaComplete
WSManPluginAuthzUserComplete
NAMES

# What a guest must not do to its host, and what does it.
cat >"$scratch/forbidden" <<'NAMES'
__cxa_thread_atexit_impl a thread-local destructor would run after the plug-in is gone
_exit ends the host
abort ends the host
exit ends the host
fork copies the host
popen runs a program in the host's name
posix_spawn runs a program in the host's name
putenv changes the host's environment under its threads
setlocale changes the host's locale
sigaction changes the host's signal handlers
signal changes the host's signal handlers
system runs a program in the host's name
umask changes the host's umask
unsetenv changes the host's environment under its threads
NAMES
# libldap reads its environment when it is first used, so one file calls setenv, before any thread of ours is there.
SETENV_ONLY=src/directory/dir_conn_libldap.c

# symbols FILE defined|undefined: the names, without versions; those that may stay undefined (weak) are left out.
symbols() {
	readelf --dyn-syms --wide "$1" | awk -v want="$2" '
		$5 ~ /^(GLOBAL|WEAK|UNIQUE)$/ && $8 != "" {
			kind = $7 == "UND" ? "undefined" : "defined"
			if (kind == want && !(kind == "undefined" && $5 == "WEAK")) { sub(/@.*/, "", $8); print $8 }
		}' | sort -u
}

symbols "$plugin" defined >"$scratch/defined"
comm -23 "$scratch/defined" "$scratch/exports" >"$scratch/extra"
comm -13 "$scratch/defined" "$scratch/exports" >"$scratch/missing"
findings_from "$scratch/extra" "exported, and not of the interface"
findings_from "$scratch/missing" "of the interface, and not exported"

ldd "$plugin" | awk '/=> \// { print $3 } /^[[:space:]]*\// { print $1 }' >"$scratch/libraries"
while read -r library; do
	symbols "$library" defined
done <"$scratch/libraries" | sort -u >"$scratch/system"
symbols "$plugin" undefined >"$scratch/undefined"
comm -23 "$scratch/undefined" "$scratch/system" >"$scratch/from_host"
comm -23 "$scratch/from_host" "$scratch/host" >"$scratch/extra"
comm -13 "$scratch/from_host" "$scratch/host" >"$scratch/missing"
findings_from "$scratch/extra" "undefined, and in no library that the plug-in names"
findings_from "$scratch/missing" "a completion function that is not called, or not left to the host"

while read -r name reason; do
	if grep -qx "$name" "$scratch/undefined"; then
		finding "$name is called: it $reason"
	fi
done <"$scratch/forbidden"

grep -rnE '\<setenv *\(' src | grep -v "^$SETENV_ONLY:" >"$scratch/found"
findings_from "$scratch/found" "changes the host's environment under its threads"

readelf --dynamic --wide "$plugin" >"$scratch/dynamic"
readelf --program-headers --wide "$plugin" >"$scratch/headers"
grep -q NODELETE "$scratch/dynamic" || finding "not linked with -z nodelete: libraries below it do not survive dlclose"
grep -qE 'BIND_NOW|\(FLAGS_1\).*NOW' "$scratch/dynamic" || finding "not linked with -z now"
grep -q 'GNU_RELRO' "$scratch/headers" || finding "not linked with -z relro"
grep -q 'TEXTREL' "$scratch/dynamic" && finding "has text relocations: not everything is compiled with -fPIC"
grep -qE 'RPATH|RUNPATH' "$scratch/dynamic" && finding "has a run path: libraries are the system's"
grep 'GNU_STACK' "$scratch/headers" | grep -q 'RWE' && finding "wants an executable stack"

if [ -n "$library" ]; then
	sed -n 's/^WSMAUTHZ_EXPORT .*\<\(wa_[a-z_]*\)(.*/\1/p' include/wsmauthz/engine.h include/wsmauthz/explanation.h |
		sort -u >"$scratch/declared"
	[ -s "$scratch/declared" ] || finding "include/wsmauthz/engine.h: no function is found in it"
	symbols "$library" defined | grep -v '^WSMAUTHZ_[0-9]*$' >"$scratch/defined"
	comm -23 "$scratch/defined" "$scratch/declared" >"$scratch/extra"
	comm -13 "$scratch/defined" "$scratch/declared" >"$scratch/missing"
	findings_from "$scratch/extra" "exported by the library, and not declared in engine.h or explanation.h"
	findings_from "$scratch/missing" "declared in engine.h or explanation.h, and not exported by the library"
	sed -n 's/^[[:space:]]*\(wa_[a-z_]*\);$/\1/p' src/authorizer/libwsmauthz.map | sort -u >"$scratch/mapped"
	cmp -s "$scratch/mapped" "$scratch/declared" || finding "src/authorizer/libwsmauthz.map: not the functions of engine.h and explanation.h"
	abi=$(sed -n 's/^set(WSMAUTHZ_ABI \([0-9]*\))$/\1/p' CMakeLists.txt)
	grep -q "^WSMAUTHZ_$abi {" src/authorizer/libwsmauthz.map || finding "src/authorizer/libwsmauthz.map: not the number of CMakeLists.txt"
	readelf --dynamic --wide "$library" >"$scratch/dynamic"
	grep -q "SONAME.*\[libwsmauthz\.so\.$abi\]" "$scratch/dynamic" || finding "the library's soname has not the number of CMakeLists.txt"
	grep -q NODELETE "$scratch/dynamic" || finding "the library is not linked with -z nodelete"
	grep -qE 'RPATH|RUNPATH' "$scratch/dynamic" && finding "the library has a run path"
fi
done_linting
