#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# wsmauthz at work, from a fresh clone on a Debian machine: builds it, starts a throw-away OpenLDAP with a sample company,
# asks about some fifty people and shows what the answers are and why.
#
#   sh docker/demo.sh [--native | --container | --ad] [--keep] [--program FILE]
#
#   --native         start slapd directly, also where there is a container engine
#   --container      use docker or podman, and give up where neither works
#   --ad             Active Directory: a throw-away Samba domain controller with the same company, bound to by Kerberos
#   --keep           leave the directory server running at the end, and say how to ask it and how to stop it
#   --program FILE   a wsmauthz that is built already
#
# Needs root or sudo only to install packages that are missing. The directory server listens on 127.0.0.1 only, at a port
# that is free (the domain controller in a network of its own, which takes root or a kernel that lets users make
# namespaces), and is gone afterwards, together with everything but build/demo. No service of the machine is started,
# stopped or changed.
set -u
PATH=$PATH:/usr/sbin:/sbin
source=$(cd "$(dirname "$0")/.." && pwd)
run_openldap=$source/docker/openldap/run-openldap.sh
run_samba=$source/docker/samba/run-samba.sh
company=$source/docker/company
# Where policy.xml.in, people.txt and expected.txt are.
questions=$company
build_packages="gcc libc6-dev cmake ninja-build pkg-config libldap-dev libsasl2-dev libkrb5-dev libxml2-dev libc-ares-dev"
native_packages="slapd ldap-utils openssl libsasl2-modules"
ad_packages="samba-ad-dc samba-ad-provision samba-dsdb-modules python3-samba ldap-utils openssl libsasl2-modules-gssapi-mit iproute2"

how=auto
keep=no
program=''
server=''
engine=''
container=''
image=''
pulled=''
made_policy=no
began=$(date +%s)

usage() {
	sed -n '6,12s/^# \{0,3\}//p' "$0" >&2
	exit 2
}

give_up() {
	printf '\n%s\n' "$*" >&2
	[ ! -s "$work/log" ] || { printf 'The end of the log:\n' && tail -n 25 "$work/log" | sed 's/^/  | /'; } >&2
	printf 'demo: FAILED\n' >&2
	exit 1
}

step() {
	printf '\n== %s\n' "$*"
}

note() {
	printf '   %s\n' "$*"
}

logged() {
	printf '\n$ %s\n' "$*" >>"$work/log"
	"$@" >>"$work/log" 2>&1 </dev/null
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

stop_server() {
	if [ -n "$server" ]; then
		kill "$server" 2>/dev/null
		wait "$server" 2>/dev/null
	fi
	[ -z "$container" ] || "$engine" rm -f -v "$container" >/dev/null 2>&1
	[ -z "$image" ] || "$engine" rmi -f "$image" >/dev/null 2>&1
	[ -z "$pulled" ] || "$engine" rmi "$pulled" >/dev/null 2>&1
	server=''
	container=''
	image=''
	pulled=''
}

clean_up() {
	[ "$made_policy" = no ] || as_root rm -f /usr/sbin/policy-rc.d
	[ "$keep" = kept ] && return
	stop_server
	rm -rf "$work"
}

installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# The packages named that are not installed.
missing_of() {
	for package in "$@"; do
		installed "$package" || printf '%s ' "$package"
	done
}

# Debian starts a service when its package is installed; a policy-rc.d that answers 101 says no. One that is there already
# is somebody's decision and stays. Without a configuration of its own, slapd would not start at the next boot either.
forbid_services() {
	case " $* " in
	*" slapd "*)
		printf 'slapd slapd/no_configuration boolean true\n' >"$work/debconf"
		logged as_root debconf-set-selections "$work/debconf"
		;;
	esac
	[ ! -e /usr/sbin/policy-rc.d ] || return 0
	made_policy=yes
	printf '#!/bin/sh\nexit 101\n' >"$work/policy-rc.d"
	logged as_root install -m 0755 "$work/policy-rc.d" /usr/sbin/policy-rc.d
}

# The services that packages bring and that are not here yet; what is here stays as it is.
services_of() {
	for package in "$@"; do
		case $package in
		slapd) printf 'slapd\n' ;;
		samba-ad-dc) printf '%s\n' samba-ad-dc smbd nmbd winbind ;;
		esac
	done | while read -r service; do
		[ -e "/etc/init.d/$service" ] || printf '%s ' "$service"
	done
}

allow_services() {
	[ "$made_policy" = no ] || logged as_root rm -f /usr/sbin/policy-rc.d
	made_policy=no
}

install_packages() {
	# shellcheck disable=SC2046 # a list of words
	set -- $(missing_of "$@")
	if [ $# -eq 0 ]; then
		note "every package is installed already"
		return
	fi
	command -v apt-get >/dev/null || give_up "This is no Debian; install the counterparts of: $*"
	[ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null || give_up "Installing packages takes root; run as root: apt-get install $*"
	note "installing: $*"
	services=$(services_of "$@")
	[ -z "$services" ] || forbid_services "$@"
	logged as_root apt-get -o DPkg::Lock::Timeout=120 update || note "apt-get update reported a problem; going on with the package lists that are here"
	logged as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends "$@" ||
		give_up "apt-get could not install the packages."
	for service in $services; do
		[ ! -e "/etc/init.d/$service" ] || logged as_root update-rc.d "$service" disable
	done
	[ -z "$services" ] || note "Debian's own services stay off (update-rc.d NAME enable turns one on): $services"
	allow_services
}

build_program() {
	build=$source/build/demo
	mkdir -p "$build" 2>/dev/null && [ -w "$build" ] || build=$work/build
	logged cmake -S "$source" -B "$build" -G Ninja -DWSMAUTHZ_TESTS=OFF || give_up "cmake could not configure the build."
	logged cmake --build "$build" || give_up "The build failed."
	program=$(find "$build" -name wsmauthz -type f -perm -u+x | head -n 1)
	[ -n "$program" ] || give_up "The build made no program called wsmauthz."
}

random_port() {
	printf '%s' $((20000 + $(od -An -N2 -tu2 /dev/urandom) % 12000))
}

# until_ready SECONDS COMMAND...: whether the command succeeds within that time while the server lives.
until_ready() {
	deadline=$(($(date +%s) + $1))
	shift
	while [ "$(date +%s)" -lt "$deadline" ]; do
		"$@" >/dev/null 2>&1 && return 0
		if [ -n "$server" ]; then kill -0 "$server" 2>/dev/null || return 1; fi
		sleep 0.2
	done
	return 1
}

# slapd ends at once when its port is taken, so a few ports are tried.
start_native() {
	for _ in 1 2 3 4 5; do
		port=$(random_port)
		"$run_openldap" "$work/state" "ldaps://127.0.0.1:$port" >>"$work/log" 2>&1 </dev/null &
		server=$!
		if until_ready 30 "$run_openldap" --health "$work/state"; then
			cp "$work/state/ca.pem" "$work/state/authorizer.secret" "$work/"
			return 0
		fi
		kill "$server" 2>/dev/null
		wait "$server" 2>/dev/null
		server=''
	done
	return 1
}

may_have_network() {
	as_user=''
	[ "$(id -u)" -eq 0 ] || as_user="--user --map-root-user"
	# shellcheck disable=SC2086 # two words or none
	unshare $as_user --net --mount true 2>/dev/null
}

# In a network of its own, because a domain controller's ports are fixed.
start_ad() {
	may_have_network || give_up "The domain controller wants a network of its own, which this kernel gives to root only, or (in a container that is not privileged) to nobody."
	# shellcheck disable=SC2086 # a list of words
	install_packages $ad_packages
	note "making the domain, which takes some seconds"
	"$run_samba" --private "$work/state" >>"$work/log" 2>&1 </dev/null &
	server=$!
	until_ready 180 "$run_samba" --health "$work/state" || give_up "The domain controller did not start."
	cp "$work/state/authorizer.keytab" "$work/"
	note "Samba runs natively, process $server, in a network of its own: dc1.corp.example"
}

engine_answers() {
	command -v "$1" >/dev/null && logged timeout 10 "$1" info
}

# The base image is fetched if it is not here, and removed again at the end.
have_base() {
	logged "$engine" image inspect debian:bookworm && return 0
	note "fetching the image debian:bookworm"
	logged timeout 60 "$engine" pull debian:bookworm || return 1
	pulled=debian:bookworm
}

build_image() {
	image=wsmauthz-demo-$$
	# podman leaves the health check out of an image of its own format.
	format=''
	case $engine in podman) format="--format docker" ;; esac
	# shellcheck disable=SC2086 # two words or none
	logged timeout 120 "$engine" build $format --network host -f "$source/docker/openldap/Dockerfile" -t "$image" "$source/docker"
}

inside() {
	"$engine" exec "$container" "$@"
}

run_container() {
	container=wsmauthz-demo-$$
	logged "$engine" run -d --name "$container" --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges \
		-p 127.0.0.1::1636 "$image" || return 1
	until_ready 60 inside /usr/local/lib/openldap-company/openldap/run-openldap.sh --health /var/lib/company || return 1
	port=$("$engine" port "$container" 1636/tcp | sed -n '1s/.*://p')
	[ -n "$port" ] && inside cat /var/lib/company/ca.pem >"$work/ca.pem" &&
		inside cat /var/lib/company/authorizer.secret >"$work/authorizer.secret"
}

start_in_container() {
	for engine in docker podman; do
		engine_answers "$engine" || continue
		note "$engine answers: building docker/openldap"
		have_base && build_image && run_container && return 0
		note "$engine could not build or run it"
		[ -z "$container" ] || logged "$engine" logs "$container"
		stop_server
	done
	engine=''
	return 1
}

start_server() {
	if [ "$how" = ad ]; then
		start_ad
		return
	fi
	if [ "$how" != native ] && start_in_container; then
		note "OpenLDAP runs in the container $container, on 127.0.0.1:$port"
		return
	fi
	[ "$how" != container ] || give_up "Neither docker nor podman could run the directory server; without --container it is started natively."
	# shellcheck disable=SC2086 # a list of words
	install_packages $native_packages
	start_native || give_up "The directory server did not start."
	note "OpenLDAP runs natively, process $server, on 127.0.0.1:$port"
}

write_policy() {
	sed "s|@URI@|ldaps://127.0.0.1:${port:-}|" "$questions/policy.xml.in" >"$work/policy.xml"
	note "the policy: whoever is in Leavers is denied, whoever is in WinRM Users or Tier 0 is authorized;"
	note "who belongs to EMEA, APAC, LATAM or the lab is redirected there, because this host stands in AMER"
}

# Runs a command where the directory server can be reached.
beside_server() {
	if [ "$how" = ad ]; then "$run_samba" --enter "$work/state" "$@"; else "$@"; fi
}

# check's status says whether somebody was denied (1) or a question had no answer (3); only others mean that it did not run.
ask() {
	sed -n '/^[^#]/s/	.*//p' "$questions/people.txt" |
		beside_server timeout 60 "$program" check --config "$work/policy.xml" --json - >"$work/answers" 2>>"$work/log"
	case $? in
	0 | 1 | 3) ;;
	*) give_up "wsmauthz check did not run." ;;
	esac
}

show() {
	color=0 columns=160
	if [ -t 1 ]; then
		[ -n "${NO_COLOR:-}" ] || color=1
		columns=$(stty size </dev/tty 2>/dev/null | cut -d ' ' -f 2)
	fi
	LC_ALL=C awk -v color="$color" -v columns="${columns:-160}" -f "$company/verdicts.awk" "$questions/expected.txt" \
		"$questions/people.txt" "$work/answers" >"$work/table"
	result=$?
	sed '$d' "$work/table"
}

# One of them as a tree: twelve groups deep, or as deep as there are.
explain_one() {
	step "6. Why is CORP\\frank let in?"
	note "wsmauthz explain --config policy.xml 'CORP\\frank'"
	printf '\n'
	beside_server timeout 60 "$program" explain --config "$work/policy.xml" 'CORP\frank' 2>>"$work/log" >"$work/tree"
	case $? in
	0 | 1 | 3) sed 's/^/   /' "$work/tree" ;;
	*) give_up "wsmauthz explain did not run." ;;
	esac
}

say_next() {
	step "What to try next"
	if [ "$keep" = no ]; then
		[ "$how" = ad ] || note "sh docker/demo.sh --ad        the same company as Active Directory, on Samba"
		note "sh docker/demo.sh --keep      the same, and the directory server stays for questions of your own"
		note "$program --help"
		return
	fi
	keep=kept
	enter=''
	[ "$how" != ad ] || enter="$run_samba --enter $work/state "
	note "$enter$program check --config $work/policy.xml 'CORP\\alice'"
	note "$enter$program check --config $work/policy.xml --json 'CORP\\frank'"
	note "printf 'alice\\nbob\\n' | $enter$program check --config $work/policy.xml -"
	if [ -n "$container" ]; then
		note "When you have seen enough: $engine rm -f -v $container; $engine rmi $image; rm -rf $work"
	else
		note "When you have seen enough: kill $server; rm -rf $work"
	fi
}

while [ $# -gt 0 ]; do
	case $1 in
	--native) how=native ;;
	--container) how=container ;;
	--ad)
		how=ad
		questions=$source/docker/company-ad
		;;
	--keep) keep=yes ;;
	--program)
		[ $# -ge 2 ] || usage
		program=$2
		shift
		;;
	*) usage ;;
	esac
	shift
done
[ -z "$program" ] || [ -x "$program" ] || { printf 'demo: %s is not a program\n' "$program" >&2 && exit 2; }

umask 077
work=$(mktemp -d) || exit 1
trap clean_up EXIT
trap 'exit 130' INT TERM HUP PIPE

printf 'wsmauthz: who may open a remote shell here, who may not, and who is sent to another region.\n'
if [ -z "$program" ]; then
	step "1. What the build needs"
	# shellcheck disable=SC2086 # a list of words
	install_packages $build_packages
	step "2. Building wsmauthz in build/demo"
	build_program
	note "built $program"
fi
what="directory server"
[ "$how" != ad ] || what="domain controller"
step "3. A throw-away $what with the sample company Example Corp"
start_server
step "4. The policy"
write_policy
step "5. Asking about the senders of docker/${questions##*/}/people.txt"
note "wsmauthz check --config policy.xml --json -"
printf '\n'
ask
show
explain_one
say_next
summary=$(tail -n 1 "$work/table")
[ "$result" -eq 0 ] || give_up "Not every answer is what docker/${questions##*/}/expected.txt says: $summary."
printf '\ndemo: ok, %s, in %d s\n' "$summary" $(($(date +%s) - began))
