/* SPDX-License-Identifier: Apache-2.0 */
#include <cli/completion.h>
#include <stddef.h>

_Static_assert(offsetof(struct completion, details) == 0, "the key leads back to the call");

static DWORD finish(WSMAN_SENDER_DETAILS *details, PVOID user_context, DWORD code)
{
	struct completion *completion = (struct completion *)(void *)details;

	WSManPluginAuthzReleaseContext(user_context);
	completion->done(completion, code);
	return WSMAUTHZ_NO_ERROR;
}

DWORD WINAPI WSManPluginAuthzUserComplete(WSMAN_SENDER_DETAILS *senderDetails, DWORD flags,
					  PVOID userAuthorizationContext, HANDLE impersonationToken,
					  BOOL userIsAdministrator, DWORD errorCode, PCWSTR extendedErrorInformation)
{
	(void)flags;
	(void)impersonationToken;
	(void)userIsAdministrator;
	(void)extendedErrorInformation;
	return finish(senderDetails, userAuthorizationContext, errorCode);
}

DWORD WINAPI WSManPluginAuthzOperationComplete(WSMAN_SENDER_DETAILS *senderDetails, DWORD flags,
					       PVOID userAuthorizationContext, DWORD errorCode,
					       PCWSTR extendedErrorInformation)
{
	(void)flags;
	(void)extendedErrorInformation;
	return finish(senderDetails, userAuthorizationContext, errorCode);
}

DWORD WINAPI WSManPluginAuthzQueryQuotaComplete(WSMAN_SENDER_DETAILS *senderDetails, DWORD flags,
						WSMAN_AUTHZ_QUOTA *quota, DWORD errorCode,
						PCWSTR extendedErrorInformation)
{
	(void)flags;
	(void)quota;
	(void)extendedErrorInformation;
	return finish(senderDetails, NULL, errorCode);
}
