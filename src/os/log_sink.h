/* SPDX-License-Identifier: Apache-2.0 */
/* Where log lines go. The sinks hold nothing and may be used from any thread. */
#ifndef WSMAUTHZ_OS_LOG_SINK_H
#define WSMAUTHZ_OS_LOG_SINK_H

#include <base/log.h>

/** Standard error, "wsmauthz: warning: ...": for the CLI. `context` is not used. */
void log_sink_stderr(void *context, enum log_level level, const char *line);

/** The system's log (syslog on POSIX, where journald collects it; the Event Log on Windows): for the plug-in. */
void log_sink_system(void *context, enum log_level level, const char *line);

/** The system's security log, for audit lines (syslog LOG_AUTHPRIV). `warning` for denials and errors. */
void log_sink_audit(void *context, enum log_level level, const char *line);

#endif
