/* SPDX-License-Identifier: Apache-2.0 */
/* A plug-in that does, by the sender's name, what no plug-in may: what `host` must notice and survive. */
#include <stdbool.h>
#include <stddef.h>
#include <wsmauthz/wsman.h>

static const WCHAR address[] = {'h', 't', 't', 'p', 's', ':', '/', '/', 'x', 0};
static char some_context, other_token;

static bool is_named(const WSMAN_SENDER_DETAILS *details, const char *name)
{
	size_t i = 0;

	while (name[i] != '\0' && details->senderName[i] == (WCHAR)name[i])
		i++;
	return name[i] == '\0' && details->senderName[i] == 0;
}

WSMAUTHZ_EXPORT DWORD WINAPI WSManPluginStartup(DWORD flags, PCWSTR applicationIdentification, PCWSTR extraInfo,
						PVOID *pluginContext)
{
	static char context;

	(void)flags;
	(void)applicationIdentification;
	(void)extraInfo;
	*pluginContext = &context;
	return 0;
}

WSMAUTHZ_EXPORT DWORD WINAPI WSManPluginShutdown(PVOID pluginContext, DWORD flags, DWORD reason)
{
	(void)pluginContext;
	(void)flags;
	(void)reason;
	return 0;
}

static void allow(WSMAN_SENDER_DETAILS *details)
{
	(void)WSManPluginAuthzUserComplete(details, 0, &some_context, details->clientToken, 0, 0, NULL);
}

WSMAUTHZ_EXPORT VOID WINAPI WSManPluginAuthzUser(PVOID pluginContext, WSMAN_SENDER_DETAILS *senderDetails, DWORD flags)
{
	static WSMAN_SENDER_DETAILS foreign;
	static WSMAN_SENDER_DETAILS *previous;

	(void)pluginContext;
	(void)flags;
	if (is_named(senderDetails, "never"))
		return;
	if (is_named(senderDetails, "strange"))
		allow(&foreign);
	if (is_named(senderDetails, "late") && previous != NULL)
		allow(previous);
	previous = senderDetails;
	if (is_named(senderDetails, "twice"))
		allow(senderDetails);
	if (is_named(senderDetails, "wrong-function"))
		(void)WSManPluginAuthzOperationComplete(senderDetails, 0, NULL, 0, NULL);
	else if (is_named(senderDetails, "other-token"))
		(void)WSManPluginAuthzUserComplete(senderDetails, 0, NULL, &other_token, 0, 0, NULL);
	else if (is_named(senderDetails, "redirect-nowhere"))
		(void)WSManPluginAuthzUserComplete(senderDetails, 0, NULL, NULL, 0, WSMAUTHZ_REDIRECT_REQUESTED, NULL);
	else if (is_named(senderDetails, "generous-denial"))
		(void)WSManPluginAuthzUserComplete(senderDetails, 0, &some_context, NULL, 1, WSMAUTHZ_ACCESS_DENIED,
						   NULL);
	else
		allow(senderDetails);
}

WSMAUTHZ_EXPORT VOID WINAPI WSManPluginAuthzOperation(PVOID pluginContext, WSMAN_SENDER_DETAILS *senderDetails,
						      DWORD flags, DWORD operation, PCWSTR action, PCWSTR resourceUri)
{
	bool is_redirect = is_named(senderDetails, "operation-redirect");

	(void)pluginContext;
	(void)flags;
	(void)operation;
	(void)action;
	(void)resourceUri;
	(void)WSManPluginAuthzOperationComplete(senderDetails, 0, NULL, is_redirect ? WSMAUTHZ_REDIRECT_REQUESTED : 0,
						is_redirect ? address : NULL);
}

WSMAUTHZ_EXPORT VOID WINAPI WSManPluginAuthzQueryQuota(PVOID pluginContext, WSMAN_SENDER_DETAILS *senderDetails,
						       DWORD flags)
{
	WSMAN_AUTHZ_QUOTA quota = {5, 15, 60, MAXDWORD};

	(void)pluginContext;
	(void)flags;
	(void)WSManPluginAuthzQueryQuotaComplete(senderDetails, 0, is_named(senderDetails, "no-quota") ? NULL : &quota,
						 0, NULL);
}

WSMAUTHZ_EXPORT VOID WINAPI WSManPluginAuthzReleaseContext(PVOID userAuthorizationContext)
{
	(void)userAuthorizationContext;
}
