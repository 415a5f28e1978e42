/* SPDX-License-Identifier: Apache-2.0 */
/* Text from outside stays text, and what does not fit into a page is said. What a browser makes of it: tests/integration/report. */
#include "report_rig.h"

#include <cli/report_html.h>
#include <cli/report_page.h>
#include <os/file.h>
#include <stdlib.h>
#include <support/memory_failing.h>
#include <unistd.h>

static const struct {
	const char *value, *element, *attribute;
} rows[] = {
    {"alice", "alice", "alice"},
    {"<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;", "&lt;script&gt;alert(1)&lt;/script&gt;"},
    {"\"'&", "&quot;&#39;&amp;", "&quot;&#39;&amp;"},
    {"&lt;", "&amp;lt;", "&amp;lt;"},
    {"a\xE2\x80\xAEgnp.exe", "a<span class=\"control\">[U+202E]</span>gnp.exe", "a[U+202E]gnp.exe"},
    {"a\nb", "a<span class=\"control\">[U+000A]</span>b", "a&#10;b"},
    {"a\x1B[31m", "a<span class=\"control\">[U+001B]</span>[31m", "a[U+001B][31m"},
    {"b\xFC", "b\xEF\xBF\xBD", "b\xEF\xBF\xBD"},
    {"\xD7\x90\xD7\x91", "\xD7\x90\xD7\x91", "\xD7\x90\xD7\x91"},
};

static void html_add__values__stay_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct text text;

		text_init(&text);
		html_add(&text, rows[i].value);
		assert_string_equal(text_string(&text), rows[i].element);
		text_clear(&text);
		html_add_attribute(&text, rows[i].value);
		assert_string_equal(text_string(&text), rows[i].attribute);
		text_done(&text);
	}
}

static void html_add_long_name__dn_and_uri__may_be_broken_where_they_have_parts(void **state)
{
	static const struct {
		const char *value, *words;
	} names[] = {{"uid=a,dc=x", "<bdi>uid=a,<wbr>dc=x</bdi>"},
		     {"https://h:1/", "<bdi>https:<wbr>/<wbr>/<wbr>h:<wbr>1/<wbr></bdi>"},
		     {"<b>", "<bdi>&lt;b&gt;</bdi>"},
		     {"", "<bdi></bdi>"}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct text text;

		text_init(&text);
		html_add_long_name(&text, names[i].value);
		assert_string_equal(text_string(&text), names[i].words);
		text_done(&text);
	}
}

static void html_add_short__dns__give_the_first_value(void **state)
{
	static const struct {
		const char *dn, *words;
	} dns[] = {{"CN=WinRM Users,OU=x", "WinRM Users"}, {"cn=a\\,b,dc=x", "a\\,b"}, {"odd", "odd"}, {"", ""}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(dns); i++) {
		struct text text;

		text_init(&text);
		html_add_short(&text, dns[i].dn);
		assert_string_equal(text_string(&text), dns[i].words);
		text_done(&text);
	}
}

static void html_add_number__numbers__have_commas(void **state)
{
	static const struct {
		uint64_t number;
		const char *words;
	} numbers[] = {{0, "0"}, {999, "999"}, {1000, "1,000"}, {1234567, "1,234,567"}, {1000000, "1,000,000"}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		struct text text;

		text_init(&text);
		html_add_number(&text, numbers[i].number);
		assert_string_equal(text_string(&text), numbers[i].words);
		text_done(&text);
	}
}

/* A whole page */

struct made {
	const struct config *config;
	struct closure *closure;
	struct tally tally;
	struct page page;
	char path[40];
};

static void begin(struct made *made)
{
	*made = (struct made){.config = rig_policy(), .closure = rig_closure(true)};
	assert_int_equal(tally_init(&made->tally, made->config, made->closure, 1), STATUS_OK);
	page_init(&made->page);
	(void)snprintf(made->path, sizeof(made->path), "/tmp/wsmauthz-page-%ld", (long)getpid());
}

static void take(struct made *made, const struct report_row *row)
{
	assert_int_equal(tally_take(&made->tally, row), STATUS_OK);
	assert_int_equal(page_take(&made->page, &made->tally, row), STATUS_OK);
}

static enum status write_page(struct made *made, struct error *error)
{
	const struct page_facts facts = {.policy = "/etc/<policy>.xml", .now_s = 1764000000, .took_ms = 12};
	struct file_new *file = NULL;
	enum status status = file_new_open(made->path, &file, error);

	if (status == STATUS_OK)
		status = page_write(&made->page, &made->tally, &facts, file, error);
	if (status == STATUS_OK)
		return file_new_commit(&file, error);
	file_new_abandon(&file);
	return status;
}

static void end(struct made *made)
{
	page_done(&made->page);
	tally_done(&made->tally);
	closure_unref(&made->closure);
	config_unref(&made->config);
	(void)unlink(made->path);
}

/* The page as text; freed by the caller. */
static char *page_text(struct made *made)
{
	struct error error = {.status = STATUS_OK};
	FILE *file;
	long length;
	char *text;

	assert_int_equal(tally_end(&made->tally), STATUS_OK);
	assert_status(write_page(made, &error), STATUS_OK, &error);
	file = fopen(made->path, "rb");
	assert_non_null(file);
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	length = ftell(file);
	rewind(file);
	text = calloc(1, (size_t)length + 1);
	assert_non_null(text);
	assert_int_equal(fread(text, 1, (size_t)length, file), (size_t)length);
	(void)fclose(file);
	return text;
}

static size_t count(const char *text, const char *words)
{
	size_t found = 0;

	for (; (text = strstr(text, words)) != NULL; text++)
		found++;
	return found;
}

static void page_write__hostile_user__stays_text_everywhere(void **state)
{
	static const char *const path[] = {"uid=<script>x()</script>,dc=x", "cn=\"ops\",dc=x"};
	struct report_row row = rig_row("CORP\\<script>alert(1)</script>");
	struct made made;
	char *text;

	(void)state;
	begin(&made);
	row.dn = row.site = row.site_value = row.target = row.rule = "\"><script>alert(2)</script>";
	row.path = path;
	row.place = REPORT_PLACE_UNMAPPED;
	row.states = REPORT_DISABLED;
	take(&made, &row);
	text = page_text(&made);

	/* Its own, at the end. */
	assert_int_equal(count(text, "<script"), 1);
	assert_int_equal(count(text, "</script"), 1);
	assert_true(count(text, "&lt;script&gt;alert(1)") >= 2);
	assert_int_equal(count(text, "/etc/&lt;policy&gt;.xml"), 1);
	assert_int_equal(count(text, "\"><script"), 0);
	free(text);
	end(&made);
}

static void page_write__policy_of_the_page__lets_nothing_else_run(void **state)
{
	char *first, *second, nonce[2][64];
	struct made made;

	(void)state;
	begin(&made);
	first = page_text(&made);
	second = page_text(&made);
	assert_non_null(strstr(first, "default-src 'none'; style-src 'nonce-"));
	assert_int_equal(sscanf(strstr(first, "script-src 'nonce-"), "script-src 'nonce-%32[0-9a-f]'", nonce[0]), 1);
	assert_int_equal(sscanf(strstr(second, "script-src 'nonce-"), "script-src 'nonce-%32[0-9a-f]'", nonce[1]), 1);
	assert_string_not_equal(nonce[0], nonce[1]);
	/* Nothing is fetched, and no style or handler stands in an attribute. */
	assert_int_equal(count(first, "http://") + count(first, "src=") + count(first, " style=\"") +
			     count(first, "@import") + count(first, "url(") + count(first, " onclick"),
			 0);
	assert_int_equal(count(first, "https://"), 0);
	free(first);
	free(second);
	end(&made);
}

static void page_write__more_rows_than_a_page_has__says_so_and_counts_all(void **state)
{
	struct report_row row = rig_row("CORP\\alice");
	struct made made;
	char *text;

	(void)state;
	begin(&made);
	for (size_t i = 0; i < REPORT_PAGE_ROWS + 5; i++)
		take(&made, &row);
	text = page_text(&made);

	assert_int_equal(count(text, "<tr data-verdict="), REPORT_PAGE_ROWS);
	assert_non_null(strstr(text, "This page has the first 10,000 of 10,005 rows"));
	assert_non_null(strstr(text, "<dt>Let in</dt><dd class=\"is-in\">10,005<"));
	free(text);
	end(&made);
}

static void page_write__long_way__is_cut_in_the_middle_and_whole_behind_the_button(void **state)
{
	static char names[50][24];
	static const char *path[50];
	struct report_row row = rig_row("CORP\\alice");
	struct made made;
	char *text;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(path); i++) {
		(void)snprintf(names[i], sizeof(names[i]), "cn=g%02zu,dc=x", i);
		path[i] = names[i];
	}
	begin(&made);
	row.path = path;
	row.path_count = COUNT_OF(path);
	take(&made, &row);
	text = page_text(&made);
	assert_non_null(strstr(
	    text, "<bdi>g07</bdi> \xE2\x86\x92 <span class=\"quiet\">39 more</span> \xE2\x86\x92 <bdi>g47</bdi>"));
	assert_null(strstr(text, "<bdi>g08</bdi>"));
	assert_non_null(strstr(text, "&#10;cn=g08,dc=x&#10;"));
	free(text);
	end(&made);
}

static void page_write__circle_of_groups__ends_where_it_began(void **state)
{
	struct made made;
	char *text;

	(void)state;
	begin(&made);
	text = page_text(&made);
	assert_non_null(strstr(text, "nested in itself: see above on this branch"));
	assert_int_equal(count(text, "<details"), count(text, "</details>"));
	assert_int_equal(count(text, "<ul"), count(text, "</ul>"));
	assert_int_equal(count(text, "<li>") + count(text, "<li class"), count(text, "</li>"));
	assert_non_null(strstr(text, "does not exist"));
	free(text);
	end(&made);
}

static void page_write__nth_allocation_fails__fails_and_leaks_nothing(void **state)
{
	struct report_row row = rig_row("CORP\\alice");
	enum status status = STATUS_NO_MEMORY;
	struct made made;
	size_t before, nth;

	(void)state;
	begin(&made);
	take(&made, &row);
	assert_int_equal(tally_end(&made.tally), STATUS_OK);
	before = memory_live_count();
	for (nth = 1; status == STATUS_NO_MEMORY; nth++) {
		struct error error = {.status = STATUS_OK};

		memory_fail_at(nth);
		status = write_page(&made, &error);
		memory_fail_at(0);
		assert_int_equal(memory_live_count(), before);
		assert_true(status == STATUS_OK || access(made.path, F_OK) != 0);
	}
	assert_int_equal(status, STATUS_OK);
	assert_true(nth > 5);
	end(&made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(html_add__values__stay_text),
	    cmocka_unit_test(html_add_long_name__dn_and_uri__may_be_broken_where_they_have_parts),
	    cmocka_unit_test(html_add_short__dns__give_the_first_value),
	    cmocka_unit_test(html_add_number__numbers__have_commas),
	    cmocka_unit_test(page_write__hostile_user__stays_text_everywhere),
	    cmocka_unit_test(page_write__policy_of_the_page__lets_nothing_else_run),
	    cmocka_unit_test(page_write__more_rows_than_a_page_has__says_so_and_counts_all),
	    cmocka_unit_test(page_write__long_way__is_cut_in_the_middle_and_whole_behind_the_button),
	    cmocka_unit_test(page_write__circle_of_groups__ends_where_it_began),
	    cmocka_unit_test(page_write__nth_allocation_fails__fails_and_leaks_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
