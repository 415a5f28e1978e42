/* SPDX-License-Identifier: Apache-2.0 */
#include <authorizer/trace.h>

#include <os/clock.h>

static const char *const scope_words[] = {"base", "one", "sub"};

void trace_init(struct trace *trace, struct arena *arena, uint64_t began_us)
{
	*trace = (struct trace){.arena = arena, .began_us = began_us, .cache = WA_CACHE_UNASKED};
	trace->end = &trace->steps;
}

void trace_begin(struct trace *trace, enum wa_step_kind kind)
{
	struct trace_step *step;

	if (trace == NULL)
		return;
	trace_end(trace, NULL);
	step = trace->step_count < TRACE_MAX_STEPS ? arena_alloc(trace->arena, sizeof(*step)) : NULL;
	if (step == NULL) {
		trace->is_incomplete = true;
		return;
	}
	step->step = (struct wa_explained_step){
	    .kind = kind, .began_us = clock_monotonic_us() - trace->began_us, .is_extra = trace->is_extra};
	step->searches_end = &step->searches;
	*trace->end = step;
	trace->end = &step->next;
	trace->open = step;
	trace->step_count++;
}

static const char *copy(struct trace *trace, const char *text)
{
	const char *copy = text == NULL ? "" : arena_copy_text(trace->arena, text);

	if (copy == NULL)
		trace->is_incomplete = true;
	return copy == NULL ? "" : copy;
}

void trace_add(struct trace *trace, const char *purpose, const struct dir_search *search)
{
	struct trace_search *added;

	if (trace == NULL || trace->open == NULL)
		return;
	added = trace->search_count < TRACE_MAX_SEARCHES ? arena_alloc(trace->arena, sizeof(*added)) : NULL;
	if (added == NULL) {
		trace->is_incomplete = true;
		return;
	}
	added->search = (struct wa_explained_search){
	    .purpose = purpose,
	    .base = copy(trace, search->base),
	    .scope = scope_words[search->scope],
	    .filter = copy(trace, search->filter),
	    .outcome = dir_outcome_word(search->outcome),
	    .entries = search->entry_count,
	};
	*trace->open->searches_end = added;
	trace->open->searches_end = &added->next;
	trace->open->step.search_count++;
	trace->search_count++;
}

void trace_end(struct trace *trace, const char *server)
{
	if (trace == NULL || trace->open == NULL)
		return;
	trace->open->step.elapsed_us = clock_monotonic_us() - trace->began_us - trace->open->step.began_us;
	if (server != NULL)
		trace->open->step.server = copy(trace, server);
	trace->open = NULL;
}

void trace_cache(struct trace *trace, enum wa_cache_state state)
{
	if (trace != NULL && !trace->is_extra)
		trace->cache = state;
}

/* False: no memory. */
static bool list_searches(const struct trace *trace, const struct trace_step *step, struct wa_explained_step *out)
{
	struct wa_explained_search *searches =
	    arena_alloc_array(trace->arena, step->step.search_count + 1, sizeof(*searches));
	size_t count = 0;

	if (searches == NULL)
		return false;
	for (const struct trace_search *search = step->searches; search != NULL; search = search->next)
		searches[count++] = search->search;
	*out = step->step;
	out->searches = searches;
	return true;
}

const struct wa_explained_step *trace_list(const struct trace *trace, size_t *count_out)
{
	struct wa_explained_step *steps = arena_alloc_array(trace->arena, trace->step_count + 1, sizeof(*steps));
	size_t count = 0;

	*count_out = 0;
	for (const struct trace_step *step = trace->steps; steps != NULL && step != NULL; step = step->next)
		if (!list_searches(trace, step, &steps[count++]))
			return NULL;
	*count_out = count;
	return steps;
}

unsigned trace_extra_searches(const struct trace *trace)
{
	unsigned count = 0;

	for (const struct trace_step *step = trace->steps; step != NULL; step = step->next)
		count += step->step.is_extra && step->step.kind == WA_STEP_ROUND_TRIP;
	return count;
}
