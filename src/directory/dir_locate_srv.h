/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SRV records: which names are asked for, what an answer says, and in which order its servers are tried. Pure.
 *
 * Lots: among servers of one priority RFC 2782 draws by weight. Here each server has a lot, which stays the same for the life of a process: so the
 * drawing gives each server its share of the hosts, and an answer that is read again does not move connections about.
 *
 * Sources: RFC 2782; draft-ietf-ldapext-locate-08 (_ldap._tcp); MS-ADTS 6.3.2.3 (SRV records that controllers register).
 */
#ifndef WSMAUTHZ_DIRECTORY_DIR_LOCATE_SRV_H
#define WSMAUTHZ_DIRECTORY_DIR_LOCATE_SRV_H

#include <base/compiler.h>
#include <base/error.h>
#include <directory/dir_dns.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Records of one answer; a message of 64 KB has room for some 3000. */
#define DIR_SRV_MAX_RECORDS 4096

struct dir_srv {
	uint16_t priority, weight, port;
	uint32_t ttl_s;
	double rank; /* private to dir_srv_sort */
	char target[DIR_DNS_NAME_BYTES];
};

struct dir_srv_list {
	struct dir_srv *records; /* owned: memory_free */
	size_t count, capacity;
	bool is_denied; /* the target ".": the service is decidedly not available at this domain */
	size_t strange; /* records left out, because their target is no host's name or the port is 0 */
};

/**
 * Append the SRV records of a DNS answer (those of its answer section, whoever's they are: names may be aliases).
 *
 * @return STATUS_OK, also when there are none; STATUS_INVALID (no well-formed DNS answer, or a truncated one); STATUS_LIMIT (DIR_SRV_MAX_RECORDS); STATUS_NO_MEMORY.
 */
NODISCARD enum status dir_srv_parse(const uint8_t *message, size_t length, struct dir_srv_list *list);
/** Append one record; the target "" is the name of the root. @return STATUS_OK, also when it is left out; STATUS_LIMIT; STATUS_NO_MEMORY. */
NODISCARD enum status dir_srv_add(struct dir_srv_list *list, const struct dir_srv *record);
void dir_srv_list_done(struct dir_srv_list *list);

/** A number that is as good as random and always the same for a server: the source of the lots. */
struct dir_srv_lots {
	uint64_t (*draw)(const void *context, const char *target, uint16_t port);
	const void *context;
};

/** By priority, and by weight and lot within one; what is there twice is there once. */
void dir_srv_sort(struct dir_srv_list *list, const struct dir_srv_lots *lots);

/** Leave out targets that are not within one of the domains. @return how many. */
size_t dir_srv_keep_within(struct dir_srv_list *list, const char *const *domains, size_t domain_count);

/** The shortest time to live; UINT32_MAX: there is no record. */
uint32_t dir_srv_ttl(const struct dir_srv_list *list);

enum dir_srv_kind {
	DIR_SRV_SITE = 0,    /* _ldap._tcp.<site>._sites.dc._msdcs.<domain>: AD, the controllers near a site */
	DIR_SRV_CONTROLLERS, /* _ldap._tcp.dc._msdcs.<domain>: AD */
	DIR_SRV_PLAIN,       /* _ldap._tcp.<domain> */
	DIR_SRV_TLS,         /* _ldaps._tcp.<domain>: not registered with IANA, and in use */
};

/**
 * A name to ask for. @param site  for DIR_SRV_SITE, else NULL.
 * @return false: it would be longer than a name may be.
 */
NODISCARD bool dir_srv_name(enum dir_srv_kind kind, const char *site, const char *domain, char out[DIR_DNS_NAME_BYTES]);

#endif
