/* SPDX-License-Identifier: Apache-2.0 */
#include <base/compiler.h>
#include <stddef.h>
#include <wsmauthz/engine.h>

/* Stable: scripts and audit lines rely on them. */
static const char *const words[WA_REASON_COUNT] = {
    [WA_REASON_NONE] = "none",
    [WA_REASON_MEMBER] = "member",
    [WA_REASON_SITE_ELSEWHERE] = "site-elsewhere",
    [WA_REASON_NOT_A_MEMBER] = "not-a-member",
    [WA_REASON_DENIED_GROUP] = "denied-group",
    [WA_REASON_ACCOUNT_DISABLED] = "account-disabled",
    [WA_REASON_ACCOUNT_EXPIRED] = "account-expired",
    [WA_REASON_ACCOUNT_LOCKED] = "account-locked",
    [WA_REASON_PASSWORD_EXPIRED] = "password-expired",
    [WA_REASON_ACCOUNT_FILTER] = "account-filter",
    [WA_REASON_NO_SUCH_USER] = "no-such-user",
    [WA_REASON_AMBIGUOUS_USER] = "ambiguous-user",
    [WA_REASON_BAD_SENDER_NAME] = "bad-sender-name",
    [WA_REASON_FOREIGN_DOMAIN] = "foreign-domain",
    [WA_REASON_NO_TOKEN] = "no-token",
    [WA_REASON_SITE_UNMAPPED] = "site-unmapped",
    [WA_REASON_BAD_CALL] = "bad-call",
    [WA_REASON_DIRECTORY_UNAVAILABLE] = "directory-unavailable",
    [WA_REASON_DEADLINE_EXCEEDED] = "deadline-exceeded",
    [WA_REASON_OVERLOAD] = "overload",
    [WA_REASON_DIRECTORY_LIMIT] = "directory-limit",
    [WA_REASON_INCOMPLETE_DATA] = "incomplete-data",
    [WA_REASON_DENY_GROUP_MISSING] = "deny-group-missing",
    [WA_REASON_POLICY_UNUSABLE] = "policy-unusable",
    [WA_REASON_NO_MEMORY] = "no-memory",
    [WA_REASON_SHUTTING_DOWN] = "shutting-down",
    [WA_REASON_DENY_GROUP_UNKNOWN] = "deny-group-unknown",
};

const char *wa_reason_word(enum wa_reason reason)
{
	if ((unsigned)reason >= COUNT_OF(words) || words[reason] == NULL)
		return "none";
	return words[reason];
}

const char *wa_verdict_word(enum wa_verdict verdict)
{
	switch (verdict) {
	case WA_DENY:
		return "deny";
	case WA_AUTHORIZE:
		return "authorize";
	case WA_REDIRECT:
		return "redirect";
	case WA_ERROR:
		return "error";
	}
	return "deny";
}
