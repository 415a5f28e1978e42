/* SPDX-License-Identifier: Apache-2.0 */
/* Whose token a sender came with reaches the engine; what is no token of anybody is refused before. */
#include <plugin/plugin.h>
#include <plugin/plugin_token.h>
#include <stdio.h>
#include <string.h>
#include <support/assertions.h>
#include <support/engine_fake.h>
#include <support/host_recorder.h>

struct seen {
	struct wa_decision last;
	char detail[512];
};

static void observe(void *context, WSMAN_SENDER_DETAILS *sender_details, const struct wa_decision *decision)
{
	struct seen *seen = context;

	(void)sender_details;
	seen->last = *decision;
	(void)snprintf(seen->detail, sizeof(seen->detail), "%s", decision->detail != NULL ? decision->detail : "");
}

static PVOID start(const char *script, struct seen *seen)
{
	const struct plugin_options options = {.observer = seen != NULL ? observe : NULL, .observer_context = seen};
	struct error error;
	PVOID context = NULL;

	assert_status(plugin_start(script, &options, &context, &error), STATUS_OK, &error);
	return context;
}

static void ask(PVOID context, struct host_call *call)
{
	WSManPluginAuthzUser(context, &call->details, 0);
	assert_true(host_call_wait(call, 5000));
	assert_int_equal(call->completions, 1);
	WSManPluginAuthzReleaseContext(call->user_context);
}

static void authz_user__senders_token__its_sid_is_asked_about_and_it_is_given_back(void **state)
{
	struct seen seen = {.detail = ""};
	PVOID context = start("script:answer * authorize member\n", &seen);
	char sid[SID_TEXT_BYTES], expected[SID_TEXT_BYTES + 8];
	struct host_call call;
	DWORD flags;

	(void)state;
	host_call_init(&call, "CORP\\alice");
	assert_true(plugin_token_sid(call.details.clientToken, sid));
	(void)snprintf(expected, sizeof(expected), " token=%s", sid);
	ask(context, &call);
	assert_int_equal(call.code, 0);
	assert_ptr_equal(call.token, call.details.clientToken);
	assert_contains(seen.detail, expected);
	assert_int_equal(WSManPluginShutdown(context, 0, 3), 0);
	assert_true(GetHandleInformation(call.details.clientToken, &flags)); /* open still */
}

static void authz_user__token_that_cannot_be_read__denies_unasked(void **state)
{
	struct seen seen = {.detail = ""};
	PVOID context = start("script:answer * authorize member\n", &seen);
	const size_t asked = engine_fake_asked();
	HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
	struct host_call call;

	(void)state;
	host_call_init(&call, "CORP\\alice");
	call.details.clientToken = event;
	ask(context, &call);
	assert_int_equal(call.code, WSMAUTHZ_ACCESS_DENIED);
	assert_null(call.token);
	assert_int_equal(seen.last.reason, WA_REASON_NO_TOKEN);
	assert_int_equal(engine_fake_asked(), asked);
	assert_int_equal(WSManPluginShutdown(context, 0, 3), 0);
	assert_true(CloseHandle(event));
}

static void authz_user__policy_by_name__reads_no_token(void **state)
{
	struct seen seen = {.detail = ""};
	PVOID context = start("script:by-name\nanswer * authorize member\n", &seen);
	HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
	struct host_call call;

	(void)state;
	host_call_init(&call, "CORP\\alice");
	call.details.clientToken = event;
	ask(context, &call);
	assert_int_equal(call.code, 0);
	assert_null(strstr(seen.detail, "token="));
	assert_int_equal(WSManPluginShutdown(context, 0, 3), 0);
	assert_true(CloseHandle(event));
}

static void authz_user__no_token__is_denied_unless_the_policy_allows_it(void **state)
{
	struct seen seen = {.detail = ""};
	struct host_call call;
	PVOID context = start("script:answer * authorize member\n", &seen);

	(void)state;
	host_call_init(&call, "CORP\\alice");
	call.details.clientToken = NULL;
	ask(context, &call);
	assert_int_equal(call.code, WSMAUTHZ_ACCESS_DENIED);
	assert_int_equal(seen.last.reason, WA_REASON_NO_TOKEN);
	assert_int_equal(WSManPluginShutdown(context, 0, 3), 0);

	context = start("script:allow-null-token\nanswer * authorize member\n", &seen);
	host_call_init(&call, "CORP\\alice");
	call.details.clientToken = NULL;
	ask(context, &call);
	assert_int_equal(call.code, 0);
	assert_null(strstr(seen.detail, "token="));
	assert_int_equal(WSManPluginShutdown(context, 0, 3), 0);
}

static char tried[SID_TEXT_BYTES];

static void see(const struct wa_question *question)
{
	(void)snprintf(tried, sizeof(tried), "%s", question->token_sid != NULL ? question->token_sid : "none");
}

static void authz_user__answer_of_the_cache__is_that_of_the_tokens_sid(void **state)
{
	PVOID context = start("script:answer * authorize member instant\n", NULL);
	char sid[SID_TEXT_BYTES];
	struct host_call call;

	(void)state;
	engine_fake_show_tried(see);
	host_call_init(&call, "CORP\\alice");
	assert_true(plugin_token_sid(call.details.clientToken, sid));
	ask(context, &call);
	engine_fake_show_tried(NULL);
	assert_int_equal(call.code, 0);
	assert_string_equal(tried, sid);
	assert_int_equal(WSManPluginShutdown(context, 0, 3), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(authz_user__senders_token__its_sid_is_asked_about_and_it_is_given_back),
	    cmocka_unit_test(authz_user__token_that_cannot_be_read__denies_unasked),
	    cmocka_unit_test(authz_user__policy_by_name__reads_no_token),
	    cmocka_unit_test(authz_user__no_token__is_denied_unless_the_policy_allows_it),
	    cmocka_unit_test(authz_user__answer_of_the_cache__is_that_of_the_tokens_sid),
	};

	return cmocka_run_group_tests_name("plugin/sender_token_windows", tests, NULL, NULL);
}
