/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>
#include <support/memory_failing.h>

#include <base/memory.h>
#include <config/config.h>
#include <string.h>

#define IN(parameters) "<InitializationParameters>" parameters "</InitializationParameters>"
#define OURS           "<Param Name=\"ConfigFile\" Value=\"C:\\policy.xml\"/>"

static void config_path_from_extra_info__fragments__gives_the_path_or_none(void **state)
{
	static const struct {
		const char *fragment;
		const char *path;
	} rows[] = {
	    {IN(""), NULL},
	    {"<InitializationParameters/>", NULL},
	    {IN(OURS), "C:\\policy.xml"},
	    {IN("<Param Name='PSVersion' Value='5.1'/>" OURS "<Param Name='x' Value='y'/>"), "C:\\policy.xml"},
	    {IN("<Param Value='/etc/a&amp;b.xml' Name='configfile'></Param>"), "/etc/a&b.xml"},
	    {IN("<Param name='ConfigFile' value='/etc/a.xml'/>"), "/etc/a.xml"},
	    {IN("<Param Name='Other' Value='/etc/a.xml'/><Param/>text<Unknown x='1'><Deeper/></Unknown>"), NULL},
	    {IN("<Group>" OURS "</Group>"), NULL},
	    {IN("<Other Name='ConfigFile' Value='/etc/a.xml'/>"), NULL},
	    {"<InitializationParameters "
	     "xmlns='http://schemas.microsoft.com/wbem/wsman/1/config/PluginConfiguration'>" OURS
	     "</InitializationParameters>",
	     "C:\\policy.xml"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *fragment = rows[i].fragment;
		struct error error = {.status = STATUS_OK};
		char untouched[] = "untouched";
		char *path = untouched;

		assert_status(config_path_from_extra_info(fragment, strlen(fragment), &path, &error), STATUS_OK,
			      &error);
		assert_row(fragment, (path == NULL) == (rows[i].path == NULL));
		assert_row(fragment, rows[i].path == NULL || path == NULL || strcmp(path, rows[i].path) == 0);
		memory_free(path);
	}
}

static void config_path_from_extra_info__bad_fragments__are_refused(void **state)
{
	static const struct {
		const char *fragment;
		const char *what;
	} rows[] = {
	    {"", "extraInfo"},
	    {"C:\\policy.xml", "extraInfo:1: not well-formed"},
	    {"<InitializationParameters>", "extraInfo:1: <InitializationParameters> of line 1 is not closed"},
	    {IN(OURS) IN(OURS), "extraInfo:1: not well-formed"},
	    {"<Param Name='ConfigFile' Value='x'/>", "extraInfo:1: it is not an <InitializationParameters>"},
	    {IN(OURS OURS), "extraInfo:1: the parameter ConfigFile is given twice"},
	    {IN(OURS "\n<Param Name='CONFIGFILE' Value='x'/>"), "extraInfo:2: the parameter ConfigFile is given twice"},
	    {IN("<Param Name='ConfigFile'/>"), "extraInfo:1: the parameter ConfigFile has no value"},
	    {IN("<Param Name='ConfigFile' Value=''/>"), "extraInfo:1: the parameter ConfigFile has no value"},
	    {IN(OURS "<broken"), "extraInfo:1: not well-formed"},
	    {"<!DOCTYPE InitializationParameters>" IN(OURS), "extraInfo:1: document type declarations"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *fragment = rows[i].fragment;
		struct error error = {.status = STATUS_OK};
		char *path = NULL;

		assert_row(fragment,
			   config_path_from_extra_info(fragment, strlen(fragment), &path, &error) == STATUS_INVALID);
		assert_row(fragment, path == NULL);
		if (strstr(error.what, rows[i].what) == NULL)
			print_error("got \"%s\"\n", error.what);
		assert_row(fragment, strstr(error.what, rows[i].what) != NULL);
	}
}

static void config_path_from_extra_info__each_allocation_failing__says_no_memory(void **state)
{
	static const char fragment[] = IN("<Param Name='x' Value='y'/>" OURS);
	size_t before = memory_live_count();
	enum status status = STATUS_NO_MEMORY;
	char *path = NULL;
	size_t n = 0;

	(void)state;
	while (status != STATUS_OK) {
		memory_fail_at(++n);
		status = config_path_from_extra_info(fragment, sizeof(fragment) - 1, &path, NULL);
		assert_int_equal(status == STATUS_OK, memory_fail_count() < n);
		if (status == STATUS_OK)
			break;
		assert_int_equal(status, STATUS_NO_MEMORY);
		assert_null(path);
		assert_int_equal(memory_live_count(), before);
	}
	memory_fail_at(0);
	assert_string_equal(path, "C:\\policy.xml");
	memory_free(path);
	assert_int_equal(memory_live_count(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(config_path_from_extra_info__fragments__gives_the_path_or_none),
	    cmocka_unit_test(config_path_from_extra_info__bad_fragments__are_refused),
	    cmocka_unit_test(config_path_from_extra_info__each_allocation_failing__says_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
