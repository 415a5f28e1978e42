/* SPDX-License-Identifier: Apache-2.0 */
#include <cli/report_html.h>
#include <cli/report_page.h>
#include <os/random.h>
#include <string.h>
#include <time.h>

#define NONCE_BYTES ((size_t)16)
#define TIME_BYTES  64
#define MS_PER_S    1000.0

void page_init(struct page *page)
{
	*page = (struct page){.kept = 0};
	text_init(&page->rows);
}

void page_done(struct page *page)
{
	text_done(&page->rows);
}

/* Head */

static enum status make_nonce(char out[2 * NONCE_BYTES + 1], struct error *error)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char bytes[NONCE_BYTES];
	enum status status = random_fill(bytes, sizeof(bytes), error);

	if (status != STATUS_OK)
		return status;
	for (size_t i = 0; i < NONCE_BYTES; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 0xF];
	}
	out[2 * NONCE_BYTES] = '\0';
	return STATUS_OK;
}

static void add_head(struct text *out, const char *nonce)
{
	text_add(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
	text_printf(out,
		    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'nonce-%s'; "
		    "script-src 'nonce-%s'; img-src data:; base-uri 'none'; form-action 'none'\">\n",
		    nonce, nonce);
	text_add(out, "<meta name=\"referrer\" content=\"no-referrer\">\n"
		      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		      "<meta name=\"color-scheme\" content=\"light dark\">\n"
		      "<meta name=\"generator\" content=\"wsmauthz " WSMAUTHZ_VERSION "\">\n"
		      "<link rel=\"icon\" href=\"data:,\">\n<title>Who can use WinRM</title>\n");
	text_printf(out, "<style nonce=\"%s\">\n", nonce);
	text_add(out, page_style);
	text_add(out, "</style>\n</head>\n<body>\n");
}

static void add_time(struct text *out, int64_t now_s)
{
	const time_t moment = (time_t)now_s;
	const struct tm *parts = gmtime(&moment); /* NOLINT(concurrency-mt-unsafe): the main thread's alone */
	char words[TIME_BYTES] = "";

	if (parts != NULL)
		(void)strftime(words, sizeof(words), "%Y-%m-%d %H:%M UTC", parts);
	text_add(out, words);
}

static void add_title(struct text *out, const struct tally *tally, const struct page_facts *facts)
{
	text_add(out, "<header>\n<h1>Who can use WinRM</h1>\n<p>By the policy <code>");
	html_add(out, facts->policy);
	text_add(out, "</code> and the users beneath <code>");
	html_add(out, tally->config->directories[0].base);
	text_add(out, "</code>");
	if (facts->url != NULL) {
		text_add(out, ", as seen from <code>");
		html_add(out, facts->url);
		text_add(out, "</code>");
	}
	text_add(out, ".</p>\n<p class=\"quiet\">Looked at on ");
	add_time(out, facts->now_s);
	text_printf(out, ", in %.1f s. Every verdict is the one that WinRM would have been given.</p>\n",
		    (double)facts->took_ms / MS_PER_S);
	text_add(out, "<nav aria-label=\"Parts of this page\"><a href=\"#wrong\">What looks wrong</a>"
		      "<a href=\"#places\">Where they go</a><a href=\"#groups\">Groups</a>"
		      "<a href=\"#everybody\">Users</a></nav>\n</header>\n<main>\n");
}

/* Numbers */

static void add_number(struct text *out, const char *what, const char *style, uint64_t number, const char *more)
{
	text_printf(out, "<div><dt>%s</dt><dd class=\"%s\">", what, style);
	html_add_number(out, number);
	text_printf(out, "<small>%s</small></dd></div>\n", more);
}

static uint64_t count_wrong(const struct tally *tally)
{
	uint64_t count = 0;

	for (enum finding_kind kind = 0; kind < FINDING_COUNT; kind++)
		count += finding_is_wrong(kind) ? tally->findings[kind].count : 0;
	return count;
}

static void add_numbers(struct text *out, const struct tally *tally)
{
	const uint64_t wrong = count_wrong(tally);

	text_add(out, "<dl class=\"numbers\">\n");
	add_number(out, "Users looked at", "", tally->users, "all that the directory lists");
	add_number(out, "Let in", "is-in", tally_in(tally), "served here, or redirected");
	add_number(out, "Served here", "is-in", tally->verdicts[WA_AUTHORIZE], "verdict: authorize");
	add_number(out, "Redirected", "is-elsewhere", tally->verdicts[WA_REDIRECT], "let in, at another endpoint");
	add_number(out, "Administrators", "", tally->administrators, "of those who are let in");
	add_number(out, "Denied", "", tally->verdicts[WA_DENY], "verdict: deny");
	add_number(out, "Not known", tally->verdicts[WA_ERROR] > 0 ? "is-wrong" : "", tally->verdicts[WA_ERROR],
		   "verdict: error");
	add_number(out, "Look wrong", wrong > 0 ? "is-wrong" : "", wrong, wrong > 0 ? "see below" : "nothing does");
	text_add(out, "</dl>\n");
}

static void add_foot(struct text *out, const char *nonce)
{
	text_add(out,
		 "</main>\n<footer class=\"quiet\"><p>Made by <code>wsmauthz report</code>, version " WSMAUTHZ_VERSION
		 ". This page loads nothing and sends nothing.</p></footer>\n");
	text_printf(out, "<script nonce=\"%s\">\n", nonce);
	text_add(out, page_script);
	text_add(out, "</script>\n</body>\n</html>\n");
}

static enum status write(struct file_new *file, struct text *text, struct error *error)
{
	if (text_failed(text))
		return error_no_memory(error);
	return file_new_write(file, text_string(text), text->length, error);
}

static enum status write_all(const struct page *page, const struct tally *tally, const struct page_facts *facts,
			     struct file_new *file, struct text *out, struct error *error)
{
	char nonce[2 * NONCE_BYTES + 1];
	enum status status = make_nonce(nonce, error);

	if (status != STATUS_OK)
		return status;
	add_head(out, nonce);
	add_title(out, tally, facts);
	add_numbers(out, tally);
	page_add_findings(out, tally);
	page_add_chart(out, tally);
	if (page_add_tree(out, tally) != STATUS_OK)
		return error_no_memory(error);
	page_add_table_begin(out, page, tally, facts);
	status = write(file, out, error);
	if (status == STATUS_OK)
		status = file_new_write(file, text_string(&page->rows), page->rows.length, error);
	text_clear(out);
	page_add_table_end(out);
	add_foot(out, nonce);
	return status == STATUS_OK ? write(file, out, error) : status;
}

enum status page_write(const struct page *page, const struct tally *tally, const struct page_facts *facts,
		       struct file_new *file, struct error *error)
{
	struct text out;
	enum status status;

	text_init(&out);
	status = write_all(page, tally, facts, file, &out, error);
	text_done(&out);
	return status;
}
