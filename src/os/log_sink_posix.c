/* SPDX-License-Identifier: Apache-2.0 */
#include <os/log_sink.h>

#include <base/compiler.h>
#include <base/text.h>
#include <os/clock.h>
#include <os/journal.h>
#include <os/log_limit.h>
#include <stdio.h>
#include <syslog.h>

/* What is said of lines that were left out. */
#define LEFT_OUT_BYTES 64
/* The facility's number alone. */
#define FACILITY(shifted) ((unsigned)(shifted) >> 3)

static int priority_of(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR:
		return LOG_ERR;
	case LOG_LEVEL_WARNING:
		return LOG_WARNING;
	case LOG_LEVEL_INFO:
		return LOG_INFO;
	case LOG_LEVEL_DEBUG:
		return LOG_DEBUG;
	}
	return LOG_ERR;
}

void log_sink_stderr(void *context, enum log_level level, const char *line)
{
	(void)context;
	(void)fprintf(stderr, "wsmauthz: %s: %s\n", log_level_word(level), line);
}

/*
 * No openlog(): the name and options that it sets belong to the whole process, which is our host's.
 * So our name stands in the line.
 */
static void write_to_syslog(enum log_level level, const char *line)
{
	syslog(LOG_DAEMON | priority_of(level), "wsmauthz: %s: %s", log_level_word(level), line);
}

/* The line as it is to be written, in `room` where it is another one; NULL: not at all. */
static const char *limited(const char *line, char room[LOG_LINE_BYTES + LEFT_OUT_BYTES])
{
	uint64_t left_out = 0;

	if (!log_limit_pass(line, clock_monotonic_ms(), &left_out))
		return NULL;
	if (left_out == 0)
		return line;
	(void)snprintf(room, LOG_LINE_BYTES + LEFT_OUT_BYTES, "%s (said %llu times more, left out here)", line,
		       (unsigned long long)left_out);
	return room;
}

static void write_system(void *context, enum log_level level, const char *line)
{
	char room[LOG_LINE_BYTES + LEFT_OUT_BYTES];
	const char *written = limited(line, room);

	(void)context;
	if (written != NULL)
		write_to_syslog(level, written);
}

static bool write_to_journal(unsigned facility, enum log_event event, const char *message, const char *fields)
{
	struct text entry;
	bool is_sent;

	text_init(&entry);
	text_printf(&entry,
		    "MESSAGE=%s\nPRIORITY=%d\nSYSLOG_FACILITY=%u\nSYSLOG_IDENTIFIER=wsmauthz\n"
		    "WSMAUTHZ_EVENT=%d\n%s",
		    message, priority_of(log_event_level(event)), facility, (int)event, fields);
	is_sent = !text_failed(&entry) && journal_send(JOURNAL_SOCKET, text_string(&entry), entry.length);
	text_done(&entry);
	return is_sent;
}

static void write_system_event(void *context, enum log_level level, enum log_event event, const char *line)
{
	char room[LOG_LINE_BYTES + LEFT_OUT_BYTES];
	const char *written = limited(line, room);

	(void)context;
	if (written != NULL && !write_to_journal(FACILITY(LOG_DAEMON), event, written, ""))
		write_to_syslog(level, written);
}

const struct log log_system = {.level = LOG_LEVEL_WARNING, .write = write_system, .write_event = write_system_event};

bool log_sink_audit(enum log_event event, const char *line, const char *fields)
{
	if (!write_to_journal(FACILITY(LOG_AUTHPRIV), event, line, fields))
		syslog(LOG_AUTHPRIV | priority_of(log_event_level(event)), "wsmauthz: audit: %s", line);
	return true; /* syslog(3) does not say */
}
