/* SPDX-License-Identifier: Apache-2.0 */
#include <plugin/plugin_answer.h>
#include <string.h>
#include <support/assertions.h>
#include <support/host_recorder.h>
#include <support/memory_failing.h>

#define URI "https://winrm-emea.corp.example:5986/wsman"

/* Make the answer, tell it, release the context that came with it. */
static void tell(enum wa_kind kind, struct wa_decision *decision, struct host_call *call)
{
	struct plugin_answer answer;

	host_call_init(call, "alice");
	plugin_answer_make(&answer, kind, decision);
	(void)plugin_answer_tell(&answer, kind, &call->details, call->details.clientToken);
	assert_true(plugin_user_release(call->user_context));
	assert_int_equal(call->completions, 1);
	assert_int_equal(call->code, decision->code);
	assert_int_equal(call->flags, 0);
}

static void plugin_answer__each_verdict__becomes_the_number_of_the_table(void **state)
{
	static const struct {
		const char *name;
		enum wa_kind kind;
		DWORD expected;
		struct wa_decision decision;
	} rows[] = {
	    {"zeros deny", WA_KIND_USER, 5, {.verdict = WA_DENY}},
	    {"zeros deny an operation", WA_KIND_OPERATION, 5, {.verdict = WA_DENY}},
	    {"zeros deny a quota", WA_KIND_QUOTA, 5, {.verdict = WA_DENY}},
	    {"authorize", WA_KIND_USER, 0, {.verdict = WA_AUTHORIZE}},
	    {"authorize an operation", WA_KIND_OPERATION, 0, {.verdict = WA_AUTHORIZE}},
	    {"authorize a quota", WA_KIND_QUOTA, 0, {.verdict = WA_AUTHORIZE}},
	    {"authorize with an error's number", WA_KIND_USER, 0x80338083, {.verdict = WA_AUTHORIZE, .code = 5}},
	    {"deny with success's number", WA_KIND_USER, 5, {.verdict = WA_DENY, .code = 0}},
	    {"error with success's number", WA_KIND_USER, 0x80338083, {.verdict = WA_ERROR, .code = 0}},
	    {"bad call", WA_KIND_USER, 87, {.verdict = WA_ERROR, .reason = WA_REASON_BAD_CALL}},
	    {"redirect", WA_KIND_USER, 0x80338199, {.verdict = WA_REDIRECT, .redirect_uri = URI}},
	    {"redirect to nowhere", WA_KIND_USER, 0x80338083, {.verdict = WA_REDIRECT}},
	    {"redirect to an empty address", WA_KIND_USER, 0x80338083, {.verdict = WA_REDIRECT, .redirect_uri = ""}},
	    {"redirect to broken text", WA_KIND_USER, 0x80338083, {.verdict = WA_REDIRECT, .redirect_uri = "\xFF"}},
	    {"redirect of an operation", WA_KIND_OPERATION, 0x80338083, {.verdict = WA_REDIRECT, .redirect_uri = URI}},
	    {"redirect of a quota", WA_KIND_QUOTA, 0x80338083, {.verdict = WA_REDIRECT, .redirect_uri = URI}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct wa_decision decision = rows[i].decision;
		struct host_call call;
		bool success = rows[i].expected == 0;

		tell(rows[i].kind, &decision, &call);
		assert_row(rows[i].name, call.code == rows[i].expected);
		assert_row(rows[i].name, (call.token != NULL) == (success && rows[i].kind == WA_KIND_USER));
		assert_row(rows[i].name, (call.user_context != NULL) == (success && rows[i].kind != WA_KIND_QUOTA));
		assert_row(rows[i].name, call.has_quota == (success && rows[i].kind == WA_KIND_QUOTA));
		assert_row(rows[i].name, call.has_extended == (rows[i].expected == 0x80338199));
	}
}

static void plugin_answer_make__a_verdict_that_does_not_exist__is_an_error(void **state)
{
	struct wa_decision decision = {.code = 0};
	struct host_call call;
	unsigned number = 77;

	(void)state;
	memcpy(&decision.verdict, &number, sizeof(decision.verdict));
	tell(WA_KIND_USER, &decision, &call);
	assert_int_equal(call.code, 0x80338083);
	assert_null(call.token);
}

static void plugin_answer__redirect__carries_the_bare_address(void **state)
{
	struct wa_decision decision = {.verdict = WA_REDIRECT, .redirect_uri = URI, .administrator = true};
	struct host_call call;

	(void)state;
	tell(WA_KIND_USER, &decision, &call);
	assert_string_equal(call.extended, URI);
	assert_false(call.administrator);
}

static void plugin_answer__administrator__is_said_only_of_who_is_authorized(void **state)
{
	struct wa_decision authorized = {.verdict = WA_AUTHORIZE, .administrator = true};
	struct wa_decision denied = {.verdict = WA_DENY, .administrator = true};
	struct wa_decision failed = {.verdict = WA_ERROR, .administrator = true};
	struct host_call call;

	(void)state;
	tell(WA_KIND_USER, &authorized, &call);
	assert_int_equal(call.administrator, 1);
	tell(WA_KIND_USER, &denied, &call);
	assert_int_equal(call.administrator, 0);
	tell(WA_KIND_USER, &failed, &call);
	assert_int_equal(call.administrator, 0);
}

static void plugin_answer__quota__has_the_fields_in_winrms_order(void **state)
{
	struct wa_decision decision = {.verdict = WA_AUTHORIZE, .quota = {5, 15, 60, UINT32_MAX}};
	struct host_call call;

	(void)state;
	tell(WA_KIND_QUOTA, &decision, &call);
	assert_int_equal(call.quota.maxAllowedConcurrentShells, 5);
	assert_int_equal(call.quota.maxAllowedConcurrentOperations, 15);
	assert_int_equal(call.quota.timeslotSize, 60);
	assert_int_equal(call.quota.maxAllowedOperationsPerTimeslot, UINT32_MAX);
}

static void plugin_answer__no_memory_for_a_redirect__is_an_error_and_leaks_nothing(void **state)
{
	struct wa_decision decision = {.verdict = WA_REDIRECT, .redirect_uri = URI};
	size_t before = memory_live_count();
	struct host_call call;

	(void)state;
	memory_fail_at(1);
	tell(WA_KIND_USER, &decision, &call);
	memory_fail_at(0);
	assert_int_equal(call.code, 0x80338083);
	assert_int_equal(decision.reason, WA_REASON_NO_MEMORY);
	assert_int_equal(decision.verdict, WA_ERROR);
	assert_null(call.token);
	assert_null(call.user_context);
	assert_int_equal(call.administrator, 0);
	assert_int_equal(memory_live_count(), before);
}

static void plugin_answer__no_memory_at_all__authorizes_all_the_same(void **state)
{
	struct wa_decision decision = {.verdict = WA_AUTHORIZE};
	struct host_call call;

	(void)state;
	memory_fail_from(1);
	tell(WA_KIND_USER, &decision, &call);
	assert_int_equal(memory_fail_count(), 0);
	memory_fail_from(0);
	assert_int_equal(call.code, 0);
	assert_non_null(call.user_context);
}

static void plugin_answer_refusal__each_reason__is_a_deny_or_an_error(void **state)
{
	static const struct {
		const char *name;
		enum wa_reason reason;
		enum wa_verdict verdict;
		DWORD code;
	} rows[] = {
	    {"bad sender name", WA_REASON_BAD_SENDER_NAME, WA_DENY, 5},
	    {"no token", WA_REASON_NO_TOKEN, WA_DENY, 5},
	    {"bad call", WA_REASON_BAD_CALL, WA_ERROR, 87},
	    {"no memory", WA_REASON_NO_MEMORY, WA_ERROR, 0x80338083},
	    {"deadline", WA_REASON_DEADLINE_EXCEEDED, WA_ERROR, 0x80338083},
	    {"shutting down", WA_REASON_SHUTTING_DOWN, WA_ERROR, 0x80338083},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct wa_decision decision = plugin_answer_refusal(rows[i].reason, "why");

		assert_row(rows[i].name, decision.verdict == rows[i].verdict && decision.code == rows[i].code);
		assert_row(rows[i].name, decision.reason == rows[i].reason && !decision.administrator);
	}
}

static void plugin_user_release__the_same_one_again_and_again__is_ours_each_time(void **state)
{
	struct wa_decision first = {.verdict = WA_AUTHORIZE}, second = {.verdict = WA_AUTHORIZE};
	struct host_call user, operation;

	(void)state;
	tell(WA_KIND_USER, &first, &user);
	tell(WA_KIND_OPERATION, &second, &operation);
	assert_non_null(user.user_context);
	assert_ptr_equal(user.user_context, operation.user_context);
	for (int i = 0; i < 3; i++)
		assert_true(plugin_user_release(user.user_context));
}

static void plugin_user_release__a_pointer_of_somebody_else__is_left_alone(void **state)
{
	char foreign[64] = {0};

	(void)state;
	assert_false(plugin_user_release(foreign));
	assert_true(plugin_user_release(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(plugin_answer__each_verdict__becomes_the_number_of_the_table),
	    cmocka_unit_test(plugin_answer_make__a_verdict_that_does_not_exist__is_an_error),
	    cmocka_unit_test(plugin_answer__redirect__carries_the_bare_address),
	    cmocka_unit_test(plugin_answer__administrator__is_said_only_of_who_is_authorized),
	    cmocka_unit_test(plugin_answer__quota__has_the_fields_in_winrms_order),
	    cmocka_unit_test(plugin_answer__no_memory_for_a_redirect__is_an_error_and_leaks_nothing),
	    cmocka_unit_test(plugin_answer__no_memory_at_all__authorizes_all_the_same),
	    cmocka_unit_test(plugin_answer_refusal__each_reason__is_a_deny_or_an_error),
	    cmocka_unit_test(plugin_user_release__the_same_one_again_and_again__is_ours_each_time),
	    cmocka_unit_test(plugin_user_release__a_pointer_of_somebody_else__is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
