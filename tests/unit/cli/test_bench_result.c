/* SPDX-License-Identifier: Apache-2.0 */
#include <cli/bench_result.h>
#include <stdlib.h>
#include <string.h>
#include <support/assertions.h>

static const struct bench_settings settings = {.threads = 2, .outstanding = 64, .duration_ms = 5000};

static int make(void **state)
{
	*state = calloc(1, sizeof(struct bench_result));
	return *state == NULL ? -1 : 0;
}

static int drop(void **state)
{
	free(*state);
	return 0;
}

static void bench_line__slices_in_any_order__give_median_min_and_max(void **state)
{
	static const double orders[][3] = {{1, 2, 3}, {3, 1, 2}, {2, 3, 1}, {3, 2, 1}, {2, 2, 1}, {2, 2, 2}, {2, 2, 3}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(orders); i++) {
		struct bench_line line = {.slice_count = 3};

		memcpy(line.slices, orders[i], sizeof(orders[i]));
		assert_true(bench_line_median(&line) > 1.9 && bench_line_median(&line) < 2.1);
		assert_true(bench_line_min(&line) <= 2 && bench_line_max(&line) >= 2);
	}
}

static void bench_line__fewer_slices__are_enough(void **state)
{
	struct bench_line line = {.slice_count = 0};

	(void)state;
	assert_true(bench_line_median(&line) < 0.1 && bench_line_min(&line) < 0.1);
	line.slice_count = 1;
	line.slices[0] = 5;
	assert_true(bench_line_median(&line) > 4.9);
	line.slice_count = 2;
	line.slices[1] = 3;
	assert_true(bench_line_median(&line) < 3.1);
}

static void fill(struct bench_result *result)
{
	struct bench_line *cold = &result->lines[LINE_COLD], *floor_line = &result->lines[LINE_FLOOR];

	result->sender_count = 10;
	cold->is_measured = floor_line->is_measured = true;
	cold->slice_count = floor_line->slice_count = 1;
	cold->slices[0] = 300;
	floor_line->slices[0] = 100;
	cold->calls = 200;
	cold->authorized = 120;
	cold->denied = 80;
	result->cold_searches = 50;
	result->cold_round_trips = 200;
	result->cold_bytes = 50000;
	result->knows_searches = true;
	histogram_add(&cold->latency, 1000);
}

static void bench_result_json__what_was_measured__is_there_and_the_rest_is_null(void **state)
{
	struct bench_result *result = *state;
	struct text text;

	fill(result);
	text_init(&text);
	bench_result_json(&text, &settings, result);

	assert_false(text_failed(&text));
	assert_contains(text_string(&text), "\"cold_to_floor\":3.0000");
	assert_contains(text_string(&text), "\"searches_per_decision\":0.2500");
	assert_contains(text_string(&text), "\"bytes_per_decision\":250.0000");
	assert_contains(text_string(&text), "\"round_trips_per_decision\":1.0000");
	assert_contains(text_string(&text), "\"cold\":{\"per_second\":300.0000");
	assert_contains(text_string(&text), "\"max_ns\":1000");
	assert_contains(text_string(&text), "\"api\":null");
	assert_contains(text_string(&text), "\"api_to_probe\":null");
	assert_contains(text_string(&text), "\"bytes_per_user\":null");
	assert_contains(text_string(&text), "}\n");
	text_done(&text);
}

static void bench_result_text__what_was_measured__has_a_line(void **state)
{
	struct bench_result *result = *state;
	struct text text;

	fill(result);
	text_init(&text);
	bench_result_text(&text, &settings, result);

	assert_contains(text_string(&text), "cold, many at a time");
	assert_contains(text_string(&text), "3.00 x");
	assert_contains(text_string(&text), "120 authorized, 80 denied");
	assert_null(strstr(text_string(&text), "warm, engine"));
	text_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bench_line__slices_in_any_order__give_median_min_and_max),
	    cmocka_unit_test(bench_line__fewer_slices__are_enough),
	    cmocka_unit_test_setup_teardown(bench_result_json__what_was_measured__is_there_and_the_rest_is_null, make,
					    drop),
	    cmocka_unit_test_setup_teardown(bench_result_text__what_was_measured__has_a_line, make, drop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
