/* SPDX-License-Identifier: Apache-2.0 */
#include <cli/lines.h>
#include <string.h>
#include <support/assertions.h>
#include <support/memory_failing.h>

#define LIMIT 4
#define MARK  "\xEF\xBB\xBF"

/* The lines, each in brackets; one that is too long with a '+' behind. */
static enum status collect(void *context, const char *line, size_t length, struct error *error)
{
	struct text *out = context;

	(void)error;
	text_add_char(out, '[');
	text_add_bytes(out, line, length <= LIMIT ? length : LIMIT);
	text_add(out, length <= LIMIT ? "]" : "]+");
	return STATUS_OK;
}

static enum status feed_in_pieces(const char *data, size_t length, size_t piece, struct text *out, struct error *error)
{
	struct lines lines;
	enum status status = STATUS_OK;

	lines_init(&lines, LIMIT, collect, out);
	for (size_t at = 0; at < length && status == STATUS_OK; at += piece)
		status = lines_feed(&lines, data + at, length - at < piece ? length - at : piece, error);
	if (status == STATUS_OK)
		status = lines_end(&lines, error);
	lines_done(&lines);
	return status;
}

static void lines__streams_cut_anywhere__give_the_same_lines(void **state)
{
	static const struct {
		const char *data, *expected;
	} rows[] = {
	    {"", ""},
	    {"\n", "[]"},
	    {"\n\n", "[][]"},
	    {"a", "[a]"},
	    {"a\n", "[a]"},
	    {"a\nb", "[a][b]"},
	    {"a\r\nb\r\n", "[a][b]"},
	    {"\r\n", "[]"},
	    {"a\r", "[a\r]"},
	    {"a\rb\n", "[a\rb]"},
	    {"a\r\r\n", "[a\r]"},
	    {"abcd\n", "[abcd]"},
	    {"abcd\r\n", "[abcd]"},
	    {"abcde\n", "[abcd]+"},
	    {"abcde\r\n", "[abcd]+"},
	    {"abcdef\r\nx", "[abcd]+[x]"},
	    {"abcdefghijklmnop\nx\n", "[abcd]+[x]"},
	    {"abcde\rfghij\nx\n", "[abcd]+[x]"},
	    {"abcdefgh", "[abcd]+"},
	    {"a\n\nb", "[a][][b]"},
	    {MARK "a\nb\n", "[a][b]"},
	    {MARK "abcd\r\nx", "[abcd][x]"},
	    {MARK "abcde\r\nx", "[abcd]+[x]"},
	    {MARK "abcdefghijkl\nx", "[abcd]+[x]"},
	    {MARK, ""},
	    {MARK "\n", "[]"},
	    {MARK "\r\n" MARK "\n", "[][" MARK "]"},
	    {MARK MARK "\n", "[" MARK "]"},
	    {"\n" MARK "\n", "[][" MARK "]"},
	    {"a" MARK "\n", "[a" MARK "]"},
	    {"\xEF\xBB\n", "[\xEF\xBB]"},
	    {"\xEF\xBB", "[\xEF\xBB]"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		for (size_t piece = 1; piece <= strlen(rows[i].data) + 1; piece++) {
			struct text out;

			text_init(&out);
			assert_row(rows[i].data,
				   feed_in_pieces(rows[i].data, strlen(rows[i].data), piece, &out, NULL) == STATUS_OK);
			assert_row(rows[i].data, strcmp(text_string(&out), rows[i].expected) == 0);
			text_done(&out);
		}
	}
}

static void lines__nul_bytes__are_bytes_like_others(void **state)
{
	static const char data[] = "a\0b\n\0\n";
	static const char expected[] = "[a\0b][\0]";
	struct text out;

	(void)state;
	text_init(&out);
	assert_status(feed_in_pieces(data, sizeof(data) - 1, 2, &out, NULL), STATUS_OK, NULL);
	assert_int_equal(out.length, sizeof(expected) - 1);
	assert_memory_equal(out.data, expected, sizeof(expected) - 1);
	text_done(&out);
}

static void lines_feed__a_line_without_end__takes_no_more_memory_than_the_limit(void **state)
{
	struct lines lines;
	struct text out;

	(void)state;
	text_init(&out);
	lines_init(&lines, LIMIT, collect, &out);
	for (int i = 0; i < 100000; i++)
		assert_status(lines_feed(&lines, "xxxxxxxx", 8, NULL), STATUS_OK, NULL);
	assert_true(lines.pending.length <= strlen(MARK) + LIMIT + 2);
	assert_status(lines_end(&lines, NULL), STATUS_OK, NULL);
	assert_string_equal(text_string(&out), "[xxxx]+");
	lines_done(&lines);
	text_done(&out);
}

static enum status refuse(void *context, const char *line, size_t length, struct error *error)
{
	unsigned *calls = context;

	(void)line;
	(void)length;
	(*calls)++;
	return error_set(error, STATUS_CANCELLED, "enough");
}

static void lines_feed__the_callback_has_enough__stops_at_once(void **state)
{
	struct lines lines;
	struct error error;
	unsigned calls = 0;

	(void)state;
	lines_init(&lines, LIMIT, refuse, &calls);
	assert_status(lines_feed(&lines, "a\nb\nc\n", 6, &error), STATUS_CANCELLED, &error);
	assert_int_equal(calls, 1);
	lines_done(&lines);
}

static void lines__no_memory__is_an_error_and_no_shorter_line(void **state)
{
	size_t before = memory_live_count();
	struct error error;
	struct text out;

	(void)state;
	text_init(&out);
	memory_fail_at(1);
	assert_status(feed_in_pieces("abc\n", 4, 4, &out, &error), STATUS_NO_MEMORY, &error);
	memory_fail_at(0);
	assert_string_equal(text_string(&out), "");
	text_done(&out);
	assert_int_equal(memory_live_count(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines__streams_cut_anywhere__give_the_same_lines),
	    cmocka_unit_test(lines__nul_bytes__are_bytes_like_others),
	    cmocka_unit_test(lines_feed__a_line_without_end__takes_no_more_memory_than_the_limit),
	    cmocka_unit_test(lines_feed__the_callback_has_enough__stops_at_once),
	    cmocka_unit_test(lines__no_memory__is_an_error_and_no_shorter_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
