/* SPDX-License-Identifier: Apache-2.0 */
#include <cli/doctor_check.h>
#include <stdarg.h>
#include <stdio.h>

static void tell(struct doctor *doctor, enum doctor_level level, const char *subject, const char *remedy,
		 const char *text)
{
	const struct doctor_line line = {.id = doctor->check->id,
					 .group = doctor->check->group,
					 .level = level,
					 .subject = subject,
					 .text = text,
					 .remedy = remedy};

	doctor_print_line(&doctor->print, &line);
}

void doctor_tell(struct doctor *doctor, enum doctor_level level, const char *subject, const char *remedy,
		 const char *format, ...)
{
	struct text text;
	va_list arguments;

	text_init(&text);
	va_start(arguments, format);
	text_vprintf(&text, format, arguments);
	va_end(arguments);
	tell(doctor, level, subject, remedy, text_failed(&text) ? "out of memory" : text_string(&text));
	text_done(&text);
}

void doctor_tell_error(struct doctor *doctor, enum doctor_level level, const char *subject, const struct error *error,
		       const char *remedy)
{
	tell(doctor, level, subject, error->hint[0] != '\0' ? error->hint : remedy, error->what);
}

const char *doctor_text(struct doctor *doctor, const char *format, ...)
{
	const char *copy = NULL;
	struct text text;
	va_list arguments;

	text_init(&text);
	va_start(arguments, format);
	text_vprintf(&text, format, arguments);
	va_end(arguments);
	if (!text_failed(&text))
		copy = arena_copy_text(doctor->arena, text_string(&text));
	text_done(&text);
	return copy != NULL ? copy : "out of memory";
}

void doctor_reach(struct doctor *doctor, enum doctor_stage stage)
{
	if (stage > doctor->stage)
		doctor->stage = stage;
}

void doctor_block(struct doctor *doctor, const char *format, ...)
{
	va_list arguments;

	if (doctor->blocked[0] != '\0')
		return;
	va_start(arguments, format);
	(void)vsnprintf(doctor->blocked, sizeof(doctor->blocked), format, arguments);
	va_end(arguments);
}
