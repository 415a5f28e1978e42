/* SPDX-License-Identifier: Apache-2.0 */
#include <base/json.h>
#include <cli/console.h>
#include <cli/doctor_print.h>
#include <cli/machine.h>
#include <cli/shown.h>
#include <os/clock.h>
#include <stdio.h>
#include <string.h>

#define LEVEL_COLUMNS  9
#define ID_COLUMNS     18
#define REMEDY_COLUMNS (2 + LEVEL_COLUMNS + 2 + ID_COLUMNS + 2)
#define PROGRESS_MS    100
#define LINE_BYTES     120
#define ERASE_LINE     "\r\x1b[K"

const char *doctor_level_word(enum doctor_level level)
{
	switch (level) {
	case DOCTOR_OK:
		return "ok";
	case DOCTOR_NOT_TRIED:
		return "not-tried";
	case DOCTOR_WARNING:
		return "warning";
	case DOCTOR_ERROR:
		return "error";
	}
	return "error";
}

void doctor_print_begin(struct doctor_print *print, bool is_json)
{
	*print = (struct doctor_print){.is_json = is_json, .has_viewer = machine_has_viewer()};
}

void doctor_print_add_text(struct text *out, const struct doctor_line *line)
{
	text_printf(out, "  %-*s  %-*s  ", LEVEL_COLUMNS, doctor_level_word(line->level), ID_COLUMNS, line->id);
	if (line->subject != NULL) {
		shown_add(out, line->subject, strlen(line->subject));
		text_add(out, ": ");
	}
	shown_add(out, line->text, strlen(line->text));
	text_add_char(out, '\n');
	if (line->remedy == NULL)
		return;
	text_printf(out, "%*s-> ", REMEDY_COLUMNS, "");
	shown_add(out, line->remedy, strlen(line->remedy));
	text_add_char(out, '\n');
}

void doctor_print_add_json(struct text *out, const struct doctor_line *line)
{
	json_begin(out);
	json_text(out, "id", line->id);
	json_text(out, "group", line->group);
	json_text(out, "level", doctor_level_word(line->level));
	json_text(out, "subject", line->subject);
	json_text(out, "text", line->text);
	json_text(out, "remedy", line->remedy);
	json_end(out);
	text_add_char(out, '\n');
}

static void hide_progress(struct doctor_print *print)
{
	if (print->is_shown)
		machine_show(ERASE_LINE, strlen(ERASE_LINE));
	print->is_shown = false;
}

static void put(struct doctor_print *print, struct text *text)
{
	hide_progress(print);
	if (print->status == STATUS_OK)
		print->status = text_failed(text) ? error_no_memory(&print->error)
						  : console_write(text_string(text), text->length, &print->error);
}

void doctor_print_line(struct doctor_print *print, const struct doctor_line *line)
{
	struct text text;

	print->counts[line->level]++;
	text_init(&text);
	if (print->is_json) {
		doctor_print_add_json(&text, line);
	} else {
		if (print->group == NULL || strcmp(print->group, line->group) != 0)
			text_printf(&text, "%s%s\n", print->group == NULL ? "" : "\n", line->group);
		print->group = line->group;
		doctor_print_add_text(&text, line);
	}
	put(print, &text);
	text_done(&text);
}

void doctor_print_progress(struct doctor_print *print, const char *doing)
{
	const uint64_t now_ms = clock_monotonic_ms();
	char line[LINE_BYTES];
	int length;

	if (!print->has_viewer || (print->is_shown && now_ms < print->shown_ms + PROGRESS_MS))
		return;
	length = snprintf(line, sizeof(line), ERASE_LINE "checking: %s", doing);
	if (length > 0)
		machine_show(line, (size_t)length < sizeof(line) ? (size_t)length : sizeof(line) - 1);
	print->is_shown = true;
	print->shown_ms = now_ms;
}

static void add_count(struct text *out, size_t count, const char *one, const char *many)
{
	text_printf(out, "%s%zu %s", out->length > 1 ? ", " : "", count, count == 1 ? one : many);
}

void doctor_print_end(struct doctor_print *print)
{
	struct text text;

	text_init(&text);
	if (!print->is_json) {
		text_add_char(&text, '\n');
		add_count(&text, print->counts[DOCTOR_ERROR], "error", "errors");
		add_count(&text, print->counts[DOCTOR_WARNING], "warning", "warnings");
		add_count(&text, print->counts[DOCTOR_OK], "ok", "ok");
		if (print->counts[DOCTOR_NOT_TRIED] > 0)
			add_count(&text, print->counts[DOCTOR_NOT_TRIED], "not tried", "not tried");
		text_add_char(&text, '\n');
	}
	put(print, &text);
	text_done(&text);
}
