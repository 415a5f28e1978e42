# SPDX-License-Identifier: Apache-2.0
# The many of the sample company, as LDIF on standard output: awk -f mass.awk names.txt
#
# Made from names.txt alone, with no chance in it: the same bytes every time, on every awk.
#   65 people in each of the five regions, every fifth of them in "<region> Operators", which is in Regional Operators, which
#   is in WinRM Users; departments, all of which are in All Staff; 10,000 devices, all of which are in All Devices.
# Some people have no site, and some one that no policy maps, as in every real directory.

BEGIN {
	base = "dc=corp,dc=example"
	people_per_region = 65
	device_count = 10000
	departments = split("Engineering Finance Legal Operations People Sales Support", department, " ")
	titles = split("Analyst,Engineer,Lead,Manager,Specialist", title, ",")
	region_count = split("AMER EMEA APAC LATAM MEA", region, " ")
	split("US DE JP BR AE", country, " ")
	split("Chicago,Hamburg,Osaka,Recife,Dubai", city, ",")
	split("+1 202 555 0,+49 40 555 0,+81 6 5550 0,+55 81 5550 0,+971 4 555 0", phone, ",")
}

/^#/ { next }

$2 == "given" {
	n = ++given_count[$1]
	given[$1, n] = $3
	given_uid[$1, n] = $4
}

$2 == "family" {
	n = ++family_count[$1]
	family[$1, n] = $3
	family_uid[$1, n] = $4
}

# With 8 given and 9 family names the pairs do not repeat before 72 people.
function person(r, k,    name, g, f, uid, dn, site, d) {
	name = region[r]
	g = k % given_count[name] + 1
	f = k % family_count[name] + 1
	uid = given_uid[name, g] "." family_uid[name, f]
	dn = "uid=" uid ",ou=" name ",ou=People," base
	site = name
	if (k % 23 == 22)
		site = ""
	else if (k % 29 == 28)
		site = "Home Office"
	d = k % departments + 1
	department_members[d] = department_members[d] "member: " dn "\n"
	if (k % 5 == 0)
		operators[r] = operators[r] "member: " dn "\n"

	print "dn: " dn
	print "objectClass: inetOrgPerson"
	print "uid: " uid
	print "cn: " given[name, g] " " family[name, f]
	print "sn: " family[name, f]
	print "givenName: " given[name, g]
	print "mail: " uid "@corp.example"
	print "title: " title[k % titles + 1]
	print "ou: " department[d]
	print "employeeNumber: " 2000 + r * 100 + k
	print "telephoneNumber: " phone[r] sprintf("%03d", k)
	print "l: " city[r]
	if (site != "")
		print "physicalDeliveryOfficeName: " site
	print "userPassword: secret-" uid
	print ""
}

function group(name, members) {
	print "dn: cn=" name ",ou=Groups," base
	print "objectClass: groupOfNames"
	print "cn: " name
	printf "%s\n", members
}

function nested(name) {
	return "member: cn=" name ",ou=Groups," base "\n"
}

function device_dn(i) {
	return sprintf("uid=pc-%05d,ou=Devices,%s", i, base)
}

function devices(    i) {
	for (i = 1; i <= device_count; i++) {
		print "dn: " device_dn(i)
		print "objectClass: account"
		printf "uid: pc-%05d\n", i
		print "l: " city[i % region_count + 1]
		print ""
	}
	print "dn: cn=All Devices,ou=Groups," base
	print "objectClass: groupOfNames"
	print "cn: All Devices"
	for (i = 1; i <= device_count; i++)
		print "member: " device_dn(i)
	print ""
}

END {
	for (r = 1; r <= region_count; r++)
		for (k = 0; k < people_per_region; k++)
			person(r, k)
	for (r = 1; r <= region_count; r++) {
		group(region[r] " Operators", operators[r])
		regional = regional nested(region[r] " Operators")
	}
	group("Regional Operators", regional)
	for (d = 1; d <= departments; d++) {
		group(department[d] " Department", department_members[d])
		staff = staff nested(department[d] " Department")
	}
	group("All Staff", staff)
	devices()
}
