/* SPDX-License-Identifier: Apache-2.0 */
#include <base/utf.h>
#include <cli/report_html.h>
#include <cli/report_page.h>
#include <cli/shown.h>
#include <string.h>

/* Names of a way that are shown at once. */
#define WAY_BEGINS 8
#define WAY_ENDS   3

void page_add_place_id(struct text *out, const struct tally *tally, size_t place)
{
	static const char *const words[REPORT_AT_MORE] = {"site-here", "site-unmapped", "site-unknown"};
	const size_t sites = tally->config->redirect.site_count;

	if (place < sites)
		text_printf(out, "site-%zu", place);
	else
		text_add(out, words[place - sites]);
}

void page_add_place_name(struct text *out, const struct tally *tally, size_t place, size_t letters)
{
	const struct config_redirect *redirect = &tally->config->redirect;
	const char *name = tally_place_name(tally, place), *at = name, *end;

	if (place < redirect->site_count && redirect->sites[place].name == NULL) {
		text_add(out, redirect->sites[place].group != NULL ? "group " : "unit ");
		end = name + shown_first_part(name);
		at = memchr(name, '=', (size_t)(end - name));
		at = name = at == NULL ? name : at + 1;
	} else {
		end = name + strlen(name);
	}
	for (; at < end && letters > 0; letters--)
		(void)utf8_next(&at, end);
	html_add_bytes(out, name, (size_t)(at - name));
	text_add(out, at < end ? "\xE2\x80\xA6" : "");
}

static const char *style_of(enum wa_verdict verdict)
{
	switch (verdict) {
	case WA_AUTHORIZE:
		return "is-in";
	case WA_REDIRECT:
		return "is-elsewhere";
	case WA_ERROR:
		return "is-wrong";
	case WA_DENY:
		break;
	}
	return "quiet";
}

static void add_name(struct text *out, const struct report_row *row)
{
	text_add(out, "<td class=\"name\">");
	if (row->sender[0] != '\0')
		html_add_name(out, row->sender);
	else
		text_add(out, "<span class=\"quiet\">no name to come by</span>");
	text_add(out, "<span class=\"dn\">");
	html_add_long_name(out, row->dn);
	text_add(out, "</span></td>");
}

/* A long one shows how it begins and ends; "in full" has the rest. */
static void add_way(struct text *out, const struct report_row *row)
{
	const size_t left_out =
	    row->path_count > WAY_BEGINS + WAY_ENDS + 1 ? row->path_count - WAY_BEGINS - WAY_ENDS : 0;

	for (size_t i = 0; i < row->path_count; i++) {
		text_add(out, i > 0 ? " \xE2\x86\x92 " : "");
		if (i == WAY_BEGINS && left_out > 0) {
			text_printf(out, "<span class=\"quiet\">%zu more</span>", left_out);
			i += left_out - 1;
			continue;
		}
		text_add(out, "<bdi>");
		html_add_short(out, row->path[i]);
		text_add(out, "</bdi>");
	}
}

static void add_why(struct text *out, const struct report_row *row)
{
	text_add(out, "<td class=\"why\">");
	if (row->path_count == 0 || !report_row_is_in(row)) {
		text_add(out, wa_reason_word(row->reason));
		text_add(out, row->path_count > 0 ? ": " : "");
	}
	add_way(out, row);
	if (row->detail != NULL) {
		text_add(out, "<br><span class=\"quiet\">");
		html_add(out, row->detail);
		text_add(out, "</span>");
	}
	if (row->path_count > 0 || row->rule[0] != '\0') {
		text_add(out, " <button type=\"button\" class=\"script\" aria-expanded=\"false\" data-rule=\"");
		html_add_attribute(out, row->rule);
		text_add(out, "\" data-path=\"");
		for (size_t i = 0; i < row->path_count; i++) {
			text_add(out, i > 0 ? "&#10;" : "");
			html_add_attribute(out, row->path[i]);
		}
		text_add(out, "\">in full</button>");
	}
	text_add(out, "</td>");
}

static void add_place(struct text *out, const struct tally *tally, const struct report_row *row)
{
	text_add(out, "<td class=\"site\">");
	if (row->place == REPORT_PLACE_SITE)
		page_add_place_name(out, tally, row->site_number, SIZE_MAX);
	else if (row->site[0] != '\0')
		html_add_name(out, row->site);
	else if (row->site_value[0] != '\0')
		html_add_name(out, row->site_value);
	else
		text_add(out, "<span class=\"quiet\">\xE2\x80\x93</span>");
	text_add(out, "</td><td class=\"target\">");
	if (row->target[0] != '\0')
		html_add_long_name(out, row->target);
	else
		text_add(out, report_row_is_in(row) ? "here" : "<span class=\"quiet\">\xE2\x80\x93</span>");
	text_add(out, "</td>");
}

static void add_notes(struct text *out, unsigned findings)
{
	text_add(out, "<td class=\"notes\">");
	for (enum finding_kind kind = 0; kind < FINDING_COUNT; kind++)
		if ((findings & (1U << (unsigned)kind)) != 0)
			text_printf(out, "<span class=\"tag%s\">%s</span>", finding_is_wrong(kind) ? " warning" : "",
				    finding_word(kind));
	text_add(out, "</td>");
}

static void add_row(struct text *out, const struct tally *tally, const struct report_row *row)
{
	const unsigned findings = tally_findings_of(tally, row);
	const char *verdict = wa_verdict_word(row->verdict);

	text_printf(out, "<tr data-verdict=\"%s\" data-site=\"", verdict);
	page_add_place_id(out, tally, tally_place_of(tally, row));
	text_add(out, "\" data-notes=\"");
	for (enum finding_kind kind = 0; kind < FINDING_COUNT; kind++)
		if ((findings & (1U << (unsigned)kind)) != 0)
			text_printf(out, "%s ", finding_word(kind));
	text_add(out, "\">");
	add_name(out, row);
	text_printf(out, "<td class=\"verdict\"><b class=\"%s\">%s</b></td>", style_of(row->verdict), verdict);
	add_why(out, row);
	add_place(out, tally, row);
	add_notes(out, findings);
	text_add(out, "</tr>\n");
}

enum status page_take(struct page *page, const struct tally *tally, const struct report_row *row)
{
	page->wanted++;
	if (page->kept == REPORT_PAGE_ROWS || page->rows.length >= REPORT_PAGE_MAX_BYTES)
		return STATUS_OK;
	page->kept++;
	add_row(&page->rows, tally, row);
	return text_failed(&page->rows) ? STATUS_NO_MEMORY : STATUS_OK;
}

/* The table around them */

static void add_option(struct text *out, const char *value, const char *words)
{
	text_printf(out, "<option value=\"%s\">%s</option>", value, words);
}

static void add_place_options(struct text *out, const struct tally *tally)
{
	const size_t count = tally->config->redirect.site_count + REPORT_AT_MORE;

	text_add(out, "<label>Site <select id=\"by-site\"><option value=\"\">any</option>");
	for (size_t i = 0; i < count; i++) {
		text_add(out, "<option value=\"");
		page_add_place_id(out, tally, i);
		text_add(out, "\">");
		page_add_place_name(out, tally, i, SIZE_MAX);
		text_add(out, "</option>");
	}
	text_add(out, "</select></label>\n");
}

static void add_filters(struct text *out, const struct tally *tally, const struct page_facts *facts)
{
	text_add(
	    out,
	    "<form id=\"filters\" class=\"script\" role=\"search\">\n<label class=\"wide\">Search names, DNs, groups "
	    "and targets (press / to get here) <input id=\"search\" type=\"search\" autocomplete=\"off\" "
	    "spellcheck=\"false\"></label>\n<label>Verdict <select id=\"by-verdict\">");
	add_option(out, "", "any");
	add_option(out, "authorize", "authorize");
	add_option(out, "redirect", "redirect");
	if (facts->is_all) {
		add_option(out, "deny", "deny");
		add_option(out, "error", "error");
	}
	text_add(out, "</select></label>\n");
	add_place_options(out, tally);
	text_add(out, "<label>Note <select id=\"by-note\"><option value=\"\">any</option>");
	for (enum finding_kind kind = 0; kind < FINDING_COUNT; kind++)
		if (tally->findings[kind].count > 0 && finding_is_of_user(kind))
			add_option(out, finding_word(kind), finding_word(kind));
	text_add(out, "</select></label>\n<button type=\"reset\">Clear</button>\n</form>\n");
}

static void add_what_is_left_out(struct text *out, const struct page *page)
{
	if (page->kept == page->wanted)
		return;
	text_add(out, "<p class=\"note\">This page has the first ");
	html_add_number(out, page->kept);
	text_add(out, " of ");
	html_add_number(out, page->wanted);
	text_add(out, " rows, so that a browser can show it. The numbers above are of everybody, and "
		      "<code>wsmauthz report --csv</code> writes every row.</p>\n");
}

void page_add_table_begin(struct text *out, const struct page *page, const struct tally *tally,
			  const struct page_facts *facts)
{
	text_add(out, "<section aria-labelledby=\"everybody\">\n<h2 id=\"everybody\">");
	text_add(out, facts->is_all ? "All users" : "Users who are let in");
	text_add(out, "</h2>\n");
	add_what_is_left_out(out, page);
	add_filters(out, tally, facts);
	text_add(
	    out,
	    "<div class=\"pages\"><span id=\"status\" role=\"status\"></span><span class=\"script\"><button "
	    "type=\"button\" id=\"before\">Earlier</button></span><span class=\"script\"><button type=\"button\" "
	    "id=\"after\">Later</button></span></div>\n<div class=\"scroll\">\n<table class=\"users\" id=\"users\">\n"
	    "<thead><tr><th class=\"name\" scope=\"col\">User</th><th class=\"verdict\" scope=\"col\">Verdict</th>"
	    "<th class=\"why\" scope=\"col\">Why</th><th class=\"site\" scope=\"col\">Site</th>"
	    "<th class=\"target\" scope=\"col\">Goes to</th><th class=\"notes\" scope=\"col\">Notes</th></tr></thead>\n"
	    "<tbody>\n");
}

void page_add_table_end(struct text *out)
{
	text_add(out, "</tbody>\n</table>\n</div>\n</section>\n");
}
