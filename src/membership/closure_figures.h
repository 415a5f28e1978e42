/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a closure looks like, for people: how many groups lie beneath a configured group, how deep, whom they hold, and
 * whether they go round in a circle. Decisions need none of it.
 *
 * Threads: one; the closure is only read.
 */
#ifndef WSMAUTHZ_MEMBERSHIP_CLOSURE_FIGURES_H
#define WSMAUTHZ_MEMBERSHIP_CLOSURE_FIGURES_H

#include <base/compiler.h>
#include <base/error.h>
#include <membership/closure.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct closure_figures {
	size_t groups;        /* its own among them; 0: the configured group does not exist */
	uint32_t depth;       /* levels beneath it on the shortest ways; 0: no group is nested in it */
	size_t in_cycles;     /* groups that are nested in themselves, by way of others or not */
	uint32_t a_cycle;     /* one of these, or CLOSURE_NONE */
	bool members_counted; /* there is a member index */
	size_t members;       /* different ones that are no groups, in all of them together */
};

struct closure_survey;

/**
 * Look at a closure once, for the figures of each of its roots.
 * @param closure  borrowed for the life of the survey.
 * @return NULL when memory ran out: some 60 bytes a group and 16 a membership.
 */
NODISCARD struct closure_survey *closure_survey_new(const struct closure *closure);
/** NULL-safe; sets the pointer to NULL. */
void closure_survey_free(struct closure_survey **survey);

/** @return STATUS_OK, STATUS_NO_MEMORY. Takes a time that grows with the groups and members beneath the root. */
NODISCARD enum status closure_survey_root(struct closure_survey *survey, size_t root,
					  struct closure_figures *figures_out);

/**
 * A way from a group that is in a cycle back to itself.
 *
 * @param path   gets the groups, the first one again at the end.
 * @param room   of `path`.
 * @return how many there are; 0: none was found within `room`, or the group is in no cycle.
 */
size_t closure_survey_cycle(struct closure_survey *survey, uint32_t group, uint32_t *path, size_t room);

#endif
