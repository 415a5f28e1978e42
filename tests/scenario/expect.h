/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands behind "->": a verdict, perhaps its reason, and then pairs of a name and what it must be.
 *
 *	authorize rule "allow cn=ops,ou=groups,dc=x" searches 1 path "uid=alice,...; cn=ops,..."
 *	deny not-a-member
 *	redirect to https://winrm-emea.x:5986/wsman
 *	error directory-unavailable within 3100ms
 *
 * Names: rule, dn, path, to, detail (contained) with a text or `none`; to also `again` (as the last redirect);
 * administrator, cached with yes or no; searches, shells, operations, timeslot, per-timeslot with a number,
 * `unlimited`, or a range 1..2; requests (round trips to the server since the question, loads included); within, after
 * with a duration.
 */
#ifndef TESTS_SCENARIO_EXPECT_H
#define TESTS_SCENARIO_EXPECT_H

#include <scenario/stage.h>

/** Compare; each difference is a failure of the stage. Also holds what every decision must hold. */
void expect_decision(struct stage *stage, const struct kept_decision *decision, const struct word *words, size_t count);

#endif
