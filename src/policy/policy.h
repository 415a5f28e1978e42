/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The judgement: from what is known of a user to a verdict. Pure: no I/O, no state, no clock.
 *
 * Order: deny rules, the account's state, allow rules, redirect. Nobody who is not allowed is ever
 * redirected: a redirect tells where things are. A deny rule whose group does not exist makes
 * every verdict an error, unless the rule says if-missing="ignore".
 */
#ifndef WSMAUTHZ_POLICY_POLICY_H
#define WSMAUTHZ_POLICY_POLICY_H

#include <config/config.h>
#include <directory/dir_search.h>
#include <policy/account.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wsmauthz/engine.h>

#define POLICY_NO_RULE SIZE_MAX

struct policy_facts {
	const struct dir_entry *user;
	const char *user_id;        /* the entry's stable id */
	const bool *rule_member;    /* [rule_count]: the rule's group holds the user */
	const bool *rule_missing;   /* [rule_count]: the rule's group does not exist */
	const bool *site_member;    /* [site_count] */
	bool account_filter_failed; /* the policy's account filter does not match the user */
	bool may_redirect;          /* a user connects; operations are never redirected */
	const char *http_url;       /* NULL: not known */
	int64_t now_s;              /* wall time: accounts expire by it */
	int64_t lockout_s; /* how long failed passwords lock this account; ACCOUNT_LOCKED_UNTIL_LIFTED: not known */
};

struct policy_judgement {
	enum wa_verdict verdict;
	enum wa_reason reason;
	size_t rule; /* the one that decided, or POLICY_NO_RULE */
	bool administrator;
	struct wa_quota quota;
	const char *redirect_uri; /* borrowed from the configuration */
	const char *malformed;    /* WA_REASON_INCOMPLETE_DATA: the attribute that could not be read */
};

void policy_judge(const struct config *config, const struct policy_facts *facts,
		  struct policy_judgement *judgement_out);

#endif
