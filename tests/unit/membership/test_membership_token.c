/* SPDX-License-Identifier: Apache-2.0 */
/* The cross-check with tokenGroups: beside decisions, of somebody now and then, and what comes of a difference. */
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

struct fixture {
	struct domain_stage stage;
	struct log log;
	struct membership *membership;
	unsigned alarms, cleared, unreadable, touched;
	uint64_t last_touched;
	unsigned questions; /* for tokenGroups */
	char last_base[128];
	size_t fail_at; /* at the next decision; 0: not */
};

static void write_line(void *context, enum log_level level, const char *line)
{
	struct fixture *fixture = context;

	if (level == LOG_LEVEL_ERROR && strstr(line, "ALARM") != NULL)
		fixture->alarms++;
	else if (level == LOG_LEVEL_INFO && strstr(line, "again those of the token") != NULL)
		fixture->cleared++;
	else if (level == LOG_LEVEL_WARNING && strstr(line, "may not read tokenGroups") != NULL)
		fixture->unreadable++;
}

static void touched(void *context, uint64_t hash)
{
	struct fixture *fixture = context;

	fixture->touched++;
	fixture->last_touched = hash;
}

static void ignore(void *context)
{
	(void)context;
}

static void ignore_lease(void *context, uint64_t until_ms)
{
	(void)context;
	(void)until_ms;
}

static void see(void *context, const struct dir_search *search)
{
	struct fixture *fixture = context;

	if (strncmp(search->base, "<SID=", 5) != 0)
		return;
	fixture->questions++;
	(void)snprintf(fixture->last_base, sizeof(fixture->last_base), "%s", search->base);
}

static void advance(struct fixture *fixture, uint64_t ms)
{
	(void)executor_manual_advance(fixture->stage.executor, ms);
}

/* A user who is in inner, and whose token says so. */
static void add_user(struct fixture *fixture, const char *dn, const char *sid)
{
	struct fake_directory *directory = fixture->stage.directory;

	fake_domain_add(directory, dn, "user", sid);
	assert_true(fake_directory_gain(directory, dn, "primaryGroupID", "513"));
	fake_domain_nest(directory, dn, DOMAIN_STAGE_INNER);
	fake_domain_token(directory, dn, PRIMARY);
	fake_domain_token(directory, dn, DOMAIN_STAGE_INNER_SID);
	fake_domain_token(directory, dn, DOMAIN_STAGE_TEAM_SID);
	fake_domain_token(directory, dn, DOMAIN_STAGE_OPS_SID);
}

static int set_up(void **state)
{
	static struct fixture fixture;
	struct membership_setup setup;
	struct error error;

	memset(&fixture, 0, sizeof(fixture));
	domain_stage_open(&fixture.stage);
	dir_watch_fake_use(fixture.stage.directory);
	dir_pool_fake_observe(see, &fixture);
	add_user(&fixture, ALICE, ALICE_SID);
	add_user(&fixture, BOB, BOB_SID);
	fixture.log = (struct log){LOG_LEVEL_DEBUG, write_line, &fixture};
	setup = (struct membership_setup){
	    .config = fixture.stage.config,
	    .adapted = &fixture.stage.config->directories[0],
	    .names = fixture.stage.names,
	    .name_count = 1,
	    .pool = fixture.stage.pool,
	    .executor = fixture.stage.executor,
	    .log = &fixture.log,
	    .listener = {touched, ignore, ignore, ignore_lease, &fixture},
	};
	assert_status(membership_open(&setup, &fixture.membership, &error), STATUS_OK, &error);
	advance(&fixture, 1000);
	assert_true(membership_is_loaded(fixture.membership));
	assert_int_equal(closure_group_count(fixture.membership->closure), 3);
	fixture.touched = 0;
	*state = &fixture;
	return 0;
}

static void stop(void *context)
{
	membership_stop(context);
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	executor_manual_call(fixture->stage.executor, stop, fixture->membership);
	membership_stop_watch(fixture->membership);
	dir_pool_stop(fixture->stage.pool);
	(void)executor_manual_run(fixture->stage.executor);
	assert_true(membership_has_ended(fixture->membership));
	membership_close(&fixture->membership);
	domain_stage_close(&fixture->stage);
	dir_watch_fake_use(NULL);
	return 0;
}

/* A decision about somebody, as far as the check sees it. */
struct decision {
	struct fixture *fixture;
	const struct dir_entry *user;
	struct membership_lookup lookup;
	enum membership_next next;
};

static void check(void *context)
{
	struct decision *decision = context;

	decision->next = membership_token_check(decision->fixture->membership, &decision->lookup, decision->user);
}

static enum membership_next decide_about(struct fixture *fixture, const char *object_class, const char *dn,
					 const char *sid)
{
	struct decision decision = {.fixture = fixture};
	struct arena *arena = arena_new(ARENA_BYTES);
	char attributes[256];

	(void)snprintf(attributes, sizeof(attributes), "objectClass=%s; entryUUID=%s", object_class, sid);
	decision.lookup.arena = arena;
	decision.user = build_entry(arena, dn, attributes);
	if (fixture->fail_at > 0)
		memory_fail_at(fixture->fail_at);
	fixture->fail_at = 0;
	executor_manual_call(fixture->stage.executor, check, &decision);
	if (decision.next == MEMBERSHIP_UNKNOWN) {
		assert_int_equal(decision.lookup.error.status, STATUS_REFUSED);
		assert_contains(decision.lookup.error.what, "tokenGroups");
	}
	arena_free(&arena);
	return decision.next;
}

static enum membership_next decide(struct fixture *fixture, const char *dn, const char *sid)
{
	return decide_about(fixture, "user", dn, sid);
}

static void membership_token_check__they_agree__nothing_comes_of_it(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(decide(fixture, ALICE, ALICE_SID), MEMBERSHIP_DONE);
	advance(fixture, 100);
	assert_int_equal(fixture->questions, 1);
	assert_string_equal(fixture->last_base, "<SID=" ALICE_SID ">");
	assert_int_equal(decide(fixture, BOB, BOB_SID), MEMBERSHIP_DONE);
	advance(fixture, MEMBERSHIP_TOKEN_EVERY_MS - 1000);
	assert_int_equal(decide(fixture, BOB, BOB_SID), MEMBERSHIP_DONE);
	advance(fixture, NEXT_MS - MEMBERSHIP_TOKEN_EVERY_MS + 1000);
	assert_int_equal(fixture->questions, 1);
	assert_int_equal(decide(fixture, BOB, BOB_SID), MEMBERSHIP_DONE);
	advance(fixture, 100);
	assert_int_equal(fixture->questions, 2);
	assert_string_equal(fixture->last_base, "<SID=" BOB_SID ">");
	assert_int_equal(fixture->alarms + fixture->touched + fixture->unreadable, 0);
}

/* By what can be read he is in no group; the token knows of one between. Then the other way round. */
static void hide_membership(struct fixture *fixture, const char *dn)
{
	fake_domain_unnest(fixture->stage.directory, dn, DOMAIN_STAGE_INNER);
}

static void shorten_token(struct fixture *fixture, const char *dn)
{
	fake_domain_untoken(fixture->stage.directory, dn, DOMAIN_STAGE_OPS_SID);
}

static void membership_token_check__they_differ_thrice__he_is_unknown_until_they_agree(void **state)
{
	static void (*const differences[])(struct fixture *, const char *) = {hide_membership, shorten_token};
	static void (*const repairs[])(struct fake_directory *, const char *, const char *) = {fake_domain_nest, NULL};

	for (size_t i = 0; i < COUNT_OF(differences); i++) {
		struct fixture *fixture = *state;

		differences[i](fixture, ALICE);
		assert_int_equal(decide(fixture, ALICE, ALICE_SID), MEMBERSHIP_DONE);
		advance(fixture, AGAIN_MS / 2);
		assert_int_equal(fixture->questions, 1);
		assert_int_equal(decide(fixture, ALICE, ALICE_SID), MEMBERSHIP_DONE);
		advance(fixture, TRIES_MS);
		assert_int_equal(fixture->questions, MEMBERSHIP_TOKEN_TRIES);
		assert_int_equal(fixture->alarms, 1);
		assert_int_equal(fixture->touched, 1);
		assert_int_equal(fixture->last_touched, membership_id_hash(fixture->membership, ALICE_SID));
		assert_int_equal(decide(fixture, ALICE, ALICE_SID), MEMBERSHIP_UNKNOWN);
		assert_int_equal(decide(fixture, BOB, BOB_SID), MEMBERSHIP_DONE);
		/* He is asked about again and again, and told of once. */
		advance(fixture, 5 * TURN_MS);
		assert_true(fixture->questions >= MEMBERSHIP_TOKEN_TRIES + 4);
		assert_int_equal(fixture->alarms, 1);
		assert_int_equal(decide(fixture, ALICE, ALICE_SID), MEMBERSHIP_UNKNOWN);
		if (repairs[i] != NULL)
			repairs[i](fixture->stage.directory, ALICE, DOMAIN_STAGE_INNER);
		else
			fake_domain_token(fixture->stage.directory, ALICE, DOMAIN_STAGE_OPS_SID);
		advance(fixture, 2 * TURN_MS);
		assert_int_equal(fixture->cleared, 1);
		assert_int_equal(fixture->touched, 2);
		assert_int_equal(fixture->last_touched, membership_id_hash(fixture->membership, ALICE_SID));
		assert_int_equal(decide(fixture, ALICE, ALICE_SID), MEMBERSHIP_DONE);
		fixture->questions = 0;
		advance(fixture, 5 * TURN_MS);
		assert_int_equal(fixture->questions, 0);
		(void)tear_down(state);
		(void)set_up(state);
	}
}

/* A change came between the two: it is asked again a second later, and that is that. */
static void membership_token_check__they_differ_for_a_moment__nothing_comes_of_it(void **state)
{
	struct fixture *fixture = *state;

	hide_membership(fixture, ALICE);
	assert_int_equal(decide(fixture, ALICE, ALICE_SID), MEMBERSHIP_DONE);
	advance(fixture, AGAIN_MS / 2);
	fake_domain_nest(fixture->stage.directory, ALICE, DOMAIN_STAGE_INNER);
	advance(fixture, TRIES_MS);
	assert_int_equal(fixture->questions, 2);
	assert_int_equal(fixture->alarms + fixture->touched + fixture->cleared, 0);
	/* His tries do not count for the next one. */
	hide_membership(fixture, BOB);
	advance(fixture, NEXT_MS);
	assert_int_equal(decide(fixture, BOB, BOB_SID), MEMBERSHIP_DONE);
	advance(fixture, TRIES_MS);
	assert_int_equal(fixture->questions, 2 + MEMBERSHIP_TOKEN_TRIES);
	assert_int_equal(fixture->alarms, 1);
}

static void membership_token_check__the_token_is_not_shown__is_told_once(void **state)
{
	static const char *const dns[] = {ALICE, BOB}, *const sids[] = {ALICE_SID, BOB_SID};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < COUNT_OF(dns); i++) {
		fake_domain_untoken(fixture->stage.directory, dns[i], NULL);
		assert_int_equal(decide(fixture, dns[i], sids[i]), MEMBERSHIP_DONE);
		advance(fixture, NEXT_MS);
		assert_int_equal(decide(fixture, dns[i], sids[i]), MEMBERSHIP_DONE);
		advance(fixture, NEXT_MS);
	}
	assert_int_equal(fixture->questions, 4);
	assert_int_equal(fixture->unreadable, 1);
	assert_int_equal(fixture->alarms + fixture->touched, 0);
}

static void membership_token_check__who_cannot_be_looked_at__is_left_alone(void **state)
{
	struct fixture *fixture = *state;
	const struct fake_fault faults[] = {{.kind = FAKE_FAULT_HANG},
					    {.kind = FAKE_FAULT_DOWN},
					    {.kind = FAKE_FAULT_CODE, .code = 50},
					    {.kind = FAKE_FAULT_DROP}};

	hide_membership(fixture, ALICE);
	for (size_t i = 0; i < COUNT_OF(faults); i++) {
		fake_directory_add_fault(fixture->stage.directory, &faults[i]);
		assert_int_equal(decide(fixture, ALICE, ALICE_SID), MEMBERSHIP_DONE);
		advance(fixture, NEXT_MS);
		fake_directory_clear_faults(fixture->stage.directory);
	}
	assert_int_equal(decide(fixture, "cn=gone,dc=x", FAKE_DOMAIN_SID "-9999"), MEMBERSHIP_DONE);
	advance(fixture, NEXT_MS);
	assert_int_equal(fixture->alarms + fixture->touched + fixture->unreadable, 0);
	assert_int_equal(decide(fixture, ALICE, ALICE_SID), MEMBERSHIP_DONE);
	advance(fixture, TRIES_MS);
	assert_int_equal(fixture->alarms, 1);
}

/* No domain controller counts the groups of another forest's users; and no name that is no SID is asked about. */
static void membership_token_check__a_foreign_security_principal__is_not_asked_about(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(decide_about(fixture, "foreignSecurityPrincipal", "cn=far,dc=x", "S-1-5-21-7-7-7-1104"),
			 MEMBERSHIP_DONE);
	advance(fixture, NEXT_MS);
	assert_int_equal(fixture->questions, 0);
	assert_int_equal(decide(fixture, ALICE, ALICE_SID), MEMBERSHIP_DONE);
	advance(fixture, 100);
	assert_int_equal(fixture->questions, 1);
}

static void name_suspect(unsigned number, char dn[64], char sid[64])
{
	(void)snprintf(dn, 64, "cn=s%u,ou=people," FAKE_DOMAIN_DN, number);
	(void)snprintf(sid, 64, FAKE_DOMAIN_SID "-%u", 5000 + number);
}

static void suspect(struct fixture *fixture, const char *dn, const char *sid)
{
	assert_int_equal(decide(fixture, dn, sid), MEMBERSHIP_DONE);
	advance(fixture, TRIES_MS);
}

/* They are remembered in a place of a fixed size: when it is full nobody else is looked at until one of them agrees. */
static void membership_token_check__as_many_suspects_as_fit__nobody_else_is_looked_at(void **state)
{
	struct fixture *fixture = *state;
	char dn[64], sid[64];

	for (unsigned i = 0; i < MEMBERSHIP_TOKEN_MAX_SUSPECTS; i++) {
		name_suspect(i, dn, sid);
		add_user(fixture, dn, sid);
		hide_membership(fixture, dn);
		suspect(fixture, dn, sid);
		assert_int_equal(fixture->alarms, i + 1);
		advance(fixture, NEXT_MS);
	}
	hide_membership(fixture, ALICE);
	suspect(fixture, ALICE, ALICE_SID);
	assert_int_equal(fixture->alarms, MEMBERSHIP_TOKEN_MAX_SUSPECTS);
	assert_int_equal(decide(fixture, ALICE, ALICE_SID), MEMBERSHIP_DONE);
	for (unsigned i = 0; i < MEMBERSHIP_TOKEN_MAX_SUSPECTS; i++) {
		name_suspect(i, dn, sid);
		assert_int_equal(decide(fixture, dn, sid), MEMBERSHIP_UNKNOWN);
	}
	/* Each has his turn within as many minutes. */
	fake_domain_nest(fixture->stage.directory, dn, DOMAIN_STAGE_INNER);
	advance(fixture, (MEMBERSHIP_TOKEN_MAX_SUSPECTS + 1) * (TURN_MS + TRIES_MS));
	assert_int_equal(fixture->cleared, 1);
	assert_int_equal(decide(fixture, dn, sid), MEMBERSHIP_DONE);
	advance(fixture, NEXT_MS);
	suspect(fixture, ALICE, ALICE_SID);
	assert_int_equal(decide(fixture, ALICE, ALICE_SID), MEMBERSHIP_UNKNOWN);
}

static void membership_stop__while_it_asks_or_waits__ends_without_a_word(void **state)
{
	/* The fourth: while he is asked about for the third time. */
	static const uint64_t at_ms[] = {0, DOMAIN_STAGE_LATENCY_MS / 2, AGAIN_MS / 2,
					 2 * AGAIN_MS + DOMAIN_STAGE_LATENCY_MS * 5 / 2, TRIES_MS + 10};
	static const bool is_asking[] = {true, true, false, true, false};

	for (size_t i = 0; i < COUNT_OF(at_ms); i++) {
		struct fixture *fixture = *state;
		unsigned alarms;

		hide_membership(fixture, ALICE);
		assert_int_equal(decide(fixture, ALICE, ALICE_SID), MEMBERSHIP_DONE);
		advance(fixture, at_ms[i]);
		alarms = fixture->alarms;
		executor_manual_call(fixture->stage.executor, stop, fixture->membership);
		assert_int_equal(membership_has_ended(fixture->membership), !is_asking[i]);
		fixture->questions = fixture->touched = 0;
		advance(fixture, MEMBERSHIP_TOKEN_PATIENCE_MS);
		assert_true(membership_has_ended(fixture->membership));
		assert_int_equal(fixture->alarms, alarms);
		assert_int_equal(fixture->touched, 0);
		/* Only what had been sent off before. */
		assert_true(fixture->questions <= (i == 0 ? 1U : 0U));
		assert_int_equal(executor_manual_timer_count(fixture->stage.executor), 0);
		(void)tear_down(state);
		(void)set_up(state);
	}
}

/* Whatever could not be had at one time: the next time it goes on, and nobody is wrongly suspected, or forgotten. */
static bool survive(void **state, size_t n)
{
	struct fixture *fixture = *state;
	size_t before = memory_live_count(), count;

	hide_membership(fixture, ALICE);
	fixture->fail_at = n;
	assert_int_equal(decide(fixture, ALICE, ALICE_SID), MEMBERSHIP_DONE);
	advance(fixture, TRIES_MS + TURN_MS / 2);
	count = memory_fail_count();
	memory_fail_at(0);
	advance(fixture, NEXT_MS);
	if (fixture->alarms == 0)
		suspect(fixture, ALICE, ALICE_SID);
	assert_int_equal(fixture->alarms, 1);
	assert_int_equal(decide(fixture, ALICE, ALICE_SID), MEMBERSHIP_UNKNOWN);
	fake_domain_nest(fixture->stage.directory, ALICE, DOMAIN_STAGE_INNER);
	advance(fixture, NEXT_MS);
	assert_int_equal(fixture->cleared, 1);
	assert_int_equal(decide(fixture, ALICE, ALICE_SID), MEMBERSHIP_DONE);
	advance(fixture, 100);
	/* The executor's own list of timers may have grown. */
	assert_in_range(memory_live_count(), before, before + 1);
	return count >= n;
}

static void membership_token_check__no_memory__goes_on_later(void **state)
{
	size_t n = 1;

	while (survive(state, n)) {
		(void)tear_down(state);
		(void)set_up(state);
		n++;
	}
	assert_true(n > 10);
}

/* Nor does it stand still for want of a timer: between the tries, or once somebody is suspected. */
static void membership_token_check__no_memory_for_a_timer__goes_on_later(void **state)
{
	static const uint64_t moments_ms[] = {0, AGAIN_MS + AGAIN_MS / 2, 2 * AGAIN_MS + AGAIN_MS / 2,
					      TRIES_MS + TURN_MS / 2};

	for (size_t i = 0; i < COUNT_OF(moments_ms); i++) {
		struct fixture *fixture = *state;

		hide_membership(fixture, ALICE);
		assert_int_equal(decide(fixture, ALICE, ALICE_SID), MEMBERSHIP_DONE);
		advance(fixture, moments_ms[i]);
		executor_manual_refuse_timer(&fixture->membership->token.timer);
		advance(fixture, NEXT_MS);
		executor_manual_refuse_timer(NULL);
		if (fixture->alarms == 0)
			suspect(fixture, ALICE, ALICE_SID);
		assert_int_equal(fixture->alarms, 1);
		assert_int_equal(decide(fixture, ALICE, ALICE_SID), MEMBERSHIP_UNKNOWN);
		fake_domain_nest(fixture->stage.directory, ALICE, DOMAIN_STAGE_INNER);
		advance(fixture, NEXT_MS);
		assert_int_equal(fixture->cleared, 1);
		assert_int_equal(decide(fixture, ALICE, ALICE_SID), MEMBERSHIP_DONE);
		(void)tear_down(state);
		(void)set_up(state);
	}
}

#define TOKEN_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TOKEN_TEST(membership_token_check__they_agree__nothing_comes_of_it),
	    TOKEN_TEST(membership_token_check__they_differ_thrice__he_is_unknown_until_they_agree),
	    TOKEN_TEST(membership_token_check__they_differ_for_a_moment__nothing_comes_of_it),
	    TOKEN_TEST(membership_token_check__the_token_is_not_shown__is_told_once),
	    TOKEN_TEST(membership_token_check__who_cannot_be_looked_at__is_left_alone),
	    TOKEN_TEST(membership_token_check__a_foreign_security_principal__is_not_asked_about),
	    TOKEN_TEST(membership_token_check__as_many_suspects_as_fit__nobody_else_is_looked_at),
	    TOKEN_TEST(membership_stop__while_it_asks_or_waits__ends_without_a_word),
	    TOKEN_TEST(membership_token_check__no_memory__goes_on_later),
	    TOKEN_TEST(membership_token_check__no_memory_for_a_timer__goes_on_later),
	};

	return cmocka_run_group_tests_name("membership_token", tests, NULL, NULL);
}
