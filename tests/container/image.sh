#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the containers of docker/openldap and docker/samba and runs them for real: image.sh SOURCE_DIR [WSMAUTHZ_PROGRAM]
#
# No image is fetched from anywhere. The base is made with mmdebstrap from the package sources of this machine; the
# engine is podman with storage, settings and runtime files of its own in a temporary folder. The build uses the machine's
# network (for apt) in a process and mount namespace of its own; everything that listens runs in a network namespace of its
# own, so that neither ports nor firewall rules of the machine are touched. When a namespace's first process ends, whatever
# was started in it ends too.
#
# With WSMAUTHZ_PACKAGES, a folder with the Debian packages of this tree, the README's section "Installing on Debian" is followed word for
# word in a container that has nothing but Debian's minimum, with the company's OpenLDAP beside it.
#
# Status 77: this machine cannot (not root, or a component is not installed), with the reason.
# shellcheck disable=SC2154,SC2034 # names that checks.sh gives and takes
set -u

fail() {
	printf 'image.sh: %s\n' "$*" >&2
	exit 1
}

skip() {
	printf 'skipped: %s\n' "$*"
	exit 77
}

require() {
	[ "$(id -u)" -eq 0 ] || skip "not root, who alone may make the base image and the namespaces"
	for tool in podman runc mmdebstrap unshare ip slapd ldapsearch ldapmodify openssl; do
		command -v "$tool" >/dev/null || skip "$tool is not installed"
	done
	unshare --mount --net --pid --fork --mount-proc true 2>/dev/null || skip "this kernel does not give namespaces"
}

# The engine's settings. runc and cgroupfs work without systemd and with cgroups of either version; the limits must not
# rise above the machine's; lock files need no shared memory.
write_settings() {
	# shellcheck disable=SC3045 # dash has ulimit -n
	files=$(ulimit -n)
	[ "$files" != unlimited ] && [ "$files" -le 65536 ] || files=65536
	cat >"$top/containers.conf" <<-CONF
		[containers]
		default_ulimits = ["nofile=$files:$files", "nproc=4096:4096"]
		[engine]
		runtime = "runc"
		cgroup_manager = "cgroupfs"
		events_logger = "file"
		lock_type = "file"
		tmp_dir = "/run/libpod"
		static_dir = "$top/libpod"
		volume_path = "$top/volumes"
		[network]
		network_config_dir = "$top/networks"
	CONF
	cat >"$top/storage.conf" <<-CONF
		[storage]
		driver = "overlay"
		graphroot = "$top/graph"
		runroot = "/run/graph"
	CONF
	printf 'unqualified-search-registries = []\nshort-name-mode = "permissive"\n' >"$top/registries.conf"
	printf '{"default": [{"type": "insecureAcceptAnything"}]}\n' >"$top/policy.json"
	mkdir "$top/networks"
}

# Debian's own package sources of this machine, whichever way they are written down, for the same release.
write_sources() {
	release=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
	[ -n "$release" ] || skip "/etc/os-release names no release of Debian"
	# shellcheck disable=SC2016 # apt-get fills these in
	apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Identifier: Packages' 'Origin: Debian' \
		"Architecture: $(dpkg --print-architecture)" 2>/dev/null | sort -u >"$top/sources.list"
	[ -s "$top/sources.list" ] || skip "apt knows no package source of Debian; run apt-get update"
}

# stage NAME FLAGS: this script again, at that stage, in namespaces of its own with a /run of its own.
stage() {
	name=$1
	shift
	unshare --mount --propagation private --pid --fork --kill-child --mount-proc "$@" \
		sh "$0" --stage "$name" "$top" "$source" "$program" "$packages"
}

seconds() {
	printf '%s: %d s\n' "$1" $(($(date +%s) - began))
	began=$(date +%s)
}

enter_stage() {
	mount -t tmpfs tmpfs /run || fail "cannot mount a private /run"
	mount -t tmpfs tmpfs /var/lib/containers || fail "cannot mount a private /var/lib/containers"
	mkdir -p /run/lock
	export CONTAINERS_CONF="$top/containers.conf" CONTAINERS_STORAGE_CONF="$top/storage.conf" \
		CONTAINERS_REGISTRIES_CONF="$top/registries.conf" TMPDIR="$top/tmp" XDG_RUNTIME_DIR=/run
	mkdir -p "$top/tmp"
	began=$(date +%s)
}

# Runs a command with its output in a log, which is shown when it fails.
logged() {
	"$@" >"$top/log" 2>&1 || {
		tail -n 30 "$top/log"
		fail "'$1 $2' failed"
	}
}

build_stage() {
	logged mmdebstrap --quiet --variant=minbase --mode=root --format=tar "$(. /etc/os-release && echo "$VERSION_CODENAME")" \
		"$top/base.tar" "$top/sources.list"
	seconds "base image made"
	logged podman import "$top/base.tar" localhost/debian-base
	rm -f "$top/base.tar"
	seconds "base image imported"
	logged podman build --format docker --network host --pull=never --build-arg BASE=localhost/debian-base \
		-f "$source/docker/openldap/Dockerfile" -t wsmauthz-openldap "$source/docker"
	seconds "docker/openldap built"
	logged podman build --format docker --network host --pull=never --build-arg BASE=localhost/debian-base \
		-f "$source/docker/samba/Dockerfile" -t wsmauthz-samba "$source/docker"
	seconds "docker/samba built"
	[ -z "$packages" ] || build_fresh
}

# The README's commands, one a line. The first of them needs the network; the others have to do without.
installing() {
	awk '/^## / { on = $0 == "## Installing on Debian" } on && /^```/ { if (inside) exit; inside = 1; next } on && inside' "$source/README.md"
}

# A person presses Enter when apt asks, and opens the policy in an editor, where the servers' names are replaced.
build_fresh() {
	mkdir "$top/fresh"
	cp "$packages"/wsmauthz_*.deb "$top/fresh/"
	installing | sed -n 1p >"$top/fresh/install.sh"
	# shellcheck disable=SC2016 # the editor's own argument
	printf '#!/bin/sh\nsed -i "s|uri=\"ldaps://dc1[^\"]*\"|uri=\"ldaps://127.0.0.1:1636\"|" "$1"\n' >"$top/fresh/editor"
	chmod 0755 "$top/fresh/editor"
	cat >"$top/fresh/Dockerfile" <<-'DOCKER'
		ARG BASE
		FROM $BASE
		COPY editor /usr/local/bin/editor
		WORKDIR /root
		COPY wsmauthz_*.deb install.sh ./
		RUN apt-get update && echo 'APT::Get::Assume-Yes "true";' >/etc/apt/apt.conf.d/90enter && sh -e ./install.sh
	DOCKER
	logged podman build --format docker --network host --pull=never --build-arg BASE=localhost/debian-base \
		-f "$top/fresh/Dockerfile" -t wsmauthz-fresh "$top/fresh"
	seconds "the package installed on a fresh machine"
}

until_healthy() {
	tries=0
	while ! podman healthcheck run "$1" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ $tries -lt 600 ] || return 1
		sleep 0.2
	done
}

# Copies what a client needs out of the container.
take_credentials() {
	ca_file=$work/ca.pem
	secret_file=$work/authorizer.secret
	podman exec "$1" cat /var/lib/company/ca.pem >"$ca_file"
	podman exec "$1" cat /var/lib/company/authorizer.secret >"$secret_file"
	chmod 0600 "$secret_file"
}

# What the container may do, asked from inside and read from the kernel.
check_confinement() {
	container=$1
	main_process=$(podman inspect --format '{{.State.Pid}}' "$container")
	is "slapd is the container's first process" slapd "$(cat "/proc/$main_process/comm")"
	is "it does not run as root" no "$(awk '$1 == "Uid:" { print $2 == 0 || $3 == 0 ? "yes" : "no" }' "/proc/$main_process/status")"
	is "it has no capability" 0000000000000000 "$(awk '$1 == "CapEff:" { print $2 }' "/proc/$main_process/status")"
	is "it can gain none" 1 "$(awk '$1 == "NoNewPrivs:" { print $2 }' "/proc/$main_process/status")"
	is "commands in it run as openldap" openldap "$(podman exec "$container" id -un)"
	is "its root file system is read-only" 1 "$(result_of podman exec "$container" touch /usr/local/lib/openldap-company/new 2>/dev/null)"
	is "its secrets are the owner's alone" "600 600" \
		"$(podman exec "$container" stat -c %a /var/lib/company/authorizer.secret /var/lib/company/admin.secret | paste -s -d ' ' -)"
	is "no secret is in the image or the environment" 0 \
		"$(podman inspect "$container" | grep -c -F -e "$(cat "$secret_file")")"
}

# One container with what docker/compose.yml asks for, by hand, on the namespace's loopback.
check_single() {
	logged podman run --detach --name single --network host --read-only --tmpfs /tmp --cap-drop ALL \
		--security-opt no-new-privileges --volume company:/var/lib/company wsmauthz-openldap
	if until_healthy single; then
		pass "the container becomes healthy"
	else
		flunk "the container becomes healthy" "$(podman logs --tail 30 single 2>&1)"
		return 0
	fi
	take_credentials single
	ldap_uri=ldap://127.0.0.1:1389
	ldaps_uri=ldaps://127.0.0.1:1636
	check_confinement single
	[ "$program" = - ] || check_program "$program"
	[ -z "$packages" ] || check_fresh
	check_server

	logged podman restart --time 10 single
	until_healthy single || flunk "it is healthy after a restart"
	is "a restart keeps the secret" "$(cat "$secret_file")" "$(podman exec single cat /var/lib/company/authorizer.secret)"
	logged podman stop --time 10 single
	is "it stops when it is told to, not when it is killed" 0 "$(podman inspect --format '{{.State.ExitCode}}' single)"
	is "and is unhealthy then" 1 "$(until_healthy_once single)"
	logged podman rm --force --volumes single
	logged podman volume rm --force company
	seconds "one container"
}

# fresh COMMAND...: in the fresh machine's container.
fresh() {
	podman exec --workdir /root fresh "$@" 2>"$work/fresh.err"
}

# The README's other commands, each by itself, as somebody types them.
check_fresh() {
	logged podman run --detach --name fresh --network host --entrypoint sleep wsmauthz-fresh 1000
	podman cp "$ca_file" fresh:/root/ca.pem
	podman cp "$secret_file" fresh:/root/bind.secret
	is "the README has five commands" 5 "$(installing | count_lines .)"
	is "the first of them is apt's" "apt install ./wsmauthz_*.deb" "$(installing | sed -n 1p)"
	installing | sed 1d >"$work/commands"
	while read -r command <&3; do
		status=0
		fresh sh -c "$command" >"$work/fresh.out" || status=$?
		case $command in
		"wsmauthz doctor"*)
			# Warnings are allowed: the company lets people write what a redirect goes by, for one.
			is "'$command' finds no error" 0 "$(grep -c '^  error ' "$work/fresh.out")"
			is "and looks at everything" "yes" "$([ "$status" -le 1 ] && [ "$(grep -c '^  ok ' "$work/fresh.out")" -gt 15 ] && echo yes)"
			;;
		"wsmauthz check"*)
			is "'$command' lets Alice in" "0 alice authorize member" "$status $(awk '{ print $1, $2, $3 }' "$work/fresh.out")"
			;;
		*)
			is "'$command' works" 0 "$status"
			;;
		esac
		[ "$status" -le 1 ] || cat "$work/fresh.out" "$work/fresh.err"
	done 3<"$work/commands"
	is "the policy's owner and mode" "root:root 644" "$(fresh stat -c '%U:%G %a' /etc/wsmauthz/wsmauthz.xml)"
	is "its secret's" "root:wsmauthz 640" "$(fresh stat -c '%U:%G %a' /etc/wsmauthz/bind.secret)"
	is "the audit's folder" "wsmauthz:wsmauthz 2770" "$(fresh stat -c '%U:%G %a' /var/log/wsmauthz)"
	is "the metrics' folder" "wsmauthz:wsmauthz 2775" "$(fresh stat -c '%U:%G %a' /run/wsmauthz)"
	is "the service's user decides too" "mallory deny not-a-member" \
		"$(podman exec --user wsmauthz fresh wsmauthz check mallory 2>&1 | awk '{ print $1, $2, $3 }')"
	podman exec --user wsmauthz fresh sh -c 'echo "{}" >/var/log/wsmauthz/audit.log'
	is "an audit file is rotated" "audit.log.1" \
		"$(fresh sh -c 'logrotate --force /etc/logrotate.d/wsmauthz; ls /var/log/wsmauthz')"
	is "the package's files are whole" "??5?????? c /etc/wsmauthz/wsmauthz.xml" "$(fresh dpkg --verify wsmauthz)"
	is "removing it leaves the policy" 0 "$(fresh sh -c 'dpkg --remove wsmauthz >/dev/null && test -f /etc/wsmauthz/wsmauthz.xml; echo $?')"
	is "purging it leaves nothing" "" "$(fresh sh -c 'dpkg --purge wsmauthz >/dev/null; find / -xdev -name "*wsmauthz*" -not -name "wsmauthz_*.deb"')"
	logged podman rm --force --time 0 fresh
	seconds "the README on a fresh machine"
}

until_healthy_once() {
	podman healthcheck run "$1" >/dev/null 2>&1 && echo 0 || echo 1
}

# Any certificate will do: whether somebody answers is the question.
tls_connect() {
	timeout 10 openssl s_client -connect "${ldaps_uri#ldaps://}" </dev/null 2>/dev/null
}

# docker/compose.yml itself, with a bridge and published ports.
check_compose() {
	if ! command -v podman-compose >/dev/null || [ ! -x /usr/lib/podman/netavark ]; then
		printf 'skip    docker/compose.yml: podman-compose or netavark is not installed\n'
		return 0
	fi
	logged compose up --detach --no-build
	container=$(podman ps --quiet)
	if [ -n "$container" ] && until_healthy "$container"; then
		pass "compose brings it up, healthy"
		take_credentials "$container"
		ldap_uri=ldap://127.0.0.1:21389
		ldaps_uri=ldaps://127.0.0.1:21636
		check_confinement "$container"
		check_data
		check_transport
		is "it does not listen on another address" 1 \
			"$(ldaps_uri=ldaps://10.99.99.1:21636 result_of tls_connect)"
		is "where the same question is answered on the loopback" 0 "$(result_of tls_connect)"
	else
		flunk "compose brings it up, healthy" "$(podman ps --all)" "$(podman logs --tail 30 "${container:-none}" 2>&1)"
	fi
	logged compose down --volumes --timeout 10
	is "compose leaves nothing behind" 0 "$(podman ps --all --quiet | grep -c .)"
	seconds "compose"
}

compose() {
	LDAP_PORT=21389 LDAPS_PORT=21636 podman-compose --file "$source/docker/compose.yml" "$@"
}

# The domain controller, with no more capabilities than its Dockerfile says that it needs, on an address of its own.
check_samba() {
	logged podman run --detach --name dc1 --network host --read-only --tmpfs /tmp --tmpfs /run --tmpfs /var/cache/samba \
		--cap-drop ALL --cap-add CHOWN --cap-add DAC_OVERRIDE --cap-add FOWNER --cap-add SETUID --cap-add SETGID \
		--cap-add NET_BIND_SERVICE --security-opt no-new-privileges --volume domain:/var/lib/company wsmauthz-samba 10.99.99.1
	if until_healthy dc1; then
		pass "the domain controller's container becomes healthy"
	else
		flunk "the domain controller's container becomes healthy" "$(podman logs --tail 30 dc1 2>&1)"
		return 0
	fi
	is "samba is the container's first process" samba \
		"$(tr '\0' ' ' <"/proc/$(podman inspect --format '{{.State.Pid}}' dc1)/comm")"
	is "its secrets are the owner's alone" "600 600 600" "$(podman exec dc1 sh -c \
		'cd /var/lib/company && stat -c %a authorizer.secret admin.secret authorizer.keytab' | paste -s -d ' ' -)"
	take_domain dc1
	[ "$program" = - ] || check_domain_program
	logged podman stop --time 10 dc1
	logged podman rm --force --volumes dc1
	logged podman volume rm --force domain
	seconds "the domain controller's container"
}

# Copies what a client by Kerberos needs out of the container, and gives the controller its name.
take_domain() {
	mkdir -p "$work/domain"
	for file in krb5.conf authorizer.keytab; do
		podman exec "$1" cat "/var/lib/company/$file" >"$work/domain/$file"
		chmod 0600 "$work/domain/$file"
	done
	printf '127.0.0.1 localhost\n10.99.99.1 dc1.corp.example\n' >"$top/hosts"
	mount --bind "$top/hosts" /etc/hosts
	printf 'nameserver 10.99.99.1\noptions timeout:1 attempts:1\n' >"$top/resolv.conf"
	mount --bind "$top/resolv.conf" /etc/resolv.conf
}

check_domain_program() {
	cp "$source/docker/company-ad/policy.xml.in" "$work/domain/policy.xml"
	chmod 0700 "$work/domain"
	chmod 0600 "$work/domain/policy.xml"
	sed -n '/^[^#]/s/	.*//p' "$source/docker/company-ad/people.txt" |
		KRB5_CONFIG=$work/domain/krb5.conf timeout 120 "$program" check --config "$work/domain/policy.xml" --json - \
			>"$work/answers" 2>"$work/program.err" || :
	if LC_ALL=C awk -v color=0 -v columns=160 -f "$source/docker/company/verdicts.awk" \
		"$source/docker/company-ad/expected.txt" "$source/docker/company-ad/people.txt" "$work/answers" >"$work/table"; then
		pass "the program's verdicts there, bound by Kerberos: $(tail -n 1 "$work/table")"
	else
		flunk "the program's verdicts there differ from expected.txt" "$(cat "$work/table" "$work/program.err")"
	fi
}

run_stage() {
	ip link set lo up
	ip address add 10.99.99.1/32 dev lo
	work=$top/work
	mkdir -p "$work"
	# shellcheck source=tests/container/checks.sh
	. "$source/tests/container/checks.sh"
	check_single || flunk "the checks of one container ran to their end"
	check_samba || flunk "the checks of the domain controller ran to their end"
	check_compose || flunk "the checks of compose ran to their end"
	finish
	status=$?
	podman rm --all --force >/dev/null 2>&1
	return $status
}

if [ "${1:-}" = --stage ]; then
	stage_name=$2 top=$3 source=$4 program=$5 packages=$6
	enter_stage
	"${stage_name}_stage"
	exit $?
fi

[ $# -ge 1 ] || fail "usage: image.sh SOURCE_DIR [WSMAUTHZ_PROGRAM]"
source=$(cd "$1" && pwd)
program=${2:--}
packages=${WSMAUTHZ_PACKAGES:-}
ls "$packages"/wsmauthz_*.deb >/dev/null 2>&1 || packages=
[ -n "$packages" ] || printf 'skip    the README on a fresh machine: there are no packages of this tree (container.package makes them)\n'
PATH=$PATH:/usr/sbin:/sbin
export PATH
require
top=$(mktemp -d "${TMPDIR:-/var/tmp}/wsmauthz-container.XXXXXX") || exit 1
made_mount_point=no
clean_up() {
	rm -rf "$top"
	[ "$made_mount_point" = no ] || rmdir /var/lib/containers
	# The engine's parent groups, if they are empty: nobody else's containers are in them.
	for group in /sys/fs/cgroup/libpod_parent /sys/fs/cgroup/*/libpod_parent; do
		rmdir "$group/conmon" "$group" 2>/dev/null
	done
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP
# The stages cover it with a file system of their own.
[ -d /var/lib/containers ] || { mkdir /var/lib/containers && made_mount_point=yes; }
write_settings
write_sources
stage build || exit 1
stage run --net
