/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The closure of Active Directory's groups: each shows by its memberOf which groups hold it, as SIDs (DIR_SEARCH_EXTENDED_DN).
 *
 *	closure_nest_take            each group that is listed: who holds it
 *	closure_nest_take_principal  each foreign security principal: the same. It is no group of the closure, but its holders are known by it
 *	closure_nest_close           all were listed: what lies beneath the roots becomes the closure
 *
 * Security groups only, and none that is reached through a distribution group: Windows puts neither into a token (MS-DRSR 4.1.8.3).
 * The tables of who reads what of an entry stand here as well.
 *
 * A group may be in another for a time only (DIR_SEARCH_LINK_TTL). When that is over the link is not shown any more, and nothing that
 * is watched tells of it: so a closure that holds such an edge is one until then, and has to be read again.
 *
 * Threads: one at a time.
 * Sources: MS-ADTS 3.1.1.1.9.1 (links that expire), 2.2.12 (groupType), 3.1.1.4.5.19 (tokenGroups); MS-DRSR 4.1.8.3.
 */
#ifndef WSMAUTHZ_MEMBERSHIP_CLOSURE_NEST_H
#define WSMAUTHZ_MEMBERSHIP_CLOSURE_NEST_H

#include <base/compiler.h>
#include <base/digest.h>
#include <base/error.h>
#include <directory/dir_search.h>
#include <membership/closure_build.h>
#include <stdbool.h>
#include <stddef.h>

/* An edge that does not end by itself. */
#define CLOSURE_LINK_LASTS UINT32_MAX
/* "This group holds that one": far above any directory's. 24 bytes each, while a closure is built. */
#define CLOSURE_NEST_MAX_EDGES 20000000

struct closure_nest_edge {
	struct digest parent; /* of its id */
	uint32_t child;       /* its number among the listed */
	uint32_t ttl_s;       /* when it was read, it had so long to last; or CLOSURE_LINK_LASTS */
};

/* "This group holds a principal of that kind." */
struct closure_nest_mark {
	struct digest parent;
	unsigned holding; /* of CLOSURE_HOLDS_* */
	uint32_t ttl_s;
};

/* Zeroed: nothing was taken. */
struct closure_nest {
	struct closure_nest_edge *edges;
	size_t count, capacity;
	struct closure_nest_mark *marks;
	size_t mark_count, mark_capacity;
	uint32_t
	    ttl_s; /* after closure_nest_close: of the edge of the closure that ends soonest, or CLOSURE_LINK_LASTS */
};

void closure_nest_done(struct closure_nest *nest);

/** Groups that are nested somewhere; the others need not be listed. */
extern const char closure_nest_filter[];
/** What closure_nest_take wants to know of them. With DIR_SEARCH_EXTENDED_DN. */
extern const char *const closure_nest_attributes[];

/** Whether an entry is a security group. */
bool closure_nest_is_group(const struct dir_entry *entry);

/**
 * List a group, and keep who holds it. What is no security group is passed over.
 * @return STATUS_OK; STATUS_INVALID: it shows no SID, or is held by something that is no extended DN; STATUS_LIMIT; STATUS_NO_MEMORY.
 */
NODISCARD enum status closure_nest_take(struct closure_nest *nest, struct closure_builder *builder,
					const struct dir_entry *entry);

/** The same of a foreign security principal. Other entries are passed over. */
NODISCARD enum status closure_nest_take_principal(struct closure_nest *nest, struct closure_builder *builder,
						  const struct dir_entry *entry);

/** The roots are set: everything beneath them enters the closure. @return STATUS_OK, STATUS_LIMIT, STATUS_NO_MEMORY. */
NODISCARD enum status closure_nest_close(struct closure_nest *nest, struct closure_builder *builder);

#endif
