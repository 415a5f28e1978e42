/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cross-check on Active Directory: now and then the domain controller is asked what it would put into the token of somebody who was
 * just decided about (tokenGroups), and that is held against what the closure says of him. It is done beside the decisions, which
 * stay one search.
 *
 *	the first one who is decided about, and then somebody every MEMBERSHIP_TOKEN_EVERY_MS and a random part of it
 *	they agree       nothing
 *	they differ      asked again after MEMBERSHIP_TOKEN_AGAIN_MS, and the groups are read again where nobody tells of
 *	                 changes: one may have come between. When they differ MEMBERSHIP_TOKEN_TRIES times, an error is
 *	                 logged, what is cached of him is forgotten, and he is UNKNOWN until they agree, which is tried
 *	                 every MEMBERSHIP_TOKEN_SUSPECT_MS
 *
 * A difference is a group that the bound account may not read, or a mistake of ours; neither may let anybody in, or keep him out
 * of a deny rule.
 *
 * Private to the membership module. Threads: the executor's.
 */
#ifndef WSMAUTHZ_MEMBERSHIP_MEMBERSHIP_TOKEN_H
#define WSMAUTHZ_MEMBERSHIP_MEMBERSHIP_TOKEN_H

#include <base/sid.h>
#include <directory/dir_pool.h>
#include <directory/dir_search.h>
#include <membership/membership.h>
#include <os/executor.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Six in an hour, or a few less. */
#define MEMBERSHIP_TOKEN_EVERY_MS   600000
#define MEMBERSHIP_TOKEN_AGAIN_MS   1000
#define MEMBERSHIP_TOKEN_TRIES      3
#define MEMBERSHIP_TOKEN_SUSPECT_MS 60000
/* A domain controller takes 0.1 s for a user in 1,700 groups. */
#define MEMBERSHIP_TOKEN_PATIENCE_MS 10000
/* Who differs is remembered; when there are so many, nobody else is looked at until some agree. */
#define MEMBERSHIP_TOKEN_MAX_SUSPECTS 64

struct token_suspect {
	char sid[SID_TEXT_BYTES];
};

/* Zero at first. */
struct token_check {
	uint64_t next_ms;         /* when somebody is to be looked at again; 0: at once */
	char sid[SID_TEXT_BYTES]; /* who is looked at; empty: nobody */
	unsigned tries;           /* how often he differed */
	uint64_t asked_us;        /* clock_monotonic_us(): the last time; */
	uint64_t differed_us;     /* ... that he differed; 0: he did not */
	struct timer timer;       /* for the next try, or the next suspect */
	struct arena *arena;      /* of the search's question */
	struct dir_search search;
	struct dir_request request;
	bool asking;
	bool waiting; /* the timer is set */
	bool told_unreadable;
	struct token_suspect suspects[MEMBERSHIP_TOKEN_MAX_SUSPECTS];
	size_t suspect_count, suspect_next;
};

void membership_token_init(struct membership *membership);

/**
 * A lookup has its answer: perhaps look at this one.
 * @return MEMBERSHIP_DONE; MEMBERSHIP_UNKNOWN and lookup->error: he differed.
 */
enum membership_next membership_token_check(struct membership *membership, struct membership_lookup *lookup,
					    const struct dir_entry *user);

/** No timer is set from now on; what is asked ends by itself. */
void membership_token_stop(struct membership *membership);

/** Whether nothing is under way. */
bool membership_token_has_ended(const struct membership *membership);

#endif
