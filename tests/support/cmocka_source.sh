#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# sh cmocka_source.sh FOLDER: the source of cmocka, as Debian has it, in FOLDER/cmocka. It comes from where this machine's
# packages come from, by a list of sources of its own: those of the machine stay as they are. apt checks it by the archive's signature.
set -eu
folder=$1
keys=/usr/share/keyrings/debian-archive-keyring.gpg
if [ -f "$folder/cmocka/src/cmocka.c" ]; then
	exit 0
fi
if ! command -v apt-get >/dev/null 2>&1; then
	echo "no apt-get here: give the folder of cmocka's source by -DWSMAUTHZ_CMOCKA_SOURCE=..., or -DWSMAUTHZ_TESTS=OFF" >&2
	exit 1
fi
work=$folder/fetch
rm -rf "$work"
mkdir -p "$work/lists/partial" "$work/archives/partial"
trap 'rm -rf "$work"' EXIT

# The dollar signs are apt's.
# shellcheck disable=SC2016
apt-get indextargets --format 'deb-src [signed-by='"$keys"'] $(SITE) $(RELEASE) main' \
	'Created-By: Packages' 'Origin: Debian' 'Component: main' | sort -u >"$work/sources.list"
[ -s "$work/sources.list" ] || {
	echo "apt knows no archive of Debian: run apt-get update first" >&2
	exit 1
}
work=$(cd "$work" && pwd -P)
cd "$work"
private() {
	apt-get -qq -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/nonexistent \
		-o Dir::State::lists="$work/lists" -o Dir::Cache="$work" -o APT::Sandbox::User="$(id -un)" \
		-o Acquire::Retries=3 "$@" >&2
}
private update
private source --download-only cmocka
mkdir unpacked
tar -xJf cmocka_*.orig.tar.xz -C unpacked --strip-components=1
[ -f unpacked/src/cmocka.c ] || {
	echo "the source of cmocka has no src/cmocka.c" >&2
	exit 1
}
cd ..
rm -rf cmocka
mv "$work/unpacked" cmocka
