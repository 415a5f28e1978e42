/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stage for closures: a fake directory whose suffix is dc=x, with ou=groups, ou=people and ou=else beneath it, and what it takes to load
 * a closure from it, to tell of a change, and to patch. Groups are listed beneath dc=x, unless the test says otherwise.
 *
 *	closure_stage_open(&stage, names, count, "dc=x");      names: the configured groups' DNs
 *	closure_stage_load(&stage);                            stage.closure, and stage.pins from the first time on
 *	closure_stage_tell(&stage, &concern, DIR_CHANGE_MODIFY, dn);
 *	closure_stage_patch(&stage, &concern, mark);           stage.patched; stage.closure is the new one if there is one
 *	closure_stage_close(&stage);
 *
 * Needs dir_pool_fake, executor_manual and clock_manual. Threads: the test's own.
 */
#ifndef TESTS_SUPPORT_CLOSURE_STAGE_H
#define TESTS_SUPPORT_CLOSURE_STAGE_H

#include <membership/closure_concern.h>
#include <membership/closure_patch.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <support/fake_directory.h>

#define CLOSURE_STAGE_MAX_ROOTS  8
#define CLOSURE_STAGE_LATENCY_MS 4
/* Longer than any load or patch may take: the timeout of the stage's policy is 3 s. */
#define CLOSURE_STAGE_PATIENCE_MS 60000

/* How a patch ended; what is borrowed during `done` was copied. */
struct closure_stage_patched {
	unsigned times;
	enum status status;
	bool whole, everything;
	struct digest touched[64];
	size_t touched_count; /* also when they do not fit */
	char error[sizeof(((struct error *)NULL)->what)];
};

struct closure_stage {
	struct fake_directory *directory;
	const struct config *config;
	struct executor *executor;
	struct dir_pool *pool;
	struct closure_plan plan;
	char *pins[CLOSURE_STAGE_MAX_ROOTS];

	struct closure *closure; /* the last one */
	unsigned loads;          /* that have ended */
	enum status load_status;
	char mark[64]; /* of the last load */
	struct closure_patch *patch;
	struct closure_stage_patched patched;

	/* Runs after each millisecond of a load or a patch; NULL: nothing. */
	void (*on_step)(struct closure_stage *stage);
	void *context; /* the test's */
};

void closure_stage_open(struct closure_stage *stage, const char *const *names, size_t name_count,
			const char *group_base);
void closure_stage_close(struct closure_stage *stage);

/** An entry with one class, and a value of one attribute (NULL: none). Fails the test when it exists. */
void closure_stage_add(struct closure_stage *stage, const char *dn, const char *object_class, const char *attribute,
		       const char *value);
void closure_stage_gain(struct closure_stage *stage, const char *dn, const char *attribute, const char *value);
void closure_stage_lose(struct closure_stage *stage, const char *dn, const char *attribute, const char *value);

/** contextCSN now; borrowed until the next change. */
const char *closure_stage_mark(const struct closure_stage *stage);
/** entryUUID; fails the test when there is no such entry. Borrowed until the entry goes. */
const char *closure_stage_id(const struct closure_stage *stage, const char *dn);

/** Load; what was there before is dropped when it went well. */
enum status closure_stage_load(struct closure_stage *stage);

/** A DELETE is told before the entry goes. */
void closure_stage_tell(struct closure_stage *stage, struct closure_concern *concern, enum dir_change change,
			const char *dn);
/** The same of an entry that need not be there; `attributes` as entry_builder.h has them. */
void closure_stage_tell_of(struct closure_stage *stage, struct closure_concern *concern, enum dir_change change,
			   const char *id, const char *dn, const char *attributes);

/** Begin a patch of stage->closure. @return what closure_patch_start returned. */
enum status closure_stage_begin_patch(struct closure_stage *stage, const struct closure_concern *concern,
				      const char *at_least);
/** Let time pass until it has ended; stage->closure is the new one then, if there is one. */
void closure_stage_end_patch(struct closure_stage *stage);
/** Both. */
void closure_stage_patch(struct closure_stage *stage, const struct closure_concern *concern, const char *at_least);

/** Whether the root holds the user directly or through nested groups. `uid` NULL: none. */
bool closure_stage_holds(const struct closure *closure, size_t root, const char *dn, const char *uid);
/** The same of one name by which a member is listed. */
bool closure_stage_holds_digest(const struct closure *closure, size_t root, struct digest member);
/** The digest of a member's DN. */
struct digest closure_stage_digest(const struct closure *closure, const char *dn);
/** Whether the last patch touched the member, and nobody's but `count` members. */
bool closure_stage_touched(const struct closure_stage *stage, size_t count, const char *dn);

#endif
