/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the groups of an explanation are called before people: by the first part of their DN, or by all of it where another group has
 * the same first part.
 */
#ifndef WSMAUTHZ_CLI_EXPLAIN_NAMES_H
#define WSMAUTHZ_CLI_EXPLAIN_NAMES_H

#include <base/compiler.h>
#include <base/text.h>
#include <stdbool.h>
#include <stddef.h>
#include <wsmauthz/explanation.h>

struct explain_names {
	const struct wa_explanation *explanation; /* borrowed */
	size_t *lengths;                          /* [group_count]: what is shown of each DN; owned */
};

/** @return false: memory ran out, and there is nothing to free. */
NODISCARD bool explain_names_init(struct explain_names *names, const struct wa_explanation *explanation);
void explain_names_done(struct explain_names *names);

/** Append a group's name, fit for a terminal. */
void explain_names_add(const struct explain_names *names, uint32_t group, struct text *out);

/** What is shown of a rule's or site's group, whether it is listed or not. @param dn  as the policy has it. */
void explain_names_add_configured(const struct explain_names *names, uint32_t group, const char *dn, struct text *out);

/** Whether the group is one that a rule or a site names. */
bool explain_is_configured(const struct wa_explanation *explanation, uint32_t group);

/** The DN in a rule's label: behind "allow " or "deny ". */
const char *explain_rule_dn(const struct wa_explained_rule *rule);

#endif
