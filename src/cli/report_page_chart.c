/* SPDX-License-Identifier: Apache-2.0 */
#include <cli/report_html.h>
#include <cli/report_page.h>

/* In units of the picture. */
#define WIDTH       760
#define LABEL_WIDTH 190
#define COUNT_WIDTH 90
#define BAR_WIDTH   (WIDTH - LABEL_WIDTH - COUNT_WIDTH)
#define LINE_HEIGHT 28
#define BAR_HEIGHT  18
#define BASE_LINE   18
/* Letters of a label that fit. */
#define LABEL_LETTERS 25

struct bars {
	size_t places[REPORT_PAGE_BARS]; /* the most first */
	size_t count;
	size_t others; /* places with users that have no bar */
	uint64_t most;
};

static uint64_t in_at(const struct tally *tally, size_t place)
{
	return tally->places[place][WA_AUTHORIZE] + tally->places[place][WA_REDIRECT];
}

static uint64_t out_at(const struct tally *tally, size_t place)
{
	return tally->places[place][WA_DENY] + tally->places[place][WA_ERROR];
}

static size_t place_count(const struct tally *tally)
{
	return tally->config->redirect.site_count + REPORT_AT_MORE;
}

/* Into its place among the longest; what falls off the end is one of the others. */
static void put_in_order(struct bars *bars, const struct tally *tally, size_t place)
{
	size_t at = bars->count;

	if (bars->count == REPORT_PAGE_BARS) {
		bars->others++;
		at--;
		if (in_at(tally, bars->places[at]) >= in_at(tally, place))
			return;
	} else {
		bars->count++;
	}
	for (; at > 0 && in_at(tally, bars->places[at - 1]) < in_at(tally, place); at--)
		bars->places[at] = bars->places[at - 1];
	bars->places[at] = place;
}

static void choose(struct bars *bars, const struct tally *tally)
{
	*bars = (struct bars){.count = 0};
	for (size_t i = 0; i < place_count(tally); i++)
		if (in_at(tally, i) > 0)
			put_in_order(bars, tally, i);
	bars->most = bars->count > 0 ? in_at(tally, bars->places[0]) : 0;
}

/* Whatever is not nothing is seen. */
static unsigned width_of(const struct bars *bars, uint64_t count)
{
	const double width = (double)count * BAR_WIDTH / (double)bars->most;

	return count > 0 && width < 2 ? 2 : (unsigned)width;
}

static void add_bar(struct text *out, const struct bars *bars, const struct tally *tally, size_t line)
{
	const size_t place = bars->places[line];
	const uint64_t *at = tally->places[place];
	const unsigned y = (unsigned)line * LINE_HEIGHT, bar_y = y + (LINE_HEIGHT - BAR_HEIGHT) / 2;
	const unsigned in = width_of(bars, at[WA_AUTHORIZE]), elsewhere = width_of(bars, at[WA_REDIRECT]);

	text_add(out, "<g><title>");
	page_add_place_name(out, tally, place, SIZE_MAX);
	text_printf(out, ": %llu served here, %llu redirected</title>\n", (unsigned long long)at[WA_AUTHORIZE],
		    (unsigned long long)at[WA_REDIRECT]);
	text_printf(out, "<text x=\"%d\" y=\"%u\" text-anchor=\"end\">", LABEL_WIDTH - 10, y + BASE_LINE);
	page_add_place_name(out, tally, place, LABEL_LETTERS);
	text_add(out, "</text>\n");
	text_printf(out, "<rect class=\"in\" x=\"%d\" y=\"%u\" width=\"%u\" height=\"%d\"/>", LABEL_WIDTH, bar_y, in,
		    BAR_HEIGHT);
	text_printf(out, "<rect class=\"elsewhere\" x=\"%u\" y=\"%u\" width=\"%u\" height=\"%d\"/>\n", LABEL_WIDTH + in,
		    bar_y, elsewhere, BAR_HEIGHT);
	text_printf(out, "<text class=\"quiet\" x=\"%u\" y=\"%u\">", LABEL_WIDTH + in + elsewhere + 8, y + BASE_LINE);
	html_add_number(out, at[WA_AUTHORIZE] + at[WA_REDIRECT]);
	text_add(out, "</text></g>\n");
}

static void add_legend(struct text *out)
{
	text_add(out, "<ul class=\"legend\"><li><svg viewBox=\"0 0 10 10\" aria-hidden=\"true\"><rect class=\"in\" "
		      "width=\"10\" height=\"10\"/></svg>served here</li><li><svg viewBox=\"0 0 10 10\" "
		      "aria-hidden=\"true\"><rect class=\"elsewhere\" width=\"10\" height=\"10\"/></svg>redirected</li>"
		      "</ul>\n");
}

static void add_picture(struct text *out, const struct tally *tally)
{
	struct bars bars;

	choose(&bars, tally);
	if (bars.count == 0) {
		text_add(out, "<p>Nobody is let in.</p>\n");
		return;
	}
	text_printf(out,
		    "<figure><svg viewBox=\"0 0 %d %zu\" role=\"img\" aria-label=\"Users who are let in, by site and "
		    "verdict; the table below has the same numbers\">\n",
		    WIDTH, bars.count * LINE_HEIGHT);
	for (size_t i = 0; i < bars.count; i++)
		add_bar(out, &bars, tally, i);
	text_add(out, "</svg>\n");
	add_legend(out);
	text_add(out, "</figure>\n");
	if (bars.others > 0)
		text_printf(out, "<p class=\"quiet\">%zu more with fewer users are in the table alone.</p>\n",
			    bars.others);
}

static void add_cell(struct text *out, uint64_t number)
{
	text_add(out, "<td class=\"count\">");
	html_add_number(out, number);
	text_add(out, "</td>");
}

static void add_line(struct text *out, const struct tally *tally, size_t place)
{
	text_add(out, "<tr><td>");
	page_add_place_name(out, tally, place, SIZE_MAX);
	text_add(out, "</td>");
	add_cell(out, tally->places[place][WA_AUTHORIZE]);
	add_cell(out, tally->places[place][WA_REDIRECT]);
	add_cell(out, out_at(tally, place));
	text_add(out, "</tr>\n");
}

void page_add_chart(struct text *out, const struct tally *tally)
{
	text_add(out, "<section aria-labelledby=\"places\">\n<h2 id=\"places\">Where they go</h2>\n");
	add_picture(out, tally);
	text_add(
	    out,
	    "<div class=\"scroll\"><table class=\"places\"><thead><tr><th scope=\"col\">Site</th><th scope=\"col\" "
	    "class=\"count\">Served here</th><th scope=\"col\" class=\"count\">Redirected</th><th scope=\"col\" "
	    "class=\"count\">Not let in</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < place_count(tally); i++)
		if (i < tally->config->redirect.site_count || in_at(tally, i) + out_at(tally, i) > 0)
			add_line(out, tally, i);
	text_add(out, "</tbody></table></div>\n</section>\n");
}
