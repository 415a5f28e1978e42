/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <membership/closure_ways.h>
#include <string.h>

/*
 * The groups above the user have numbers of their own here, from 0 in the order of their distance from him. The parents of group g are
 * parents[first[g]] .. parents[first[g + 1] - 1].
 */
struct closure_ways {
	struct closure *closure;
	uint32_t *numbers; /* [closure's groups]: its number here, or CLOSURE_NONE */
	uint32_t *groups;  /* [count]: its number there */
	size_t count;
	size_t direct_count; /* the first ones */
	uint32_t *first, *parents;
	uint32_t *ring;   /* [count]: 0: in none */
	uint32_t *order;  /* [count]: each behind those above it, but for rings */
	uint64_t *totals; /* [count]: how many ways lead from it to the root in hand */
	/* the way in hand */
	uint32_t *way, *cursor; /* [count] */
	bool *is_on_way;        /* [count] */
};

void closure_ways_free(struct closure_ways **reference)
{
	struct closure_ways *ways = *reference;

	*reference = NULL;
	if (ways == NULL)
		return;
	closure_unref(&ways->closure);
	memory_free(ways->numbers);
	memory_free(ways->groups);
	memory_free(ways->first);
	memory_free(ways->parents);
	memory_free(ways->ring);
	memory_free(ways->order);
	memory_free(ways->totals);
	memory_free(ways->way);
	memory_free(ways->cursor);
	memory_free(ways->is_on_way);
	memory_free(ways);
}

/* Who is above whom, of the whole closure */

struct upwards {
	uint32_t *first, *parents;
};

static void upwards_done(struct upwards *up)
{
	memory_free(up->first);
	memory_free(up->parents);
}

/* The closure has children; a counting sort turns them round. */
static bool turn_round(const struct closure *closure, struct upwards *up)
{
	const size_t count = closure_group_count(closure);
	size_t edges = 0, child_count;

	up->first = memory_new_array(count + 2, sizeof(*up->first));
	if (up->first == NULL)
		return false;
	for (uint32_t parent = 0; parent < count; parent++) {
		const uint32_t *children = closure_children(closure, parent, &child_count);

		for (size_t i = 0; i < child_count; i++)
			up->first[children[i] + 2]++;
		edges += child_count;
	}
	for (size_t i = 2; i < count + 2; i++)
		up->first[i] += up->first[i - 1];
	up->parents = memory_new_array(edges + 1, sizeof(*up->parents));
	if (up->parents == NULL)
		return false;
	for (uint32_t parent = 0; parent < count; parent++) {
		const uint32_t *children = closure_children(closure, parent, &child_count);

		for (size_t i = 0; i < child_count; i++)
			up->parents[up->first[children[i] + 1]++] = parent;
	}
	return true;
}

static void meet(struct closure_ways *ways, uint32_t group)
{
	if (ways->numbers[group] != CLOSURE_NONE)
		return;
	ways->numbers[group] = (uint32_t)ways->count;
	ways->groups[ways->count++] = group;
}

/* Breadth first, so that the numbers go by distance. @return how many edges there are. */
static size_t walk_up(struct closure_ways *ways, const struct upwards *up, const uint32_t *direct, size_t count)
{
	size_t edges = 0;

	for (size_t i = 0; i < count; i++)
		meet(ways, direct[i]);
	ways->direct_count = ways->count;
	for (size_t at = 0; at < ways->count; at++) {
		const uint32_t group = ways->groups[at];

		for (uint32_t i = up->first[group]; i < up->first[group + 1]; i++)
			meet(ways, up->parents[i]);
		edges += up->first[group + 1] - up->first[group];
	}
	return edges;
}

static void take_parents(struct closure_ways *ways, const struct upwards *up)
{
	uint32_t edges = 0;

	for (size_t at = 0; at < ways->count; at++) {
		const uint32_t group = ways->groups[at];

		ways->first[at] = edges;
		for (uint32_t i = up->first[group]; i < up->first[group + 1]; i++)
			ways->parents[edges++] = ways->numbers[up->parents[i]];
	}
	ways->first[ways->count] = edges;
}

/* Rings: strongly connected groups (R. Tarjan, "Depth-first search and linear graph algorithms", 1972), without recursion. */

struct tarjan {
	uint32_t *index, *low; /* [count]; index 0: not met */
	uint32_t *stack, *path;
	size_t stack_count, path_count, order_count;
	uint32_t next_index, next_ring;
};

static void tarjan_done(struct tarjan *t)
{
	memory_free(t->index);
	memory_free(t->low);
	memory_free(t->stack);
	memory_free(t->path);
}

static bool tarjan_init(struct tarjan *t, size_t count)
{
	*t = (struct tarjan){.next_index = 1, .next_ring = 1};
	t->index = memory_new_array(count + 1, sizeof(*t->index));
	t->low = memory_new_array(count + 1, sizeof(*t->low));
	t->stack = memory_new_array(count + 1, sizeof(*t->stack));
	t->path = memory_new_array(count + 1, sizeof(*t->path));
	return t->index != NULL && t->low != NULL && t->stack != NULL && t->path != NULL;
}

static bool is_own_parent(const struct closure_ways *ways, uint32_t group)
{
	for (uint32_t i = ways->first[group]; i < ways->first[group + 1]; i++)
		if (ways->parents[i] == group)
			return true;
	return false;
}

/* Those above `group` on the stack are strongly connected with it. (Who is on the stack is marked as if on a way.) */
static void close_component(struct closure_ways *ways, struct tarjan *t, uint32_t group)
{
	const bool is_ring = t->stack[t->stack_count - 1] != group || is_own_parent(ways, group);
	uint32_t member;

	do {
		member = t->stack[--t->stack_count];
		ways->ring[member] = is_ring ? t->next_ring : 0;
		ways->order[t->order_count++] = member;
		ways->is_on_way[member] = false;
	} while (member != group);
	t->next_ring += is_ring;
}

static void enter(struct closure_ways *ways, struct tarjan *t, uint32_t group)
{
	t->index[group] = t->low[group] = t->next_index++;
	t->stack[t->stack_count++] = group;
	t->path[t->path_count++] = group;
	ways->is_on_way[group] = true;
	ways->cursor[group] = ways->first[group];
}

static void lower(uint32_t *low, uint32_t value)
{
	if (value < *low)
		*low = value;
}

static void visit(struct closure_ways *ways, struct tarjan *t, uint32_t start)
{
	enter(ways, t, start);
	while (t->path_count > 0) {
		const uint32_t group = t->path[t->path_count - 1];

		if (ways->cursor[group] < ways->first[group + 1]) {
			const uint32_t parent = ways->parents[ways->cursor[group]++];

			if (t->index[parent] == 0)
				enter(ways, t, parent);
			else if (ways->is_on_way[parent])
				lower(&t->low[group], t->index[parent]);
			continue;
		}
		t->path_count--;
		if (t->low[group] == t->index[group])
			close_component(ways, t, group);
		if (t->path_count > 0)
			lower(&t->low[t->path[t->path_count - 1]], t->low[group]);
	}
}

static bool find_rings(struct closure_ways *ways)
{
	struct tarjan t;
	const bool good = tarjan_init(&t, ways->count);

	for (uint32_t group = 0; good && group < ways->count; group++)
		if (t.index[group] == 0)
			visit(ways, &t, group);
	tarjan_done(&t);
	return good;
}

static bool make_room(struct closure_ways *ways, size_t edges)
{
	const size_t count = ways->count + 1;

	ways->first = memory_new_array(count + 1, sizeof(*ways->first));
	ways->parents = memory_new_array(edges + 1, sizeof(*ways->parents));
	ways->ring = memory_new_array(count, sizeof(*ways->ring));
	ways->order = memory_new_array(count, sizeof(*ways->order));
	ways->totals = memory_new_array(count, sizeof(*ways->totals));
	ways->way = memory_new_array(count, sizeof(*ways->way));
	ways->cursor = memory_new_array(count, sizeof(*ways->cursor));
	ways->is_on_way = memory_new_array(count, sizeof(*ways->is_on_way));
	return ways->first != NULL && ways->parents != NULL && ways->ring != NULL && ways->order != NULL &&
	       ways->totals != NULL && ways->way != NULL && ways->cursor != NULL && ways->is_on_way != NULL;
}

static bool fill(struct closure_ways *ways, const uint32_t *direct, size_t count)
{
	const size_t group_count = closure_group_count(ways->closure);
	struct upwards up = {.first = NULL};
	bool good = turn_round(ways->closure, &up);

	ways->numbers = memory_new_array(group_count + 1, sizeof(*ways->numbers));
	ways->groups = memory_new_array(group_count + 1, sizeof(*ways->groups));
	good = good && ways->numbers != NULL && ways->groups != NULL;
	if (good) {
		memset(ways->numbers, 0xff, (group_count + 1) * sizeof(*ways->numbers));
		good = make_room(ways, walk_up(ways, &up, direct, count));
	}
	if (good)
		take_parents(ways, &up);
	upwards_done(&up);
	return good && find_rings(ways);
}

enum status closure_ways_new(struct closure *closure, const uint32_t *direct, size_t count,
			     struct closure_ways **ways_out)
{
	struct closure_ways *ways = memory_new(sizeof(*ways));

	if (ways == NULL)
		return STATUS_NO_MEMORY;
	ways->closure = closure_ref(closure);
	if (!fill(ways, direct, count)) {
		closure_ways_free(&ways);
		return STATUS_NO_MEMORY;
	}
	*ways_out = ways;
	return STATUS_OK;
}

size_t closure_ways_group_count(const struct closure_ways *ways)
{
	return ways->count;
}

uint32_t closure_ways_group(const struct closure_ways *ways, size_t i)
{
	return ways->groups[i];
}

uint32_t closure_ways_ring(const struct closure_ways *ways, uint32_t group)
{
	return ways->numbers[group] == CLOSURE_NONE ? 0 : ways->ring[ways->numbers[group]];
}

bool closure_ways_is_direct(const struct closure_ways *ways, uint32_t group)
{
	return ways->numbers[group] < ways->direct_count;
}

/* Ways to one root */

/* What is looked for, and what was found. */
struct search {
	struct closure_ways *ways;
	size_t root;
	uint32_t target;
	struct arena *arena;
	size_t limit, steps;
	size_t length; /* groups of the ways that are looked for now */
	struct closure_ways_found *found;
	uint64_t met;    /* ways */
	bool has_longer; /* something was left out for its length alone */
	bool failed;
};

/* Groups from this one up to the root's, both counted, by a shortest way; CLOSURE_NONE: there is none. */
static uint32_t least(const struct search *search, uint32_t number)
{
	const uint32_t distance = closure_distance(search->ways->closure, search->root, search->ways->groups[number]);

	return distance == CLOSURE_NONE ? CLOSURE_NONE : distance + 1;
}

static void keep(struct search *search, size_t count)
{
	struct closure_ways_found *found = search->found;
	uint32_t *groups;

	search->met++;
	if (found->count == search->limit)
		return;
	groups = arena_alloc_array(search->arena, count, sizeof(*groups));
	if (groups == NULL) {
		search->failed = true;
		return;
	}
	for (size_t i = 0; i < count; i++)
		groups[i] = search->ways->groups[search->ways->way[i]];
	found->ways[found->count++] = (struct closure_way){groups, count};
}

/* There is enough when all are told that may be, and the others need not be counted here. */
static bool is_over(const struct search *search, bool counts)
{
	return search->failed || search->steps >= CLOSURE_WAYS_MAX_STEPS ||
	       (!counts && search->found->count == search->limit);
}

static size_t push(struct closure_ways *ways, size_t depth, uint32_t number)
{
	ways->way[depth] = number;
	ways->is_on_way[number] = true;
	ways->cursor[number] = ways->first[number];
	return depth + 1;
}

/* A further group of this way must leave room for a shortest way on. */
static bool fits(struct search *search, size_t depth, uint32_t number)
{
	const uint32_t rest = least(search, number);

	if (rest == CLOSURE_NONE)
		return false;
	if (depth + rest <= search->length)
		return true;
	search->has_longer = true;
	return false;
}

/* All ways of this length that begin with `start`. Depth first. */
static void follow(struct search *search, uint32_t start, bool counts)
{
	struct closure_ways *ways = search->ways;
	size_t depth = 0;

	if (!fits(search, 0, start))
		return;
	depth = push(ways, 0, start);
	while (depth > 0) {
		const uint32_t at = ways->way[depth - 1];
		uint32_t next;

		if (at == search->target && depth == search->length)
			keep(search, depth);
		if (at == search->target || is_over(search, counts) || ways->cursor[at] == ways->first[at + 1]) {
			ways->is_on_way[at] = false;
			depth--;
			continue;
		}
		search->steps++;
		next = ways->parents[ways->cursor[at]++];
		if (!ways->is_on_way[next] && fits(search, depth, next))
			depth = push(ways, depth, next);
	}
}

static bool has_rings(const struct closure_ways *ways)
{
	for (size_t i = 0; i < ways->count; i++)
		if (ways->ring[i] != 0)
			return true;
	return false;
}

static uint64_t add(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* How many ways there are, without rings: each group has as many as those above it together. */
static uint64_t sum_up(const struct search *search)
{
	struct closure_ways *ways = search->ways;
	uint64_t total = 0;

	for (size_t i = 0; i < ways->count; i++) {
		const uint32_t number = ways->order[i];
		uint64_t *own = &ways->totals[number];

		*own = number == search->target ? 1 : 0;
		for (uint32_t k = ways->first[number]; number != search->target && k < ways->first[number + 1]; k++)
			*own = add(*own, ways->totals[ways->parents[k]]);
	}
	for (size_t i = 0; i < ways->direct_count; i++)
		total = add(total, ways->totals[i]);
	return total;
}

static void find_all(struct search *search, bool counts, uint64_t total)
{
	const struct closure_ways *ways = search->ways;

	search->has_longer = true;
	for (search->length = 1; search->length <= ways->count && search->has_longer; search->length++) {
		if (is_over(search, counts) || search->met == total)
			return;
		search->has_longer = false;
		for (uint32_t start = 0; start < ways->direct_count; start++)
			follow(search, start, counts);
	}
}

enum status closure_ways_find(struct closure_ways *ways, size_t root, size_t limit, struct arena *arena,
			      struct closure_ways_found *found_out)
{
	const uint32_t group = closure_root_group(ways->closure, root);
	struct closure_ways_found found = {.count = 0};
	struct search search = {.ways = ways, .root = root, .arena = arena, .limit = limit, .found = &found};
	const bool counts = has_rings(ways);
	uint64_t total = UINT64_MAX;

	if (group == CLOSURE_NONE || ways->numbers[group] == CLOSURE_NONE) {
		*found_out = found;
		return STATUS_OK;
	}
	search.target = ways->numbers[group];
	found.ways = arena_alloc_array(arena, limit + 1, sizeof(*found.ways));
	if (found.ways == NULL)
		return STATUS_NO_MEMORY;
	if (!counts)
		total = sum_up(&search);
	find_all(&search, counts, total);
	if (search.failed)
		return STATUS_NO_MEMORY;
	found.more = (counts ? search.met : total) - found.count;
	found.is_least = counts ? search.steps >= CLOSURE_WAYS_MAX_STEPS : total == UINT64_MAX;
	*found_out = found;
	return STATUS_OK;
}
