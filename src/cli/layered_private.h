/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A layout from inside.
 *
 *	layered.c        which edges are turned round, which layer a node stands in, the points of long edges
 *	layered_place.c  the order in each layer, and the rows
 */
#ifndef WSMAUTHZ_CLI_LAYERED_PRIVATE_H
#define WSMAUTHZ_CLI_LAYERED_PRIVATE_H

#include <cli/layered.h>

/* A node, or a place that an edge goes through. */
struct layered_point {
	uint32_t layer;
	bool is_node;
	double row;
	double wish; /* the mean of the neighbours */
};

struct layered_work {
	size_t node_count;
	const struct layered_edge *edges;
	size_t edge_count;
	struct layered *out;
	struct layered_point *points; /* the nodes first */
	size_t point_count;
	struct layered_edge *
	    links; /* between points of neighbouring layers, from left to right; of nodes further apart when there are too many */
	size_t link_count;
};

/** An edge from left to right. */
struct layered_edge layered_forward(const struct layered_work *work, size_t edge);

/** Choose all rows, and row_count. @return false: memory ran out. */
NODISCARD bool layered_place(struct layered_work *work);

#endif
