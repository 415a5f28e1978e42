/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logging for administrators. One line a message, never a secret, nothing from outside unescaped:
 * log functions replace control characters and bytes that are not UTF-8 in the finished line.
 *
 * A `struct log` is handed to an object when it is made. Where the lines go is the sink's affair
 * (stderr for the CLI, syslog for the plug-in, a list in tests). Library code below the authorizer
 * returns errors and does not log above debug, except where nobody waits for the answer.
 *
 * A log that is NULL, or that has no `write`, takes nothing.
 *
 * Threads: any; the sink must allow it.
 */
#ifndef WSMAUTHZ_BASE_LOG_H
#define WSMAUTHZ_BASE_LOG_H

#include <base/compiler.h>
#include <base/error.h>
#include <base/log_event.h>
#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR = 0, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

#define LOG_LINE_BYTES 2048

struct log {
	enum log_level level; /* what is more detailed than this is dropped */
	void (*write)(void *context, enum log_level level, const char *line);
	void *context;
	/*
	 * Takes the lines that tell of an event, whatever their level: a sink that administrators search by number. NULL: `write` gets
	 * them as any other line.
	 */
	void (*write_event)(void *context, enum log_level level, enum log_event event, const char *line);
};

void log_error(const struct log *log, const char *format, ...) PRINTF_LIKE(2, 3);
void log_warning(const struct log *log, const char *format, ...) PRINTF_LIKE(2, 3);
void log_info(const struct log *log, const char *format, ...) PRINTF_LIKE(2, 3);
void log_debug(const struct log *log, const char *format, ...) PRINTF_LIKE(2, 3);

/** A line that tells of an event, at the event's own level. */
void log_event(const struct log *log, enum log_event event, const char *format, ...) PRINTF_LIKE(3, 4);

/** The level of an event. */
enum log_level log_event_level(enum log_event event);

/** An error with its hint, as log_event: "<prefix>: <what> (<hint>)". */
void log_event_failure(const struct log *log, enum log_event event, const char *prefix, const struct error *error);

/** An error with its hint: "<prefix>: <what> (<hint>)". */
void log_failure(const struct log *log, enum log_level level, const char *prefix, const struct error *error);

/** "error", "warning", "info", "debug". */
const char *log_level_word(enum log_level level);
/** The level of such a word; false when it is none. */
bool log_level_parse(const char *word, enum log_level *level_out);

#endif
