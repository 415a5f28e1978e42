# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154 # the caller sets what the next lines name
# What must be true of the sample company's server, however it was started. Sourced; the caller sets
#   ldaps_uri ldap_uri   where it listens
#   ca_file secret_file  copies of its ca.pem and authorizer.secret
#   source               the root of the source tree
#   work                 a private folder
# and calls check_server, then finish. Each check prints one line.

base="dc=corp,dc=example"
people="ou=People,$base"
service="cn=authorizer,ou=Services,$base"
check_count=0
failed_count=0

pass() {
	check_count=$((check_count + 1))
	printf 'ok      %s\n' "$1"
}

flunk() {
	check_count=$((check_count + 1))
	failed_count=$((failed_count + 1))
	printf 'not ok  %s\n' "$1"
	shift
	[ $# -eq 0 ] || printf '%s\n' "$@" | sed 's/^/        | /'
}

# is DESCRIPTION WANTED GOT
is() {
	if [ "$2" = "$3" ]; then pass "$1"; else flunk "$1" "wanted: $2" "got:    $3"; fi
}

# The tools of OpenLDAP, deaf to the configuration of the machine and of the user, and never for long.
client() {
	(cd "$work" && HOME=$work LDAPCONF=/dev/null LDAPTLS_REQCERT=demand LDAPTLS_CACERT=${trust:-$ca_file} \
		timeout 30 "$@" 2>"$work/client.err" </dev/null)
}

as_service() {
	tool=$1
	shift
	client "$tool" -x -H "$ldaps_uri" -D "$service" -y "$secret_file" "$@"
}

# as_person UID TOOL ARGUMENT...; everybody's password is known.
as_person() {
	person=$1 tool=$2
	shift 2
	client "$tool" -x -H "$ldaps_uri" -D "uid=$person,$people" -w "secret-$person" "$@"
}

# The exit status of a command of the tools is LDAP's result code.
result_of() {
	"$@" >"$work/client.out"
	printf '%s' $?
}

lower_case() {
	tr '[:upper:]' '[:lower:]'
}

count_lines() {
	grep -c "$1" || :
}

change() {
	printf 'dn: %s\nchangetype: modify\nreplace: %s\n%s: %s\n' "$1" "$2" "$2" "$3" >"$work/change.ldif"
}

whole_company() {
	cat "$source/docker/company/company.ldif"
	LC_ALL=C awk -f "$source/docker/company/mass.awk" "$source/docker/company/names.txt"
}

check_data() {
	sed -n 's/.* group="\([^"]*\)".*/\1/p' "$source/docker/company/policy.xml.in" >"$work/groups"
	is "the policy names four groups" 4 "$(count_lines . <"$work/groups")"
	while read -r group; do
		is "the policy's group '$group' exists" 1 \
			"$(as_service ldapsearch -LLL -b "$group" -s base "(objectClass=groupOfNames)" 1.1 | count_lines '^dn')"
	done <"$work/groups"
	is "everybody is there" "$(whole_company | count_lines '^objectClass: inetOrgPerson')" \
		"$(as_service ldapsearch -LLL -b "$people" "(objectClass=inetOrgPerson)" 1.1 | count_lines '^dn')"
	is "10,000 devices are there, in one answer" 10000 \
		"$(as_service ldapsearch -LLL -b "ou=Devices,$base" "(objectClass=account)" 1.1 | count_lines '^dn')"
	is "10,000 of them in one group" 10000 \
		"$(as_service ldapsearch -LLL -b "cn=All Devices,ou=Groups,$base" -s base "(objectClass=*)" member | count_lines '^member:')"
	is "a member that was written otherwise is found" 1 \
		"$(as_service ldapsearch -LLL -b "cn=WinRM Users,ou=Groups,$base" -s base "(member=uid=trent,$people)" 1.1 | count_lines '^dn')"
	is "two people share one uid" 2 "$(as_service ldapsearch -LLL -b "$people" "(uid=sybil)" 1.1 | count_lines '^dn')"
	is "every sender of people.txt has an expected verdict" \
		"$(sed -n '/^[^#]/s/	.*//p' "$source/docker/company/people.txt")" "$(sed -n '/^[^#]/s/	.*//p' "$source/docker/company/expected.txt")"
}

check_transport() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$work/other.key" -out "$work/other.pem" \
		-days 2 -subj "/CN=somebody else" 2>/dev/null
	trust=$work/other.pem
	is "another authority's clients refuse the server" 255 "$(result_of as_service ldapwhoami)"
	trust=
	is "a password in the clear is refused (confidentiality required)" 13 \
		"$(result_of client ldapwhoami -x -H "$ldap_uri" -D "$service" -y "$secret_file")"
	is "StartTLS serves the same account" 0 \
		"$(result_of client ldapwhoami -x -ZZ -H "$ldap_uri" -D "$service" -y "$secret_file")"
	is "TLS 1.2 is spoken" 0 "$(result_of tls_handshake -tls1_2)"
	is "TLS 1.1 is not" 1 "$(result_of tls_handshake -tls1_1)"
}

tls_handshake() {
	timeout 10 openssl s_client -connect "${ldaps_uri#ldaps://}" -CAfile "$ca_file" -verify_return_error "$1" \
		-cipher 'DEFAULT@SECLEVEL=0' </dev/null 2>/dev/null
}

# The server must let the service account do what the authorizer does, and nothing else.
check_service_account() {
	is "SCRAM-SHA-256 serves the service account" "dn:$(printf '%s\n' "$service" | lower_case)" \
		"$(client ldapwhoami -Q -Y SCRAM-SHA-256 -U authorizer -H "$ldaps_uri" -y "$secret_file" | lower_case)"
	is "the state of an account is readable" 1 \
		"$(as_service ldapsearch -LLL -b "$people" "(uid=erin)" pwdAccountLockedTime | count_lines '^pwdAccountLockedTime: 000001010000Z')"
	is "so is the end of a password" 1 \
		"$(as_service ldapsearch -LLL -b "$people" "(uid=walter)" pwdEndTime | count_lines '^pwdEndTime: 20240101000000Z')"
	is "so is the policy that gives a lock its duration" 1 \
		"$(as_service ldapsearch -LLL -b "cn=default,ou=Policies,$base" -s base "(objectClass=*)" | count_lines '^pwdLockoutDuration: 900')"
	is "a search can be watched (RFC 4533)" 1 \
		"$(as_service ldapsearch -LLL -E '!sync=ro' -b "ou=Groups,$base" "(cn=Lab)" cn | count_lines '^cn: Lab')"
	is "contextCSN is readable" 1 "$(as_service ldapsearch -LLL -b "$base" -s base "(objectClass=*)" contextCSN | count_lines '^contextCSN:')"
	as_service ldapsearch -LLL -b "$people" "(uid=alice)" "*" "+" >"$work/alice"
	is "no password is readable" 0 "$(count_lines '^userPassword' <"$work/alice")"
	is "neither is a telephone number" 0 "$(count_lines '^telephoneNumber' <"$work/alice")"
	change "uid=alice,$people" description "written by the service account"
	is "nothing is writable" 50 "$(result_of as_service ldapmodify -f "$work/change.ldif")"
}

check_people() {
	is "anonymous sees nothing" 0 "$(client ldapsearch -LLL -x -H "$ldaps_uri" -b "$base" "(objectClass=*)" 1.1 | count_lines '^dn')"
	is "Alice binds with her printed password" 0 "$(result_of as_person alice ldapwhoami)"
	change "uid=alice,$people" telephoneNumber "+1 202 555 0199"
	is "she may write her telephone number" 0 "$(result_of as_person alice ldapmodify -f "$work/change.ldif")"
	change "uid=alice,$people" physicalDeliveryOfficeName "EMEA"
	is "she may not write her site" 50 "$(result_of as_person alice ldapmodify -f "$work/change.ldif")"
	printf 'dn: cn=Tier 0,ou=Groups,%s\nchangetype: modify\nadd: member\nmember: uid=alice,%s\n' "$base" "$people" >"$work/change.ldif"
	is "she may not join a group" 50 "$(result_of as_person alice ldapmodify -f "$work/change.ldif")"
	is "she gets the default size limit" 4 "$(result_of as_person alice ldapsearch -b "ou=Devices,$base" "(objectClass=account)" 1.1)"
	is "that limit is 500" 500 "$(count_lines '^dn' <"$work/client.out")"
	is "Erin, locked for good, cannot bind" 49 "$(result_of as_person erin ldapwhoami)"
	is "neither can Walter, whose time is past" 49 "$(result_of as_person walter ldapwhoami)"
	is "Chad, whose lock is over, can" 0 "$(result_of as_person chad ldapwhoami)"
}

check_server() {
	check_data
	check_transport
	check_service_account
	check_people
}

# The program against the server, as an endpoint in AMER: check_program PROGRAM. Before check_server, because what binds there
# changes the company: a bind that succeeds ends a lock whose time is over.
check_program() {
	policy=$work/policy
	mkdir -p "$policy"
	chmod 0700 "$policy"
	cp "$ca_file" "$policy/ca.pem"
	cp "$secret_file" "$policy/authorizer.secret"
	chmod 0600 "$policy/authorizer.secret"
	sed "s|@URI@|$ldaps_uri|" "$source/docker/company/policy.xml.in" >"$policy/policy.xml"
	chmod 0600 "$policy/policy.xml"
	status=0
	sed -n '/^[^#]/s/	.*//p' "$source/docker/company/people.txt" |
		timeout 120 "$1" check --config "$policy/policy.xml" --json - >"$work/answers" 2>"$work/program.err" || status=$?
	is "the program's status says that somebody was denied" 1 "$status"
	if LC_ALL=C awk -v color=0 -v columns=160 -f "$source/docker/company/verdicts.awk" "$source/docker/company/expected.txt" \
		"$source/docker/company/people.txt" "$work/answers" >"$work/table"; then
		pass "its verdicts: $(tail -n 1 "$work/table")"
		is "one of them, Judy, is an administrator" '"sender":"CORP\\judy"' \
			"$(grep '"administrator":true' "$work/answers" | grep -o '"sender":"[^"]*"')"
	else
		flunk "its verdicts differ from expected.txt" "$(cat "$work/table" "$work/program.err")"
	fi
}

# Says how it went; status 1 when a check failed.
finish() {
	printf '%d checks, %d failed\n' "$check_count" "$failed_count"
	[ "$failed_count" -eq 0 ]
}
