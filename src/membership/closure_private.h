/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A closure from inside.
 *
 *	closure.c         the graph: who is beneath whom, the ways up
 *	closure_derive.c  members, and closures that were derived from others
 */
#ifndef WSMAUTHZ_MEMBERSHIP_CLOSURE_PRIVATE_H
#define WSMAUTHZ_MEMBERSHIP_CLOSURE_PRIVATE_H

#include <base/arena.h>
#include <base/digest_map.h>
#include <membership/closure.h>
#include <stdatomic.h>

struct group {
	const char *dn;
	const char *id;
	struct digest name;
	unsigned holding;
	bool is_gone; /* of a derived closure: it keeps its number, and nobody finds it */
};

struct edge {
	uint32_t parent, child;
};

struct hop {
	uint32_t next;
	uint32_t distance; /* CLOSURE_NONE: not beneath the root */
};

/* Who is beneath whom. */
struct graph {
	atomic_size_t references;
	struct arena *arena; /* names and ids */
	struct group *groups;
	size_t group_count, group_capacity;
	struct edge *edges; /* while building; freed by closure_finish */
	size_t edge_count, edge_capacity;
	uint32_t *first, *children; /* the children of group g: children[first[g]] .. children[first[g + 1]] */
	uint32_t *roots;            /* [root_count] */
	uint32_t (*holders)[CLOSURE_HOLDINGS]; /* [root_count]: by the bit of the holding, closure_find_holder */
	size_t root_count;
	struct hop *hops; /* [root_count][group_count] */
	struct digest_map by_name, by_id;
	unsigned kinds;
};

/* The member index, shared by the closures that were derived from the one that was loaded. */
struct base {
	atomic_size_t references;
	struct member_index *index; /* NULL: none */
};

/* The members of a group that the index has others for. */
struct overlay {
	uint32_t group;
	struct member_set *members;
};

struct closure {
	atomic_size_t references;
	struct digest_key key;
	struct graph *graph;
	struct base *base;
	struct overlay *overlays; /* ordered by group */
	size_t overlay_count;
	bool demands_members, lists_dead_names, by_sid;
};

/** An empty graph, or NULL. */
NODISCARD struct graph *closure_graph_new(size_t root_count);
void closure_graph_unref(struct graph **graph);

/** A closure with neither graph nor base, or NULL. */
NODISCARD struct closure *closure_new_empty(const struct digest_key *key);

/** A group that is gone. As closure_add_group. */
NODISCARD enum status closure_add_gone(struct closure *closure, const char *dn, const char *id);

/** Sort the edges, find the ways. @return STATUS_OK, STATUS_LIMIT, STATUS_NO_MEMORY. */
NODISCARD enum status closure_finish_graph(struct closure *closure);

#endif
