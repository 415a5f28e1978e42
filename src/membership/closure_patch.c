/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <directory/dir_mark.h>
#include <directory/dir_psearch.h>
#include <membership/closure_mark.h>
#include <membership/closure_patch_private.h>
#include <os/clock.h>
#include <string.h>

static const char any_entry[] = "(objectClass=*)";
static const char *const read_attributes[] = {"objectClass",  "entryUUID", "nsUniqueId", "member",
					      "uniqueMember", "memberUid", NULL};
static const char *const ask_attributes[] = {"objectClass", "entryUUID", "nsUniqueId", NULL};

static void go_on(struct closure_patch *patch);

static void drop(struct closure_patch *patch)
{
	for (size_t i = 0; i < patch->count; i++)
		dir_search_done(&patch->found[i]);
	patch->count = 0;
}

static void patch_free(struct closure_patch *patch)
{
	drop(patch);
	patch_groups_done(patch);
	closure_unref(&patch->base);
	arena_free(&patch->arena);
	text_done(&patch->scratch);
	memory_free(patch->found);
	memory_free(patch->subjects);
	memory_free(patch->groups);
	memory_free(patch->names);
	memory_free(patch);
}

/* The one end; the patch is gone afterwards. */
static void end(struct closure_patch *patch, struct closure_patched *patched)
{
	patched->base = patch->base;
	patched->began_us = patch->began_us;
	patch->done(patch->context, patched);
	patch_free(patch);
}

static void end_with(struct closure_patch *patch, const struct error *error)
{
	struct closure_patched patched = {.status = error->status, .error = error};

	end(patch, &patched);
}

static void end_no_memory(struct closure_patch *patch)
{
	struct error error;

	error_no_memory(&error);
	end_with(patch, &error);
}

static void end_whole(struct closure_patch *patch)
{
	struct closure_patched patched = {.status = STATUS_OK, .whole = true};

	end(patch, &patched);
}

/* It is what it was. */
static void end_same(struct closure_patch *patch)
{
	struct closure_patched patched = {.status = STATUS_OK, .closure = patch->base};

	end(patch, &patched);
}

static void finish(struct closure_patch *patch)
{
	struct closure_patched patched = {.status = STATUS_OK};
	struct member_set *touched = member_set_new();
	enum status status =
	    touched == NULL ? STATUS_NO_MEMORY : patch_derive(patch, &patched.closure, &patched.everything, touched);

	if (status == STATUS_NO_MEMORY) {
		end_no_memory(patch);
	} else if (status != STATUS_OK) { /* the graph has become too large for a closure: a load says so in words */
		end_whole(patch);
	} else {
		struct closure *derived = patched.closure;

		patched.touched = member_set_digests(touched);
		patched.touched_count = patched.everything ? 0 : member_set_count(touched);
		end(patch, &patched);
		closure_unref(&derived);
	}
	member_set_unref(&touched);
}

struct dir_search *patch_add_search(struct closure_patch *patch, const char *base, const char *filter,
				    const char *const *attributes, void *subject)
{
	struct dir_search *search = &patch->found[patch->count];

	if (dir_search_init(search, NULL) != STATUS_OK)
		return NULL;
	search->base = base;
	search->scope = DIR_SCOPE_BASE;
	search->filter = filter;
	search->attributes = attributes;
	patch->subjects[patch->count++] = subject;
	return search;
}

/* Another server may deliver the same entries once more: what was taken of them is not to be trusted. */
static void forget(void *context)
{
	const struct patch_group *group = context;

	group->patch->whole = true;
}

static void settle_read(struct closure_patch *patch)
{
	for (size_t i = 0; i + 1 < patch->count; i++) {
		struct patch_group *group = patch->subjects[i];

		group->is_read = true;
		/* It goes, or goes elsewhere, at this moment: those that list it have to be asked as well. */
		if (!group->is_there)
			patch->whole = true;
	}
}

/* @return STATUS_OK, STATUS_NO_MEMORY. */
static enum status settle_ask(struct closure_patch *patch)
{
	for (size_t i = 0; i + 1 < patch->count && !patch->whole; i++)
		if (patch_resolve(patch, patch->subjects[i], patch->found[i].entries) != STATUS_OK)
			return STATUS_NO_MEMORY;
	return STATUS_OK;
}

/* Back to before this round trip. */
static void undo_read(struct closure_patch *patch)
{
	if (patch->stage != PATCH_READ)
		return;
	for (size_t i = 0; i + 1 < patch->count; i++) {
		struct patch_group *group = patch->subjects[i];

		member_set_unref(&group->names);
		member_set_unref(&group->uids);
		group->names = member_set_new();
		group->uids = member_set_new();
		group->is_there = false;
		if (group->names == NULL || group->uids == NULL)
			patch->taken = STATUS_NO_MEMORY;
	}
}

static void retry(void *context)
{
	struct closure_patch *patch = context;

	patch->rests = false;
	go_on(patch);
}

void closure_patch_stop(struct closure_patch *patch)
{
	struct error error;

	patch->is_stopped = true;
	if (!patch->rests)
		return;
	executor_timer_clear(patch->executor, &patch->lag);
	error_set(&error, STATUS_CANCELLED, "shutting down");
	end_with(patch, &error);
}

/* The server that answered has not got what the watch has told. */
static void try_later(struct closure_patch *patch)
{
	struct error error;

	undo_read(patch);
	drop(patch);
	if (patch->taken != STATUS_OK) {
		end_no_memory(patch);
		return;
	}
	patch->lag = (struct timer){.run = retry, .context = patch};
	/* Another server does not become this one. */
	if (!patch->is_stopped && !dir_psearch_is_server(patch->at_least) &&
	    clock_monotonic_ms() + CLOSURE_PATCH_LAG_MS < patch->deadline_ms &&
	    executor_timer_set(patch->executor, &patch->lag, clock_monotonic_ms() + CLOSURE_PATCH_LAG_MS) ==
		STATUS_OK) {
		patch->rests = true;
		return;
	}
	error_set(&error, STATUS_TIMEOUT, "the server that answers has not got the changes that the directory told of");
	end_with(patch, &error);
}

/* Whether the answers may be used; if not, the patch has ended or tries again. */
static bool accept(struct closure_patch *patch)
{
	const struct dir_search *witness = &patch->found[patch->count - 1];
	struct error error;
	const char *mark;

	if (patch->taken == STATUS_NO_MEMORY) {
		end_no_memory(patch);
		return false;
	}
	if (patch->taken != STATUS_OK) { /* members are hidden: the load says it in words */
		patch->whole = true;
		return true;
	}
	for (size_t i = 0; i < patch->count; i++) {
		enum dir_outcome outcome = patch->found[i].outcome;

		if (outcome == DIR_OUTCOME_OK || (outcome == DIR_OUTCOME_NO_SUCH_OBJECT && i + 1 < patch->count))
			continue;
		(void)!dir_search_failure(&patch->found[i], &error);
		end_with(patch, &error);
		return false;
	}
	mark = closure_mark_of(witness);
	/* Another domain controller never gets there. */
	if (mark != NULL && dir_mark_is_of_other(mark, patch->at_least)) {
		patch->whole = true;
		return true;
	}
	if (mark != NULL && closure_mark_covers(mark, patch->at_least))
		return true;
	try_later(patch);
	return false;
}

static void answered(struct dir_request *request)
{
	struct closure_patch *patch = request->context;

	if (!accept(patch))
		return;
	if (patch->stage == PATCH_READ) {
		settle_read(patch);
	} else if (patch->stage == PATCH_COMPARE) {
		patch_sids_settle(patch);
	} else if (settle_ask(patch) != STATUS_OK) {
		end_no_memory(patch);
		return;
	}
	drop(patch);
	go_on(patch);
}

static void send(struct closure_patch *patch, enum patch_stage stage)
{
	if (patch_add_search(patch, patch->mark_base, any_entry, closure_mark_attributes(patch->mark_base), NULL) ==
	    NULL) {
		end_no_memory(patch);
		return;
	}
	patch->stage = stage;
	patch->request = (struct dir_request){
	    .searches = patch->found,
	    .search_count = patch->count,
	    .deadline_ms = patch->deadline_ms,
	    .witness_is_last = true,
	    .done = answered,
	    .context = patch,
	};
	dir_pool_submit(patch->pool, &patch->request);
}

static bool add_reads(struct closure_patch *patch)
{
	for (size_t i = 0; i < patch->group_count && patch->count < CLOSURE_LOAD_BATCH; i++) {
		struct patch_group *group = &patch->groups[i];
		struct dir_search *search;

		if (group->is_read)
			continue;
		search = patch_add_search(patch, group->dn, any_entry, read_attributes, group);
		if (search == NULL)
			return false;
		search->on_entry = patch_take_entry;
		search->on_restart = forget;
		search->on_entry_context = group;
	}
	return true;
}

static bool add_questions(struct closure_patch *patch)
{
	for (size_t i = 0; i < patch->name_count && patch->count < CLOSURE_LOAD_BATCH; i++)
		if (!patch->names[i].is_asked && patch_add_search(patch, patch->names[i].dn, closure_group_filter,
								  ask_attributes, &patch->names[i]) == NULL)
			return false;
	return true;
}

static void compare(struct closure_patch *patch)
{
	if (patch->is_compared)
		end_same(patch);
	else if (!patch_sids_ask(patch))
		end_no_memory(patch);
	else if (patch->whole)
		end_whole(patch);
	else
		send(patch, PATCH_COMPARE);
}

/* Groups to read, else names to ask about, else everything is there. */
static void go_on(struct closure_patch *patch)
{
	if (patch->whole) {
		end_whole(patch);
		return;
	}
	if (closure_is_by_sid(patch->base)) {
		compare(patch);
		return;
	}
	if (patch_know_before(patch) != STATUS_OK || !add_reads(patch)) {
		end_no_memory(patch);
		return;
	}
	if (patch->count > 0) {
		send(patch, PATCH_READ);
		return;
	}
	if (!add_questions(patch)) {
		end_no_memory(patch);
		return;
	}
	if (patch->count > 0)
		send(patch, PATCH_ASK);
	else
		finish(patch);
}

static void begin(void *context)
{
	struct closure_patch *patch = context;

	patch->began_us = clock_monotonic_us();
	patch->deadline_ms = clock_monotonic_ms() + patch->plan->directory->timeout_ms;
	patch->whole = patch->concern.unseen && !closure_is_by_sid(patch->base);
	for (size_t i = 0;
	     i < patch->concern.group_count && !closure_is_by_sid(patch->base) && patch->taken == STATUS_OK; i++) {
		uint32_t group = patch->concern.groups[i];

		(void)patch_add_group(patch, group, closure_group_dn(patch->base, group),
				      closure_group_id(patch->base, group));
	}
	if (patch->taken != STATUS_OK)
		end_no_memory(patch);
	else
		go_on(patch);
}

static bool make_room(struct closure_patch *patch)
{
	patch->arena = arena_new(CLOSURE_PATCH_MAX_BYTES);
	patch->found = memory_new_array(CLOSURE_LOAD_BATCH + 1, sizeof(*patch->found));
	patch->subjects = memory_new_array(CLOSURE_LOAD_BATCH + 1, sizeof(*patch->subjects));
	patch->groups = memory_new_array(CLOSURE_PATCH_MAX_GROUPS, sizeof(*patch->groups));
	patch->names = memory_new_array(CLOSURE_PATCH_MAX_NAMES, sizeof(*patch->names));
	return patch->arena != NULL && patch->found != NULL && patch->subjects != NULL && patch->groups != NULL &&
	       patch->names != NULL;
}

/* A patch with room for all that it may read; NULL: no memory. */
static struct closure_patch *new_patch(const struct closure_patch_plan *plan)
{
	struct closure_patch *patch = memory_new(sizeof(*patch));

	if (patch == NULL)
		return NULL;
	patch->plan = plan->plan;
	patch->base = closure_ref(plan->base);
	patch->concern = *plan->concern;
	patch->next_number = (uint32_t)closure_group_count(plan->base);
	text_init(&patch->scratch);
	if (make_room(patch)) {
		patch->mark_base = arena_copy_text(patch->arena, plan->mark_base);
		patch->at_least = arena_copy_text(patch->arena, plan->at_least);
		patch->domain_base = arena_copy_text(patch->arena, plan->domain_base == NULL ? "" : plan->domain_base);
	}
	patch->search_flags = plan->search_flags;
	if (patch->mark_base != NULL && patch->at_least != NULL && patch->domain_base != NULL)
		return patch;
	patch_free(patch);
	return NULL;
}

enum status closure_patch_start(struct dir_pool *pool, struct executor *executor, const struct closure_patch_plan *plan,
				closure_patch_done_fn *done, void *context, struct closure_patch **patch_out)
{
	struct closure_patch *patch = new_patch(plan);

	if (patch == NULL)
		return STATUS_NO_MEMORY;
	patch->pool = pool;
	patch->executor = executor;
	patch->done = done;
	patch->context = context;
	patch->begin = (struct task){.run = begin, .context = patch};
	executor_post(executor, &patch->begin);
	*patch_out = patch;
	return STATUS_OK;
}
