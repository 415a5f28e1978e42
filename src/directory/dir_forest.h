/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An Active Directory forest, as one of its domain controllers describes it: its domains with their names and SIDs, the
 * suffixes that user principal names may have, and whom its domain trusts. Pure: whoever has a connection sends the searches.
 *
 *	dir_forest_ask     after the root DSE: DIR_FOREST_SEARCHES searches, one round trip
 *	dir_forest_take    their answers become a forest, immutable and reference-counted
 *
 * The head of the domain is asked for replUpToDateVector as well (dir_vector.h), which says nothing of the forest: it is for whoever
 * sends the searches.
 *
 * Domains are the crossRefs below CN=Partitions with the flags of an NTDS domain. `home` is the one that the policy's search
 * base lies in: only its users are found there. A domain's SID stands in the extended DN of its nCName, and for the domain
 * controller's own domain in the objectSid of its head, so that of a server without extended DNs other domains have none.
 *
 * Threads: the references may be counted from any.
 * Sources: MS-ADTS 6.1.1.2.1.1 (Partitions container, crossRef, uPNSuffixes), 2.2.10 and 6.1.1.2.1.1.1 (systemFlags), 6.1.6.7
 * (trustedDomain); MS-ADA1 (lockoutDuration); measured: Samba 4.17.
 */
#ifndef WSMAUTHZ_DIRECTORY_DIR_FOREST_H
#define WSMAUTHZ_DIRECTORY_DIR_FOREST_H

#include <base/compiler.h>
#include <base/error.h>
#include <base/sid.h>
#include <directory/dir_facts.h>
#include <directory/dir_search.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Microsoft's own tested limits are 1,200 domains and some hundred trusts; a forest with more is read no further. */
#define DIR_FOREST_MAX_DOMAINS  2048
#define DIR_FOREST_MAX_TRUSTS   4096
#define DIR_FOREST_MAX_SUFFIXES 4096
/* All strings of one forest at these limits. */
#define DIR_FOREST_MAX_BYTES ((size_t)16 * 1024 * 1024)

/* The searches of dir_forest_ask, by their place in the array. */
enum { DIR_FOREST_PARTITIONS = 0, DIR_FOREST_DOMAIN, DIR_FOREST_TRUSTS, DIR_FOREST_SEARCHES };

struct dir_domain {
	const char *naming_context; /* "DC=corp,DC=example" */
	const char *dns_name;       /* "corp.example" */
	const char *netbios_name;   /* "CORP" */
	bool has_sid;
	struct sid sid;
};

struct dir_trust {
	const char *dns_name;     /* trustPartner; NULL: not told */
	const char *netbios_name; /* flatName; NULL: not told */
	bool has_sid;             /* not for Kerberos realms */
	struct sid sid;
	bool is_trusted;       /* its users may come here: the direction is outbound, or both */
	bool is_within_forest; /* parent, child, root and shortcut trusts */
	bool is_forest_wide;   /* of two forests: users of all the other's domains, whose SIDs are not told, may come */
};

struct dir_forest_life;

struct dir_forest {
	struct dir_forest_life *life; /* private: references and memory; NULL in a test's own */
	enum dir_kind kind;           /* DIR_KIND_AD or DIR_KIND_SAMBA */
	const struct dir_domain *domains;
	size_t domain_count;
	const struct dir_domain *home; /* one of them; has a SID */
	const char *const *upn_suffixes;
	size_t upn_suffix_count;
	const struct dir_trust *trusts; /* of the domain controller's own domain */
	size_t trust_count;
	bool trusts_unknown; /* CN=System could not be read: there may be some */
	int64_t lockout_s; /* how long the domain's own policy locks an account; 0: until an administrator unlocks it */
};

/**
 * Write the questions.
 *
 * @param facts     of the server that is asked; of AD or Samba. Borrowed until the searches are answered.
 * @param arena     gets their strings, and must live as long.
 * @param searches  [DIR_FOREST_SEARCHES], each initialised (dir_search_init).
 * @return STATUS_OK; STATUS_INVALID: the server did not tell its naming contexts; STATUS_NO_MEMORY.
 */
NODISCARD enum status dir_forest_ask(const struct dir_facts *facts, struct arena *arena,
				     struct dir_search searches[DIR_FOREST_SEARCHES], struct error *error);

/**
 * Take the answers.
 *
 * @param base        the policy's search base: says which domain is home.
 * @param searches    answered. Partitions and domain must be there; trusts may be missing (trusts_unknown).
 * @param forest_out  one reference, the caller's; untouched unless STATUS_OK.
 * @return STATUS_OK; STATUS_INVALID (a crossRef or a head that is not what it must be; two domains of one name or SID; a base in
 *         no domain, or in one whose SID is not told); STATUS_LIMIT; STATUS_NO_MEMORY; or as dir_search_failure.
 */
NODISCARD enum status dir_forest_take(const struct dir_facts *facts, const char *base,
				      const struct dir_search searches[DIR_FOREST_SEARCHES],
				      const struct dir_forest **forest_out, struct error *error);

const struct dir_forest *dir_forest_ref(const struct dir_forest *forest);
/** NULL-safe; sets the pointer to NULL. */
void dir_forest_unref(const struct dir_forest **forest);

/** The domain with that NetBIOS or DNS name (without case), or NULL. */
const struct dir_domain *dir_forest_find_domain(const struct dir_forest *forest, const char *name);

/** The domain that issued a SID: the SID without its last part is the domain's. NULL: none whose SID we know. */
const struct dir_domain *dir_forest_find_issuer(const struct dir_forest *forest, const struct sid *sid);

/**
 * The domain that an entry lies in: the one with the longest naming context that ends its DN.
 * @param holder_out  NULL: none. Untouched unless STATUS_OK.
 * @return STATUS_OK, STATUS_NO_MEMORY.
 */
NODISCARD enum status dir_forest_find_holder(const struct dir_forest *forest, const char *dn,
					     const struct dir_domain **holder_out);

/** Whether user principal names may end so: a domain's DNS name, or a suffix that the forest has besides. */
bool dir_forest_has_suffix(const struct dir_forest *forest, const char *suffix);

/**
 * Whether the users of a domain that is none of the forest's may come here as foreign security principals: a trust says so,
 * or one may that we do not know.
 */
bool dir_forest_trusts_issuer(const struct dir_forest *forest, const struct sid *sid);

/**
 * Whether one domain is all there is: no other in the forest, and nobody who is trusted. Then a domain controller sees every
 * group that can hold one of its users.
 */
bool dir_forest_is_single(const struct dir_forest *forest);

/** Whether a SID is an account of some domain or machine: S-1-5-21-x-y-z-rid. */
bool dir_forest_is_account_sid(const struct sid *sid);

#endif
