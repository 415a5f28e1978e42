/* SPDX-License-Identifier: Apache-2.0 */
/* What a report says of one user. */
#ifndef WSMAUTHZ_CLI_REPORT_ROW_H
#define WSMAUTHZ_CLI_REPORT_ROW_H

#include <base/arena.h>
#include <membership/closure.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wsmauthz/engine.h>

/* States of an account, or'ed: whatever the policy says of them. */
#define REPORT_DISABLED         0x1U
#define REPORT_EXPIRED          0x2U
#define REPORT_LOCKED           0x4U
#define REPORT_PASSWORD_EXPIRED 0x8U
#define REPORT_STATES           4

enum report_place_kind {
	REPORT_PLACE_UNKNOWN = 0, /* the policy was not asked about him */
	REPORT_PLACE_SITE,
	REPORT_PLACE_HERE,     /* the value that is served on this host; or there are no redirects at all */
	REPORT_PLACE_UNMAPPED, /* no site, and nothing that is served here */
};

/* Strings are never NULL unless it is said; all live in the row's arena or the policy. */
struct report_row {
	const char *sender; /* as he would be called to WinRM; "": he has no name that anybody could come by */
	const char *dn;
	enum wa_verdict verdict;
	enum wa_reason reason;
	const char *rule;   /* "": none decided */
	const char *site;   /* the site's name, group or OU; the value that is served here; or "" */
	const char *target; /* where he is redirected to; "": nowhere */
	const char *const *path;
	size_t path_count;
	const char *detail; /* what the reason does not say; may be NULL */
	bool administrator;
	unsigned states;

	enum report_place_kind place;
	size_t site_number;     /* for REPORT_PLACE_SITE */
	const char *site_value; /* the first value of the redirect's attribute; "": none */
	size_t site_values;

	/* Groups that list him: numbers of the closure, a reference; NULL: not known. */
	struct closure *closure;
	const uint32_t *direct;
	size_t direct_count;
	size_t
	    ways; /* of these, how many lead to an allow rule: who takes him out of one may leave him in by another */
};

static inline bool report_row_is_in(const struct report_row *row)
{
	return row->verdict == WA_AUTHORIZE || row->verdict == WA_REDIRECT;
}

/** "disabled", ...: for 1U << number. */
const char *report_state_word(size_t number);

#endif
