/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <directory/dir_code.h>
#include <directory/dir_search.h>
#include <stdio.h>
#include <string.h>
#include <support/memory_failing.h>

static void outcome_of_code__each_code__says_what_may_be_concluded(void **state)
{
	static const struct {
		int code;
		enum dir_outcome outcome;
	} rows[] = {
	    {0, DIR_OUTCOME_OK},
	    {1, DIR_OUTCOME_REFUSED},
	    {3, DIR_OUTCOME_LIMIT},
	    {4, DIR_OUTCOME_LIMIT},
	    {8, DIR_OUTCOME_NOT_PERMITTED},
	    {10, DIR_OUTCOME_REFERRAL},
	    {11, DIR_OUTCOME_LIMIT},
	    {12, DIR_OUTCOME_REFUSED},
	    {32, DIR_OUTCOME_NO_SUCH_OBJECT},
	    {34, DIR_OUTCOME_REFUSED},
	    {49, DIR_OUTCOME_NOT_PERMITTED},
	    {50, DIR_OUTCOME_NOT_PERMITTED},
	    {51, DIR_OUTCOME_BUSY},
	    {52, DIR_OUTCOME_BUSY},
	    {53, DIR_OUTCOME_BUSY},
	    {80, DIR_OUTCOME_BUSY},
	    {-1, DIR_OUTCOME_BAD_CONNECTION},
	    {-5, DIR_OUTCOME_TIMEOUT},
	    {-7, DIR_OUTCOME_REFUSED},
	    {-10, DIR_OUTCOME_NO_MEMORY},
	    {-99, DIR_OUTCOME_BAD_CONNECTION},
	    {4096, DIR_OUTCOME_REFUSED},
	    {0x51, DIR_OUTCOME_BAD_CONNECTION},
	    {0x55, DIR_OUTCOME_TIMEOUT},
	    {0x57, DIR_OUTCOME_REFUSED},
	    {0x5a, DIR_OUTCOME_NO_MEMORY},
	    {0x5c, DIR_OUTCOME_REFUSED},
	};
	char row[32];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(rows); i++) {
		(void)snprintf(row, sizeof(row), "%d", rows[i].code);
		assert_row(row, dir_outcome_of_code(rows[i].code) == rows[i].outcome);
	}
}

/* Whatever a server or a library invents, it is never an answer about the directory's content. */
static void outcome_of_code__any_other_code__concludes_nothing(void **state)
{
	enum dir_outcome outcome;
	int code;

	(void)state;
	for (code = -300; code < 5000; code++) {
		outcome = dir_outcome_of_code(code);
		assert_int_not_equal(outcome, DIR_OUTCOME_NONE);
		assert_true((outcome == DIR_OUTCOME_OK) == (code == 0));
		assert_true((outcome == DIR_OUTCOME_NO_SUCH_OBJECT) == (code == 32));
		assert_true(strlen(dir_code_text(code)) > 0);
	}
}

static void outcome_word__every_outcome__has_its_own(void **state)
{
	int i;
	int j;

	(void)state;
	for (i = DIR_OUTCOME_NONE; i <= (int)DIR_OUTCOME_NO_MEMORY; i++)
		for (j = DIR_OUTCOME_NONE; j < i; j++)
			assert_string_not_equal(dir_outcome_word((enum dir_outcome)i),
						dir_outcome_word((enum dir_outcome)j));
}

static void entry_attribute__names_of_any_case__are_found(void **state)
{
	struct dir_value one[] = {{"a", 1}};
	struct dir_value two[] = {{"a", 1}, {"b", 1}};
	struct dir_attribute attributes[] = {
	    {"uid", one, 1}, {"memberOf", two, 2}, {"member;range=0-1499", two, 2}, {"empty", NULL, 0}};
	const struct dir_entry entry = {.dn = "", .attributes = attributes, .attribute_count = COUNT_OF(attributes)};

	(void)state;
	assert_ptr_equal(dir_entry_attribute(&entry, "MEMBEROF"), &attributes[1]);
	assert_ptr_equal(dir_entry_single(&entry, "UID"), one);
	assert_null(dir_entry_single(&entry, "memberOf"));
	assert_null(dir_entry_single(&entry, "empty"));
	assert_null(dir_entry_attribute(&entry, "member"));
	assert_null(dir_entry_attribute(&entry, "uidNumber"));
}

static void entry_number__values__are_whole_and_fit(void **state)
{
	static const struct {
		const char *text;
		bool is_number;
		int64_t number;
	} rows[] = {
	    {"0", true, 0},
	    {"512", true, 512},
	    {"-2147483648", true, -2147483648},
	    {"9223372036854775807", true, INT64_MAX},
	    {"-9223372036854775808", true, INT64_MIN},
	    {"9223372036854775808", false, 0},
	    {"-9223372036854775809", false, 0},
	    {"99999999999999999999999", false, 0},
	    {"", false, 0},
	    {"-", false, 0},
	    {"+1", false, 0},
	    {" 1", false, 0},
	    {"1 ", false, 0},
	    {"0x1", false, 0},
	    {"--1", false, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct dir_value values[] = {{rows[i].text, strlen(rows[i].text)}, {"1", 1}};
		struct dir_attribute attribute = {"n", values, 1};
		struct dir_entry entry = {.attributes = &attribute, .attribute_count = 1};
		int64_t number = 77;
		bool there = false;

		assert_row(rows[i].text, dir_entry_number(&entry, "N", &there, &number) == rows[i].is_number && there);
		assert_row(rows[i].text, number == (rows[i].is_number ? rows[i].number : 77));
		assert_true(dir_entry_number(&entry, "m", &there, &number) && !there);
		attribute.value_count = 2;
		assert_false(dir_entry_number(&entry, "n", &there, &number));
	}
}

static void entry_has_class__classes__are_compared_without_case(void **state)
{
	struct dir_value values[] = {{"top", 3}, {"User", 4}};
	struct dir_attribute attribute = {"OBJECTCLASS", values, 2};
	struct dir_entry entry = {.attributes = &attribute, .attribute_count = 1};

	(void)state;
	assert_true(dir_entry_has_class(&entry, "user") && dir_entry_has_class(&entry, "TOP"));
	assert_false(dir_entry_has_class(&entry, "use") || dir_entry_has_class(&entry, "users"));
	entry.attribute_count = 0;
	assert_false(dir_entry_has_class(&entry, "top"));
}

static void search_plain_dn__extended_or_not__is_the_plain_one(void **state)
{
	static const struct {
		const char *dn, *plain;
	} rows[] = {
	    {"CN=a,DC=x", "CN=a,DC=x"},
	    {"<GUID=2092dd8c-1f4d-4cd5-a2b8-6a3c0ad6e8a7>;<SID=S-1-5-32-544>;CN=a", "CN=a"},
	    {"<TTL=5>,<GUID=1>;CN=a\\<b\\>\\;", "CN=a\\<b\\>\\;"},
	    {"", ""},
	    {"<", "<"},
	    {"<GUID=1>", "<GUID=1>"},
	    {"<GUID=1>CN=a", "<GUID=1>CN=a"},
	    {"<GUID=1>;", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_string_equal(dir_search_plain_dn(rows[i].dn), rows[i].plain);
}

static void search_reset__after_an_answer__keeps_the_question(void **state)
{
	struct dir_search search;
	struct error error;

	(void)state;
	assert_status(dir_search_init(&search, &error), STATUS_OK, &error);
	search.base = "dc=example";
	search.page_size = 7;
	search.outcome = DIR_OUTCOME_BUSY;
	search.code = 51;
	search.server_text = arena_copy_text(search.arena, "later");
	search.entry_count = 3;
	search.pages = 2;

	dir_search_reset(&search);

	assert_string_equal(search.base, "dc=example");
	assert_int_equal(search.page_size, 7);
	assert_int_equal(search.outcome, DIR_OUTCOME_NONE);
	assert_int_equal(search.code, 0);
	assert_null(search.server_text);
	assert_null(search.entries);
	assert_int_equal(search.entry_count + search.pages, 0);
	assert_int_equal(arena_used_bytes(search.arena), 0);
	dir_search_done(&search);
}

static void search_reset__no_memory__keeps_the_arena(void **state)
{
	struct dir_search search;
	struct error error;

	(void)state;
	assert_status(dir_search_init(&search, &error), STATUS_OK, &error);
	assert_non_null(arena_alloc(search.arena, 10));

	memory_fail_from(1);
	dir_search_reset(&search);
	memory_fail_from(0);

	assert_non_null(search.arena);
	dir_search_done(&search);
	assert_int_equal(memory_live_count(), 0);
}

static void search_init__no_memory__says_so(void **state)
{
	struct dir_search search = {.base = "untouched"};
	struct error error;

	(void)state;
	memory_fail_from(1);
	assert_status(dir_search_init(&search, &error), STATUS_NO_MEMORY, &error);
	memory_fail_from(0);

	assert_string_equal(search.base, "untouched");
	assert_int_equal(memory_live_count(), 0);
}

static void search_done__null_or_twice__is_nothing(void **state)
{
	struct dir_search search;
	struct error error;

	(void)state;
	dir_search_done(NULL);
	assert_status(dir_search_init(&search, &error), STATUS_OK, &error);
	dir_search_done(&search);
	dir_search_done(&search);
	assert_int_equal(memory_live_count(), 0);
}

static void search_failure__each_outcome__has_status_and_words(void **state)
{
	static const struct {
		const char *row;
		enum dir_outcome outcome;
		int code;
		const char *server_text;
		enum status status;
		const char *what;
		const char *hint; /* NULL: any */
	} rows[] = {
	    {"limit", DIR_OUTCOME_LIMIT, 3, "too slow", STATUS_LIMIT,
	     "search below 'dc=x' (uid=a): time limit exceeded (3): too slow", NULL},
	    {"ours", DIR_OUTCOME_LIMIT, 0, NULL, STATUS_LIMIT, "search below 'dc=x' (uid=a): limit", NULL},
	    {"none", DIR_OUTCOME_NONE, 0, NULL, STATUS_INTERNAL, "none", NULL},
	    {"missing", DIR_OUTCOME_NO_SUCH_OBJECT, 32, NULL, STATUS_NOT_FOUND, "no such object (32)", NULL},
	    {"busy", DIR_OUTCOME_BUSY, 51, NULL, STATUS_UNREACHABLE, "busy (51)", NULL},
	    {"rights", DIR_OUTCOME_NOT_PERMITTED, 50, NULL, STATUS_REFUSED, "insufficient access rights (50)",
	     "give <bind> an account that may read"},
	    {"clear", DIR_OUTCOME_NOT_PERMITTED, 13, NULL, STATUS_REFUSED, "confidentiality required (13)",
	     "whether the server wants TLS"},
	    {"referral", DIR_OUTCOME_REFERRAL, 10, NULL, STATUS_REFUSED, "referral (10)", NULL},
	    {"refused", DIR_OUTCOME_REFUSED, -7, NULL, STATUS_REFUSED, "bad search filter (-7)", NULL},
	    {"broken", DIR_OUTCOME_BAD_CONNECTION, -1, NULL, STATUS_UNREACHABLE, "connection lost (-1)", NULL},
	    {"late", DIR_OUTCOME_TIMEOUT, 0, NULL, STATUS_TIMEOUT, "timeout", NULL},
	    {"nobody", DIR_OUTCOME_UNAVAILABLE, 0, NULL, STATUS_UNREACHABLE, "unavailable", NULL},
	    {"memory", DIR_OUTCOME_NO_MEMORY, 0, NULL, STATUS_NO_MEMORY, "no-memory", NULL},
	};
	struct dir_search search = {.base = "dc=x", .filter = "(uid=a)"};
	struct error error;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(rows); i++) {
		search.outcome = rows[i].outcome;
		search.code = rows[i].code;
		search.server_text = rows[i].server_text;
		memset(&error, 0, sizeof(error));
		assert_row(rows[i].row, dir_search_failure(&search, &error) == rows[i].status);
		assert_row(rows[i].row, error.status == rows[i].status && error.native == rows[i].code);
		assert_row(rows[i].row, strstr(error.what, rows[i].what) != NULL);
		assert_row(rows[i].row, rows[i].hint == NULL || strstr(error.hint, rows[i].hint) != NULL);
	}
	search.outcome = DIR_OUTCOME_OK;
	assert_int_equal(dir_search_failure(&search, &error), STATUS_OK);
}

static void search_failure__filter_of_a_whole_batch__keeps_the_cause(void **state)
{
	char filter[5000];
	struct dir_search search = {.base = "dc=x", .filter = filter, .outcome = DIR_OUTCOME_LIMIT, .code = 4};
	struct error error;

	(void)state;
	memset(filter, 'a', sizeof(filter) - 1);
	filter[sizeof(filter) - 1] = '\0';

	(void)dir_search_failure(&search, &error);

	assert_contains(error.what, "size limit exceeded (4)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(outcome_of_code__each_code__says_what_may_be_concluded),
	    cmocka_unit_test(outcome_of_code__any_other_code__concludes_nothing),
	    cmocka_unit_test(outcome_word__every_outcome__has_its_own),
	    cmocka_unit_test(entry_attribute__names_of_any_case__are_found),
	    cmocka_unit_test(entry_number__values__are_whole_and_fit),
	    cmocka_unit_test(entry_has_class__classes__are_compared_without_case),
	    cmocka_unit_test(search_plain_dn__extended_or_not__is_the_plain_one),
	    cmocka_unit_test(search_reset__after_an_answer__keeps_the_question),
	    cmocka_unit_test(search_reset__no_memory__keeps_the_arena),
	    cmocka_unit_test(search_init__no_memory__says_so),
	    cmocka_unit_test(search_done__null_or_twice__is_nothing),
	    cmocka_unit_test(search_failure__each_outcome__has_status_and_words),
	    cmocka_unit_test(search_failure__filter_of_a_whole_batch__keeps_the_cause),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
