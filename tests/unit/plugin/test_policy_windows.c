/* SPDX-License-Identifier: Apache-2.0 */
/* The registry of the test is a key of its own, which is put in the place of HKEY_LOCAL_MACHINE for this process. */
#include <base/memory.h>
#include <plugin/plugin_policy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/assertions.h>
#include <windows.h>

#define POLICIES L"SOFTWARE\\Policies\\wsmauthz"
#define SOFTWARE L"SOFTWARE\\wsmauthz"

static HKEY machine;

static int set_up(void **state)
{
	(void)state;
	(void)RegDeleteTreeW(HKEY_CURRENT_USER, L"wsmauthz-test");
	assert_int_equal(
	    RegCreateKeyExW(HKEY_CURRENT_USER, L"wsmauthz-test", 0, NULL, 0, KEY_ALL_ACCESS, NULL, &machine, NULL), 0);
	assert_int_equal(RegOverridePredefKey(HKEY_LOCAL_MACHINE, machine), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)RegOverridePredefKey(HKEY_LOCAL_MACHINE, NULL);
	(void)RegCloseKey(machine);
	(void)RegDeleteTreeW(HKEY_CURRENT_USER, L"wsmauthz-test");
	return 0;
}

static void set(const WCHAR *path, const WCHAR *name, DWORD type, const void *data, size_t bytes)
{
	HKEY key;

	assert_int_equal(RegCreateKeyExW(machine, path, 0, NULL, 0, KEY_SET_VALUE | KEY_WOW64_64KEY, NULL, &key, NULL),
			 0);
	assert_int_equal(RegSetValueExW(key, name, 0, type, data, (DWORD)bytes), 0);
	(void)RegCloseKey(key);
}

static void set_text(const WCHAR *path, const WCHAR *name, const WCHAR *text)
{
	set(path, name, REG_SZ, text, (wcslen(text) + 1) * sizeof(WCHAR));
}

static void expect_path(const char *application, const char *expected)
{
	struct error error = {.status = STATUS_OK};
	char *path = NULL;

	assert_status(plugin_policy_find(application, &path, &error), STATUS_OK, &error);
	assert_string_equal(path, expected);
	memory_free(path);
}

static void expect_failure(const char *application, enum status expected, const char *part)
{
	struct error error = {.status = STATUS_OK};
	char *path = NULL;

	assert_status(plugin_policy_find(application, &path, &error), expected, NULL);
	assert_null(path);
	assert_contains(error.what, part);
	assert_true(error.hint[0] != '\0');
}

static void plugin_policy_find__empty_registry__is_in_program_data(void **state)
{
	char expected[MAX_PATH];

	(void)state;
	(void)snprintf(expected, sizeof(expected), "%s\\wsmauthz\\wsmauthz.xml", getenv("ProgramData"));
	expect_path(NULL, expected);
	expect_path("wsman/app", expected);
}

static void plugin_policy_find__values__are_taken_in_the_order_that_is_told(void **state)
{
	(void)state;
	set_text(SOFTWARE, L"", L"C:\\of-all.xml");
	expect_path(NULL, "C:\\of-all.xml");
	expect_path("wsman/app", "C:\\of-all.xml");
	set_text(SOFTWARE, L"wsman/app", L"C:\\of-one.xml");
	expect_path("wsman/app", "C:\\of-one.xml");
	expect_path("wsman/other", "C:\\of-all.xml");
	set_text(POLICIES, L"wsman/other", L"C:\\by-group-policy.xml");
	expect_path("wsman/other", "C:\\by-group-policy.xml");
	expect_path("wsman/app", "C:\\of-one.xml");
	set_text(POLICIES, L"", L"C:\\by-group-policy-for-all.xml");
	expect_path("wsman/app", "C:\\by-group-policy-for-all.xml");
	expect_path("", "C:\\by-group-policy-for-all.xml");
	expect_path(NULL, "C:\\by-group-policy-for-all.xml");
	set_text(POLICIES, L"PolicyFile", L"C:\\by-template.xml");
	expect_path("wsman/app", "C:\\by-template.xml");
	expect_path("wsman/other", "C:\\by-group-policy.xml");
}

static void plugin_policy_find__expandable_and_foreign_text__are_read_in_full(void **state)
{
	char expected[MAX_PATH];
	const WCHAR expandable[] = L"%ProgramData%\\p.xml";

	(void)state;
	set(SOFTWARE, NULL, REG_EXPAND_SZ, expandable, sizeof(expandable));
	(void)snprintf(expected, sizeof(expected), "%s\\p.xml", getenv("ProgramData"));
	expect_path(NULL, expected);
	set_text(SOFTWARE,
		 L"b\x00FC"
		 L"ro",
		 L"\\\\server\\share\\Zugri\xFB00 \xD83D\xDE00.xml");
	expect_path("b\xC3\xBCro", "\\\\server\\share\\Zugri\xEF\xAC\x80 \xF0\x9F\x98\x80.xml");
	/* No terminator was written. */
	set(SOFTWARE, NULL, REG_SZ, L"C:\\p.xmlX", 8 * sizeof(WCHAR));
	expect_path(NULL, "C:\\p.xml");
}

static void plugin_policy_find__a_value_that_is_no_path__is_refused_and_not_passed_over(void **state)
{
	static const WCHAR *const bad[] = {L"p.xml", L"\\p.xml", L"C:p.xml", L"%NoSuchVariable%\\p.xml",
					   L"\\\\",  L"1:\\p"};
	const DWORD number = 5;
	WCHAR *longest = calloc(40001, sizeof(*longest));

	(void)state;
	set_text(SOFTWARE, NULL, L"C:\\good.xml");
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		set_text(POLICIES, NULL, bad[i]);
		expect_failure(NULL, STATUS_INVALID, "HKLM\\SOFTWARE\\Policies\\wsmauthz, the default value");
	}
	set_text(POLICIES, NULL, L"");
	expect_failure(NULL, STATUS_INVALID, "it is empty");
	set_text(POLICIES, NULL, L"C:\\\xD800.xml");
	expect_failure(NULL, STATUS_INVALID, "Unicode");
	set(POLICIES, NULL, REG_DWORD, &number, sizeof(number));
	expect_failure(NULL, STATUS_INVALID, "it is not a string");
	assert_non_null(longest);
	for (size_t i = 0; i < 40000; i++)
		longest[i] = L'x';
	set_text(POLICIES, L"wsman/app", longest);
	expect_failure("wsman/app", STATUS_LIMIT, "value 'wsman/app': it is longer than any path");
	free(longest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(plugin_policy_find__empty_registry__is_in_program_data, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(plugin_policy_find__values__are_taken_in_the_order_that_is_told, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(plugin_policy_find__expandable_and_foreign_text__are_read_in_full, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(plugin_policy_find__a_value_that_is_no_path__is_refused_and_not_passed_over,
					    set_up, tear_down),
	};

	return cmocka_run_group_tests_name("plugin/policy_windows", tests, NULL, NULL);
}
