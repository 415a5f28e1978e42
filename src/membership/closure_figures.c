/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <membership/closure_figures.h>

struct closure_survey {
	const struct closure *closure;
	size_t group_count;
	struct member_set **members; /* [group_count]; NULL each when there is no index */
	uint32_t *waiting;           /* [group_count]: a list of work */
	uint32_t *before;            /* [group_count]: whence a group was reached */
	bool *seen;                  /* [group_count] */
	bool *is_cyclic;             /* [group_count] */
};

static void clear(struct closure_survey *survey)
{
	for (size_t i = 0; i < survey->group_count; i++)
		survey->seen[i] = false;
}

/* Go down from a group, breadth first, until `wanted` is met (again). */
static bool reaches(struct closure_survey *survey, uint32_t from, uint32_t wanted)
{
	size_t end = 0;

	clear(survey);
	survey->waiting[end++] = from;
	for (size_t next = 0; next < end; next++) {
		size_t count = 0;
		const uint32_t *children = closure_children(survey->closure, survey->waiting[next], &count);

		for (size_t i = 0; i < count; i++) {
			if (survey->seen[children[i]])
				continue;
			survey->before[children[i]] = survey->waiting[next];
			if (children[i] == wanted)
				return true;
			survey->seen[children[i]] = true;
			survey->waiting[end++] = children[i];
		}
	}
	return false;
}

/* Tarjan's search for what reaches itself, without recursion: a chain of groups may be long. */
struct tarjan {
	uint32_t *number; /* [group_count]: 1 + in which order it was met; 0: not yet */
	uint32_t *low;    /* the lowest number that is reached from it */
	uint32_t *open;   /* met, and not yet known to be of one component; a stack */
	size_t open_count;
	struct frame {
		uint32_t group;
		uint32_t next_child;
	} * frames; /* the way to where we are */
	size_t depth;
	uint32_t met;
};

static void meet(struct closure_survey *survey, struct tarjan *tarjan, uint32_t group)
{
	tarjan->number[group] = tarjan->low[group] = ++tarjan->met;
	tarjan->open[tarjan->open_count++] = group;
	survey->seen[group] = true; /* is open */
	tarjan->frames[tarjan->depth++] = (struct frame){group, 0};
}

/* Everything above `group` on the stack is one component with it. */
static void close_component(struct closure_survey *survey, struct tarjan *tarjan, uint32_t group)
{
	bool has_others = tarjan->open[tarjan->open_count - 1] != group;
	uint32_t taken;

	do {
		taken = tarjan->open[--tarjan->open_count];
		survey->seen[taken] = false;
		survey->is_cyclic[taken] = survey->is_cyclic[taken] || has_others;
	} while (taken != group);
}

static void lower(uint32_t *low, uint32_t number)
{
	if (number < *low)
		*low = number;
}

static void walk(struct closure_survey *survey, struct tarjan *tarjan, uint32_t start)
{
	meet(survey, tarjan, start);
	while (tarjan->depth > 0) {
		struct frame *frame = &tarjan->frames[tarjan->depth - 1];
		size_t count = 0;
		const uint32_t *children = closure_children(survey->closure, frame->group, &count);

		if (frame->next_child < count) {
			uint32_t child = children[frame->next_child++];

			if (child == frame->group)
				survey->is_cyclic[child] = true;
			if (tarjan->number[child] == 0)
				meet(survey, tarjan, child);
			else if (survey->seen[child])
				lower(&tarjan->low[frame->group], tarjan->number[child]);
			continue;
		}
		if (tarjan->low[frame->group] == tarjan->number[frame->group])
			close_component(survey, tarjan, frame->group);
		tarjan->depth--;
		if (tarjan->depth > 0)
			lower(&tarjan->low[tarjan->frames[tarjan->depth - 1].group], tarjan->low[frame->group]);
	}
}

static enum status find_cycles(struct closure_survey *survey)
{
	size_t room = survey->group_count + 1;
	struct tarjan tarjan = {.number = memory_new_array(room, sizeof(*tarjan.number)),
				.low = memory_new_array(room, sizeof(*tarjan.low)),
				.open = memory_new_array(room, sizeof(*tarjan.open)),
				.frames = memory_new_array(room, sizeof(*tarjan.frames))};
	bool has_room = tarjan.number != NULL && tarjan.low != NULL && tarjan.open != NULL && tarjan.frames != NULL;

	for (uint32_t group = 0; has_room && group < survey->group_count; group++)
		if (tarjan.number[group] == 0)
			walk(survey, &tarjan, group);
	memory_free(tarjan.number);
	memory_free(tarjan.low);
	memory_free(tarjan.open);
	memory_free(tarjan.frames);
	return has_room ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status take_members(struct closure_survey *survey)
{
	uint32_t *groups;
	enum status status;

	if (closure_index(survey->closure) == NULL)
		return STATUS_OK;
	groups = memory_new_array(survey->group_count + 1, sizeof(*groups));
	if (groups == NULL)
		return STATUS_NO_MEMORY;
	for (uint32_t group = 0; group < survey->group_count; group++)
		groups[group] = group;
	status = closure_members(survey->closure, groups, survey->group_count, survey->members);
	memory_free(groups);
	return status;
}

struct closure_survey *closure_survey_new(const struct closure *closure)
{
	struct closure_survey *survey = memory_new(sizeof(*survey));
	size_t count = closure_group_count(closure);

	if (survey == NULL)
		return NULL;
	survey->closure = closure;
	survey->group_count = count;
	survey->members = memory_new_array(count + 1, sizeof(struct member_set *));
	survey->waiting = memory_new_array(count + 1, sizeof(*survey->waiting));
	survey->before = memory_new_array(count + 1, sizeof(*survey->before));
	survey->seen = memory_new_array(count + 1, sizeof(*survey->seen));
	survey->is_cyclic = memory_new_array(count + 1, sizeof(*survey->is_cyclic));
	if (survey->members == NULL || survey->waiting == NULL || survey->before == NULL || survey->seen == NULL ||
	    survey->is_cyclic == NULL || take_members(survey) != STATUS_OK || find_cycles(survey) != STATUS_OK) {
		closure_survey_free(&survey);
		return NULL;
	}
	return survey;
}

void closure_survey_free(struct closure_survey **reference)
{
	struct closure_survey *survey = *reference;

	*reference = NULL;
	if (survey == NULL)
		return;
	for (size_t i = 0; survey->members != NULL && i < survey->group_count; i++)
		member_set_unref(&survey->members[i]);
	memory_free(survey->members);
	memory_free(survey->waiting);
	memory_free(survey->before);
	memory_free(survey->seen);
	memory_free(survey->is_cyclic);
	memory_free(survey);
}

static bool add_all(struct member_set *to, const struct member_set *from)
{
	const struct digest *digests = member_set_digests(from);

	for (size_t i = 0; i < member_set_count(from); i++)
		if (!member_set_add(to, digests[i]))
			return false;
	return true;
}

static enum status count_members(const struct closure_survey *survey, size_t root, struct closure_figures *figures)
{
	struct member_set *all;
	bool is_whole = true;

	figures->members_counted = closure_index(survey->closure) != NULL;
	if (!figures->members_counted)
		return STATUS_OK;
	all = member_set_new();
	if (all == NULL)
		return STATUS_NO_MEMORY;
	for (uint32_t group = 0; is_whole && group < survey->group_count; group++)
		if (closure_distance(survey->closure, root, group) != CLOSURE_NONE && survey->members[group] != NULL)
			is_whole = add_all(all, survey->members[group]);
	member_set_seal(all);
	figures->members = member_set_count(all);
	member_set_unref(&all);
	return is_whole ? STATUS_OK : STATUS_NO_MEMORY;
}

enum status closure_survey_root(struct closure_survey *survey, size_t root, struct closure_figures *figures_out)
{
	struct closure_figures figures = {.a_cycle = CLOSURE_NONE};
	enum status status;

	for (uint32_t group = 0; group < survey->group_count; group++) {
		uint32_t distance = closure_distance(survey->closure, root, group);

		if (distance == CLOSURE_NONE)
			continue;
		figures.groups++;
		if (distance > figures.depth)
			figures.depth = distance;
		if (!survey->is_cyclic[group])
			continue;
		figures.in_cycles++;
		if (figures.a_cycle == CLOSURE_NONE)
			figures.a_cycle = group;
	}
	status = count_members(survey, root, &figures);
	if (status == STATUS_OK)
		*figures_out = figures;
	return status;
}

size_t closure_survey_cycle(struct closure_survey *survey, uint32_t group, uint32_t *path, size_t room)
{
	size_t length = 1;
	uint32_t at = group;

	if (!reaches(survey, group, group))
		return 0;
	do { /* backwards, so it is turned round below */
		at = survey->before[at];
		length++;
	} while (at != group);
	if (length > room)
		return 0;
	path[0] = path[length - 1] = group;
	for (size_t i = length - 1; i > 1; i--)
		path[i - 1] = survey->before[path[i]];
	return length;
}
