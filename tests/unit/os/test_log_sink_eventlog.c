/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is handed to the Event Log: the pointers by which the system's functions are called are ours here, so that each record
 * is seen. (Wine keeps none.)
 */
#include <base/log.h>
#include <os/log_sink.h>
#include <string.h>
#include <support/assertions.h>
#include <wchar.h>
#include <windows.h>

#define MAX_SEEN 40000

static struct {
	unsigned registered, reported;
	DWORD thread, id;
	WORD type, strings;
	bool was_impersonating, refuse;
	WCHAR text[MAX_SEEN];
} seen;

static HANDLE WINAPI register_source(const WCHAR *server, const WCHAR *source)
{
	assert_null(server);
	assert_int_equal(wcscmp(source, L"wsmauthz"), 0);
	seen.registered++;
	return (HANDLE)&seen;
}

static BOOL WINAPI report(HANDLE source, WORD type, WORD category, DWORD id, PSID user, WORD strings, DWORD bytes,
			  const WCHAR **texts, void *data)
{
	HANDLE token;

	assert_ptr_equal(source, &seen);
	assert_int_equal(category, 0);
	assert_null(user);
	assert_int_equal(bytes, 0);
	assert_null(data);
	seen.reported++;
	seen.thread = GetCurrentThreadId();
	seen.type = type;
	seen.id = id;
	seen.strings = strings;
	assert_true(wcslen(texts[0]) < MAX_SEEN);
	wcscpy(seen.text, texts[0]);
	seen.was_impersonating = OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token);
	if (seen.was_impersonating)
		(void)CloseHandle(token);
	return !seen.refuse;
}

/* What a call of the functions of advapi32.dll goes through. */
extern HANDLE(WINAPI *const __imp_RegisterEventSourceW)(const WCHAR *, const WCHAR *);
extern BOOL(WINAPI *const __imp_ReportEventW)(HANDLE, WORD, WORD, DWORD, PSID, WORD, DWORD, const WCHAR **, void *);
HANDLE(WINAPI *const __imp_RegisterEventSourceW)(const WCHAR *, const WCHAR *) = register_source;
BOOL(WINAPI *const __imp_ReportEventW)
(HANDLE, WORD, WORD, DWORD, PSID, WORD, DWORD, const WCHAR **, void *) = report;

static void log_system__lines_and_events__have_their_numbers_and_types(void **state)
{
	(void)state;
	log_error(&log_system, "e");
	assert_int_equal(seen.id, 0xC0000001);
	assert_int_equal(seen.type, EVENTLOG_ERROR_TYPE);
	assert_int_equal(seen.strings, 1);
	log_warning(&log_system, "w");
	assert_int_equal(seen.id, 0x80000002);
	assert_int_equal(seen.type, EVENTLOG_WARNING_TYPE);
	log_info(&log_system, "not wanted");
	assert_int_equal(seen.reported, 2);
	log_event(&log_system, LOG_EVENT_POLICY_IN_FORCE, "in %s", "force");
	assert_int_equal(seen.id, 0x40000000 | LOG_EVENT_POLICY_IN_FORCE);
	assert_int_equal(seen.type, EVENTLOG_INFORMATION_TYPE);
	assert_int_equal(wcscmp(seen.text, L"in force"), 0);
	assert_true(log_sink_audit(LOG_EVENT_DENIED, "{\"verdict\":\"deny\"}", ""));
	assert_int_equal(seen.id, 0x80000000 | LOG_EVENT_DENIED);
	assert_int_equal(wcscmp(seen.text, L"{\"verdict\":\"deny\"}"), 0);
	assert_int_equal(seen.registered, 1);
}

/* A viewer would take "%1" for the line, and "%%5" for a text of the system. */
static void log_system__percent_signs_from_outside__begin_nothing(void **state)
{
	(void)state;
	log_error(&log_system, "%s", "100% of %1 %%2 %!s! %41 \xC3\xA4\xF0\x9F\x98\x80%");
	assert_int_equal(wcscmp(seen.text, L"100% of % 1 % % 2 % !s! % 41 \x00E4\xD83D\xDE00%"), 0);
	assert_true(log_sink_audit(LOG_EVENT_DENIED, "{\"sender\":\"CORP\\\\%1%\"}", ""));
	assert_int_equal(wcscmp(seen.text, L"{\"sender\":\"CORP\\\\\\u00251%\"}"), 0);
	log_error(&log_system, "a\r\nb%s", "\nc");
	assert_int_equal(wcscmp(seen.text, L"a??b?c"), 0);
}

static void log_sink_audit__too_long_for_the_log__is_cut_and_marked(void **state)
{
	static char line[200001];
	size_t length;

	(void)state;
	for (size_t i = 0; i + 4 < sizeof(line); i += 4)
		memcpy(line + i, "\xF0\x9F\x98\x80", 4);
	assert_true(log_sink_audit(LOG_EVENT_UNKNOWN, line, ""));
	length = wcslen(seen.text);
	assert_true(length > 30000 && length < 31839);
	assert_int_equal(wcscmp(seen.text + length - 3, L"..."), 0);
	assert_in_range(seen.text[length - 4], 0xDC00, 0xDFFF);
	memset(line, '%', sizeof(line) - 1);
	assert_true(log_sink_audit(LOG_EVENT_UNKNOWN, line, ""));
	assert_true(wcslen(seen.text) < 31839);
}

static void log_sink_audit__what_the_log_refuses__is_told(void **state)
{
	(void)state;
	seen.refuse = true;
	assert_false(log_sink_audit(LOG_EVENT_DENIED, "{}", ""));
	seen.refuse = false;
	assert_false(log_sink_audit(LOG_EVENT_DENIED, "\xFF", ""));
}

static void log_system__a_thread_that_impersonates__asks_nothing_itself(void **state)
{
	(void)state;
	log_error(&log_system, "own");
	assert_int_equal(seen.thread, GetCurrentThreadId());
	assert_true(ImpersonateSelf(SecurityImpersonation));
	log_error(&log_system, "impersonating");
	assert_int_equal(wcscmp(seen.text, L"impersonating"), 0);
	assert_int_not_equal(seen.thread, GetCurrentThreadId());
	assert_false(seen.was_impersonating);
	assert_true(log_sink_audit(LOG_EVENT_DENIED, "{}", ""));
	assert_int_not_equal(seen.thread, GetCurrentThreadId());
	/* Nothing was changed for the thread. */
	report((HANDLE)&seen, 0, 0, 0, NULL, 1, 0, (const WCHAR *[]){L""}, NULL);
	assert_true(seen.was_impersonating);
	assert_true(RevertToSelf());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(log_system__lines_and_events__have_their_numbers_and_types),
	    cmocka_unit_test(log_system__percent_signs_from_outside__begin_nothing),
	    cmocka_unit_test(log_sink_audit__too_long_for_the_log__is_cut_and_marked),
	    cmocka_unit_test(log_sink_audit__what_the_log_refuses__is_told),
	    cmocka_unit_test(log_system__a_thread_that_impersonates__asks_nothing_itself),
	};

	return cmocka_run_group_tests_name("os/log_sink_eventlog", tests, NULL, NULL);
}
