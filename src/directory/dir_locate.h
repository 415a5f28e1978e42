/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding the servers of a domain, once. dir_locator.h does it again and again.
 *
 *	dir_locate_dns.c    this, by DNS and the LDAP ping: what is asked and how the answers are put together
 *	dir_locate_resolver.h  DNS: dir_locate_cares.c, through c-ares; dir_locate_dnsapi.c, through Windows' own
 *	dir_locate_srv.c    SRV records
 *	dir_locate_cldap.c  the LDAP ping: sockets (dir_locate_cldap_windows.c likewise); dir_cldap_message.c: messages
 *
 * What is asked, and the order of what is found
 *	_ldap._tcp.dc._msdcs.<domain> (an AD domain's controllers) and _ldap._tcp.<domain> (any domain's servers), at once; for ldaps also
 *	_ldaps._tcp.<domain>. Where there are controllers, a few of them are pinged for the site that this host is in, unless the policy says it, and
 *	_ldap._tcp.<site>._sites.dc._msdcs.<domain> is asked: the site's controllers come first, then those of the next closest site where
 *	they name one, then all others; each part by priority and weight.
 *	Records of _ldaps are taken with their ports; those of _ldap for ldaps with port 636, whatever theirs is: it is the port for StartTLS.
 *	The site is a matter of order only: when it cannot be learnt within DIR_LOCATE_SITE_MS, the domain's servers are the answer all the same.
 *
 * Whom is trusted
 *	DNS is not secured. TLS checks the name that SRV gave, so a forged answer could name a host of the forger, with a certificate that is right. So a server
 *	counts only when its name is within the domain, or within one of the DNS names that the policy gives the directory.
 *
 * On Windows DsGetDcName would answer a similar question, from what the Netlogon service of a machine in the domain knows; it names one
 * controller, believes DNS, and is not to be had on machines outside the domain. So the questions are the same there.
 *
 * Threads: one, that may wait. Never a caller's.
 * Sources: RFC 2782; MS-ADTS 6.3.2.3, 6.3.3, 6.3.6 (locating a controller).
 */
#ifndef WSMAUTHZ_DIRECTORY_DIR_LOCATE_H
#define WSMAUTHZ_DIRECTORY_DIR_LOCATE_H

#include <base/compiler.h>
#include <base/error.h>
#include <directory/dir_dns.h>
#include <directory/dir_locate_srv.h>
#include <directory/dir_servers.h>
#include <directory/dir_wake.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One pass in all; and the part of it that learns the site and its servers. */
#define DIR_LOCATE_PASS_MS 6000
#define DIR_LOCATE_SITE_MS 1500
/* Of DNS: until a server is asked again, or another one; and how often each. The system's own attempts may be rarer and slower. */
#define DIR_LOCATE_TRY_MS 800
#define DIR_LOCATE_TRIES  2
/* Controllers that are pinged answer within this time, or do not count. Half of it, and they are asked again. */
#define DIR_LOCATE_PING_MS 400

/* Where questions go, when it is not the system's affair. For tests. */
struct dir_locate_options {
	const char *resolvers; /* "127.0.0.1:5353,..."; NULL: the system's */
	uint16_t ping_port;    /* 0: DIR_CLDAP_PORT */
	uint64_t pass_ms;      /* 0: DIR_LOCATE_PASS_MS */
};

/* Ends a wait early. */
struct dir_locate_wait {
	struct dir_wake *wake;
	bool (*is_over)(void *context);
	void *context;
};

struct dir_locate_query {
	const char *domain;
	const char *site;          /* from the policy; NULL: is asked for */
	const char *known_site;    /* learnt earlier: stands in when nobody answers; "": none */
	bool is_tls;               /* ldaps */
	const char *const *within; /* names that servers must be within, beside `domain` */
	size_t within_count;
	const struct dir_srv_lots *lots;
	const struct dir_locate_options *options;
	const struct dir_locate_wait *wait;
};

struct dir_located {
	char *uris[DIR_SERVERS_MAX]; /* owned; "ldap://host:port", the preferred one first */
	size_t count;
	size_t found;                       /* servers before the cut at DIR_SERVERS_MAX */
	uint32_t ttl_s;                     /* the shortest of the records used */
	char site[DIR_DNS_LABEL_BYTES];     /* that the order is by; "": none */
	bool is_site_doubtful;              /* it was to be learnt and was not: ask again soon */
	size_t foreign;                     /* servers left out, not being within a name that we trust */
	char a_foreign[DIR_DNS_NAME_BYTES]; /* one of them */
};

/**
 * @param located  zeroed; on success free it with dir_located_done.
 * @return STATUS_OK, at least one server; STATUS_NOT_FOUND (DNS answers that there are none); STATUS_UNREACHABLE (no DNS server is there);
 *         STATUS_TIMEOUT (none answers); STATUS_REFUSED (they answer with a failure; or all servers are foreign); STATUS_INVALID (they answer nonsense);
 *         STATUS_CANCELLED (is_over); STATUS_NO_MEMORY; STATUS_LIMIT. `error` says which name was asked and what came of it.
 */
NODISCARD enum status dir_locate_domain(const struct dir_locate_query *query, struct dir_located *located,
					struct error *error);

void dir_located_done(struct dir_located *located);

#endif
