/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <fcntl.h>
#include <os/log_sink.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What `write` puts on standard error, into `out`. */
static void capture_stderr(void (*write_lines)(const struct log *log), char *out, size_t size)
{
	const struct log log = {.level = LOG_LEVEL_DEBUG, .write = log_sink_stderr};
	const int saved = dup(STDERR_FILENO);
	FILE *file = tmpfile();
	size_t length;

	assert_non_null(file);
	assert_true(saved >= 0);
	assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
	write_lines(&log);
	(void)fflush(stderr);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	(void)close(saved);
	assert_int_equal(fseek(file, 0, SEEK_SET), 0);
	length = fread(out, 1, size - 1, file);
	out[length] = '\0';
	(void)fclose(file);
}

static void write_each_level(const struct log *log)
{
	log_error(log, "one");
	log_warning(log, "two %%s");
	log_info(log, "%s", "three\nfour");
	log_debug(log, "five");
}

static void log_sink_stderr__each_level__is_a_line_with_its_word(void **state)
{
	char captured[1000];

	(void)state;
	capture_stderr(write_each_level, captured, sizeof(captured));
	assert_string_equal(captured, "wsmauthz: error: one\n"
				      "wsmauthz: warning: two %s\n"
				      "wsmauthz: info: three?four\n"
				      "wsmauthz: debug: five\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(log_sink_stderr__each_level__is_a_line_with_its_word),
	};

	return cmocka_run_group_tests_name("os/log_sink", tests, NULL, NULL);
}
