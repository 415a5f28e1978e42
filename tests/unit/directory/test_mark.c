/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <directory/dir_mark.h>
#include <string.h>
#include <support/entry_builder.h>

#define DC1     "dsServiceName=CN=NTDS Settings,CN=DC#1,DC=corp"
#define DC1_USN "#0#CN=NTDS%20Settings,CN=DC%231,DC=corp#usn"
#define CSN_1   "20261124100000.000000Z#000000#001#000000"
#define CSN_2   "20261124110000.000000Z#000000#002#000000"

static void mark_of__what_a_server_shows__is_one_text(void **state)
{
	static const struct {
		const char *entry;
		enum status status;
		const char *mark;
	} rows[] = {
	    {"objectClass=top", STATUS_NOT_FOUND, ""},
	    {"contextCSN=" CSN_2 "; contextCSN=" CSN_1, STATUS_OK, CSN_1 " " CSN_2},
	    {"contextCSN=yesterday", STATUS_INVALID, ""},
	    {"highestCommittedUSN=4711; " DC1, STATUS_OK, "00000000000000004711" DC1_USN},
	    {"highestCommittedUSN=18446744073709551615; " DC1, STATUS_OK, "18446744073709551615" DC1_USN},
	    {"highestCommittedUSN=18446744073709551616; " DC1, STATUS_INVALID, ""},
	    {"highestCommittedUSN=-1; " DC1, STATUS_INVALID, ""},
	    {"highestCommittedUSN=47 11; " DC1, STATUS_INVALID, ""},
	    {"highestCommittedUSN=4711", STATUS_INVALID, ""}, /* of whom? */
	};
	struct arena *arena = arena_new(65536);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct text mark;

		text_init(&mark);
		assert_row(rows[i].entry, dir_mark_of(build_entry(arena, "", rows[i].entry), &mark) == rows[i].status);
		if (rows[i].status == STATUS_OK)
			assert_string_equal(text_string(&mark), rows[i].mark);
		text_done(&mark);
	}
	arena_free(&arena);
}

static void mark_usn__marks_of_all_kinds__is_that_of_a_controller_only(void **state)
{
	static const struct {
		const char *mark;
		bool is_usn;
		uint64_t usn;
	} rows[] = {
	    {"00000000000000004711" DC1_USN, true, 4711},
	    {"18446744073709551615" DC1_USN, true, UINT64_MAX},
	    {"0000000000000000471x" DC1_USN, false, 0},
	    {CSN_1, false, 0},
	    {CSN_1 " " CSN_2, false, 0},
	    {"", false, 0},
	    {"4711#0#DC1#usn", false, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		uint64_t usn = 0;

		assert_row(rows[i].mark, dir_mark_usn(rows[i].mark, &usn) == rows[i].is_usn && usn == rows[i].usn);
	}
}

static void mark_is_of_other__two_marks__two_controllers_are_others(void **state)
{
#define USN(number, name) "000000000000000000" number "#0#" name "#usn"
#define CSN               "20260101000000.000001Z#000000#000#000000"
	static const struct {
		int line;
		const char *one, *other;
		bool is_other;
	} rows[] = {
	    {__LINE__, USN("17", "CN=DC1"), USN("17", "CN=DC2"), true},
	    {__LINE__, USN("17", "CN=DC1"), USN("18", "CN=DC1"), false},
	    {__LINE__, USN("17", "CN=DC1"), USN("18", "CN=DC10"), true},
	    {__LINE__, USN("17", "CN=DC1"), CSN, false},
	    {__LINE__, CSN, USN("17", "CN=DC1"), false},
	    {__LINE__, CSN, CSN, false},
	    {__LINE__, "", USN("17", "CN=DC1"), false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_row(rows[i].one, dir_mark_is_of_other(rows[i].one, rows[i].other) == rows[i].is_other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(mark_of__what_a_server_shows__is_one_text),
	    cmocka_unit_test(mark_usn__marks_of_all_kinds__is_that_of_a_controller_only),
	    cmocka_unit_test(mark_is_of_other__two_marks__two_controllers_are_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
