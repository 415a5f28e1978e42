/* SPDX-License-Identifier: Apache-2.0 */
/* An explanation with something of everything, for the tests of what is shown of it. */
#ifndef WSMAUTHZ_TESTS_UNIT_CLI_EXPLAIN_SAMPLE_H
#define WSMAUTHZ_TESTS_UNIT_CLI_EXPLAIN_SAMPLE_H

#include <base/compiler.h>
#include <wsmauthz/explanation.h>

#define SAMPLE_UNLIMITED                                                                                               \
	{                                                                                                              \
		UINT32_MAX, UINT32_MAX, 0, UINT32_MAX                                                                  \
	}

/* Red in a terminal, "evil" backwards, and markup. */
#define SAMPLE_HOSTILE "cn=<b>\x1B[31m\xE2\x80\xAEgro\"up&,ou=Groups,dc=x"

static const struct wa_explained_group sample_groups[] = {
    {.dn = "cn=ops,ou=Groups,dc=x", .id = "id-ops", .is_direct = true},
    {.dn = SAMPLE_HOSTILE, .id = "id-hostile", .ring = 1},
    {.dn = "cn=b,ou=Groups,dc=x", .id = "id-b", .ring = 1},
    {.dn = "cn=WinRM Users,ou=Groups,dc=x", .id = "id-users"},
    {.dn = "cn=Domain Users,ou=Groups,dc=x", .id = "id-domain", .is_direct = true, .is_primary = true},
    {.dn = "cn=ops,ou=Elsewhere,dc=x", .id = "id-ops2"},
    {.dn = "cn=Leavers,ou=Groups,dc=x", .id = "id-leavers"},
};
static const struct wa_explained_edge sample_edges[] = {{0, 3}, {0, 1}, {1, 2}, {2, 1}, {2, 3}, {4, 5}};

static const uint32_t sample_short[] = {0, 3}, sample_long[] = {0, 1, 2, 3}, sample_primary[] = {4, 5};
static const struct wa_explained_path sample_two[] = {{sample_short, 2}, {sample_long, 4}};
static const struct wa_explained_path sample_one[] = {{sample_primary, 2}};

static const struct wa_explained_rule sample_rules[] = {
    {.label = "deny cn=Leavers,ou=Groups,dc=x",
     .line = 9,
     .is_deny = true,
     .quota = SAMPLE_UNLIMITED,
     .holding = WA_HOLDING_NO,
     .group = 6},
    {.label = "allow cn=WinRM Users,ou=Groups,dc=x",
     .line = 10,
     .quota = {5, 15, 0, UINT32_MAX},
     .holding = WA_HOLDING_YES,
     .part = WA_PART_DECIDED,
     .group = 3,
     .paths = {sample_two, 2, 3, false}},
    {.label = "allow cn=ops,ou=Elsewhere,dc=x",
     .line = 11,
     .administrator = true,
     .quota = SAMPLE_UNLIMITED,
     .holding = WA_HOLDING_YES,
     .part = WA_PART_ADDED,
     .group = 5,
     .paths = {sample_one, 1, 0, false}},
    {.label = "allow cn=gone,dc=x",
     .line = 12,
     .quota = SAMPLE_UNLIMITED,
     .holding = WA_HOLDING_MISSING,
     .group = WA_NO_GROUP},
};

static const char *const sample_evidence[] = {"userAccountControl: 512", "accountExpires: 0"};
static const char *const sample_values[] = {"EMEA", "\x1B]0;title\x07"};
static const struct wa_explained_site sample_sites[] = {
    {.kind = WA_SITE_BY_VALUE, .label = "EMEA", .line = 14, .is_his = true, .group = WA_NO_GROUP}};

static const struct wa_explained_search sample_searches[] = {
    {"mark", "dc=x", "base", "(objectClass=*)", "ok", 1},
    {"user", "dc=x", "sub", "(&(objectClass=user)(uid=alice))", "ok", 1},
};
static const struct wa_explained_step sample_steps[] = {
    {.kind = WA_STEP_GROUPS, .elapsed_us = 12345},
    {.kind = WA_STEP_ROUND_TRIP,
     .began_us = 12400,
     .elapsed_us = 812,
     .server = "ldaps://dc1.x:636",
     .searches = sample_searches,
     .search_count = 2},
    {.kind = WA_STEP_ROUND_TRIP, .began_us = 13300, .elapsed_us = 1500000, .is_extra = true},
};

static const char *const sample_path[] = {"uid=alice,ou=People,dc=x", "cn=ops,ou=Groups,dc=x",
					  "cn=WinRM Users,ou=Groups,dc=x"};

static const struct wa_decision sample_decision = {
    .verdict = WA_REDIRECT,
    .reason = WA_REASON_SITE_ELSEWHERE,
    .code = 0x80338199,
    .redirect_uri = "https://emea.x:5986/wsman",
    .rule = "allow cn=WinRM Users,ou=Groups,dc=x",
    .dn = "uid=alice,ou=People,dc=x",
    .path = sample_path,
    .path_count = 3,
    .administrator = true,
    .quota = SAMPLE_UNLIMITED,
    .searches = 1,
    .elapsed_us = 13250,
};

static const struct wa_explanation sample_explanation = {
    .policy = "/etc/policy.xml",
    .identity = {.form = WA_FORM_DOMAIN_USER,
		 .user = "alice",
		 .domain = "CORP",
		 .base = "dc=x",
		 .filter = "(&(objectClass=user)(uid=alice))"},
    .entry_id = "S-1-5-21-1-2-3-1104",
    .is_active_directory = true,
    .groups = sample_groups,
    .group_count = COUNT_OF(sample_groups),
    .more_groups = 2,
    .edges = sample_edges,
    .edge_count = COUNT_OF(sample_edges),
    .strategy = WA_STRATEGY_SID,
    .rules = sample_rules,
    .rule_count = COUNT_OF(sample_rules),
    .account = {.checks = {{"disabled", WA_CHECK_PASSED, true, false},
			   {"expired", WA_CHECK_PASSED, true, false},
			   {"locked", WA_CHECK_PASSED, true, false},
			   {"password-expired", WA_CHECK_FAILED, false, false},
			   {"filter", WA_CHECK_PASSED, true, false}},
		.filter = "(department=IT)",
		.evidence = sample_evidence,
		.evidence_count = 2,
		.until_s = INT64_MAX},
    .redirect = {.place = WA_PLACE_SITE,
		 .attribute = "l",
		 .values = sample_values,
		 .value_count = 2,
		 .site = 0,
		 .uri = "https://emea.x:5986/wsman",
		 .sites = sample_sites,
		 .site_count = 1},
    .steps = sample_steps,
    .step_count = COUNT_OF(sample_steps),
    .extra_searches = 1,
    .cache = {.state = WA_CACHE_ABSENT, .is_kept = true, .ttl_ms = 300000},
    .watch = {.state = WA_WATCH_BEHIND,
	      .means = "polled",
	      .server = "ldaps://dc1.x:636",
	      .is_pending = true,
	      .is_loaded = true,
	      .age_ms = 61000,
	      .load_us = 12345,
	      .groups = 30,
	      .memberships = 98},
};

/* Somebody who is denied by a group, and nobody at all. */
static const struct wa_explained_path sample_denied_path[] = {{(const uint32_t[]){6}, 1}};
static const struct wa_explained_rule sample_denied_rules[] = {
    {.label = "deny cn=Leavers,ou=Groups,dc=x",
     .line = 9,
     .is_deny = true,
     .quota = SAMPLE_UNLIMITED,
     .holding = WA_HOLDING_YES,
     .part = WA_PART_DECIDED,
     .group = 6,
     .paths = {sample_denied_path, 1, 0, false}},
    {.label = "allow cn=WinRM Users,ou=Groups,dc=x",
     .line = 10,
     .quota = SAMPLE_UNLIMITED,
     .holding = WA_HOLDING_YES,
     .part = WA_PART_OVERRULED,
     .group = 3,
     .paths = {sample_two, 1, UINT64_MAX, true}},
};

#endif
