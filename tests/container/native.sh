#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The sample company started without a container, as docker/demo.sh does where there is no engine: same script, same
# configuration, same data. native.sh SOURCE_DIR [WSMAUTHZ_PROGRAM]; status 77: slapd or its tools are not installed.
# shellcheck disable=SC2154,SC2034 # names that checks.sh gives and takes
set -u
source=$1
program=${2:-}
PATH=$PATH:/usr/sbin:/sbin

for tool in slapd slapadd ldapsearch ldapmodify openssl; do
	command -v "$tool" >/dev/null || {
		printf 'skipped: %s is not installed\n' "$tool"
		exit 77
	}
done

work=$(mktemp -d) || exit 1
state=$work/state
server=
clean_up() {
	[ -z "$server" ] || kill "$server" 2>/dev/null
	[ -z "$server" ] || wait "$server" 2>/dev/null
	rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

# shellcheck source=tests/container/checks.sh
. "$source/tests/container/checks.sh"

# Starts the server on two ports that nobody else has: slapd ends at once when one is taken, and other ports are tried.
start() {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		port=$((20000 + $(od -An -N2 -tu2 /dev/urandom) % 12000))
		ldap_uri=ldap://127.0.0.1:$port
		ldaps_uri=ldaps://127.0.0.1:$((port + 1))
		"$source/docker/openldap/run-openldap.sh" "$state" "$ldap_uri" "$ldaps_uri" 2>"$work/slapd.log" &
		server=$!
		if until_healthy; then return; fi
		wait "$server" 2>/dev/null
		server=
	done
	flunk "the server starts" "$(tail -n 20 "$work/slapd.log")"
	finish
	exit 1
}

until_healthy() {
	tries=0
	while [ $tries -lt 300 ] && kill -0 "$server" 2>/dev/null; do
		"$source/docker/openldap/run-openldap.sh" --health "$state" 2>/dev/null && return 0
		tries=$((tries + 1))
		sleep 0.1
	done
	return 1
}

start
pass "the server starts and is healthy"
ca_file=$state/ca.pem
secret_file=$state/authorizer.secret
is "its secrets are the owner's alone" "600 600" "$(stat -c %a "$secret_file" "$state/admin.secret" | paste -s -d ' ' -)"
is "the state's owner is the administrator over the socket" "dn:cn=admin,$base" \
	"$(client ldapwhoami -Q -Y EXTERNAL -H "$(cat "$state/run/ldapi")")"
[ -z "$program" ] || check_program "$program"
check_server

before=$(cat "$secret_file")
kill "$server"
wait "$server" 2>/dev/null
start
is "a second start keeps the secret" "$before" "$(cat "$secret_file")"
is "and what was written" 1 "$(as_person bob ldapsearch -LLL -b "$people" "(uid=alice)" telephoneNumber | count_lines '555 0199')"
is "an unhealthy server is told from a healthy one" 1 \
	"$(result_of "$source/docker/openldap/run-openldap.sh" --health "$work/nothing" 2>/dev/null)"
is "a state directory that would need quoting is refused" 1 \
	"$(result_of "$source/docker/openldap/run-openldap.sh" --prepare "$work/a b" 2>/dev/null)"
finish
