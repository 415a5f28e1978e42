/* SPDX-License-Identifier: Apache-2.0 */
#include <base/log.h>

#include <base/ascii.h>
#include <base/compiler.h>
#include <base/utf.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CUT_MARK "..."

static const char *const level_words[] = {
    [LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_WARNING] = "warning",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug",
};

/* One code point as it may stand in a line; returns how many bytes (1 to 4). */
static size_t put_safe(uint32_t code_point, char out[4])
{
	if (code_point == UTF_INVALID)
		code_point = 0xFFFD;
	else if (utf_is_control(code_point))
		code_point = '?';
	return utf8_put(code_point, out);
}

/* Copy `raw` into a line, safely; false when not all of it had room (with some left for the mark). */
static bool copy_safe(const char *raw, char line[LOG_LINE_BYTES])
{
	const char *at = raw, *end = raw + strlen(raw);
	char safe[4];
	size_t length = 0, more;

	while (at < end) {
		more = put_safe(utf8_next(&at, end), safe);
		if (length + more >= LOG_LINE_BYTES - strlen(CUT_MARK)) {
			line[length] = '\0';
			return false;
		}
		memcpy(line + length, safe, more);
		length += more;
	}
	line[length] = '\0';
	return true;
}

/* Where a line goes. */
struct address {
	enum log_level level;
	enum log_event event; /* LOG_EVENT_NONE: it tells of none */
};

static bool is_wanted(const struct log *log, const struct address *address)
{
	if (log == NULL)
		return false;
	if (address->event != LOG_EVENT_NONE && log->write_event != NULL)
		return true;
	return log->write != NULL && address->level <= log->level;
}

static void hand_over(const struct log *log, const struct address *address, const char *line)
{
	if (address->event != LOG_EVENT_NONE && log->write_event != NULL)
		log->write_event(log->context, address->level, address->event, line);
	else
		log->write(log->context, address->level, line);
}

static void write_line(const struct log *log, struct address address, const char *format, va_list arguments)
    PRINTF_LIKE(3, 0);

static void write_line(const struct log *log, struct address address, const char *format, va_list arguments)
{
	char raw[LOG_LINE_BYTES], line[LOG_LINE_BYTES];
	int wanted;
	bool is_whole;

	if (!is_wanted(log, &address))
		return;
	wanted = vsnprintf(raw, sizeof(raw), format, arguments);
	if (wanted < 0)
		return;
	is_whole = (size_t)wanted < sizeof(raw);
	if (!is_whole)
		raw[utf8_whole_length(raw, strlen(raw))] = '\0';
	if (!copy_safe(raw, line) || !is_whole)
		memcpy(line + strlen(line), CUT_MARK, sizeof(CUT_MARK));
	hand_over(log, &address, line);
}

static void write_formatted(const struct log *log, struct address address, const char *format, ...) PRINTF_LIKE(3, 4);

static void write_formatted(const struct log *log, struct address address, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	write_line(log, address, format, arguments);
	va_end(arguments);
}

static void write_failure(const struct log *log, struct address address, const char *prefix, const struct error *error)
{
	const bool has_hint = error->hint[0] != '\0';

	write_formatted(log, address, "%s: %s%s%s%s", prefix, error->what, has_hint ? " (" : "", error->hint,
			has_hint ? ")" : "");
}

void log_error(const struct log *log, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	write_line(log, (struct address){.level = LOG_LEVEL_ERROR}, format, arguments);
	va_end(arguments);
}

void log_warning(const struct log *log, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	write_line(log, (struct address){.level = LOG_LEVEL_WARNING}, format, arguments);
	va_end(arguments);
}

void log_info(const struct log *log, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	write_line(log, (struct address){.level = LOG_LEVEL_INFO}, format, arguments);
	va_end(arguments);
}

void log_debug(const struct log *log, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	write_line(log, (struct address){.level = LOG_LEVEL_DEBUG}, format, arguments);
	va_end(arguments);
}

void log_failure(const struct log *log, enum log_level level, const char *prefix, const struct error *error)
{
	write_failure(log, (struct address){.level = level}, prefix, error);
}

enum log_level log_event_level(enum log_event event)
{
	switch (event) {
	case LOG_EVENT_OTHER_ERROR:
	case LOG_EVENT_NOT_STARTED:
	case LOG_EVENT_POLICY_REFUSED:
	case LOG_EVENT_GROUPS_UNREADABLE:
	case LOG_EVENT_UNKNOWN:
		return LOG_LEVEL_ERROR;
	case LOG_EVENT_OTHER_WARNING:
	case LOG_EVENT_DIRECTORY_LOST:
	case LOG_EVENT_WATCH_LOST:
	case LOG_EVENT_DENIED:
		return LOG_LEVEL_WARNING;
	case LOG_EVENT_NONE:
	case LOG_EVENT_OTHER_INFO:
	case LOG_EVENT_STARTED:
	case LOG_EVENT_STOPPED:
	case LOG_EVENT_POLICY_IN_FORCE:
	case LOG_EVENT_DIRECTORY_FOUND:
	case LOG_EVENT_GROUPS_READABLE:
	case LOG_EVENT_WATCH_FOUND:
	case LOG_EVENT_AUTHORIZED:
	case LOG_EVENT_AUTHORIZED_AGAIN:
	case LOG_EVENT_REDIRECTED:
		return LOG_LEVEL_INFO;
	}
	return LOG_LEVEL_INFO;
}

static struct address address_of(enum log_event event)
{
	return (struct address){.level = log_event_level(event), .event = event};
}

void log_event(const struct log *log, enum log_event event, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	write_line(log, address_of(event), format, arguments);
	va_end(arguments);
}

void log_event_failure(const struct log *log, enum log_event event, const char *prefix, const struct error *error)
{
	write_failure(log, address_of(event), prefix, error);
}

const char *log_level_word(enum log_level level)
{
	return (size_t)level < COUNT_OF(level_words) ? level_words[level] : "unknown";
}

bool log_level_parse(const char *word, enum log_level *level_out)
{
	size_t i;

	for (i = 0; i < COUNT_OF(level_words); i++) {
		if (ascii_equal_nocase(word, level_words[i])) {
			*level_out = (enum log_level)i;
			return true;
		}
	}
	return false;
}
