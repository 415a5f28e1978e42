/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of a scenario; runner.c documents them. */
#ifndef TESTS_SCENARIO_COMMANDS_H
#define TESTS_SCENARIO_COMMANDS_H

#include <scenario/stage.h>

struct command_kind {
	const char *name;
	size_t least; /* words, the name counted */
	void (*run)(struct stage *stage, const struct command *command);
};

/* What the directory holds and how its server behaves: commands_directory.c; NULL-named at the end. */
extern const struct command_kind directory_commands[];
/* The engine, the clock, the questions: commands_engine.c; NULL-named at the end. */
extern const struct command_kind engine_commands[];

/** A duration ("20ms", "3s") of a command; complains and gives 0 when it is none. */
uint64_t command_duration(struct stage *stage, const char *text);
/** A number of a command; complains and gives 0 when it is none. */
unsigned long command_number(struct stage *stage, const char *text);

#endif
