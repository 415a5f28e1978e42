/* SPDX-License-Identifier: Apache-2.0 */
#include <authorizer/inquiry_private.h>
#include <authorizer/lockout.h>
#include <authorizer/question.h>
#include <authorizer/trace.h>
#include <base/memory.h>
#include <base/text.h>
#include <identity/dn.h>
#include <os/clock.h>
#include <policy/account.h>
#include <policy/redirect.h>
#include <string.h>

/* What one inquiry may use apart from the answers of its own searches. */
#define INQUIRY_MAX_BYTES ((size_t)4 * 1024 * 1024)

static void advance(struct inquiry *inquiry);
static void rate(struct inquiry *inquiry);

static struct inquiry **chain_of(struct regime *regime, struct digest form)
{
	return &regime->inquiries[form.low % REGIME_CHAINS];
}

/* One that may take longer than this asker has time (he has waited for a lease before) would keep him too long. */
static struct inquiry *find(struct regime *regime, struct digest form, uint64_t deadline_ms)
{
	struct inquiry *inquiry = *chain_of(regime, form);

	while (inquiry != NULL && (digest_compare(&inquiry->form, &form) != 0 || inquiry->deadline_ms > deadline_ms))
		inquiry = inquiry->next;
	return inquiry;
}

static void enlist(struct inquiry *inquiry)
{
	struct inquiry **chain = chain_of(inquiry->regime, inquiry->form);

	inquiry->next = *chain;
	if (inquiry->next != NULL)
		inquiry->next->before = inquiry;
	*chain = inquiry;
}

static void unlink_inquiry(struct inquiry *inquiry)
{
	if (inquiry->before != NULL)
		inquiry->before->next = inquiry->next;
	else
		*chain_of(inquiry->regime, inquiry->form) = inquiry->next;
	if (inquiry->next != NULL)
		inquiry->next->before = inquiry->before;
}

/* What the answers left behind, before the question goes out again. */
static void drop_answers(struct inquiry *inquiry)
{
	for (size_t i = 0; i < MEMBERSHIP_FIRST_SEARCHES; i++)
		dir_search_done(&inquiry->first[i]);
}

static void inquiry_free(struct inquiry *inquiry)
{
	membership_done(&inquiry->lookup);
	drop_answers(inquiry);
	dir_search_done(&inquiry->lockout);
	arena_free(&inquiry->arena);
	memory_free(inquiry);
}

static void tell(struct inquiry *inquiry)
{
	struct asker *asker = inquiry->askers, *next;

	for (; asker != NULL; asker = next) {
		next = asker->next;
		asker->told(asker, &inquiry->findings);
	}
}

static void end(struct inquiry *inquiry)
{
	struct regime *regime = inquiry->regime;

	inquiry->findings.standing = &inquiry->standing;
	inquiry->findings.is_late = clock_monotonic_ms() >= inquiry->deadline_ms;
	inquiry_keep(inquiry);
	if (inquiry->standing.verdict == WA_DENY)
		membership_show_denied(regime->membership, &inquiry->lookup, inquiry->user);
	engine_show_figures(regime->engine, regime);
	unlink_inquiry(inquiry);
	tell(inquiry);
	inquiry_free(inquiry);
	regime_release(regime);
}

static void end_with(struct inquiry *inquiry, enum wa_verdict verdict, enum wa_reason reason, const char *detail)
{
	inquiry->standing = (struct policy_standing){
	    .verdict = verdict,
	    .reason = reason,
	    .rule = POLICY_NO_RULE,
	    .quota = {CONFIG_UNLIMITED, CONFIG_UNLIMITED, 0, CONFIG_UNLIMITED},
	    .site = POLICY_NO_SITE,
	    .until_s = INT64_MAX,
	};
	inquiry->findings.detail = detail;
	end(inquiry);
}

static void end_no_memory(struct inquiry *inquiry)
{
	end_with(inquiry, WA_ERROR, WA_REASON_NO_MEMORY, NULL);
}

enum wa_reason inquiry_reason_of(enum status status)
{
	switch (status) {
	case STATUS_TIMEOUT:
		return WA_REASON_DEADLINE_EXCEEDED;
	case STATUS_UNREACHABLE:
		return WA_REASON_DIRECTORY_UNAVAILABLE;
	case STATUS_LIMIT:
		return WA_REASON_DIRECTORY_LIMIT;
	case STATUS_NO_MEMORY:
		return WA_REASON_NO_MEMORY;
	case STATUS_CANCELLED:
		return WA_REASON_SHUTTING_DOWN;
	case STATUS_OK:
	case STATUS_INVALID:
	case STATUS_REFUSED:
	case STATUS_NOT_FOUND:
	case STATUS_INTERNAL:
		break;
	}
	return WA_REASON_INCOMPLETE_DATA;
}

static void end_unknown(struct inquiry *inquiry, const struct error *error)
{
	enum wa_reason reason = inquiry_reason_of(error->status);

	if (inquiry->regime->engine->stopping)
		reason = WA_REASON_SHUTTING_DOWN;
	end_with(inquiry, WA_ERROR, reason, error->what);
}

static void send(struct inquiry *inquiry, struct dir_search *searches, size_t count,
		 void (*done)(struct dir_request *ask))
{
	inquiry->findings.searches++;
	trace_begin(inquiry->trace, WA_STEP_ROUND_TRIP);
	inquiry->more = (struct dir_request){
	    .searches = searches,
	    .search_count = count,
	    .deadline_ms = inquiry->deadline_ms,
	    .done = done,
	    .context = inquiry,
	};
	dir_pool_submit(inquiry->regime->pool, &inquiry->more);
}

/* A round trip has ended. */
static void trace_trip(const struct inquiry *inquiry, uint64_t connection)
{
	char uri[DIR_POOL_SHOWN_BYTES];

	if (inquiry->trace == NULL)
		return;
	trace_end(inquiry->trace,
		  connection != 0 && dir_pool_server_of(inquiry->regime->pool, connection, uri) ? uri : NULL);
}

static void trace_more(const struct inquiry *inquiry, const char *purpose)
{
	const struct dir_request *more = &inquiry->more;

	for (size_t i = 0; i < more->search_count; i++)
		trace_add(inquiry->trace, purpose, &more->searches[i]);
	trace_trip(inquiry, more->connection);
}

static void lockout_is_there(struct dir_request *more)
{
	struct inquiry *inquiry = more->context;
	struct error error;

	trace_more(inquiry, "lockout");
	if (lockout_take(&inquiry->lockout, &inquiry->lockout_s)) {
		rate(inquiry);
		return;
	}
	(void)!dir_search_failure(&inquiry->lockout, &error);
	end_unknown(inquiry, &error);
}

/* Only somebody whom nothing but his lock keeps out gets here, so ordinary decisions do not pay for it. */
static void ask_lockout(struct inquiry *inquiry)
{
	inquiry->lockout_asked = true;
	if (lockout_ask(&inquiry->regime->config->directories[0], inquiry->user, &inquiry->lockout) != STATUS_OK)
		end_no_memory(inquiry);
	else
		send(inquiry, &inquiry->lockout, 1, lockout_is_there);
}

/* The key of the user's DN, where a site is one of an OU. False: memory ran out. */
static bool make_user_key(const struct inquiry *inquiry, const char **key_out)
{
	struct text key;

	*key_out = NULL;
	if (!redirect_needs_user_key(&inquiry->regime->config->redirect))
		return true;
	text_init(&key);
	dn_own_key(inquiry->user->dn, strlen(inquiry->user->dn), &key);
	if (!text_failed(&key))
		*key_out = arena_copy_text(inquiry->arena, text_string(&key));
	text_done(&key);
	return *key_out != NULL;
}

/* A membership that ends by itself ends the verdict; nobody tells of it. */
static void heed_link(struct inquiry *inquiry, int64_t now_s)
{
	const uint64_t ends_us = inquiry->lookup.ends_us, now_us = clock_monotonic_us();
	const int64_t rest_s = ends_us > now_us ? (int64_t)((ends_us - now_us) / 1000000) : 0;

	if (ends_us != UINT64_MAX && now_s + rest_s < inquiry->standing.until_s)
		inquiry->standing.until_s = now_s + rest_s;
}

static void rate(struct inquiry *inquiry)
{
	const struct config *config = inquiry->regime->config;
	struct policy_standing *standing = &inquiry->standing;
	struct policy_facts *facts = &inquiry->facts;
	bool *flags = arena_alloc_array(inquiry->arena, INQUIRY_FLAGS(config), sizeof(*flags));

	*facts = (struct policy_facts){.user = NULL};
	if (flags == NULL || !make_user_key(inquiry, &facts->user_key)) {
		end_no_memory(inquiry);
		return;
	}
	inquiry_fill_facts(inquiry, facts, flags);
	policy_rate(config, facts, standing);
	heed_link(inquiry, facts->now_s);
	if (standing->reason == WA_REASON_ACCOUNT_LOCKED && !inquiry->lockout_asked) {
		ask_lockout(inquiry);
		return;
	}
	if (standing->rule != POLICY_NO_RULE)
		inquiry->findings.path_count =
		    membership_path(&inquiry->lookup, standing->rule, inquiry->user->dn, &inquiry->findings.path);
	inquiry->findings.detail = inquiry_detail(inquiry);
	inquiry->findings.facts = facts;
	inquiry->findings.lookup = &inquiry->lookup;
	end(inquiry);
}

static void more_is_there(struct dir_request *more)
{
	struct inquiry *inquiry = more->context;

	trace_more(inquiry, "groups");
	advance(inquiry);
}

static void waiting_is_over(void *context)
{
	struct inquiry *inquiry = context;

	executor_timer_clear(inquiry->regime->engine->executor, &inquiry->patience);
	trace_end(inquiry->trace, NULL);
	advance(inquiry);
}

static void patience_is_over(void *context)
{
	struct inquiry *inquiry = context;
	struct error error;

	membership_wait_cancel(inquiry->regime->membership, &inquiry->waiter);
	trace_end(inquiry->trace, NULL);
	error_set(&error, STATUS_TIMEOUT,
		  inquiry->lookup.waits_for_mark
		      ? "the server that answers is behind the changes that the directory told of"
		      : "the configured groups could not be read in time");
	end_unknown(inquiry, &error);
}

static void await_membership(struct inquiry *inquiry)
{
	struct regime *regime = inquiry->regime;

	trace_begin(inquiry->trace, inquiry->lookup.waits_for_mark ? WA_STEP_CHANGES : WA_STEP_GROUPS);
	inquiry->waiter = (struct membership_waiter){.run = waiting_is_over, .context = inquiry};
	inquiry->patience = (struct timer){.run = patience_is_over, .context = inquiry};
	if (executor_timer_set(regime->engine->executor, &inquiry->patience, inquiry->deadline_ms) != STATUS_OK)
		end_no_memory(inquiry);
	else
		membership_wait(regime->membership, &inquiry->lookup, &inquiry->waiter);
}

static void found(struct finder_seeker *seeker);

static void seek(struct inquiry *inquiry)
{
	struct regime *regime = inquiry->regime;

	drop_answers(inquiry);
	inquiry->answered = false;
	inquiry->user = inquiry->several = NULL;
	inquiry->findings.dn = NULL;
	/* From here on what changes is newer than the answer. */
	inquiry->as_of = epochs_now(regime->epochs);
	inquiry->asked_ms = clock_monotonic_ms();
	inquiry->lookup.arena = inquiry->arena;
	inquiry->lookup.user = inquiry->sender.user == NULL ? "" : inquiry->sender.user;
	inquiry->lookup.first = inquiry->first;
	inquiry->lookup.question = inquiry->form.high;
	if (membership_prepare(regime->membership, &inquiry->lookup) != STATUS_OK) {
		end_no_memory(inquiry);
		return;
	}
	inquiry->findings.searches++;
	trace_begin(inquiry->trace, WA_STEP_ROUND_TRIP);
	inquiry->seeker = (struct finder_seeker){
	    .sender = &inquiry->sender,
	    .arena = inquiry->arena,
	    .deadline_ms = inquiry->deadline_ms,
	    .mark_base = inquiry->lookup.mark_base,
	    .extra = inquiry->lookup.searches,
	    .extra_count = inquiry->lookup.search_count,
	    .trace = inquiry->trace,
	    .found = found,
	    .context = inquiry,
	};
	if (finder_seek(regime->finder, &inquiry->seeker) != STATUS_OK)
		end_no_memory(inquiry);
}

/* The answer may be used. */
static void conclude(struct inquiry *inquiry)
{
	if (inquiry->user != NULL)
		rate(inquiry);
	else
		end_with(inquiry, WA_DENY, inquiry->nobody,
			 inquiry->nobody == WA_REASON_AMBIGUOUS_USER ? "more than one entry has this name" : NULL);
}

static void advance(struct inquiry *inquiry)
{
	struct membership *membership = inquiry->regime->membership;
	enum membership_next next = inquiry->answered ? membership_step(membership, &inquiry->lookup, inquiry->user)
						      : membership_begin(membership, &inquiry->lookup);

	switch (next) {
	case MEMBERSHIP_DONE:
		conclude(inquiry);
		break;
	case MEMBERSHIP_ASK:
		if (inquiry->answered)
			send(inquiry, inquiry->lookup.searches, inquiry->lookup.search_count, more_is_there);
		else
			seek(inquiry);
		break;
	case MEMBERSHIP_WAIT:
		await_membership(inquiry);
		break;
	case MEMBERSHIP_ANEW:
		seek(inquiry);
		break;
	case MEMBERSHIP_UNKNOWN:
		end_unknown(inquiry, &inquiry->lookup.error);
		break;
	}
}

/* The search base is not there: that nobody was found beneath it says nothing of the user. */
static bool is_useless(const struct finder_seeker *seeker)
{
	return seeker->outcome != DIR_OUTCOME_OK && seeker->outcome != DIR_OUTCOME_LIMIT;
}

static void found(struct finder_seeker *seeker)
{
	struct inquiry *inquiry = seeker->context;
	const struct dir_entry *entry = seeker->entries;

	trace_trip(inquiry, seeker->connection);
	inquiry->lookup.mark = seeker->mark;
	inquiry->lookup.connection = seeker->connection;
	if (is_useless(seeker)) {
		end_unknown(inquiry, &seeker->error);
		return;
	}
	inquiry->answered = true;
	inquiry->nobody = WA_REASON_NO_SUCH_USER;
	if (entry != NULL && entry->next != NULL) { /* that there are more matters not */
		inquiry->nobody = WA_REASON_AMBIGUOUS_USER;
		inquiry->several = entry;
		advance(inquiry);
		return;
	}
	/* A list that was cut proves nothing, neither that there is nobody nor that there is only one. */
	if (seeker->outcome == DIR_OUTCOME_LIMIT || (entry != NULL && seeker->filter_outcome != DIR_OUTCOME_OK)) {
		end_unknown(inquiry, &seeker->error);
		return;
	}
	inquiry->user = entry;
	inquiry->findings.dn = entry == NULL ? NULL : entry->dn;
	advance(inquiry);
}

static void start(void *context)
{
	struct inquiry *inquiry = context;

	if (inquiry->regime->engine->stopping)
		end_with(inquiry, WA_ERROR, WA_REASON_SHUTTING_DOWN, NULL);
	else
		advance(inquiry);
}

static bool copy_sender(struct inquiry *inquiry, const struct sender *sender)
{
	struct sender *copy = &inquiry->sender;

	*copy = *sender;
	copy->name = arena_copy_text(inquiry->arena, sender->name);
	if (sender->user != NULL)
		copy->user = arena_copy_text(inquiry->arena, sender->user);
	if (sender->domain != NULL)
		copy->domain = arena_copy_text(inquiry->arena, sender->domain);
	return copy->name != NULL && (sender->user == NULL || copy->user != NULL) &&
	       (sender->domain == NULL || copy->domain != NULL);
}

static struct inquiry *inquiry_new(struct regime *regime, struct digest form, const struct sender *sender)
{
	struct inquiry *inquiry = memory_new(sizeof(*inquiry));

	if (inquiry == NULL)
		return NULL;
	inquiry->regime = regime;
	inquiry->form = form;
	inquiry->askers_end = &inquiry->askers;
	/* AD's own servers know when a lock ends; the domain's policy came with the forest. */
	inquiry->lockout_asked = regime->forest != NULL;
	inquiry->lockout_s = regime->forest != NULL ? regime->forest->lockout_s : ACCOUNT_LOCKED_UNTIL_LIFTED;
	inquiry->arena = arena_new(INQUIRY_MAX_BYTES);
	if (inquiry->arena == NULL || !copy_sender(inquiry, sender)) {
		arena_free(&inquiry->arena);
		memory_free(inquiry);
		return NULL;
	}
	return inquiry;
}

enum status inquiry_join(struct regime *regime, struct digest form, const struct sender *sender, struct asker *asker)
{
	struct inquiry *inquiry = find(regime, form, asker->deadline_ms);
	bool is_new = inquiry == NULL;

	if (is_new)
		inquiry = inquiry_new(regime, form, sender);
	if (inquiry == NULL)
		return STATUS_NO_MEMORY;
	asker->next = NULL;
	*inquiry->askers_end = asker;
	inquiry->askers_end = &asker->next;
	if (!is_new) {
		trace_begin(asker->trace, WA_STEP_SHARED);
		return STATUS_OK;
	}
	inquiry->trace = asker->trace;
	enlist(inquiry);
	regime_hold(regime);
	inquiry->deadline_ms = asker->deadline_ms;
	inquiry->start = (struct task){.run = start, .context = inquiry};
	executor_post(regime->engine->executor, &inquiry->start);
	return STATUS_OK;
}
