/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the cross-check share: a membership on a domain controller, two users, and decisions about them. */
#ifndef WSMAUTHZ_TESTS_UNIT_MEMBERSHIP_TOKEN_RIG_H
#define WSMAUTHZ_TESTS_UNIT_MEMBERSHIP_TOKEN_RIG_H

#include <support/assertions.h>

#include <membership/membership_private.h>
#include <stdio.h>
#include <string.h>
#include <support/dir_pool_fake.h>
#include <support/dir_watch_fake.h>
#include <support/domain_stage.h>
#include <support/entry_builder.h>
#include <support/executor_manual.h>
#include <support/memory_failing.h>

#define ALICE     DOMAIN_STAGE_USER("alice")
#define ALICE_SID FAKE_DOMAIN_SID "-2001"
#define BOB       DOMAIN_STAGE_USER("bob")
#define BOB_SID   FAKE_DOMAIN_SID "-2002"
#define PRIMARY   FAKE_DOMAIN_SID "-513"
/* When the next one is certainly due. */
#define NEXT_MS ((uint64_t)MEMBERSHIP_TOKEN_EVERY_MS + MEMBERSHIP_TOKEN_EVERY_MS / 4)
/* Between two tries; for all of them about one; between two turns of suspects. */
#define AGAIN_MS    ((uint64_t)MEMBERSHIP_TOKEN_AGAIN_MS)
#define TRIES_MS    (MEMBERSHIP_TOKEN_TRIES * (AGAIN_MS + (uint64_t)4 * DOMAIN_STAGE_LATENCY_MS))
#define TURN_MS     ((uint64_t)MEMBERSHIP_TOKEN_SUSPECT_MS)
#define ARENA_BYTES 65536

struct rig {
	struct domain_stage stage;
	struct log log;
	struct membership *membership;
	unsigned alarms, cleared, unreadable, touched;
	uint64_t last_touched;
	unsigned questions; /* for tokenGroups */
	char last_base[128];
	size_t fail_at; /* at the next decision; 0: not */
};

static inline void rig_write_line(void *context, enum log_level level, const char *line)
{
	struct rig *rig = context;

	if (level == LOG_LEVEL_ERROR && strstr(line, "ALARM") != NULL)
		rig->alarms++;
	else if (level == LOG_LEVEL_INFO && strstr(line, "again those of the token") != NULL)
		rig->cleared++;
	else if (level == LOG_LEVEL_WARNING && strstr(line, "may not read tokenGroups") != NULL)
		rig->unreadable++;
}

static inline void rig_touched(void *context, uint64_t hash)
{
	struct rig *rig = context;

	rig->touched++;
	rig->last_touched = hash;
}

static inline void rig_ignore(void *context)
{
	(void)context;
}

static inline void rig_ignore_lease(void *context, uint64_t until_ms)
{
	(void)context;
	(void)until_ms;
}

static inline void rig_see(void *context, const struct dir_search *search)
{
	struct rig *rig = context;

	if (strncmp(search->base, "<SID=", 5) != 0)
		return;
	rig->questions++;
	(void)snprintf(rig->last_base, sizeof(rig->last_base), "%s", search->base);
}

static inline void rig_advance(struct rig *rig, uint64_t ms)
{
	(void)executor_manual_advance(rig->stage.executor, ms);
}

/* A user who is in inner, and whose token says so. */
static inline void rig_add_user(struct rig *rig, const char *dn, const char *sid)
{
	struct fake_directory *directory = rig->stage.directory;

	fake_domain_add(directory, dn, "user", sid);
	assert_true(fake_directory_gain(directory, dn, "primaryGroupID", "513"));
	fake_domain_nest(directory, dn, DOMAIN_STAGE_INNER);
	fake_domain_token(directory, dn, PRIMARY);
	fake_domain_token(directory, dn, DOMAIN_STAGE_INNER_SID);
	fake_domain_token(directory, dn, DOMAIN_STAGE_TEAM_SID);
	fake_domain_token(directory, dn, DOMAIN_STAGE_OPS_SID);
}

static inline int rig_set_up(void **state)
{
	static struct rig rig;
	struct membership_setup setup;
	struct error error;

	memset(&rig, 0, sizeof(rig));
	domain_stage_open(&rig.stage);
	rig.stage.names[1] = "CORP\\nobody"; /* a configured group that is missing counts on neither side */
	dir_watch_fake_use(rig.stage.directory);
	dir_pool_fake_observe(rig_see, &rig);
	rig_add_user(&rig, ALICE, ALICE_SID);
	rig_add_user(&rig, BOB, BOB_SID);
	rig.log = (struct log){.level = LOG_LEVEL_DEBUG, .write = rig_write_line, .context = &rig};
	setup = (struct membership_setup){
	    .config = rig.stage.config,
	    .adapted = &rig.stage.config->directories[0],
	    .names = rig.stage.names,
	    .name_count = 2,
	    .pool = rig.stage.pool,
	    .executor = rig.stage.executor,
	    .log = &rig.log,
	    .listener = {rig_touched, rig_ignore, rig_ignore, rig_ignore_lease, &rig},
	};
	assert_status(membership_open(&setup, &rig.membership, &error), STATUS_OK, &error);
	rig_advance(&rig, 1000);
	assert_true(membership_is_loaded(rig.membership));
	assert_int_equal(closure_group_count(rig.membership->closure), 3);
	rig.touched = 0;
	*state = &rig;
	return 0;
}

static inline void rig_stop(void *context)
{
	membership_stop(context);
}

static inline int rig_tear_down(void **state)
{
	struct rig *rig = *state;

	executor_manual_call(rig->stage.executor, rig_stop, rig->membership);
	membership_stop_watch(rig->membership);
	dir_pool_stop(rig->stage.pool);
	(void)executor_manual_run(rig->stage.executor);
	assert_true(membership_has_ended(rig->membership));
	membership_close(&rig->membership);
	domain_stage_close(&rig->stage);
	dir_watch_fake_use(NULL);
	return 0;
}

/* A decision about somebody, as far as the check sees it. */
struct decision {
	struct rig *rig;
	const struct dir_entry *user;
	struct membership_lookup lookup;
	enum membership_next next;
};

static inline void rig_check(void *context)
{
	struct decision *decision = context;

	decision->next = membership_token_check(decision->rig->membership, &decision->lookup, decision->user);
}

static inline enum membership_next rig_decide_about(struct rig *rig, const char *object_class, const char *dn,
						    const char *sid)
{
	struct decision decision = {.rig = rig};
	struct arena *arena = arena_new(ARENA_BYTES);
	char attributes[256];

	(void)snprintf(attributes, sizeof(attributes), "objectClass=%s; entryUUID=%s", object_class, sid);
	decision.lookup.arena = arena;
	decision.user = build_entry(arena, dn, attributes);
	if (rig->fail_at > 0)
		memory_fail_at(rig->fail_at);
	rig->fail_at = 0;
	executor_manual_call(rig->stage.executor, rig_check, &decision);
	if (decision.next == MEMBERSHIP_UNKNOWN) {
		assert_int_equal(decision.lookup.error.status, STATUS_REFUSED);
		assert_contains(decision.lookup.error.what, "tokenGroups");
	}
	arena_free(&arena);
	return decision.next;
}

static inline enum membership_next rig_decide(struct rig *rig, const char *dn, const char *sid)
{
	return rig_decide_about(rig, "user", dn, sid);
}

/* By what can be read he is in no group; the token knows of one between. */
static inline void rig_hide(struct rig *rig, const char *dn)
{
	fake_domain_unnest(rig->stage.directory, dn, DOMAIN_STAGE_INNER);
}

/* Let all tries about one of whom they differ go by. */
static inline void rig_suspect(struct rig *rig, const char *dn, const char *sid)
{
	assert_int_equal(rig_decide(rig, dn, sid), MEMBERSHIP_DONE);
	rig_advance(rig, TRIES_MS);
}

#endif
