/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <cli/layered.h>
#include <cli/layered_private.h>
#include <string.h>

/* Turning edges round: depth first, and an edge to somebody on the way is one that closes a ring. */

struct dive {
	uint32_t *first,
	    *next; /* edges by their beginning: next[e] is the next one of the same node, from 1; 0: none */
	uint32_t *cursor, *stack;
	unsigned char *state; /* 0: not met, 1: on the way, 2: left */
};

static void dive_done(struct dive *dive)
{
	memory_free(dive->first);
	memory_free(dive->next);
	memory_free(dive->cursor);
	memory_free(dive->stack);
	memory_free(dive->state);
}

static bool dive_init(struct dive *dive, const struct layered_work *work)
{
	dive->first = memory_new_array(work->node_count + 1, sizeof(*dive->first));
	dive->next = memory_new_array(work->edge_count + 1, sizeof(*dive->next));
	dive->cursor = memory_new_array(work->node_count + 1, sizeof(*dive->cursor));
	dive->stack = memory_new_array(work->node_count + 1, sizeof(*dive->stack));
	dive->state = memory_new_array(work->node_count + 1, sizeof(*dive->state));
	if (dive->first == NULL || dive->next == NULL || dive->cursor == NULL || dive->stack == NULL ||
	    dive->state == NULL)
		return false;
	for (size_t i = work->edge_count; i-- > 0;) { /* so that they are met in their order */
		const uint32_t from = work->edges[i].from;

		dive->next[i] = dive->first[from];
		dive->first[from] = (uint32_t)i + 1;
	}
	return true;
}

static size_t enter(struct dive *dive, size_t depth, uint32_t node)
{
	dive->state[node] = 1;
	dive->cursor[node] = dive->first[node];
	dive->stack[depth] = node;
	return depth + 1;
}

static void dive_from(struct dive *dive, struct layered_work *work, uint32_t start)
{
	size_t depth = enter(dive, 0, start);

	while (depth > 0) {
		const uint32_t node = dive->stack[depth - 1], edge = dive->cursor[node];
		uint32_t to;

		if (edge == 0) {
			dive->state[node] = 2;
			depth--;
			continue;
		}
		dive->cursor[node] = dive->next[edge - 1];
		to = work->edges[edge - 1].to;
		if (dive->state[to] == 1)
			work->out->routes[edge - 1].is_turned = true;
		else if (dive->state[to] == 0)
			depth = enter(dive, depth, to);
	}
}

static bool turn_edges(struct layered_work *work)
{
	struct dive dive = {.first = NULL};
	const bool good = dive_init(&dive, work);

	for (uint32_t node = 0; good && node < work->node_count; node++)
		if (dive.state[node] == 0)
			dive_from(&dive, work, node);
	dive_done(&dive);
	return good;
}

struct layered_edge layered_forward(const struct layered_work *work, size_t edge)
{
	const struct layered_edge given = work->edges[edge];

	return work->out->routes[edge].is_turned ? (struct layered_edge){given.to, given.from} : given;
}

/* Layers */

/* As far to the right as what leads there says. As often as there are layers, at most. */
static void push_right(struct layered_work *work)
{
	bool has_changed = true;

	while (has_changed) {
		has_changed = false;
		for (size_t i = 0; i < work->edge_count; i++) {
			const struct layered_edge edge = layered_forward(work, i);
			uint32_t *to = &work->out->layers[edge.to];
			const uint32_t least = work->out->layers[edge.from] + 1;

			if (edge.from == edge.to || *to >= least)
				continue;
			*to = least;
			has_changed = true;
		}
	}
}

static uint32_t last_layer(const struct layered_work *work)
{
	uint32_t last = 0;

	for (size_t i = 0; i < work->node_count; i++)
		if (work->out->layers[i] > last)
			last = work->out->layers[i];
	return last;
}

/* Where the first of those behind it stands; `last` + 1: there is none. */
static uint32_t nearest_behind(const struct layered_work *work, uint32_t node, uint32_t last)
{
	uint32_t nearest = last + 1;

	for (size_t i = 0; i < work->edge_count; i++) {
		const struct layered_edge edge = layered_forward(work, i);

		if (edge.from == node && edge.to != node && work->out->layers[edge.to] < nearest)
			nearest = work->out->layers[edge.to];
	}
	return nearest;
}

static bool has_before(const struct layered_work *work, uint32_t node)
{
	for (size_t i = 0; i < work->edge_count; i++) {
		const struct layered_edge edge = layered_forward(work, i);

		if (edge.to == node && edge.from != node)
			return true;
	}
	return false;
}

/* Ends to the right where that is wanted; and what begins on its own, close to what it leads to. Node 0 stays. */
static void pull_right(struct layered_work *work, const bool *to_last)
{
	const uint32_t last = last_layer(work);

	for (uint32_t node = 1; node < work->node_count; node++) {
		const uint32_t behind = nearest_behind(work, node, last);

		if (behind > last ? to_last[node] : !has_before(work, node))
			work->out->layers[node] = behind - 1;
	}
	work->out->layer_count = (size_t)last + 1;
}

/* The points: every node, then those of the edges. */

static size_t count_points(const struct layered_work *work)
{
	size_t count = work->node_count;

	for (size_t i = 0; i < work->edge_count; i++) {
		const struct layered_edge edge = layered_forward(work, i);
		const uint32_t from = work->out->layers[edge.from], to = work->out->layers[edge.to];

		count += to > from + 1 ? to - from - 1 : 0;
	}
	return count;
}

static void link_points(struct layered_work *work, uint32_t left, uint32_t right)
{
	work->links[work->link_count++] = (struct layered_edge){left, right};
}

static void add_edge(struct layered_work *work, size_t i, bool has_points)
{
	const struct layered_edge edge = layered_forward(work, i);
	struct layered_route *route = &work->out->routes[i];
	uint32_t at = edge.from;

	if (edge.from == edge.to)
		return;
	route->first = work->point_count - work->node_count;
	for (uint32_t layer = work->out->layers[edge.from] + 1; has_points && layer < work->out->layers[edge.to];
	     layer++) {
		work->points[work->point_count].layer = layer;
		link_points(work, at, (uint32_t)work->point_count);
		at = (uint32_t)work->point_count++;
		route->count++;
	}
	link_points(work, at, edge.to);
}

static bool make_points(struct layered_work *work)
{
	const size_t wanted = count_points(work);
	const bool has_points = wanted <= LAYERED_MAX_POINTS;
	const size_t room = has_points ? wanted : work->node_count;

	work->points = memory_new_array(room + 1, sizeof(*work->points));
	work->links = memory_new_array(room + work->edge_count + 1, sizeof(*work->links));
	if (work->points == NULL || work->links == NULL)
		return false;
	for (size_t i = 0; i < work->node_count; i++)
		work->points[i] = (struct layered_point){.layer = work->out->layers[i], .is_node = true};
	work->point_count = work->node_count;
	for (size_t i = 0; i < work->edge_count; i++)
		add_edge(work, i, has_points);
	return true;
}

static bool take_rows(struct layered_work *work)
{
	struct layered *out = work->out;

	out->points = memory_new_array(work->point_count - work->node_count + 1, sizeof(*out->points));
	if (out->points == NULL)
		return false;
	for (size_t i = 0; i < work->point_count; i++) {
		if (i < work->node_count)
			out->rows[i] = work->points[i].row;
		else
			out->points[i - work->node_count] = work->points[i].row;
	}
	return true;
}

static bool lay_out(struct layered_work *work, const bool *to_last)
{
	struct layered *out = work->out;

	out->layers = memory_new_array(work->node_count + 1, sizeof(*out->layers));
	out->rows = memory_new_array(work->node_count + 1, sizeof(*out->rows));
	out->routes = memory_new_array(work->edge_count + 1, sizeof(*out->routes));
	if (out->layers == NULL || out->rows == NULL || out->routes == NULL || !turn_edges(work))
		return false;
	for (size_t i = 1; i < work->node_count; i++) /* the first node stands alone */
		out->layers[i] = 1;
	push_right(work);
	pull_right(work, to_last);
	return make_points(work) && layered_place(work) && take_rows(work);
}

bool layered_make(size_t node_count, const struct layered_edge *edges, size_t edge_count, const bool *to_last,
		  struct layered *layered_out)
{
	struct layered layered = {.layer_count = 0};
	struct layered_work work = {
	    .node_count = node_count, .edges = edges, .edge_count = edge_count, .out = &layered};
	const bool good = lay_out(&work, to_last);

	memory_free(work.points);
	memory_free(work.links);
	if (good)
		*layered_out = layered;
	else
		layered_done(&layered);
	return good;
}

void layered_done(struct layered *layered)
{
	memory_free(layered->layers);
	memory_free(layered->rows);
	memory_free(layered->routes);
	memory_free(layered->points);
	memset(layered, 0, sizeof(*layered));
}
