/* SPDX-License-Identifier: Apache-2.0 */
#include <base/digest_map.h>
#include <base/memory.h>
#include <base/text.h>
#include <identity/dn.h>
#include <membership/closure.h>
#include <stdatomic.h>
#include <string.h>

struct group {
	const char *dn;
	const char *id;
};

struct edge {
	uint32_t parent, child;
};

struct hop {
	uint32_t next;
	uint32_t distance; /* CLOSURE_NONE: not beneath the root */
};

struct closure {
	atomic_size_t references;
	struct arena *arena; /* names and ids */
	struct digest_key key;
	struct group *groups;
	size_t group_count, group_capacity;
	struct edge *edges; /* while building; freed by closure_finish */
	size_t edge_count, edge_capacity;
	uint32_t *roots; /* [root_count] */
	size_t root_count;
	struct hop *hops; /* [root_count][group_count] */
	struct digest_map by_name, by_id;
	struct member_index *index;
	unsigned kinds;
};

struct closure *closure_new(size_t root_count, const struct digest_key *key)
{
	struct closure *closure = memory_new(sizeof(*closure));

	if (closure == NULL)
		return NULL;
	atomic_init(&closure->references, 1);
	closure->key = *key;
	closure->root_count = root_count;
	digest_map_init(&closure->by_name);
	digest_map_init(&closure->by_id);
	closure->arena = arena_new(CLOSURE_MAX_BYTES);
	closure->roots = memory_new_array(root_count + 1, sizeof(*closure->roots));
	if (closure->arena == NULL || closure->roots == NULL) {
		closure_unref(&closure);
		return NULL;
	}
	for (size_t root = 0; root < root_count; root++)
		closure->roots[root] = CLOSURE_NONE;
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
	arena_free(&closure->arena);
	memory_free(closure->groups);
	memory_free(closure->edges);
	memory_free(closure->roots);
	memory_free(closure->hops);
	digest_map_done(&closure->by_name);
	digest_map_done(&closure->by_id);
	member_index_free(&closure->index);
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

static enum status index_name(struct closure *closure, const char *dn, uint32_t group)
{
	struct text key;
	enum status status = STATUS_OK;

	text_init(&key);
	dn_own_key(dn, strlen(dn), &key);
	if (text_failed(&key) ||
	    !digest_map_put(&closure->by_name, closure_digest_dn(closure, text_string(&key), key.length), group))
		status = STATUS_NO_MEMORY;
	text_done(&key);
	return status;
}

enum status closure_add_group(struct closure *closure, const char *dn, const char *id, uint32_t *group_out)
{
	struct group group = {arena_copy_text(closure->arena, dn), arena_copy_text(closure->arena, id)};
	uint32_t number = (uint32_t)closure->group_count;

	if (closure->group_count >= CLOSURE_MAX_GROUPS || arena_hit_limit(closure->arena))
		return STATUS_LIMIT;
	if (group.dn == NULL || group.id == NULL ||
	    !ARRAY_RESERVE(&closure->groups, &closure->group_capacity, closure->group_count + 1) ||
	    !digest_map_put(&closure->by_id, digest_kind(closure, 'i', id, strlen(id)), number) ||
	    index_name(closure, dn, number) != STATUS_OK)
		return STATUS_NO_MEMORY;
	closure->groups[closure->group_count++] = group;
	*group_out = number;
	return STATUS_OK;
}

enum status closure_add_edge(struct closure *closure, uint32_t child, uint32_t parent)
{
	if ((closure->edge_count + 1) * sizeof(*closure->edges) > CLOSURE_MAX_BYTES)
		return STATUS_LIMIT;
	if (!ARRAY_RESERVE(&closure->edges, &closure->edge_capacity, closure->edge_count + 1))
		return STATUS_NO_MEMORY;
	closure->edges[closure->edge_count++] = (struct edge){parent, child};
	return STATUS_OK;
}

void closure_set_root(struct closure *closure, size_t root, uint32_t group)
{
	closure->roots[root] = group;
}

void closure_add_kind(struct closure *closure, enum closure_kind kind)
{
	closure->kinds |= (unsigned)kind;
}

void closure_give_index(struct closure *closure, struct member_index *index)
{
	closure->index = index;
}

/*
 * Edges sorted by parent, as an array of first positions: the children of p are
 * edges[first[p]] .. edges[first[p + 1]]. A counting sort: the numbers are dense.
 */
static enum status sort_edges(struct closure *closure, uint32_t **first_out, uint32_t **children_out)
{
	uint32_t *first = memory_new_array(closure->group_count + 2, sizeof(*first));
	uint32_t *children = memory_new_array(closure->edge_count + 1, sizeof(*children));

	if (first == NULL || children == NULL) {
		memory_free(first);
		memory_free(children);
		return STATUS_NO_MEMORY;
	}
	for (size_t i = 0; i < closure->edge_count; i++)
		first[closure->edges[i].parent + 2]++;
	for (size_t group = 2; group < closure->group_count + 2; group++)
		first[group] += first[group - 1];
	for (size_t i = 0; i < closure->edge_count; i++)
		children[first[closure->edges[i].parent + 1]++] = closure->edges[i].child;
	*first_out = first;
	*children_out = children;
	return STATUS_OK;
}

/* Breadth first, downwards from the root: the first way found to a group is a shortest one. */
static void walk_down(struct closure *closure, size_t root, const uint32_t *first, const uint32_t *children,
		      uint32_t *queue)
{
	struct hop *hops = closure->hops + root * closure->group_count;
	size_t head = 0, tail = 0;

	for (size_t group = 0; group < closure->group_count; group++)
		hops[group] = (struct hop){CLOSURE_NONE, CLOSURE_NONE};
	if (closure->roots[root] == CLOSURE_NONE)
		return;
	hops[closure->roots[root]].distance = 0;
	queue[tail++] = closure->roots[root];
	while (head < tail) {
		uint32_t parent = queue[head++];

		for (uint32_t i = first[parent]; i < first[parent + 1]; i++) {
			if (hops[children[i]].distance != CLOSURE_NONE)
				continue;
			hops[children[i]] = (struct hop){parent, hops[parent].distance + 1};
			queue[tail++] = children[i];
		}
	}
}

enum status closure_finish(struct closure *closure)
{
	uint32_t *first = NULL, *children = NULL, *queue = NULL;
	enum status status = STATUS_NO_MEMORY;

	if (closure->group_count > 0 &&
	    closure->root_count > CLOSURE_MAX_HOP_BYTES / sizeof(*closure->hops) / closure->group_count)
		return STATUS_LIMIT;
	if (closure->index != NULL && member_index_seal(closure->index) != STATUS_OK)
		return STATUS_NO_MEMORY;
	memory_free(closure->hops);
	closure->hops = memory_new_array(closure->root_count * closure->group_count + 1, sizeof(*closure->hops));
	queue = memory_new_array(closure->group_count + 1, sizeof(*queue));
	if (closure->hops == NULL || queue == NULL || sort_edges(closure, &first, &children) != STATUS_OK)
		goto out;
	for (size_t root = 0; root < closure->root_count; root++)
		walk_down(closure, root, first, children, queue);
	memory_free(closure->edges);
	closure->edges = NULL;
	closure->edge_count = closure->edge_capacity = 0;
	status = STATUS_OK;
out:
	memory_free(first);
	memory_free(children);
	memory_free(queue);
	return status;
}

size_t closure_group_count(const struct closure *closure)
{
	return closure->group_count;
}

size_t closure_root_count(const struct closure *closure)
{
	return closure->root_count;
}

uint32_t closure_root_group(const struct closure *closure, size_t root)
{
	return closure->roots[root];
}

const char *closure_group_dn(const struct closure *closure, uint32_t group)
{
	return closure->groups[group].dn;
}

const char *closure_group_id(const struct closure *closure, uint32_t group)
{
	return closure->groups[group].id;
}

unsigned closure_kinds(const struct closure *closure)
{
	return closure->kinds;
}

const struct member_index *closure_index(const struct closure *closure)
{
	return closure->index;
}

uint32_t closure_find_name(const struct closure *closure, const char *key, size_t length)
{
	return digest_map_get(&closure->by_name, closure_digest_dn(closure, key, length));
}

uint32_t closure_find_id(const struct closure *closure, const char *id, size_t length)
{
	return digest_map_get(&closure->by_id, digest_kind(closure, 'i', id, length));
}

uint32_t closure_distance(const struct closure *closure, size_t root, uint32_t group)
{
	return closure->hops[root * closure->group_count + group].distance;
}

uint32_t closure_next_hop(const struct closure *closure, size_t root, uint32_t group)
{
	return closure->hops[root * closure->group_count + group].next;
}
