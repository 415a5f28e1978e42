/* SPDX-License-Identifier: Apache-2.0 */
#include <membership/lookup_groups.h>
#include <membership/membership_private.h>

#include <os/clock.h>
#include <string.h>

const char *membership_mark_base(const struct membership *membership)
{
	return membership->watched.is_unmarked ? "" : membership->csn_base;
}

/* Whoever answers is not the server that tells. Each load looks again. */
static void lose(struct membership *membership)
{
	struct unmarked *unmarked = &membership->unmarked;

	membership_watch_uncover(membership);
	membership_cut_lease(membership, 0);
	if (unmarked->has_told_other)
		return;
	unmarked->has_told_other = true;
	log_warning(membership->log,
		    "another server answers than the one that tells of changes: the groups are read again every "
		    "%llu ms until it is the same",
		    (unsigned long long)membership->config->cache.unwatched_ttl_ms);
}

void membership_unmarked_come_up(struct membership *membership)
{
	membership->unmarked.has_told_other = false;
	/* What is being read was begun before changes were told. */
	if (membership->loading)
		(void)!membership_replace_text(&membership->load_told, NULL);
}

void membership_unmarked_go_down(struct membership *membership)
{
	membership->unmarked.is_asking = false;
}

void membership_unmarked_take_load(struct membership *membership)
{
	struct watched *watched = &membership->watched;

	if (membership->load_told == NULL) {
		membership_watch_load_later(membership);
		return;
	}
	if (membership->server == NULL || strcmp(membership->server, watched->mark) != 0) {
		lose(membership);
		return;
	}
	membership->reload_delay_ms = 0;
	membership->unmarked.covered_us = clock_monotonic_us();
	watched->covers = true;
	membership_replay(membership);
}

/* The lease */

bool membership_unmarked_ask(struct membership *membership)
{
	struct unmarked *unmarked = &membership->unmarked;

	if (unmarked->is_asking)
		return true;
	if (executor_timer_set(membership->executor, &membership->watched.doubt,
			       clock_monotonic_ms() + MEMBERSHIP_UNMARKED_DOUBT_MS) != STATUS_OK)
		return false;
	unmarked->is_asking = true;
	unmarked->asked_us = clock_monotonic_us();
	dir_watch_prove(membership->watched.watch, ++unmarked->number);
	return true;
}

void membership_unmarked_current(struct membership *membership, uint64_t number)
{
	struct unmarked *unmarked = &membership->unmarked;

	if (!unmarked->is_asking || number != unmarked->number)
		return;
	unmarked->is_asking = false;
	executor_timer_clear(membership->executor, &membership->watched.doubt);
	if (membership->watched.is_behind)
		membership_watch_catch_up(membership);
	/* What was asked while the closure was read says nothing of the moments that are mixed in it. */
	else if (membership->watched.covers && unmarked->asked_us >= unmarked->covered_us)
		membership_grant_lease(membership, unmarked->asked_us);
	membership_wake(&membership->mark_waiters);
}

/* Lookups */

/* The connection that answered is one to the server that tells; MEMBERSHIP_DONE: it is. */
static enum membership_next check_server(struct membership *membership, struct membership_lookup *lookup)
{
	const struct watched *watched = &membership->watched;

	/* Not by what was known when it asked: the watch may have come up anew since, on another server. */
	if (lookup->mark == NULL && membership_knows(membership, lookup->connection, watched->serial))
		return MEMBERSHIP_DONE;
	if (lookup->mark_base == NULL) {
		lookup->lags++;
		return MEMBERSHIP_ANEW;
	}
	if (lookup->mark == NULL || strcmp(lookup->mark, watched->mark) != 0) {
		lose(membership);
		membership_wake(&membership->waiters); /* for what is not pending any more */
		return MEMBERSHIP_ANEW;
	}
	membership_learn(membership, lookup->connection, watched->serial);
	return MEMBERSHIP_DONE;
}

/* Who wants nothing from a cache wants nothing that was proven before it asked either. */
static bool has_proof(const struct membership *membership, const struct membership_lookup *lookup)
{
	return membership->config->cache.ttl_ms > 0 ? membership_has_lease(membership, clock_monotonic_us())
						    : membership->lease_proven_us >= lookup->asked_us;
}

enum membership_next membership_unmarked_check(struct membership *membership, struct membership_lookup *lookup)
{
	const enum membership_next next = check_server(membership, lookup);

	if (next != MEMBERSHIP_DONE || has_proof(membership, lookup))
		return next;
	if (!membership_unmarked_ask(membership))
		return lookup_no_memory(lookup);
	lookup->waits_for_mark = true;
	return MEMBERSHIP_WAIT;
}
