/* SPDX-License-Identifier: Apache-2.0 */
#include <membership/lookup_sids.h>
#include <membership/lookup_tokens.h>
#include <membership/membership_private.h>
#include <os/clock.h>
#include <os/random.h>
#include <string.h>

static const char *const check_attributes[] = {"objectClass",    "objectSid",   "memberOf",
					       "primaryGroupID", "tokenGroups", NULL};

static void look(struct membership *membership);

/* Suspects */

/* Where he is among them; their number: he is none. */
static size_t find_suspect(const struct token_check *check, const char *sid)
{
	size_t at = 0;

	while (at < check->suspect_count && strcmp(check->suspects[at].sid, sid) != 0)
		at++;
	return at;
}

static void forget_verdict(struct membership *membership, const char *sid)
{
	membership->listener.touched(membership->listener.context, membership_id_hash(membership, sid));
}

static void suspect(struct membership *membership, const char *what)
{
	struct token_check *check = &membership->token;

	log_error(
	    membership->log,
	    "ALARM: %s: no decision is made about this user until they agree; see that the bound account may read the "
	    "groups between the user and that one",
	    what);
	forget_verdict(membership, check->sid);
	if (check->suspect_count < MEMBERSHIP_TOKEN_MAX_SUSPECTS)
		memcpy(check->suspects[check->suspect_count++].sid, check->sid, sizeof(check->sid));
}

static void clear(struct membership *membership)
{
	struct token_check *check = &membership->token;
	size_t at = find_suspect(check, check->sid);

	if (at == check->suspect_count)
		return;
	log_info(membership->log, "the groups of '%s' are again those of the token (tokenGroups)", check->sid);
	check->suspects[at] = check->suspects[--check->suspect_count];
	forget_verdict(membership, check->sid);
}

/* Timing */

static uint64_t random_moment(uint64_t now_ms)
{
	return now_ms + MEMBERSHIP_TOKEN_EVERY_MS + random_below(MEMBERSHIP_TOKEN_EVERY_MS / 4);
}

static bool set_timer(struct membership *membership, uint64_t delay_ms)
{
	struct token_check *check = &membership->token;

	if (!membership->stopped)
		check->waiting = executor_timer_set(membership->executor, &check->timer,
						    clock_monotonic_ms() + delay_ms) == STATUS_OK;
	return check->waiting;
}

/* This one is done with: the suspects have their turns. Where there is no memory for a timer, the next decision sets it. */
static void leave(struct membership *membership)
{
	struct token_check *check = &membership->token;

	check->sid[0] = '\0';
	check->tries = 0;
	check->differed_us = 0;
	if (check->suspect_count > 0)
		(void)set_timer(membership, MEMBERSHIP_TOKEN_SUSPECT_MS);
}

static void timer_is_due(void *context)
{
	struct membership *membership = context;
	struct token_check *check = &membership->token;

	check->waiting = false;
	if (membership->stopped || check->asking)
		return;
	if (check->sid[0] == '\0' && check->suspect_count > 0) {
		check->suspect_next = (check->suspect_next + 1) % check->suspect_count;
		memcpy(check->sid, check->suspects[check->suspect_next].sid, sizeof(check->sid));
	}
	if (check->sid[0] != '\0')
		look(membership);
}

/* Looking */

static bool is_listed(const uint32_t *groups, size_t count, uint32_t group)
{
	for (size_t i = 0; i < count; i++)
		if (groups[i] == group)
			return true;
	return false;
}

/* A configured group that only one of them has, in words; NULL: they agree. False: memory ran out. */
static bool compare(const struct membership_lookup *lookup, const struct dir_entry *user, const uint32_t *token,
		    size_t token_count, const char **what_out)
{
	*what_out = NULL;
	for (size_t root = 0; root < closure_root_count(lookup->closure); root++) {
		uint32_t group = closure_root_group(lookup->closure, root);
		bool is_in_token;

		if (group == CLOSURE_NONE)
			continue;
		is_in_token = is_listed(token, token_count, group);
		if (membership_holds(lookup, root) == is_in_token)
			continue;
		*what_out = arena_printf(lookup->arena,
					 "'%s' is %s '%s' by the groups that can be read, and %s by the token "
					 "(tokenGroups)",
					 user->dn, is_in_token ? "not in" : "in",
					 closure_group_dn(lookup->closure, group), is_in_token ? "is" : "is not");
		return *what_out != NULL;
	}
	return true;
}

static void tell_unreadable(struct membership *membership, const struct dir_entry *user)
{
	if (!membership->token.told_unreadable)
		log_warning(membership->log,
			    "the groups of '%s' cannot be checked against the token: the bound account may not read "
			    "tokenGroups",
			    user->dn);
	membership->token.told_unreadable = true;
}

/* The closure has what had changed when he differed before. Where nobody tells of changes it is read for that. */
static bool is_closure_newer(const struct membership *membership)
{
	if (membership_is_watched(membership))
		return !membership_is_pending(membership);
	return membership->closure_began_us >= membership->token.differed_us;
}

static void differ(struct membership *membership, const char *what)
{
	struct token_check *check = &membership->token;
	bool is_suspect = find_suspect(check, check->sid) < check->suspect_count;
	bool is_newer = is_closure_newer(membership);
	bool is_unreadable = !is_newer && !membership->loading && membership->failure.status != STATUS_OK;

	if (is_newer) {
		check->tries++;
		check->differed_us = check->asked_us;
	}
	if (check->tries >= MEMBERSHIP_TOKEN_TRIES)
		suspect(membership, what);
	/* While no closure can be read no decision is made either. */
	if (check->tries >= MEMBERSHIP_TOKEN_TRIES || is_suspect || is_unreadable) {
		leave(membership);
		return;
	}
	if (!membership_is_watched(membership))
		(void)!membership_load(membership);
	if (!set_timer(membership, MEMBERSHIP_TOKEN_AGAIN_MS))
		leave(membership);
}

static void judge(struct membership *membership, const struct dir_entry *user)
{
	struct token_check *check = &membership->token;
	struct membership_lookup lookup = {.arena = check->arena, .closure = membership->closure};
	uint32_t *token;
	size_t token_count;
	const char *what;
	enum status status = lookup_take_token(membership->closure, user, check->arena, &token, &token_count);

	if (status == STATUS_REFUSED)
		tell_unreadable(membership, user);
	if (status != STATUS_OK || lookup_by_sid(&lookup, user) != MEMBERSHIP_DONE ||
	    !compare(&lookup, user, token, token_count, &what)) {
		leave(membership);
		return;
	}
	if (what == NULL) {
		clear(membership);
		leave(membership);
	} else {
		differ(membership, what);
	}
}

/* Who could not be looked at is looked at again when it is his turn. */
static void answered(struct dir_request *request)
{
	struct membership *membership = request->context;
	struct token_check *check = &membership->token;
	const struct dir_entry *user = check->search.entries;

	check->asking = false;
	if (!membership->stopped && check->search.outcome == DIR_OUTCOME_OK && user != NULL &&
	    membership->closure != NULL && closure_is_by_sid(membership->closure))
		judge(membership, user);
	else
		leave(membership);
	dir_search_done(&check->search);
	arena_free(&check->arena);
}

static void look(struct membership *membership)
{
	struct token_check *check = &membership->token;

	check->arena = arena_new(DIR_SEARCH_MAX_BYTES);
	if (check->arena == NULL || !lookup_ask_token(check->arena, check->sid, check_attributes, &check->search)) {
		arena_free(&check->arena);
		leave(membership);
		return;
	}
	check->search.flags = membership->search_flags;
	check->request = (struct dir_request){
	    .searches = &check->search,
	    .search_count = 1,
	    .deadline_ms = clock_monotonic_ms() + MEMBERSHIP_TOKEN_PATIENCE_MS,
	    .priority = DIR_PRIORITY_BULK,
	    .done = answered,
	    .context = membership,
	};
	check->asking = true;
	check->asked_us = clock_monotonic_us();
	dir_pool_submit(membership->pool, &check->request);
}

static bool is_due(const struct token_check *check, uint64_t now_ms)
{
	return !check->asking && check->sid[0] == '\0' && now_ms >= check->next_ms &&
	       check->suspect_count < MEMBERSHIP_TOKEN_MAX_SUSPECTS;
}

enum membership_next membership_token_check(struct membership *membership, struct membership_lookup *lookup,
					    const struct dir_entry *user)
{
	struct token_check *check = &membership->token;
	uint64_t now_ms = clock_monotonic_ms();

	if (check->suspect_count > 0 && !check->waiting && !check->asking)
		leave(membership);
	if (find_suspect(check, user->id) < check->suspect_count) {
		error_set(&lookup->error, STATUS_REFUSED,
			  "the groups of '%s' are not those of the token (tokenGroups); the log says which", user->dn);
		error_hint(&lookup->error, STATUS_REFUSED,
			   "let the bound account read all groups between the user and the configured ones");
		return MEMBERSHIP_UNKNOWN;
	}
	if (is_due(check, now_ms) && lookup_has_token(user) && strlen(user->id) < sizeof(check->sid)) {
		memcpy(check->sid, user->id, strlen(user->id) + 1);
		check->next_ms = random_moment(now_ms);
		look(membership);
	}
	return MEMBERSHIP_DONE;
}

void membership_token_init(struct membership *membership)
{
	membership->token.timer = (struct timer){.run = timer_is_due, .context = membership};
}

void membership_token_stop(struct membership *membership)
{
	executor_timer_clear(membership->executor, &membership->token.timer);
}

bool membership_token_has_ended(const struct membership *membership)
{
	return !membership->token.asking;
}
