# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# What the scripts that do their own set-up share: Debian packages. Read by them (`.`), from the root of the tree, where there is a folder
# build; they set PACKAGES, and have allow_services run at their end (`trap 'allow_services' EXIT`).

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

missing_packages() {
	for package in $PACKAGES; do
		dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || echo "$package"
	done
}

# Packages with a service (slapd, krb5-kdc) start it when they are installed, unless this policy forbids it. One that is
# there already, as in most containers, is the machine's own business.
POLICY=/usr/sbin/policy-rc.d
forbid_services() {
	[ -e "$POLICY" ] && return
	printf '#!/bin/sh\nexit 101\n' | as_root tee "$POLICY" >/dev/null && as_root chmod 755 "$POLICY" && policy_is_ours=yes
}

allow_services() {
	if [ "${policy_is_ours:-no}" = yes ]; then
		as_root rm -f "$POLICY"
		policy_is_ours=no
	fi
}

# apt_install PACKAGE...: what went wrong is shown.
apt_install() {
	forbid_services
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 update >build/install.log 2>&1 &&
		as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 install \
			--no-install-recommends "$@" >>build/install.log 2>&1
	installed=$?
	[ "$installed" = 0 ] || tail -n 30 build/install.log >&2
	allow_services
	return "$installed"
}

# For a script that is of no use without them.
install_packages_or_exit() {
	command -v dpkg-query >/dev/null 2>&1 || {
		echo "${0##*/}: this is not Debian: install what PACKAGES in $0 names, then use --no-install" >&2
		exit 1
	}
	missing=$(missing_packages | tr '\n' ' ')
	[ -n "$missing" ] || return 0
	echo "installing: $missing" >&2
	# shellcheck disable=SC2086  # a list
	apt_install $missing || exit 1
}
