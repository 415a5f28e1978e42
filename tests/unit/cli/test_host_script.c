/* SPDX-License-Identifier: Apache-2.0 */
#include <base/text.h>
#include <cli/host_script.h>
#include <string.h>
#include <support/assertions.h>
#include <support/memory_failing.h>

/* What comes out, as words: the block's steps in brackets when they are done together. */
static enum status collect(void *context, const struct host_step *steps, size_t count, bool is_together,
			   struct error *error)
{
	struct text *out = context;

	(void)error;
	text_add(out, is_together ? "[" : "");
	for (size_t i = 0; i < count; i++)
		text_printf(out, "%u:%s%s%s ", steps[i].line, host_step_word(steps[i].verb),
			    steps[i].name != NULL ? "=" : "", steps[i].name != NULL ? steps[i].name : "");
	text_add(out, is_together ? "] " : "");
	return text_failed(out) ? error_no_memory(error) : STATUS_OK;
}

static enum status run(const char *const *lines, size_t count, struct text *out, struct error *error)
{
	struct host_script script;
	enum status status = STATUS_OK;

	host_script_init(&script, "s", collect, out);
	for (size_t i = 0; status == STATUS_OK && i < count; i++)
		status = host_script_line(&script, lines[i], strlen(lines[i]), error);
	if (status == STATUS_OK)
		status = host_script_end(&script, error);
	host_script_done(&script);
	return status;
}

static const char *const whole[] = {"connect a", "expect deny",   "",    "# nothing", "together", "operate b",
				    "wait 5ms",  "leave \"c d\"", "end", "wait 1s"};
static const char *const whole_out = "1:connect=a 2:expect [6:operate=b 7:wait 8:leave=c d ] 10:wait ";

static void host_script__a_block__comes_out_when_it_is_whole(void **state)
{
	struct error error = {.status = STATUS_OK};
	struct text out;

	(void)state;
	text_init(&out);
	assert_status(run(whole, COUNT_OF(whole), &out, &error), STATUS_OK, &error);
	assert_string_equal(text_string(&out), whole_out);
	text_done(&out);
}

static void host_script__a_wrong_line__is_named(void **state)
{
	static const char *const lines[] = {"connect a", "expect", "connect b"};
	struct error error = {.status = STATUS_OK};
	struct text out;

	(void)state;
	text_init(&out);
	assert_status(run(lines, COUNT_OF(lines), &out, &error), STATUS_INVALID, &error);
	assert_ptr_equal(strstr(error.what, "s:2: "), error.what);
	assert_string_equal(text_string(&out), "1:connect=a ");
	text_done(&out);
}

static void host_script__no_memory_at_any_time__is_an_error_and_leaks_nothing(void **state)
{
	size_t before = memory_live_count();

	(void)state;
	for (size_t n = 1;; n++) {
		struct error error = {.status = STATUS_OK};
		struct text out;
		enum status status;
		bool is_over;

		text_init(&out);
		memory_fail_at(n);
		status = run(whole, COUNT_OF(whole), &out, &error);
		is_over = memory_fail_count() < n;
		memory_fail_at(0);
		if (!is_over)
			assert_status(status, STATUS_NO_MEMORY, &error);
		text_done(&out);
		assert_int_equal(memory_live_count(), before);
		if (is_over)
			break;
	}
}

static void host_step_parse__what_is_said_of_a_user__is_kept(void **state)
{
	static const char line[] = " operate  \"a # b\" url http://h times 3 mechanism M action A\tresource R # rest";
	struct error error = {.status = STATUS_OK};
	struct host_step step;

	(void)state;
	assert_status(host_step_parse(line, sizeof(line) - 1, 7, &step, &error), STATUS_OK, &error);
	assert_int_equal(step.verb, HOST_STEP_OPERATE);
	assert_int_equal(step.line, 7);
	assert_string_equal(step.name, "a # b");
	assert_string_equal(step.url, "http://h");
	assert_string_equal(step.mechanism, "M");
	assert_string_equal(step.action, "A");
	assert_string_equal(step.resource, "R");
	assert_int_equal(step.times, 3);
	host_step_done(&step);
}

static void host_script_lanes__each_user_has_one_and_the_rest_follows(void **state)
{
	static const char *const lines[] = {"connect a", "expect deny", "connect b",
					    "wait 1s",   "refresh a",   "expect deny"};
	static const size_t expected[] = {0, 0, 1, 1, 0, 0};
	struct host_step steps[COUNT_OF(lines)];
	size_t lanes[COUNT_OF(lines)];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lines); i++)
		assert_status(host_step_parse(lines[i], strlen(lines[i]), 1, &steps[i], NULL), STATUS_OK, NULL);
	assert_int_equal(host_script_lanes(steps, COUNT_OF(lines), lanes), 2);
	for (size_t i = 0; i < COUNT_OF(lines); i++) {
		assert_int_equal(lanes[i], expected[i]);
		host_step_done(&steps[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(host_script__a_block__comes_out_when_it_is_whole),
	    cmocka_unit_test(host_script__a_wrong_line__is_named),
	    cmocka_unit_test(host_script__no_memory_at_any_time__is_an_error_and_leaks_nothing),
	    cmocka_unit_test(host_step_parse__what_is_said_of_a_user__is_kept),
	    cmocka_unit_test(host_script_lanes__each_user_has_one_and_the_rest_follows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
