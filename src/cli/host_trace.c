/* SPDX-License-Identifier: Apache-2.0 */
#include <base/json.h>
#include <cli/console.h>
#include <cli/host_system.h>
#include <cli/host_trace.h>
#include <cli/shown.h>
#include <os/clock.h>
#include <string.h>

#define NAME_COLUMNS 26

void host_trace_init(struct host_trace *trace, bool is_json, bool is_quiet)
{
	memset(trace, 0, sizeof(*trace));
	mutex_init(&trace->lock);
	trace->is_json = is_json;
	trace->is_quiet = is_quiet;
	trace->begin_us = clock_monotonic_us();
}

void host_trace_done(struct host_trace *trace)
{
	mutex_done(&trace->lock);
}

enum status host_trace_state(struct host_trace *trace, struct error *error)
{
	enum status status = STATUS_OK;

	mutex_lock(&trace->lock);
	if (trace->is_broken) {
		status = trace->error.status;
		if (error != NULL)
			*error = trace->error;
	}
	mutex_unlock(&trace->lock);
	return status;
}

static unsigned thread_number(struct host_trace *trace, uintptr_t thread) REQUIRES(trace->lock)
{
	for (unsigned i = 0; i < trace->thread_count; i++)
		if (trace->threads[i] == thread)
			return i;
	if (trace->thread_count == HOST_TRACE_MAX_THREADS)
		return HOST_TRACE_MAX_THREADS - 1;
	trace->threads[trace->thread_count] = thread;
	return trace->thread_count++;
}

static void write_json(struct text *line, const struct host_event *event, uint64_t time_us, unsigned thread)
{
	json_begin(line);
	json_number(line, "time_us", time_us);
	json_number(line, "thread", thread);
	json_text(line, "event", event->name);
	json_text(line, "sender", event->subject);
	if (event->members == NULL)
		json_text(line, "text", event->text);
	else if (event->members->length > 0)
		text_printf(line, ",%s", text_string(event->members));
	json_end(line);
	text_add_char(line, '\n');
}

static void write_text(struct text *line, const struct host_event *event, uint64_t time_us, unsigned thread)
{
	bool has_more = event->subject != NULL || event->text != NULL;

	text_printf(line, "%4llu.%06llu t%-3u %-*s", (unsigned long long)(time_us / 1000000),
		    (unsigned long long)(time_us % 1000000), thread, has_more ? NAME_COLUMNS : 0, event->name);
	if (event->subject != NULL) {
		text_add_char(line, ' ');
		shown_add(line, event->subject, strlen(event->subject));
	}
	if (event->text != NULL) {
		text_add(line, event->subject != NULL ? "  " : " ");
		shown_add(line, event->text, strlen(event->text));
	}
	text_add_char(line, '\n');
}

static enum status write_line(const struct text *line, struct error *error)
{
	if (text_failed(line))
		return error_no_memory(error);
	return console_write(text_string(line), line->length, error);
}

void host_trace_add(struct host_trace *trace, const struct host_event *event)
{
	uint64_t time_us = (event->is_at_time ? event->time_us : clock_monotonic_us()) - trace->begin_us;
	uintptr_t id = event->is_at_time ? event->thread : host_thread_id();
	struct text line;

	if (trace->is_quiet && !event->is_important)
		return;
	text_init(&line);
	mutex_lock(&trace->lock);
	if (trace->is_json)
		write_json(&line, event, time_us, thread_number(trace, id));
	else
		write_text(&line, event, time_us, thread_number(trace, id));
	if (!trace->is_broken)
		trace->is_broken = write_line(&line, &trace->error) != STATUS_OK;
	mutex_unlock(&trace->lock);
	text_done(&line);
}

void host_trace_note(struct host_trace *trace, bool is_important, const char *name, const char *subject,
		     const char *format, ...)
{
	struct text text;
	va_list arguments;

	if (trace->is_quiet && !is_important)
		return;
	text_init(&text);
	va_start(arguments, format);
	text_vprintf(&text, format, arguments);
	va_end(arguments);
	host_trace_add(trace,
		       &(struct host_event){
			   .name = name, .is_important = is_important, .subject = subject, .text = text_string(&text)});
	text_done(&text);
}
