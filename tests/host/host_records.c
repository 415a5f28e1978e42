/* SPDX-License-Identifier: Apache-2.0 */
/* What the host keeps of calls and completions. */
#include <host/host.h>
#include <pthread.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static size_t completions;

static void keep_redirect(struct call *call, PCWSTR extended)
{
	for (size_t i = 0; extended[i] != 0 && i + 1 < sizeof(call->redirect); i++) {
		expect(extended[i] >= 0x20 && extended[i] < 0x7F);
		call->redirect[i] = (char)extended[i];
	}
}

void host_completed(const struct standin_completion *completion)
{
	struct call *call = (struct call *)(void *)completion->details;

	(void)pthread_mutex_lock(&lock);
	completions++;
	call->completions++;
	expect(call->completions == 1);
	call->was_inside = call->thread == (uintptr_t)pthread_self() && !call->has_returned;
	call->function = completion->function;
	call->code = completion->code;
	call->user_context = completion->user_context;
	call->token = completion->token;
	call->administrator = completion->administrator;
	call->has_quota = completion->quota != NULL;
	if (completion->quota != NULL)
		call->quota = *completion->quota;
	if (completion->extended != NULL)
		keep_redirect(call, completion->extended);
	(void)pthread_mutex_unlock(&lock);
}

void call_make(const struct plugin_file *file, PVOID context, enum call_kind kind, struct call *call, DWORD flags)
{
	static const WCHAR text[] = {'t', 0};

	call->thread = (uintptr_t)pthread_self();
	if (kind == CALL_USER)
		file->authz_user(context, &call->details, flags);
	else if (kind == CALL_OPERATION)
		file->authz_operation(context, &call->details, flags, 1, text, text);
	else
		file->authz_query_quota(context, &call->details, flags);
	(void)pthread_mutex_lock(&lock);
	call->has_returned = true;
	(void)pthread_mutex_unlock(&lock);
}

static bool is_completed(const struct call *call)
{
	bool is;

	(void)pthread_mutex_lock(&lock);
	is = call->completions > 0;
	(void)pthread_mutex_unlock(&lock);
	return is;
}

void call_wait(struct call *call)
{
	uint64_t due_ms = host_now_ms() + HOST_PATIENCE_MS;

	while (!is_completed(call)) {
		expect(host_now_ms() < due_ms);
		host_sleep_ms(1);
	}
}

void call_verify(const struct call *call, enum call_kind kind, bool is_asynchronous)
{
	static const enum standin_function functions[] = {STANDIN_USER, STANDIN_OPERATION, STANDIN_QUOTA};
	bool is_success = call->code == WSMAUTHZ_NO_ERROR;

	expect(call->completions == 1);
	expect(call->function == functions[kind]);
	expect(call->was_inside == !is_asynchronous);
	expect((call->user_context != NULL) == (is_success && kind != CALL_QUOTA));
	/* The sender's own token, and nobody else's. */
	expect(call->token == (is_success && kind == CALL_USER ? call->details.clientToken : NULL));
	expect(is_success || call->administrator == 0);
	expect(call->has_quota == (is_success && kind == CALL_QUOTA));
	expect((call->redirect[0] != '\0') == (call->code == WSMAUTHZ_REDIRECT_REQUESTED));
	expect(kind == CALL_USER || call->code != WSMAUTHZ_REDIRECT_REQUESTED);
}

DWORD call_ask(const struct plugin_file *file, PVOID context, enum call_kind kind, const char *sender)
{
	struct call call;

	call_init(&call, sender);
	call_make(file, context, kind, &call, 0);
	call_wait(&call);
	file->release_context(call.user_context);
	return call.code;
}

size_t host_completions(void)
{
	size_t count;

	(void)pthread_mutex_lock(&lock);
	count = completions;
	(void)pthread_mutex_unlock(&lock);
	return count;
}

void host_expect_quiet(size_t threads)
{
	size_t before = host_completions();

	/* Threads that were joined may stay in the list of the system for a moment. */
	for (int i = 0; threads != 0 && host_threads() > threads && i < 100; i++)
		host_sleep_ms(1);
	expect(threads == 0 || host_threads() <= threads);
	host_sleep_ms(HOST_QUIET_MS);
	expect(host_completions() == before);
}
