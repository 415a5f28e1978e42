/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The LDAP ping: a question to domain controllers by UDP, which answer what they are and which site the asker is in.
 *
 * Nothing proves who answered. So an answer decides the order in which servers are tried and nothing else.
 *
 * Sources: MS-ADTS 6.3.3 (LDAP ping), 6.3.3.2 (its answer), 6.3.1.1 (NtVer), 6.3.1.2 (flags), 6.3.1.9
 * (NETLOGON_SAM_LOGON_RESPONSE_EX), 6.3.7 (compressed names); RFC 4511 sections 4.1.1, 4.5.
 */
#ifndef WSMAUTHZ_DIRECTORY_DIR_CLDAP_H
#define WSMAUTHZ_DIRECTORY_DIR_CLDAP_H

#include <base/compiler.h>
#include <base/error.h>
#include <directory/dir_dns.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIR_CLDAP_PORT 389
/* Controllers that are asked at once. */
#define DIR_CLDAP_MAX_TARGETS 5
/* A question, and an answer: answers have some 200 bytes, of names of 255 each less than this. */
#define DIR_CLDAP_MAX_QUESTION 512
#define DIR_CLDAP_MAX_ANSWER   4096

struct dir_cldap_answer {
	uint32_t flags;                        /* MS-ADTS 6.3.1.2: DIR_CLDAP_... */
	char domain[DIR_DNS_NAME_BYTES];       /* DnsDomainName */
	char host[DIR_DNS_NAME_BYTES];         /* DnsHostName */
	char server_site[DIR_DNS_NAME_BYTES];  /* DcSiteName */
	char client_site[DIR_DNS_NAME_BYTES];  /* ClientSiteName; "": no site has the asker's address */
	char next_closest[DIR_DNS_NAME_BYTES]; /* NextClosestSiteName; "": not said */
};

#define DIR_CLDAP_SERVES_LDAP 0x00000008U
#define DIR_CLDAP_IS_CLOSEST  0x00000080U
#define DIR_CLDAP_IS_WRITABLE 0x00000100U

/* The message: dir_cldap_message.c. Pure. */

/**
 * Write the question: who are you, in this domain, and where am I?
 *
 * @param id  of the message, 1 or more.
 * @return the bytes written; 0: no room for such a domain.
 */
NODISCARD size_t dir_cldap_write(int32_t id, const char *domain, uint8_t out[DIR_CLDAP_MAX_QUESTION]);

/**
 * Read an answer, which may be anything. Names of sites that are no labels are as if they were not said.
 *
 * @return false: it is no answer to question `id` by a controller of `domain`; `answer_out` is untouched.
 */
NODISCARD bool dir_cldap_read(const uint8_t *message, size_t length, int32_t id, const char *domain,
			      struct dir_cldap_answer *answer_out);

/** The value of the attribute netlogon alone; without a look at the domain. */
NODISCARD bool dir_cldap_read_netlogon(const uint8_t *value, size_t length, struct dir_cldap_answer *answer_out);

#endif
