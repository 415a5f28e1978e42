/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <membership/closure_csn.h>
#include <membership/closure_load_private.h>
#include <membership/closure_mark.h>
#include <os/clock.h>
#include <string.h>

/* What a server says of itself, and the filters for the configured groups. */
#define LOAD_MAX_BYTES ((size_t)32 * 1024 * 1024)
/* RFC 4511 4.1.9: a member value that is not a DN to this server. */
#define LDAP_INVALID_DN_SYNTAX 34

static void step_done(struct dir_request *request);

void closure_load_drop(struct closure_load *load)
{
	for (size_t i = 0; i < load->count; i++)
		dir_search_done(&load->found[i]);
	load->count = 0;
}

static void load_free(struct closure_load *load)
{
	closure_load_drop(load);
	closure_builder_free(&load->builder);
	closure_nest_done(&load->nest);
	dir_forest_unref(&load->forest);
	arena_free(&load->arena);
	text_done(&load->filter);
	memory_free(load->csn);
	memory_free(load->latest);
	memory_free(load->newest_group);
	memory_free(load->csn_base);
	memory_free(load->server);
	memory_free(load->roots);
	memory_free(load->found);
	memory_free(load->steps);
	memory_free(load);
}

/* At the earliest: the server counted from when it answered. */
static uint64_t ends_us(const struct closure_load *load)
{
	if (load->nest.count == 0 || load->nest.ttl_s == CLOSURE_LINK_LASTS)
		return UINT64_MAX;
	return load->began_us + (uint64_t)load->nest.ttl_s * 1000000;
}

void closure_load_finish(struct closure_load *load, enum status status, const struct error *error,
			 struct closure *closure)
{
	bool stands_still =
	    load->csn != NULL && load->newest_group != NULL && closure_csn_is_behind(load->latest, load->newest_group);
	struct closure_loaded loaded = {
	    .status = status,
	    .error = error,
	    .closure = closure,
	    .csn = stands_still ? NULL : load->csn,
	    .csn_is_doubtful = load->csn_is_doubtful,
	    .csn_stands_still = stands_still,
	    .csn_base = load->csn_base,
	    .server = load->server,
	    .search_flags = dir_facts_search_flags(&load->facts),
	    .forest = load->forest,
	    .origin = load->origin,
	    .began_us = load->began_us,
	    .ends_us = ends_us(load),
	    .marked_us = load->marked_us,
	    .roots = load->roots,
	    .invalid_members = load->builder == NULL ? 0 : closure_builder_invalid_count(load->builder),
	    .searches = load->searches,
	};

	load->done(load->context, &loaded);
	closure_unref(&closure);
	load_free(load);
}

void closure_load_fail(struct closure_load *load, enum status status, const char *where)
{
	struct error error;

	error_set(&error, status, "could not read the configured groups: %s", where);
	if (status == STATUS_LIMIT)
		error_hint(&error, status,
			   "more than %u groups, or more names than fit: name fewer or smaller groups in the policy",
			   CLOSURE_MAX_GROUPS);
	closure_load_finish(load, status, &error, NULL);
}

void closure_load_no_memory(struct closure_load *load)
{
	closure_load_fail(load, STATUS_NO_MEMORY, "no memory");
}

/* Make the next search of this round trip; NULL when memory ran out. */
struct dir_search *closure_load_add(struct closure_load *load, const char *base, enum dir_scope scope,
				    const char *filter, const char *const *attributes)
{
	struct dir_search *search = &load->found[load->count];

	if (dir_search_init(search, NULL) != STATUS_OK)
		return NULL;
	load->steps[load->count] = (struct step){.load = load};
	load->count++;
	search->base = base;
	search->scope = scope;
	search->filter = filter;
	search->attributes = attributes;
	return search;
}

static bool is_witnessed(const struct closure_load *load, enum stage stage)
{
	return (load->csn != NULL || load->server != NULL) &&
	       (stage == STAGE_LIST || stage == STAGE_READ || stage == STAGE_RESOLVE || stage == STAGE_DELTA);
}

static struct dir_search *add_witness(struct closure_load *load)
{
	return load->csn != NULL
		   ? closure_load_add_csn(load)
		   : closure_load_add(load, "", DIR_SCOPE_BASE, "(objectClass=*)", closure_mark_attributes(""));
}

void closure_load_send(struct closure_load *load, enum stage stage)
{
	uint64_t patience = load->plan->directory->timeout_ms;

	load->witnessed = is_witnessed(load, stage);
	if (load->witnessed && add_witness(load) == NULL) {
		closure_load_no_memory(load);
		return;
	}
	/* The small questions show within the ordinary timeout that a server hangs. */
	if (stage != STAGE_PROBE && stage != STAGE_FOREST && stage != STAGE_MARK)
		patience *= CLOSURE_LOAD_PATIENCE;
	load->stage = stage;
	load->searches++;
	load->request = (struct dir_request){
	    .searches = load->found,
	    .search_count = load->count,
	    .deadline_ms = clock_monotonic_ms() + patience,
	    .priority = DIR_PRIORITY_BULK,
	    .witness_is_last = load->witnessed,
	    .done = step_done,
	    .context = load,
	};
	dir_pool_submit(load->pool, &load->request);
}

void closure_load_again(struct closure_load *load)
{
	closure_load_drop(load);
	if (load->attempt++ >= CLOSURE_LOAD_ATTEMPTS) {
		closure_load_fail(load, STATUS_TIMEOUT,
				  "they changed, or could not be read, in each of several attempts");
		return;
	}
	closure_builder_free(&load->builder);
	closure_nest_done(&load->nest);
	dir_forest_unref(&load->forest);
	arena_free(&load->arena);
	load->arena = arena_new(LOAD_MAX_BYTES);
	load->facts = (struct dir_facts){.kind = DIR_KIND_GENERIC};
	load->origin = (struct closure_origin){.has_id = false};
	load->origin_mark = NULL;
	load->builder = closure_builder_new(load->plan->root_count, &load->key, load->plan->index_budget_bytes);
	memory_free(load->csn);
	memory_free(load->latest);
	memory_free(load->newest_group);
	load->csn = load->latest = load->newest_group = NULL;
	load->restarted = false;
	load->taken = STATUS_OK;
	load->began_us = clock_monotonic_us();
	if (load->builder == NULL || load->arena == NULL)
		closure_load_no_memory(load);
	else
		closure_stage_begin(load);
}

/* The server has said that it will not answer this. */
static bool is_no(enum dir_outcome outcome)
{
	return outcome == DIR_OUTCOME_NO_SUCH_OBJECT || outcome == DIR_OUTCOME_NOT_PERMITTED ||
	       outcome == DIR_OUTCOME_REFUSED;
}

/* Whether an answer can be used in this stage; if not, the load has ended or begun again. */
static bool accept(struct closure_load *load, const struct dir_search *search, size_t number)
{
	struct error error;
	enum status status;

	if (search->outcome == DIR_OUTCOME_OK ||
	    (search->outcome == DIR_OUTCOME_NO_SUCH_OBJECT &&
	     (load->stage == STAGE_RESOLVE || load->stage == STAGE_READ || (load->stage == STAGE_LIST && number > 0))))
		return true;
	if (load->stage == STAGE_RESOLVE && search->code == LDAP_INVALID_DN_SYNTAX)
		return true;
	/* Whom a domain trusts may be hidden, which dir_forest_take() says the meaning of; and so may who the controller is. */
	if (load->stage == STAGE_FOREST && number >= DIR_FOREST_TRUSTS && is_no(search->outcome))
		return true;
	if (load->stage == STAGE_DELTA && search->outcome == DIR_OUTCOME_LIMIT) {
		closure_load_again(load);
		return false;
	}
	if (load->taken == STATUS_REFUSED) {
		error_set(&error, STATUS_REFUSED, "group '%s' shows no members", search->base);
		error_hint(&error, STATUS_REFUSED, "give the bound account read access to its member attribute");
		status = STATUS_REFUSED;
	} else if (load->taken != STATUS_OK) {
		closure_load_fail(load, load->taken,
				  load->taken == STATUS_INVALID ? "a group shows no SID, or is held by what is no DN"
								: "too many groups or members");
		return false;
	} else {
		status = dir_search_failure(search, &error);
		if (search->outcome == DIR_OUTCOME_LIMIT)
			error_hint(&error, status,
				   "the bound account needs a larger size limit on the server (slapd: limits ... "
				   "size=unlimited size.pr=unlimited); a list of groups that was cut is not used");
	}
	error_prefix(&error, "could not read the configured groups");
	closure_load_finish(load, status, &error, NULL);
	return false;
}

enum closure_csn_order closure_load_follow(struct closure_load *load, const char *csn)
{
	const char *since;
	size_t length;
	enum closure_csn_order order =
	    csn == NULL ? CLOSURE_CSN_UNRELATED : closure_csn_compare(load->latest, csn, &since, &length);

	if (order == CLOSURE_CSN_LATER) {
		char *copy = memory_copy_text(csn);

		if (copy == NULL)
			return CLOSURE_CSN_UNRELATED;
		memory_free(load->latest);
		load->latest = copy;
	}
	return order;
}

/* Nothing was lost when it is another server; but what was read cannot be watched. */
static void heed_server(struct closure_load *load, const char *server)
{
	if (load->server == NULL || (server != NULL && strcmp(server, load->server) == 0))
		return;
	memory_free(load->server);
	load->server = NULL;
}

/* Whether the server that answered is at least where the last one was; if not, the load has begun again. */
static bool heed_witness(struct closure_load *load)
{
	struct dir_search *witness = &load->found[load->count - 1];
	const char *mark = closure_mark_of(witness);
	bool follows = load->csn == NULL || closure_load_follow(load, mark) != CLOSURE_CSN_UNRELATED;

	if (load->csn == NULL)
		heed_server(load, mark);
	dir_search_done(witness);
	load->count--;
	if (!follows)
		closure_load_again(load);
	return follows;
}

static void step_done(struct dir_request *request)
{
	struct closure_load *load = request->context;

	if (load->restarted) {
		closure_load_again(load);
		return;
	}
	for (size_t i = 0; i < load->count; i++)
		if (!accept(load, &load->found[i], i))
			return;
	if (!load->witnessed || heed_witness(load))
		closure_stage_settle(load);
}

static void begin(void *context)
{
	closure_load_again(context);
}

enum status closure_load_start(struct dir_pool *pool, struct executor *executor, const struct closure_plan *plan,
			       const struct digest_key *key, closure_load_done_fn *done, void *context)
{
	struct closure_load *load = memory_new(sizeof(*load));
	size_t most = plan->root_count + CLOSURE_LOAD_BATCH + 2;

	_Static_assert((int)DIR_FOREST_SEARCHES + 2 <= CLOSURE_LOAD_BATCH, "the forest's questions travel together");

	if (load == NULL)
		return STATUS_NO_MEMORY;
	load->pool = pool;
	load->plan = plan;
	load->key = *key;
	load->done = done;
	load->context = context;
	text_init(&load->filter);
	load->roots = memory_new_array(plan->root_count + 1, sizeof(*load->roots));
	load->found = memory_new_array(most, sizeof(*load->found));
	load->steps = memory_new_array(most, sizeof(*load->steps));
	if (load->roots == NULL || load->found == NULL || load->steps == NULL) {
		load_free(load);
		return STATUS_NO_MEMORY;
	}
	load->begin = (struct task){.run = begin, .context = load};
	executor_post(executor, &load->begin);
	return STATUS_OK;
}
