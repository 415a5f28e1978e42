/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <base/arena.h>
#include <base/memory.h>
#include <base/text.h>
#include <base/utf.h>
#include <identity/sender.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <support/memory_failing.h>
#include <unit/identity/mutate.h>

#define ARENA_BYTES 65536

static enum status parse(const char *name, size_t length, struct arena *arena, struct sender *sender,
			 struct error *error)
{
	memset(sender, 0, sizeof(*sender));
	memset(error, 0, sizeof(*error));
	return sender_parse(name, length, arena, sender, error);
}

static const struct {
	const char *name;
	enum sender_form form;
	const char *user, *domain;
} GOOD[] = {
    {"CORP\\alice", SENDER_DOMAIN_USER, "alice", "CORP"},
    {"corp.example\\alice", SENDER_DOMAIN_USER, "alice", "corp.example"},
    {"NT AUTHORITY\\SYSTEM", SENDER_DOMAIN_USER, "SYSTEM", "NT AUTHORITY"},
    {"CORP\\PC1$", SENDER_DOMAIN_USER, "PC1$", "CORP"},
    {"CORP\\alice smith", SENDER_DOMAIN_USER, "alice smith", "CORP"},
    {"CORP\\o'brien (ops)", SENDER_DOMAIN_USER, "o'brien (ops)", "CORP"},
    {"CORP\\first.last", SENDER_DOMAIN_USER, "first.last", "CORP"},
    {"CORP\\M\xC3\xBCller", SENDER_DOMAIN_USER, "M\xC3\xBCller", "CORP"},
    {"alice@corp.example", SENDER_UPN, "alice", "corp.example"},
    {"alice@CORP", SENDER_UPN, "alice", "CORP"},
    {"first.last+tag@corp.example", SENDER_UPN, "first.last+tag", "corp.example"},
    {"o'brien@corp.example", SENDER_UPN, "o'brien", "corp.example"},
    {"a/b=c?d*e|f{g}@corp.example", SENDER_UPN, "a/b=c?d*e|f{g}", "corp.example"},
    {"\xE5\xB1\xB1\xE7\x94\xB0@corp.example", SENDER_UPN, "\xE5\xB1\xB1\xE7\x94\xB0", "corp.example"},
    {"alice@m\xC3\xBCll.example", SENDER_UPN, "alice", "m\xC3\xBCll.example"},
    {"alice", SENDER_PLAIN, "alice", NULL},
    {"a", SENDER_PLAIN, "a", NULL},
    {"s-1", SENDER_PLAIN, "s-1", NULL},
    {"first.last+tag", SENDER_PLAIN, "first.last+tag", NULL},
    {"host/server", SENDER_PLAIN, "host/server", NULL},
    {"*", SENDER_PLAIN, "*", NULL},
    {"a(b)c", SENDER_PLAIN, "a(b)c", NULL},
    {".hidden", SENDER_PLAIN, ".hidden", NULL},
    {"\xF0\x9F\x98\x80", SENDER_PLAIN, "\xF0\x9F\x98\x80", NULL},
    {"\xEF\xBC\xA1lice", SENDER_PLAIN, "\xEF\xBC\xA1lice", NULL},
    {"\xE5\xB1\xB1\xE3\x80\x80\xE7\x94\xB0", SENDER_PLAIN, "\xE5\xB1\xB1\xE3\x80\x80\xE7\x94\xB0", NULL},
};

static void sender_parse__good_name__is_taken_apart(void **state)
{
	struct arena *arena = arena_new(ARENA_BYTES);
	struct sender sender;
	struct error error;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(GOOD); i++) {
		assert_row(GOOD[i].name,
			   parse(GOOD[i].name, strlen(GOOD[i].name), arena, &sender, &error) == STATUS_OK);
		assert_row(GOOD[i].name, sender.form == GOOD[i].form);
		assert_string_equal(sender.name, GOOD[i].name);
		assert_string_equal(sender.user, GOOD[i].user);
		assert_row(GOOD[i].name, (sender.domain == NULL) == (GOOD[i].domain == NULL));
		if (GOOD[i].domain != NULL)
			assert_string_equal(sender.domain, GOOD[i].domain);
	}
	arena_free(&arena);
}

static void sender_parse__sid__is_a_sid_and_nothing_else(void **state)
{
	struct arena *arena = arena_new(ARENA_BYTES);
	char text[SID_TEXT_BYTES];
	struct sender sender;
	struct error error;

	(void)state;
	assert_status(parse("S-1-5-21-1-2-4294967295-1104", 28, arena, &sender, &error), STATUS_OK, &error);

	assert_int_equal(sender.form, SENDER_SID);
	sid_format(&sender.sid, text);
	assert_string_equal(text, "S-1-5-21-1-2-4294967295-1104");
	assert_string_equal(sender.name, "S-1-5-21-1-2-4294967295-1104");
	assert_null(sender.user);
	assert_null(sender.domain);
	arena_free(&arena);
}

#define BYTES(literal) literal, sizeof(literal) - 1
static const struct {
	const char *name;
	size_t length;
	const char *what;
} BAD[] = {
    {BYTES(""), "is empty"},
    /* separators */
    {BYTES("CORP\\alice@corp.example"), "'\\' (byte offset 4) and '@' (byte offset 10)"},
    {BYTES("alice@CORP\\x"), "'\\' (byte offset 10) and '@' (byte offset 5)"},
    {BYTES("a\\b\\c"), "a second '\\' at byte offset 3"},
    {BYTES("a\\\\c"), "a second '\\' at byte offset 2"},
    {BYTES("\\\\server\\alice"), "a second '\\' at byte offset 1"},
    {BYTES("a@b@c"), "a second '@' at byte offset 3"},
    {BYTES("@@"), "a second '@' at byte offset 1"},
    {BYTES("DOM\\"), "the user part of the sender name is empty (byte offset 4)"},
    {BYTES("\\user"), "the domain part of the sender name is empty (byte offset 0)"},
    {BYTES("\\"), "is empty"},
    {BYTES("@x"), "the user part of the sender name is empty (byte offset 0)"},
    {BYTES("x@"), "the domain part of the sender name is empty (byte offset 2)"},
    {BYTES("@"), "is empty"},
    /* dots */
    {BYTES("."), "ends with a dot (byte offset 0)"},
    {BYTES(".\\user"), "the domain part of the sender name ends with a dot (byte offset 0)"},
    {BYTES("alice."), "ends with a dot (byte offset 5)"},
    {BYTES("CORP\\alice."), "the user part of the sender name ends with a dot (byte offset 10)"},
    {BYTES("CORP.\\alice"), "the domain part of the sender name ends with a dot (byte offset 4)"},
    {BYTES("alice@corp.example."), "ends with a dot (byte offset 18)"},
    {BYTES("alice.@corp.example"), "ends with a dot (byte offset 5)"},
    /* blanks */
    {BYTES(" "), "begins with a blank (byte offset 0)"},
    {BYTES(" alice"), "begins with a blank (byte offset 0)"},
    {BYTES("alice "), "ends with a blank (byte offset 5)"},
    {BYTES("CORP \\alice"), "the domain part of the sender name ends with a blank (byte offset 4)"},
    {BYTES("CORP\\ alice"), "the user part of the sender name begins with a blank (byte offset 5)"},
    {BYTES("alice @corp"), "ends with a blank (byte offset 5)"},
    {BYTES("alice@ corp"), "begins with a blank (byte offset 6)"},
    {BYTES("alice@corp "), "ends with a blank (byte offset 10)"},
    {BYTES("alice\xC2\xA0"), "ends with a blank (byte offset 5)"},
    {BYTES("\xE1\x9A\x80zoe"), "begins with a blank"},
    {BYTES("\xE2\x80\x80zoe"), "begins with a blank"},
    {BYTES("CORP\\alice\xE2\x80\x8A"), "ends with a blank (byte offset 10)"},
    {BYTES("alice\xE2\x80\xAF"), "ends with a blank"},
    {BYTES("alice\xE2\x81\x9F"), "ends with a blank"},
    {BYTES("\xE3\x80\x80zoe"), "begins with a blank"},
    /* control characters and what cannot be seen */
    {BYTES("al\0ice"), "a NUL (U+0000) at byte offset 2"},
    {BYTES("alice\0"), "a NUL (U+0000) at byte offset 5"},
    {BYTES("alice\t"), "a control character (U+0009) at byte offset 5"},
    {BYTES("al\r\nice"), "a control character (U+000D) at byte offset 2"},
    {BYTES("al\x1Bice"), "a control character (U+001B) at byte offset 2"},
    {BYTES("al\x7Fice"), "a control character (U+007F) at byte offset 2"},
    {BYTES("al\xC2\x80ice"), "a control character (U+0080) at byte offset 2"},
    {BYTES("al\xC2\x85ice"), "a control character (U+0085) at byte offset 2"},
    {BYTES("al\xC2\x9Fice"), "a control character (U+009F) at byte offset 2"},
    {BYTES("al\xC2\xADice"), "an invisible character (U+00AD)"},
    {BYTES("al\xE2\x80\x8Bice"), "a zero-width character (U+200B)"},
    {BYTES("al\xE2\x80\x8Dice"), "a zero-width character (U+200D)"},
    {BYTES("al\xE2\x81\xA0ice"), "a zero-width character (U+2060)"},
    {BYTES("\xEF\xBB\xBFzoe"), "a zero-width character (U+FEFF) at byte offset 0"},
    {BYTES("al\xE2\x80\x8Eice"), "a bidirectional control (U+200E)"},
    {BYTES("al\xE2\x80\x8Fice"), "a bidirectional control (U+200F)"},
    {BYTES("al\xD8\x9Cice"), "a bidirectional control (U+061C)"},
    {BYTES("al\xE2\x80\xAAice"), "a bidirectional control (U+202A)"},
    {BYTES("al\xE2\x80\xAEice"), "a bidirectional control (U+202E)"},
    {BYTES("al\xE2\x81\xA6ice"), "a bidirectional control (U+2066)"},
    {BYTES("al\xE2\x81\xA9ice"), "a bidirectional control (U+2069)"},
    {BYTES("al\xE2\x80\xA8ice"), "a line separator (U+2028)"},
    {BYTES("al\xE2\x80\xA9ice"), "a line separator (U+2029)"},
    {BYTES("al\xEF\xBF\xBDice"), "a replacement character (U+FFFD)"},
    {BYTES("al\xEF\xB7\x90ice"), "a noncharacter (U+FDD0)"},
    {BYTES("al\xEF\xBF\xBEice"), "a noncharacter (U+FFFE)"},
    {BYTES("al\xEF\xBF\xBFice"), "a noncharacter (U+FFFF)"},
    {BYTES("al\xF0\x9F\xBF\xBFice"), "a noncharacter (U+1FFFF)"},
    {BYTES("al\xF4\x8F\xBF\xBF"), "a noncharacter (U+10FFFF)"},
    {BYTES("al\xF3\xA0\x81\x81ice"), "an invisible character (U+E0041)"},
    /* not UTF-8 */
    {BYTES("al\xFF"), "not UTF-8 at byte offset 2"},
    {BYTES("al\xC3"), "not UTF-8 at byte offset 2"},
    {BYTES("al\xC0\x80"), "not UTF-8 at byte offset 2"},
    {BYTES("\xED\xA0\x80"), "not UTF-8 at byte offset 0"},
    {BYTES("M\xFCller"), "not UTF-8 at byte offset 1"},
    {BYTES("al\xF4\x90\x80\x80"), "not UTF-8 at byte offset 2"},
    /* look like a SID */
    {BYTES("S-1-"), "begins like a SID but is none"},
    {BYTES("S-1-5"), "begins like a SID but is none"},
    {BYTES("s-1-5-21-x"), "begins like a SID but is none"},
    {BYTES("S-1-5-21-1-2-3-1104 "), "begins like a SID but is none"},
    {BYTES("S-1-5-21-1-2-3-01104"), "begins like a SID but is none"},
    {BYTES("S-1-5-21-4294967296"), "begins like a SID but is none"},
    {BYTES("S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16"), "begins like a SID but is none"},
    {BYTES("S-1-5-21-1@corp.example"), "begins like a SID but is none"},
    {BYTES("S-1-5-21-1\\alice"), "begins like a SID but is none"},
    {BYTES("CORP\\S-1-5-21-1"), "the user part of the sender name begins like a SID (byte offset 5)"},
};

/* The words are part of the contract with whoever reads the audit line. */
static void sender_parse__bad_name__is_refused_with_words_and_offset(void **state)
{
	struct arena *arena = arena_new(ARENA_BYTES);
	struct sender sender;
	struct error error;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(BAD); i++) {
		assert_row(BAD[i].name, parse(BAD[i].name, BAD[i].length, arena, &sender, &error) == STATUS_INVALID);
		if (strstr(error.what, BAD[i].what) == NULL)
			fail_msg("row %zu: \"%s\" lacks \"%s\"", i, error.what, BAD[i].what);
		assert_row(BAD[i].name, sender.form == SENDER_NONE && sender.name == NULL && sender.user == NULL);
	}
	arena_free(&arena);
}

/* Where a printable character of the refused set may stand, and where not. */
static void sender_parse__punctuation__depends_on_the_form(void **state)
{
	static const char refused_everywhere[] = "\"[]:;,<>", atoms[] = "/|=+*?";
	static const char others[] = "!#$%&'()-^_`{}~.";
	struct arena *arena = arena_new(ARENA_BYTES);
	const char *set = refused_everywhere;
	struct sender sender;
	struct error error;
	char name[32];
	size_t i;
	char c;

	(void)state;
	for (i = 0; i < 3; i++) {
		set = i == 0 ? refused_everywhere : i == 1 ? atoms : others;
		for (; *set != '\0'; set++) {
			c = *set;
			(void)snprintf(name, sizeof(name), "a%cb", c);
			assert_row(name, (parse(name, 3, arena, &sender, &error) == STATUS_OK) == (i > 0));
			(void)snprintf(name, sizeof(name), "a%cb@corp", c);
			assert_row(name, (parse(name, 8, arena, &sender, &error) == STATUS_OK) == (i > 0));
			(void)snprintf(name, sizeof(name), "CORP\\a%cb", c);
			assert_row(name, (parse(name, 8, arena, &sender, &error) == STATUS_OK) == (i > 1));
			(void)snprintf(name, sizeof(name), "C%cP\\alice", c);
			assert_row(name, (parse(name, 9, arena, &sender, &error) == STATUS_OK) == (i > 1));
			(void)snprintf(name, sizeof(name), "alice@c%cp", c);
			assert_row(name, (parse(name, 9, arena, &sender, &error) == STATUS_OK) == (i > 1));
		}
	}
	arena_free(&arena);
}

/* `count` times `unit`, between `before` and `behind`. */
static enum status parse_long(const char *before, const char *unit, size_t count, const char *behind)
{
	struct arena *arena = arena_new(ARENA_BYTES);
	struct sender sender;
	struct error error;
	enum status status;
	struct text name;

	text_init(&name);
	text_add(&name, before);
	for (; count > 0; count--)
		text_add(&name, unit);
	text_add(&name, behind);
	status = parse(name.data, name.length, arena, &sender, &error);
	if (status != STATUS_OK)
		assert_contains(error.what, "is longer than");
	text_done(&name);
	arena_free(&arena);
	return status;
}

static void sender_parse__long_name__is_counted_in_utf16_units(void **state)
{
	(void)state;
	assert_int_equal(parse_long("", "a", 256, ""), STATUS_OK);
	assert_int_equal(parse_long("", "a", 257, ""), STATUS_INVALID);
	assert_int_equal(parse_long("C\\", "\xE5\xB1\xB1", 256, ""), STATUS_OK);
	assert_int_equal(parse_long("C\\", "\xE5\xB1\xB1", 257, ""), STATUS_INVALID);
	assert_int_equal(parse_long("C\\", "\xF0\x9F\x98\x80", 128, ""), STATUS_OK);
	assert_int_equal(parse_long("C\\", "\xF0\x9F\x98\x80", 129, ""), STATUS_INVALID);
	assert_int_equal(parse_long("", "D", 255, "\\u"), STATUS_OK);
	assert_int_equal(parse_long("", "D", 256, "\\u"), STATUS_INVALID);
	assert_int_equal(parse_long("u@", "d", 255, ""), STATUS_OK);
	assert_int_equal(parse_long("u@", "d", 256, ""), STATUS_INVALID);
	assert_int_equal(parse_long("", "u", 1022, "@d"), STATUS_OK);
	assert_int_equal(parse_long("", "u", 1023, "@d"), STATUS_INVALID);
	assert_int_equal(parse_long("", "\xE5\xB1\xB1", 1022, "@d"), STATUS_OK);
	assert_int_equal(parse_long("", "\xE5\xB1\xB1", 1023, "@d"), STATUS_INVALID);
	assert_int_equal(parse_long("", "\xE5\xB1\xB1", 2000, "@d"), STATUS_INVALID);
}

static void sender_parse__every_allocation_fails_once__no_memory(void **state)
{
	static const char *const names[] = {"CORP\\alice", "alice@corp.example", "S-1-5-21-1-2-3-4"};
	size_t before = memory_live_count(), i, n;
	struct sender sender;
	struct error error;
	struct arena *arena;
	enum status status;

	(void)state;
	for (i = 0; i < COUNT_OF(names); i++) {
		for (n = 1;; n++) {
			arena = arena_new(ARENA_BYTES);
			memory_fail_at(n);
			status = parse(names[i], strlen(names[i]), arena, &sender, &error);
			if (memory_fail_count() < n)
				break;
			assert_status(status, STATUS_NO_MEMORY, &error);
			assert_int_equal(sender.form, SENDER_NONE);
			arena_free(&arena);
		}
		memory_fail_at(0);
		assert_status(status, STATUS_OK, &error);
		arena_free(&arena);
		assert_int_equal(memory_live_count(), before);
	}
}

static void sender_parse__arena_is_full__no_memory(void **state)
{
	struct arena *arena = arena_new(16);
	struct sender sender;
	struct error error;

	(void)state;
	assert_status(parse("alice@corp.example", 18, arena, &sender, &error), STATUS_NO_MEMORY, &error);
	assert_int_equal(sender.form, SENDER_NONE);
	arena_free(&arena);
}

static bool is_printable_ascii(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text < ' ' || *text > '~')
			return false;
	}
	return true;
}

/* What was accepted can be put together again and is what was given. */
static void check_accepted(const char *name, size_t length, const struct sender *sender)
{
	char again[2 * MUTATE_MAX_BYTES];

	assert_true(utf8_is_valid(name, length));
	assert_int_equal(strlen(sender->name), length);
	assert_memory_equal(sender->name, name, length);
	if (sender->form == SENDER_SID)
		return;
	if (sender->form == SENDER_DOMAIN_USER)
		(void)snprintf(again, sizeof(again), "%s\\%s", sender->domain, sender->user);
	else if (sender->form == SENDER_UPN)
		(void)snprintf(again, sizeof(again), "%s@%s", sender->user, sender->domain);
	else
		(void)snprintf(again, sizeof(again), "%s", sender->user);
	assert_string_equal(again, sender->name);
	assert_null(strpbrk(sender->user, "@\\"));
	assert_true(sender->domain == NULL || strpbrk(sender->domain, "@\\*?") == NULL);
}

static void sender_parse__mutated_names__neither_crash_nor_echo(void **state)
{
	static const char *const seeds[] = {"CORP\\alice",
					    "alice@corp.example",
					    "alice",
					    "S-1-5-21-1-2-3-1104",
					    "M\xC3\xBCller@m\xC3\xBCll.example",
					    "\xE5\xB1\xB1\xE2\x80\x8B\xF0\x9F\x98\x80"};
	struct mutator mutator = {
	    .state = 20, .seeds = seeds, .seed_count = COUNT_OF(seeds), .pieces = "\\@. \xC2\xA0\xE2\x80S-1*"};
	struct arena *arena = NULL;
	size_t round, length, accepted = 0;
	struct sender sender;
	struct error error;
	char *name;

	(void)state;
	for (round = 0; round < MUTATE_ROUNDS; round++) {
		if (round % 100 == 0) {
			arena_free(&arena);
			arena = arena_new(ARENA_BYTES);
		}
		name = mutate_bytes(&mutator, &length);
		if (parse(name, length, arena, &sender, &error) == STATUS_OK) {
			check_accepted(name, length, &sender);
			accepted++;
		} else {
			assert_true(is_printable_ascii(error.what));
			assert_int_equal(sender.form, SENDER_NONE);
		}
		memory_free(name);
	}
	arena_free(&arena);
	assert_in_range(accepted, MUTATE_ROUNDS / 20, MUTATE_ROUNDS - MUTATE_ROUNDS / 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sender_parse__good_name__is_taken_apart),
	    cmocka_unit_test(sender_parse__sid__is_a_sid_and_nothing_else),
	    cmocka_unit_test(sender_parse__bad_name__is_refused_with_words_and_offset),
	    cmocka_unit_test(sender_parse__punctuation__depends_on_the_form),
	    cmocka_unit_test(sender_parse__long_name__is_counted_in_utf16_units),
	    cmocka_unit_test(sender_parse__every_allocation_fails_once__no_memory),
	    cmocka_unit_test(sender_parse__arena_is_full__no_memory),
	    cmocka_unit_test(sender_parse__mutated_names__neither_crash_nor_echo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
