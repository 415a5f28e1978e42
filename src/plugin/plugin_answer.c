/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <plugin/plugin_answer.h>
#include <plugin/plugin_text.h>
#include <string.h>

#define UNLIMITED UINT32_MAX

/*
 * The context of every authorized user. The host keeps it, gives it back, and has no other use for it; nor have we: whatever is asked
 * of a user comes with his name. WinRM takes the same pointer for several calls from a plug-in that counts the references; here
 * nothing is freed by the last of them, so there is nothing to count. One object that is there as long as the module is:
 * it needs no memory when a user is let in, and is as good to release after Shutdown, or to another plug-in of the process.
 * It is never written.
 */
struct plugin_user {
	char unused;
};

static struct plugin_user the_user;

static DWORD number_of(enum wa_reason reason)
{
	return reason == WA_REASON_BAD_CALL ? WSMAUTHZ_INVALID_PARAMETER : WSMAUTHZ_PLUGIN_FAILED;
}

static bool is_denial(enum wa_reason reason)
{
	return reason == WA_REASON_BAD_SENDER_NAME || reason == WA_REASON_NO_TOKEN;
}

struct wa_decision plugin_answer_refusal(enum wa_reason reason, const char *detail)
{
	bool deny = is_denial(reason);

	return (struct wa_decision){
	    .verdict = deny ? WA_DENY : WA_ERROR,
	    .reason = reason,
	    .code = deny ? WSMAUTHZ_ACCESS_DENIED : number_of(reason),
	    .quota = {UNLIMITED, UNLIMITED, 0, UNLIMITED},
	    .detail = detail,
	};
}

/* Turn the decision into an error that says the same of the user, whom it concerned. */
static void fail(struct wa_decision *decision, enum wa_reason reason, const char *detail)
{
	decision->verdict = WA_ERROR;
	decision->reason = reason;
	decision->code = number_of(reason);
	decision->redirect_uri = NULL;
	decision->administrator = false;
	decision->detail = detail;
}

static void authorize(struct plugin_answer *answer, enum wa_kind kind, struct wa_decision *decision)
{
	if (decision->code != WSMAUTHZ_NO_ERROR) {
		fail(decision, WA_REASON_INCOMPLETE_DATA, "the engine authorized with a number that is not 0");
		return;
	}
	if (kind == WA_KIND_QUOTA) {
		answer->quota.maxAllowedConcurrentShells = decision->quota.max_shells;
		answer->quota.maxAllowedConcurrentOperations = decision->quota.max_operations;
		answer->quota.timeslotSize = decision->quota.timeslot_s;
		answer->quota.maxAllowedOperationsPerTimeslot = decision->quota.max_operations_per_timeslot;
		return;
	}
	answer->user = &the_user;
	answer->administrator = kind == WA_KIND_USER && decision->administrator;
}

static void redirect(struct plugin_answer *answer, enum wa_kind kind, struct wa_decision *decision)
{
	enum status status;

	/* WinRM takes a redirect only while a user is authorized (0x803381B5 otherwise). */
	if (kind != WA_KIND_USER || decision->redirect_uri == NULL || decision->redirect_uri[0] == '\0') {
		fail(decision, WA_REASON_INCOMPLETE_DATA, "the engine redirected where no redirect is possible");
		return;
	}
	status = plugin_text_write(decision->redirect_uri, &answer->redirect);
	if (status == STATUS_NO_MEMORY)
		fail(decision, WA_REASON_NO_MEMORY, "no memory for the address of the redirect");
	else if (status != STATUS_OK)
		fail(decision, WA_REASON_INCOMPLETE_DATA, "the address of the redirect is not UTF-8");
	else
		decision->code = WSMAUTHZ_REDIRECT_REQUESTED;
}

void plugin_answer_make(struct plugin_answer *answer, enum wa_kind kind, struct wa_decision *decision)
{
	memset(answer, 0, sizeof(*answer));
	switch (decision->verdict) {
	case WA_AUTHORIZE:
		authorize(answer, kind, decision);
		break;
	case WA_REDIRECT:
		redirect(answer, kind, decision);
		break;
	case WA_DENY:
		decision->code = WSMAUTHZ_ACCESS_DENIED;
		break;
	case WA_ERROR:
		decision->code = number_of(decision->reason);
		break;
	}
	/* A verdict that is none of the four has kept whatever number it came with. */
	if (decision->verdict != WA_AUTHORIZE && decision->code == WSMAUTHZ_NO_ERROR)
		fail(decision, WA_REASON_INCOMPLETE_DATA, "the engine gave a verdict that does not exist");
	answer->code = decision->code;
}

DWORD plugin_answer_tell(struct plugin_answer *answer, enum wa_kind kind, WSMAN_SENDER_DETAILS *sender_details,
			 HANDLE token)
{
	struct plugin_answer told = *answer;
	bool success = told.code == WSMAUTHZ_NO_ERROR;
	DWORD result = WSMAUTHZ_INVALID_PARAMETER;

	memset(answer, 0, sizeof(*answer));
	answer->code = told.code;
	switch (kind) {
	case WA_KIND_USER:
		result = WSManPluginAuthzUserComplete(sender_details, 0, told.user, success ? token : NULL,
						      success ? told.administrator : 0, told.code, told.redirect);
		break;
	case WA_KIND_OPERATION:
		result = WSManPluginAuthzOperationComplete(sender_details, 0, told.user, told.code, NULL);
		break;
	case WA_KIND_QUOTA:
		result = WSManPluginAuthzQueryQuotaComplete(sender_details, 0, success ? &told.quota : NULL, told.code,
							    NULL);
		break;
	}
	memory_free(told.redirect);
	return result;
}

bool plugin_user_release(const void *user)
{
	return user == NULL || user == &the_user;
}
