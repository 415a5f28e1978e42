/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <authorizer/measures.h>
#include <stdio.h>
#include <string.h>
#include <support/memory_failing.h>

static void assert_line(const struct text *text, const char *line)
{
	char wanted[256];

	(void)snprintf(wanted, sizeof(wanted), "\n%s\n", line);
	if (strstr(text_string(text), wanted) == NULL)
		fail_msg("no line '%s' in:\n%s", line, text_string(text));
}

static void measures_bucket__at_and_beyond_a_bound__is_the_lower_and_the_next(void **state)
{
	(void)state;
	assert_int_equal(measures_bucket(0), 0);
	assert_int_equal(measures_bucket(250), 0);
	assert_int_equal(measures_bucket(251), 1);
	assert_int_equal(measures_bucket(10000000), MEASURES_BOUNDS - 1);
	assert_int_equal(measures_bucket(10000001), MEASURES_BOUNDS);
	assert_int_equal(measures_bucket(UINT64_MAX), MEASURES_BOUNDS);
}

static void measures_format__figures__stand_in_their_lines(void **state)
{
	static const struct measures measures = {
	    .outcomes[WA_DENY][WA_REASON_DENIED_GROUP] = 7,
	    .outcomes[WA_DENY][WA_REASON_NO_MEMORY] = 1, /* which is an error's */
	    .cold = {[0] = 2, [3] = 1, [MEASURES_BOUNDS] = 1},
	    .cold_us = 12000345,
	    .watch_lag_us = 20,
	    .cached = UINT64_MAX,
	};
	struct text text;

	(void)state;
	text_init(&text);
	measures_format(&measures, &text);
	assert_line(&text, "wsmauthz_decisions_total{verdict=\"deny\",reason=\"denied-group\"} 7");
	assert_line(&text, "wsmauthz_decisions_total{verdict=\"authorize\",reason=\"member\"} 0");
	assert_line(&text, "wsmauthz_decisions_total{verdict=\"deny\",reason=\"no-memory\"} 1");
	assert_line(&text, "wsmauthz_decisions_total{verdict=\"error\",reason=\"no-memory\"} 0");
	assert_line(&text, "wsmauthz_decisions_cached_total 18446744073709551615");
	assert_line(&text, "wsmauthz_decision_seconds_bucket{le=\"0.00025\"} 2");
	assert_line(&text, "wsmauthz_decision_seconds_bucket{le=\"0.001\"} 2");
	assert_line(&text, "wsmauthz_decision_seconds_bucket{le=\"0.0025\"} 3");
	assert_line(&text, "wsmauthz_decision_seconds_bucket{le=\"10.0\"} 3");
	assert_line(&text, "wsmauthz_decision_seconds_bucket{le=\"+Inf\"} 4");
	assert_line(&text, "wsmauthz_decision_seconds_count 4");
	assert_line(&text, "wsmauthz_decision_seconds_sum 12.000345");
	assert_line(&text, "wsmauthz_watch_lag_seconds 0.000020");
	assert_string_equal(text_string(&text) + text.length - 7, "\n# EOF\n");
	text_done(&text);
}

static void measures_format__no_memory__is_the_texts_failure(void **state)
{
	static const struct measures measures;
	struct text text;

	(void)state;
	text_init(&text);
	memory_fail_from(3);
	measures_format(&measures, &text);
	memory_fail_from(0);
	assert_true(text_failed(&text));
	text_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(measures_bucket__at_and_beyond_a_bound__is_the_lower_and_the_next),
	    cmocka_unit_test(measures_format__figures__stand_in_their_lines),
	    cmocka_unit_test(measures_format__no_memory__is_the_texts_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
