/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <cli/layered.h>
#include <string.h>
#include <support/memory_failing.h>

#define NODES 60

static bool no_last[NODES];

/* "01 12": edges between nodes that have one digit. */
static size_t parse(const char *text, struct layered_edge *edges)
{
	size_t count = 0;

	for (; *text != '\0'; text += text[2] == ' ' ? 3 : 2)
		edges[count++] = (struct layered_edge){(uint32_t)(text[0] - '0'), (uint32_t)(text[1] - '0')};
	return count;
}

static void assert_layers(size_t nodes, const char *text, const char *expected)
{
	struct layered_edge edges[16];
	struct layered layered;
	char layers[16] = "";
	bool to_last[NODES] = {[3] = true};

	assert_true(layered_make(nodes, edges, parse(text, edges), to_last, &layered));
	for (size_t i = 0; i < nodes; i++)
		layers[i] = (char)('0' + layered.layers[i]);
	assert_string_equal(layers, expected);
	layered_done(&layered);
}

static void layered_make__graphs__everybody_stands_behind_what_leads_there(void **state)
{
	(void)state;
	assert_layers(1, "", "0");
	assert_layers(3, "01 12", "012");
	assert_layers(3, "01 12 02", "012");
	assert_layers(4, "01 12", "0122");       /* node 3 may stand last, and nothing leads there */
	assert_layers(4, "01 12 13 30", "0122"); /* a ring */
	assert_layers(3, "01 11 12 21", "012");  /* a loop, and a ring */
	assert_layers(5, "01 12 43", "01221");   /* what begins on its own stands close to what it leads to */
}

/* A graph of pseudo-random edges, the same each time. */
static size_t make_random(unsigned seed, struct layered_edge *edges, size_t limit)
{
	uint64_t random = seed * 2654435761U + 1;
	size_t count = 0;

	while (count < limit) {
		random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		edges[count].from = (uint32_t)(random >> 33) % NODES;
		edges[count].to = (uint32_t)(random >> 45) % NODES;
		if (count % 7 != 0 && edges[count].from > edges[count].to) /* few rings */
			continue;
		count++;
	}
	return count;
}

static void assert_sound(const struct layered *layered, const struct layered_edge *edges, size_t count)
{
	for (size_t i = 0; i < NODES; i++) {
		assert_true(layered->rows[i] >= 0.499 && layered->rows[i] <= layered->row_count - 0.499);
		assert_true(layered->layers[i] < layered->layer_count);
		for (size_t k = 0; k < i; k++)
			if (layered->layers[i] == layered->layers[k]) {
				const double apart = layered->rows[i] - layered->rows[k];

				assert_true(apart > 0.999 || apart < -0.999);
			}
	}
	for (size_t i = 0; i < count; i++) {
		const struct layered_route *route = &layered->routes[i];
		const uint32_t left = layered->layers[route->is_turned ? edges[i].to : edges[i].from];
		const uint32_t right = layered->layers[route->is_turned ? edges[i].from : edges[i].to];

		if (edges[i].from == edges[i].to)
			continue;
		assert_true(left < right);
		assert_int_equal(route->count, right - left - 1);
		/* It leads past the boxes. */
		for (size_t k = 0; k < route->count; k++)
			for (size_t n = 0; n < NODES; n++)
				if (layered->layers[n] == left + 1 + k) {
					const double apart = layered->rows[n] - layered->points[route->first + k];

					assert_true(apart > 0.7 || apart < -0.7);
				}
	}
}

static void layered_make__random_graphs__nothing_overlaps(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < 30; seed++) {
		struct layered_edge edges[150];
		const size_t count = make_random(seed, edges, 20 + seed * 4);
		struct layered first, second;

		assert_true(layered_make(NODES, edges, count, no_last, &first));
		assert_sound(&first, edges, count);
		assert_true(layered_make(NODES, edges, count, no_last, &second));
		assert_memory_equal(first.rows, second.rows, NODES * sizeof(*first.rows));
		layered_done(&first);
		layered_done(&second);
	}
}

static unsigned count_crossings(const struct layered *layered, const struct layered_edge *edges, size_t count)
{
	unsigned crossings = 0;

	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < i; k++)
			crossings += (layered->rows[edges[i].from] - layered->rows[edges[k].from]) *
					 (layered->rows[edges[i].to] - layered->rows[edges[k].to]) <
				     -0.001;
	return crossings;
}

/* Two layers that can be drawn without a crossing, given in an order that has them all. */
static void layered_make__what_need_not_cross__does_not(void **state)
{
	static const char text[] = "01 02 03 04 18 27 36 45";
	struct layered_edge edges[16];
	const size_t count = parse(text, edges);
	struct layered layered;

	(void)state;
	assert_true(layered_make(9, edges, count, no_last, &layered));
	assert_int_equal(count_crossings(&layered, edges + 4, 4), 0);
	layered_done(&layered);
}

static void layered_make__too_many_points__does_without(void **state)
{
	static struct layered_edge edges[2 * 500];
	static bool to_last[501];
	struct layered layered;
	size_t count = 0;

	(void)state;
	for (uint32_t i = 0; i < 500; i++) {
		edges[count++] = (struct layered_edge){i, i + 1};
		edges[count++] = (struct layered_edge){0, i + 1};
	}
	assert_true(layered_make(501, edges, count, to_last, &layered));
	assert_int_equal(layered.layer_count, 501);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(layered.routes[i].count, 0);
	layered_done(&layered);
}

static void layered_make__nth_allocation_fails__says_so(void **state)
{
	struct layered_edge edges[60];
	const size_t count = make_random(3, edges, COUNT_OF(edges)), before = memory_live_count();
	bool is_over = false;
	size_t n = 1;

	(void)state;
	for (; !is_over; n++) {
		struct layered layered = {.layer_count = 0};

		memory_fail_at(n);
		is_over = layered_make(NODES, edges, count, no_last, &layered);
		memory_fail_at(0);
		layered_done(&layered);
		assert_int_equal(memory_live_count(), before);
	}
	assert_true(n > 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(layered_make__graphs__everybody_stands_behind_what_leads_there),
	    cmocka_unit_test(layered_make__random_graphs__nothing_overlaps),
	    cmocka_unit_test(layered_make__what_need_not_cross__does_not),
	    cmocka_unit_test(layered_make__too_many_points__does_without),
	    cmocka_unit_test(layered_make__nth_allocation_fails__says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
