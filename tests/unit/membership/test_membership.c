/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine on the watch: closed, or without memory, at each moment of a change that is being applied; and what the scenarios cannot show,
 * whose server does not offer what comes with syncprov. The stories that can be told are in tests/scenario/live_*.scn.
 */
#include <authorizer/engine_private.h>

#include <base/compiler.h>
#include <base/text.h>
#include <membership/membership_private.h>
#include <string.h>
#include <support/assertions.h>
#include <support/dir_pool_fake.h>
#include <support/dir_watch_fake.h>
#include <support/executor_manual.h>
#include <support/fake_directory.h>
#include <support/memory_failing.h>

#define OPS          "cn=ops,ou=groups,dc=x"
#define NO           "cn=no,ou=groups,dc=x"
#define TEAM         "cn=team,ou=groups,dc=x"
#define FREE         "cn=free,ou=groups,dc=x"
#define ALICE        "uid=alice,ou=people,dc=x"
#define BOB          "uid=bob,ou=people,dc=x"
#define SYNC_CONTROL "1.3.6.1.4.1.4203.1.9.1.1"
#define LATENCY_MS   10
#define PATIENCE_MS  8000

struct answer {
	unsigned count;
	enum wa_verdict verdict;
	enum wa_reason reason;
	bool cached;
	uint64_t elapsed_us;
};

static struct fake_directory *directory;

static void add(const char *dn, const char *object_class, const char *attribute, const char *value)
{
	assert_true(fake_directory_add(directory, dn));
	assert_true(fake_directory_gain(directory, dn, "objectClass", object_class));
	if (attribute != NULL)
		assert_true(fake_directory_gain(directory, dn, attribute, value));
}

/* Alice may in by ops, bob by team; nobody is in the group that keeps people out. */
static void make_directory(void)
{
	directory = fake_directory_new("dc=x");
	fake_directory_root(directory, "supportedControl", SYNC_CONTROL);
	add("ou=people,dc=x", "organizationalUnit", NULL, NULL);
	add("ou=groups,dc=x", "organizationalUnit", NULL, NULL);
	add(ALICE, "inetOrgPerson", NULL, NULL);
	add(BOB, "inetOrgPerson", NULL, NULL);
	add(OPS, "groupOfNames", "member", ALICE);
	assert_true(fake_directory_gain(directory, OPS, "member", TEAM));
	add(TEAM, "groupOfNames", "member", BOB);
	add(NO, "groupOfNames", "member", "cn=keeper,dc=x");
	add(FREE, "groupOfNames", "member", ALICE);
	dir_pool_fake_use(directory, LATENCY_MS);
	dir_watch_fake_use(directory);
	dir_watch_fake_enable();
}

static void drop_directory(void)
{
	dir_watch_fake_use(NULL);
	fake_directory_free(&directory);
}

static void ignore_log(void *context, enum wa_log_level level, const char *line)
{
	(void)context;
	(void)level;
	(void)line;
}

static struct wa_engine *open_engine(const char *cache)
{
	const struct wa_options options = {.log = {WA_LOG_DEBUG, ignore_log, NULL}, .dry_run = true};
	const struct config *config = NULL;
	struct wa_engine *engine = NULL;
	struct error error;
	struct text policy;

	text_init(&policy);
	text_printf(&policy,
		    "<wsmauthz xmlns=\"urn:wsmauthz:policy:1\" default-domain=\"CORP\"><directory uri=\"ldap://dc1.x\" "
		    "base=\"dc=x\" timeout=\"3s\" domain=\"CORP\"><bind mechanism=\"anonymous\"/><tls mode=\"none\"/>"
		    "</directory><cache %s max-entries=\"64\"/><deny group=\"" NO "\"/><allow group=\"" OPS "\"/>"
		    "</wsmauthz>",
		    cache);
	assert_false(text_failed(&policy));
	assert_int_equal(config_parse(text_string(&policy), policy.length, "policy.xml", &config, &error), STATUS_OK);
	text_done(&policy);
	assert_int_equal(engine_open_with(config, &options, &engine, &error), STATUS_OK);
	config_unref(&config);
	return engine;
}

static void decided(void *context, const struct wa_decision *decision)
{
	struct answer *answer = context;

	answer->count++;
	answer->verdict = decision->verdict;
	answer->reason = decision->reason;
	answer->cached = decision->cached;
	answer->elapsed_us = decision->elapsed_us;
}

static bool ask(struct wa_engine *engine, const char *sender, struct answer *answer)
{
	const struct wa_question question = {
	    .sender = sender, .sender_length = strlen(sender), .mechanism = "Negotiate", .http_url = "https://h/wsman"};

	memset(answer, 0, sizeof(*answer));
	return wa_engine_decide(engine, &question, decided, answer);
}

static void await(const struct answer *answer)
{
	for (unsigned ms = 0; ms < PATIENCE_MS && answer->count == 0; ms++)
		(void)executor_manual_advance_all(1);
	assert_int_equal(answer->count, 1);
}

static void assert_answer(struct wa_engine *engine, const char *sender, enum wa_verdict verdict)
{
	struct answer answer;

	assert_true(ask(engine, sender, &answer));
	await(&answer);
	assert_int_equal(answer.verdict, verdict);
}

static void change_members(void)
{
	assert_true(fake_directory_lose(directory, OPS, "member", ALICE));
}

static void change_names(void)
{
	assert_true(fake_directory_rename(directory, "ou=people,dc=x", "ou=staff,dc=x"));
}

static void nest(void)
{
	assert_true(fake_directory_gain(directory, NO, "member", FREE));
}

static void cut_watch(void)
{
	nest();
	(void)executor_manual_advance_all(LATENCY_MS);
	dir_watch_fake_cut();
}

static void bring_watch_back(void)
{
	dir_watch_fake_cut();
	nest();
	(void)executor_manual_advance_all(LATENCY_MS);
	dir_watch_fake_restore();
}

static void freeze_watch(void)
{
	dir_watch_fake_freeze();
	nest();
	(void)executor_manual_advance_all(1200);
}

static void hang(void)
{
	const struct fake_fault hangs = {.kind = FAKE_FAULT_HANG};

	fake_directory_add_fault(directory, &hangs);
	nest();
}

static void change_twice(void)
{
	nest();
	(void)executor_manual_advance_all(LATENCY_MS / 2);
	assert_true(fake_directory_rename(directory, FREE, "cn=other,ou=groups,dc=x"));
	assert_true(fake_directory_gain(directory, NO, "member", "cn=other,ou=groups,dc=x"));
}

/* What happens once the engine is warm; alice is not to be let in any more, unless that is not known for sure. */
static const struct {
	const char *name;
	void (*happen)(void);
} happenings[] = {
    {"somebody leaves a group", change_members},
    {"a unit is renamed", change_names},
    {"a group is nested", nest},
    {"the watch is cut while a group is read", cut_watch},
    {"the watch comes back", bring_watch_back},
    {"the watch hangs", freeze_watch},
    {"the server hangs", hang},
    {"a group is nested, then renamed", change_twice},
};

static void close_after(void (*happen)(void), unsigned ms)
{
	size_t before = memory_live_count();
	struct answer alice, bob, late;
	struct wa_engine *engine;

	make_directory();
	engine = open_engine("unwatched-ttl=\"0s\"");
	assert_answer(engine, "alice", WA_AUTHORIZE);
	(void)executor_manual_advance_all(100);
	happen();
	(void)executor_manual_advance_all(5);
	assert_true(ask(engine, "alice", &alice));
	assert_true(ask(engine, "bob", &bob));
	(void)executor_manual_advance_all(ms);
	assert_true(ask(engine, "alice", &late));
	wa_engine_close(&engine);
	assert_int_equal(alice.count, 1);
	assert_int_equal(bob.count, 1);
	assert_int_equal(late.count, 1);
	assert_int_equal(dir_pool_fake_in_flight(), 0);
	assert_int_equal(dir_watch_fake_count(), 0);
	assert_int_equal(memory_live_count(), before);
	drop_directory();
}

static void wa_engine_close__at_any_moment_of_a_change__answers_everything(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(happenings); i++)
		for (unsigned ms = 0; ms < 16 * LATENCY_MS; ms += LATENCY_MS / 2 - 1)
			close_after(happenings[i].happen, ms);
}

/* The n-th allocation fails; then, when everything is told, alice is out. */
static bool fail_after(void (*happen)(void), size_t n)
{
	size_t before = memory_live_count(), count;
	struct wa_engine *engine;
	struct answer alice, bob;

	make_directory();
	engine = open_engine("unwatched-ttl=\"0s\"");
	assert_answer(engine, "alice", WA_AUTHORIZE);
	(void)executor_manual_advance_all(100);
	memory_fail_at(n);
	happen();
	(void)executor_manual_advance_all(5);
	(void)!ask(engine, "alice", &alice);
	(void)!ask(engine, "bob", &bob);
	(void)executor_manual_advance_all(PATIENCE_MS);
	count = memory_fail_count();
	memory_fail_at(0);
	if (alice.count > 0)
		assert_int_not_equal(alice.verdict, WA_AUTHORIZE);
	/* The watch, the groups and everything else find their way back. */
	(void)executor_manual_advance_all(PATIENCE_MS);
	assert_answer(engine, "alice", WA_DENY);
	wa_engine_close(&engine);
	assert_int_equal(memory_live_count(), before);
	drop_directory();
	return count >= n;
}

static void wa_engine_decide__no_memory_while_a_change_is_applied__never_lets_in(void **state)
{
	static void (*const happens[])(void) = {change_members, nest, change_twice, bring_watch_back};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(happens); i++) {
		size_t n = 1;

		while (fail_after(happens[i], n))
			n++;
		assert_true(n > 30);
	}
}

/* While the watch is behind nobody waits for it: whether what is cached still holds is asked, and that is that. */
static void wa_engine_decide__cached_while_the_watch_is_behind__is_decided_at_once(void **state)
{
	struct wa_engine *engine;
	struct answer answer;

	(void)state;
	make_directory();
	engine = open_engine("unwatched-ttl=\"1s\"");
	assert_answer(engine, "alice", WA_AUTHORIZE);
	(void)executor_manual_advance_all(1500);
	dir_watch_fake_freeze();
	assert_true(fake_directory_gain(directory, NO, "member", BOB));
	assert_answer(engine, "bob", WA_DENY);
	(void)executor_manual_advance_all(1500);
	assert_true(ask(engine, "bob", &answer));
	await(&answer);
	assert_int_equal(answer.verdict, WA_DENY);
	assert_true(answer.elapsed_us < 1000000);
	wa_engine_close(&engine);
	drop_directory();
}

/* So much is told while a group is read that the rest of it cannot be kept: then all groups are read. */
static void wa_engine_decide__more_is_told_than_can_be_kept__nothing_is_lost(void **state)
{
	struct wa_engine *engine;

	(void)state;
	make_directory();
	engine = open_engine("unwatched-ttl=\"0s\"");
	assert_answer(engine, "alice", WA_AUTHORIZE);
	(void)executor_manual_advance_all(100);
	dir_pool_fake_set_latency(100);
	assert_true(fake_directory_gain(directory, NO, "description", "x"));
	(void)executor_manual_advance_all(60);
	for (unsigned i = 0; i < MEMBERSHIP_MAX_HEARD / 2 + 1; i++) {
		assert_true(fake_directory_gain(directory, BOB, "description", "x"));
		assert_true(fake_directory_lose(directory, BOB, "description", "x"));
	}
	nest();
	(void)executor_manual_advance_all(20);
	assert_answer(engine, "alice", WA_DENY);
	wa_engine_close(&engine);
	drop_directory();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(wa_engine_close__at_any_moment_of_a_change__answers_everything),
	    cmocka_unit_test(wa_engine_decide__no_memory_while_a_change_is_applied__never_lets_in),
	    cmocka_unit_test(wa_engine_decide__more_is_told_than_can_be_kept__nothing_is_lost),
	    cmocka_unit_test(wa_engine_decide__cached_while_the_watch_is_behind__is_decided_at_once),
	};

	return cmocka_run_group_tests_name("membership", tests, NULL, NULL);
}
