/* SPDX-License-Identifier: Apache-2.0 */
/* The n-th allocation fails: every call is still answered, once, never with success by mistake, and nothing leaks. */
#include <plugin/plugin.h>
#include <support/assertions.h>
#include <support/engine_fake.h>
#include <support/host_recorder.h>
#include <support/memory_failing.h>

#define MAX_ALLOCATIONS 100

static void discard(void *context, enum wa_log_level level, const char *line)
{
	(void)context;
	(void)level;
	(void)line;
}

static const struct wa_log quiet = {WA_LOG_DEBUG, discard, NULL};

#define SCRIPT                                                                                                         \
	"script:answer alice authorize member administrator\n"                                                         \
	"answer bob redirect site-elsewhere uri=https://emea.corp.example:5986/wsman\n"

static void ask(PVOID context, struct host_call *call)
{
	static const WCHAR text[] = {'h', 't', 't', 'p', 0};
	static WSMAN_CERTIFICATE_DETAILS certificate = {text, text, text, text};

	call->details.httpURL = text;
	call->details.certificateDetails = &certificate;
	WSManPluginAuthzUser(context, &call->details, 0);
	assert_true(host_call_wait(call, 5000));
}

/* True when the call needed fewer than n allocations, so that none failed. */
static bool ask_with_failure(const char *sender, DWORD expected, size_t n)
{
	const struct plugin_options options = {.log = &quiet};
	size_t before = memory_live_count();
	struct host_call call;
	PVOID context = NULL;
	bool is_whole;

	assert_status(plugin_start(SCRIPT, &options, &context, NULL), STATUS_OK, NULL);
	host_call_init(&call, sender);
	memory_fail_at(n);
	ask(context, &call);
	is_whole = memory_fail_count() < n;
	memory_fail_at(0);
	assert_int_equal(WSManPluginShutdown(context, 0, 3), 0);
	assert_int_equal(call.completions, 1);
	assert_int_equal(call.code, is_whole ? expected : 0x80338083);
	assert_int_equal(call.token != NULL, is_whole && expected == 0);
	assert_int_equal(call.user_context != NULL, is_whole && expected == 0);
	WSManPluginAuthzReleaseContext(call.user_context);
	assert_int_equal(memory_live_count(), before);
	return is_whole;
}

static void authz_user__the_nth_allocation_fails__is_an_error(void **state)
{
	static const struct {
		const char *sender;
		DWORD code;
	} rows[] = {{"alice", 0}, {"bob", 0x80338199}, {"mallory", 5}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		size_t n = 1;

		while (n < MAX_ALLOCATIONS && !ask_with_failure(rows[i].sender, rows[i].code, n))
			n++;
		/* At least the record and the seven strings. */
		assert_in_range(n, 9, MAX_ALLOCATIONS - 1);
	}
}

static void authz_user__the_nth_allocation_fails_and_completion_is_asynchronous__is_an_error(void **state)
{
	const struct plugin_options options = {.log = &quiet, .asynchronous = true};
	size_t n = 1;
	bool is_whole = false;

	(void)state;
	for (; n < MAX_ALLOCATIONS && !is_whole; n++) {
		struct host_call call;
		PVOID context = NULL;
		size_t before = memory_live_count();

		assert_status(plugin_start(SCRIPT, &options, &context, NULL), STATUS_OK, NULL);
		host_call_init(&call, "alice");
		memory_fail_at(n);
		ask(context, &call);
		assert_int_equal(WSManPluginShutdown(context, 0, 3), 0);
		is_whole = memory_fail_count() < n;
		memory_fail_at(0);
		assert_int_equal(call.completions, 1);
		/* When the guard's timer was what failed, the answer may have come before the guard looked. */
		if (is_whole)
			assert_int_equal(call.code, 0);
		assert_true(call.code == 0 || call.code == 0x80338083);
		WSManPluginAuthzReleaseContext(call.user_context);
		assert_int_equal(memory_live_count(), before);
	}
	assert_true(is_whole);
}

static void plugin_start__the_nth_allocation_fails__leaves_nothing(void **state)
{
	const struct plugin_options options = {.log = &quiet, .asynchronous = true};
	enum status status = STATUS_NO_MEMORY;
	size_t before = memory_live_count(), n = 1;

	(void)state;
	for (; status != STATUS_OK && n < MAX_ALLOCATIONS; n++) {
		struct error error;
		PVOID context = NULL;

		memory_fail_at(n);
		status = plugin_start(SCRIPT, &options, &context, &error);
		memory_fail_at(0);
		if (status == STATUS_OK) {
			assert_int_equal(WSManPluginShutdown(context, 0, 3), 0);
		} else {
			assert_null(context);
			assert_true(error.what[0] != '\0');
		}
		assert_int_equal(memory_live_count(), before);
		assert_int_equal(engine_fake_open(), 0);
	}
	assert_status(status, STATUS_OK, NULL);
	assert_true(n > 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(authz_user__the_nth_allocation_fails__is_an_error),
	    cmocka_unit_test(authz_user__the_nth_allocation_fails_and_completion_is_asynchronous__is_an_error),
	    cmocka_unit_test(plugin_start__the_nth_allocation_fails__leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
