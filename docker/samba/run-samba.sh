#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The sample company's Active Directory: a Samba domain controller, for the container (it is the entry point), for
# docker/demo.sh --ad and for tests. The domain is corp.example (CORP), the controller dc1.corp.example.
#
#   run-samba.sh STATE_DIR [ADDRESS]          prepare STATE_DIR if it is new, then become samba in the foreground
#   run-samba.sh --private STATE_DIR          the same in a network of its own, which only --enter reaches
#   run-samba.sh --enter STATE_DIR COMMAND... run a command in that network, as a client of the domain
#   run-samba.sh --prepare STATE_DIR ADDRESS  only prepare it
#   run-samba.sh --health STATE_DIR           ask the running server as the service account would; status 0: it answers
#
# The ports of a domain controller are fixed (53, 88, 135, 389, 636, 3268, ...), so it wants an ADDRESS for itself; without
# one it takes the first of this machine's, as is right in a container. --private gives it 10.53.0.1 in network and mount
# namespaces made for it: as root, or as an ordinary user where the kernel lets users make namespaces. The name
# service there is the controller's own.
#
# Environment:
#   SAMBA_STRONG_AUTH  `ldap server require strong auth`: yes (default), allow_sasl_over_tls or no
#   SAMBA_LOG          Samba's log level, on standard output; default: 1
#
# What a first start leaves in STATE_DIR (mode 0700, secrets 0600, each made by chance and used nowhere else):
#   authorizer.keytab    the keys of authorizer@CORP.EXAMPLE (reads what the authorizer needs)
#   authorizer.secret    the same account's password
#   admin.secret         the password of Administrator@corp.example (may do everything)
#   krb5.conf            what a client's KRB5_CONFIG may name; the name dc1.corp.example must resolve to ADDRESS
#   ca.pem ca.key        a certificate authority, for clients that come by TLS
#   server.pem server.key, smb.conf dc/ run/   the server's own
set -eu
umask 077
LC_ALL=C
export LC_ALL
PATH=$PATH:/usr/sbin:/sbin

here=$(cd "$(dirname "$0")" && pwd)
script=$here/$(basename "$0")
company=$(cd "$here/../company" && pwd)
realm=CORP.EXAMPLE
dns_domain=corp.example
controller=dc1.$dns_domain
private_address=10.53.0.1
# Samba's Python modules are those of the system's Python.
python=/usr/bin/python3

fail() {
	printf 'run-samba: %s\n' "$*" >&2
	exit 1
}

say() {
	printf 'run-samba: %s\n' "$*" >&2
}

# Sets $state, the absolute path. It is written into smb.conf, so it must need no quoting there, and sockets lie in it.
use_state() {
	mkdir -p "$1" || fail "cannot create the state directory '$1'"
	state=$(cd "$1" && pwd)
	case $state in
	*[!A-Za-z0-9/._+-]*) fail "the state directory '$state' may hold only letters, digits and / . _ + -; choose another" ;;
	esac
	[ ${#state} -le 70 ] || fail "the state directory '$state' is too long for a socket in it; choose one of at most 70 bytes"
	[ -w "$state" ] || fail "the state directory '$state' is not writable for user $(id -u); give it to that user"
}

make_authority() {
	[ -s "$state/ca.pem" ] && return
	openssl ecparam -name prime256v1 -genkey -noout -out "$state/ca.key.new"
	openssl req -x509 -new -key "$state/ca.key.new" -sha256 -days 3650 -subj "/O=Example Corp/CN=Example Corp throw-away CA" \
		-addext "basicConstraints=critical,CA:TRUE,pathlen:0" -addext "keyUsage=critical,keyCertSign,cRLSign" \
		-out "$state/ca.pem.new"
	mv "$state/ca.key.new" "$state/ca.key"
	chmod 0644 "$state/ca.pem.new"
	mv "$state/ca.pem.new" "$state/ca.pem"
	rm -f "$state/server.pem"
}

# Samba would make RSA keys of 4096 bits, for half a minute.
make_certificate() {
	names="DNS:$controller,DNS:$dns_domain,DNS:localhost,IP:$address"
	[ -s "$state/server.pem" ] && [ "$(cat "$state/server.names" 2>/dev/null)" = "$names" ] &&
		openssl x509 -in "$state/server.pem" -noout -checkend 2592000 >/dev/null && return
	openssl ecparam -name prime256v1 -genkey -noout -out "$state/server.key"
	openssl req -new -key "$state/server.key" -subj "/O=Example Corp/CN=$controller" -out "$state/server.csr"
	printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\nkeyUsage=critical,digitalSignature\nbasicConstraints=critical,CA:FALSE\n' \
		"$names" >"$state/server.ext"
	openssl x509 -req -in "$state/server.csr" -CA "$state/ca.pem" -CAkey "$state/ca.key" -set_serial "0x$(openssl rand -hex 8)" \
		-days 397 -sha256 -extfile "$state/server.ext" -out "$state/server.pem" 2>"$state/server.log" ||
		fail "openssl could not sign the server certificate: $(cat "$state/server.log")"
	rm -f "$state/server.csr" "$state/server.ext" "$state/server.log"
	printf '%s' "$names" >"$state/server.names"
}

make_secret() {
	[ -s "$state/$1" ] && return
	# The letters in front are for the rules of AD: three kinds of characters.
	printf 'Aa1%s' "$(openssl rand -base64 33)" >"$state/$1.new"
	mv "$state/$1.new" "$state/$1"
}

whole_company() {
	cat "$company/company.ldif"
	printf '\n'
	awk -f "$company/mass.awk" "$company/names.txt"
}

# Makes dc.new and renames: a start that is interrupted here begins again the next time.
make_domain() {
	if [ -d "$state/dc" ]; then
		[ "$(cat "$state/dc/address")" = "$address" ] ||
			say "this domain was made for $(cat "$state/dc/address"), and its name service still says so"
		return
	fi
	say "making the domain $dns_domain with the sample company"
	rm -rf "$state/dc.new"
	mkdir "$state/dc.new"
	printf '%s\n' "$address" >"$state/dc.new/address"
	whole_company >"$state/company.ldif"
	"$python" "$here/make_company.py" "$state/dc.new" "$address" "$state/admin.secret" "$state/authorizer.secret" \
		<"$state/company.ldif" >"$state/make.log" 2>&1 || fail "the domain could not be made: $(tail -n 15 "$state/make.log")"
	rm -f "$state/company.ldif" "$state/make.log"
	mv "$state/dc.new/authorizer.keytab" "$state/authorizer.keytab"
	mv "$state/dc.new" "$state/dc"
}

write_smb_conf() {
	cat >"$state/smb.conf" <<-CONF
		[global]
		netbios name = DC1
		workgroup = CORP
		realm = $realm
		server role = active directory domain controller
		server services = ldap, cldap, kdc, dns, rpc
		interfaces = $address
		bind interfaces only = yes
		private dir = $state/dc/private
		state directory = $state/dc/state
		cache directory = $state/run/cache
		lock directory = $state/run/lock
		pid directory = $state/run
		binddns dir = $state/dc/bind-dns
		ncalrpc dir = $state/run/ncalrpc
		winbindd socket directory = $state/run/winbindd
		ntp signd socket directory = $state/run/ntp
		log file = $state/run/log.%m
		log level = ${SAMBA_LOG:-1}
		idmap_ldb:use rfc2307 = yes
		ldap server require strong auth = ${SAMBA_STRONG_AUTH:-yes}
		acl:search = yes
		dns forwarder =
		tls certfile = $state/server.pem
		tls keyfile = $state/server.key
		tls cafile = $state/ca.pem
		tls verify peer = no_check
	CONF
}

write_krb5_conf() {
	cat >"$state/krb5.conf" <<-CONF
		[libdefaults]
		 default_realm = $realm
		 dns_lookup_kdc = false
		 dns_lookup_realm = false
		 dns_canonicalize_hostname = false
		 rdns = false
		 udp_preference_limit = 0
		[realms]
		 $realm = {
		  kdc = $address
		 }
		[domain_realm]
		 .$dns_domain = $realm
		 $dns_domain = $realm
	CONF
}

prepare() {
	mkdir -p "$state/run/cache" "$state/run/lock"
	make_authority
	make_certificate
	make_secret authorizer.secret
	make_secret admin.secret
	make_domain
	write_smb_conf
	write_krb5_conf
}

serve() {
	say "listening on $address"
	KRB5_CONFIG=$state/krb5.conf
	export KRB5_CONFIG
	exec samba --foreground --no-process-group --model=single --debug-stdout --configfile="$state/smb.conf"
}

# The first address of this machine that is not the loopback's.
own_address() {
	ip -4 -o address show scope global | awk '{ sub(/\/.*/, "", $4); print $4; exit }'
}

# unshare and nsenter as an ordinary user want a user namespace as well, in which that user is root.
as_user() {
	[ "$(id -u)" -eq 0 ] || printf '%s' "$1"
}

# The names of the private network are the controller's business.
enter_private_network() {
	ip link set lo up
	ip address add "$private_address/32" dev lo
	printf '127.0.0.1 localhost\n%s %s dc1\n' "$private_address" "$controller" >"$state/run/hosts"
	printf 'nameserver %s\nsearch %s\noptions timeout:1 attempts:1\n' "$private_address" "$dns_domain" >"$state/run/resolv.conf"
	mount --bind "$state/run/hosts" /etc/hosts
	mount --bind "$state/run/resolv.conf" /etc/resolv.conf
	for path in /run/samba /var/lib/samba /var/cache/samba; do
		[ ! -d "$path" ] || mount -t tmpfs tmpfs "$path"
	done
	address=$private_address
}

make_private() {
	mkdir -p "$state/run"
	# The process stays the same through all that follows, up to samba itself.
	printf '%s\n' "$$" >"$state/run/pid"
	# shellcheck disable=SC2046 # words
	exec unshare $(as_user "--user --map-root-user") --net --mount --propagation private "$script" --inside "$state"
}

enter() {
	read -r server <"$state/run/pid" || fail "no server was started in '$state' with --private"
	# shellcheck disable=SC2046 # words
	exec nsenter --target "$server" $(as_user "--user --preserve-credentials") --net --mount \
		env --chdir="$PWD" KRB5_CONFIG="$state/krb5.conf" "$@"
}

# A bind as the service account, and the group that the sample policy names; by address, so that no name must resolve.
health() {
	[ -s "$state/dc/address" ] || fail "the server in '$state' was never started"
	read -r address <"$state/dc/address"
	answer=$(HOME=$state LDAPCONF=/dev/null LDAPTLS_CACERT=$state/ca.pem LDAPTLS_REQCERT=demand ldapsearch -LLL -x \
		-o nettimeout=3 -H "ldaps://$address" -D "authorizer@$dns_domain" -y "$state/authorizer.secret" \
		-b "CN=WinRM Users,OU=Groups,DC=corp,DC=example" -s base "(objectClass=group)" cn </dev/null) ||
		fail "ldaps://$address does not answer"
	case $answer in *"cn: WinRM Users"*) ;; *) fail "ldaps://$address answers without the group 'WinRM Users'" ;; esac
}

usage() {
	sed -n '6,10s/^# \{0,3\}//p' "$0" >&2
	exit 1
}

[ $# -ge 1 ] || usage
case $1 in
--private | --inside | --health | --enter | --prepare)
	action=$1
	shift
	[ $# -ge 1 ] || usage
	[ "$action" = --private ] || [ "$action" = --prepare ] || [ -d "$1" ] || fail "there is no state directory '$1'"
	;;
-*) usage ;;
*) action=serve ;;
esac
use_state "$1"
shift
case $action in
--private) make_private ;;
--inside)
	enter_private_network
	prepare
	serve
	;;
--health)
	if [ -s "$state/run/pid" ] && [ "${RUN_SAMBA_INSIDE:-no}" = no ]; then
		RUN_SAMBA_INSIDE=yes
		export RUN_SAMBA_INSIDE
		enter "$script" --health "$state"
	fi
	health
	;;
--enter)
	[ $# -ge 1 ] || usage
	enter "$@"
	;;
--prepare)
	address=${1:?"--prepare wants an address"}
	prepare
	;;
serve)
	rm -f "$state/run/pid"
	address=${1:-$(own_address)}
	[ -n "$address" ] || fail "this machine has no address but the loopback's; name one"
	prepare
	serve
	;;
esac
