/* SPDX-License-Identifier: Apache-2.0 */
#include <cli/report_html.h>
#include <cli/report_page.h>

static void add_sample(struct text *out, const struct finding_sample *sample)
{
	text_add(out, "<li>");
	html_add_name(out, sample->name);
	if (sample->what[0] != '\0') {
		text_add(out, " <span class=\"quiet\">");
		html_add_name(out, sample->what);
		text_add(out, "</span>");
	}
	text_add(out, "</li>\n");
}

static void add_finding(struct text *out, const struct finding *finding, enum finding_kind kind)
{
	text_printf(out, "<details class=\"finding%s\"><summary><span class=\"how-many\">",
		    finding_is_wrong(kind) ? " warning" : "");
	html_add_number(out, finding->count);
	text_printf(out, "</span><span>%s <span class=\"tag\">%s</span></span></summary>\n<ul>\n", finding_title(kind),
		    finding_word(kind));
	for (size_t i = 0; i < finding->sample_count; i++)
		add_sample(out, &finding->samples[i]);
	text_add(out, "</ul>\n");
	if (finding->count > finding->sample_count) {
		text_add(out, "<p class=\"quiet\">and ");
		html_add_number(out, finding->count - finding->sample_count);
		text_add(out, " more</p>\n");
	}
	if (finding_is_of_user(kind))
		text_printf(
		    out, "<p class=\"script\"><a href=\"#everybody\" data-note=\"%s\">Show them in the table</a></p>\n",
		    finding_word(kind));
	text_add(out, "</details>\n");
}

void page_add_findings(struct text *out, const struct tally *tally)
{
	bool has_any = false;

	text_add(out, "<section aria-labelledby=\"wrong\">\n<h2 id=\"wrong\">What looks wrong</h2>\n");
	for (enum finding_kind kind = 0; kind < FINDING_COUNT; kind++) {
		if (tally->findings[kind].count == 0)
			continue;
		has_any = true;
		add_finding(out, &tally->findings[kind], kind);
	}
	if (!has_any)
		text_add(out, "<p>Nothing: no account that is let in is disabled, no site is unmapped, no group of the "
			      "policy is missing, empty or nested in itself.</p>\n");
	text_add(out, "</section>\n");
}
