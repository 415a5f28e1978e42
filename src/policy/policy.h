/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The judgement: from what is known of a user to a verdict. Pure: no I/O, no state, no clock.
 *
 * Order: deny rules, the account's state, allow rules, redirect. Nobody who is not allowed is ever
 * redirected: a redirect tells where things are. A deny rule whose group does not exist makes
 * every verdict an error, unless the rule says if-missing="ignore". Nobody is let in whom a deny rule may hold.
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
#define POLICY_NO_SITE SIZE_MAX

struct policy_facts {
	const struct dir_entry *user;
	const char *user_id;        /* the entry's stable id */
	const char *user_key;       /* dn_own_key of its DN; NULL is allowed where redirect_needs_user_key says no */
	const bool *rule_member;    /* [rule_count]: the rule's group holds the user */
	const bool *rule_uncertain; /* [rule_count]: whether it does, where rule_member says no, nobody can tell */
	const bool *rule_missing;   /* [rule_count]: the rule's group does not exist */
	const bool *site_member;    /* [site_count] */
	bool is_active_directory;   /* the account's state is told as AD tells it */
	bool account_filter_failed; /* the policy's account filter does not match the user */
	int64_t now_s;              /* wall time: accounts expire by it */
	int64_t lockout_s; /* how long failed passwords lock this account; ACCOUNT_LOCKED_UNTIL_LIFTED: not known */
};

/* What the policy says of a user, whatever he asks and wherever he came to. Zeroed, it denies. */
struct policy_standing {
	enum wa_verdict verdict; /* never WA_REDIRECT: that depends on where he came to */
	enum wa_reason reason;
	size_t rule; /* the one that decided, or POLICY_NO_RULE */
	bool administrator;
	bool fresh; /* one of the allow rules that hold him says fresh="true" */
	struct wa_quota quota;
	size_t site;           /* where he belongs, when that may be elsewhere; or POLICY_NO_SITE */
	size_t uri;            /* the site's URI that is his */
	int64_t until_s;       /* wall time at which the state of his account changes by itself; INT64_MAX: never */
	const char *malformed; /* WA_REASON_INCOMPLETE_DATA: the attribute that could not be read */
};

/* What was asked. */
struct policy_question {
	bool may_redirect;    /* a user connects; operations are never redirected */
	const char *http_url; /* NULL: not known */
};

struct policy_judgement {
	enum wa_verdict verdict;
	enum wa_reason reason;
	const char *redirect_uri; /* borrowed from the configuration; NULL unless the verdict is WA_REDIRECT */
};

/** Rate a user. */
void policy_rate(const struct config *config, const struct policy_facts *facts, struct policy_standing *standing_out);

/** Answer a question of a user who was rated. */
void policy_judge(const struct config *config, const struct policy_standing *standing,
		  const struct policy_question *question, struct policy_judgement *judgement_out);

#endif
