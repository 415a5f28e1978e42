/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <cli/report_groups.h>
#include <string.h>

struct report_groups {
	struct closure *closure; /* a reference */
	size_t count;
	struct report_group *at; /* [count]; all owned */
	uint32_t *starts;        /* [count + 1]: of a group's parents in `parents` */
	uint32_t *parents;
	uint32_t *stamps, *stack; /* [count]: whose turn a group was seen in; groups that are to be gone up from */
	uint32_t stamp;
};

/* Who lists whom, turned round: those who list a group. */
static bool turn_round(struct report_groups *groups)
{
	const struct closure *closure = groups->closure;
	size_t edges = 0, count;

	for (uint32_t i = 0; i < groups->count; i++) {
		const uint32_t *children = closure_children(closure, i, &count);

		edges += count;
		for (size_t k = 0; k < count; k++)
			groups->starts[children[k] + 1]++;
	}
	groups->parents = memory_new_array(edges + 1, sizeof(*groups->parents));
	if (groups->parents == NULL)
		return false;
	for (size_t i = 0; i < groups->count; i++)
		groups->starts[i + 1] += groups->starts[i];
	/* `stamps` holds how many of a group's parents are there. */
	for (uint32_t i = 0; i < groups->count; i++) {
		const uint32_t *children = closure_children(closure, i, &count);

		for (size_t k = 0; k < count; k++)
			groups->parents[groups->starts[children[k]] + groups->stamps[children[k]]++] = i;
	}
	memset(groups->stamps, 0, groups->count * sizeof(*groups->stamps));
	return true;
}

struct report_groups *report_groups_new(struct closure *closure)
{
	struct report_groups *groups = memory_new(sizeof(*groups));

	if (groups == NULL)
		return NULL;
	groups->closure = closure_ref(closure);
	groups->count = closure_group_count(closure);
	groups->at = memory_new_array(groups->count + 1, sizeof(*groups->at));
	groups->starts = memory_new_array(groups->count + 2, sizeof(*groups->starts));
	groups->stamps = memory_new_array(groups->count + 1, sizeof(*groups->stamps));
	groups->stack = memory_new_array(groups->count + 1, sizeof(*groups->stack));
	if (groups->at == NULL || groups->starts == NULL || groups->stamps == NULL || groups->stack == NULL ||
	    !turn_round(groups))
		report_groups_free(&groups);
	return groups;
}

void report_groups_free(struct report_groups **reference)
{
	struct report_groups *groups = *reference;

	*reference = NULL;
	if (groups == NULL)
		return;
	closure_unref(&groups->closure);
	memory_free(groups->at);
	memory_free(groups->starts);
	memory_free(groups->parents);
	memory_free(groups->stamps);
	memory_free(groups->stack);
	memory_free(groups);
}

/* Groups are known again by their stable ids; what is gone is forgotten. */
static enum status change_closure(struct report_groups *groups, struct closure *closure)
{
	struct report_groups *changed = report_groups_new(closure);
	struct report_groups before = *groups;

	if (changed == NULL)
		return STATUS_NO_MEMORY;
	for (uint32_t i = 0; i < changed->count; i++) {
		const char *id = closure_group_id(closure, i);
		const uint32_t old = closure_find_id(groups->closure, id, strlen(id));

		if (old != CLOSURE_NONE)
			changed->at[i] = groups->at[old];
	}
	*groups = *changed;
	*changed = before;
	report_groups_free(&changed);
	return STATUS_OK;
}

static void see(struct report_groups *groups, uint32_t group, size_t *waiting)
{
	if (groups->stamps[group] == groups->stamp)
		return;
	groups->stamps[group] = groups->stamp;
	groups->stack[(*waiting)++] = group;
}

enum status report_groups_take(struct report_groups *groups, const struct report_row *row)
{
	const uint32_t is_in = report_row_is_in(row) ? 1 : 0;
	size_t waiting = 0;

	if (row->closure == NULL)
		return STATUS_OK;
	if (row->closure != groups->closure && change_closure(groups, row->closure) != STATUS_OK)
		return STATUS_NO_MEMORY;
	if (++groups->stamp == 0) { /* once in four thousand million users */
		memset(groups->stamps, 0, groups->count * sizeof(*groups->stamps));
		groups->stamp = 1;
	}
	for (size_t i = 0; i < row->direct_count; i++) {
		groups->at[row->direct[i]].direct++;
		see(groups, row->direct[i], &waiting);
	}
	while (waiting > 0) {
		const uint32_t group = groups->stack[--waiting];

		groups->at[group].users++;
		groups->at[group].in += is_in;
		for (uint32_t k = groups->starts[group]; k < groups->starts[group + 1]; k++)
			see(groups, groups->parents[k], &waiting);
	}
	return STATUS_OK;
}

struct closure *report_groups_closure(const struct report_groups *groups)
{
	return groups->closure;
}

const struct report_group *report_groups_at(const struct report_groups *groups, uint32_t group)
{
	return &groups->at[group];
}

/* Circles: going down, a group that is met on its own way closes one. */

enum mark { MARK_NEW = 0, MARK_ON_THE_WAY, MARK_DONE };

struct walk {
	const struct closure *closure;
	unsigned char *marks; /* [count] */
	uint32_t *way;        /* [count + 1] */
	size_t *next;         /* [count]: which child of way[i] is next */
	size_t length;
	enum status (*found)(void *context, const uint32_t *way, size_t length);
	void *context;
};

static enum status close_circle(struct walk *walk, uint32_t group)
{
	size_t from = walk->length;

	while (walk->way[from - 1] != group)
		from--;
	walk->way[walk->length] = group;
	return walk->found(walk->context, walk->way + from - 1, walk->length - from + 2);
}

static enum status step(struct walk *walk)
{
	const uint32_t group = walk->way[walk->length - 1];
	size_t count;
	const uint32_t *children = closure_children(walk->closure, group, &count);
	const size_t next = walk->next[walk->length - 1]++;

	if (next == count) {
		walk->marks[group] = MARK_DONE;
		walk->length--;
	} else if (walk->marks[children[next]] == MARK_ON_THE_WAY) {
		return close_circle(walk, children[next]);
	} else if (walk->marks[children[next]] == MARK_NEW) {
		walk->marks[children[next]] = MARK_ON_THE_WAY;
		walk->way[walk->length] = children[next];
		walk->next[walk->length++] = 0;
	}
	return STATUS_OK;
}

static enum status walk_all(struct walk *walk, size_t count)
{
	enum status status = STATUS_OK;

	for (uint32_t i = 0; i < count && status == STATUS_OK; i++) {
		if (walk->marks[i] != MARK_NEW)
			continue;
		walk->marks[i] = MARK_ON_THE_WAY;
		walk->way[0] = i;
		walk->next[0] = 0;
		walk->length = 1;
		while (walk->length > 0 && status == STATUS_OK)
			status = step(walk);
	}
	return status;
}

enum status report_groups_cycles(const struct report_groups *groups,
				 enum status (*found)(void *context, const uint32_t *way, size_t length), void *context)
{
	struct walk walk = {
	    .closure = groups->closure,
	    .marks = memory_new(groups->count + 1),
	    .way = memory_new_array(groups->count + 2, sizeof(*walk.way)),
	    .next = memory_new_array(groups->count + 1, sizeof(*walk.next)),
	    .found = found,
	    .context = context,
	};
	const bool is_there = walk.marks != NULL && walk.way != NULL && walk.next != NULL;
	const enum status status = is_there ? walk_all(&walk, groups->count) : STATUS_NO_MEMORY;

	memory_free(walk.marks);
	memory_free(walk.way);
	memory_free(walk.next);
	return status;
}
