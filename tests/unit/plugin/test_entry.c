/* SPDX-License-Identifier: Apache-2.0 */
/* The entry points with synchronous completion. */
#include <os/clock.h>
#include <plugin/plugin.h>
#include <string.h>
#include <support/assertions.h>
#include <support/engine_fake.h>
#include <support/host_recorder.h>

#define SCRIPT                                                                                                         \
	"script:timeout 200\n"                                                                                         \
	"by-name\n"                                                                                                    \
	"answer alice authorize member administrator quota=5,15,60,100 delay=20\n"                                     \
	"answer bob redirect site-elsewhere uri=https://emea.corp.example:5986/wsman\n"                                \
	"answer carol error directory-unavailable\n"                                                                   \
	"answer never authorize member never\n"                                                                        \
	"answer lost authorize member lost\n"                                                                          \
	"answer refuse authorize member refuse\n"                                                                      \
	"answer zeroed authorize member zeroed\n"                                                                      \
	"answer S-1-5-21-1 authorize member\n"

struct seen {
	unsigned count;
	struct wa_decision last;
	char detail[512];
};

static void observe(void *context, WSMAN_SENDER_DETAILS *sender_details, const struct wa_decision *decision)
{
	struct seen *seen = context;

	assert_non_null(sender_details);
	seen->count++;
	seen->last = *decision;
	if (decision->detail != NULL)
		strncpy(seen->detail, decision->detail, sizeof(seen->detail) - 1);
}

static void discard(void *context, enum wa_log_level level, const char *line)
{
	(void)context;
	(void)level;
	(void)line;
}

static const struct wa_log quiet = {WA_LOG_DEBUG, discard, NULL};

static PVOID start(const char *script, struct seen *seen)
{
	const struct plugin_options options = {.log = &quiet, .observer = observe, .observer_context = seen};
	struct error error;
	PVOID context = NULL;

	memset(seen, 0, sizeof(*seen));
	assert_status(plugin_start(script, &options, &context, &error), STATUS_OK, &error);
	return context;
}

static void ask(PVOID context, enum wa_kind kind, struct host_call *call, DWORD flags)
{
	static const WCHAR uri[] = {'u', 0};

	if (kind == WA_KIND_USER)
		WSManPluginAuthzUser(context, &call->details, flags);
	else if (kind == WA_KIND_OPERATION)
		WSManPluginAuthzOperation(context, &call->details, flags, 1, uri, uri);
	else
		WSManPluginAuthzQueryQuota(context, &call->details, flags);
	WSManPluginAuthzReleaseContext(call->user_context);
}

static void entry_points__each_sender_and_kind__are_answered_once_inside_the_call(void **state)
{
	static const struct {
		const char *sender;
		enum wa_kind kind;
		DWORD expected;
	} rows[] = {
	    {"alice", WA_KIND_USER, 0},
	    {"alice", WA_KIND_OPERATION, 0},
	    {"alice", WA_KIND_QUOTA, 0},
	    {"bob", WA_KIND_USER, 0x80338199},
	    {"bob", WA_KIND_OPERATION, 0x80338083},
	    {"bob", WA_KIND_QUOTA, 0x80338083},
	    {"carol", WA_KIND_USER, 0x80338083},
	    {"carol", WA_KIND_OPERATION, 0x80338083},
	    {"carol", WA_KIND_QUOTA, 0x80338083},
	    {"mallory", WA_KIND_USER, 5},
	    {"mallory", WA_KIND_OPERATION, 5},
	    {"mallory", WA_KIND_QUOTA, 5},
	    {"zeroed", WA_KIND_USER, 5},
	    {"refuse", WA_KIND_USER, 0x80338083},
	    {"refuse", WA_KIND_QUOTA, 0x80338083},
	};
	static const enum host_function functions[] = {HOST_USER_COMPLETE, HOST_OPERATION_COMPLETE,
						       HOST_QUOTA_COMPLETE};
	struct seen seen;
	PVOID context = start(SCRIPT, &seen);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct host_call call;

		host_call_init(&call, rows[i].sender);
		ask(context, rows[i].kind, &call, 0);
		assert_row(rows[i].sender, call.completions == 1 && call.was_inside && call.flags == 0);
		assert_row(rows[i].sender, call.function == functions[rows[i].kind]);
		assert_row(rows[i].sender, call.code == rows[i].expected);
		assert_row(rows[i].sender, seen.count == i + 1 && seen.last.code == rows[i].expected);
		assert_row(rows[i].sender, call.has_extended == (rows[i].expected == 0x80338199));
		assert_row(rows[i].sender, call.token == (rows[i].expected == 0 && rows[i].kind == WA_KIND_USER
							      ? call.details.clientToken
							      : NULL));
		assert_row(rows[i].sender, call.has_quota == (rows[i].expected == 0 && rows[i].kind == WA_KIND_QUOTA));
	}
	assert_int_equal(WSManPluginShutdown(context, 0, 3), 0);
}

static void entry_points__senders_of_every_kind__are_refused_at_the_edge(void **state)
{
	static const WCHAR surrogate[] = {'a', 0xD800, 'b', 0}, empty[] = {0};
	static WCHAR longest[PLUGIN_MAX_NAME_UNITS + 1], too_long[PLUGIN_MAX_NAME_UNITS + 1];
	static WCHAR long_mechanism[PLUGIN_MAX_MECHANISM_UNITS + 2], long_url[PLUGIN_MAX_URL_UNITS + 2];
	static char token;
	static const WCHAR alice[] = {'a', 'l', 'i', 'c', 'e', 0};
	WSMAN_CERTIFICATE_DETAILS bad_certificate = {.issuerThumbprint = surrogate};
	const struct {
		const char *name;
		WSMAN_SENDER_DETAILS details;
		enum wa_reason reason;
		const char *detail;
	} rows[] = {
	    {"no name", {NULL, alice, NULL, &token, NULL}, WA_REASON_BAD_SENDER_NAME, "the sender's name is empty"},
	    {"empty name", {empty, alice, NULL, &token, NULL}, WA_REASON_BAD_SENDER_NAME, "the sender's name is empty"},
	    {"surrogate",
	     {surrogate, alice, NULL, &token, NULL},
	     WA_REASON_BAD_SENDER_NAME,
	     "the sender's name is not valid Unicode text"},
	    {"too long",
	     {too_long, alice, NULL, &token, NULL},
	     WA_REASON_BAD_SENDER_NAME,
	     "the sender's name is longer than any honest one"},
	    {"longest", {longest, alice, NULL, &token, NULL}, WA_REASON_NOT_A_MEMBER, "mechanism=alice"},
	    {"bad mechanism",
	     {alice, surrogate, NULL, &token, NULL},
	     WA_REASON_BAD_SENDER_NAME,
	     "the authentication mechanism is not valid Unicode text"},
	    {"long mechanism",
	     {alice, long_mechanism, NULL, &token, NULL},
	     WA_REASON_BAD_SENDER_NAME,
	     "the authentication mechanism is longer than any honest one"},
	    {"bad URL",
	     {alice, alice, NULL, &token, surrogate},
	     WA_REASON_BAD_SENDER_NAME,
	     "the URL is not valid Unicode text"},
	    {"long URL",
	     {alice, alice, NULL, &token, long_url},
	     WA_REASON_BAD_SENDER_NAME,
	     "the URL is longer than any honest one"},
	    {"bad certificate",
	     {alice, alice, &bad_certificate, &token, NULL},
	     WA_REASON_BAD_SENDER_NAME,
	     "the client certificate's description is not valid Unicode text"},
	    {"no token", {alice, alice, NULL, NULL, NULL}, WA_REASON_NO_TOKEN, "the sender came without a token"},
	    {"no name, no token",
	     {NULL, NULL, NULL, NULL, NULL},
	     WA_REASON_BAD_SENDER_NAME,
	     "the sender's name is empty"},
	};
	struct seen seen;
	PVOID context = start(SCRIPT, &seen);
	size_t recorded = engine_fake_recorded();

	(void)state;
	for (size_t i = 0; i < PLUGIN_MAX_NAME_UNITS; i++)
		longest[i] = too_long[i] = 'x';
	too_long[PLUGIN_MAX_NAME_UNITS] = 'x'; /* and no terminator: the edge must not look for one */
	for (size_t i = 0; i <= PLUGIN_MAX_MECHANISM_UNITS; i++)
		long_mechanism[i] = 'x';
	for (size_t i = 0; i <= PLUGIN_MAX_URL_UNITS; i++)
		long_url[i] = 'x';
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		for (int kind = WA_KIND_USER; kind <= WA_KIND_QUOTA; kind++) {
			struct host_call call;

			host_call_init(&call, "");
			call.details = rows[i].details;
			ask(context, (enum wa_kind)kind, &call, 0);
			assert_row(rows[i].name, call.completions == 1 && call.code == 5 && !call.has_extended);
			assert_row(rows[i].name, call.token == NULL && call.user_context == NULL && !call.has_quota);
			assert_row(rows[i].name, seen.last.reason == rows[i].reason);
			assert_row(rows[i].name, seen.last.verdict == WA_DENY);
			assert_row(rows[i].name, strstr(seen.detail, rows[i].detail) != NULL);
			/* What the engine answers is its own to write down. */
			recorded += rows[i].reason != WA_REASON_NOT_A_MEMBER;
			assert_row(rows[i].name, engine_fake_recorded() == recorded);
		}
	}
	assert_int_equal(WSManPluginShutdown(context, 0, 3), 0);
}

static void entry_points__null_and_flags__complete_with_87_where_there_is_a_key(void **state)
{
	struct seen seen;
	PVOID context = start(SCRIPT, &seen);

	(void)state;
	for (int kind = WA_KIND_USER; kind <= WA_KIND_QUOTA; kind++) {
		for (int with_context = 0; with_context < 2; with_context++) {
			for (DWORD flags = 0; flags < 2; flags++) {
				struct host_call call;

				host_call_init(&call, "mallory");
				ask(with_context ? context : NULL, (enum wa_kind)kind, &call, flags);
				assert_int_equal(call.completions, 1);
				assert_int_equal(call.flags, 0);
				assert_int_equal(call.code, with_context && flags == 0 ? 5 : 87);
				assert_null(call.user_context);
				assert_null(call.token);
				assert_false(call.has_quota);
				assert_false(call.has_extended);
			}
		}
	}
	/* Nothing can be completed: nothing is. */
	for (int with_context = 0; with_context < 2; with_context++) {
		WSManPluginAuthzUser(with_context ? context : NULL, NULL, 0);
		WSManPluginAuthzOperation(with_context ? context : NULL, NULL, 0, 0, NULL, NULL);
		WSManPluginAuthzQueryQuota(with_context ? context : NULL, NULL, 0);
	}
	WSManPluginAuthzReleaseContext(NULL);
	WSManPluginAuthzReleaseContext(NULL);
	assert_int_equal(WSManPluginShutdown(context, 0, 3), 0);
	assert_int_equal(WSManPluginShutdown(NULL, 0, 3), 87);
}

static void authz_user__no_token_and_the_policy_allows_it__is_asked_of_the_engine(void **state)
{
	struct seen seen;
	PVOID context = start("script:allow-null-token\nanswer alice authorize member\n", &seen);
	struct host_call call;

	(void)state;
	host_call_init(&call, "alice");
	call.details.clientToken = NULL;
	ask(context, WA_KIND_USER, &call, 0);
	assert_int_equal(call.code, 0);
	assert_null(call.token);
	assert_int_equal(WSManPluginShutdown(context, 0, 3), 0);
}

static void authz_user__mechanisms__only_those_of_windows_may_name_a_sid(void **state)
{
	static const struct {
		const char *mechanism;
		bool expected;
	} rows[] = {
	    {"Basic", false},   {"basic", false},   {"BASIC", false},  {"Digest", false}, {"ClientCertificate", false},
	    {"", false},        {"Basic ", false},  {"LiveID", false}, {NULL, false},     {"Negotiate", true},
	    {"Kerberos", true}, {"kerberos", true}, {"NTLM", true},    {"CredSSP", true},
	};
	struct seen seen;
	PVOID context = start(SCRIPT, &seen);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *name = rows[i].mechanism != NULL ? rows[i].mechanism : "(none)";
		struct host_call call;
		WCHAR mechanism[32];

		host_call_init(&call, "S-1-5-21-1");
		call.details.authenticationMechanism =
		    rows[i].mechanism != NULL ? host_text(mechanism, COUNT_OF(mechanism), rows[i].mechanism) : NULL;
		ask(context, WA_KIND_USER, &call, 0);
		assert_row(name, (strstr(seen.detail, "sid=1") != NULL) == rows[i].expected);
		assert_row(name, (strstr(seen.detail, "sid=0") != NULL) == !rows[i].expected);
	}
	assert_int_equal(WSManPluginShutdown(context, 0, 3), 0);
}

static void entry_points__everything_that_the_host_says__reaches_the_engine(void **state)
{
	WCHAR url[32], subject[16], issuer[16], thumbprint[16], name[16];
	WSMAN_CERTIFICATE_DETAILS certificate = {
	    host_text(subject, COUNT_OF(subject), "CN=s"), host_text(issuer, COUNT_OF(issuer), "CN=i"),
	    host_text(thumbprint, COUNT_OF(thumbprint), "AB12"), host_text(name, COUNT_OF(name), "s.example")};
	struct seen seen;
	PVOID context = start(SCRIPT, &seen);
	struct host_call call;

	(void)state;
	host_call_init(&call, "alice");
	call.details.httpURL = host_text(url, COUNT_OF(url), "https://h:5986/wsman");
	call.details.certificateDetails = &certificate;
	ask(context, WA_KIND_OPERATION, &call, 0);
	assert_string_equal(seen.detail, "operation mechanism=Negotiate url=https://h:5986/wsman sid=1 "
					 "certificate=CN=s/CN=i/AB12/s.example");
	certificate = (WSMAN_CERTIFICATE_DETAILS){NULL, NULL, NULL, NULL};
	call.details.httpURL = NULL;
	ask(context, WA_KIND_QUOTA, &call, 0);
	assert_string_equal(seen.detail, "quota mechanism=Negotiate url=- sid=1 certificate=-/-/-/-");
	assert_int_equal(call.quota.timeslotSize, 60);
	assert_int_equal(WSManPluginShutdown(context, 0, 3), 0);
}

static void authz_user__the_engine_does_not_answer__is_given_up_after_the_timeout(void **state)
{
	static const char *const senders[] = {"never", "lost"};
	struct seen seen;
	PVOID context = start(SCRIPT, &seen);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(senders); i++) {
		uint64_t begin_ms = clock_monotonic_ms(), took_ms;
		struct host_call call;

		host_call_init(&call, senders[i]);
		ask(context, WA_KIND_USER, &call, 0);
		took_ms = clock_monotonic_ms() - begin_ms;
		assert_row(senders[i], call.completions == 1 && call.code == 0x80338083);
		assert_row(senders[i], call.token == NULL && call.user_context == NULL);
		assert_row(senders[i], seen.last.reason == WA_REASON_DEADLINE_EXCEEDED);
		assert_row(senders[i], took_ms >= 200 + PLUGIN_GRACE_MS && took_ms < 5000);
	}
	assert_int_equal(seen.count, 2);
	/* The engine now answers "never"; "lost" comes when everything else is gone. */
	assert_int_equal(WSManPluginShutdown(context, 0, 3), 0);
	assert_int_equal(engine_fake_answer_lost(), 1);
	assert_int_equal(seen.count, 2);
}

static void ask_again(void *context)
{
	struct host_call inner;

	host_call_init(&inner, "alice");
	WSManPluginAuthzOperation(context, &inner.details, 0, 0, NULL, NULL);
	assert_int_equal(inner.completions, 1);
	assert_int_equal(inner.code, 0);
	WSManPluginAuthzReleaseContext(inner.user_context);
}

static void authz_user__the_host_calls_back_from_its_completion__is_served(void **state)
{
	struct seen seen;
	PVOID context = start(SCRIPT, &seen);
	struct host_call call;

	(void)state;
	host_call_init(&call, "alice");
	call.then = ask_again;
	call.then_context = context;
	ask(context, WA_KIND_USER, &call, 0);
	assert_int_equal(call.completions, 1);
	assert_int_equal(WSManPluginShutdown(context, 0, 3), 0);
}

static void startup__no_place_for_the_context__returns_87(void **state)
{
	(void)state;
	assert_int_equal(WSManPluginStartup(0, NULL, NULL, NULL), 87);
}

static void plugin_start__an_unusable_policy__says_why_and_leaves_nothing(void **state)
{
	struct error error;
	PVOID context = NULL;

	(void)state;
	assert_status(plugin_start("script:unusable line 3 is nonsense", NULL, &context, &error), STATUS_INVALID, NULL);
	assert_string_equal(error.what, "line 3 is nonsense");
	assert_string_equal(error.hint, "write a better one");
	assert_null(context);
	assert_int_equal(engine_fake_open(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(entry_points__each_sender_and_kind__are_answered_once_inside_the_call),
	    cmocka_unit_test(entry_points__senders_of_every_kind__are_refused_at_the_edge),
	    cmocka_unit_test(entry_points__null_and_flags__complete_with_87_where_there_is_a_key),
	    cmocka_unit_test(authz_user__no_token_and_the_policy_allows_it__is_asked_of_the_engine),
	    cmocka_unit_test(authz_user__mechanisms__only_those_of_windows_may_name_a_sid),
	    cmocka_unit_test(entry_points__everything_that_the_host_says__reaches_the_engine),
	    cmocka_unit_test(authz_user__the_engine_does_not_answer__is_given_up_after_the_timeout),
	    cmocka_unit_test(authz_user__the_host_calls_back_from_its_completion__is_served),
	    cmocka_unit_test(startup__no_place_for_the_context__returns_87),
	    cmocka_unit_test(plugin_start__an_unusable_policy__says_why_and_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
