/* SPDX-License-Identifier: Apache-2.0 */
#include <base/ascii.h>
#include <base/memory.h>
#include <base/text.h>
#include <identity/dn.h>
#include <identity/filter.h>
#include <membership/closure_build.h>
#include <membership/closure_load.h>
#include <os/clock.h>
#include <stdlib.h>
#include <string.h>

/* slapd's default limit for everybody is 500; a page is one round trip. */
#define LIST_PAGE 1000
/* More changes than this in the time of one load: read again rather than look at each. */
#define DELTA_LIMIT 1000
/* RFC 4511 4.1.9: a member value that is not a DN to this server. */
#define LDAP_INVALID_DN_SYNTAX 34

enum stage { STAGE_PROBE, STAGE_MARK, STAGE_LIST, STAGE_READ, STAGE_RESOLVE, STAGE_CHECK, STAGE_DELTA };

/* One search of the round trip under way, and what it is about. */
struct step {
	struct closure_load *load;
	uint32_t number; /* of the group or the foreign value */
	bool answered;   /* READ: its entry came */
};

struct closure_load {
	struct dir_pool *pool;
	const struct closure_plan *plan;
	struct digest_key key;
	closure_load_done_fn *done;
	void *context;

	struct task begin;
	unsigned attempt;
	unsigned searches;
	enum stage stage;
	uint64_t began_us;
	char *csn;
	char *csn_base; /* NULL: nothing that shows whether groups changed */
	struct closure_builder *builder;
	enum root_state *roots;
	bool restarted;    /* a fail-over delivered entries a second time: what the builder has is not to be trusted */
	enum status taken; /* the first failure of an on_entry */

	struct dir_request request;
	struct dir_search *found; /* [root_count + CLOSURE_LOAD_BATCH + 1] */
	struct step *steps;       /* likewise */
	size_t count;             /* searches made for this round trip */
	struct text filter;
};

static const char *const context_attributes[] = {"namingContexts", "objectClass", NULL};
static const char *const csn_attributes[] = {"contextCSN", NULL};
static const char *const list_attributes[] = {"entryUUID", "nsUniqueId", NULL};
static const char *const root_attributes[] = {"objectClass", "entryUUID", "nsUniqueId", NULL};
static const char *const no_attributes[] = {"1.1", NULL};
static const char *const class_attributes[] = {"objectClass", NULL};
static const char any_entry[] = "(objectClass=*)";

static void step_done(struct dir_request *request);
static void start_attempt(struct closure_load *load);

static int compare_values(const void *left, const void *right)
{
	const struct dir_value *a = left, *b = right;

	return strcmp(a->data, b->data);
}

const char *closure_csn_of(const struct dir_search *search)
{
	const struct dir_attribute *csn;
	struct dir_value *values;
	char *joined = NULL;

	if (search->outcome != DIR_OUTCOME_OK || search->entries == NULL)
		return NULL;
	csn = dir_entry_attribute(search->entries, "contextCSN");
	if (csn == NULL || csn->value_count == 0)
		return NULL;
	/* One value a provider, in no order: sorted, two answers can be compared as text. */
	values = arena_alloc_array(search->arena, csn->value_count, sizeof(*values));
	if (values == NULL)
		return NULL;
	memcpy(values, csn->values, csn->value_count * sizeof(*values));
	qsort(values, csn->value_count, sizeof(*values), compare_values);
	for (size_t i = 0; i < csn->value_count; i++) {
		joined = joined == NULL ? arena_copy_text(search->arena, values[i].data)
					: arena_printf(search->arena, "%s %s", joined, values[i].data);
		if (joined == NULL)
			return NULL;
	}
	return joined;
}

static void drop_searches(struct closure_load *load)
{
	for (size_t i = 0; i < load->count; i++)
		dir_search_done(&load->found[i]);
	load->count = 0;
}

static void load_free(struct closure_load *load)
{
	drop_searches(load);
	closure_builder_free(&load->builder);
	text_done(&load->filter);
	memory_free(load->csn);
	memory_free(load->csn_base);
	memory_free(load->roots);
	memory_free(load->found);
	memory_free(load->steps);
	memory_free(load);
}

static void finish(struct closure_load *load, enum status status, const struct error *error, struct closure *closure)
{
	struct closure_loaded loaded = {
	    .status = status,
	    .error = error,
	    .closure = closure,
	    .csn = load->csn,
	    .csn_base = load->csn_base,
	    .began_us = load->began_us,
	    .roots = load->roots,
	    .invalid_members = load->builder == NULL ? 0 : closure_builder_invalid_count(load->builder),
	    .searches = load->searches,
	};

	load->done(load->context, &loaded);
	closure_unref(&closure);
	load_free(load);
}

static void fail(struct closure_load *load, enum status status, const char *where)
{
	struct error error;

	error_set(&error, status, "could not read the configured groups: %s", where);
	if (status == STATUS_LIMIT)
		error_hint(&error, status,
			   "more than %u groups, or more names than fit: name fewer or smaller groups in the policy",
			   CLOSURE_MAX_GROUPS);
	finish(load, status, &error, NULL);
}

static void fail_no_memory(struct closure_load *load)
{
	fail(load, STATUS_NO_MEMORY, "no memory");
}

/* Make the next search of this round trip; NULL when memory ran out. */
static struct dir_search *add_search(struct closure_load *load, const char *base, enum dir_scope scope,
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

static void send(struct closure_load *load, enum stage stage)
{
	uint64_t patience = load->plan->directory->timeout_ms;

	/* The small questions show within the ordinary timeout that a server hangs. */
	if (stage != STAGE_PROBE && stage != STAGE_MARK && stage != STAGE_CHECK)
		patience *= CLOSURE_LOAD_PATIENCE;
	load->stage = stage;
	load->searches++;
	load->request = (struct dir_request){
	    .searches = load->found,
	    .search_count = load->count,
	    .deadline_ms = clock_monotonic_ms() + patience,
	    .priority = DIR_PRIORITY_BULK,
	    .done = step_done,
	    .context = load,
	};
	dir_pool_submit(load->pool, &load->request);
}

static void ask_csn(struct closure_load *load, enum stage stage)
{
	/* Without a CSN the question still shows that the server answers, and that the base exists. */
	const char *base = load->csn_base == NULL ? load->plan->directory->base : load->csn_base;

	if (add_search(load, base, DIR_SCOPE_BASE, any_entry, csn_attributes) == NULL)
		fail_no_memory(load);
	else
		send(load, stage);
}

static void ask_contexts(struct closure_load *load)
{
	if (add_search(load, "", DIR_SCOPE_BASE, any_entry, context_attributes) == NULL)
		fail_no_memory(load);
	else
		send(load, STAGE_PROBE);
}

static void forget(void *context)
{
	struct step *step = context;

	step->load->restarted = true;
}

static enum status list_entry(void *context, const struct dir_entry *entry)
{
	struct step *step = context;
	const char *id = closure_entry_id(entry);
	enum status status;

	/* Without a stable id the DN has to do: nothing can be pinned then. */
	status = closure_builder_list_group(step->load->builder, entry->dn, id == NULL ? entry->dn : id);
	if (status != STATUS_OK && step->load->taken == STATUS_OK)
		step->load->taken = status;
	return status;
}

static void ask_list(struct closure_load *load)
{
	const struct closure_plan *plan = load->plan;
	struct dir_search *search;

	search =
	    add_search(load, plan->directory->group_base, DIR_SCOPE_SUBTREE, closure_group_filter, list_attributes);
	if (search == NULL) {
		fail_no_memory(load);
		return;
	}
	search->page_size = LIST_PAGE;
	search->on_entry = list_entry;
	search->on_restart = forget;
	search->on_entry_context = &load->steps[0];
	for (size_t root = 0; root < plan->root_count; root++) {
		if (plan->names[root] == NULL)
			continue;
		if (add_search(load, plan->names[root], DIR_SCOPE_BASE, any_entry, root_attributes) == NULL) {
			fail_no_memory(load);
			return;
		}
		load->steps[load->count - 1].number = (uint32_t)root;
	}
	send(load, STAGE_LIST);
}

static enum status take_group(void *context, const struct dir_entry *entry)
{
	struct step *step = context;
	enum status status = closure_builder_take_group(step->load->builder, step->number, entry);

	step->answered = true;
	if (status != STATUS_OK && step->load->taken == STATUS_OK)
		step->load->taken = status;
	return status;
}

/* Groups to read, else foreign values to resolve, else everything is there. */
static void ask_next(struct closure_load *load)
{
	uint32_t number;
	const char *dn;

	while (load->count < CLOSURE_LOAD_BATCH &&
	       (number = closure_builder_next_unread(load->builder)) != CLOSURE_NONE) {
		struct dir_search *search = add_search(load, closure_builder_group_dn(load->builder, number),
						       DIR_SCOPE_BASE, any_entry, closure_group_attributes);

		if (search == NULL) {
			fail_no_memory(load);
			return;
		}
		load->steps[load->count - 1].number = number;
		search->on_entry = take_group;
		search->on_restart = forget;
		search->on_entry_context = &load->steps[load->count - 1];
	}
	if (load->count > 0) {
		send(load, STAGE_READ);
		return;
	}
	while (load->count < CLOSURE_LOAD_BATCH &&
	       (number = closure_builder_next_foreign(load->builder, &dn)) != CLOSURE_NONE) {
		if (add_search(load, dn, DIR_SCOPE_BASE, any_entry, no_attributes) == NULL) {
			fail_no_memory(load);
			return;
		}
		load->steps[load->count - 1].number = number;
	}
	if (load->count > 0)
		send(load, STAGE_RESOLVE);
	else
		ask_csn(load, STAGE_CHECK);
}

/* A provider's CSN as a filter: everything newer than it. Several providers: no one filter says that. */
static bool build_delta_filter(struct closure_load *load)
{
	if (load->csn == NULL || strchr(load->csn, ' ') != NULL)
		return false;
	text_clear(&load->filter);
	text_add(&load->filter, "(&(entryCSN>=");
	filter_add_value(&load->filter, load->csn, strlen(load->csn));
	text_add(&load->filter, ")(!(entryCSN=");
	filter_add_value(&load->filter, load->csn, strlen(load->csn));
	text_add(&load->filter, ")))");
	return !text_failed(&load->filter);
}

static void ask_delta(struct closure_load *load)
{
	struct dir_search *search;

	if (!build_delta_filter(load)) {
		start_attempt(load);
		return;
	}
	search = add_search(load, load->plan->directory->base, DIR_SCOPE_SUBTREE, text_string(&load->filter),
			    class_attributes);
	if (search == NULL) {
		fail_no_memory(load);
		return;
	}
	search->size_limit = DELTA_LIMIT;
	send(load, STAGE_DELTA);
}

static void start_attempt(struct closure_load *load)
{
	drop_searches(load);
	if (load->attempt++ >= CLOSURE_LOAD_ATTEMPTS) {
		fail(load, STATUS_TIMEOUT, "they changed, or could not be read, in each of several attempts");
		return;
	}
	closure_builder_free(&load->builder);
	load->builder = closure_builder_new(load->plan->root_count, &load->key, load->plan->index_budget_bytes);
	memory_free(load->csn);
	load->csn = NULL;
	load->restarted = false;
	load->taken = STATUS_OK;
	load->began_us = clock_monotonic_us();
	if (load->builder == NULL)
		fail_no_memory(load);
	else
		ask_contexts(load);
}

/* The root's own entry, or the pinned group under its new name. */
static enum status settle_root(struct closure_load *load, size_t root, const struct dir_search *search)
{
	const char *pin = load->plan->pins[root];
	const struct dir_entry *entry = search->entries;
	const char *id = entry == NULL ? NULL : closure_entry_id(entry);
	const char *renamed;

	if (entry != NULL && id == NULL)
		id = entry->dn;
	if (entry != NULL && (pin == NULL || strcmp(pin, id) == 0)) {
		load->roots[root] = closure_entry_is_group(entry) ? ROOT_FOUND : ROOT_NO_GROUP;
		if (load->roots[root] == ROOT_NO_GROUP)
			return STATUS_OK;
		return closure_builder_set_root(load->builder, root, entry->dn, id);
	}
	renamed = pin == NULL ? NULL : closure_builder_find_id(load->builder, pin);
	if (renamed != NULL) {
		load->roots[root] = ROOT_RENAMED;
		return closure_builder_set_root(load->builder, root, renamed, pin);
	}
	load->roots[root] = entry == NULL ? ROOT_MISSING : ROOT_REPLACED;
	return STATUS_OK;
}

static void settle_list(struct closure_load *load)
{
	for (size_t i = 1; i < load->count; i++) {
		enum status status = settle_root(load, load->steps[i].number, &load->found[i]);

		if (status != STATUS_OK) {
			fail(load, status, status == STATUS_LIMIT ? "too many groups" : "no memory");
			return;
		}
	}
	drop_searches(load);
	ask_next(load);
}

static void settle_read(struct closure_load *load)
{
	for (size_t i = 0; i < load->count; i++) {
		if (!load->steps[i].answered) { /* it was listed and is gone: somebody is changing groups */
			start_attempt(load);
			return;
		}
	}
	drop_searches(load);
	ask_next(load);
}

static void settle_resolve(struct closure_load *load)
{
	for (size_t i = 0; i < load->count; i++) {
		const struct dir_entry *entry = load->found[i].entries;

		if (closure_builder_resolve(load->builder, load->steps[i].number, entry == NULL ? NULL : entry->dn) !=
		    STATUS_OK) {
			fail_no_memory(load);
			return;
		}
	}
	drop_searches(load);
	ask_next(load);
}

static void complete(struct closure_load *load)
{
	struct closure *closure = NULL;
	enum status status = closure_builder_finish(load->builder, &closure);

	if (status != STATUS_OK)
		fail(load, status, "too many groups for the number of rules");
	else
		finish(load, STATUS_OK, NULL, closure);
}

static void settle_check(struct closure_load *load)
{
	const char *csn = load->csn_base == NULL ? NULL : closure_csn_of(&load->found[0]);
	bool same = load->csn == NULL ? csn == NULL : csn != NULL && strcmp(csn, load->csn) == 0;

	drop_searches(load);
	if (same)
		complete(load);
	else
		ask_delta(load);
}

/* People may change while we read: their names in the groups are what counts, and those were read. */
static bool is_person(const struct dir_entry *entry)
{
	const struct dir_attribute *classes = dir_entry_attribute(entry, "objectClass");
	bool person = false;

	for (size_t i = 0; classes != NULL && i < classes->value_count; i++)
		if (ascii_equal_nocase(classes->values[i].data, "person") ||
		    ascii_equal_nocase(classes->values[i].data, "account"))
			person = true;
	return person && !closure_entry_is_group(entry);
}

static void settle_delta(struct closure_load *load)
{
	for (const struct dir_entry *entry = load->found[0].entries; entry != NULL; entry = entry->next) {
		if (!is_person(entry)) {
			start_attempt(load);
			return;
		}
	}
	drop_searches(load);
	complete(load);
}

/* Whether `dn` is `context` or lies beneath it, by their keys. */
static bool lies_beneath(struct closure_load *load, const char *dn, const struct text *context)
{
	size_t outer = context->length, inner;

	dn_own_key(dn, strlen(dn), &load->filter);
	inner = load->filter.length;
	return !text_failed(&load->filter) && inner >= outer &&
	       strcmp(text_string(&load->filter) + inner - outer, text_string(context)) == 0 &&
	       (inner == outer || text_string(&load->filter)[inner - outer - 1] == ',');
}

/* A CSN counts only when it moves with every change of every group: all of them lie in its context. */
static bool holds_all_groups(struct closure_load *load, const char *context)
{
	const struct closure_plan *plan = load->plan;
	struct text key;
	bool holds;

	text_init(&key);
	dn_own_key(context, strlen(context), &key);
	holds = !text_failed(&key) && key.length > 0 && lies_beneath(load, plan->directory->group_base, &key);
	for (size_t root = 0; root < plan->root_count && holds; root++)
		holds = plan->names[root] == NULL || lies_beneath(load, plan->names[root], &key);
	text_done(&key);
	return holds;
}

/* OpenLDAP keeps to the schema: a groupOfNames without a member cannot be, only be hidden from us. */
static bool is_openldap(const struct dir_entry *dse)
{
	const struct dir_attribute *classes = dir_entry_attribute(dse, "objectClass");

	for (size_t i = 0; classes != NULL && i < classes->value_count; i++)
		if (ascii_equal_nocase(classes->values[i].data, "OpenLDAProotDSE"))
			return true;
	return false;
}

static void settle_probe(struct closure_load *load)
{
	const struct dir_entry *dse = load->found[0].entries;
	const struct dir_attribute *contexts = dse == NULL ? NULL : dir_entry_attribute(dse, "namingContexts");

	if (dse != NULL && is_openldap(dse))
		closure_builder_demand_members(load->builder);
	memory_free(load->csn_base);
	load->csn_base = NULL;
	for (size_t i = 0; contexts != NULL && i < contexts->value_count && load->csn_base == NULL; i++) {
		if (!holds_all_groups(load, contexts->values[i].data))
			continue;
		load->csn_base = memory_copy_text(contexts->values[i].data);
		if (load->csn_base == NULL) {
			fail_no_memory(load);
			return;
		}
	}
	drop_searches(load);
	ask_csn(load, STAGE_MARK);
}

static void settle_mark(struct closure_load *load)
{
	const char *csn = load->csn_base == NULL ? NULL : closure_csn_of(&load->found[0]);

	if (csn != NULL && (load->csn = memory_copy_text(csn)) == NULL) {
		fail_no_memory(load);
		return;
	}
	drop_searches(load);
	ask_list(load);
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
	if (load->stage == STAGE_DELTA && search->outcome == DIR_OUTCOME_LIMIT) {
		start_attempt(load);
		return false;
	}
	if (load->taken == STATUS_REFUSED) {
		error_set(&error, STATUS_REFUSED, "group '%s' shows no members", search->base);
		error_hint(&error, STATUS_REFUSED, "give the bound account read access to its member attribute");
		status = STATUS_REFUSED;
	} else if (load->taken != STATUS_OK) {
		fail(load, load->taken, "too many groups or members");
		return false;
	} else {
		status = dir_search_failure(search, &error);
		if (search->outcome == DIR_OUTCOME_LIMIT)
			error_hint(&error, status,
				   "the bound account needs a larger size limit on the server (slapd: limits ... "
				   "size=unlimited size.pr=unlimited); a list of groups that was cut is not used");
	}
	error_prefix(&error, "could not read the configured groups");
	finish(load, status, &error, NULL);
	return false;
}

static void step_done(struct dir_request *request)
{
	struct closure_load *load = request->context;

	if (load->restarted) {
		start_attempt(load);
		return;
	}
	for (size_t i = 0; i < load->count; i++)
		if (!accept(load, &load->found[i], i))
			return;
	switch (load->stage) {
	case STAGE_PROBE:
		settle_probe(load);
		break;
	case STAGE_MARK:
		settle_mark(load);
		break;
	case STAGE_LIST:
		settle_list(load);
		break;
	case STAGE_READ:
		settle_read(load);
		break;
	case STAGE_RESOLVE:
		settle_resolve(load);
		break;
	case STAGE_CHECK:
		settle_check(load);
		break;
	case STAGE_DELTA:
		settle_delta(load);
		break;
	}
}

static void begin(void *context)
{
	start_attempt(context);
}

enum status closure_load_start(struct dir_pool *pool, struct executor *executor, const struct closure_plan *plan,
			       const struct digest_key *key, closure_load_done_fn *done, void *context)
{
	struct closure_load *load = memory_new(sizeof(*load));
	size_t most = plan->root_count + CLOSURE_LOAD_BATCH + 1;

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
