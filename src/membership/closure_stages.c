/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <directory/dir_mark.h>
#include <directory/dir_psearch.h>
#include <identity/filter.h>
#include <membership/closure_csn.h>
#include <membership/closure_load_private.h>
#include <os/clock.h>
#include <string.h>

/* slapd's default limit for everybody is 500; a page is one round trip. */
#define LIST_PAGE 1000
/* More changes than this in the time of one load: read again rather than look at each. */
#define DELTA_LIMIT 1000

static const char *const list_attributes[] = {"entryUUID", "nsUniqueId", "entryCSN", NULL};
static const char *const root_attributes[] = {"objectClass", "entryUUID", "nsUniqueId", NULL};
static const char *const no_attributes[] = {"1.1", NULL};
static const char any_entry[] = "(objectClass=*)";

/* Without a CSN the question still shows that the server answers, and that the base exists. */
static const char *csn_base(const struct closure_load *load)
{
	return load->csn_base == NULL ? load->plan->directory->base : load->csn_base;
}

struct dir_search *closure_load_add_csn(struct closure_load *load)
{
	return closure_load_add(load, csn_base(load), DIR_SCOPE_BASE, any_entry, dir_mark_attributes);
}

void closure_stage_ask_mark(struct closure_load *load)
{
	if (closure_load_add_csn(load) == NULL)
		closure_load_no_memory(load);
	else
		closure_load_send(load, STAGE_MARK);
}

enum status closure_stage_keep(struct step *step, enum status status)
{
	if (status != STATUS_OK && step->load->taken == STATUS_OK)
		step->load->taken = status;
	return status;
}

static void forget(void *context)
{
	struct step *step = context;

	step->load->restarted = true;
}

void closure_stage_stream(struct closure_load *load, enum status (*take)(void *context, const struct dir_entry *entry))
{
	struct dir_search *search = &load->found[load->count - 1];

	search->on_entry = take;
	search->on_restart = forget;
	search->on_entry_context = &load->steps[load->count - 1];
}

/* While the connection's thread does this, decisions go on: millions of memberships take a second to sort. */
static enum status seal(void *context, const struct dir_entry *entry)
{
	struct step *step = context;

	(void)entry;
	return closure_stage_keep(step, closure_builder_seal(step->load->builder));
}

void closure_stage_ask_check(struct closure_load *load)
{
	/* The second search is only an occasion to seal. */
	if (closure_load_add_csn(load) == NULL ||
	    closure_load_add(load, csn_base(load), DIR_SCOPE_BASE, any_entry, no_attributes) == NULL) {
		closure_load_no_memory(load);
		return;
	}
	closure_stage_stream(load, seal);
	closure_load_send(load, STAGE_CHECK);
}

static void ask_contexts(struct closure_load *load)
{
	if (closure_load_add(load, "", DIR_SCOPE_BASE, any_entry, dir_facts_attributes) == NULL)
		closure_load_no_memory(load);
	else
		closure_load_send(load, STAGE_PROBE);
}

/* Remember the greatest entryCSN; false when memory ran out. */
static bool see_csn(struct closure_load *load, const struct dir_entry *entry)
{
	const struct dir_value *csn = dir_entry_single(entry, "entryCSN");
	char *copy;

	if (csn == NULL || (load->newest_group != NULL && strcmp(csn->data, load->newest_group) <= 0))
		return true;
	copy = memory_copy_text(csn->data);
	if (copy == NULL)
		return false;
	memory_free(load->newest_group);
	load->newest_group = copy;
	return true;
}

static enum status list_entry(void *context, const struct dir_entry *entry)
{
	struct step *step = context;
	const char *id = entry->id;
	enum status status;

	/* Without a stable id the DN has to do: nothing can be pinned then. */
	status = closure_builder_list_group(step->load->builder, entry->dn, id == NULL ? entry->dn : id);
	if (status == STATUS_OK && !see_csn(step->load, entry))
		status = STATUS_NO_MEMORY;
	return closure_stage_keep(step, status);
}

static void ask_list(struct closure_load *load)
{
	const struct closure_plan *plan = load->plan;
	struct dir_search *search;

	search = closure_load_add(load, plan->directory->group_base, DIR_SCOPE_SUBTREE, closure_group_filter,
				  list_attributes);
	if (search == NULL) {
		closure_load_no_memory(load);
		return;
	}
	search->page_size = LIST_PAGE;
	closure_stage_stream(load, list_entry);
	for (size_t root = 0; root < plan->root_count; root++) {
		if (plan->names[root] == NULL)
			continue;
		if (closure_load_add(load, plan->names[root], DIR_SCOPE_BASE, any_entry, root_attributes) == NULL) {
			closure_load_no_memory(load);
			return;
		}
		load->steps[load->count - 1].number = (uint32_t)root;
	}
	closure_load_send(load, STAGE_LIST);
}

static enum status take_group(void *context, const struct dir_entry *entry)
{
	struct step *step = context;

	step->answered = true;
	return closure_stage_keep(step, closure_builder_take_group(step->load->builder, step->number, entry));
}

/* Groups to read, else foreign values to resolve, else everything is there. */
static void ask_next(struct closure_load *load)
{
	uint32_t number;
	const char *dn;

	while (load->count < CLOSURE_LOAD_BATCH &&
	       (number = closure_builder_next_unread(load->builder)) != CLOSURE_NONE) {
		if (closure_load_add(load, closure_builder_group_dn(load->builder, number), DIR_SCOPE_BASE, any_entry,
				     closure_group_attributes) == NULL) {
			closure_load_no_memory(load);
			return;
		}
		load->steps[load->count - 1].number = number;
		closure_stage_stream(load, take_group);
	}
	if (load->count > 0) {
		closure_load_send(load, STAGE_READ);
		return;
	}
	while (load->count < CLOSURE_LOAD_BATCH &&
	       (number = closure_builder_next_foreign(load->builder, &dn)) != CLOSURE_NONE) {
		if (closure_load_add(load, dn, DIR_SCOPE_BASE, any_entry, no_attributes) == NULL) {
			closure_load_no_memory(load);
			return;
		}
		load->steps[load->count - 1].number = number;
	}
	if (load->count > 0)
		closure_load_send(load, STAGE_RESOLVE);
	else
		closure_stage_ask_check(load);
}

/* Everything newer than MARK, as a filter. False: there is none that says so. */
static bool build_delta_filter(struct closure_load *load)
{
	const char *since;
	size_t length;

	if (load->csn == NULL || closure_csn_compare(load->csn, load->latest, &since, &length) != CLOSURE_CSN_LATER)
		return false;
	text_clear(&load->filter);
	text_add(&load->filter, "(&(entryCSN>=");
	filter_add_value(&load->filter, since, length);
	text_add(&load->filter, ")(!(entryCSN=");
	filter_add_value(&load->filter, since, length);
	text_add(&load->filter, ")))");
	return !text_failed(&load->filter);
}

static void ask_delta(struct closure_load *load)
{
	struct dir_search *search;

	if (!(load->forest != NULL ? closure_sids_build_delta(load) : build_delta_filter(load))) {
		closure_load_again(load);
		return;
	}
	/* The whole database, wherever people are looked for: all of it moves the mark. */
	search = closure_load_add(load, load->forest != NULL ? load->forest->home->naming_context : csn_base(load),
				  DIR_SCOPE_SUBTREE, text_string(&load->filter), closure_change_attributes);
	if (search == NULL) {
		closure_load_no_memory(load);
		return;
	}
	search->size_limit = DELTA_LIMIT;
	closure_load_send(load, STAGE_DELTA);
}

/* The root's own entry, or the pinned group under its new name. */
static enum status settle_root(struct closure_load *load, size_t root, const struct dir_search *search)
{
	const char *pin = load->plan->pins[root];
	const struct dir_entry *entry = search->entries;
	const char *id = entry == NULL ? NULL : entry->id;
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
			closure_load_fail(load, status, status == STATUS_LIMIT ? "too many groups" : "no memory");
			return;
		}
	}
	closure_load_drop(load);
	ask_next(load);
}

static void settle_read(struct closure_load *load)
{
	for (size_t i = 0; i < load->count; i++) {
		if (!load->steps[i].answered) { /* it was listed and is gone: somebody is changing groups */
			closure_load_again(load);
			return;
		}
	}
	closure_load_drop(load);
	ask_next(load);
}

static void settle_resolve(struct closure_load *load)
{
	for (size_t i = 0; i < load->count; i++) {
		const struct dir_entry *entry = load->found[i].entries;

		if (closure_builder_resolve(load->builder, load->steps[i].number, entry == NULL ? NULL : entry->dn) !=
		    STATUS_OK) {
			closure_load_no_memory(load);
			return;
		}
	}
	closure_load_drop(load);
	ask_next(load);
}

static void complete(struct closure_load *load)
{
	struct closure *closure = NULL;
	enum status status = closure_builder_finish(load->builder, &closure);

	if (status != STATUS_OK)
		closure_load_fail(load, status, "too many groups for the number of rules");
	else
		closure_load_finish(load, STATUS_OK, NULL, closure);
}

static void settle_check(struct closure_load *load)
{
	const char *csn = load->csn_base == NULL ? NULL : closure_csn_of(&load->found[0]);
	bool follows = load->csn == NULL ? csn == NULL : closure_load_follow(load, csn) != CLOSURE_CSN_UNRELATED;

	closure_load_drop(load);
	if (!follows)
		closure_load_again(load);
	else if (load->csn == NULL || strcmp(load->csn, load->latest) == 0)
		complete(load);
	else
		ask_delta(load);
}

static void settle_delta(struct closure_load *load)
{
	for (const struct dir_entry *entry = load->found[0].entries; entry != NULL; entry = entry->next) {
		if (load->forest != NULL ? closure_sids_concerns(load, entry)
					 : closure_builder_concerns(load->builder, entry)) {
			closure_load_again(load);
			return;
		}
	}
	closure_load_drop(load);
	complete(load);
}

static bool take_facts(struct closure_load *load)
{
	const struct dir_entry *dse = load->found[0].entries;
	struct error error;
	enum status status;

	if (dse == NULL) /* hidden: nothing is known of it */
		return true;
	status = dir_facts_take(dse, load->arena, &load->facts, &error);
	if (status == STATUS_OK)
		return true;
	error_prefix(&error, "could not read the configured groups");
	closure_load_finish(load, status, &error, NULL);
	return false;
}

static bool find_csn_base(struct closure_load *load)
{
	const struct closure_plan *plan = load->plan;

	memory_free(load->csn_base);
	load->csn_base = NULL;
	if (dir_kind_is_active_directory(load->facts.kind)) {
		load->csn_base = memory_copy_text(DIR_MARK_CONTROLLER);
		return load->csn_base != NULL;
	}
	return closure_csn_base(load->found[0].entries, plan->directory->group_base, plan->names, plan->root_count,
				&load->csn_base) == STATUS_OK;
}

/* False: no memory; not when it does not show who it is, or offers no watch that wants to know. */
static bool see_server(struct closure_load *load)
{
	enum status status = STATUS_NOT_FOUND;
	struct text server;

	memory_free(load->server);
	load->server = NULL;
	text_init(&server);
	if (load->facts.offers_persistent_search)
		status = dir_psearch_server(load->found[0].entries, &server);
	if (status == STATUS_OK) {
		load->server = memory_copy_text(text_string(&server));
		status = load->server == NULL ? STATUS_NO_MEMORY : STATUS_OK;
	}
	text_done(&server);
	return status != STATUS_NO_MEMORY;
}

static void settle_probe(struct closure_load *load)
{
	bool is_active_directory;

	if (!take_facts(load))
		return;
	is_active_directory = dir_kind_is_active_directory(load->facts.kind);
	/* OpenLDAP keeps to the schema: a groupOfNames without a member cannot be, only be hidden from us. */
	if (load->facts.vendor != NULL && strcmp(load->facts.vendor, "OpenLDAP") == 0)
		closure_builder_demand_members(load->builder);
	/* Its contextCSN is kept by syncprov, which brings this control, or by a consumer, which may be without. */
	load->csn_is_doubtful = !is_active_directory && !load->facts.offers_sync;
	if (!find_csn_base(load) || !see_server(load)) {
		closure_load_no_memory(load);
		return;
	}
	closure_load_drop(load);
	if (is_active_directory)
		closure_sids_ask_forest(load);
	else
		closure_stage_ask_mark(load);
}

static void settle_mark(struct closure_load *load)
{
	const char *csn = load->csn_base == NULL ? NULL : closure_csn_of(&load->found[0]);

	if (csn != NULL &&
	    ((load->csn = memory_copy_text(csn)) == NULL || (load->latest = memory_copy_text(csn)) == NULL)) {
		closure_load_no_memory(load);
		return;
	}
	if (csn != NULL) {
		memory_free(load->server);
		load->server = NULL;
	}
	load->marked_us = clock_monotonic_us();
	closure_load_drop(load);
	if (load->forest != NULL)
		closure_sids_ask_list(load);
	else
		ask_list(load);
}

void closure_stage_begin(struct closure_load *load)
{
	ask_contexts(load);
}

void closure_stage_settle(struct closure_load *load)
{
	switch (load->stage) {
	case STAGE_PROBE:
		settle_probe(load);
		break;
	case STAGE_FOREST:
		closure_sids_settle_forest(load);
		break;
	case STAGE_MARK:
		settle_mark(load);
		break;
	case STAGE_LIST:
		if (load->forest != NULL)
			closure_sids_settle_list(load);
		else
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
