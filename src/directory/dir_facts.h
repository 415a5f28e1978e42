/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server says about itself: its root DSE. Pure: whoever asks reads the entry with the empty DN
 * (base search, dir_facts_filter, dir_facts_attributes) and hands it in.
 *
 *	kind       told by
 *	AD         supportedCapabilities 1.2.840.113556.1.4.800
 *	Samba      the same, and a vendorName that begins with "Samba" (Windows has no vendorName)
 *	AD LDS     supportedCapabilities 1.2.840.113556.1.4.1851
 *	generic    everything else: OpenLDAP, 389 Directory Server, and what hides its root DSE
 *
 * What a server does is decided by supportedControl and supportedCapabilities, never by a version.
 *
 * Sources: RFC 4512 section 5.1; RFC 3045 (vendorName); MS-ADTS 3.1.1.3.2 (root DSE attributes), 3.1.1.3.4.1 (controls),
 * 3.1.1.3.4.3 (capabilities); measured: OpenLDAP 2.5, 389 Directory Server 2.3, Samba 4.17.
 */
#ifndef WSMAUTHZ_DIRECTORY_DIR_FACTS_H
#define WSMAUTHZ_DIRECTORY_DIR_FACTS_H

#include <base/arena.h>
#include <base/compiler.h>
#include <base/error.h>
#include <directory/dir_search.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Naming contexts of one server: a forest's global catalogue shows three a domain. More is not a server of ours. */
#define DIR_FACTS_MAX_CONTEXTS 1024
/* A functional level that the server does not tell. */
#define DIR_FACTS_NO_LEVEL (-1)

enum dir_kind { DIR_KIND_GENERIC = 0, DIR_KIND_AD, DIR_KIND_AD_LDS, DIR_KIND_SAMBA };

/* Strings are NULL where the server does not tell; they live in the arena. */
struct dir_facts {
	enum dir_kind kind;
	const char *vendor;         /* vendorName, or "OpenLDAP" where the root DSE has its class; Windows tells none */
	const char *vendor_version; /* vendorVersion: for people */

	const char **naming_contexts; /* in the server's order */
	size_t naming_context_count;
	const char *default_naming_context;       /* AD: the domain of this domain controller */
	const char *configuration_naming_context; /* AD, AD LDS: of the forest, or of the configuration set */
	const char *schema_naming_context;
	const char *root_domain_naming_context; /* AD: of the forest's first domain */

	const char *dns_host_name;
	const char *server_name;     /* DN of the server's object below CN=Sites */
	const char *ds_service_name; /* DN of its nTDSDSA object, whose invocationId its USNs belong to */

	/* MS-ADTS 6.1.4: 0 Windows 2000, 2 2003, 3 2008, 4 2008 R2, 5 2012, 6 2012 R2, 7 2016; or DIR_FACTS_NO_LEVEL */
	int domain_functionality, forest_functionality, dc_functionality;
	uint64_t highest_committed_usn; /* 0: not told */

	bool is_synchronized; /* false only when the server says so: AD that has not replicated since it started */
	bool is_global_catalog_ready;
	bool is_read_only; /* AD: a read-only domain controller */

	/* supportedControl */
	bool offers_sync;              /* RFC 4533. slapd lists it also where a database lacks the overlay */
	bool offers_persistent_search; /* draft-ietf-ldapext-psearch-03 */
	bool offers_paging;            /* RFC 2696 */
	bool offers_extended_dn;       /* DIR_SEARCH_EXTENDED_DN */
	bool offers_domain_scope;      /* DIR_SEARCH_DOMAIN_SCOPE */
	bool offers_link_ttl;          /* DIR_SEARCH_LINK_TTL */
	bool offers_show_deleted;      /* LDAP_SERVER_SHOW_DELETED_OID */
	bool offers_notification;      /* LDAP_SERVER_NOTIFICATION_OID. Samba: up to 5 s late */
	bool offers_dir_sync;          /* LDAP_SERVER_DIRSYNC_OID */
};

/** The attributes to ask for, NULL-terminated; some are operational; those of dir_psearch_server_attributes are among them. */
extern const char *const dir_facts_attributes[];
/** "(objectClass=*)" */
extern const char dir_facts_filter[];

/**
 * Take a root DSE. One without any of the attributes is a generic server of which nothing is known.
 *
 * @param arena      gets the strings.
 * @param facts_out  untouched unless STATUS_OK.
 * @return STATUS_OK; STATUS_INVALID (a value that is not what it must be: two default naming contexts, a level that is no
 *         number, a text with a NUL); STATUS_LIMIT (DIR_FACTS_MAX_CONTEXTS, or the arena's); STATUS_NO_MEMORY.
 */
NODISCARD enum status dir_facts_take(const struct dir_entry *root_dse, struct arena *arena, struct dir_facts *facts_out,
				     struct error *error);

/** What to set in dir_search.flags where users and groups are read: EXTENDED_DN, DOMAIN_SCOPE and LINK_TTL, as far as offered. */
unsigned dir_facts_search_flags(const struct dir_facts *facts);

/** "Active Directory", "Samba", "AD LDS", "LDAP". Never NULL. */
const char *dir_kind_word(enum dir_kind kind);

/** AD or Samba: a domain controller, with domains, sAMAccountName and SIDs. AD LDS is none. */
bool dir_kind_is_active_directory(enum dir_kind kind);

#endif
