/* SPDX-License-Identifier: Apache-2.0 */
#include <base/digest_map.h>
#include <base/memory.h>
#include <base/text.h>
#include <identity/dn.h>
#include <membership/closure_private.h>
#include <stdlib.h>
#include <string.h>

void closure_graph_unref(struct graph **reference)
{
	struct graph *graph = *reference;

	*reference = NULL;
	if (graph == NULL || atomic_fetch_sub_explicit(&graph->references, 1, memory_order_acq_rel) != 1)
		return;
	arena_free(&graph->arena);
	memory_free(graph->groups);
	memory_free(graph->edges);
	memory_free(graph->first);
	memory_free(graph->children);
	memory_free(graph->roots);
	memory_free(graph->holders);
	memory_free(graph->hops);
	digest_map_done(&graph->by_name);
	digest_map_done(&graph->by_id);
	memory_free(graph);
}

struct graph *closure_graph_new(size_t root_count)
{
	struct graph *graph = memory_new(sizeof(*graph));

	if (graph == NULL)
		return NULL;
	atomic_init(&graph->references, 1);
	graph->root_count = root_count;
	digest_map_init(&graph->by_name);
	digest_map_init(&graph->by_id);
	graph->arena = arena_new(CLOSURE_MAX_BYTES);
	graph->roots = memory_new_array(root_count + 1, sizeof(*graph->roots));
	graph->holders = memory_new_array(root_count + 1, sizeof(*graph->holders));
	if (graph->arena == NULL || graph->roots == NULL || graph->holders == NULL) {
		closure_graph_unref(&graph);
		return NULL;
	}
	for (size_t root = 0; root < root_count; root++) {
		graph->roots[root] = CLOSURE_NONE;
		for (size_t i = 0; i < CLOSURE_HOLDINGS; i++)
			graph->holders[root][i] = CLOSURE_NONE;
	}
	return graph;
}

static void base_unref(struct base **reference)
{
	struct base *base = *reference;

	*reference = NULL;
	if (base == NULL || atomic_fetch_sub_explicit(&base->references, 1, memory_order_acq_rel) != 1)
		return;
	member_index_free(&base->index);
	memory_free(base);
}

struct closure *closure_new_empty(const struct digest_key *key)
{
	struct closure *closure = memory_new(sizeof(*closure));

	if (closure == NULL)
		return NULL;
	atomic_init(&closure->references, 1);
	closure->key = *key;
	return closure;
}

struct closure *closure_new(size_t root_count, const struct digest_key *key)
{
	struct closure *closure = closure_new_empty(key);

	if (closure == NULL)
		return NULL;
	closure->graph = closure_graph_new(root_count);
	closure->base = memory_new(sizeof(*closure->base));
	if (closure->base != NULL)
		atomic_init(&closure->base->references, 1);
	if (closure->graph == NULL || closure->base == NULL)
		closure_unref(&closure);
	return closure;
}

struct closure *closure_ref(struct closure *closure)
{
	atomic_fetch_add_explicit(&closure->references, 1, memory_order_relaxed);
	return closure;
}

void closure_unref(struct closure **reference)
{
	struct closure *closure = *reference;

	*reference = NULL;
	if (closure == NULL || atomic_fetch_sub_explicit(&closure->references, 1, memory_order_acq_rel) != 1)
		return;
	closure_graph_unref(&closure->graph);
	base_unref(&closure->base);
	for (size_t i = 0; i < closure->overlay_count; i++)
		member_set_unref(&closure->overlays[i].members);
	memory_free(closure->overlays);
	memory_free(closure);
}

/* DNs, uids and ids are digested under different keys, so that one kind never passes for another. */
static struct digest digest_kind(const struct closure *closure, char kind, const char *data, size_t length)
{
	struct digest_key key = closure->key;

	key.k1 ^= (uint64_t)(unsigned char)kind;
	return digest_of(&key, data, length);
}

struct digest closure_digest_dn(const struct closure *closure, const char *key, size_t length)
{
	return digest_kind(closure, 'd', key, length);
}

struct digest closure_digest_uid(const struct closure *closure, const char *uid, size_t length)
{
	return digest_kind(closure, 'u', uid, length);
}

/* The digest of its DN's key; false when memory ran out. */
static bool name_of(const struct closure *closure, const char *dn, struct digest *name_out)
{
	struct text key;
	bool done;

	text_init(&key);
	dn_own_key(dn, strlen(dn), &key);
	done = !text_failed(&key);
	if (done)
		*name_out = closure_digest_dn(closure, text_string(&key), key.length);
	text_done(&key);
	return done;
}

static enum status append_group(struct closure *closure, const char *dn, const char *id, bool is_gone)
{
	struct graph *graph = closure->graph;
	struct group group = {
	    .dn = arena_copy_text(graph->arena, dn), .id = arena_copy_text(graph->arena, id), .is_gone = is_gone};

	if (graph->group_count >= CLOSURE_MAX_GROUPS || arena_hit_limit(graph->arena))
		return STATUS_LIMIT;
	if (group.dn == NULL || group.id == NULL || !name_of(closure, dn, &group.name) ||
	    !ARRAY_RESERVE(&graph->groups, &graph->group_capacity, graph->group_count + 1))
		return STATUS_NO_MEMORY;
	graph->groups[graph->group_count++] = group;
	return STATUS_OK;
}

enum status closure_add_group(struct closure *closure, const char *dn, const char *id, uint32_t *group_out)
{
	struct graph *graph = closure->graph;
	uint32_t number = (uint32_t)graph->group_count;
	enum status status = append_group(closure, dn, id, false);

	if (status != STATUS_OK)
		return status;
	if (!digest_map_put(&graph->by_id, digest_kind(closure, 'i', id, strlen(id)), number) ||
	    !digest_map_put(&graph->by_name, graph->groups[number].name, number))
		return STATUS_NO_MEMORY;
	*group_out = number;
	return STATUS_OK;
}

enum status closure_add_gone(struct closure *closure, const char *dn, const char *id)
{
	return append_group(closure, dn, id, true);
}

enum status closure_add_edge(struct closure *closure, uint32_t child, uint32_t parent)
{
	if ((closure->graph->edge_count + 1) * sizeof(*closure->graph->edges) > CLOSURE_MAX_BYTES)
		return STATUS_LIMIT;
	if (!ARRAY_RESERVE(&closure->graph->edges, &closure->graph->edge_capacity, closure->graph->edge_count + 1))
		return STATUS_NO_MEMORY;
	closure->graph->edges[closure->graph->edge_count++] = (struct edge){parent, child};
	return STATUS_OK;
}

void closure_set_root(struct closure *closure, size_t root, uint32_t group)
{
	closure->graph->roots[root] = group;
}

void closure_add_kinds(struct closure *closure, unsigned kinds)
{
	closure->graph->kinds |= kinds;
}

void closure_add_holding(struct closure *closure, uint32_t group, unsigned holding)
{
	closure->graph->groups[group].holding |= holding;
}

unsigned closure_holding(const struct closure *closure, uint32_t group)
{
	return closure->graph->groups[group].holding;
}

uint32_t closure_find_holder(const struct closure *closure, size_t root, unsigned holding)
{
	for (size_t i = 0; i < CLOSURE_HOLDINGS; i++)
		if (holding == 1U << i)
			return closure->graph->holders[root][i];
	return CLOSURE_NONE;
}

void closure_give_index(struct closure *closure, struct member_index *index)
{
	closure->base->index = index;
}

/*
 * Edges sorted by parent, as an array of first positions: the children of p are
 * edges[first[p]] .. edges[first[p + 1]]. A counting sort: the numbers are dense.
 */
static enum status sort_edges(struct closure *closure, uint32_t **first_out, uint32_t **children_out)
{
	uint32_t *first = memory_new_array(closure->graph->group_count + 2, sizeof(*first));
	uint32_t *children = memory_new_array(closure->graph->edge_count + 1, sizeof(*children));

	if (first == NULL || children == NULL) {
		memory_free(first);
		memory_free(children);
		return STATUS_NO_MEMORY;
	}
	for (size_t i = 0; i < closure->graph->edge_count; i++)
		first[closure->graph->edges[i].parent + 2]++;
	for (size_t group = 2; group < closure->graph->group_count + 2; group++)
		first[group] += first[group - 1];
	for (size_t i = 0; i < closure->graph->edge_count; i++)
		children[first[closure->graph->edges[i].parent + 1]++] = closure->graph->edges[i].child;
	*first_out = first;
	*children_out = children;
	return STATUS_OK;
}

static int compare_numbers(const void *left, const void *right)
{
	const uint32_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

/* Each group's children in order and once, so that two closures can be compared. */
static void tidy_children(struct graph *graph)
{
	uint32_t kept = 0, begin = 0, end;

	for (size_t group = 0; group < graph->group_count; group++, begin = end) {
		const uint32_t first = kept;

		end = graph->first[group + 1];
		if (end - begin > 1)
			qsort(graph->children + begin, end - begin, sizeof(*graph->children), compare_numbers);
		for (uint32_t i = begin; i < end; i++)
			if (kept == first || graph->children[kept - 1] != graph->children[i])
				graph->children[kept++] = graph->children[i];
		graph->first[group] = first;
	}
	graph->first[graph->group_count] = kept;
}

/* Groups are met in the order of their distance, so that the first one stays. */
static void meet_holder(uint32_t holders[CLOSURE_HOLDINGS], uint32_t group, unsigned holding)
{
	for (size_t i = 0; i < CLOSURE_HOLDINGS; i++)
		if ((holding & 1U << i) != 0 && holders[i] == CLOSURE_NONE)
			holders[i] = group;
}

/* Breadth first, downwards from the root: the first way found to a group is a shortest one. */
static void walk_down(struct closure *closure, size_t root, const uint32_t *first, const uint32_t *children,
		      uint32_t *queue)
{
	struct hop *hops = closure->graph->hops + root * closure->graph->group_count;
	size_t head = 0, tail = 0;

	for (size_t group = 0; group < closure->graph->group_count; group++)
		hops[group] = (struct hop){CLOSURE_NONE, CLOSURE_NONE};
	if (closure->graph->roots[root] == CLOSURE_NONE)
		return;
	hops[closure->graph->roots[root]].distance = 0;
	queue[tail++] = closure->graph->roots[root];
	while (head < tail) {
		uint32_t parent = queue[head++];

		meet_holder(closure->graph->holders[root], parent, closure->graph->groups[parent].holding);
		for (uint32_t i = first[parent]; i < first[parent + 1]; i++) {
			if (hops[children[i]].distance != CLOSURE_NONE)
				continue;
			hops[children[i]] = (struct hop){parent, hops[parent].distance + 1};
			queue[tail++] = children[i];
		}
	}
}

/* The ways from every group up to every root. */
static enum status find_ways(struct closure *closure)
{
	struct graph *graph = closure->graph;
	uint32_t *queue = memory_new_array(graph->group_count + 1, sizeof(*queue));

	memory_free(graph->hops);
	graph->hops = memory_new_array(graph->root_count * graph->group_count + 1, sizeof(*graph->hops));
	if (graph->hops == NULL || queue == NULL) {
		memory_free(queue);
		return STATUS_NO_MEMORY;
	}
	for (size_t root = 0; root < graph->root_count; root++)
		walk_down(closure, root, graph->first, graph->children, queue);
	memory_free(queue);
	return STATUS_OK;
}

enum status closure_finish_graph(struct closure *closure)
{
	struct graph *graph = closure->graph;

	if (graph->group_count > 0 &&
	    graph->root_count > CLOSURE_MAX_HOP_BYTES / sizeof(*graph->hops) / graph->group_count)
		return STATUS_LIMIT;
	if (graph->first == NULL) {
		if (sort_edges(closure, &graph->first, &graph->children) != STATUS_OK)
			return STATUS_NO_MEMORY;
		tidy_children(graph);
	}
	memory_free(graph->edges);
	graph->edges = NULL;
	graph->edge_count = graph->edge_capacity = 0;
	return find_ways(closure);
}

enum status closure_finish(struct closure *closure)
{
	if (closure->base->index != NULL && member_index_seal(closure->base->index) != STATUS_OK)
		return STATUS_NO_MEMORY;
	return closure_finish_graph(closure);
}

size_t closure_group_count(const struct closure *closure)
{
	return closure->graph->group_count;
}

size_t closure_root_count(const struct closure *closure)
{
	return closure->graph->root_count;
}

uint32_t closure_root_group(const struct closure *closure, size_t root)
{
	return closure->graph->roots[root];
}

const char *closure_group_dn(const struct closure *closure, uint32_t group)
{
	return closure->graph->groups[group].dn;
}

struct digest closure_group_name(const struct closure *closure, uint32_t group)
{
	return closure->graph->groups[group].name;
}

const char *closure_group_id(const struct closure *closure, uint32_t group)
{
	return closure->graph->groups[group].id;
}

unsigned closure_kinds(const struct closure *closure)
{
	return closure->graph->kinds;
}

const struct member_index *closure_index(const struct closure *closure)
{
	return closure->base->index;
}

uint32_t closure_find_name(const struct closure *closure, const char *key, size_t length)
{
	return digest_map_get(&closure->graph->by_name, closure_digest_dn(closure, key, length));
}

uint32_t closure_find_id(const struct closure *closure, const char *id, size_t length)
{
	return digest_map_get(&closure->graph->by_id, digest_kind(closure, 'i', id, length));
}

uint32_t closure_distance(const struct closure *closure, size_t root, uint32_t group)
{
	return closure->graph->hops[root * closure->graph->group_count + group].distance;
}

uint32_t closure_next_hop(const struct closure *closure, size_t root, uint32_t group)
{
	return closure->graph->hops[root * closure->graph->group_count + group].next;
}

uint32_t closure_find_digest(const struct closure *closure, struct digest name)
{
	return digest_map_get(&closure->graph->by_name, name);
}

void closure_set_by_sid(struct closure *closure)
{
	closure->by_sid = true;
}

bool closure_is_by_sid(const struct closure *closure)
{
	return closure->by_sid;
}

void closure_demand_members(struct closure *closure)
{
	closure->demands_members = true;
}

bool closure_demands_members(const struct closure *closure)
{
	return closure->demands_members;
}

void closure_has_dead_names(struct closure *closure)
{
	closure->lists_dead_names = true;
}

bool closure_lists_dead_names(const struct closure *closure)
{
	return closure->lists_dead_names;
}

const uint32_t *closure_children(const struct closure *closure, uint32_t group, size_t *count_out)
{
	const struct graph *graph = closure->graph;

	*count_out = graph->first[group + 1] - graph->first[group];
	return graph->children + graph->first[group];
}

size_t closure_parents(const struct closure *closure, uint32_t group, uint32_t *parents)
{
	size_t count = 0;

	for (uint32_t parent = 0; parent < closure->graph->group_count; parent++) {
		size_t child_count;
		const uint32_t *children = closure_children(closure, parent, &child_count);

		for (size_t i = 0; i < child_count; i++) {
			if (children[i] != group)
				continue;
			parents[count++] = parent;
			break;
		}
	}
	return count;
}
