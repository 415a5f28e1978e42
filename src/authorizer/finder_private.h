/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding from inside.
 *
 *	finder.c         who waits, who goes next, who is told
 *	finder_flight.c  the searches of one round trip
 *	finder_deal.c    what came back, dealt out to those who asked
 */
#ifndef WSMAUTHZ_AUTHORIZER_FINDER_PRIVATE_H
#define WSMAUTHZ_AUTHORIZER_FINDER_PRIVATE_H

#include <authorizer/finder.h>
#include <base/text.h>

/* Seekers in order, each in one list at most. All zero: empty. */
struct finder_list {
	struct finder_seeker *first, *last;
	size_t count;
};

void finder_append(struct finder_list *list, struct finder_seeker *seeker);
void finder_prepend(struct finder_list *list, struct finder_seeker *seeker);
/** Take a seeker out of the list that he is in. */
void finder_unlink(struct finder_seeker *seeker);

struct finder {
	struct task departure; /* of a full company that waits */
	bool departs;          /* it is posted */
	const struct config *config;
	const struct config_directory *directory;
	const struct dir_forest *forest; /* NULL: the server is no Active Directory, or was not asked yet */
	unsigned search_flags;
	const char *const *attributes;
	struct dir_pool *pool;
	struct executor *executor;
	struct finder_list waiting; /* nobody waits while fewer than FINDER_WINDOW requests are under way */
	size_t under_way;           /* requests */
};

/* One request to the pool, and those whom it asks for; it lives until the request is done, even when all have left. */
struct finder_flight {
	struct finder *finder;
	struct finder_list aboard;
	bool is_merged;        /* more than one have boarded */
	struct text names;     /* "(|" and what names them, written while they board */
	const char *mark_base; /* what they want; borrowed while they board */
	struct dir_request request;
	char *user_filter, *account_filter, *mark_copy; /* owned: what the searches point to */
	struct dir_search *user, *account, *mark;       /* account, mark: NULL when there is no such search */
	size_t own_count;
	struct dir_search searches[]; /* own_count of ours, then a seeker's own */
};

/**
 * Take the first of those who wait aboard, and as many behind him as may go with him.
 * @return NULL when memory ran out; nobody has moved then.
 */
NODISCARD struct finder_flight *finder_flight_new(struct finder *finder);

/** Write the searches. @return STATUS_OK, or STATUS_NO_MEMORY: the flight can only be freed. */
NODISCARD enum status finder_flight_prepare(struct finder_flight *flight);

/** A seeker's own searches, answered, go back to him. */
void finder_flight_return_extra(struct finder_flight *flight);

/** Nobody is aboard any more. Sets the pointer to NULL. */
void finder_flight_free(struct finder_flight **flight);

/** Fill in the answer of all who are aboard. */
void finder_deal(struct finder_flight *flight);

/** Fill in an answer that is none: not yet; time is over; there is no memory. */
void finder_clear(struct finder_seeker *seeker);
void finder_time_out(struct finder_seeker *seeker);
void finder_run_out(struct finder_seeker *seeker);

#endif
