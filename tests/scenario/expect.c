/* SPDX-License-Identifier: Apache-2.0 */
#include <scenario/expect.h>

#include <config/config.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <support/dir_pool_fake.h>
#include <support/fake_text.h>
#include <wsmauthz/wsman.h>

static void describe(struct stage *stage, const struct kept_decision *decision, const char *what)
{
	stage_fail(stage, "%s; it is: %s %s, rule %s, path %s, to %s, searches %u, administrator %s, detail %s", what,
		   wa_verdict_word(decision->verdict), wa_reason_word(decision->reason),
		   decision->rule != NULL ? decision->rule : "none", decision->path != NULL ? decision->path : "none",
		   decision->redirect_uri != NULL ? decision->redirect_uri : "none", decision->searches,
		   decision->administrator ? "yes" : "no", decision->detail != NULL ? decision->detail : "none");
}

static uint32_t code_of(enum wa_verdict verdict)
{
	switch (verdict) {
	case WA_AUTHORIZE:
		return WSMAUTHZ_NO_ERROR;
	case WA_REDIRECT:
		return WSMAUTHZ_REDIRECT_REQUESTED;
	case WA_DENY:
		return WSMAUTHZ_ACCESS_DENIED;
	case WA_ERROR:
		break;
	}
	return WSMAUTHZ_PLUGIN_FAILED;
}

/* What holds for every decision, whatever was asked. */
static void check_always(struct stage *stage, const struct kept_decision *decision)
{
	bool allowed = decision->verdict == WA_AUTHORIZE || decision->verdict == WA_REDIRECT;

	if (decision->code != code_of(decision->verdict))
		describe(stage, decision, "the code does not go with the verdict");
	if (allowed && (decision->rule == NULL || decision->path == NULL || decision->dn == NULL))
		describe(stage, decision, "somebody is let in without a rule, a path and an entry");
	if (!allowed && decision->administrator)
		describe(stage, decision, "an administrator who is not let in");
	if ((decision->verdict == WA_REDIRECT) != (decision->redirect_uri != NULL))
		describe(stage, decision, "a target and a redirect come together or not at all");
	if (decision->verdict == WA_ERROR && decision->detail == NULL && decision->reason != WA_REASON_SHUTTING_DOWN)
		describe(stage, decision, "an error that does not say what went wrong");
	if (decision->cached != (decision->searches == 0) && decision->verdict != WA_DENY &&
	    decision->verdict != WA_ERROR)
		describe(stage, decision, "'cached' means that there were no searches");
}

static bool is_text(const char *actual, const char *expected)
{
	if (strcmp(expected, "none") == 0)
		return actual == NULL;
	return actual != NULL && strcmp(actual, expected) == 0;
}

/* "3", "unlimited", "1..2" */
static bool is_number(uint64_t actual, const char *expected)
{
	uint64_t low, high;
	char *end;

	if (strcmp(expected, "unlimited") == 0)
		return actual == UINT32_MAX;
	low = strtoull(expected, &end, 10);
	if (end == expected)
		return false;
	high = strncmp(end, "..", 2) == 0 ? strtoull(end + 2, &end, 10) : low;
	return *end == '\0' && actual >= low && actual <= high;
}

static bool is_target(const struct stage *stage, const char *actual, const char *expected)
{
	if (strcmp(expected, "again") == 0)
		return stage->last_uri != NULL && is_text(actual, stage->last_uri);
	return is_text(actual, expected);
}

static void remember_target(struct stage *stage, const char *uri)
{
	if (uri == NULL)
		return;
	free(stage->last_uri);
	stage->last_uri = fake_copy(uri, strlen(uri));
}

static bool is_elapsed(uint64_t elapsed_us, const char *expected, bool at_most)
{
	uint64_t ms = 0;

	if (!config_parse_duration(expected, &ms))
		return false;
	return at_most ? elapsed_us <= ms * 1000 : elapsed_us >= ms * 1000;
}

static bool is_yes_no(bool actual, const char *expected)
{
	return strcmp(expected, actual ? "yes" : "no") == 0;
}

/* The kinds of things that can be said of a decision. */
static bool holds(const struct stage *stage, const struct kept_decision *decision, const char *name,
		  const char *expected, bool *known)
{
	const struct {
		const char *name, *text;
	} texts[] = {{"rule", decision->rule}, {"dn", decision->dn}, {"path", decision->path}};
	const struct {
		const char *name;
		uint64_t number;
	} numbers[] = {
	    {"searches", decision->searches},
	    {"shells", decision->quota.max_shells},
	    {"operations", decision->quota.max_operations},
	    {"timeslot", decision->quota.timeslot_s},
	    {"per-timeslot", decision->quota.max_operations_per_timeslot},
	    {"requests", dir_pool_fake_requests() - stage->requests_before},
	};

	*known = true;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		if (strcmp(name, texts[i].name) == 0)
			return is_text(texts[i].text, expected);
	}
	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		if (strcmp(name, numbers[i].name) == 0)
			return is_number(numbers[i].number, expected);
	}
	if (strcmp(name, "to") == 0)
		return is_target(stage, decision->redirect_uri, expected);
	if (strcmp(name, "detail") == 0)
		return decision->detail != NULL && strstr(decision->detail, expected) != NULL;
	if (strcmp(name, "administrator") == 0)
		return is_yes_no(decision->administrator, expected);
	if (strcmp(name, "cached") == 0)
		return is_yes_no(decision->cached, expected);
	if (strcmp(name, "within") == 0 || strcmp(name, "after") == 0)
		return is_elapsed(decision->elapsed_us, expected, name[0] == 'w');
	*known = false;
	return false;
}

static void check_pair(struct stage *stage, const struct kept_decision *decision, const char *name,
		       const char *expected)
{
	bool known;
	char *what;

	if (holds(stage, decision, name, expected, &known))
		return;
	if (!known) {
		stage_fail(stage, "'%s' is nothing that can be expected", name);
		return;
	}
	what = fake_format("expected %s %s (quota: shells %" PRIu32 " operations %" PRIu32 "; %" PRIu64
			   " requests; %" PRIu64 " us)",
			   name, expected, decision->quota.max_shells, decision->quota.max_operations,
			   dir_pool_fake_requests() - stage->requests_before, decision->elapsed_us);
	describe(stage, decision, what);
	free(what);
}

static bool is_reason(const char *word)
{
	for (int reason = 1; reason < WA_REASON_COUNT; reason++) {
		if (strcmp(word, wa_reason_word((enum wa_reason)reason)) == 0)
			return true;
	}
	return false;
}

void expect_decision(struct stage *stage, const struct kept_decision *decision, const struct word *words, size_t count)
{
	size_t next = 1;

	check_always(stage, decision);
	if (count == 0) {
		stage_fail(stage, "nothing stands behind '->'");
		return;
	}
	if (strcmp(words[0].text, wa_verdict_word(decision->verdict)) != 0)
		describe(stage, decision, "another verdict was expected");
	if (next < count && is_reason(words[next].text)) {
		if (strcmp(words[next].text, wa_reason_word(decision->reason)) != 0)
			describe(stage, decision, "another reason was expected");
		next++;
	}
	for (; next + 1 < count; next += 2)
		check_pair(stage, decision, words[next].text, words[next + 1].text);
	if (next < count)
		stage_fail(stage, "'%s' has no value", words[next].text);
	remember_target(stage, decision->redirect_uri);
}
