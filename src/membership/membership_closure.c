/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <membership/lookup_groups.h>
#include <membership/lookup_tokens.h>
#include <membership/membership_private.h>
#include <os/clock.h>
#include <os/random.h>
#include <string.h>

/* What a group that is not there means for the rule or site that names it. */
static const char *consequence(const struct config *config, size_t root)
{
	const struct config_rule *rule;

	if (root >= config->rule_count)
		return "this site gets nobody by it";
	rule = &config->rules[root];
	if (rule->effect == CONFIG_ALLOW)
		return "this rule lets nobody in";
	return rule->ignore_if_missing ? "this rule keeps nobody out" : "nobody is let in until it exists";
}

unsigned membership_line_of(const struct membership *membership, size_t root)
{
	const struct config *config = membership->config;

	return root < config->rule_count ? config->rules[root].line
					 : config->redirect.sites[root - config->rule_count].line;
}

static void log_root(const struct membership *membership, size_t root, enum root_state state)
{
	static const char *const words[] = {
	    [ROOT_UNUSED] = NULL,
	    [ROOT_FOUND] = NULL,
	    [ROOT_RENAMED] = "was renamed; the group with its id is used, mend the policy",
	    [ROOT_MISSING] = "does not exist, or the bound account may not see it",
	    [ROOT_REPLACED] = "was deleted and another took its name; it is not used until the policy is loaded anew",
	    [ROOT_ELSEWHERE] = NULL,
	    [ROOT_NO_GROUP] = "is not a group that counts (on Active Directory: no security group)",
	};
	const struct config *config = membership->config;
	bool counts = state == ROOT_RENAMED;

	if (words[state] != NULL)
		log_warning(membership->log, "%s:%u: group '%s' %s%s%s", config->path,
			    membership_line_of(membership, root), membership->plan.names[root], words[state],
			    counts ? "" : ": ", counts ? "" : consequence(config, root));
}

/* A name must not stand for another group the next time because there was no memory to remember this one. */
static bool pin_roots(struct membership *membership, const struct closure *closure)
{
	for (size_t root = 0; root < membership->plan.root_count; root++) {
		uint32_t group = closure_root_group(closure, root);

		if (group == CLOSURE_NONE || membership->pins[root] != NULL)
			continue;
		membership->pins[root] = memory_copy_text(closure_group_id(closure, group));
		if (membership->pins[root] == NULL)
			return false;
	}
	return true;
}

static void take_roots(struct membership *membership, const struct closure_loaded *loaded)
{
	for (size_t root = 0; root < membership->plan.root_count; root++) {
		if (loaded->roots[root] != membership->roots[root])
			log_root(membership, root, loaded->roots[root]);
		membership->roots[root] = loaded->roots[root];
	}
}

static void log_closure(const struct membership *membership, const struct closure_loaded *loaded)
{
	const struct member_index *index = closure_index(loaded->closure);

	if (index != NULL)
		log_info(membership->log, "read %zu groups with %zu memberships in %u round trips",
			 closure_group_count(loaded->closure), member_index_count(index), loaded->searches);
	else
		log_info(membership->log, "read %zu groups in %u round trips; memberships are asked for one by one",
			 closure_group_count(loaded->closure), loaded->searches);
	if (loaded->invalid_members > 0)
		log_warning(membership->log, "%zu member values cannot be names of anything and count for nobody",
			    loaded->invalid_members);
}

static void log_forest(const struct membership *membership)
{
	if (lookup_needs_tokens(membership->forest))
		log_warning(membership->log,
			    "the forest has %zu domains, and one domain controller does not show the groups of all: "
			    "tokenGroups is asked for each decision, which takes a second round trip and is kept for "
			    "%llu ms; groups of other domains count when the policy gives their SID",
			    membership->forest->domain_count,
			    (unsigned long long)membership->config->cache.unwatched_ttl_ms);
}

bool membership_replace_text(char **text, const char *value)
{
	char *copy = value == NULL ? NULL : memory_copy_text(value);

	if (value != NULL && copy == NULL)
		return false;
	memory_free(*text);
	*text = copy;
	return true;
}

static void take_closure(struct membership *membership, const struct closure_loaded *loaded)
{
	bool first = membership->closure == NULL;

	/* Without its CSN a closure cannot be proven fresh, and is read again when it is next needed. */
	if (!membership_replace_text(&membership->csn, loaded->csn) ||
	    !membership_replace_text(&membership->csn_base, loaded->csn_base))
		(void)!membership_replace_text(&membership->csn, NULL);
	if (!membership_replace_text(&membership->server, loaded->server))
		(void)!membership_replace_text(&membership->server, NULL);
	take_roots(membership, loaded);
	membership->search_flags = loaded->search_flags;
	dir_forest_unref(&membership->forest);
	membership->forest = loaded->forest == NULL ? NULL : dir_forest_ref(loaded->forest);
	closure_unref(&membership->closure);
	membership->closure = closure_ref(loaded->closure);
	membership->closure_began_us = loaded->began_us;
	membership->closure_ends_us = loaded->ends_us;
	membership->closure_marked_us = loaded->marked_us;
	membership->load_us = clock_monotonic_us() - loaded->began_us;
	membership->csn_is_doubtful = loaded->csn_is_doubtful;
	membership->proven_us = loaded->began_us;
	membership_lag_take_load(membership, loaded);
	membership->listener.learned(membership->listener.context);
	membership_tell_holdings(membership);
	if (first) {
		log_closure(membership, loaded);
		log_forest(membership);
	}
	/* With a server that can be told from others there may be a watch without: dir_watch says whether there is. */
	if (loaded->csn == NULL && loaded->server == NULL && !membership->told_no_csn) {
		log_warning(
		    membership->log,
		    "the server shows no contextCSN%s: they are read again every %llu ms (load syncprov for the "
		    "database)",
		    loaded->csn_stands_still ? " that moves with the groups" : " for the groups",
		    (unsigned long long)membership->config->cache.unwatched_ttl_ms);
		membership->told_no_csn = true;
	}
}

static void take_failure(struct membership *membership, const struct error *error, uint64_t began_us)
{
	/* The same failure again and again is told once; one that our own end brought about, never. */
	if (!membership->stopped &&
	    (membership->failure.status == STATUS_OK || strcmp(membership->failure.what, error->what) != 0))
		log_event_failure(membership->log, LOG_EVENT_GROUPS_UNREADABLE, "no decision can be made", error);
	membership->failure = *error;
	membership->failure_began_us = began_us;
	membership->failure_ended_us = clock_monotonic_us();
	membership->failures++;
	membership->load_failures++;
}

static void load_ended(void *context, const struct closure_loaded *loaded)
{
	struct membership *membership = context;
	struct error error;

	membership->loading = false;
	if (loaded->status != STATUS_OK) {
		take_failure(membership, loaded->error, loaded->began_us);
	} else if (membership_watch_is_ahead(membership, loaded->csn)) {
		error_set(&error, STATUS_UNREACHABLE,
			  "the server that answers is behind the changes that the directory told of");
		take_failure(membership, &error, loaded->began_us);
	} else if (!pin_roots(membership, loaded->closure)) {
		error_no_memory(&error);
		take_failure(membership, &error, loaded->began_us);
	} else {
		if (membership->failure.status != STATUS_OK)
			log_event(membership->log, LOG_EVENT_GROUPS_READABLE,
				  "the configured groups can be read again");
		membership->failure.status = STATUS_OK;
		membership->failures = 0;
		take_closure(membership, loaded);
	}
	membership_watch_load_ended(membership, membership->failure.status == STATUS_OK);
	membership_wake(&membership->waiters);
}

enum status membership_load(struct membership *membership)
{
	enum status status;

	if (membership->loading)
		return STATUS_OK;
	/* Set first: the load may end on the executor's thread before this call returns on another (membership_open). */
	membership->loading = true;
	membership_watch_load_begins(membership);
	status = closure_load_start(membership->pool, membership->executor, &membership->plan, &membership->key,
				    load_ended, membership);
	if (status != STATUS_OK)
		membership->loading = false;
	return status;
}

static enum status open_parts(struct membership *membership, struct error *error)
{
	enum status status = random_fill(&membership->key, sizeof(membership->key), error);

	if (status != STATUS_OK)
		return status;
	membership->pins = memory_new_array(membership->plan.root_count + 1, sizeof(*membership->pins));
	membership->roots = memory_new_array(membership->plan.root_count + 1, sizeof(*membership->roots));
	membership->holdings_told =
	    memory_new_array(membership->plan.root_count + 1, sizeof(*membership->holdings_told));
	if (membership->pins == NULL || membership->roots == NULL || membership->holdings_told == NULL)
		return error_no_memory(error);
	membership->plan.pins = membership->pins;
	if ((status = membership_lag_open(membership, error)) != STATUS_OK)
		return status;
	return membership_watch_open(membership, error);
}

enum status membership_open(const struct membership_setup *setup, struct membership **membership_out,
			    struct error *error)
{
	struct membership *membership = memory_new(sizeof(*membership));
	const struct config *config = setup->config;
	enum status status;

	if (membership == NULL)
		return error_no_memory(error);
	membership->config = config;
	membership->directory = &config->directories[0];
	membership->adapted = setup->adapted;
	membership->pool = setup->pool;
	membership->executor = setup->executor;
	membership->log = setup->log;
	membership->listener = setup->listener;
	membership_watch_init(membership);
	membership_token_init(membership);
	membership->plan = (struct closure_plan){
	    .directory = membership->directory,
	    .names = setup->names,
	    .root_count = setup->name_count,
	    .index_budget_bytes =
		membership->directory->strategy == CONFIG_STRATEGY_AUTO ? config->cache.member_index_bytes : 0,
	};
	status = open_parts(membership, error);
	if (status != STATUS_OK) {
		membership_close(&membership);
		return status;
	}
	*membership_out = membership;
	/* When there is no memory for the first load now, the first lookup tries again. */
	(void)!membership_load(membership);
	return STATUS_OK;
}

void membership_close(struct membership **reference)
{
	struct membership *membership = *reference;

	*reference = NULL;
	if (membership == NULL)
		return;
	membership_watch_done(membership);
	membership_lag_done(membership);
	for (size_t root = 0; membership->pins != NULL && root < membership->plan.root_count; root++)
		memory_free(membership->pins[root]);
	memory_free(membership->pins);
	memory_free(membership->roots);
	memory_free(membership->holdings_told);
	closure_unref(&membership->closure);
	dir_forest_unref(&membership->forest);
	memory_free(membership->csn);
	memory_free(membership->csn_base);
	memory_free(membership->proof_base);
	memory_free(membership->server);
	memory_free(membership->people);
	memory_free(membership);
}

void membership_stop(struct membership *membership)
{
	membership->stopped = true;
	membership_watch_stop(membership);
	membership_token_stop(membership);
	membership_lag_stop(membership);
}

bool membership_has_ended(const struct membership *membership)
{
	return !membership->loading && !membership->proving && membership->pending.patch == NULL &&
	       membership_token_has_ended(membership);
}

void membership_stop_watch(struct membership *membership)
{
	if (membership->watched.watch != NULL)
		dir_watch_stop(membership->watched.watch);
}

static bool is_resting(const struct membership *membership)
{
	return membership->failures > MEMBERSHIP_QUICK_FAILURES &&
	       clock_monotonic_us() - membership->failure_ended_us < (uint64_t)MEMBERSHIP_REST_MS * 1000;
}

enum membership_next membership_refresh(struct membership *membership, struct membership_lookup *lookup)
{
	bool has_failed = membership->failure.status != STATUS_OK && membership->failure_began_us >= lookup->began_us;

	/* It may have waited for the watch before that was found to be behind. */
	lookup->waits_for_mark = false;
	if (!membership->loading && (has_failed || is_resting(membership))) {
		lookup->error = membership->failure;
		return MEMBERSHIP_UNKNOWN;
	}
	if (membership_load(membership) != STATUS_OK)
		return lookup_no_memory(lookup);
	return MEMBERSHIP_WAIT;
}
