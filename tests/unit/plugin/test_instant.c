/* SPDX-License-Identifier: Apache-2.0 */
/* The entry points when the cache has the answer. */
#include <plugin/plugin.h>
#include <plugin/plugin_instant.h>
#include <string.h>
#include <support/assertions.h>
#include <support/engine_fake.h>
#include <support/host_recorder.h>
#include <support/memory_failing.h>

#define SCRIPT                                                                                                         \
	"script:answer alice authorize member administrator quota=5,15,60,100 instant\n"                               \
	"answer bob redirect site-elsewhere uri=https://emea.corp.example:5986/wsman instant\n"                        \
	"answer carol error directory-unavailable instant\n"                                                           \
	"answer dave deny denied-group instant\n"                                                                      \
	"answer eve authorize member code=87 instant\n"                                                                \
	"answer zeroed authorize member zeroed instant\n"                                                              \
	"answer mute authorize member mute instant\n"                                                                  \
	"answer unknown authorize member\n"
#define EVERYBODY "script:answer * authorize member instant\n"

static void discard(void *context, enum wa_log_level level, const char *line)
{
	(void)context;
	(void)level;
	(void)line;
}

static const struct wa_log quiet = {WA_LOG_DEBUG, discard, NULL};

static PVOID start(const char *script)
{
	const struct plugin_options options = {.log = &quiet};
	PVOID context = NULL;

	assert_status(plugin_start(script, &options, &context, NULL), STATUS_OK, NULL);
	return context;
}

static void ask(PVOID context, enum wa_kind kind, struct host_call *call)
{
	if (kind == WA_KIND_USER)
		WSManPluginAuthzUser(context, &call->details, 0);
	else if (kind == WA_KIND_OPERATION)
		WSManPluginAuthzOperation(context, &call->details, 0, 1, NULL, NULL);
	else
		WSManPluginAuthzQueryQuota(context, &call->details, 0);
}

/* The question that was last put to the cache. */
static struct {
	struct wa_question question;
	char sender[3 * PLUGIN_INSTANT_NAME_UNITS + 1], mechanism[128], url[3 * PLUGIN_INSTANT_URL_UNITS + 1];
} seen;

static void see(const struct wa_question *question)
{
	memset(&seen, 0, sizeof(seen));
	seen.question = *question;
	memcpy(seen.sender, question->sender, question->sender_length);
	strncpy(seen.mechanism, question->mechanism, sizeof(seen.mechanism) - 1);
	if (question->http_url != NULL)
		strncpy(seen.url, question->http_url, sizeof(seen.url) - 1);
}

static void entry_points__a_cached_authorize__is_told_inside_the_call_without_an_allocation(void **state)
{
	PVOID context = start(SCRIPT);
	const size_t asked = engine_fake_asked(), tried = engine_fake_tried();
	struct host_call user, operation, quota;

	(void)state;
	host_call_init(&user, "alice");
	host_call_init(&operation, "alice");
	host_call_init(&quota, "alice");
	memory_fail_from(1);
	ask(context, WA_KIND_USER, &user);
	ask(context, WA_KIND_OPERATION, &operation);
	ask(context, WA_KIND_QUOTA, &quota);
	assert_int_equal(memory_fail_count(), 0);
	memory_fail_from(0);
	assert_true(user.completions == 1 && user.was_inside && user.function == HOST_USER_COMPLETE);
	assert_true(user.code == 0 && user.flags == 0 && !user.has_extended);
	assert_ptr_equal(user.token, user.details.clientToken);
	assert_int_equal(user.administrator, 1);
	assert_non_null(user.user_context);
	assert_true(operation.completions == 1 && operation.was_inside);
	assert_true(operation.function == HOST_OPERATION_COMPLETE && operation.code == 0 && operation.flags == 0);
	assert_ptr_equal(operation.user_context, user.user_context);
	assert_true(quota.completions == 1 && quota.was_inside && quota.function == HOST_QUOTA_COMPLETE);
	assert_true(quota.code == 0 && quota.flags == 0 && quota.has_quota);
	assert_int_equal(quota.quota.maxAllowedConcurrentShells, 5);
	assert_int_equal(quota.quota.maxAllowedOperationsPerTimeslot, 100);
	assert_int_equal(engine_fake_asked(), asked);
	assert_int_equal(engine_fake_tried(), tried + 3);
	assert_int_equal(WSManPluginShutdown(context, 0, 3), 0);
	/* Given out twice, released twice, and after the end. */
	WSManPluginAuthzReleaseContext(user.user_context);
	WSManPluginAuthzReleaseContext(operation.user_context);
}

static void authz_user__the_cache_gives_anything_but_an_authorize__is_asked_of_the_engine(void **state)
{
	static const struct {
		const char *sender;
		DWORD expected;
	} rows[] = {
	    {"bob", 0x80338199}, {"carol", 0x80338083}, {"dave", 5},    {"eve", 0x80338083},
	    {"zeroed", 5},       {"mute", 0},           {"unknown", 0}, {"mallory", 5},
	};
	PVOID context = start(SCRIPT);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const size_t asked = engine_fake_asked(), tried = engine_fake_tried();
		struct host_call call;

		host_call_init(&call, rows[i].sender);
		ask(context, WA_KIND_USER, &call);
		assert_row(rows[i].sender, call.completions == 1 && call.was_inside);
		assert_row(rows[i].sender, call.code == rows[i].expected);
		assert_row(rows[i].sender, (call.token != NULL) == (rows[i].expected == 0));
		assert_row(rows[i].sender, engine_fake_tried() == tried + 1 && engine_fake_asked() == asked + 1);
		WSManPluginAuthzReleaseContext(call.user_context);
	}
	assert_int_equal(WSManPluginShutdown(context, 0, 3), 0);
}

static void entry_points__a_call_out_of_the_ordinary__does_not_try_the_cache(void **state)
{
	static WSMAN_CERTIFICATE_DETAILS certificate;
	PVOID context = start(EVERYBODY);
	const size_t tried = engine_fake_tried();
	struct host_call flags, with_certificate, no_token, no_mechanism;

	(void)state;
	host_call_init(&flags, "alice");
	WSManPluginAuthzUser(context, &flags.details, 1);
	assert_true(flags.completions == 1 && flags.code == 87 && flags.token == NULL);
	host_call_init(&with_certificate, "alice");
	with_certificate.details.certificateDetails = &certificate;
	ask(context, WA_KIND_OPERATION, &with_certificate);
	assert_true(with_certificate.completions == 1 && with_certificate.code == 0);
	host_call_init(&no_token, "alice");
	no_token.details.clientToken = NULL;
	ask(context, WA_KIND_OPERATION, &no_token);
	assert_true(no_token.completions == 1 && no_token.code == 5 && no_token.user_context == NULL);
	host_call_init(&no_mechanism, "alice");
	no_mechanism.details.authenticationMechanism = NULL;
	ask(context, WA_KIND_OPERATION, &no_mechanism);
	assert_true(no_mechanism.completions == 1 && no_mechanism.code == 0);
	assert_int_equal(engine_fake_tried(), tried);
	assert_int_equal(WSManPluginShutdown(context, 0, 3), 0);
}

static void authz_user__no_token_and_the_policy_allows_it__is_told_without_one(void **state)
{
	PVOID context = start("script:allow-null-token\nanswer alice authorize member instant\n");
	const size_t asked = engine_fake_asked();
	struct host_call call;

	(void)state;
	host_call_init(&call, "alice");
	call.details.clientToken = NULL;
	ask(context, WA_KIND_USER, &call);
	assert_true(call.completions == 1 && call.code == 0 && call.token == NULL);
	assert_int_equal(engine_fake_asked(), asked);
	assert_int_equal(WSManPluginShutdown(context, 0, 3), 0);
}

static void entry_points__completion_is_asynchronous__is_never_inside_the_call(void **state)
{
	PVOID context = start("script:asynchronous\nanswer alice authorize member instant\n");
	const size_t tried = engine_fake_tried();

	(void)state;
	for (int kind = WA_KIND_USER; kind <= WA_KIND_QUOTA; kind++) {
		struct host_call call;

		host_call_init(&call, "alice");
		ask(context, (enum wa_kind)kind, &call);
		assert_true(host_call_wait(&call, 5000));
		assert_true(call.completions == 1 && !call.was_inside && call.code == 0);
	}
	assert_int_equal(engine_fake_tried(), tried);
	assert_int_equal(WSManPluginShutdown(context, 0, 3), 0);
}

static void count_decision(void *context, WSMAN_SENDER_DETAILS *sender_details, const struct wa_decision *decision)
{
	unsigned *count = context;

	(void)sender_details;
	(void)decision;
	(*count)++;
}

static void entry_points__somebody_observes__is_shown_the_engines_decision(void **state)
{
	unsigned observed = 0;
	const struct plugin_options options = {
	    .log = &quiet, .observer = count_decision, .observer_context = &observed};
	const size_t tried = engine_fake_tried();
	struct host_call call;
	PVOID context = NULL;

	(void)state;
	assert_status(plugin_start(SCRIPT, &options, &context, NULL), STATUS_OK, NULL);
	host_call_init(&call, "alice");
	ask(context, WA_KIND_OPERATION, &call);
	assert_true(call.completions == 1 && call.code == 0);
	assert_int_equal(observed, 1);
	assert_int_equal(engine_fake_tried(), tried);
	assert_int_equal(WSManPluginShutdown(context, 0, 3), 0);
}

static void entry_points__what_the_host_says__reaches_the_cache(void **state)
{
	static const struct {
		const char *mechanism;
		bool may_name_sid;
	} rows[] = {{"Negotiate", true}, {"kerberos", true}, {"Basic", false}, {"", false}, {"Negotiate ", false}};
	PVOID context = start(EVERYBODY);
	WCHAR url[32], mechanism[32];

	(void)state;
	engine_fake_show_tried(see);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		for (int kind = WA_KIND_USER; kind <= WA_KIND_QUOTA; kind++) {
			const bool is_user = kind == WA_KIND_USER;
			struct host_call call;

			host_call_init(&call, "CORP\\alice");
			call.details.httpURL = host_text(url, COUNT_OF(url), "https://h:5986/wsman");
			call.details.authenticationMechanism =
			    host_text(mechanism, COUNT_OF(mechanism), rows[i].mechanism);
			memset(&seen, 0, sizeof(seen));
			ask(context, (enum wa_kind)kind, &call);
			assert_row(rows[i].mechanism, call.completions == 1 && call.code == 0);
			assert_row(rows[i].mechanism, strcmp(seen.sender, "CORP\\alice") == 0);
			assert_row(rows[i].mechanism, strcmp(seen.mechanism, rows[i].mechanism) == 0);
			assert_row(rows[i].mechanism, seen.question.allow_sid == rows[i].may_name_sid);
			assert_row(rows[i].mechanism, seen.question.kind == (enum wa_kind)kind);
			assert_row(rows[i].mechanism, seen.question.certificate == NULL);
			/* Where an operation came to is nobody's concern. */
			assert_row(rows[i].mechanism, strcmp(seen.url, is_user ? "https://h:5986/wsman" : "") == 0);
			assert_row(rows[i].mechanism, (seen.question.http_url != NULL) == is_user);
		}
	}
	engine_fake_show_tried(NULL);
	assert_int_equal(WSManPluginShutdown(context, 0, 3), 0);
}

static void authz_user__no_url__is_asked_of_the_cache_without(void **state)
{
	PVOID context = start(EVERYBODY);
	struct host_call call;

	(void)state;
	engine_fake_show_tried(see);
	host_call_init(&call, "alice");
	ask(context, WA_KIND_USER, &call);
	engine_fake_show_tried(NULL);
	assert_int_equal(call.code, 0);
	assert_null(seen.question.http_url);
	assert_int_equal(WSManPluginShutdown(context, 0, 3), 0);
}

static void entry_points__names_that_are_not_ascii__reach_the_cache_in_utf8(void **state)
{
	static const struct {
		const char *expected;
		WCHAR units[8];
	} rows[] = {
	    {"a\xC3\xA4z", {'a', 0xE4, 'z'}},       {"\xDF\xBF\xE0\xA0\x80", {0x7FF, 0x800}},
	    {"\x7F\xC2\x80", {0x7F, 0x80}},         {"x\xF0\x9F\x98\x80y", {'x', 0xD83D, 0xDE00, 'y'}},
	    {"\xF4\x8F\xBF\xBF", {0xDBFF, 0xDFFF}}, {"\xEF\xBF\xBF\xEE\x80\x80", {0xFFFF, 0xE000}},
	};
	PVOID context = start(EVERYBODY);

	(void)state;
	engine_fake_show_tried(see);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct host_call call;

		host_call_init(&call, NULL);
		call.details.senderName = rows[i].units;
		memset(&seen, 0, sizeof(seen));
		ask(context, WA_KIND_OPERATION, &call);
		assert_row(rows[i].expected, call.completions == 1 && call.code == 0);
		assert_row(rows[i].expected, strcmp(seen.sender, rows[i].expected) == 0);
		assert_row(rows[i].expected, seen.question.sender_length == strlen(rows[i].expected));
	}
	engine_fake_show_tried(NULL);
	assert_int_equal(WSManPluginShutdown(context, 0, 3), 0);
}

/* `count` units, then a terminator. */
static PCWSTR repeated(WCHAR *out, WCHAR unit, size_t count)
{
	for (size_t i = 0; i < count; i++)
		out[i] = unit;
	out[count] = 0;
	return out;
}

static void authz_user__texts_of_every_length_and_kind__take_the_right_way(void **state)
{
	static const WCHAR surrogate[] = {'a', 0xD800, 'b', 0}, cut_off[] = {0xD83D, 0}, empty[] = {0};
	static const WCHAR alice[] = {'a', 'l', 'i', 'c', 'e', 0};
	static WCHAR name[PLUGIN_INSTANT_NAME_UNITS + 1], wide_name[PLUGIN_INSTANT_NAME_UNITS + 1];
	static WCHAR long_name[PLUGIN_INSTANT_NAME_UNITS + 2], wide_long_name[PLUGIN_INSTANT_NAME_UNITS + 2];
	static WCHAR pair_across_the_end[PLUGIN_INSTANT_NAME_UNITS + 2];
	static WCHAR mechanism[PLUGIN_INSTANT_MECHANISM_UNITS + 1], long_mechanism[PLUGIN_INSTANT_MECHANISM_UNITS + 2];
	static WCHAR wide_mechanism[PLUGIN_INSTANT_MECHANISM_UNITS + 1];
	static WCHAR url[PLUGIN_INSTANT_URL_UNITS + 1], long_url[PLUGIN_INSTANT_URL_UNITS + 2];
	static WCHAR wide_url[PLUGIN_INSTANT_URL_UNITS + 1];
	const struct {
		const char *row;
		PCWSTR name, mechanism, url;
		bool is_tried;
		DWORD expected;
	} rows[] = {
	    {"ordinary", alice, alice, alice, true, 0},
	    {"longest name", repeated(name, 'x', PLUGIN_INSTANT_NAME_UNITS), alice, NULL, true, 0},
	    {"longest in UTF-8", repeated(wide_name, 0xFFFD, PLUGIN_INSTANT_NAME_UNITS), alice, NULL, true, 0},
	    {"long name", repeated(long_name, 'x', PLUGIN_INSTANT_NAME_UNITS + 1), alice, NULL, false, 0},
	    {"long, not ASCII", repeated(wide_long_name, 0xE4, PLUGIN_INSTANT_NAME_UNITS + 1), alice, NULL, false, 0},
	    {"a pair across the limit", pair_across_the_end, alice, NULL, false, 0},
	    {"no name", NULL, alice, NULL, false, 5},
	    {"empty name", empty, alice, NULL, false, 5},
	    {"a surrogate in the name", surrogate, alice, NULL, false, 5},
	    {"half a pair", cut_off, alice, NULL, false, 5},
	    {"longest mechanism", alice, repeated(mechanism, 'x', PLUGIN_INSTANT_MECHANISM_UNITS), NULL, true, 0},
	    {"widest mechanism", alice, repeated(wide_mechanism, 0xFFFD, PLUGIN_INSTANT_MECHANISM_UNITS), NULL, true,
	     0},
	    {"long mechanism", alice, repeated(long_mechanism, 'x', PLUGIN_INSTANT_MECHANISM_UNITS + 1), NULL, false,
	     0},
	    {"a surrogate in the mechanism", alice, surrogate, NULL, false, 5},
	    {"longest URL", alice, alice, repeated(url, 'x', PLUGIN_INSTANT_URL_UNITS), true, 0},
	    {"widest URL", alice, alice, repeated(wide_url, 0xFFFD, PLUGIN_INSTANT_URL_UNITS), true, 0},
	    {"long URL", alice, alice, repeated(long_url, 'x', PLUGIN_INSTANT_URL_UNITS + 1), false, 0},
	    {"a surrogate in the URL", alice, alice, surrogate, false, 5},
	};
	PVOID context = start(EVERYBODY);

	(void)state;
	repeated(pair_across_the_end, 'x', PLUGIN_INSTANT_NAME_UNITS + 1);
	pair_across_the_end[PLUGIN_INSTANT_NAME_UNITS - 1] = 0xD83D;
	pair_across_the_end[PLUGIN_INSTANT_NAME_UNITS] = 0xDE00;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const size_t asked = engine_fake_asked(), tried = engine_fake_tried();
		struct host_call call;

		host_call_init(&call, NULL);
		call.details.senderName = rows[i].name;
		call.details.authenticationMechanism = rows[i].mechanism;
		call.details.httpURL = rows[i].url;
		ask(context, WA_KIND_USER, &call);
		assert_row(rows[i].row, call.completions == 1 && call.was_inside && call.code == rows[i].expected);
		assert_row(rows[i].row, engine_fake_tried() == tried + rows[i].is_tried);
		assert_row(rows[i].row, engine_fake_asked() == asked + (!rows[i].is_tried && rows[i].expected == 0));
	}
	assert_int_equal(WSManPluginShutdown(context, 0, 3), 0);
}

static void ask_again(void *context)
{
	static const char *const senders[] = {"alice", "unknown"};

	for (size_t i = 0; i < COUNT_OF(senders); i++) {
		struct host_call inner;

		host_call_init(&inner, senders[i]);
		ask(context, WA_KIND_OPERATION, &inner);
		assert_true(inner.completions == 1 && inner.code == 0);
	}
}

static void entry_points__the_host_calls_back_from_the_completion__is_served(void **state)
{
	PVOID context = start(SCRIPT);
	struct host_call call;

	(void)state;
	host_call_init(&call, "alice");
	call.then = ask_again;
	call.then_context = context;
	ask(context, WA_KIND_USER, &call);
	assert_true(call.completions == 1 && call.code == 0);
	assert_int_equal(WSManPluginShutdown(context, 0, 3), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(entry_points__a_cached_authorize__is_told_inside_the_call_without_an_allocation),
	    cmocka_unit_test(authz_user__the_cache_gives_anything_but_an_authorize__is_asked_of_the_engine),
	    cmocka_unit_test(entry_points__a_call_out_of_the_ordinary__does_not_try_the_cache),
	    cmocka_unit_test(authz_user__no_token_and_the_policy_allows_it__is_told_without_one),
	    cmocka_unit_test(entry_points__completion_is_asynchronous__is_never_inside_the_call),
	    cmocka_unit_test(entry_points__somebody_observes__is_shown_the_engines_decision),
	    cmocka_unit_test(entry_points__what_the_host_says__reaches_the_cache),
	    cmocka_unit_test(authz_user__no_url__is_asked_of_the_cache_without),
	    cmocka_unit_test(entry_points__names_that_are_not_ascii__reach_the_cache_in_utf8),
	    cmocka_unit_test(authz_user__texts_of_every_length_and_kind__take_the_right_way),
	    cmocka_unit_test(entry_points__the_host_calls_back_from_the_completion__is_served),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
