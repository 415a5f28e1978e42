/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <base/utf.h>
#include <errno.h>
#include <string.h>

static void error_set__all_parts__clears_what_was_there(void **state)
{
	struct error error = {.origin = ERROR_ORIGIN_LDAP, .native = 49, .hint = "old"};

	(void)state;
	assert_int_equal(error_set(&error, STATUS_LIMIT, "%d of %s", 3, "groups"), STATUS_LIMIT);
	assert_int_equal(error.status, STATUS_LIMIT);
	assert_int_equal(error.origin, ERROR_ORIGIN_NONE);
	assert_int_equal(error.native, 0);
	assert_string_equal(error.what, "3 of groups");
	assert_string_equal(error.hint, "");
}

static void error_functions__null_error__return_the_status(void **state)
{
	(void)state;
	assert_int_equal(error_set(NULL, STATUS_TIMEOUT, "x"), STATUS_TIMEOUT);
	assert_int_equal(error_system(NULL, STATUS_REFUSED, EACCES, "x"), STATUS_REFUSED);
	assert_int_equal(error_no_memory(NULL), STATUS_NO_MEMORY);
	assert_int_equal(error_hint(NULL, STATUS_INVALID, "x"), STATUS_INVALID);
	error_native(NULL, ERROR_ORIGIN_SYSTEM, 1);
	error_prefix(NULL, "x");
}

static void error_set__its_own_text_as_argument__is_formatted_right(void **state)
{
	struct error error;

	(void)state;
	(void)error_set(&error, STATUS_INVALID, "inner");
	(void)error_set(&error, STATUS_INVALID, "outer(%s)", error.what);
	assert_string_equal(error.what, "outer(inner)");
}

static void error_set__too_long__is_cut_between_characters(void **state)
{
	char name[ERROR_TEXT_BYTES * 2 + 1];
	struct error error;
	size_t offset, i;

	(void)state;
	/* The euro sign has three bytes: one of three offsets falls between two of them. */
	for (offset = 0; offset < 3; offset++) {
		memset(name, 'x', sizeof(name));
		for (i = offset; i + 3 < sizeof(name); i += 3)
			memcpy(name + i, "\xE2\x82\xAC", 3);
		name[sizeof(name) - 1] = '\0';
		(void)error_set(&error, STATUS_INVALID, "%s", name);
		assert_true(strlen(error.what) > ERROR_TEXT_BYTES - 4);
		assert_true(utf8_is_valid(error.what, strlen(error.what)));
		(void)error_hint(&error, STATUS_INVALID, "%s", name);
		assert_true(utf8_is_valid(error.hint, strlen(error.hint)));
	}
}

static void error_set__fills_to_the_last_byte__is_whole(void **state)
{
	char name[ERROR_TEXT_BYTES];
	struct error error;

	(void)state;
	memset(name, 'x', sizeof(name));
	memcpy(name + sizeof(name) - 4, "\xE2\x82\xAC", 4);
	(void)error_set(&error, STATUS_INVALID, "%s", name);
	assert_string_equal(error.what, name);
}

/* In the words of each system, at the end, on the same line: POSIX, Windows, Wine. The number is 2 on all of them. */
static void assert_says_not_found(const char *what)
{
	static const char *const words[] = {": No such file or directory",
					    ": The system cannot find the file specified", ": File not found"};
	size_t i = 0;

	while (i < COUNT_OF(words) &&
	       (strlen(what) < strlen(words[i]) || strcmp(what + strlen(what) - strlen(words[i]), words[i]) != 0))
		i++;
	assert_row(what, i < COUNT_OF(words));
}

static void error_system__number__adds_the_reason(void **state)
{
	struct error error;

	(void)state;
	assert_int_equal(error_system(&error, STATUS_NOT_FOUND, ENOENT, "could not open '%s'", "/x"), STATUS_NOT_FOUND);
	assert_int_equal(strncmp(error.what, "could not open '/x': ", 21), 0);
	assert_says_not_found(error.what);
	assert_int_equal(error.origin, ERROR_ORIGIN_SYSTEM);
	assert_int_equal(error.native, ENOENT);
}

static void error_system__long_name__keeps_the_reason(void **state)
{
	char name[ERROR_TEXT_BYTES * 2];
	struct error error;

	(void)state;
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	(void)error_system(&error, STATUS_NOT_FOUND, ENOENT, "could not open '%s'", name);
	assert_says_not_found(error.what);
}

static void error_system__unknown_number__names_it(void **state)
{
	struct error error;

	(void)state;
	(void)error_system(&error, STATUS_INTERNAL, 98765, "x");
	assert_contains(error.what, "98765");
}

static void error_hint__around_error_set__keeps_both(void **state)
{
	struct error error;
	enum status status;

	(void)state;
	status = error_hint(&error, error_set(&error, STATUS_REFUSED, "what"), "chmod %o", 0640u);
	assert_int_equal(status, STATUS_REFUSED);
	assert_string_equal(error.what, "what");
	assert_string_equal(error.hint, "chmod 640");
}

static void error_native__set__keeps_the_words(void **state)
{
	struct error error;

	(void)state;
	(void)error_set(&error, STATUS_REFUSED, "what");
	error_native(&error, ERROR_ORIGIN_LDAP, 49);
	assert_int_equal(error.origin, ERROR_ORIGIN_LDAP);
	assert_int_equal(error.native, 49);
	assert_string_equal(error.what, "what");
}

static void error_prefix__twice__outermost_first(void **state)
{
	struct error error;

	(void)state;
	(void)error_set(&error, STATUS_REFUSED, "cause");
	error_prefix(&error, "while reading '%s'", "x");
	error_prefix(&error, "at start");
	assert_string_equal(error.what, "at start: while reading 'x': cause");
	assert_int_equal(error.status, STATUS_REFUSED);
}

static void error_prefix__very_long__keeps_the_cause(void **state)
{
	char name[ERROR_TEXT_BYTES * 2];
	struct error error;

	(void)state;
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	(void)error_set(&error, STATUS_REFUSED, "cause");
	error_prefix(&error, "%s", name);
	assert_contains(error.what, "x: cause");
}

static void status_word__each_status__differs(void **state)
{
	int a, b;

	(void)state;
	for (a = STATUS_OK; a <= STATUS_INTERNAL; a++) {
		assert_string_not_equal(status_word((enum status)a), "unknown");
		for (b = STATUS_OK; b < a; b++)
			assert_string_not_equal(status_word((enum status)a), status_word((enum status)b));
	}
	assert_string_equal(status_word((enum status)99), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(error_set__all_parts__clears_what_was_there),
	    cmocka_unit_test(error_functions__null_error__return_the_status),
	    cmocka_unit_test(error_set__its_own_text_as_argument__is_formatted_right),
	    cmocka_unit_test(error_set__too_long__is_cut_between_characters),
	    cmocka_unit_test(error_set__fills_to_the_last_byte__is_whole),
	    cmocka_unit_test(error_system__number__adds_the_reason),
	    cmocka_unit_test(error_system__long_name__keeps_the_reason),
	    cmocka_unit_test(error_system__unknown_number__names_it),
	    cmocka_unit_test(error_hint__around_error_set__keeps_both),
	    cmocka_unit_test(error_native__set__keeps_the_words),
	    cmocka_unit_test(error_prefix__twice__outermost_first),
	    cmocka_unit_test(error_prefix__very_long__keeps_the_cause),
	    cmocka_unit_test(status_word__each_status__differs),
	};

	return cmocka_run_group_tests_name("base/error", tests, NULL, NULL);
}
