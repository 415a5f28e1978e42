/* SPDX-License-Identifier: Apache-2.0 */
#include <base/compiler.h>
#include <cli/explain_words.h>
#include <inttypes.h>

const char *explain_form_word(enum wa_form form)
{
	switch (form) {
	case WA_FORM_NONE:
		return "none";
	case WA_FORM_SID:
		return "sid";
	case WA_FORM_DOMAIN_USER:
		return "domain-user";
	case WA_FORM_UPN:
		return "upn";
	case WA_FORM_PLAIN:
		return "plain";
	}
	return "none";
}

const char *explain_step_word(enum wa_step_kind kind)
{
	switch (kind) {
	case WA_STEP_ROUND_TRIP:
		return "round-trip";
	case WA_STEP_GROUPS:
		return "groups";
	case WA_STEP_CHANGES:
		return "changes";
	case WA_STEP_LEASE:
		return "lease";
	case WA_STEP_SHARED:
		return "shared";
	}
	return "round-trip";
}

const char *explain_holding_word(enum wa_holding holding)
{
	switch (holding) {
	case WA_HOLDING_UNASKED:
		return "not-asked";
	case WA_HOLDING_NO:
		return "no";
	case WA_HOLDING_YES:
		return "yes";
	case WA_HOLDING_UNKNOWN:
		return "unknown";
	case WA_HOLDING_MISSING:
		return "group-missing";
	}
	return "not-asked";
}

const char *explain_part_word(enum wa_part part)
{
	switch (part) {
	case WA_PART_NONE:
		return "none";
	case WA_PART_DECIDED:
		return "decided";
	case WA_PART_ADDED:
		return "added";
	case WA_PART_OVERRULED:
		return "overruled";
	}
	return "none";
}

const char *explain_check_word(enum wa_check_state state)
{
	switch (state) {
	case WA_CHECK_UNASKED:
		return "not-asked";
	case WA_CHECK_PASSED:
		return "passed";
	case WA_CHECK_FAILED:
		return "failed";
	case WA_CHECK_UNREADABLE:
		return "unreadable";
	}
	return "not-asked";
}

const char *explain_place_word(enum wa_place place)
{
	switch (place) {
	case WA_PLACE_UNASKED:
		return "not-asked";
	case WA_PLACE_NONE:
		return "none";
	case WA_PLACE_HERE:
		return "here";
	case WA_PLACE_UNMAPPED:
		return "unmapped";
	case WA_PLACE_SITE:
		return "site";
	}
	return "not-asked";
}

const char *explain_site_word(enum wa_site_kind kind)
{
	switch (kind) {
	case WA_SITE_BY_VALUE:
		return "value";
	case WA_SITE_BY_GROUP:
		return "group";
	case WA_SITE_BY_OU:
		return "ou";
	}
	return "value";
}

const char *explain_cache_word(enum wa_cache_state state)
{
	switch (state) {
	case WA_CACHE_OFF:
		return "off";
	case WA_CACHE_UNASKED:
		return "not-asked";
	case WA_CACHE_ABSENT:
		return "absent";
	case WA_CACHE_OUTDATED:
		return "outdated";
	case WA_CACHE_SERVED:
		return "served";
	case WA_CACHE_STALE:
		return "stale";
	}
	return "off";
}

const char *explain_watch_word(enum wa_watch_state state)
{
	switch (state) {
	case WA_WATCH_STARTING:
		return "starting";
	case WA_WATCH_UP:
		return "up";
	case WA_WATCH_READING:
		return "reading";
	case WA_WATCH_BEHIND:
		return "behind";
	case WA_WATCH_LOST:
		return "lost";
	case WA_WATCH_UNSUPPORTED:
		return "unsupported";
	}
	return "starting";
}

const char *explain_strategy_word(enum wa_strategy strategy)
{
	switch (strategy) {
	case WA_STRATEGY_UNKNOWN:
		return "none";
	case WA_STRATEGY_INDEX:
		return "member-index";
	case WA_STRATEGY_SEARCH:
		return "search";
	case WA_STRATEGY_MEMBEROF:
		return "memberof";
	case WA_STRATEGY_SID:
		return "memberof-sid";
	case WA_STRATEGY_TOKEN:
		return "token-groups";
	}
	return "none";
}

void explain_add_us(struct text *out, uint64_t us)
{
	if (us < 1000000)
		text_printf(out, "%" PRIu64 ".%" PRIu64 " ms", us / 1000, us % 1000 / 100);
	else
		text_printf(out, "%" PRIu64 ".%" PRIu64 " s", us / 1000000, us % 1000000 / 100000);
}

void explain_add_ms(struct text *out, uint64_t ms)
{
	static const struct {
		uint64_t ms;
		const char *name;
	} units[] = {{86400000, "days"}, {3600000, "h"}, {60000, "min"}, {1000, "s"}};

	for (size_t i = 0; i < COUNT_OF(units); i++) {
		if (ms < 2 * units[i].ms && (ms != units[i].ms || i == 0))
			continue;
		text_printf(out, "%" PRIu64 " %s", ms / units[i].ms, units[i].name);
		return;
	}
	text_printf(out, "%" PRIu64 " ms", ms);
}
