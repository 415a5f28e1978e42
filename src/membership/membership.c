/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <base/text.h>
#include <identity/dn.h>
#include <membership/closure_csn.h>
#include <membership/closure_load.h>
#include <membership/lookup_groups.h>
#include <membership/membership.h>
#include <os/clock.h>
#include <os/random.h>
#include <string.h>

struct membership {
	const struct config *config;
	const struct config_directory *directory;
	struct dir_pool *pool;
	struct executor *executor;
	const struct log *log;
	struct digest_key key;
	struct closure_plan plan;
	char **pins;            /* [root_count]; what plan.pins points to */
	enum root_state *roots; /* [root_count]; as last told to the log */

	struct closure *closure; /* NULL until the first load has ended well */
	char *csn;               /* of the closure; NULL: the server shows none */
	char *csn_base;
	uint64_t closure_began_us;
	uint64_t proven_us; /* when the closure was last known to be what the directory has */

	bool loading, stopped;
	struct error failure; /* of the last load that failed */
	uint64_t failure_began_us;
	struct membership_waiter *waiters;

	char *people; /* where users were found: the parent's DN in guesses; NULL: not known */
};

static const char *const plain_attributes[] = {"uid", NULL};
static const char *const memberof_attributes[] = {"uid", "memberOf", NULL};
static const char *const csn_attributes[] = {"contextCSN", NULL};

static void log_root(const struct membership *membership, size_t root, enum root_state state)
{
	const char *name = membership->plan.names[root];

	switch (state) {
	case ROOT_UNUSED:
	case ROOT_FOUND:
		break;
	case ROOT_RENAMED:
		log_warning(membership->log, "group '%s' was renamed; the group with its id is used, mend the policy",
			    name);
		break;
	case ROOT_MISSING:
		log_warning(membership->log, "group '%s' does not exist, or the bound account may not see it", name);
		break;
	case ROOT_REPLACED:
		log_warning(membership->log,
			    "group '%s' was deleted and another took its name; it is not used until the policy is "
			    "loaded anew",
			    name);
		break;
	case ROOT_NO_GROUP:
		log_warning(membership->log, "'%s' is not a group (groupOfNames, groupOfUniqueNames, posixGroup)",
			    name);
		break;
	}
}

static void take_roots(struct membership *membership, const struct closure_loaded *loaded)
{
	for (size_t root = 0; root < membership->plan.root_count; root++) {
		uint32_t group = closure_root_group(loaded->closure, root);

		if (loaded->roots[root] != membership->roots[root])
			log_root(membership, root, loaded->roots[root]);
		membership->roots[root] = loaded->roots[root];
		if (group != CLOSURE_NONE && membership->pins[root] == NULL)
			membership->pins[root] = memory_copy_text(closure_group_id(loaded->closure, group));
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
		log_warning(membership->log, "%zu member values are no distinguished names and count for nobody",
			    loaded->invalid_members);
}

static bool replace_text(char **text, const char *value)
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
	if (!replace_text(&membership->csn, loaded->csn) || !replace_text(&membership->csn_base, loaded->csn_base))
		(void)!replace_text(&membership->csn, NULL);
	take_roots(membership, loaded);
	closure_unref(&membership->closure);
	membership->closure = closure_ref(loaded->closure);
	membership->closure_began_us = loaded->began_us;
	membership->proven_us = loaded->began_us;
	if (first) {
		log_closure(membership, loaded);
		if (loaded->csn == NULL)
			log_warning(membership->log,
				    "the server shows no contextCSN for the groups: they are read again every %llu ms "
				    "(load syncprov for the database)",
				    (unsigned long long)membership->config->cache.unwatched_ttl_ms);
	}
}

static void wake_waiters(struct membership *membership)
{
	struct membership_waiter *waiter = membership->waiters;

	membership->waiters = NULL;
	while (waiter != NULL) {
		struct membership_waiter *next = waiter->next;

		waiter->waiting = false;
		waiter->run(waiter->context);
		waiter = next;
	}
}

static void load_ended(void *context, const struct closure_loaded *loaded)
{
	struct membership *membership = context;

	membership->loading = false;
	if (loaded->status == STATUS_OK) {
		if (membership->failure.status != STATUS_OK)
			log_info(membership->log, "the configured groups can be read again");
		membership->failure.status = STATUS_OK;
		take_closure(membership, loaded);
	} else {
		/* The same failure again and again is told once. */
		if (membership->failure.status == STATUS_OK ||
		    strcmp(membership->failure.what, loaded->error->what) != 0)
			log_failure(membership->log, LOG_LEVEL_ERROR, "no decision can be made", loaded->error);
		membership->failure = *loaded->error;
		membership->failure_began_us = loaded->began_us;
	}
	wake_waiters(membership);
}

static enum status start_load(struct membership *membership)
{
	enum status status;

	if (membership->loading)
		return STATUS_OK;
	/* Set first: the load may end on the executor's thread before this call returns on another (membership_open). */
	membership->loading = true;
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
	if (membership->pins == NULL || membership->roots == NULL)
		return error_no_memory(error);
	membership->plan.pins = membership->pins;
	return STATUS_OK;
}

enum status membership_open(const struct config *config, const char *const *names, size_t name_count,
			    struct dir_pool *pool, struct executor *executor, const struct log *log,
			    struct membership **membership_out, struct error *error)
{
	struct membership *membership = memory_new(sizeof(*membership));
	enum status status;

	if (membership == NULL)
		return error_no_memory(error);
	membership->config = config;
	membership->directory = &config->directories[0];
	membership->pool = pool;
	membership->executor = executor;
	membership->log = log;
	membership->plan = (struct closure_plan){
	    .directory = membership->directory,
	    .names = names,
	    .root_count = name_count,
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
	(void)!start_load(membership);
	return STATUS_OK;
}

void membership_close(struct membership **reference)
{
	struct membership *membership = *reference;

	*reference = NULL;
	if (membership == NULL)
		return;
	for (size_t root = 0; membership->pins != NULL && root < membership->plan.root_count; root++)
		memory_free(membership->pins[root]);
	memory_free(membership->pins);
	memory_free(membership->roots);
	closure_unref(&membership->closure);
	memory_free(membership->csn);
	memory_free(membership->csn_base);
	memory_free(membership->people);
	memory_free(membership);
}

void membership_stop(struct membership *membership)
{
	membership->stopped = true;
}

const char *const *membership_user_attributes(const struct membership *membership)
{
	return membership->directory->strategy == CONFIG_STRATEGY_MEMBEROF ? memberof_attributes : plain_attributes;
}

static bool uses_search(const struct membership *membership)
{
	return membership->directory->strategy == CONFIG_STRATEGY_SEARCH ||
	       (membership->directory->strategy == CONFIG_STRATEGY_AUTO && membership->closure != NULL &&
		closure_index(membership->closure) == NULL);
}

static bool is_recent(const struct membership *membership, uint64_t since_us, uint64_t now_us)
{
	return now_us - since_us < membership->config->cache.unwatched_ttl_ms * 1000;
}

static enum status prepare_proof(struct membership *membership, struct membership_lookup *lookup)
{
	struct dir_search *proof = &lookup->first[lookup->search_count];

	if (dir_search_init(proof, NULL) != STATUS_OK)
		return STATUS_NO_MEMORY;
	proof->base = arena_copy_text(lookup->arena, membership->csn_base);
	proof->scope = DIR_SCOPE_BASE;
	proof->filter = "(objectClass=*)";
	proof->attributes = csn_attributes;
	lookup->proof = proof;
	lookup->search_count++;
	return proof->base == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

/* Most users' DNs are their name and a common parent: then one round trip brings user and groups together. */
static enum status prepare_groups(struct membership *membership, struct membership_lookup *lookup)
{
	struct dir_search *groups = &lookup->first[lookup->search_count];
	struct dir_value uid = {lookup->user, strlen(lookup->user)};
	struct dir_attribute uids = {"uid", &uid, 1};
	struct text dn;

	text_init(&dn);
	text_printf(&dn, "%s=", membership->directory->user_name_attribute);
	dn_add_value(&dn, uid.data, uid.length);
	text_printf(&dn, ",%s", membership->people);
	if (!text_failed(&dn))
		lookup->guess = arena_copy_text(lookup->arena, text_string(&dn));
	text_done(&dn);
	if (lookup->guess == NULL || !lookup_ask_groups(membership->directory, closure_kinds(membership->closure),
							lookup->arena, lookup->guess, &uids, groups))
		return STATUS_NO_MEMORY;
	lookup->groups = groups;
	lookup->search_count++;
	return STATUS_OK;
}

enum status membership_prepare(struct membership *membership, struct membership_lookup *lookup)
{
	enum status status = STATUS_OK;

	lookup->began_us = clock_monotonic_us();
	lookup->searches = lookup->first;
	lookup->search_count = 0;
	if (membership->closure == NULL)
		return STATUS_OK;
	lookup->proven = is_recent(membership, membership->proven_us, lookup->began_us);
	if (!lookup->proven && membership->csn != NULL)
		status = prepare_proof(membership, lookup);
	else if (!lookup->proven)
		status = start_load(membership); /* nothing can prove it: read it while the user is looked up */
	if (status == STATUS_OK && uses_search(membership) && membership->people != NULL)
		status = prepare_groups(membership, lookup);
	return status;
}

/* Whether the closure may be used for this lookup: see "Freshness" in the header. */
static bool is_fresh(struct membership *membership, struct membership_lookup *lookup)
{
	const char *csn;

	if (membership->closure == NULL)
		return false;
	if (lookup->proven || membership->closure_began_us >= lookup->began_us)
		return true;
	csn = lookup->proof == NULL || membership->csn == NULL ? NULL : closure_csn_of(lookup->proof);
	if (csn == NULL || strcmp(csn, membership->csn) != 0)
		return false;
	if (membership->proven_us < lookup->began_us)
		membership->proven_us = lookup->began_us;
	return true;
}

static enum membership_next refresh(struct membership *membership, struct membership_lookup *lookup)
{
	if (membership->failure.status != STATUS_OK && membership->failure_began_us >= lookup->began_us &&
	    !membership->loading) {
		lookup->error = membership->failure;
		return MEMBERSHIP_UNKNOWN;
	}
	if (start_load(membership) != STATUS_OK)
		return lookup_no_memory(lookup);
	return MEMBERSHIP_WAIT;
}

/* Remember the parent of a user whose DN is <name attribute>=<name>,<parent>, for the next guess. */
static void learn_people(struct membership *membership, const struct membership_lookup *lookup,
			 const struct dir_entry *user)
{
	const char *parent = dn_parent(user->dn);
	struct text built, own;

	if (parent == NULL || (membership->people != NULL && strcmp(membership->people, parent) == 0))
		return;
	text_init(&built);
	text_init(&own);
	text_printf(&built, "%s=", membership->directory->user_name_attribute);
	dn_add_value(&built, lookup->user, strlen(lookup->user));
	text_printf(&built, ",%s", parent);
	dn_own_key(user->dn, strlen(user->dn), &own);
	if (!text_failed(&built) && !text_failed(&own)) {
		struct text key;

		text_init(&key);
		dn_own_key(text_string(&built), built.length, &key);
		if (!text_failed(&key) && strcmp(text_string(&key), text_string(&own)) == 0)
			(void)replace_text(&membership->people, parent);
		text_done(&key);
	}
	text_done(&built);
	text_done(&own);
}

enum membership_next membership_step(struct membership *membership, struct membership_lookup *lookup,
				     const struct dir_entry *user)
{
	if (membership->stopped) {
		error_set(&lookup->error, STATUS_CANCELLED, "shutting down");
		return MEMBERSHIP_UNKNOWN;
	}
	if (!is_fresh(membership, lookup))
		return refresh(membership, lookup);
	closure_unref(&lookup->closure);
	lookup->closure = closure_ref(membership->closure);
	if (membership->directory->strategy == CONFIG_STRATEGY_MEMBEROF)
		return lookup_by_memberof(lookup, user);
	if (!uses_search(membership))
		return lookup_by_index(lookup, user);
	learn_people(membership, lookup, user);
	return lookup_by_search(membership->directory, lookup, user);
}

void membership_wait(struct membership *membership, struct membership_waiter *waiter)
{
	waiter->next = membership->waiters;
	waiter->waiting = true;
	membership->waiters = waiter;
}

void membership_wait_cancel(struct membership *membership, struct membership_waiter *waiter)
{
	struct membership_waiter **place = &membership->waiters;

	while (*place != NULL && *place != waiter)
		place = &(*place)->next;
	if (*place != NULL)
		*place = waiter->next;
	waiter->waiting = false;
}

void membership_done(struct membership_lookup *lookup)
{
	lookup_drop_asked(lookup);
	for (size_t i = 0; lookup->first != NULL && i < MEMBERSHIP_FIRST_SEARCHES; i++)
		dir_search_done(&lookup->first[i]);
	closure_unref(&lookup->closure);
}

/* The direct group that is nearest to the root; CLOSURE_NONE when none lies beneath it. */
static uint32_t nearest(const struct membership_lookup *lookup, size_t root)
{
	uint32_t best = CLOSURE_NONE, best_distance = CLOSURE_NONE;

	for (size_t i = 0; i < lookup->direct_count; i++) {
		uint32_t distance = closure_distance(lookup->closure, root, lookup->direct[i]);

		if (distance < best_distance) {
			best_distance = distance;
			best = lookup->direct[i];
		}
	}
	return best;
}

bool membership_holds(const struct membership_lookup *lookup, size_t root)
{
	return nearest(lookup, root) != CLOSURE_NONE;
}

size_t membership_path(const struct membership_lookup *lookup, size_t root, const char *user_dn,
		       const char *const **path_out)
{
	uint32_t group = nearest(lookup, root);
	const char **path;
	size_t count = 0;

	if (group == CLOSURE_NONE)
		return 0;
	path =
	    arena_alloc_array(lookup->arena, (size_t)closure_distance(lookup->closure, root, group) + 2, sizeof(*path));
	if (path == NULL)
		return 0;
	path[count++] = user_dn;
	for (; group != CLOSURE_NONE; group = closure_next_hop(lookup->closure, root, group))
		path[count++] = closure_group_dn(lookup->closure, group);
	*path_out = path;
	return count;
}

bool membership_exists(const struct membership_lookup *lookup, size_t root)
{
	return closure_root_group(lookup->closure, root) != CLOSURE_NONE;
}
