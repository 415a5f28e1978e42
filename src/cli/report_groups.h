/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many of the users who were looked at are in each group of the policy, directly or through others: each counted once in a group, on
 * however many ways he is in it. And which groups are nested in themselves.
 *
 * Takes some 40 bytes a group and 8 a nesting. Threads: one at a time.
 */
#ifndef WSMAUTHZ_CLI_REPORT_GROUPS_H
#define WSMAUTHZ_CLI_REPORT_GROUPS_H

#include <base/compiler.h>
#include <base/error.h>
#include <cli/report_row.h>
#include <membership/closure.h>

struct report_groups;

struct report_group {
	uint32_t users;  /* in it, or in a group beneath it */
	uint32_t in;     /* of these, who are let in */
	uint32_t direct; /* listed by it itself */
};

/** @param closure  as it is at first; a reference is taken. @return NULL when memory ran out. */
NODISCARD struct report_groups *report_groups_new(struct closure *closure);
/** NULL-safe; sets the pointer to NULL. */
void report_groups_free(struct report_groups **groups);

/** Count a user. A row of another closure (groups have changed meanwhile) makes it the current one. @return STATUS_OK, STATUS_NO_MEMORY. */
NODISCARD enum status report_groups_take(struct report_groups *groups, const struct report_row *row);

/** The closure that the numbers of groups are of now. Borrowed. */
struct closure *report_groups_closure(const struct report_groups *groups);
const struct report_group *report_groups_at(const struct report_groups *groups, uint32_t group);

/**
 * Each way on which nested groups lead back to where they began, one for each nesting that closes such a circle.
 *
 * @param found  gets a group, the groups within it on the way, and the first one again; STATUS_OK to go on.
 * @return STATUS_OK, STATUS_NO_MEMORY, what `found` returned.
 */
NODISCARD enum status report_groups_cycles(const struct report_groups *groups,
					   enum status (*found)(void *context, const uint32_t *way, size_t length),
					   void *context);

#endif
