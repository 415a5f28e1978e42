/* SPDX-License-Identifier: Apache-2.0 */
#include <base/json.h>
#include <cli/report_print.h>
#include <cli/shown.h>
#include <string.h>

#define SENDER_COLUMNS  24
#define VERDICT_COLUMNS 9
#define SITE_COLUMNS    12
#define TITLE_COLUMNS   60
/* Names of a finding that a line shows. */
#define NAMED 3

static void add_column(struct text *out, const char *value, size_t length, size_t columns)
{
	size_t used = shown_columns(value, length);

	shown_add(out, value, length);
	for (; used < columns; used++)
		text_add_char(out, ' ');
	text_add(out, "  ");
}

static void add_cell(struct text *out, const char *value, size_t columns)
{
	add_column(out, value, strlen(value), columns);
}

void report_print_heading(struct text *out)
{
	add_cell(out, "SENDER", SENDER_COLUMNS);
	add_cell(out, "VERDICT", VERDICT_COLUMNS);
	add_cell(out, "SITE", SITE_COLUMNS);
	text_add(out, "WHERE TO, AND WHY\n");
}

static void add_path(struct text *out, const struct report_row *row)
{
	for (size_t i = 0; i < row->path_count; i++) {
		text_add(out, i == 0 ? "via " : " -> ");
		shown_add(out, row->path[i], shown_first_part(row->path[i]));
	}
}

/* A site by a group or an OU has a DN: its first part says enough. */
static size_t site_length(const struct report_row *row)
{
	return strchr(row->site, '=') != NULL ? shown_first_part(row->site) : strlen(row->site);
}

void report_print_row(struct text *out, const struct report_row *row)
{
	add_cell(out, row->sender[0] != '\0' ? row->sender : row->dn, SENDER_COLUMNS);
	add_cell(out, wa_verdict_word(row->verdict), VERDICT_COLUMNS);
	add_column(out, row->site, site_length(row), SITE_COLUMNS);
	if (row->target[0] != '\0') {
		text_add(out, "to ");
		shown_add(out, row->target, strlen(row->target));
		text_add(out, "  ");
	}
	if (!report_row_is_in(row))
		text_printf(out, "%s  ", wa_reason_word(row->reason));
	add_path(out, row);
	while (out->length > 0 && out->data[out->length - 1] == ' ')
		out->data[--out->length] = '\0';
	text_add_char(out, '\n');
}

static void add_finding(struct text *out, const struct finding *finding, enum finding_kind kind)
{
	text_printf(out, "  %-7s  %8llu  %s\n", finding_is_wrong(kind) ? "warning" : "note",
		    (unsigned long long)finding->count, finding_title(kind));
	text_printf(out, "                     ");
	for (size_t i = 0; i < finding->sample_count && i < NAMED; i++) {
		const struct finding_sample *sample = &finding->samples[i];

		text_add(out, i > 0 ? ", " : "");
		shown_add(out, sample->name, strlen(sample->name));
		if (sample->what[0] == '\0')
			continue;
		text_add(out, " (");
		shown_add(out, sample->what, strlen(sample->what));
		text_add_char(out, ')');
	}
	text_add(out, finding->count > NAMED ? ", ...\n" : "\n");
}

static void add_findings(struct text *out, const struct tally *tally)
{
	bool has_any = false;

	for (enum finding_kind kind = 0; kind < FINDING_COUNT; kind++) {
		if (tally->findings[kind].count == 0)
			continue;
		if (!has_any)
			text_add(out, "\nto be looked at\n");
		has_any = true;
		add_finding(out, &tally->findings[kind], kind);
	}
}

static void add_places(struct text *out, const struct tally *tally)
{
	const size_t count = tally->config->redirect.site_count + REPORT_AT_MORE;

	if (!tally->config->redirect.present)
		return;
	text_add(out, "\nby site                          here  redirected  not let in\n");
	for (size_t i = 0; i < count; i++) {
		const uint64_t *at = tally->places[i], kept_out = at[WA_DENY] + at[WA_ERROR];
		const char *name = tally_place_name(tally, i);
		const size_t length = i < tally->config->redirect.site_count && strchr(name, '=') != NULL
					  ? shown_first_part(name)
					  : strlen(name);

		if (at[WA_AUTHORIZE] + at[WA_REDIRECT] + kept_out == 0)
			continue;
		text_add(out, "  ");
		add_column(out, name, length, SENDER_COLUMNS);
		text_printf(out, "%8llu  %10llu  %10llu\n", (unsigned long long)at[WA_AUTHORIZE],
			    (unsigned long long)at[WA_REDIRECT], (unsigned long long)kept_out);
	}
}

void report_print_summary(struct text *out, const struct tally *tally, uint64_t took_ms)
{
	text_printf(out, "%llu %s looked at in %.1f s: %llu let in (%llu here, %llu redirected), %llu denied, ",
		    (unsigned long long)tally->users, tally->users == 1 ? "user" : "users", (double)took_ms / 1000.0,
		    (unsigned long long)tally_in(tally), (unsigned long long)tally->verdicts[WA_AUTHORIZE],
		    (unsigned long long)tally->verdicts[WA_REDIRECT], (unsigned long long)tally->verdicts[WA_DENY]);
	text_printf(out, "%llu not known\n", (unsigned long long)tally->verdicts[WA_ERROR]);
	add_places(out, tally);
	add_findings(out, tally);
}

/* JSON */

static void add_words(struct text *out, const char *name, unsigned bits, size_t count,
		      const char *(*word)(size_t number))
{
	const char *words[sizeof(bits) * 8];
	size_t used = 0;

	for (size_t i = 0; i < count; i++)
		if ((bits & (1U << i)) != 0)
			words[used++] = word(i);
	json_text_array(out, name, words, used);
}

static const char *word_of_finding(size_t number)
{
	return finding_word((enum finding_kind)number);
}

static void add_optional(struct text *out, const char *name, const char *value)
{
	json_text(out, name, value[0] == '\0' ? NULL : value);
}

void report_print_json_row(struct text *out, const struct report_row *row, unsigned findings)
{
	json_begin(out);
	json_text(out, "type", "user");
	add_optional(out, "sender", row->sender);
	json_text(out, "dn", row->dn);
	json_text(out, "verdict", wa_verdict_word(row->verdict));
	json_text(out, "reason", wa_reason_word(row->reason));
	add_optional(out, "rule", row->rule);
	add_optional(out, "site", row->site);
	add_optional(out, "target", row->target);
	if (row->path_count > 0)
		json_text_array(out, "path", row->path, row->path_count);
	else
		json_null(out, "path");
	json_bool(out, "administrator", row->administrator);
	json_number(out, "ways", row->ways);
	add_words(out, "account", row->states, REPORT_STATES, report_state_word);
	add_words(out, "findings", findings, FINDING_COUNT, word_of_finding);
	json_end(out);
	text_add_char(out, '\n');
}

void report_print_json_summary(struct text *out, const struct tally *tally, uint64_t took_ms)
{
	json_begin(out);
	json_text(out, "type", "summary");
	json_number(out, "users", tally->users);
	json_number(out, "authorize", tally->verdicts[WA_AUTHORIZE]);
	json_number(out, "redirect", tally->verdicts[WA_REDIRECT]);
	json_number(out, "deny", tally->verdicts[WA_DENY]);
	json_number(out, "error", tally->verdicts[WA_ERROR]);
	json_number(out, "administrators", tally->administrators);
	for (enum finding_kind kind = 0; kind < FINDING_COUNT; kind++)
		json_number(out, finding_word(kind), tally->findings[kind].count);
	json_number(out, "elapsed_ms", took_ms);
	json_end(out);
	text_add_char(out, '\n');
}
