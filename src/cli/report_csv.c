/* SPDX-License-Identifier: Apache-2.0 */
#include <base/utf.h>
#include <cli/report_csv.h>
#include <string.h>

#define REPLACEMENT 0xFFFDU

/* What a spreadsheet may read as the beginning of a formula, or what an apostrophe of ours would be mistaken for. */
static bool is_neutralised(uint32_t first)
{
	switch (first) {
	case '=':
	case '+':
	case '-':
	case '@':
	case '\t':
	case '\r':
	case '\n':
	case '\'':
	case 0xFF1D: /* the wide forms of = + - @ */
	case 0xFF0B:
	case 0xFF0D:
	case 0xFF20:
		return true;
	default:
		return false;
	}
}

static void add_text(struct text *out, const char *value, bool is_quoted)
{
	const char *at = value, *end = value + strlen(value);

	while (at < end) {
		uint32_t code_point = utf8_next(&at, end);
		char bytes[4];

		if (code_point == UTF_INVALID)
			code_point = REPLACEMENT;
		if (code_point == '"' && is_quoted)
			text_add_char(out, '"');
		text_add_bytes(out, bytes, utf8_put(code_point, bytes));
	}
}

void report_csv_add_field(struct text *out, const char *value)
{
	const char *at = value, *end = value + strlen(value);
	const bool is_quoted = strpbrk(value, ",\"\r\n") != NULL;

	if (is_quoted)
		text_add_char(out, '"');
	if (at < end && is_neutralised(utf8_next(&at, end)))
		text_add_char(out, '\'');
	add_text(out, value, is_quoted);
	if (is_quoted)
		text_add_char(out, '"');
}

/* A path is one field; it has no other text than DNs, of which none begins like a formula. */
static void add_path(struct text *out, const struct report_row *row)
{
	struct text path;

	text_init(&path);
	for (size_t i = 0; i < row->path_count; i++) {
		text_add(&path, i == 0 ? "" : " -> ");
		text_add(&path, row->path[i]);
	}
	if (text_failed(&path))
		out->failed = true;
	report_csv_add_field(out, text_string(&path));
	text_done(&path);
}

void report_csv_add_row(struct text *out, const struct report_row *row)
{
	const char *fields[] = {row->sender, row->dn, wa_verdict_word(row->verdict), row->rule, row->site, row->target};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		report_csv_add_field(out, fields[i]);
		text_add_char(out, ',');
	}
	add_path(out, row);
	text_add(out, "\r\n");
}
