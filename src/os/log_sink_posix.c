/* SPDX-License-Identifier: Apache-2.0 */
#include <os/log_sink.h>

#include <base/compiler.h>
#include <base/text.h>
#include <os/journal.h>
#include <stdio.h>
#include <syslog.h>

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
static void write_system(void *context, enum log_level level, const char *line)
{
	(void)context;
	syslog(LOG_DAEMON | priority_of(level), "wsmauthz: %s: %s", log_level_word(level), line);
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
	if (!write_to_journal(FACILITY(LOG_DAEMON), event, line, ""))
		write_system(context, level, line);
}

const struct log log_system = {.level = LOG_LEVEL_WARNING, .write = write_system, .write_event = write_system_event};

bool log_sink_audit(enum log_event event, const char *line, const char *fields)
{
	if (!write_to_journal(FACILITY(LOG_AUTHPRIV), event, line, fields))
		syslog(LOG_AUTHPRIV | priority_of(log_event_level(event)), "wsmauthz: audit: %s", line);
	return true; /* syslog(3) does not say */
}
