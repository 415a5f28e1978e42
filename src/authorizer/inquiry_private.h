/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An inquiry from inside.
 *
 *	inquiry.c        its way
 *	inquiry_keep.c   what of it goes into the cache, and what that depends on
 */
#ifndef WSMAUTHZ_AUTHORIZER_INQUIRY_PRIVATE_H
#define WSMAUTHZ_AUTHORIZER_INQUIRY_PRIVATE_H

#include <authorizer/engine_private.h>
#include <authorizer/inquiry.h>

struct inquiry {
	struct regime *regime;
	struct digest form;
	struct inquiry *before, *next; /* of its chain */
	struct asker *askers, **askers_end;
	struct arena *arena;
	struct sender sender;
	uint64_t deadline_ms;
	struct trace *trace; /* of who asked first; NULL: nobody wants to know */
	uint64_t as_of, asked_ms;
	struct task start;

	struct finder_seeker seeker;
	struct dir_search first[MEMBERSHIP_FIRST_SEARCHES];
	bool answered; /* the user's own search was */
	const struct dir_entry *user;
	const struct dir_entry *several; /* all who have the name, when that is why there is no user */
	enum wa_reason nobody;           /* why there is none */
	struct membership_lookup lookup;
	struct dir_request more; /* a further round trip */
	struct membership_waiter waiter;
	struct timer patience; /* while something is awaited */
	struct dir_search lockout;
	bool lockout_asked;
	int64_t lockout_s;

	struct policy_facts facts;
	struct policy_standing standing;
	struct findings findings;
};

/** Put what was found into the cache, if it can be kept. */
void inquiry_keep(const struct inquiry *inquiry);

/* inquiry_facts.c */

/* Rules that hold the user, that nobody can tell about, whose groups are missing; sites that hold him. */
#define INQUIRY_FLAGS(config) (3 * (config)->rule_count + (config)->redirect.site_count + 1)

/** What the policy is told of the user. @param flags  [INQUIRY_FLAGS], false; borrowed by the facts. */
void inquiry_fill_facts(const struct inquiry *inquiry, struct policy_facts *facts, bool *flags);

/** What the reason of the standing does not say, for people; NULL: nothing more, or memory ran out. */
const char *inquiry_detail(const struct inquiry *inquiry);

#endif
