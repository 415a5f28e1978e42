/* SPDX-License-Identifier: Apache-2.0 */
/* Values of an attribute, each with how many users have it and who is one of them. Case does not count. */
#ifndef WSMAUTHZ_CLI_DOCTOR_VALUES_H
#define WSMAUTHZ_CLI_DOCTOR_VALUES_H

#include <base/compiler.h>
#include <cli/doctor_check.h>
#include <directory/dir_search.h>
#include <stdbool.h>
#include <stddef.h>

/* Different values that are counted one by one; users with others are counted together. */
#define DOCTOR_MAX_VALUES 200
/* And that are named, those of the most users first. */
#define DOCTOR_NAMED_VALUES 10

struct doctor_value {
	char *value, *dn; /* owned; dn: the first user that was met */
	size_t count;
};

/* All zero: none. */
struct doctor_values {
	struct doctor_value *values; /* owned */
	size_t count, capacity;
	size_t others; /* users with values that found no place */
};

/** One more user. @return false: memory ran out, and he is not counted. */
NODISCARD bool doctor_values_count(struct doctor_values *values, const struct dir_value *value, const char *dn);
void doctor_values_done(struct doctor_values *values);

/** "'Moon' of 2 users (uid=a,... for one), 'Mars' of 1 user (uid=b,...)": the most frequent first. Lives as long as the doctor. */
const char *doctor_values_text(struct doctor_values *values, struct doctor *doctor);

#endif
