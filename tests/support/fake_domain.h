/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A domain controller for tests: a fake directory with what Active Directory has besides. Its domain is CORP, corp.example,
 * FAKE_DOMAIN_DN, S-1-5-21-1-2-3.
 *
 *	directory = fake_domain_new();
 *	fake_domain_add_group(directory, "cn=ops,dc=corp,dc=example", "S-1-5-21-1-2-3-1104", FAKE_DOMAIN_GLOBAL);
 *	fake_domain_nest(directory, "cn=inner,...", "cn=ops,...");
 *
 * That a group has a member is written into the group, whose uSNChanged moves; memberOf is computed from it, and moves nothing.
 * Every function ends the test when it makes no sense.
 *
 * Sources: MS-ADTS 2.2.12 (groupType), 3.1.1.3.2 (root DSE), 3.1.1.3.4.1.5 (extended DNs), 6.1.1.2.1.1 (crossRef).
 */
#ifndef TESTS_SUPPORT_FAKE_DOMAIN_H
#define TESTS_SUPPORT_FAKE_DOMAIN_H

#include <support/fake_directory.h>

#define FAKE_DOMAIN_DN "dc=corp,dc=example"
/* Text, so that a test writes FAKE_DOMAIN_SID "-1104". */
#define FAKE_DOMAIN_SID          "S-1-5-21-1-2-3"

#define FAKE_DOMAIN_GLOBAL       "-2147483646"
#define FAKE_DOMAIN_LOCAL        "-2147483644"
#define FAKE_DOMAIN_DISTRIBUTION "2"

/** Never NULL; freed by fake_directory_free. */
struct fake_directory *fake_domain_new(void);

/** Another domain of the forest. @param sid  of the domain. */
void fake_domain_add_domain(struct fake_directory *directory, const char *dn, const char *dns_name,
			    const char *netbios_name, const char *sid);

/** @param sid  NULL: none. */
void fake_domain_add(struct fake_directory *directory, const char *dn, const char *object_class, const char *sid);
/** Its sAMAccountName is the value of its RDN. */
void fake_domain_add_group(struct fake_directory *directory, const char *dn, const char *sid, const char *group_type);

void fake_domain_nest(struct fake_directory *directory, const char *child, const char *parent);
void fake_domain_unnest(struct fake_directory *directory, const char *child, const char *parent);

/** A value of the entry's tokenGroups. */
void fake_domain_token(struct fake_directory *directory, const char *dn, const char *sid);
/** None any more; `sid` NULL: none of all. */
void fake_domain_untoken(struct fake_directory *directory, const char *dn, const char *sid);

#endif
