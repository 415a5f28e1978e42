/* SPDX-License-Identifier: Apache-2.0 */
/* The half of os/log_sink.h that writes to standard error; the other is log_sink_eventlog.c. */
#include <os/log_sink.h>

#include <stdio.h>

void log_sink_stderr(void *context, enum log_level level, const char *line)
{
	(void)context;
	(void)fprintf(stderr, "wsmauthz: %s: %s\n", log_level_word(level), line);
}
