/* SPDX-License-Identifier: Apache-2.0 */
/* Where log lines go. The sinks hold nothing and may be used from any thread. */
#ifndef WSMAUTHZ_OS_LOG_SINK_H
#define WSMAUTHZ_OS_LOG_SINK_H

#include <base/log.h>
#include <stdbool.h>

/** Standard error, "wsmauthz: warning: ...": for the CLI. `context` is not used. */
void log_sink_stderr(void *context, enum log_level level, const char *line);

/**
 * The system's log (syslog on POSIX, where journald collects it; the Event Log of Windows, where an event is written by its
 * number), warnings and above: for the plug-in.
 */
extern const struct log log_system;

/**
 * The system's security log, for audit lines, at the event's level: the journal of systemd with fields beside the line; where there is none, syslog
 * LOG_AUTHPRIV; on Windows the same as the above. May wait for the system, a moment or longer: not on a thread that decides.
 *
 * @param fields  lines of NAME=value, each with its end, for the journal alone; "": none.
 * @return false: it was not written.
 */
bool log_sink_audit(enum log_event event, const char *line, const char *fields);

#endif
