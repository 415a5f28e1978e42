#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Everything that is tested, from a fresh clone on a fresh Debian machine: see usage(), or sh tests/run.sh --help.
set -u

# What the builds and the tests need; each line is one reason.
PACKAGES="
gcc libc6-dev clang libclang-rt-14-dev llvm cmake ninja-build pkg-config git
libldap-dev libsasl2-dev libkrb5-dev libxml2-dev libc-ares-dev libcmocka-dev
libmicrohttpd-dev libcurl4-gnutls-dev curl python3-winrm
gcc-mingw-w64-x86-64-win32 gcc-mingw-w64-i686-win32 wine wine64 wixl msitools xz-utils
clang-format clang-tidy cppcheck shellcheck groff-base
slapd 389-ds-base ldap-utils openssl ca-certificates libsasl2-modules libsasl2-modules-gssapi-mit
krb5-kdc krb5-admin-server krb5-user faketime
samba-ad-dc samba-ad-provision samba-dsdb-modules python3-samba bind9-dnsutils
python3 libxml2-utils python3-prometheus-client zsh
chromium chromium-driver python3-selenium
lintian dpkg-dev mmdebstrap podman runc podman-compose netavark aardvark-dns iproute2 iptables
"

# label and budget in minutes, in the order of running. A label over its budget is named; over twice its
# budget is a failure: a test that became slow is a test that will not be run.
BUDGETS="
unit 1
scenario 1
lint 6
host 2
integration 8
soak 1
container 6
fuzz 2
windows 4
"
OTHER_BUDGET=2

# The labels that the builds with sanitizers run.
SANITIZED_LABELS="unit scenario host"

# Of the label `integration`, what the build that counts lines runs: those that reach code no other test does.
COVERING_TESTS="integration\.(bench|binds|check|directory|doctor|explain|host|locate|metrics|report|stats)\.|integration\.watch\.(slapd|psearch|controller)|integration\.scripted_ad\.(forest|ranges|principals)"

# Labels whose tests need root (they make namespaces and images): run with sudo where it asks no password.
ROOT_LABELS="container"

# With CI=true a skipped test is a failure: everything is installed there. Names (as ctest prints them) of those that may
# be skipped all the same, one a line, each with its reason behind it. None.
MAY_SKIP="
"

usage() {
	cat <<'TEXT'
Usage: sh tests/run.sh [--all] [--only LABEL] [--no-install] [--help]

Installs what is missing (Debian packages, as root or with sudo; no service is started), builds and tests:

  release   all tests, label by label
  asan      unit, scenario and host tests, with AddressSanitizer and UndefinedBehaviorSanitizer
  tsan      the same, with ThreadSanitizer
  fuzz      the libFuzzer targets, 10 seconds each
  coverage  with clang: unit, scenario, host and some integration tests, counting which lines they run
  windows   with mingw-w64: the library, the program and the installer for Windows, and their tests under Wine, unit
            tests and scenarios too
  windows-x86  the same for 32 bits; builds

Builds are in build/<name>, their output in build/<name>.log.

  --all         also the tests with the label `long`
  --only LABEL  the release build and the tests with this label, nothing else (windows: that build as well)
  --no-install  install nothing; what is missing makes tests skip or builds fail
  --help        this text

The last line is `N passed, N failed, N skipped`, over all runs of ctest; a build that fails counts as one failed. Exit
status 0: nothing failed. With CI=true in the environment a skipped test counts as failed.
TEXT
}

say() {
	printf '\n== %s\n' "$*"
}

passed=0 failed=0 skipped=0
problems=""

# problem TEXT: counts as one failed, and is said again at the end.
problem() {
	echo "PROBLEM: $*"
	failed=$((failed + 1))
	problems="$problems
  $*"
}

# Packages

# shellcheck source=tests/support/packages.sh
. "$(dirname "$0")/support/packages.sh"

install_packages() {
	command -v dpkg-query >/dev/null 2>&1 || {
		echo "This is not Debian: install what PACKAGES in tests/run.sh names, then run it with --no-install." >&2
		exit 1
	}
	missing=$(missing_packages | tr '\n' ' ')
	[ -n "$missing" ] || return 0
	if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null 2>&1; then
		problem "not installed, and neither root nor sudo to do it: $missing"
		return
	fi
	say "installing: $missing"
	# shellcheck disable=SC2086  # a list
	apt_install $missing 2>&1 || problem "could not install packages (build/install.log)"
}

# Builds

# build NAME CMAKE_ARGUMENT...: configure and build in build/NAME.
build() {
	name=$1
	shift
	say "build $name"
	begin=$(date +%s)
	# A folder that was copied here from elsewhere knows files that are not ours.
	if [ -f "build/$name/CMakeCache.txt" ] &&
		! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "build/$name/CMakeCache.txt"; then
		rm -rf "build/$name"
	fi
	{ cmake "$@" && cmake --build "build/$name" --parallel "$jobs"; } >"build/$name.log" 2>&1 || {
		grep -E -A 12 'FAILED|[Ee]rror' "build/$name.log" | head -n 60
		problem "build $name (build/$name.log)"
		return 1
	}
	echo "built in $(($(date +%s) - begin)) s"
}

# Tests

# attribute NAME FILE: of the first element of ctest's report that has it.
attribute() {
	sed -n "s/^[[:space:]]*$1=\"\\([0-9]*\\)\".*/\\1/p" "$2" | head -n 1
}

skipped_names() {
	awk '/<testcase / { name = $0; sub(/ classname=.*/, "", name); sub(/.*name="/, "", name); sub(/"$/, "", name) }
		/<skipped/ { print name }' "$1"
}

# What the skipped tests say; ctest shows it of those that fail only.
print_skips() {
	awk '/<testcase / { name = $0; sub(/ classname=.*/, "", name); sub(/.*name="/, "", name); sub(/"$/, "", name); skipped = 0 }
		/<skipped/ { skipped = 1; next }
		skipped && tolower($0) ~ /skip/ {
			sub(/.*<system-out>/, ""); gsub(/&quot;/, "\""); gsub(/&apos;/, "\047"); print "  " name ": " $0 }' "$1"
}

# test_label BUILD LABEL BUDGET: run the tests of a label, count, and compare the time with the budget (minutes).
test_label() {
	build_name=$1 label=$2 budget=$3
	report=build/$build_name.$label.xml
	rm -f "$report"
	say "test $build_name: $label"
	become_root=""
	case " $ROOT_LABELS " in
	*" $label "*) [ "$(id -u)" = 0 ] || ! sudo -n true 2>/dev/null || become_root="sudo -n" ;;
	esac
	begin=$(date +%s)
	# shellcheck disable=SC2086  # several words each
	$become_root $without_aslr ctest --test-dir "build/$build_name" -L "^$label\$" $long $chosen --no-tests=ignore -j 2 --output-on-failure \
		--test-output-size-passed 65536 --output-junit "$root/$report"
	status=$?
	[ -z "$become_root" ] || $become_root chown -R "$(id -u):$(id -g)" build
	seconds=$(($(date +%s) - begin))
	if [ ! -s "$report" ]; then
		problem "ctest $build_name $label ended with $status and left no report"
		return
	fi
	print_skips "$report"
	count "$report" "$build_name" "$label" "$status"
	echo "time: $build_name $label: $seconds s of $((budget * 60)) s"
	if [ "$seconds" -gt $((budget * 120)) ]; then
		problem "$build_name $label took $seconds s: more than twice its budget of $budget min"
	elif [ "$seconds" -gt $((budget * 60)) ]; then
		echo "SLOW: $build_name $label is over its budget of $budget min"
	fi
}

# count REPORT BUILD LABEL STATUS: add a report to the sums.
count() {
	all=$(attribute tests "$1") bad=$(attribute failures "$1")
	quiet=$(($(attribute skipped "$1") + $(attribute disabled "$1")))
	all=${all:-0} bad=${bad:-0}
	if [ "$4" != 0 ] && [ "$bad" = 0 ]; then
		problem "ctest $2 $3 ended with $4, though no test failed"
	fi
	[ "$bad" = 0 ] || problems="$problems
  $bad of the tests $2 $3"
	passed=$((passed + all - bad - quiet)) failed=$((failed + bad)) skipped=$((skipped + quiet))
	if [ "${CI:-}" = true ]; then
		for name in $(skipped_names "$1"); do
			echo "$MAY_SKIP" | grep -q "^$name\>" && continue
			problem "$name ($2) was skipped, which CI=true does not allow"
			skipped=$((skipped - 1))
		done
	fi
}

budget_of() {
	echo "$BUDGETS" | awk -v label="$1" -v other="$OTHER_BUDGET" '
		$1 == label { found = $2 } END { print found ? found : other }'
}

# labels BUILD: those of the table in its order, then any others.
labels() {
	ctest --test-dir "build/$1" --print-labels | sed -n 's/^  *//p' | grep -v '^All Labels:' | grep -vx long >build/labels
	echo "$BUDGETS" | awk 'NF { print $1 }' | grep -xFf build/labels
	echo "$BUDGETS" | awk 'NF { print $1 }' | grep -vxFf - build/labels
}

# A test without a label would never run.
check_labels() {
	unlabelled=$(ctest --test-dir build/release -N -LE . | sed -n 's/^Total Tests: //p')
	[ "$unlabelled" = 0 ] || problem "$unlabelled tests have no label (ctest --test-dir build/release -N -LE .)"
}

test_release() {
	check_labels
	for label in $(labels release); do
		test_label release "$label" "$(budget_of "$label")"
	done
}

# test_sanitized BUILD: everything is slower there; the budgets are doubled.
test_sanitized() {
	for label in $(labels "$1"); do
		case " $SANITIZED_LABELS " in
		*" $label "*) test_label "$1" "$label" "$(($(budget_of "$label") * 2))" ;;
		esac
	done
}

# test_coverage: the tests on the build that counts lines, then the count.
test_coverage() {
	rm -rf build/coverage/profiles
	export LLVM_PROFILE_FILE="$root/build/coverage/profiles/%m.profraw"
	test_sanitized coverage
	chosen="-R $COVERING_TESTS"
	test_label coverage integration "$(budget_of integration)"
	chosen=""
	unset LLVM_PROFILE_FILE
	say "lines that the tests ran"
	sh tests/coverage.sh build/coverage || problem "too few lines are tested"
}

# What the build has of each label runs under Wine; that of the label windows looks at the files themselves.
test_windows() {
	if ! command -v x86_64-w64-mingw32-gcc >/dev/null 2>&1; then
		say "build windows: mingw-w64 is not installed"
		[ "${CI:-}" != true ] || problem "mingw-w64 is not installed"
		return
	fi
	build windows --preset windows || return
	for label in $(labels windows); do
		[ -z "$only" ] || [ "$label" = "$only" ] || continue
		test_label windows "$label" "$(budget_of "$label")"
	done
}

# 32-bit Windows is compiled and linked; there is no Wine for it on this system.
build_windows_x86() {
	if command -v i686-w64-mingw32-gcc >/dev/null 2>&1; then
		build windows-x86 --preset windows-x86
	else
		say "build windows-x86: mingw-w64 for i686 is not installed"
		[ "${CI:-}" != true ] || problem "mingw-w64 for i686 is not installed"
	fi
}

# The whole

finish() {
	total=$(($(date +%s) - started))
	say "done in $((total / 60)) min $((total % 60)) s"
	[ -z "$problems" ] || echo "failed:$problems"
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ]
	exit $?
}

long="-LE ^long\$" chosen="" only="" install=yes
while [ $# -gt 0 ]; do
	case $1 in
	--all) long="" ;;
	--only)
		only=${2:?--only wants a label}
		shift
		;;
	--no-install) install=no ;;
	--help)
		usage
		exit 0
		;;
	*)
		echo "run.sh: unknown option: $1 (see --help)" >&2
		exit 2
		;;
	esac
	shift
done

export LC_ALL=C.UTF-8
root=$(cd "$(dirname "$0")/.." && pwd -P) || exit 1
cd "$root" || exit 1
started=$(date +%s)
jobs=$(nproc)
without_aslr=""
mkdir -p build || exit 1
trap 'allow_services' EXIT
trap 'exit 1' HUP INT TERM

[ "$install" = no ] || install_packages

build release --preset release || finish
if [ "$only" = windows ]; then
	test_windows
	finish
fi
if [ -n "$only" ]; then
	test_label release "$only" "$(budget_of "$only")"
	[ $((passed + failed + skipped)) -gt 0 ] || problem "no test has the label $only"
	finish
fi
test_release

build asan --preset asan && test_sanitized asan

# ThreadSanitizer of gcc 12 gives up ("unexpected memory mapping") where the kernel spreads addresses widely.
if build tsan --preset tsan; then
	setarch "$(uname -m)" -R true 2>/dev/null && without_aslr="setarch $(uname -m) -R"
	test_sanitized tsan
	without_aslr=""
fi

build fuzz --preset fuzz && test_label fuzz fuzz "$(budget_of fuzz)"

build coverage --preset coverage && test_coverage

test_windows
build_windows_x86

finish
