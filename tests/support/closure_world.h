/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A world for closures: the stage's directory, in which groups and people change at random, and what is to be told of it. Each change
 * is a word; words are heard in their order, and add up to a concern about the stage's closure.
 *
 *	closure_world_open(&world, seed, "dc=x");     the configured groups are there
 *	closure_world_edit(&world);                   some change, perhaps none
 *	while (closure_world_hear(&world))
 *		...                                   world.concern, world.told
 *	closure_world_close(&world);
 *
 * Needs what closure_stage.h needs. Threads: the test's own.
 */
#ifndef TESTS_SUPPORT_CLOSURE_WORLD_H
#define TESTS_SUPPORT_CLOSURE_WORLD_H

#include <stdbool.h>
#include <stdint.h>
#include <support/closure_stage.h>

#define CLOSURE_WORLD_ROOTS  4
#define CLOSURE_WORLD_NAMES  18 /* cn=n<number>: that groups (and, now and then, people) have */
#define CLOSURE_WORLD_PEOPLE 10 /* uid=u<number> */
#define CLOSURE_WORLD_MAX_DN 64

struct closure_word;

struct closure_world {
	struct closure_stage stage;
	uint64_t random;
	bool hides_subordinates;
	bool tells_late; /* an entry is told as it is when it is told, not as it was when it changed */
	struct closure_word *words, **end;
	struct closure_concern concern; /* of what was heard; the test clears it */
	char told[64];                  /* the mark of the last word */
};

void closure_world_open(struct closure_world *world, unsigned seed, const char *group_base);
void closure_world_close(struct closure_world *world);

/** A number below `limit`. */
unsigned closure_world_below(struct closure_world *world, unsigned limit);

/** Some change. */
void closure_world_edit(struct closure_world *world);

/** The next word. @return false: there is none. */
bool closure_world_hear(struct closure_world *world);

#endif
