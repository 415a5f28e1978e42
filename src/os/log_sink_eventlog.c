/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The half of os/log_sink.h that writes to the Event Log: source "wsmauthz" of the log Application. Its messages are in
 * wsmauthz.dll (src/plugin/events.mc); each is "%1", the line.
 *
 * ReportEventW asks the Event Log's service, with the identity of the calling thread. A thread of the host may be impersonating
 * somebody who may not write there, so what comes on such a thread is written by one that was made for it, and which has the
 * process's own identity.
 *
 * Sources: learn.microsoft.com/windows/win32/api/winbase (RegisterEventSourceW, ReportEventW: a string has 31,839 characters at
 * most, and holds no "%n"), learn.microsoft.com/windows/win32/eventlog/event-identifiers.
 */
#include <os/log_sink.h>

#include <base/ascii.h>
#include <base/memory.h>
#include <base/utf.h>
#include <os/thread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <windows.h>

#define SOURCE       L"wsmauthz"
#define MAX_UNITS    31000
#define ESCAPE_UNITS 6 /* of \u0025 */
#define MARK         L"..."
#define MARK_UNITS   3

_Static_assert(sizeof(WCHAR) == sizeof(uint16_t), "Windows speaks UTF-16");

/* The source, opened once, for as long as the process is there: what is closed when the module goes would be a call of a
 * service from inside the loader's lock. */
static _Atomic(HANDLE) source;

static HANDLE event_source(void)
{
	HANDLE opened = atomic_load(&source), mine;

	if (opened != NULL)
		return opened;
	mine = RegisterEventSourceW(NULL, SOURCE);
	if (mine != NULL && !atomic_compare_exchange_strong(&source, &opened, mine)) {
		(void)DeregisterEventSource(mine);
		mine = opened;
	}
	return mine;
}

/* The high bits of an event's id say how grave it is; src/plugin/events.mc has the same. */
static DWORD severity_of(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR:
		return 3;
	case LOG_LEVEL_WARNING:
		return 2;
	case LOG_LEVEL_INFO:
	case LOG_LEVEL_DEBUG:
		return 1;
	}
	return 3;
}

static WORD type_of(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR:
		return EVENTLOG_ERROR_TYPE;
	case LOG_LEVEL_WARNING:
		return EVENTLOG_WARNING_TYPE;
	case LOG_LEVEL_INFO:
	case LOG_LEVEL_DEBUG:
		return EVENTLOG_INFORMATION_TYPE;
	}
	return EVENTLOG_ERROR_TYPE;
}

static bool is_reference(const WCHAR *units)
{
	return units[0] == L'%' && (units[1] == L'%' || units[1] == L'!' || (units[1] >= L'0' && units[1] <= L'9'));
}

/*
 * The viewer takes "%1" in a string for the string itself, again and again, and "%%1" for a text of the system: a percent sign
 * that could begin one is written as JSON has it in an audit record, and with a blank behind it in a line of words.
 */
static void copy_units(const WCHAR *units, const WCHAR *instead, WCHAR *out)
{
	const size_t length = wcslen(instead);
	size_t used = 0;

	for (; *units != 0 && used < MAX_UNITS; units++) {
		if (is_reference(units)) {
			memcpy(out + used, instead, length * sizeof(*out));
			used += length;
		} else {
			out[used++] = *units;
		}
	}
	if (*units != 0) { /* cut, and not between the halves of a pair */
		if (used > 0 && out[used - 1] >= 0xD800 && out[used - 1] < 0xDC00)
			used--;
		memcpy(out + used, MARK, MARK_UNITS * sizeof(*out));
		used += MARK_UNITS;
	}
	out[used] = 0;
}

/* What is to be written. */
struct record {
	enum log_event event;
	enum log_level level;
	WCHAR *units;
	bool is_written;
};

static void write_record(void *context)
{
	struct record *record = context;
	const HANDLE handle = event_source();
	const DWORD id = severity_of(record->level) << 30 | (DWORD)record->event;
	const WCHAR *strings[] = {record->units};

	record->is_written =
	    handle != NULL && ReportEventW(handle, type_of(record->level), 0, id, NULL, 1, 0, strings, NULL) != 0;
}

static bool may_be_impersonating(void)
{
	HANDLE token;

	if (OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token)) {
		(void)CloseHandle(token);
		return true;
	}
	return GetLastError() != ERROR_NO_TOKEN;
}

static void write_by_a_thread(struct record *record)
{
	struct thread thread = {.started = false};

	if (thread_start(&thread, "wsmauthz-event", write_record, record, NULL) == STATUS_OK)
		thread_join(&thread);
}

static bool report(enum log_event event, enum log_level level, const char *line, const WCHAR *instead)
{
	struct record record = {.event = event, .level = level};
	uint16_t *raw = NULL;
	size_t count = 0;

	/* Lines are UTF-8 (base/log.c, base/json.c). */
	if (utf8_to_utf16(line, strlen(line), &raw, &count) != 0)
		return false;
	if (count > MAX_UNITS)
		count = MAX_UNITS;
	record.units = memory_new_array(count * ESCAPE_UNITS + MARK_UNITS + 1, sizeof(*record.units));
	if (record.units != NULL) {
		copy_units((const WCHAR *)raw, instead, record.units);
		if (may_be_impersonating())
			write_by_a_thread(&record);
		else
			write_record(&record);
	}
	memory_free(record.units);
	memory_free(raw);
	return record.is_written;
}

static void write_event(void *context, enum log_level level, enum log_event event, const char *line)
{
	(void)context;
	(void)report(event, level, line, L"% ");
}

static void write_line(void *context, enum log_level level, const char *line)
{
	static const enum log_event events[] = {[LOG_LEVEL_ERROR] = LOG_EVENT_OTHER_ERROR,
						[LOG_LEVEL_WARNING] = LOG_EVENT_OTHER_WARNING,
						[LOG_LEVEL_INFO] = LOG_EVENT_OTHER_INFO,
						[LOG_LEVEL_DEBUG] = LOG_EVENT_OTHER_INFO};

	write_event(context, level, events[level], line);
}

const struct log log_system = {.level = LOG_LEVEL_WARNING, .write = write_line, .write_event = write_event};

bool log_sink_audit(enum log_event event, const char *line, const char *fields)
{
	(void)fields;
	return report(event, log_event_level(event), line, L"\\u0025");
}
