/* SPDX-License-Identifier: Apache-2.0 */
#include "report_rig.h"

#include <cli/report_csv.h>
#include <cli/report_diff.h>
#include <stdlib.h>
#include <support/memory_failing.h>
#include <unistd.h>

#define ALICE "CORP\\alice,\"uid=alice,dc=x\",authorize,allow cn=ops,AMER,,\r\n"
#define BOB   "CORP\\bob,\"uid=bob,dc=x\",redirect,allow cn=ops,EMEA,https://emea:5986/wsman,\r\n"
#define CAROL "CORP\\carol,\"uid=carol,dc=x\",deny,,,,\r\n"

struct files {
	char before[32], after[32];
	struct text said;
	size_t times;
};

static void write_one(char *path, size_t room, const char *rows)
{
	int fd;

	(void)snprintf(path, room, "/tmp/wsmauthz-diff-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, REPORT_CSV_HEADER, (unsigned)strlen(REPORT_CSV_HEADER)),
			 (ssize_t)strlen(REPORT_CSV_HEADER));
	assert_int_equal(write(fd, rows, (unsigned)strlen(rows)), (ssize_t)strlen(rows));
	assert_int_equal(close(fd), 0);
}

static void begin(struct files *files, const char *before, const char *after)
{
	write_one(files->before, sizeof(files->before), before);
	write_one(files->after, sizeof(files->after), after);
	text_init(&files->said);
	files->times = 0;
}

static void end(struct files *files)
{
	assert_int_equal(unlink(files->before), 0);
	assert_int_equal(unlink(files->after), 0);
	text_done(&files->said);
}

static enum status keep(void *context, struct text *lines, struct error *error)
{
	struct files *files = context;

	(void)error;
	files->times++;
	text_add_bytes(&files->said, text_string(lines), lines->length);
	return STATUS_OK;
}

static enum status compare(struct files *files, bool is_json, struct diff_counts *counts, struct error *error)
{
	text_clear(&files->said);
	return report_diff(files->before, files->after, is_json, keep, files, counts, error);
}

static void report_diff__same__says_so(void **state)
{
	struct error error = {.status = STATUS_OK};
	struct diff_counts counts;
	struct files files;

	(void)state;
	begin(&files, ALICE BOB CAROL, BOB CAROL ALICE);
	assert_status(compare(&files, false, &counts, &error), STATUS_OK, &error);
	assert_string_equal(text_string(&files.said), "2 let in before, 2 now: 0 gained, 0 lost, 0 moved\n");
	end(&files);
}

static void report_diff__changes__are_told_one_by_one(void **state)
{
	struct error error = {.status = STATUS_OK};
	struct diff_counts counts;
	struct files files;

	(void)state;
	begin(&files, ALICE BOB CAROL,
	      "CORP\\carol,\"uid=carol,dc=x\",authorize,allow cn=ops,,,\r\n"
	      "CORP\\bob,\"uid=bob,dc=x\",redirect,allow cn=ops,APAC,https://apac:5986/wsman,\r\n");
	assert_status(compare(&files, false, &counts, &error), STATUS_OK, &error);
	assert_string_equal(
	    text_string(&files.said),
	    "gained  CORP\\carol                authorize, allow cn=ops\n"
	    "moved   CORP\\bob                  redirect, EMEA at https://emea:5986/wsman, allow cn=ops  =>  "
	    "redirect, APAC at https://apac:5986/wsman, allow cn=ops\n"
	    "lost    CORP\\alice                authorize, AMER, allow cn=ops\n"
	    "2 let in before, 2 now: 1 gained, 1 lost, 1 moved\n");
	assert_int_equal(counts.gained + counts.lost + counts.moved, 3);
	end(&files);
}

static void report_diff__json__is_an_object_a_line(void **state)
{
	struct error error = {.status = STATUS_OK};
	struct diff_counts counts;
	struct files files;

	(void)state;
	begin(&files, ALICE, "");
	assert_status(compare(&files, true, &counts, &error), STATUS_OK, &error);
	assert_string_equal(text_string(&files.said),
			    "{\"type\":\"lost\",\"sender\":\"CORP\\\\alice\",\"before\":{\"dn\":\"uid=alice,dc=x\","
			    "\"verdict\":\"authorize\",\"rule\":\"allow cn=ops\",\"site\":\"AMER\",\"target\":\"\"},"
			    "\"after\":null}\n"
			    "{\"type\":\"summary\",\"before\":1,\"after\":0,\"gained\":0,\"lost\":1,\"moved\":0}\n");
	end(&files);
}

static void report_diff__other_path_or_dn__has_not_moved(void **state)
{
	struct error error = {.status = STATUS_OK};
	struct diff_counts counts;
	struct files files;

	(void)state;
	begin(&files, ALICE, "CORP\\alice,\"uid=alice,ou=new,dc=x\",authorize,allow cn=ops,AMER,,by another way\r\n");
	assert_status(compare(&files, false, &counts, &error), STATUS_OK, &error);
	assert_int_equal(counts.moved, 0);
	end(&files);
}

static void report_diff__one_name_twice__is_refused(void **state)
{
	static const struct {
		const char *before, *after;
	} twice[] = {{ALICE ALICE, ""}, {ALICE, ALICE ALICE}, {"", BOB BOB}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(twice); i++) {
		struct error error = {.status = STATUS_OK};
		struct diff_counts counts;
		struct files files;

		begin(&files, twice[i].before, twice[i].after);
		assert_int_equal(compare(&files, false, &counts, &error), STATUS_INVALID);
		assert_non_null(strstr(error.what, "more than one row of"));
		end(&files);
	}
}

static void report_diff__no_such_file__is_told(void **state)
{
	struct error error = {.status = STATUS_OK};
	struct diff_counts counts;

	(void)state;
	assert_int_equal(report_diff("/nowhere/a", "/nowhere/b", false, keep, NULL, &counts, &error),
			 STATUS_UNREACHABLE);
	assert_non_null(strstr(error.what, "/nowhere/a"));
}

static void report_diff__nth_allocation_fails__fails_and_leaks_nothing(void **state)
{
	enum status status = STATUS_NO_MEMORY;
	struct diff_counts counts;
	struct files files;

	(void)state;
	begin(&files, ALICE BOB, BOB CAROL);
	for (size_t nth = 1; status == STATUS_NO_MEMORY; nth++) {
		const size_t before = memory_live_count();
		struct error error = {.status = STATUS_OK};

		text_done(&files.said);
		memory_fail_at(nth);
		status = compare(&files, false, &counts, &error);
		memory_fail_at(0);
		text_done(&files.said);
		assert_true(status == STATUS_OK || status == STATUS_NO_MEMORY);
		assert_int_equal(memory_live_count(), before);
		assert_true(nth < 1000);
	}
	assert_int_equal(counts.lost, 1);
	end(&files);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(report_diff__same__says_so),
	    cmocka_unit_test(report_diff__changes__are_told_one_by_one),
	    cmocka_unit_test(report_diff__json__is_an_object_a_line),
	    cmocka_unit_test(report_diff__other_path_or_dn__has_not_moved),
	    cmocka_unit_test(report_diff__one_name_twice__is_refused),
	    cmocka_unit_test(report_diff__no_such_file__is_told),
	    cmocka_unit_test(report_diff__nth_allocation_fails__fails_and_leaks_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
