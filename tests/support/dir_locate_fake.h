/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands in for src/directory/dir_locate_dns.c at link time: what DNS says of a domain is what a test says.
 *
 *	dir_locate_fake_reset();
 *	dir_locate_fake_answer("corp.example", 60, "ldap://a.corp.example:389", "ldap://b.corp.example:389", NULL);
 *	dir_locate_fake_fail("corp.example", STATUS_TIMEOUT);
 *	dir_locate_fake_hang("corp.example");                  until it is given up
 *
 * A domain that was never named has no servers (STATUS_NOT_FOUND). Threads: any.
 */
#ifndef WSMAUTHZ_TESTS_SUPPORT_DIR_LOCATE_FAKE_H
#define WSMAUTHZ_TESTS_SUPPORT_DIR_LOCATE_FAKE_H

#include <directory/dir_locate.h>

void dir_locate_fake_reset(void);
void dir_locate_fake_answer(const char *domain, uint32_t ttl_s, const char *first, ...);
void dir_locate_fake_site(const char *domain, const char *site, bool is_doubtful);
void dir_locate_fake_fail(const char *domain, enum status status);
void dir_locate_fake_hang(const char *domain);

/** How often the domain was asked for; and the site that was known then. */
unsigned dir_locate_fake_count(const char *domain);
const char *dir_locate_fake_known_site(const char *domain);

#endif
