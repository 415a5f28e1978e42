/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small layered layout of a directed graph, from left to right (K. Sugiyama et al., "Methods for visual understanding of hierarchical
 * system structures", 1981): edges that close a ring are turned round; each node stands behind all that lead to it; in each layer the
 * nodes are ordered by the mean of their neighbours', in some sweeps; and rows are chosen near the neighbours' rows. Edges over several
 * layers get a point in each of them, so that they lead past the boxes.
 *
 * Node 0 is the one that all begins with; nobody stands in its layer but it.
 *
 * The same graph gives the same picture. Pure, but for the memory.
 */
#ifndef WSMAUTHZ_CLI_LAYERED_H
#define WSMAUTHZ_CLI_LAYERED_H

#include <base/compiler.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Nodes and points of edges; with more, edges have no points of their own. */
#define LAYERED_MAX_POINTS 20000

struct layered_edge {
	uint32_t from, to;
};

struct layered_route {
	size_t first; /* in `points`: the edge's rows in the layers between its ends, from left to right */
	size_t count;
	bool is_turned; /* it leads from right to left: it closes a ring */
};

struct layered {
	uint32_t *layers;             /* [node_count] */
	double *rows;                 /* [node_count]: a box takes the row and half a row above and below */
	struct layered_route *routes; /* [edge_count]; an edge from a node to itself has no points */
	double *points;
	size_t layer_count;
	double row_count; /* all rows are at least 0.5, and at most this less 0.5 */
};

/**
 * @param to_last  [node_count]: nodes that stand in the last layer if nothing stands behind them.
 * @return false: memory ran out, and there is nothing to free.
 */
NODISCARD bool layered_make(size_t node_count, const struct layered_edge *edges, size_t edge_count, const bool *to_last,
			    struct layered *layered_out);
void layered_done(struct layered *layered);

#endif
