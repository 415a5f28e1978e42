#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The sample company's OpenLDAP server, for the container (it is the entry point), for docker/demo.sh and for tests.
#
#   run-openldap.sh STATE_DIR LISTEN...     prepare STATE_DIR if it is new, then become slapd in the foreground
#   run-openldap.sh --prepare STATE_DIR     only prepare it
#   run-openldap.sh --health STATE_DIR      ask the running server as the service account would; status 0: it answers
#
# LISTEN is what slapd -h takes: ldap://127.0.0.1:1389 ldaps://127.0.0.1:1636. A Unix socket in STATE_DIR is always
# added: the user that owns STATE_DIR is the administrator there (ldapsearch -Y EXTERNAL -H "$(cat STATE_DIR/run/ldapi)").
#
# Environment:
#   OPENLDAP_NAMES   more names and addresses for the server's certificate, separated by blanks; without them it has this
#                    machine's name, localhost, 127.0.0.1 and ::1
#   OPENLDAP_LOG     slapd's log level, on standard error; default: stats
#
# What a first start leaves in STATE_DIR (mode 0700, secrets 0600, each made by chance and used nowhere else):
#   ca.pem ca.key            a certificate authority; clients need ca.pem
#   server.pem server.key    its certificate for this server; made anew when the names change or it is about to expire
#   authorizer.secret        the password of cn=authorizer,ou=Services,dc=corp,dc=example (reads what the authorizer needs)
#   admin.secret             the password of cn=admin,dc=corp,dc=example (may do everything)
#   slapd.conf db/ run/      the server's own
set -eu
umask 077
# Awk and sed see bytes, so that names in any script pass through unchanged.
LC_ALL=C
export LC_ALL
# Debian keeps slapd and its tools where an ordinary user's path does not look.
PATH=$PATH:/usr/sbin:/sbin

here=$(cd "$(dirname "$0")" && pwd)
company=$(cd "$here/../company" && pwd)
suffix="dc=corp,dc=example"
service="cn=authorizer,ou=Services,$suffix"

fail() {
	printf 'run-openldap: %s\n' "$*" >&2
	exit 1
}

say() {
	printf 'run-openldap: %s\n' "$*" >&2
}

# Sets $state, the absolute path. It is written into slapd.conf and into a URI, so it must need no quoting there, and a
# socket's path must stay below the 108 bytes that the system allows.
use_state() {
	mkdir -p "$1" || fail "cannot create the state directory '$1'"
	state=$(cd "$1" && pwd)
	case $state in
	*[!A-Za-z0-9/._+-]*) fail "the state directory '$state' may hold only letters, digits and / . _ + -; choose another" ;;
	esac
	[ ${#state} -le 90 ] || fail "the state directory '$state' is too long for a socket in it; choose one of at most 90 bytes"
	[ -w "$state" ] || fail "the state directory '$state' is not writable for user $(id -u); give it to that user"
}

make_authority() {
	[ -s "$state/ca.pem" ] && return
	say "making a certificate authority"
	openssl ecparam -name prime256v1 -genkey -noout -out "$state/ca.key.new"
	openssl req -x509 -new -key "$state/ca.key.new" -sha256 -days 3650 -subj "/O=Example Corp/CN=Example Corp throw-away CA" \
		-addext "basicConstraints=critical,CA:TRUE,pathlen:0" -addext "keyUsage=critical,keyCertSign,cRLSign" \
		-out "$state/ca.pem.new"
	mv "$state/ca.key.new" "$state/ca.key"
	chmod 0644 "$state/ca.pem.new"
	mv "$state/ca.pem.new" "$state/ca.pem"
	rm -f "$state/server.pem"
}

# The certificate's subjectAltName: DNS:... or IP:... for each argument, each once.
alternative_names() {
	for name in "$@"; do
		case $name in
		*[!A-Za-z0-9.:_-]*) fail "'$name' is neither a host name nor an address; see OPENLDAP_NAMES" ;;
		*:*) printf 'IP:%s\n' "$name" ;;
		*[!0-9.]*) printf 'DNS:%s\n' "$name" ;;
		*) printf 'IP:%s\n' "$name" ;;
		esac
	done | awk '!seen[$0]++' | paste -s -d , -
}

make_certificate() {
	# shellcheck disable=SC2086 # the names are separated by blanks
	names=$(alternative_names "$(uname -n)" localhost 127.0.0.1 ::1 ${OPENLDAP_NAMES:-})
	if [ -s "$state/server.pem" ] && [ "$(cat "$state/server.names" 2>/dev/null)" = "$names" ] &&
		openssl x509 -in "$state/server.pem" -noout -checkend 2592000 >/dev/null; then
		return
	fi
	say "making a server certificate for $names"
	openssl ecparam -name prime256v1 -genkey -noout -out "$state/server.key"
	openssl req -new -key "$state/server.key" -subj "/O=Example Corp/CN=sample company" -out "$state/server.csr"
	printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\nkeyUsage=critical,digitalSignature\nbasicConstraints=critical,CA:FALSE\n' \
		"$names" >"$state/server.ext"
	openssl x509 -req -in "$state/server.csr" -CA "$state/ca.pem" -CAkey "$state/ca.key" -set_serial "0x$(openssl rand -hex 8)" \
		-days 397 -sha256 -extfile "$state/server.ext" -out "$state/server.pem" 2>"$state/server.log" ||
		fail "openssl could not sign the server certificate: $(cat "$state/server.log")"
	rm -f "$state/server.csr" "$state/server.ext" "$state/server.log"
	printf '%s' "$names" >"$state/server.names"
}

# No newline at the end: the tools of OpenLDAP (ldapsearch -y) take a password file whole.
make_secret() {
	[ -s "$state/$1" ] && return
	openssl rand -base64 33 | tr -d '\n' >"$state/$1.new"
	mv "$state/$1.new" "$state/$1"
}

# slapd.conf on standard output, with the database in $1.
configuration() {
	rootpw=$(slappasswd -n -h '{SSHA}' -T "$state/admin.secret")
	sed -e "s|@STATE@|$state|g" -e "s|@DATABASE@|$1|g" -e "s|@OWNER@|$(id -u)|g" -e "s|@ROOTPW@|$rootpw|g" "$here/slapd.conf.in"
}

# The service account. Its password is kept in clear, because SCRAM-SHA-256 needs it so and because the very same
# password lies beside the database anyway; a real directory would hash it and leave SCRAM to a mechanism that stores keys.
service_account() {
	cat <<-LDIF
		dn: $service
		objectClass: organizationalRole
		objectClass: simpleSecurityObject
		cn: authorizer
		description: wsmauthz reads users and groups as this account
		userPassword:: $(openssl base64 -A -in "$state/authorizer.secret")

	LDIF
}

whole_company() {
	cat "$company/company.ldif"
	printf '\n'
	service_account
	awk -f "$company/mass.awk" "$company/names.txt"
}

# Loads into db.new and renames: a start that is interrupted here begins again the next time.
load_company() {
	[ -d "$state/db" ] && return
	say "loading the sample company"
	rm -rf "$state/db.new"
	mkdir "$state/db.new"
	configuration "$state/db.new" >"$state/load.conf"
	whole_company >"$state/load.ldif"
	slapadd -q -w -f "$state/load.conf" -b "$suffix" -l "$state/load.ldif" >"$state/load.log" 2>&1 ||
		fail "slapadd could not load the sample company: $(tail -n 5 "$state/load.log")"
	say "loaded $(grep -c '^dn:' "$state/load.ldif") entries"
	rm -f "$state/load.conf" "$state/load.ldif" "$state/load.log"
	mv "$state/db.new" "$state/db"
}

prepare() {
	mkdir -p "$state/run"
	make_authority
	make_certificate
	make_secret authorizer.secret
	make_secret admin.secret
	load_company
	configuration "$state/db" >"$state/slapd.conf"
}

serve() {
	socket=ldapi://$(printf '%s/run/ldapi.socket' "$state" | sed 's|/|%2F|g')
	printf '%s\n' "$socket" >"$state/run/ldapi"
	printf '%s\n' "$@" >"$state/run/listen"
	# slapd makes a table with a row for every file it might open, and container engines allow a billion.
	# shellcheck disable=SC3045 # dash and busybox have ulimit -n; a shell that has not goes on without
	ulimit -n 4096 2>/dev/null || :
	say "listening on $*"
	exec slapd -h "$* $socket" -f "$state/slapd.conf" -d "${OPENLDAP_LOG:-stats}"
}

# What a client must be able to do: bind as the service account over each listener, and read the group that the sample
# policy names. A server that listens on every address is asked on the loopback.
health() {
	[ -s "$state/run/listen" ] || fail "the server in '$state' was never started"
	cd "$state"
	while read -r uri; do
		uri=$(printf '%s' "$uri" | sed -e 's|//0\.0\.0\.0|//127.0.0.1|' -e 's|//\*|//127.0.0.1|' -e 's|//:|//127.0.0.1:|')
		starttls=
		case $uri in ldap://*) starttls=-ZZ ;; esac
		# shellcheck disable=SC2086 # $starttls is one word or none
		answer=$(HOME=$state LDAPCONF=/dev/null LDAPTLS_CACERT=$state/ca.pem LDAPTLS_REQCERT=demand ldapsearch -LLL -x $starttls \
			-o nettimeout=3 -H "$uri" -D "$service" -y "$state/authorizer.secret" \
			-b "cn=WinRM Users,ou=Groups,$suffix" -s base "(objectClass=*)" cn </dev/null) || fail "$uri does not answer"
		case $answer in *"WinRM Users"*) ;; *) fail "$uri answers without the group 'WinRM Users'" ;; esac
	done <"$state/run/listen"
}

case ${1:-} in
--prepare | --health)
	[ $# -eq 2 ] || fail "usage: $0 $1 STATE_DIR"
	[ "$1" = --prepare ] || [ -d "$2" ] || fail "there is no state directory '$2'"
	use_state "$2"
	if [ "$1" = --health ]; then health; else prepare; fi
	;;
'' | -*) fail "usage: $0 STATE_DIR LISTEN... | --prepare STATE_DIR | --health STATE_DIR" ;;
*)
	[ $# -ge 2 ] || fail "usage: $0 STATE_DIR LISTEN...; for example $0 /tmp/company ldaps://127.0.0.1:1636"
	use_state "$1"
	shift
	prepare
	serve "$@"
	;;
esac
