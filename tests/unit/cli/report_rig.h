/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of `report` share: a policy, groups, and users in them. */
#ifndef WSMAUTHZ_TESTS_UNIT_CLI_REPORT_RIG_H
#define WSMAUTHZ_TESTS_UNIT_CLI_REPORT_RIG_H

#include <support/assertions.h>

#include <base/text.h>
#include <cli/report_row.h>
#include <cli/report_tally.h>
#include <config/config.h>
#include <stdio.h>
#include <string.h>

/* Rules and sites, in the order of the closure's roots below: ops, admins, gone; lab. */
#define RIG_RULES                                                                                                      \
	"<allow group=\"cn=ops,dc=x\"/><allow group=\"cn=admins,dc=x\" administrator=\"true\"/>"                       \
	"<allow group=\"cn=gone,dc=x\"/>"                                                                              \
	"<redirect attribute=\"l\" here=\"AMER\"><site group=\"cn=lab,dc=x\" uri=\"https://lab:5986/wsman\"/>"         \
	"<site name=\"EMEA\" uri=\"https://emea:5986/wsman\"/></redirect>"

enum { RIG_OPS, RIG_ADMINS, RIG_LAB, RIG_NIGHT, RIG_EMPTY, RIG_GROUPS };

static const struct digest_key rig_key = {5, 6};

static inline const struct config *rig_policy(void)
{
	const struct config *config = NULL;
	struct error error = {.status = STATUS_OK};
	struct text text;

	text_init(&text);
	text_add(&text, "<wsmauthz xmlns=\"urn:wsmauthz:policy:1\" default-domain=\"CORP\"><directory "
			"uri=\"ldap://dc1.x\" base=\"dc=x\" domain=\"CORP corp.example\"><bind "
			"mechanism=\"anonymous\"/><tls mode=\"none\"/></directory>" RIG_RULES "</wsmauthz>");
	assert_status(config_parse(text_string(&text), text.length, "policy.xml", &config, &error), STATUS_OK, &error);
	text_done(&text);
	return config;
}

static inline void rig_edge(struct closure *closure, uint32_t child, uint32_t parent)
{
	assert_int_equal(closure_add_edge(closure, child, parent), STATUS_OK);
}

/* night in ops and in admins, empty in night, ops in empty: a circle. */
static inline struct closure *rig_closure(bool has_circle)
{
	static const char *const names[RIG_GROUPS] = {"ops", "admins", "lab", "night", "empty"};
	struct closure *closure = closure_new(5, &rig_key);
	uint32_t groups[RIG_GROUPS];

	assert_non_null(closure);
	for (size_t i = 0; i < RIG_GROUPS; i++) {
		char dn[64], id[64];

		(void)snprintf(dn, sizeof(dn), "cn=%s,dc=x", names[i]);
		(void)snprintf(id, sizeof(id), "id-%s", names[i]);
		assert_int_equal(closure_add_group(closure, dn, id, &groups[i]), STATUS_OK);
		assert_int_equal(groups[i], i);
	}
	rig_edge(closure, RIG_NIGHT, RIG_OPS);
	rig_edge(closure, RIG_NIGHT, RIG_ADMINS);
	rig_edge(closure, RIG_EMPTY, RIG_NIGHT);
	if (has_circle)
		rig_edge(closure, RIG_OPS, RIG_EMPTY);
	closure_set_root(closure, 0, RIG_OPS);
	closure_set_root(closure, 1, RIG_ADMINS);
	closure_set_root(closure, 3, RIG_LAB);
	assert_int_equal(closure_finish(closure), STATUS_OK);
	return closure;
}

/* Who is let in by ops, and belongs here. */
static inline struct report_row rig_row(const char *sender)
{
	static const char *const path[] = {"uid=alice,dc=x", "cn=ops,dc=x"};

	return (struct report_row){
	    .sender = sender,
	    .dn = "uid=alice,dc=x",
	    .verdict = WA_AUTHORIZE,
	    .reason = WA_REASON_MEMBER,
	    .rule = "allow cn=ops,dc=x",
	    .site = "AMER",
	    .target = "",
	    .path = path,
	    .path_count = 2,
	    .place = REPORT_PLACE_HERE,
	    .site_value = "AMER",
	    .site_values = 1,
	};
}

#endif
