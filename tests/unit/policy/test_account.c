/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <base/text.h>
#include <policy/account.h>
#include <string.h>
#include <support/entry_builder.h>

/* 2026-11-24T06:00:00Z, day 20781. */
#define NOW 1795500000
#define DAY 20781
/* When all that can pass has passed. */
#define FAR_OFF (INT64_C(1) << 60)

static void account_parse_time__valid__gives_seconds(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} rows[] = {
	    {"19700101000000Z", 0},          {"20261124060000Z", NOW},
	    {"20261124060000.123Z", NOW},    {"20261124060000,5Z", NOW},
	    {"202611240600Z", NOW},          {"2026112406Z", NOW},
	    {"20261124070000+01", NOW},      {"20261124070000+0100", NOW},
	    {"20261124003000-0530", NOW},    {"20000229120000Z", 951825600},
	    {"19691231235959Z", -1},         {"20240229000000Z", 1709164800},
	    {"21000301000000Z", 4107542400}, {"00000101000000Z", -62167219200},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int64_t seconds = 0;

		assert_row(rows[i].text, account_parse_time(rows[i].text, &seconds));
		assert_row(rows[i].text, seconds == rows[i].seconds);
	}
}

static void account_parse_time__invalid__is_refused(void **state)
{
	static const char *const rows[] = {
	    "",
	    "Z",
	    "20261124",
	    "20261124060000",
	    "20261124060000z",
	    "20261324060000Z",
	    "20261100060000Z",
	    "20261132060000Z",
	    "20261124240000Z",
	    "20261124066000Z",
	    "2026112406000Z",
	    "20261124060000ZZ",
	    "20261124060000+1",
	    "20261124060000+24",
	    "20261124060000+01000",
	    "2026-11-24T06:00",
	    "-0261124060000Z",
	    "x0261124060000Z",
	};
	int64_t seconds;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_row(rows[i], !account_parse_time(rows[i], &seconds));
}

static void account_state_of__attributes__give_the_state(void **state)
{
	/* The expected letters: d disabled, l locked, e expired, p password expired. */
	static const struct {
		const char *attributes, *expected;
	} rows[] = {
	    {"uid=alice", ""},
	    {"pwdAccountLockedTime=000001010000Z", "d"},
	    {"pwdAccountLockedTime=20261124055900Z", "l"},
	    {"PWDACCOUNTLOCKEDTIME=20261124055900Z", "l"},
	    {"pwdAccountLockedTime=000001010000Z; pwdAccountLockedTime=20261124055900Z", "dl"},
	    {"nsAccountLock=TRUE", "d"},
	    {"nsAccountLock=true", "d"},
	    {"nsAccountLock=FALSE", ""},
	    {"pwdEndTime=20261124060001Z", ""},
	    {"pwdEndTime=20261124060000Z", "e"},
	    {"pwdEndTime=20201124060000Z", "e"},
	    {"pwdStartTime=20261124060000Z", ""},
	    {"pwdStartTime=20261124060001Z", "e"},
	    {"shadowExpire=-1", ""},
	    {"shadowExpire=20782", ""},
	    {"shadowExpire=20781", "e"},
	    {"shadowExpire=0", "e"},
	    {"pwdReset=TRUE", "p"},
	    {"pwdReset=FALSE", ""},
	    {"passwordExpirationTime=20261124060000Z", "p"},
	    {"passwordExpirationTime=20261124060001Z", ""},
	    {"shadowLastChange=20700; shadowMax=81", ""},
	    {"shadowLastChange=20700; shadowMax=80", "p"},
	    {"shadowLastChange=20700; shadowMax=-1", ""},
	    {"shadowLastChange=20700", ""},
	    {"pwdAccountLockedTime=20261124055900Z; pwdEndTime=20201124060000Z; pwdReset=TRUE", "lep"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arena *arena = arena_new(65536);
		struct account_state found;
		const char *malformed = NULL;

		assert_row(rows[i].attributes, account_state_of(build_entry(arena, "uid=alice", rows[i].attributes),
								NOW, ACCOUNT_LOCKED_UNTIL_LIFTED, &found, &malformed));
		assert_row(rows[i].attributes, found.disabled == (strchr(rows[i].expected, 'd') != NULL));
		assert_row(rows[i].attributes, found.locked == (strchr(rows[i].expected, 'l') != NULL));
		assert_row(rows[i].attributes, found.expired == (strchr(rows[i].expected, 'e') != NULL));
		assert_row(rows[i].attributes, found.password_expired == (strchr(rows[i].expected, 'p') != NULL));
		arena_free(&arena);
	}
}

static void account_state_of__malformed_values__are_told(void **state)
{
	static const struct {
		const char *attributes, *malformed;
	} rows[] = {
	    {"pwdAccountLockedTime=never", "pwdAccountLockedTime"},
	    {"pwdEndTime=tomorrow", "pwdEndTime"},
	    {"pwdEndTime=20261124060000Z; pwdEndTime=20271124060000Z", "pwdEndTime"},
	    {"pwdStartTime=20261124060000", "pwdStartTime"},
	    {"passwordExpirationTime=x", "passwordExpirationTime"},
	    {"shadowExpire=1e3", "shadowExpire"},
	    {"shadowExpire=1; shadowExpire=2", "shadowExpire"},
	    {"shadowLastChange=", "shadowLastChange"},
	    {"shadowMax=99999999999", "shadowMax"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arena *arena = arena_new(65536);
		struct account_state found;
		const char *malformed = NULL;

		assert_row(rows[i].attributes, !account_state_of(build_entry(arena, "uid=alice", rows[i].attributes),
								 NOW, ACCOUNT_LOCKED_UNTIL_LIFTED, &found, &malformed));
		assert_string_equal(malformed, rows[i].malformed);
		arena_free(&arena);
	}
}

/* Locked at 05:45, asked at 06:00: the lock of 15 minutes ends just now. */
static void account_state_of__a_lock_of_some_time__ends(void **state)
{
	static const struct {
		const char *attributes;
		int64_t lockout_s;
		bool locked, disabled;
	} rows[] = {
	    {"pwdAccountLockedTime=20261124054500Z", ACCOUNT_LOCKED_UNTIL_LIFTED, true, false},
	    {"pwdAccountLockedTime=20261124054500Z", 901, true, false},
	    {"pwdAccountLockedTime=20261124054500Z", 900, false, false},
	    {"pwdAccountLockedTime=20261124054500Z", 1, false, false},
	    {"pwdAccountLockedTime=20261124054500.999999Z", 901, true, false},
	    {"pwdAccountLockedTime=19700101000000Z", INT64_C(9999999999), true, false},
	    {"pwdAccountLockedTime=99991231235959Z", 900, true, false},
	    {"pwdAccountLockedTime=000001010000Z", 900, false, true},
	    {"pwdAccountLockedTime=20261124054500Z; pwdAccountLockedTime=20261124055900Z", 900, true, false},
	    {"uid=alice", 900, false, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arena *arena = arena_new(65536);
		struct account_state found;
		const char *malformed = NULL;

		assert_row(rows[i].attributes, account_state_of(build_entry(arena, "uid=alice", rows[i].attributes),
								NOW, rows[i].lockout_s, &found, &malformed));
		assert_row(rows[i].attributes, found.locked == rows[i].locked);
		assert_row(rows[i].attributes, found.disabled == rows[i].disabled);
		arena_free(&arena);
	}
}

static void account_lockout_of__policies__the_strictest_counts(void **state)
{
	static const struct {
		const char *policies[3];
		int64_t expected;
	} rows[] = {
	    {{NULL}, ACCOUNT_LOCKED_UNTIL_LIFTED},
	    {{"pwdLockoutDuration=900"}, 900},
	    {{"pwdLockoutDuration=900", "pwdLockoutDuration=60"}, 900},
	    {{"pwdLockoutDuration=60", "pwdLockoutDuration=900"}, 900},
	    {{"pwdLockoutDuration=2147483647"}, 2147483647},
	    {{"pwdLockoutDuration=0"}, ACCOUNT_LOCKED_UNTIL_LIFTED},
	    {{"pwdLockoutDuration=900", "pwdLockoutDuration=0"}, ACCOUNT_LOCKED_UNTIL_LIFTED},
	    {{"pwdLockoutDuration=900", "cn=hidden"}, ACCOUNT_LOCKED_UNTIL_LIFTED},
	    {{"pwdLockoutDuration=-1"}, ACCOUNT_LOCKED_UNTIL_LIFTED},
	    {{"pwdLockoutDuration=15m"}, ACCOUNT_LOCKED_UNTIL_LIFTED},
	    {{"pwdLockoutDuration=1; pwdLockoutDuration=2"}, ACCOUNT_LOCKED_UNTIL_LIFTED},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arena *arena = arena_new(65536);
		struct dir_entry *first = NULL, **end = &first;

		for (size_t k = 0; k < COUNT_OF(rows[i].policies) && rows[i].policies[k] != NULL; k++) {
			*end = build_entry(arena, "cn=policy", rows[i].policies[k]);
			end = &(*end)->next;
		}
		assert_int_equal(account_lockout_of(first), rows[i].expected);
		arena_free(&arena);
	}
}

static bool is_same(const struct account_state *a, const struct account_state *b)
{
	return a->disabled == b->disabled && a->locked == b->locked && a->expired == b->expired &&
	       a->password_expired == b->password_expired;
}

static void account_state_of__what_changes_by_itself__is_told(void **state)
{
	static const struct {
		const char *attributes;
		int64_t lockout_s, until_s;
	} rows[] = {
	    {"cn=a", 0, INT64_MAX},
	    {"pwdEndTime=20261124060001Z", 0, NOW + 1},
	    {"pwdEndTime=20261124060000Z", 0, INT64_MAX},
	    {"pwdStartTime=20261124060001Z", 0, NOW + 1},
	    {"pwdStartTime=20261124055900Z; pwdEndTime=20261124060005Z", 0, NOW + 5},
	    {"shadowExpire=20782", 0, INT64_C(20782) * 86400},
	    {"shadowExpire=20781", 0, INT64_MAX},
	    {"shadowExpire=-1", 0, INT64_MAX},
	    {"shadowExpire=9999999999", 0, INT64_C(9999999999) * 86400},
	    {"passwordExpirationTime=20261124060001Z", 0, NOW + 1},
	    {"shadowLastChange=20781; shadowMax=0", 0, INT64_C(20782) * 86400},
	    {"shadowLastChange=20780; shadowMax=0", 0, INT64_MAX},
	    {"pwdAccountLockedTime=20261124055900Z", 90, NOW + 30},
	    {"pwdAccountLockedTime=20261124055900Z", ACCOUNT_LOCKED_UNTIL_LIFTED, INT64_MAX},
	    {"pwdAccountLockedTime=20261124055900Z", 30, INT64_MAX},
	    {"pwdAccountLockedTime=20261124055900Z", 60, INT64_MAX},
	    {"pwdAccountLockedTime=20261124055900Z", 61, NOW + 1},
	    {"pwdAccountLockedTime=20261124060100Z", ACCOUNT_LOCKED_UNTIL_LIFTED, INT64_MAX},
	    {"pwdAccountLockedTime=000001010000Z", 900, INT64_MAX},
	    {"pwdAccountLockedTime=000001010000Z; pwdAccountLockedTime=20261124055900Z", 90, NOW + 30},
	    {"pwdAccountLockedTime=99991231235959Z", INT64_C(9999999999), INT64_C(253402300799) + 9999999999},
	    {"nsAccountLock=TRUE; pwdReset=TRUE", 900, INT64_MAX},
	    {"pwdStartTime=20261124060000Z", 0, INT64_MAX},
	    {"pwdStartTime=20261124060002Z; pwdEndTime=20261124060009Z", 0, NOW + 2},
	    {"pwdEndTime=20261124060003Z; passwordExpirationTime=20261124060002Z", 0, NOW + 2},
	    {"pwdEndTime=20261124060002Z; passwordExpirationTime=20261124060003Z", 0, NOW + 2},
	    {"pwdEndTime=20261124060003Z; pwdAccountLockedTime=20261124055900Z", 62, NOW + 2},
	    {"pwdEndTime=20261124060003Z; shadowExpire=20782; shadowLastChange=20781; shadowMax=0", 0, NOW + 3},
	    {"pwdEndTime=20261124055900Z; passwordExpirationTime=20261124060004Z", 0, NOW + 4},
	    {"passwordExpirationTime=20261124060000Z", 0, INT64_MAX},
	    {"passwordExpirationTime=99991231235959Z", 0, INT64_C(253402300799)},
	    {"shadowLastChange=20781", 0, INT64_MAX},
	    {"shadowMax=0", 0, INT64_MAX},
	    {"shadowLastChange=20781; shadowMax=-1", 0, INT64_MAX},
	    {"shadowLastChange=-9999999999; shadowMax=9999999999", 0, INT64_MAX},
	    {"shadowLastChange=9999999999; shadowMax=9999999999", 0, INT64_C(19999999999) * 86400},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arena *arena = arena_new(65536);
		const struct dir_entry *entry = build_entry(arena, "uid=a", rows[i].attributes);
		struct account_state before, then;
		const char *malformed = NULL;

		assert_row(rows[i].attributes, account_state_of(entry, NOW, rows[i].lockout_s, &before, &malformed));
		assert_row(rows[i].attributes, before.until_s == rows[i].until_s);
		/* It holds until then, and at that very second something is different. */
		assert_true(account_state_of(entry, before.until_s == INT64_MAX ? FAR_OFF : before.until_s - 1,
					     rows[i].lockout_s, &then, &malformed));
		assert_row(rows[i].attributes, is_same(&before, &then));
		if (before.until_s != INT64_MAX) {
			assert_true(account_state_of(entry, before.until_s, rows[i].lockout_s, &then, &malformed));
			assert_row(rows[i].attributes, !is_same(&before, &then));
		}
		arena_free(&arena);
	}
}

static uint64_t draw(uint64_t *seed, uint64_t below)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (*seed >> 33) % below;
}

#define MIDNIGHT (INT64_C(20782) * 86400)

/* "; name=" and a moment within 20 seconds of midnight, half of the time. */
static void maybe_add_time(struct text *attributes, uint64_t *seed, const char *name)
{
	uint64_t offset = draw(seed, 80);

	if (offset < 20)
		text_printf(attributes, "; %s=202611242359%02uZ", name, (unsigned)(40 + offset));
	else if (offset < 40)
		text_printf(attributes, "; %s=202611250000%02uZ", name, (unsigned)(offset - 20));
}

static void maybe_add_day(struct text *attributes, uint64_t *seed, const char *name)
{
	uint64_t offset = draw(seed, 8);

	if (offset < 4)
		text_printf(attributes, "; %s=%u", name, (unsigned)(DAY - 1 + offset));
}

static void draw_account(struct text *attributes, uint64_t *seed)
{
	text_init(attributes);
	text_printf(attributes, "uid=a");
	maybe_add_time(attributes, seed, "pwdStartTime");
	maybe_add_time(attributes, seed, "pwdEndTime");
	maybe_add_time(attributes, seed, "passwordExpirationTime");
	maybe_add_time(attributes, seed, "pwdAccountLockedTime");
	maybe_add_time(attributes, seed, "pwdAccountLockedTime");
	maybe_add_day(attributes, seed, "shadowExpire");
	maybe_add_day(attributes, seed, "shadowLastChange");
	if (draw(seed, 2) == 0)
		text_printf(attributes, "; shadowMax=%u", (unsigned)draw(seed, 2));
	assert_false(text_failed(attributes));
}

/* Second by second: nothing that was said to hold until then changes before. */
static void account_state_of__any_account__holds_until_it_said(void **state)
{
	uint64_t seed = 1;
	size_t changes = 0;

	(void)state;
	for (unsigned round = 0; round < 1000; round++) {
		struct arena *arena = arena_new(65536);
		int64_t lockout_s = (int64_t)draw(&seed, 15);
		const struct dir_entry *entry;
		struct account_state said, now;
		const char *malformed = NULL;
		struct text attributes;

		draw_account(&attributes, &seed);
		entry = build_entry(arena, "uid=a", text_string(&attributes));
		assert_true(account_state_of(entry, MIDNIGHT - 45, lockout_s, &said, &malformed));
		for (int64_t now_s = MIDNIGHT - 44; now_s < MIDNIGHT + 45; now_s++) {
			assert_true(account_state_of(entry, now_s, lockout_s, &now, &malformed));
			assert_row(text_string(&attributes), now_s >= said.until_s || is_same(&said, &now));
			changes += !is_same(&said, &now);
			if (now_s >= said.until_s)
				said = now;
			assert_row(text_string(&attributes), said.until_s > now_s);
		}
		text_done(&attributes);
		arena_free(&arena);
	}
	assert_true(changes > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(account_parse_time__valid__gives_seconds),
	    cmocka_unit_test(account_parse_time__invalid__is_refused),
	    cmocka_unit_test(account_state_of__attributes__give_the_state),
	    cmocka_unit_test(account_state_of__malformed_values__are_told),
	    cmocka_unit_test(account_state_of__a_lock_of_some_time__ends),
	    cmocka_unit_test(account_state_of__what_changes_by_itself__is_told),
	    cmocka_unit_test(account_state_of__any_account__holds_until_it_said),
	    cmocka_unit_test(account_lockout_of__policies__the_strictest_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
