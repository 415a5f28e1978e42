/* SPDX-License-Identifier: Apache-2.0 */
#include <cli/arguments.h>
#include <cli/bench_options.h>
#include <cli/bench_senders.h>
#include <plugin/plugin.h>
#include <stdio.h>
#include <string.h>
#include <support/assertions.h>

#define MAX_WORDS 32

/* Parse a command line whose words have blanks between. */
static enum status read_line(const char *line, struct bench_settings *settings, struct error *error)
{
	static char copy[512];
	char *words[MAX_WORDS], *rest = NULL;
	struct arguments arguments;
	enum status status;
	int count = 0;

	(void)snprintf(copy, sizeof(copy), "wsmauthz bench %s", line);
	for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
		words[count++] = word;
	assert_status(arguments_parse(count, words, &arguments, error), STATUS_OK, error);
	status = bench_options_read(&arguments, settings, error);
	arguments_done(&arguments);
	return status;
}

static void bench_options_read__senders_alone__has_the_defaults(void **state)
{
	struct bench_settings settings;
	struct error error;

	(void)state;
	assert_status(read_line("--senders f", &settings, &error), STATUS_OK, &error);

	assert_string_equal(settings.policy, PLUGIN_DEFAULT_POLICY);
	assert_int_equal(settings.users_limit, SENDERS_MAX);
	assert_int_equal(settings.outstanding, 64);
	assert_int_equal(settings.duration_ms, 5000);
	assert_int_equal(settings.working_set, 1000);
	assert_int_equal(settings.rate, 0);
	assert_true(settings.threads >= 1);
	assert_true(settings.wants_cold && settings.wants_warm && settings.wants_floor);
	assert_true(settings.wants_api && settings.wants_entry_points && !settings.is_json);
}

static void bench_options_read__everything_given__is_taken(void **state)
{
	struct bench_settings settings;
	struct error error;

	(void)state;
	assert_status(read_line("--config=p --senders - --users-limit 7 --threads 3 --outstanding 128 --rate 50 "
				"--duration 300ms --phases warm,cold --working-set 9 --api --json",
				&settings, &error),
		      STATUS_OK, &error);

	assert_string_equal(settings.policy, "p");
	assert_string_equal(settings.senders_path, "-");
	assert_int_equal(settings.users_limit, 7);
	assert_int_equal(settings.threads, 3);
	assert_int_equal(settings.outstanding, 128);
	assert_int_equal(settings.rate, 50);
	assert_int_equal(settings.duration_ms, 300);
	assert_int_equal(settings.working_set, 9);
	assert_true(settings.wants_cold && settings.wants_warm && !settings.wants_floor);
	assert_true(settings.wants_api && !settings.wants_entry_points && settings.is_json);
}

static void bench_options_read__both_warm_ways__are_both_wanted(void **state)
{
	struct bench_settings settings;
	struct error error;

	(void)state;
	assert_status(read_line("--senders f --api --entry-points", &settings, &error), STATUS_OK, &error);
	assert_true(settings.wants_api && settings.wants_entry_points);
}

static void bench_options_read__what_is_not_understood__is_refused(void **state)
{
	static const char *const rows[] = {
	    "",
	    "--senders f operand",
	    "--senders f --threads 0",
	    "--senders f --threads 1025",
	    "--senders f --threads -1",
	    "--senders f --threads 2x",
	    "--senders f --threads 99999999999999999999999999",
	    "--senders f --outstanding 8193",
	    "--senders f --duration 0s",
	    "--senders f --duration 5",
	    "--senders f --duration 2h",
	    "--senders f --phases hot",
	    "--senders f --phases cold,",
	    "--senders f --phases cold;warm",
	    "--senders f --log-level loud",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct bench_settings settings;
		struct error error;

		assert_row(rows[i], read_line(rows[i], &settings, &error) == STATUS_INVALID);
		assert_row(rows[i], error.what[0] != '\0');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bench_options_read__senders_alone__has_the_defaults),
	    cmocka_unit_test(bench_options_read__everything_given__is_taken),
	    cmocka_unit_test(bench_options_read__both_warm_ways__are_both_wanted),
	    cmocka_unit_test(bench_options_read__what_is_not_understood__is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
