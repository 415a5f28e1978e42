/* SPDX-License-Identifier: Apache-2.0 */
#include <os/clock.h>
#include <pthread.h>
#include <string.h>
#include <support/host_recorder.h>
#include <support/host_token.h>
#include <time.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

PCWSTR host_text(WCHAR *out, size_t room, const char *text)
{
	size_t i = 0;

	for (; text[i] != '\0' && i + 1 < room; i++)
		out[i] = (WCHAR)(unsigned char)text[i];
	out[i] = 0;
	return out;
}

void host_call_init(struct host_call *call, const char *name)
{
	static const WCHAR negotiate[] = {'N', 'e', 'g', 'o', 't', 'i', 'a', 't', 'e', 0};

	memset(call, 0, sizeof(*call));
	if (name != NULL)
		call->details.senderName = host_text(call->name, HOST_NAME_UNITS, name);
	call->details.authenticationMechanism = negotiate;
	call->details.clientToken = host_token();
	call->calling_thread = (uintptr_t)pthread_self();
}

static bool is_completed(const struct host_call *call)
{
	bool done;

	(void)pthread_mutex_lock(&lock);
	done = call->completions > 0;
	(void)pthread_mutex_unlock(&lock);
	return done;
}

bool host_call_wait(struct host_call *call, uint64_t timeout_ms)
{
	const struct timespec pause = {.tv_nsec = 500000};
	uint64_t due_ms = clock_monotonic_ms() + timeout_ms;

	while (!is_completed(call)) {
		if (clock_monotonic_ms() >= due_ms)
			return false;
		(void)nanosleep(&pause, NULL);
	}
	return true;
}

static void write_down(struct host_call *call, enum host_function function, DWORD flags, PVOID user_context, DWORD code,
		       PCWSTR extended)
{
	call->function = function;
	call->flags = flags;
	call->user_context = user_context;
	call->code = code;
	call->has_extended = extended != NULL;
	for (size_t i = 0; extended != NULL && i + 1 < sizeof(call->extended) && extended[i] != 0; i++)
		call->extended[i] = (char)extended[i];
	call->was_inside = call->calling_thread == (uintptr_t)pthread_self();
}

static DWORD count(struct host_call *call)
{
	void (*then)(void *context) = call->then;
	void *then_context = call->then_context;

	call->completions++;
	(void)pthread_mutex_unlock(&lock);
	if (then != NULL)
		then(then_context);
	return 0;
}

DWORD WINAPI WSManPluginAuthzUserComplete(WSMAN_SENDER_DETAILS *senderDetails, DWORD flags,
					  PVOID userAuthorizationContext, HANDLE impersonationToken,
					  BOOL userIsAdministrator, DWORD errorCode, PCWSTR extendedErrorInformation)
{
	struct host_call *call = (struct host_call *)senderDetails;

	(void)pthread_mutex_lock(&lock);
	write_down(call, HOST_USER_COMPLETE, flags, userAuthorizationContext, errorCode, extendedErrorInformation);
	call->token = impersonationToken;
	call->administrator = userIsAdministrator;
	return count(call);
}

DWORD WINAPI WSManPluginAuthzOperationComplete(WSMAN_SENDER_DETAILS *senderDetails, DWORD flags,
					       PVOID userAuthorizationContext, DWORD errorCode,
					       PCWSTR extendedErrorInformation)
{
	struct host_call *call = (struct host_call *)senderDetails;

	(void)pthread_mutex_lock(&lock);
	write_down(call, HOST_OPERATION_COMPLETE, flags, userAuthorizationContext, errorCode, extendedErrorInformation);
	return count(call);
}

DWORD WINAPI WSManPluginAuthzQueryQuotaComplete(WSMAN_SENDER_DETAILS *senderDetails, DWORD flags,
						WSMAN_AUTHZ_QUOTA *quota, DWORD errorCode,
						PCWSTR extendedErrorInformation)
{
	struct host_call *call = (struct host_call *)senderDetails;

	(void)pthread_mutex_lock(&lock);
	write_down(call, HOST_QUOTA_COMPLETE, flags, NULL, errorCode, extendedErrorInformation);
	call->has_quota = quota != NULL;
	if (quota != NULL)
		call->quota = *quota;
	return count(call);
}
