/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts as Active Directory shows them. */
#include <support/assertions.h>

#include <policy/account.h>
#include <string.h>
#include <support/entry_builder.h>

/* 2026-11-24T06:00:00Z */
#define NOW 1795500000

/* FILETIMEs: now, a second later, half an hour earlier. */
#define AT_NOW       "134399736000000000"
#define A_SECOND_ON  "134399736010000000"
#define HALF_AN_HOUR "134399718000000000"
#define NEVER        "9223372036854775807"

#define PLAIN        "userAccountControl=512; msDS-User-Account-Control-Computed=0; accountExpires=" NEVER "; pwdLastSet=1"
#define COMPUTED     "msDS-User-Account-Control-Computed="

static void account_ad_state_of__attributes__give_the_state(void **state)
{
	/* The expected letters: d disabled, l locked, e expired, p password expired. */
	static const struct {
		const char *attributes, *expected;
		int64_t lockout_s, until_s;
	} rows[] = {
	    {PLAIN, "", 1800, INT64_MAX},
	    {"userAccountControl=512", "", 0, INT64_MAX},
	    {"userAccountControl=514", "d", 0, INT64_MAX},
	    /* As Samba 4.17 shows a disabled user whose password must change: the computed bits stand alone. */
	    {"userAccountControl=514; " COMPUTED "8388608; pwdLastSet=0", "dp", 0, INT64_MAX},
	    {"userAccountControl=66048", "", 0, INT64_MAX},
	    {"userAccountControl=2080", "d", 0, INT64_MAX}, /* a trust's */
	    {"userAccountControl=4096; pwdLastSet=0", "", 0, INT64_MAX},
	    {"userAccountControl=-2147483136", "", 0, INT64_MAX},
	    /* locked: the computed bit counts, whatever the time and the domain's policy say */
	    {"userAccountControl=512; " COMPUTED "16", "l", 0, INT64_MAX},
	    {"userAccountControl=512; " COMPUTED "16; lockoutTime=" HALF_AN_HOUR, "l", 1801, NOW + 1},
	    {"userAccountControl=512; " COMPUTED "16; lockoutTime=" HALF_AN_HOUR, "l", 1800, INT64_MAX},
	    {"userAccountControl=512; " COMPUTED "16; lockoutTime=" HALF_AN_HOUR, "l", 0, INT64_MAX},
	    {"userAccountControl=512; " COMPUTED "0; lockoutTime=" HALF_AN_HOUR, "", 0, INT64_MAX},
	    {"userAccountControl=512; " COMPUTED "0; lockoutTime=" HALF_AN_HOUR, "", 1801, INT64_MAX},
	    {"userAccountControl=528; " COMPUTED "0", "", 0, INT64_MAX}, /* this bit of it means nothing */
	    /* without it, the time does */
	    {"userAccountControl=512; lockoutTime=0", "", 0, INT64_MAX},
	    {"userAccountControl=512; lockoutTime=" HALF_AN_HOUR, "l", 0, INT64_MAX},
	    {"userAccountControl=512; lockoutTime=" HALF_AN_HOUR, "l", 1801, NOW + 1},
	    {"userAccountControl=512; lockoutTime=" HALF_AN_HOUR, "", 1800, INT64_MAX},
	    {"userAccountControl=512; lockoutTime=" A_SECOND_ON, "l", 60, NOW + 61},
	    /* expired */
	    {"userAccountControl=512; accountExpires=0", "", 0, INT64_MAX},
	    {"userAccountControl=512; accountExpires=" NEVER, "", 0, INT64_MAX},
	    {"userAccountControl=512; accountExpires=" AT_NOW, "e", 0, INT64_MAX},
	    {"userAccountControl=512; accountExpires=" A_SECOND_ON, "", 0, NOW + 1},
	    {"userAccountControl=512; accountExpires=1", "e", 0, INT64_MAX},
	    /* the password */
	    {"userAccountControl=512; " COMPUTED "8388608", "p", 0, INT64_MAX},
	    {"userAccountControl=512; pwdLastSet=0", "p", 0, INT64_MAX},
	    {"userAccountControl=66048; pwdLastSet=0", "", 0, INT64_MAX},
	    {"userAccountControl=262656; pwdLastSet=0", "", 0, INT64_MAX},
	    {"userAccountControl=512; msDS-UserPasswordExpiryTimeComputed=" NEVER, "", 0, INT64_MAX},
	    {"userAccountControl=512; msDS-UserPasswordExpiryTimeComputed=0", "", 0, INT64_MAX},
	    {"userAccountControl=512; msDS-UserPasswordExpiryTimeComputed=" AT_NOW, "p", 0, INT64_MAX},
	    {"userAccountControl=512; msDS-UserPasswordExpiryTimeComputed=" A_SECOND_ON, "", 0, NOW + 1},
	    /* the first moment counts */
	    {"userAccountControl=512; accountExpires=134399736050000000; "
	     "msDS-UserPasswordExpiryTimeComputed=" A_SECOND_ON,
	     "", 0, NOW + 1},
	    {"userAccountControl=512; accountExpires=" A_SECOND_ON "; lockoutTime=" HALF_AN_HOUR, "l", 1900, NOW + 1},
	    /* who is not from here */
	    {"objectClass=top; objectClass=foreignSecurityPrincipal", "", 1800, INT64_MAX},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arena *arena = arena_new(65536);
		struct account_state found;
		const char *malformed = NULL;

		assert_row(rows[i].attributes, account_ad_state_of(build_entry(arena, "CN=a", rows[i].attributes), NOW,
								   rows[i].lockout_s, &found, &malformed));
		assert_row(rows[i].attributes, found.disabled == (strchr(rows[i].expected, 'd') != NULL));
		assert_row(rows[i].attributes, found.locked == (strchr(rows[i].expected, 'l') != NULL));
		assert_row(rows[i].attributes, found.expired == (strchr(rows[i].expected, 'e') != NULL));
		assert_row(rows[i].attributes, found.password_expired == (strchr(rows[i].expected, 'p') != NULL));
		assert_row(rows[i].attributes, found.until_s == rows[i].until_s);
		arena_free(&arena);
	}
}

/* Asked again at the moment that was told, the answer is another; a moment earlier it is the same. */
static void account_ad_state_of__at_the_moment_told__is_another(void **state)
{
	static const char *const rows[] = {
	    "userAccountControl=512; accountExpires=" A_SECOND_ON,
	    "userAccountControl=512; msDS-UserPasswordExpiryTimeComputed=" A_SECOND_ON,
	    "userAccountControl=512; lockoutTime=" HALF_AN_HOUR,
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arena *arena = arena_new(65536);
		const struct dir_entry *entry = build_entry(arena, "CN=a", rows[i]);
		struct account_state now, before, then;
		const char *malformed;

		assert_row(rows[i], account_ad_state_of(entry, NOW, 1900, &now, &malformed));
		assert_row(rows[i], now.until_s > NOW && now.until_s != INT64_MAX);
		assert_row(rows[i], account_ad_state_of(entry, now.until_s - 1, 1900, &before, &malformed));
		assert_row(rows[i], account_ad_state_of(entry, now.until_s, 1900, &then, &malformed));
		assert_row(rows[i], before.locked == now.locked && before.expired == now.expired &&
					before.password_expired == now.password_expired);
		assert_row(rows[i], then.locked != now.locked || then.expired != now.expired ||
					then.password_expired != now.password_expired);
		arena_free(&arena);
	}
}

static void account_ad_state_of__hidden_or_malformed__is_told(void **state)
{
	static const struct {
		const char *attributes, *malformed;
	} rows[] = {
	    {"cn=alice", "userAccountControl"},
	    {"objectClass=user; " COMPUTED "0; accountExpires=0", "userAccountControl"},
	    {"userAccountControl=x", "userAccountControl"},
	    {"userAccountControl=512; userAccountControl=514", "userAccountControl"},
	    {"userAccountControl=512; " COMPUTED "", "msDS-User-Account-Control-Computed"},
	    {"userAccountControl=512; accountExpires=never", "accountExpires"},
	    {"userAccountControl=512; accountExpires=9223372036854775808", "accountExpires"},
	    {"userAccountControl=512; lockoutTime=1; lockoutTime=2", "lockoutTime"},
	    {"userAccountControl=512; pwdLastSet=-", "pwdLastSet"},
	    {"userAccountControl=512; msDS-UserPasswordExpiryTimeComputed=1.5", "msDS-UserPasswordExpiryTimeComputed"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arena *arena = arena_new(65536);
		struct account_state found;
		const char *malformed = "";

		assert_row(rows[i].attributes, !account_ad_state_of(build_entry(arena, "CN=a", rows[i].attributes), NOW,
								    0, &found, &malformed));
		assert_string_equal(malformed, rows[i].malformed);
		arena_free(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(account_ad_state_of__attributes__give_the_state),
	    cmocka_unit_test(account_ad_state_of__at_the_moment_told__is_another),
	    cmocka_unit_test(account_ad_state_of__hidden_or_malformed__is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
