/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_mark.h>
#include <membership/closure_csn.h>
#include <membership/membership_private.h>
#include <os/clock.h>
#include <string.h>

/* The lease */

bool membership_has_lease(const struct membership *membership, uint64_t now_us)
{
	return membership->lease_until_us > now_us;
}

static void set_lease(struct membership *membership, uint64_t until_us)
{
	membership->lease_until_us = until_us;
	membership->listener.leased(membership->listener.context, until_us / 1000);
}

/* Without a watch nothing is older than the policy says. */
static uint64_t lease_ms(const struct membership *membership)
{
	uint64_t unwatched_ms = membership->config->cache.unwatched_ttl_ms;

	return membership_is_watched(membership) || unwatched_ms > MEMBERSHIP_LEASE_MS ? MEMBERSHIP_LEASE_MS
										       : unwatched_ms;
}

void membership_grant_lease(struct membership *membership, uint64_t asked_us)
{
	uint64_t until_us = asked_us + lease_ms(membership) * 1000;

	if (membership_is_pending(membership))
		return;
	if (membership->lease_proven_us < asked_us)
		membership->lease_proven_us = asked_us;
	if (until_us > membership->lease_until_us)
		set_lease(membership, until_us);
}

void membership_cut_lease(struct membership *membership, uint64_t until_us)
{
	if (membership->lease_until_us > until_us)
		set_lease(membership, until_us);
}

/* Which connections of the pool have shown how much */

bool membership_knows(const struct membership *membership, uint64_t connection, uint64_t serial)
{
	for (size_t i = 0; i < membership->known_count; i++)
		if (membership->known[i].connection == connection)
			return membership->known[i].serial >= serial;
	return false;
}

static bool is_any_known(const struct membership *membership, uint64_t serial)
{
	for (size_t i = 0; i < membership->known_count; i++)
		if (membership->known[i].serial >= serial)
			return true;
	return false;
}

void membership_learn(struct membership *membership, uint64_t connection, uint64_t serial)
{
	size_t at = 0;

	if (connection == 0)
		return;
	while (at < membership->known_count && membership->known[at].connection != connection)
		at++;
	if (at == MEMBERSHIP_MAX_CONNECTIONS) { /* those that are no more make room */
		at = membership->known_next;
		membership->known_next = (at + 1) % MEMBERSHIP_MAX_CONNECTIONS;
		membership->known[at].serial = 0;
	} else if (at == membership->known_count) {
		membership->known_count++;
		membership->known[at].serial = 0;
	}
	membership->known[at].connection = connection;
	if (membership->known[at].serial < serial)
		membership->known[at].serial = serial;
}

/* Proofs of life */

static bool ask_for_proof(struct membership *membership);

/*
 * Another domain controller than the watched one has answered. It is followed, unless the watched one has answered lately, too: connections
 * that are made anew one by one must not drive the watch to and fro.
 */
static void follow(struct membership *membership, uint64_t connection)
{
	char uri[DIR_POOL_SHOWN_BYTES];

	if (clock_monotonic_us() >= membership->watched.seen_us + (uint64_t)MEMBERSHIP_FOLLOW_MS * 1000 &&
	    dir_pool_server_of(membership->pool, connection, uri))
		dir_watch_prefer(membership->watched.watch, uri);
}

bool membership_is_of_other(struct membership *membership, const char *mark)
{
	struct watched *watched = &membership->watched;

	if (!watched->up || watched->mark == NULL || !dir_mark_is_of_other(mark, watched->mark)) {
		watched->seen_us = clock_monotonic_us();
		return false;
	}
	return true;
}

void membership_look_who_answers(struct membership *membership)
{
	/* Without memory the next one looks. */
	if (!membership->proving && !membership->stopped)
		(void)!ask_for_proof(membership);
}

static void settle_watched(struct membership *membership, const char *mark)
{
	if (!closure_csn_covers(membership->watched.mark, mark)) {
		membership_watch_await(membership, mark, membership->proof_asked_us);
		return;
	}
	if (closure_csn_covers(mark, membership->watched.mark))
		membership_learn(membership, membership->proof_request.connection, membership->watched.serial);
	membership_grant_lease(membership, membership->proof_asked_us);
}

/* Without a watch a mark that stands still says that nothing at all has changed. */
static void settle_unwatched(struct membership *membership, const char *mark)
{
	if (membership->csn == NULL || membership->csn_is_doubtful)
		return;
	if (closure_csn_covers(membership->csn, mark) && closure_csn_covers(mark, membership->csn)) {
		if (membership->proven_us < membership->proof_asked_us)
			membership->proven_us = membership->proof_asked_us;
		membership_grant_lease(membership, membership->proof_asked_us);
		return;
	}
	/* Nobody waits for it: the next lookup finds out for itself when it could not begin. */
	(void)!membership_load(membership);
}

static void proof_is_there(struct dir_request *request)
{
	struct membership *membership = request->context;
	const char *mark = closure_csn_of(&membership->proof);

	membership->proving = false;
	if (mark != NULL && !membership->stopped) {
		if (membership_is_of_other(membership, mark))
			follow(membership, membership->proof_request.connection);
		else if (membership_is_watched(membership))
			settle_watched(membership, mark);
		else
			settle_unwatched(membership, mark);
	}
	dir_search_done(&membership->proof);
	/* Who waits for the watch to tell what the pool has seen goes on waiting, unless it is known not to. */
	if (membership->watched.awaited == NULL || membership->watched.is_behind)
		membership_wake(&membership->mark_waiters);
}

static bool ask_for_proof(struct membership *membership)
{
	/* A copy: a load may replace the membership's meanwhile. (Not in the search's arena, which a fail-over empties.) */
	if (!membership_replace_text(&membership->proof_base, membership->csn_base) ||
	    dir_search_init(&membership->proof, NULL) != STATUS_OK)
		return false;
	membership->proof.base = membership->proof_base;
	membership->proof.scope = DIR_SCOPE_BASE;
	membership->proof.filter = "(objectClass=*)";
	membership->proof.attributes = dir_mark_attributes;
	membership->proof_asked_us = clock_monotonic_us();
	membership->proof_request = (struct dir_request){
	    .searches = &membership->proof,
	    .search_count = 1,
	    .deadline_ms = clock_monotonic_ms() + membership->directory->timeout_ms,
	    .done = proof_is_there,
	    .context = membership,
	};
	membership->proving = true;
	dir_pool_submit(membership->pool, &membership->proof_request);
	return true;
}

static void enlist(struct membership_waiter **list, struct membership_waiter *waiter)
{
	waiter->before = NULL;
	waiter->next = *list;
	if (waiter->next != NULL)
		waiter->next->before = waiter;
	waiter->list = list;
	*list = waiter;
}

/* By what the database shows, or by the watch alone. */
static bool begin_proof(struct membership *membership)
{
	if (membership->watched.is_unmarked && membership_is_watched(membership))
		return membership_unmarked_ask(membership);
	if (membership->csn == NULL || (!membership_is_watched(membership) && membership->csn_is_doubtful))
		return false;
	return membership->proving || ask_for_proof(membership);
}

bool membership_renew(struct membership *membership, struct membership_waiter *waiter)
{
	membership_watch_use(membership);
	if (membership->stopped || membership->closure == NULL || lease_ms(membership) == 0 || !begin_proof(membership))
		return false;
	if (waiter != NULL)
		enlist(&membership->mark_waiters, waiter);
	return true;
}

/* Waiting */

void membership_wait(struct membership *membership, const struct membership_lookup *lookup,
		     struct membership_waiter *waiter)
{
	enlist(lookup->waits_for_mark ? &membership->mark_waiters : &membership->waiters, waiter);
}

/* Thousands may give up in one moment, when a load hangs: each leaves the list without looking at the others. */
void membership_wait_cancel(struct membership *membership, struct membership_waiter *waiter)
{
	(void)membership;
	if (waiter->list == NULL)
		return;
	if (waiter->before != NULL)
		waiter->before->next = waiter->next;
	else
		*waiter->list = waiter->next;
	if (waiter->next != NULL)
		waiter->next->before = waiter->before;
	waiter->list = NULL;
}

void membership_wake(struct membership_waiter **list)
{
	struct membership_waiter *woken = *list;

	*list = NULL;
	for (struct membership_waiter *waiter = woken; waiter != NULL; waiter = waiter->next)
		waiter->list = &woken;
	while (woken != NULL) {
		struct membership_waiter *waiter = woken;

		/* What it does may cancel others of those who are to be woken. */
		woken = waiter->next;
		if (woken != NULL)
			woken->before = NULL;
		waiter->list = NULL;
		waiter->run(waiter->context);
	}
}

/* Lookups under the watch */

enum status membership_prepare_watched(struct membership *membership, struct membership_lookup *lookup)
{
	lookup->told_serial = membership->watched.serial;
	lookup->told = NULL;
	/* Who wants nothing from a cache gets the proof with each answer. The closure may be of a server that is ahead of the watched one. */
	if (membership->config->cache.ttl_ms > 0 && lookup->lags == 0 &&
	    membership_has_lease(membership, lookup->asked_us) && is_any_known(membership, lookup->told_serial) &&
	    (membership->csn == NULL || membership->watched.is_unmarked ||
	     closure_csn_covers(membership->watched.mark, membership->csn)))
		return STATUS_OK;
	lookup->told = arena_copy_text(lookup->arena, membership->watched.mark);
	lookup->mark_base = arena_copy_text(lookup->arena, membership_mark_base(membership));
	return lookup->told == NULL || lookup->mark_base == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

static enum membership_next wait_for_mark(struct membership_lookup *lookup)
{
	lookup->waits_for_mark = true;
	return MEMBERSHIP_WAIT;
}

/* The server that answered is behind the watch, as far as it has shown. */
static enum membership_next ask_more(struct membership *membership, struct membership_lookup *lookup)
{
	lookup->lags++;
	if (lookup->lags == 1) /* it was only not asked for its mark */
		return MEMBERSHIP_ANEW;
	if (lookup->lags == 2)
		log_info(membership->log,
			 "a server is behind what the watch has told: asking again until it has caught up");
	if (!membership->nudging && executor_timer_set(membership->executor, &membership->nudge,
						       clock_monotonic_ms() + MEMBERSHIP_LAG_MS) != STATUS_OK)
		return MEMBERSHIP_ANEW;
	membership->nudging = true;
	lookup->rests = true;
	return wait_for_mark(lookup);
}

/* What the answer's mark says. */
static enum membership_next check_mark(struct membership *membership, struct membership_lookup *lookup)
{
	const struct watched *watched = &membership->watched;
	bool has_all = closure_csn_covers(lookup->mark, watched->mark);
	bool had_told = has_all || (lookup->told != NULL && closure_csn_covers(lookup->mark, lookup->told)) ||
			membership_knows(membership, lookup->connection, lookup->told_serial);

	if (membership_is_of_other(membership, lookup->mark)) {
		membership_look_who_answers(membership);
		return ask_more(membership, lookup);
	}
	if (!had_told)
		return ask_more(membership, lookup);
	membership_learn(membership, lookup->connection, has_all ? watched->serial : lookup->told_serial);
	if (!closure_csn_covers(watched->mark, lookup->mark)) {
		membership_watch_await(membership, lookup->mark, lookup->asked_us);
		return wait_for_mark(lookup);
	}
	membership_grant_lease(membership, lookup->asked_us);
	return MEMBERSHIP_DONE;
}

/*
 * A directory in which much happens that is not shown has something pending all the time. What was read after the question was asked
 * is good enough for it, whatever was heard of since.
 */
bool membership_waits_for_pending(const struct membership *membership, const struct membership_lookup *lookup)
{
	return membership_is_pending(membership) && membership->closure_began_us < lookup->began_us;
}

enum membership_next membership_await_pending(struct membership *membership, struct membership_lookup *lookup)
{
	lookup->waits_for_mark = false;
	return membership->pending.patch != NULL ? MEMBERSHIP_WAIT : membership_refresh(membership, lookup);
}

enum membership_next membership_check_watched(struct membership *membership, struct membership_lookup *lookup)
{
	lookup->waits_for_mark = false;
	if (lookup->rests) {
		lookup->rests = false;
		return MEMBERSHIP_ANEW;
	}
	if (membership_waits_for_pending(membership, lookup))
		return membership_await_pending(membership, lookup);
	if (membership->watched.is_unmarked)
		return membership_unmarked_check(membership, lookup);
	if (lookup->mark != NULL)
		return check_mark(membership, lookup);
	if (membership_knows(membership, lookup->connection, lookup->told_serial))
		return MEMBERSHIP_DONE;
	return ask_more(membership, lookup);
}
