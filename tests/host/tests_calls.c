/* SPDX-License-Identifier: Apache-2.0 */
/* Single calls, one after the other. */
#include <host/host.h>
#include <string.h>

static DWORD expected_code(const struct expectation *expected, enum call_kind kind)
{
	return kind == CALL_USER ? expected->user_code : expected->operation_code;
}

/* WinRM's order: the user, its quota, its operations, the contexts, the end. */
void test_calls(const struct scenario *scenario)
{
	static const enum call_kind order[] = {CALL_USER, CALL_QUOTA, CALL_OPERATION, CALL_OPERATION};
	struct plugin_file file;
	PVOID context = NULL;
	size_t threads;

	host_load(scenario, &file);
	threads = host_threads();
	expect(host_start(&file, scenario->policy, &context) == 0 && context != NULL);
	for (size_t i = 0; i < scenario->expected_count; i++) {
		for (size_t j = 0; j < sizeof(order) / sizeof(order[0]); j++) {
			struct call call;

			call_init(&call, scenario->expected[i].sender);
			call_make(&file, context, order[j], &call, 0);
			call_wait(&call);
			call_verify(&call, order[j], scenario->is_asynchronous);
			expect(call.code == expected_code(&scenario->expected[i], order[j]));
			file.release_context(call.user_context);
		}
	}
	expect(file.shutdown(context, 0, 3) == 0);
	host_expect_quiet(threads);
	expect(host_completions() == scenario->expected_count * 4);
	host_unload(&file);
}

/* One row of the matrix: a call with something missing. */
struct defect {
	const char *what;
	bool no_context, has_flags, no_name, empty_name, no_token;
	DWORD code;
};

static void spoil(struct call *call, const struct defect *defect)
{
	static const WCHAR empty[] = {0};

	call_init(call, "nobody");
	if (defect->no_name)
		call->details.senderName = NULL;
	if (defect->empty_name)
		call->details.senderName = empty;
	if (defect->no_token)
		call->details.clientToken = NULL;
}

/* What a careless host may leave out, in each kind of call: an answer each, and none where there is no key. */
void test_matrix(const struct scenario *scenario)
{
	static const struct defect defects[] = {
	    {.what = "no context", .no_context = true, .code = 87},
	    {.what = "flags", .has_flags = true, .code = 87},
	    {.what = "no context, flags", .no_context = true, .has_flags = true, .code = 87},
	    {.what = "no name", .no_name = true, .code = 5},
	    {.what = "empty name", .empty_name = true, .code = 5},
	    {.what = "no token", .no_token = true, .code = 5},
	    {.what = "no context, name, token", .no_context = true, .no_name = true, .no_token = true, .code = 87},
	};
	struct plugin_file file;
	PVOID context = NULL;
	size_t made = 0;

	host_load(scenario, &file);
	expect(host_start(&file, scenario->policy, &context) == 0);
	for (size_t i = 0; i < sizeof(defects) / sizeof(defects[0]); i++) {
		for (int kind = CALL_USER; kind < CALL_KINDS; kind++, made++) {
			struct call call;

			spoil(&call, &defects[i]);
			call_make(&file, defects[i].no_context ? NULL : context, (enum call_kind)kind, &call,
				  defects[i].has_flags);
			call_wait(&call);
			/* Without a context there is nobody to do it later. */
			call_verify(&call, (enum call_kind)kind, scenario->is_asynchronous && !defects[i].no_context);
			expect(call.code == defects[i].code);
		}
	}
	for (int i = 0; i < 2; i++) {
		file.authz_user(i == 0 ? NULL : context, NULL, 0);
		file.authz_operation(i == 0 ? NULL : context, NULL, 0, 0, NULL, NULL);
		file.authz_query_quota(i == 0 ? NULL : context, NULL, 0);
		file.release_context(NULL);
	}
	expect(file.startup(0, NULL, NULL, NULL) == 87);
	expect(file.shutdown(NULL, 0, 3) == 87);
	expect(file.shutdown(context, 0, 3) == 0);
	host_expect_quiet(0);
	expect(host_completions() == made);
}

/*
 * User records: a user is authorized once, its record's context stays while its operations come, is replaced
 * when the record is refreshed, and is released when it times out, which may be after Shutdown.
 */
void test_records(const struct scenario *scenario)
{
	enum { REFRESHES = 3, OPERATIONS = 5 };
	struct plugin_file file;
	PVOID context = NULL, record = NULL, kept[OPERATIONS] = {NULL};
	const char *sender = scenario->expected[0].sender;

	expect(scenario->expected[0].user_code == 0);
	host_load(scenario, &file);
	expect(host_start(&file, scenario->policy, &context) == 0);
	for (int i = 0; i < REFRESHES; i++) {
		struct call user;

		call_init(&user, sender);
		call_make(&file, context, CALL_USER, &user, 0);
		call_wait(&user);
		call_verify(&user, CALL_USER, scenario->is_asynchronous);
		/* The old context goes after the new one has come; both may be the same one. */
		file.release_context(record);
		record = user.user_context;
		for (int j = 0; j < OPERATIONS; j++) {
			struct call operation;

			call_init(&operation, sender);
			call_make(&file, context, CALL_OPERATION, &operation, 0);
			call_wait(&operation);
			call_verify(&operation, CALL_OPERATION, scenario->is_asynchronous);
			file.release_context(kept[j]);
			kept[j] = operation.user_context;
		}
	}
	expect(file.shutdown(context, 0, 3) == 0);
	file.release_context(record);
	for (int j = 0; j < OPERATIONS; j++)
		file.release_context(kept[j]);
	host_expect_quiet(0);
}

/* Nobody answers at once: each call is still answered, within the policy's patience. Every expectation is an error. */
void test_long(const struct scenario *scenario)
{
	struct plugin_file file;
	PVOID context = NULL;

	host_load(scenario, &file);
	expect(host_start(&file, scenario->policy, &context) == 0);
	for (size_t i = 0; i < scenario->expected_count; i++) {
		for (int kind = CALL_USER; kind < CALL_KINDS; kind++)
			expect(call_ask(&file, context, (enum call_kind)kind, scenario->expected[i].sender) ==
			       expected_code(&scenario->expected[i], (enum call_kind)kind));
	}
	host_expect_quiet(0);
	expect(file.shutdown(context, 0, 3) == 0);
	host_expect_quiet(0);
}
