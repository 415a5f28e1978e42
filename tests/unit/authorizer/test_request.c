/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens to a question when memory runs out, and when the engine is closed, at every point of its way: one
 * answer, never a wrong one, nothing left behind, and right answers afterwards. What the answers are is for tests/scenario.
 */
#include <authorizer/engine_private.h>

#include <base/compiler.h>
#include <base/text.h>
#include <stdlib.h>
#include <string.h>
#include <support/assertions.h>
#include <support/clock_manual.h>
#include <support/dir_pool_fake.h>
#include <support/executor_manual.h>
#include <support/fake_directory.h>
#include <support/memory_failing.h>

#define ALICE "uid=alice,ou=people,dc=x"
#define BOB   "uid=bob,ou=people,dc=x"
#define OPS   "cn=ops,ou=groups,dc=x"
#define GONE  "cn=gone,ou=groups,dc=x"

/* Milliseconds of the manual clock; enough for every way that a question can go. */
#define LATENCY_MS  10
#define PATIENCE_MS 20000

struct answer {
	unsigned count;
	enum wa_verdict verdict;
	enum wa_reason reason;
};

static struct fake_directory *directory;

static void add(const char *dn, const char *object_class)
{
	assert_true(fake_directory_add(directory, dn));
	assert_true(fake_directory_gain(directory, dn, "objectClass", object_class));
}

static void gain(const char *dn, const char *attribute, const char *value)
{
	assert_true(fake_directory_gain(directory, dn, attribute, value));
}

/* Alice may in, but for a lock that is over; Bob is denied, by a group whose name for him only the server knows. */
static int set_up(void **state)
{
	(void)state;
	directory = fake_directory_new("dc=x");
	add("ou=people,dc=x", "organizationalUnit");
	add("ou=groups,dc=x", "organizationalUnit");
	add("cn=short,dc=x", "pwdPolicy");
	gain("cn=short,dc=x", "pwdLockoutDuration", "900");
	add(ALICE, "inetOrgPerson");
	gain(ALICE, "pwdAccountLockedTime", "20250101000000Z");
	gain(ALICE, "pwdPolicySubentry", "cn=short,dc=x");
	add(BOB, "inetOrgPerson");
	add(OPS, "groupOfNames");
	gain(OPS, "member", ALICE);
	gain(OPS, "member", BOB);
	add("cn=leavers,ou=groups,dc=x", "groupOfNames");
	gain("cn=leavers,ou=groups,dc=x", "member", GONE);
	add(GONE, "groupOfNames");
	gain(GONE, "member", "uid=bob,ou=people\\2cdc=x");
	gain(GONE, "member", "uid=b\\6fb,ou=people,dc=x");
	dir_pool_fake_use(directory, LATENCY_MS);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fake_directory_free(&directory);
	return 0;
}

static const struct config *policy_of(const char *strategy)
{
	const struct config *config = NULL;
	struct error error;
	struct text policy;

	text_init(&policy);
	text_printf(&policy,
		    "<wsmauthz xmlns=\"urn:wsmauthz:policy:1\" default-domain=\"CORP\"><directory uri=\"ldap://dc1.x\" "
		    "base=\"dc=x\" timeout=\"3s\" domain=\"CORP\"><bind mechanism=\"anonymous\"/><tls mode=\"none\"/>"
		    "<groups strategy=\"%s\"/></directory><cache unwatched-ttl=\"0s\" max-entries=\"64\"/>"
		    "<account filter=\"(objectClass=inetOrgPerson)\"/>"
		    "<deny group=\"cn=leavers,ou=groups,dc=x\"/><allow group=\"" OPS "\"/></wsmauthz>",
		    strategy);
	assert_false(text_failed(&policy));
	if (config_parse(text_string(&policy), policy.length, "policy.xml", &config, &error) != STATUS_OK)
		fail_msg("%s", error.what);
	text_done(&policy);
	return config;
}

static void ignore_log(void *context, enum wa_log_level level, const char *line)
{
	(void)context;
	(void)level;
	(void)line;
}

static enum status open_engine(const char *strategy, struct wa_engine **engine_out, size_t fail_at)
{
	const struct wa_options options = {.log = {WA_LOG_DEBUG, ignore_log, NULL}, .dry_run = true};
	const struct config *config = policy_of(strategy);
	struct error error;
	enum status status;

	if (fail_at > 0)
		memory_fail_at(fail_at);
	status = engine_open_with(config, &options, engine_out, &error);
	config_unref(&config);
	return status;
}

static void decided(void *context, const struct wa_decision *decision)
{
	struct answer *answer = context;

	answer->count++;
	answer->verdict = decision->verdict;
	answer->reason = decision->reason;
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
}

static void assert_right_answers(struct wa_engine *engine)
{
	struct answer alice, bob;

	assert_true(ask(engine, "alice", &alice));
	assert_true(ask(engine, "bob", &bob));
	await(&alice);
	await(&bob);
	assert_int_equal(alice.verdict, WA_AUTHORIZE);
	assert_int_equal(bob.verdict, WA_DENY);
	assert_int_equal(bob.reason, WA_REASON_DENIED_GROUP);
}

/* Once answered, and by nothing but the truth or "not known". */
static void assert_sound(const struct answer *answer, bool taken, enum wa_verdict truth, enum wa_reason why)
{
	if (!taken) {
		assert_int_equal(answer->count, 0);
		return;
	}
	assert_int_equal(answer->count, 1);
	if (answer->verdict == WA_ERROR) {
		assert_int_not_equal(answer->reason, WA_REASON_NONE);
		return;
	}
	assert_int_equal(answer->verdict, truth);
	assert_int_equal(answer->reason, why);
}

static const char *const strategies[] = {"auto", "search", "memberof"};

static void ask_with_failures(const char *strategy, bool is_cold, bool for_good)
{
	size_t errors = 0;

	for (size_t n = 1;; n++) {
		size_t before = memory_live_count(), count;
		struct wa_engine *engine = NULL;
		struct answer alice, bob;
		bool alice_taken, bob_taken;

		assert_int_equal(open_engine(strategy, &engine, 0), STATUS_OK);
		if (!is_cold) {
			assert_right_answers(engine);
			/* The groups have to be read anew. */
			gain(OPS, "description", n % 2 == 0 ? "even" : "odd");
		}
		if (for_good)
			memory_fail_from(n);
		else
			memory_fail_at(n);
		alice_taken = ask(engine, "alice", &alice);
		bob_taken = ask(engine, "bob", &bob);
		(void)executor_manual_advance_all(PATIENCE_MS);
		count = memory_fail_count();
		memory_fail_at(0);
		assert_sound(&alice, alice_taken, WA_AUTHORIZE, WA_REASON_MEMBER);
		assert_sound(&bob, bob_taken, WA_DENY, WA_REASON_DENIED_GROUP);
		errors += !alice_taken || !bob_taken || alice.verdict == WA_ERROR || bob.verdict == WA_ERROR;
		assert_right_answers(engine);
		wa_engine_close(&engine);
		assert_null(engine);
		assert_int_equal(dir_pool_fake_in_flight(), 0);
		assert_int_equal(memory_live_count(), before);
		if (!is_cold)
			assert_true(fake_directory_lose(directory, OPS, "description", NULL));
		if (count < n)
			break;
	}
	/* The failures were not all of allocations that nobody needs. */
	assert_true(errors > 40);
}

static void wa_engine_decide__a_cold_question_and_no_memory__one_sound_answer(void **state)
{
	(void)state;
	ask_with_failures("auto", true, false);
	ask_with_failures("search", true, false);
}

static void wa_engine_decide__a_warm_question_and_no_memory__one_sound_answer(void **state)
{
	(void)state;
	ask_with_failures("auto", false, false);
	ask_with_failures("search", false, false);
}

static void wa_engine_decide__no_memory_from_then_on__one_sound_answer(void **state)
{
	(void)state;
	ask_with_failures("auto", true, true);
	ask_with_failures("search", false, true);
}

static void engine_open_with__no_memory__fails_and_leaves_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(strategies); i++) {
		size_t failures = 0;

		for (size_t n = 1;; n++) {
			size_t before = memory_live_count(), count;
			struct wa_engine *engine = NULL;
			enum status status = open_engine(strategies[i], &engine, n);

			count = memory_fail_count();
			memory_fail_at(0);
			if (status == STATUS_OK) {
				/* The first load may have gone without: the first question makes up for it. */
				if (i < 2)
					assert_right_answers(engine);
			} else {
				assert_int_equal(status, STATUS_NO_MEMORY);
				assert_null(engine);
				failures++;
			}
			wa_engine_close(&engine);
			assert_int_equal(memory_live_count(), before);
			if (count < n)
				break;
		}
		assert_true(failures >= 5);
	}
}

/* Closed at each moment: while the groups are read, while somebody waits, between two searches, after it all. */
static void wa_engine_close__at_any_moment__answers_everything(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(strategies); i++) {
		for (unsigned ms = 0; ms < 25 * LATENCY_MS; ms += LATENCY_MS / 2 - 1) {
			size_t before = memory_live_count();
			struct wa_engine *engine = NULL;
			struct answer alice, bob, late;

			assert_int_equal(open_engine(strategies[i], &engine, 0), STATUS_OK);
			assert_true(ask(engine, "alice", &alice));
			assert_true(ask(engine, "bob", &bob));
			(void)executor_manual_advance_all(ms);
			assert_true(ask(engine, "alice", &late));
			wa_engine_close(&engine);
			assert_int_equal(alice.count, 1);
			assert_int_equal(bob.count, 1);
			assert_int_equal(late.count, 1);
			assert_int_not_equal(late.verdict, WA_AUTHORIZE);
			assert_int_not_equal(bob.verdict, WA_AUTHORIZE);
			if (late.verdict == WA_ERROR)
				assert_int_equal(late.reason, WA_REASON_SHUTTING_DOWN);
			assert_int_equal(dir_pool_fake_in_flight(), 0);
			assert_int_equal(memory_live_count(), before);
		}
	}
}

static void wa_engine_decide__more_than_it_may_hold__overload_then_nothing(void **state)
{
	size_t count = ENGINE_MAX_REFUSALS + 2, taken = 0, overloads = 0;
	struct answer *answers = calloc(count, sizeof(*answers));
	struct wa_engine *engine = NULL;

	(void)state;
	assert_non_null(answers);
	assert_int_equal(open_engine("auto", &engine, 0), STATUS_OK);
	assert_right_answers(engine);
	for (size_t i = 0; i < count; i++)
		taken += ask(engine, "OTHER\\alice", &answers[i]);
	(void)executor_manual_run_all();
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(answers[i].count, i < taken ? 1 : 0);
		overloads += answers[i].reason == WA_REASON_OVERLOAD;
	}
	assert_int_equal(taken, ENGINE_MAX_REFUSALS);
	assert_int_equal(overloads, ENGINE_MAX_REFUSALS - ENGINE_MAX_QUESTIONS);
	assert_right_answers(engine);
	wa_engine_close(&engine);
	free(answers);
}

/* Thousands wait for groups that never come, and give up together. */
static void wa_engine_decide__thousands_give_up_at_once__each_in_time(void **state)
{
	const struct fake_fault hang = {.kind = FAKE_FAULT_HANG};
	size_t count = ENGINE_MAX_QUESTIONS;
	struct answer *answers = calloc(count, sizeof(*answers));
	struct wa_engine *engine = NULL;

	(void)state;
	assert_non_null(answers);
	assert_int_equal(open_engine("auto", &engine, 0), STATUS_OK);
	fake_directory_add_fault(directory, &hang);
	for (size_t i = 0; i < count; i++)
		assert_true(ask(engine, "alice", &answers[i]));
	(void)executor_manual_advance_all(3100);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(answers[i].count, 1);
		assert_int_equal(answers[i].reason, WA_REASON_DEADLINE_EXCEEDED);
	}
	fake_directory_clear_faults(directory);
	assert_right_answers(engine);
	wa_engine_close(&engine);
	free(answers);
}

/* A directory that fails at once, and questions without end: it is not listed for each of them. */
static void wa_engine_decide__a_load_that_fails_each_time__has_a_rest(void **state)
{
	struct fake_fault refuse = {.kind = FAKE_FAULT_CODE, .code = 50};
	char when[] = "groupOfNames";
	struct wa_engine *engine = NULL;
	struct answer answer;
	uint64_t before;

	(void)state;
	refuse.when = when;
	fake_directory_add_fault(directory, &refuse);
	assert_int_equal(open_engine("auto", &engine, 0), STATUS_OK);
	for (unsigned i = 0; i < 40; i++) {
		assert_true(ask(engine, "alice", &answer));
		await(&answer);
		assert_int_equal(answer.reason, WA_REASON_INCOMPLETE_DATA);
	}
	before = dir_pool_fake_requests();
	for (unsigned i = 0; i < 1000; i++) {
		assert_true(ask(engine, "alice", &answer));
		await(&answer);
		assert_int_equal(answer.reason, WA_REASON_INCOMPLETE_DATA);
	}
	assert_in_range(dir_pool_fake_requests() - before, 0, 20);
	fake_directory_clear_faults(directory);
	(void)executor_manual_advance_all(500);
	assert_right_answers(engine);
	wa_engine_close(&engine);
}

/* Round trips while one question is asked, and of what it sets going beside it. */
static uint64_t round_trips(struct wa_engine *engine)
{
	uint64_t before = dir_pool_fake_requests();
	struct answer answer;

	assert_true(ask(engine, "bob", &answer));
	await(&answer);
	assert_int_equal(answer.reason, WA_REASON_DENIED_GROUP);
	(void)executor_manual_advance_all(1000);
	return dir_pool_fake_requests() - before;
}

/* A contextCSN that stands still may be one that nobody keeps: the groups are read again after a while. */
static void wa_engine_decide__an_old_closure__is_read_again_beside_it(void **state)
{
	static const struct {
		const char *control;
		uint64_t age_ms;
	} rows[] = {{"1.2.840.113556.1.4.319", 10000}, {"1.3.6.1.4.1.4203.1.9.1.1", 300000}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct wa_engine *engine = NULL;

		fake_directory_root(directory, "supportedControl", rows[i].control);
		assert_int_equal(open_engine("auto", &engine, 0), STATUS_OK);
		assert_right_answers(engine);
		(void)executor_manual_advance_all(rows[i].age_ms / 2);
		assert_int_equal(round_trips(engine), 1);
		(void)executor_manual_advance_all(rows[i].age_ms / 2);
		assert_in_range(round_trips(engine), 6, 10);
		assert_int_equal(round_trips(engine), 1);
		wa_engine_close(&engine);
	}
}

#define REQUEST_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    REQUEST_TEST(wa_engine_decide__a_cold_question_and_no_memory__one_sound_answer),
	    REQUEST_TEST(wa_engine_decide__a_warm_question_and_no_memory__one_sound_answer),
	    REQUEST_TEST(wa_engine_decide__no_memory_from_then_on__one_sound_answer),
	    REQUEST_TEST(engine_open_with__no_memory__fails_and_leaves_nothing),
	    REQUEST_TEST(wa_engine_close__at_any_moment__answers_everything),
	    REQUEST_TEST(wa_engine_decide__more_than_it_may_hold__overload_then_nothing),
	    REQUEST_TEST(wa_engine_decide__thousands_give_up_at_once__each_in_time),
	    REQUEST_TEST(wa_engine_decide__a_load_that_fails_each_time__has_a_rest),
	    REQUEST_TEST(wa_engine_decide__an_old_closure__is_read_again_beside_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
