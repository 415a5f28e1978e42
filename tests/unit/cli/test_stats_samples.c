/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <base/memory.h>
#include <base/text.h>
#include <cli/stats_samples.h>
#include <cli/stats_text.h>
#include <string.h>
#include <support/memory_failing.h>

static enum status parse(const char *text, char **data_out, struct samples *samples_out)
{
	struct error error;

	*data_out = memory_copy_text(text);
	assert_non_null(*data_out);
	return samples_parse(*data_out, samples_out, &error);
}

static void samples_parse__ours__are_read(void **state)
{
	struct samples samples = {.count = 0};
	char *data;

	(void)state;
	assert_int_equal(parse("# TYPE a counter\n# HELP a b\na_total{verdict=\"deny\",reason=\"x\"} 12\n"
			       "a_total{verdict=\"error\",reason=\"y\"} 3\nb 0.000250\nempty{} 1\n# EOF\n",
			       &data, &samples),
			 STATUS_OK);
	assert_int_equal(samples.count, 4);
	assert_string_equal(samples.list[0].name, "a_total");
	assert_string_equal(sample_label(&samples.list[0], "verdict"), "deny");
	assert_string_equal(sample_label(&samples.list[0], "reason"), "x");
	assert_string_equal(sample_label(&samples.list[0], "other"), "");
	assert_string_equal(samples.list[2].text, "0.000250");
	assert_true(samples_value(&samples, "a_total") == 15);
	assert_true(samples_value(&samples, "none") == 0);
	samples_done(&samples);
	memory_free(data);
}

static void samples_parse__anything_else__is_refused(void **state)
{
	static const char *const texts[] = {
	    "",
	    "a 1\n",
	    "# EOF",
	    "a 1\n# EOF\n\n",
	    "a 1\n# EOF\nb 1\n",
	    "a\n# EOF\n",
	    "a \n# EOF\n",
	    "a 1 2\n# EOF\n",
	    "a -1\n# EOF\n",
	    "a NaN\n# EOF\n",
	    "a 1e5\n# EOF\n",
	    "a .5\n# EOF\n",
	    "a 1.\n# EOF\n",
	    "a 1.2.3\n# EOF\n",
	    "a 01\n# EOF\n",
	    " a 1\n# EOF\n",
	    "a{ 1\n# EOF\n",
	    "a{b} 1\n# EOF\n",
	    "a{b=\"c} 1\n# EOF\n",
	    "a{b=\"c\"\n# EOF\n",
	    "a{b=\"\\n\"} 1\n# EOF\n",
	    "a{b=\"1\",c=\"1\",d=\"1\",e=\"1\",f=\"1\"} 1\n# EOF\n",
	    "a{b=\"c\"}1\n# EOF\n",
	    "a 11111111111111111111111111111111111111111\n# EOF\n",
	    "\xff 1\n# EOF\n",
	    "a{\n# EOF\n",
	    "a{b=\n# EOF\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct samples samples = {.count = 99};
		char *data;

		if (parse(texts[i], &data, &samples) != STATUS_INVALID)
			fail_msg("taken: %s", texts[i]);
		assert_int_equal(samples.count, 99);
		memory_free(data);
	}
}

static void samples_parse__too_many_lines__is_refused(void **state)
{
	struct samples samples = {.count = 0};
	struct error error;
	struct text text;

	(void)state;
	text_init(&text);
	for (int i = 0; i <= SAMPLES_MAX; i++)
		text_add(&text, "a 1\n");
	text_add(&text, "# EOF\n");
	assert_int_equal(samples_parse(text.data, &samples, &error), STATUS_LIMIT);
	text_done(&text);
}

static void samples_parse__no_memory__fails(void **state)
{
	struct samples samples = {.count = 0};
	struct error error;
	char data[] = "a 1\n# EOF\n";

	(void)state;
	memory_fail_at(1);
	assert_int_equal(samples_parse(data, &samples, &error), STATUS_NO_MEMORY);
	memory_fail_at(0);
	assert_null(samples.list);
}

/* Whatever somebody writes in its place. */
static void stats_add_text__odd_values__stay_text(void **state)
{
	static const char *const texts[] = {
	    "# EOF\n",
	    "wsmauthz_decisions_total{verdict=\"a\x1b[2J\",reason=\"\"} 99999999999999999999999999999999999999\n# "
	    "EOF\n",
	    "wsmauthz_decisions_total 1\nwsmauthz_decision_seconds_count 5\n# EOF\n",
	    "wsmauthz_decision_seconds_bucket{le=\"x\"} 9\nwsmauthz_decision_seconds_count 5\n# EOF\n",
	    "wsmauthz_metrics_timestamp_seconds 99999999999999999999\nwsmauthz_start_timestamp_seconds 1\n"
	    "wsmauthz_build{version=\"\xff\n\"} 1\n# EOF\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct samples samples = {.count = 0};
		struct text text;
		char *data;

		text_init(&text);
		if (parse(texts[i], &data, &samples) == STATUS_OK) {
			stats_add_text(&text, &samples, 1000);
			assert_false(text_failed(&text));
			assert_null(strchr(text_string(&text), '\x1b'));
			samples_done(&samples);
		}
		text_done(&text);
		memory_free(data);
	}
}

static void stats_are_old__three_times_missed__are(void **state)
{
	struct samples samples = {.count = 0};
	char *data;

	(void)state;
	assert_int_equal(parse("wsmauthz_metrics_timestamp_seconds 1000\nwsmauthz_metrics_interval_seconds 15\n# EOF\n",
			       &data, &samples),
			 STATUS_OK);
	assert_false(stats_are_old(&samples, 900));
	assert_false(stats_are_old(&samples, 1046));
	assert_true(stats_are_old(&samples, 1047));
	samples_done(&samples);
	memory_free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(samples_parse__ours__are_read),
	    cmocka_unit_test(samples_parse__anything_else__is_refused),
	    cmocka_unit_test(samples_parse__too_many_lines__is_refused),
	    cmocka_unit_test(samples_parse__no_memory__fails),
	    cmocka_unit_test(stats_add_text__odd_values__stay_text),
	    cmocka_unit_test(stats_are_old__three_times_missed__are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
