/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <cli/layered_private.h>
#include <stdlib.h>

#define ORDER_SWEEPS 24
#define ROW_SWEEPS   24
/* What a point of an edge takes, in rows. */
#define POINT_HEIGHT 0.5

/* A point that is to be put in order: by its wish, and where it stood before. */
struct ranked {
	double wish;
	uint32_t stood, point;
};

/* Points by layer, and links by point. */
struct place {
	struct layered_work *work;
	uint32_t *order;    /* the points of layer l: order[begin[l]] .. order[begin[l + 1] - 1], from top to bottom */
	uint32_t *begin;    /* [layer_count + 1] */
	uint32_t *position; /* [point_count]: within its layer */
	uint32_t *first[2]; /* [point_count + 1]: neighbours to the left, to the right */
	uint32_t *neighbours[2];
	struct ranked *ranked; /* [point_count]: for sorting */
	double *up, *down;     /* [point_count]: rows, from either end */
};

static void place_done(struct place *place)
{
	memory_free(place->order);
	memory_free(place->begin);
	memory_free(place->position);
	for (size_t side = 0; side < 2; side++) {
		memory_free(place->first[side]);
		memory_free(place->neighbours[side]);
	}
	memory_free(place->ranked);
	memory_free(place->up);
	memory_free(place->down);
}

/* Counting sorts: the numbers are dense. */
static void link_side(struct place *place, size_t side)
{
	const struct layered_work *work = place->work;
	uint32_t *first = place->first[side];

	for (size_t i = 0; i < work->link_count; i++)
		first[(side == 0 ? work->links[i].to : work->links[i].from) + 2]++;
	for (size_t i = 2; i < work->point_count + 2; i++)
		first[i] += first[i - 1];
	for (size_t i = 0; i < work->link_count; i++) {
		const struct layered_edge *link = &work->links[i];

		place->neighbours[side][first[(side == 0 ? link->to : link->from) + 1]++] =
		    side == 0 ? link->from : link->to;
	}
}

static void fill_layers(struct place *place)
{
	const struct layered_work *work = place->work;
	const size_t layers = work->out->layer_count;

	for (size_t i = 0; i < work->point_count; i++)
		place->begin[work->points[i].layer + 2]++;
	for (size_t i = 2; i < layers + 2; i++)
		place->begin[i] += place->begin[i - 1];
	for (uint32_t i = 0; i < work->point_count; i++) {
		const uint32_t layer = work->points[i].layer;

		place->position[i] = place->begin[layer + 1] - place->begin[layer];
		place->order[place->begin[layer + 1]++] = i;
	}
}

static bool place_init(struct place *place, struct layered_work *work)
{
	const size_t points = work->point_count + 2;

	*place = (struct place){.work = work};
	place->order = memory_new_array(points, sizeof(*place->order));
	place->begin = memory_new_array(work->out->layer_count + 3, sizeof(*place->begin));
	place->position = memory_new_array(points, sizeof(*place->position));
	place->ranked = memory_new_array(points, sizeof(*place->ranked));
	place->up = memory_new_array(points, sizeof(*place->up));
	place->down = memory_new_array(points, sizeof(*place->down));
	for (size_t side = 0; side < 2; side++) {
		place->first[side] = memory_new_array(points, sizeof(*place->first[side]));
		place->neighbours[side] = memory_new_array(work->link_count + 1, sizeof(*place->neighbours[side]));
	}
	if (place->order == NULL || place->begin == NULL || place->position == NULL || place->ranked == NULL ||
	    place->up == NULL || place->down == NULL)
		return false;
	for (size_t side = 0; side < 2; side++)
		if (place->first[side] == NULL || place->neighbours[side] == NULL)
			return false;
	link_side(place, 0);
	link_side(place, 1);
	fill_layers(place);
	return true;
}

/* The order */

static int compare_ranks(const void *left, const void *right)
{
	const struct ranked *a = left, *b = right;

	if (a->wish < b->wish)
		return -1;
	if (a->wish > b->wish)
		return 1;
	return (a->stood > b->stood) - (a->stood < b->stood);
}

/* Where the neighbours of one side stand, on the mean; without any, where it stands. */
static double mean_position(const struct place *place, uint32_t point, size_t side)
{
	const uint32_t begin = place->first[side][point], end = place->first[side][point + 1];
	double sum = 0;

	if (begin == end)
		return place->position[point];
	for (uint32_t i = begin; i < end; i++)
		sum += place->position[place->neighbours[side][i]];
	return sum / (end - begin);
}

static void order_layer(struct place *place, size_t layer, size_t side)
{
	const uint32_t begin = place->begin[layer], end = place->begin[layer + 1];

	for (uint32_t i = begin; i < end; i++)
		place->ranked[i] = (struct ranked){
		    .wish = mean_position(place, place->order[i], side), .stood = i, .point = place->order[i]};
	qsort(place->ranked + begin, end - begin, sizeof(*place->ranked), compare_ranks);
	for (uint32_t i = begin; i < end; i++) {
		place->order[i] = place->ranked[i].point;
		place->position[place->order[i]] = i - begin;
	}
}

static void order_all(struct place *place)
{
	const size_t layers = place->work->out->layer_count;

	for (size_t sweep = 0; sweep < ORDER_SWEEPS; sweep++)
		for (size_t i = 0; i < layers; i++)
			order_layer(place, sweep % 2 == 0 ? i : layers - 1 - i, sweep % 2);
}

/* The rows */

static double height(const struct layered_point *point)
{
	return point->is_node ? 1 : POINT_HEIGHT;
}

static double apart(const struct layered_point *a, const struct layered_point *b)
{
	return (height(a) + height(b)) / 2;
}

static double mean_row(const struct place *place, uint32_t point)
{
	double sum = 0;
	uint32_t count = 0;

	for (size_t side = 0; side < 2; side++)
		for (uint32_t i = place->first[side][point]; i < place->first[side][point + 1]; i++, count++)
			sum += place->work->points[place->neighbours[side][i]].row;
	return count == 0 ? place->work->points[point].row : sum / count;
}

/*
 * Each where it wishes to be, and apart from the others: once pushed down from the top, once up from the bottom. The mean of both keeps
 * them apart as well.
 */
static void settle_layer(struct place *place, size_t layer)
{
	const uint32_t begin = place->begin[layer], end = place->begin[layer + 1];
	struct layered_point *points = place->work->points;

	for (uint32_t i = begin; i < end; i++) {
		const struct layered_point *point = &points[place->order[i]];
		const double least =
		    i == begin ? point->wish : place->up[i - 1] + apart(&points[place->order[i - 1]], point);

		place->up[i] = point->wish > least ? point->wish : least;
	}
	for (uint32_t i = end; i-- > begin;) {
		struct layered_point *point = &points[place->order[i]];
		const double most =
		    i + 1 == end ? point->wish : place->down[i + 1] - apart(point, &points[place->order[i + 1]]);

		place->down[i] = point->wish < most ? point->wish : most;
	}
	for (uint32_t i = begin; i < end; i++)
		points[place->order[i]].row = (place->up[i] + place->down[i]) / 2;
}

static void choose_rows(struct place *place)
{
	const size_t layers = place->work->out->layer_count;
	struct layered_point *points = place->work->points;

	for (size_t i = 0; i < place->work->point_count; i++)
		points[i].row = place->position[i];
	for (size_t sweep = 0; sweep < ROW_SWEEPS; sweep++)
		for (size_t i = 0; i < layers; i++) {
			const size_t layer = sweep % 2 == 0 ? i : layers - 1 - i;

			for (uint32_t k = place->begin[layer]; k < place->begin[layer + 1]; k++)
				points[place->order[k]].wish = mean_row(place, place->order[k]);
			settle_layer(place, layer);
		}
}

static void shift_rows(struct layered_work *work)
{
	double top = 0, bottom = 0;

	for (size_t i = 0; i < work->point_count; i++) {
		if (i == 0 || work->points[i].row < top)
			top = work->points[i].row;
		if (i == 0 || work->points[i].row > bottom)
			bottom = work->points[i].row;
	}
	for (size_t i = 0; i < work->point_count; i++)
		work->points[i].row += 0.5 - top;
	work->out->row_count = bottom - top + 1;
}

bool layered_place(struct layered_work *work)
{
	struct place place;
	const bool good = place_init(&place, work);

	if (good) {
		order_all(&place);
		choose_rows(&place);
		shift_rows(work);
	}
	place_done(&place);
	return good;
}
