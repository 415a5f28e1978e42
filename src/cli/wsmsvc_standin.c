/* SPDX-License-Identifier: Apache-2.0 */
#include <cli/wsmsvc_standin.h>
#include <stddef.h>

static standin_completed_fn *handler;

void standin_set(standin_completed_fn *completed)
{
	handler = completed;
}

static DWORD hand_on(const struct standin_completion *completion)
{
	if (handler == NULL || completion->details == NULL || completion->flags != 0)
		return WSMAUTHZ_INVALID_PARAMETER;
	handler(completion);
	return WSMAUTHZ_NO_ERROR;
}

WSMAUTHZ_EXPORT DWORD WINAPI WSManPluginAuthzUserComplete(WSMAN_SENDER_DETAILS *senderDetails, DWORD flags,
							  PVOID userAuthorizationContext, HANDLE impersonationToken,
							  BOOL userIsAdministrator, DWORD errorCode,
							  PCWSTR extendedErrorInformation)
{
	return hand_on(&(struct standin_completion){
	    .function = STANDIN_USER,
	    .details = senderDetails,
	    .flags = flags,
	    .user_context = userAuthorizationContext,
	    .token = impersonationToken,
	    .administrator = userIsAdministrator,
	    .code = errorCode,
	    .extended = extendedErrorInformation,
	});
}

WSMAUTHZ_EXPORT DWORD WINAPI WSManPluginAuthzOperationComplete(WSMAN_SENDER_DETAILS *senderDetails, DWORD flags,
							       PVOID userAuthorizationContext, DWORD errorCode,
							       PCWSTR extendedErrorInformation)
{
	return hand_on(&(struct standin_completion){
	    .function = STANDIN_OPERATION,
	    .details = senderDetails,
	    .flags = flags,
	    .user_context = userAuthorizationContext,
	    .code = errorCode,
	    .extended = extendedErrorInformation,
	});
}

WSMAUTHZ_EXPORT DWORD WINAPI WSManPluginAuthzQueryQuotaComplete(WSMAN_SENDER_DETAILS *senderDetails, DWORD flags,
								WSMAN_AUTHZ_QUOTA *quota, DWORD errorCode,
								PCWSTR extendedErrorInformation)
{
	return hand_on(&(struct standin_completion){
	    .function = STANDIN_QUOTA,
	    .details = senderDetails,
	    .flags = flags,
	    .quota = quota,
	    .code = errorCode,
	    .extended = extendedErrorInformation,
	});
}
