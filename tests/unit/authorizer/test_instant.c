/* SPDX-License-Identifier: Apache-2.0 */
/* Answers from the cache, on the caller's thread: which questions get one, and that the others get none. */
#include <unit/authorizer/engine_rig.h>

#include <base/memory.h>
#include <os/file.h>
#include <stdlib.h>
#include <support/clock_manual.h>
#include <support/memory_failing.h>
#include <unistd.h>

/* Nothing but the age of an answer counts. */
#define LASTING     "<cache ttl=\"1h\" unwatched-ttl=\"1h\" max-entries=\"64\"/>"
#define YEAR_2026_S 1767225600
#define EMEA        "https://emea.x:5986/wsman"

/* The cache alone; the decision must come inside the call, once, or not at all. */
static bool try_question(const struct rig *rig, const struct wa_question *question, struct answer *answer)
{
	bool is_answered;

	memset(answer, 0, sizeof(*answer));
	is_answered = wa_engine_decide_cached(rig->engine, question, keep_answer, answer);
	assert_int_equal(answer->count, is_answered ? 1 : 0);
	return is_answered;
}

static bool try_kind(const struct rig *rig, enum wa_kind kind, const char *sender)
{
	const struct wa_question question = question_of(kind, sender);
	struct answer answer;

	return try_question(rig, &question, &answer);
}

static bool try(const struct rig *rig, const char *sender)
{
	return try_kind(rig, WA_KIND_OPERATION, sender);
}

static void open_lasting(struct rig *rig, const char *rules)
{
	const struct rig_policy policy = {.cache = LASTING, .rules = rules};

	open_engine(rig, &policy);
	pass(1000);
}

/* Under the watch, with a lease that was just given. */
static void open_watched(struct rig *rig)
{
	dir_watch_fake_enable();
	open_engine(rig, &policy_ops);
	pass(100);
	assert_lets_in(rig, "alice");
}

/* What is answered */

static void decide_cached__an_authorize_that_is_known__is_whole(void **state)
{
	static const enum wa_kind kinds[] = {WA_KIND_USER, WA_KIND_OPERATION, WA_KIND_QUOTA};
	struct rig *rig = *state;

	gain(rig, DEVS, "member", ALICE);
	open_lasting(rig, "<allow group=\"" OPS "\" max-shells=\"5\" max-operations=\"15\" timeslot=\"60s\" "
			  "max-operations-per-timeslot=\"100\"/>"
			  "<allow group=\"" DEVS "\" max-shells=\"7\" max-operations=\"3\" timeslot=\"5s\" "
			  "max-operations-per-timeslot=\"9\" administrator=\"true\"/>");
	assert_false(try(rig, "alice"));
	assert_int_equal(ask_and_wait(rig, "alice").verdict, WA_AUTHORIZE);
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		const struct wa_question question = question_of(kinds[i], "alice");
		struct answer answer;

		assert_true(try_question(rig, &question, &answer));
		assert_int_equal(answer.verdict, WA_AUTHORIZE);
		assert_int_equal(answer.reason, WA_REASON_MEMBER);
		assert_int_equal(answer.code, 0);
		assert_true(answer.cached && answer.administrator && !answer.has_dn);
		assert_string_equal(answer.rule, "allow " OPS);
		assert_int_equal(answer.quota.max_shells, 7);
		assert_int_equal(answer.quota.max_operations, 15);
		assert_int_equal(answer.quota.timeslot_s, 60);
		assert_int_equal(answer.quota.max_operations_per_timeslot, 100);
	}
}

static void decide_cached__no_rule_says_more__quota_unlimited_and_no_administrator(void **state)
{
	struct rig *rig = *state;
	const struct wa_question question = question_of(WA_KIND_QUOTA, "alice");
	struct answer answer;

	open_lasting(rig, policy_ops.rules);
	(void)ask_and_wait(rig, "alice");
	assert_true(try_question(rig, &question, &answer));
	assert_false(answer.administrator);
	assert_int_equal(answer.quota.max_shells, UINT32_MAX);
	assert_int_equal(answer.quota.max_operations, UINT32_MAX);
	assert_int_equal(answer.quota.timeslot_s, 0);
	assert_int_equal(answer.quota.max_operations_per_timeslot, UINT32_MAX);
}

static void decide_cached__no_memory__answers_all_the_same(void **state)
{
	struct rig *rig = *state;

	open_watched(rig);
	pass(MEMBERSHIP_LEASE_MS * 3 / 4);
	memory_fail_from(1);
	assert_true(try(rig, "alice")); /* and asks for a new lease */
	assert_int_equal(memory_fail_count(), 0);
	memory_fail_at(0);
	pass(MEMBERSHIP_LEASE_MS / 2);
	assert_true(try(rig, "alice"));
}

static void ask_again_inside(void *context, const struct wa_decision *decision)
{
	struct rig *rig = context;

	assert_int_equal(decision->verdict, WA_AUTHORIZE);
	assert_true(try(rig, "dora"));
}

static void decide_cached__asked_again_from_its_decision__answers(void **state)
{
	struct rig *rig = *state;
	const struct wa_question question = question_of(WA_KIND_OPERATION, "alice");

	open_lasting(rig, policy_ops.rules);
	(void)ask_and_wait(rig, "alice");
	(void)ask_and_wait(rig, "dora");
	assert_true(wa_engine_decide_cached(rig->engine, &question, ask_again_inside, rig));
}

/* What is not */

static void decide_cached__out_of_the_ordinary__has_no_answer(void **state)
{
	static const struct wa_certificate certificate = {.subject_name = "alice"};
	static const struct {
		const char *row, *sender, *mechanism;
		const struct wa_certificate *certificate;
		bool allow_sid, expected;
		const char *token_sid;
	} rows[] = {
	    {"as it was asked", "alice", "Negotiate", NULL, false, true, NULL},
	    {"another mechanism", "alice", "Basic", NULL, false, true, NULL},
	    {"no mechanism", "alice", NULL, NULL, false, true, NULL},
	    {"a certificate", "alice", "Negotiate", &certificate, false, false, NULL},
	    {"by certificate", "alice", "ClientCertificate", &certificate, false, false, NULL},
	    {"by certificate, which is missing", "alice", "ClientCertificate", NULL, false, false, NULL},
	    {"by certificate, spelled otherwise", "alice", "clientcertificate", NULL, false, false, NULL},
	    {"a SID would do", "alice", "Negotiate", NULL, true, false, NULL},
	    {"no sender", NULL, "Negotiate", NULL, false, false, NULL},
	    {"an empty sender", "", "Negotiate", NULL, false, false, NULL},
	    {"a longer name", "alice2", "Negotiate", NULL, false, false, NULL},
	    {"a shorter name", "alic", "Negotiate", NULL, false, false, NULL},
	    {"another form of the name", "CORP\\alice", "Negotiate", NULL, false, false, NULL},
	    {"another domain", "OTHER\\alice", "Negotiate", NULL, false, false, NULL},
	    {"somebody else", "dora", "Negotiate", NULL, false, false, NULL},
	    {"a token", "alice", "Negotiate", NULL, false, false, "S-1-5-21-1-2-3-1104"},
	};
	struct rig *rig = *state;

	open_lasting(rig, policy_ops.rules);
	(void)ask_and_wait(rig, "alice");
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct wa_question question = question_of(WA_KIND_OPERATION, or_none(rows[i].sender));
		struct answer answer;

		question.sender = rows[i].sender;
		question.mechanism = rows[i].mechanism;
		question.certificate = rows[i].certificate;
		question.allow_sid = rows[i].allow_sid;
		question.token_sid = rows[i].token_sid;
		assert_row(rows[i].row, try_question(rig, &question, &answer) == rows[i].expected);
	}
	(void)ask_and_wait(rig, "CORP\\alice");
	assert_true(try(rig, "CORP\\alice"));
	assert_false(try(rig, "OTHER\\alice"));
}

static void decide_cached__denied__has_no_answer(void **state)
{
	struct rig *rig = *state;

	open_lasting(rig, policy_ops.rules);
	assert_int_equal(ask_and_wait(rig, "bob").reason, WA_REASON_NOT_A_MEMBER);
	assert_int_equal(ask_and_wait(rig, "nobody").reason, WA_REASON_NO_SUCH_USER);
	assert_int_equal(ask_and_wait(rig, "OTHER\\alice").reason, WA_REASON_FOREIGN_DOMAIN);
	for (int kind = WA_KIND_USER; kind <= WA_KIND_QUOTA; kind++) {
		assert_false(try_kind(rig, (enum wa_kind)kind, "bob"));
		assert_false(try_kind(rig, (enum wa_kind)kind, "nobody"));
		assert_false(try_kind(rig, (enum wa_kind)kind, "OTHER\\alice"));
	}
	/* They are known all the same. */
	assert_true(ask_and_wait(rig, "bob").cached);
}

/* Who belongs elsewhere is let in to operations; whether he is there already when he connects is not looked at here. */
static void decide_cached__of_another_site__only_to_operations(void **state)
{
	struct rig *rig = *state;
	struct wa_question there = question_of(WA_KIND_USER, "dora");
	struct answer answer;

	there.http_url = EMEA;
	gain(rig, DORA, "l", "EMEA");
	gain(rig, ALICE, "l", "AMER");
	open_lasting(rig,
		     "<allow group=\"" OPS "\"/><redirect attribute=\"l\" here=\"AMER\"><site name=\"EMEA\" uri=\"" EMEA
		     "\"/></redirect>");
	(void)ask_and_wait(rig, "dora");
	(void)ask_and_wait(rig, "alice");
	assert_false(try_kind(rig, WA_KIND_USER, "dora"));
	assert_false(try_question(rig, &there, &answer));
	assert_true(try_kind(rig, WA_KIND_OPERATION, "dora"));
	assert_true(try_kind(rig, WA_KIND_QUOTA, "dora"));
	assert_true(try_kind(rig, WA_KIND_USER, "alice"));
}

static void decide_cached__nothing_is_to_be_cached__has_no_answer(void **state)
{
	static const struct rig_policy policies[] = {
	    {.cache = LASTING, .rules = "<allow group=\"" OPS "\"/>"}, /* and the engine is told not to */
	    {.cache = "<cache ttl=\"1h\" unwatched-ttl=\"1h\" max-bytes=\"0KB\"/>",
	     .rules = "<allow group=\"" OPS "\"/>"},
	    {.cache = "<cache ttl=\"0s\" unwatched-ttl=\"1h\"/>", .rules = "<allow group=\"" OPS "\"/>"},
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < COUNT_OF(policies); i++) {
		rig->no_cache = i == 0;
		open_engine(rig, &policies[i]);
		assert_lets_in(rig, "alice");
		assert_lets_in(rig, "alice");
		assert_false(try(rig, "alice"));
		wa_engine_close(&rig->engine);
	}
}

/* What was known is so no longer */

static void decide_cached__older_than_the_ttl__has_no_answer(void **state)
{
	static const struct rig_policy policy = {.cache = "<cache ttl=\"5s\" unwatched-ttl=\"1h\"/>",
						 .rules = "<allow group=\"" OPS "\"/>"};
	struct rig *rig = *state;

	open_engine(rig, &policy);
	(void)ask_and_wait(rig, "alice");
	/* It is as old as the groups, which were read some round trips ago. */
	pass(5000 - 20 * LATENCY_MS);
	assert_true(try(rig, "alice"));
	pass(20 * LATENCY_MS);
	assert_false(try(rig, "alice"));
	(void)ask_and_wait(rig, "alice");
	assert_true(try(rig, "alice"));
}

static void decide_cached__unwatched__answers_for_the_unwatched_ttl(void **state)
{
	static const struct rig_policy policy = {.cache = "<cache unwatched-ttl=\"300ms\"/>",
						 .rules = "<allow group=\"" OPS "\"/>"};
	struct rig *rig = *state;

	open_engine(rig, &policy);
	pass(1000);
	(void)ask_and_wait(rig, "alice");
	pass(300 - LATENCY_MS - 1);
	assert_true(try(rig, "alice")); /* asks for a lease, which nobody fetches before it is too late */
	clock_manual_advance_us(2000);
	assert_false(try(rig, "alice"));
}

static void decide_cached__the_lease_is_over__has_no_answer_until_there_is_another(void **state)
{
	struct rig *rig = *state;

	open_watched(rig);
	/* Whoever asks keeps it going. */
	for (int i = 0; i < 100; i++) {
		pass(100);
		assert_true(try(rig, "alice"));
	}
	/* Nobody asks. */
	pass(MEMBERSHIP_LEASE_MS + (uint64_t)2 * LATENCY_MS);
	assert_false(try(rig, "alice"));
	assert_int_equal(ask_and_wait(rig, "alice").verdict, WA_AUTHORIZE);
	assert_true(try(rig, "alice"));
}

/* A black hole where the watch was: silence proves nothing. */
static void decide_cached__the_watch_hangs__ends_with_the_lease(void **state)
{
	struct rig *rig = *state;
	unsigned ms = 0;

	open_watched(rig);
	dir_watch_fake_freeze();
	assert_true(fake_directory_lose(rig->directory, OPS, "member", ALICE));
	for (; try(rig, "alice"); ms++)
		pass(1);
	assert_in_range(ms, 1, MEMBERSHIP_LEASE_MS);
	assert_int_equal(ask_and_wait(rig, "alice").reason, WA_REASON_NOT_A_MEMBER);
	dir_watch_fake_thaw();
	pass(1000);
	assert_false(try(rig, "alice"));
}

static void change_membership(const struct rig *rig)
{
	assert_true(fake_directory_lose(rig->directory, OPS, "member", ALICE));
}

static void change_entry(const struct rig *rig)
{
	gain(rig, ALICE, "description", "other");
}

static void rename_entry(const struct rig *rig)
{
	assert_true(fake_directory_rename(rig->directory, ALICE, "uid=alicia,ou=people,dc=x"));
}

static void delete_entry(const struct rig *rig)
{
	assert_true(fake_directory_delete(rig->directory, ALICE));
}

static void delete_group(const struct rig *rig)
{
	assert_true(fake_directory_delete(rig->directory, OPS));
}

static void decide_cached__something_has_changed__has_no_answer(void **state)
{
	static const struct {
		const char *row;
		void (*change)(const struct rig *rig);
	} rows[] = {
	    {"membership", change_membership}, {"entry", change_entry},    {"name", rename_entry},
	    {"no entry", delete_entry},        {"no group", delete_group},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct rig *rig;

		(void)remove_rig(state);
		(void)make_rig(state);
		rig = *state;
		open_watched(rig);
		assert_row(rows[i].row, try(rig, "alice"));
		rows[i].change(rig);
		pass(DIR_WATCH_FAKE_DELAY_MS);
		pass((uint64_t)10 * LATENCY_MS); /* a group is read again first */
		assert_row(rows[i].row, !try(rig, "alice"));
	}
}

static void decide_cached__the_account_expires__has_no_answer_from_then_on(void **state)
{
	struct rig *rig = *state;

	clock_manual_set_wall_s(YEAR_2026_S);
	gain(rig, ALICE, "pwdEndTime", "20260101000200Z");
	open_lasting(rig, policy_ops.rules);
	(void)ask_and_wait(rig, "alice");
	clock_manual_set_wall_s(YEAR_2026_S + 119);
	assert_true(try(rig, "alice"));
	clock_manual_set_wall_s(YEAR_2026_S + 120);
	assert_false(try(rig, "alice"));
	assert_int_equal(ask_and_wait(rig, "alice").reason, WA_REASON_ACCOUNT_EXPIRED);
	clock_manual_set_wall_s(YEAR_2026_S);
}

/* The audit record, and what is counted */

static size_t count_of(const char *text, const char *words)
{
	size_t count = 0;

	for (; (text = strstr(text, words)) != NULL; text++)
		count++;
	return count;
}

static void assert_audit(const struct rig *rig, const char *path, size_t lines, const char *last)
{
	char *audit = NULL;
	size_t length;

	if (rig->engine != NULL)
		audit_drain(engine_regime(rig->engine)->audit);
	assert_status(file_read_trusted(path, 100000, &audit, &length, NULL), STATUS_OK, NULL);
	assert_int_equal(count_of(audit, "\n"), lines);
	if (last != NULL)
		assert_contains(audit, last);
	memory_free(audit);
}

static void assert_counted(const struct rig *rig, uint64_t decisions, uint64_t cached)
{
	struct wa_stats stats;

	wa_engine_stats(rig->engine, &stats);
	assert_int_equal(stats.decisions, decisions);
	assert_int_equal(stats.cached, cached);
}

static void decide_cached__many_times__is_counted_in_the_audit_record_once_a_minute(void **state)
{
	struct rig *rig = *state;
	char folder[] = "/tmp/wsmauthz-test-instant-XXXXXX";
	char path[64], rules[256];

	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/audit.log", folder);
	(void)snprintf(rules, sizeof(rules), "<allow group=\"" OPS "\"/><audit to=\"file\" file=\"%s\"/>", path);
	rig->writes_audit = true;
	open_lasting(rig, rules);
	(void)ask_and_wait(rig, "alice");
	assert_audit(rig, path, 1, "\"reason\":\"member\"");
	for (int i = 0; i < 5; i++)
		assert_true(try(rig, "alice"));
	assert_true(ask_and_wait(rig, "alice").cached);
	assert_true(ask_and_wait(rig, "alice").cached);
	assert_false(try(rig, "bob"));
	pass(50000);
	assert_true(try(rig, "alice"));
	pass(1000);
	assert_audit(rig, path, 1, NULL);
	assert_counted(rig, 9, 8);
	pass(10000);
	assert_true(try(rig, "alice"));
	pass(1000);
	assert_audit(rig, path, 2, "\"kind\":\"repeats\",\"verdict\":\"authorize\",\"count\":9");
	/* A denial is written each time, from the cache too. */
	(void)ask_and_wait(rig, "bob");
	assert_true(ask_and_wait(rig, "bob").cached);
	assert_audit(rig, path, 4, "\"reason\":\"not-a-member\"");
	for (int i = 0; i < 3; i++)
		assert_true(try(rig, "alice"));
	assert_counted(rig, 15, 13);
	wa_engine_close(&rig->engine);
	assert_audit(rig, path, 5, "\"kind\":\"repeats\",\"verdict\":\"authorize\",\"count\":3");
	(void)unlink(path);
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    RIGGED(decide_cached__an_authorize_that_is_known__is_whole),
	    RIGGED(decide_cached__no_rule_says_more__quota_unlimited_and_no_administrator),
	    RIGGED(decide_cached__no_memory__answers_all_the_same),
	    RIGGED(decide_cached__asked_again_from_its_decision__answers),
	    RIGGED(decide_cached__out_of_the_ordinary__has_no_answer),
	    RIGGED(decide_cached__denied__has_no_answer),
	    RIGGED(decide_cached__of_another_site__only_to_operations),
	    RIGGED(decide_cached__nothing_is_to_be_cached__has_no_answer),
	    RIGGED(decide_cached__older_than_the_ttl__has_no_answer),
	    RIGGED(decide_cached__unwatched__answers_for_the_unwatched_ttl),
	    RIGGED(decide_cached__the_lease_is_over__has_no_answer_until_there_is_another),
	    RIGGED(decide_cached__the_watch_hangs__ends_with_the_lease),
	    RIGGED(decide_cached__something_has_changed__has_no_answer),
	    RIGGED(decide_cached__the_account_expires__has_no_answer_from_then_on),
	    RIGGED(decide_cached__many_times__is_counted_in_the_audit_record_once_a_minute),
	};

	return cmocka_run_group_tests_name("authorizer/instant", tests, NULL, NULL);
}
