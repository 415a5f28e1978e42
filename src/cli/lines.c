/* SPDX-License-Identifier: Apache-2.0 */
#include <cli/lines.h>
#include <string.h>

/* U+FEFF in UTF-8. */
static const char MARK[] = {'\xEF', '\xBB', '\xBF'};

void lines_init(struct lines *lines, size_t limit_bytes, line_fn *line, void *context)
{
	memset(lines, 0, sizeof(*lines));
	lines->limit_bytes = limit_bytes;
	lines->line = line;
	lines->context = context;
	text_init(&lines->pending);
}

void lines_done(struct lines *lines)
{
	text_done(&lines->pending);
}

/* Keep what has room: a mark, the limit, one byte that shows that the line is longer, and one for a CR. */
static void keep(struct lines *lines, const char *data, size_t length)
{
	size_t room = sizeof(MARK) + lines->limit_bytes + 2 - lines->pending.length;

	text_add_bytes(&lines->pending, data, length < room ? length : room);
	lines->has_begun = true;
}

/* How much of what is pending is a mark. */
static size_t mark_length(const struct lines *lines)
{
	bool is_marked = !lines->is_past_first && lines->pending.length >= sizeof(MARK) &&
			 memcmp(text_string(&lines->pending), MARK, sizeof(MARK)) == 0;

	return is_marked ? sizeof(MARK) : 0;
}

static enum status give(struct lines *lines, bool has_end, struct error *error)
{
	size_t skipped = mark_length(lines), longest = lines->limit_bytes + 1;
	const char *line = text_string(&lines->pending) + skipped;
	size_t length = lines->pending.length - skipped;
	enum status status;

	if (text_failed(&lines->pending))
		return error_no_memory(error);
	if (has_end && length > 0 && line[length - 1] == '\r')
		length--;
	status = lines->line(lines->context, line, length < longest ? length : longest, error);
	text_clear(&lines->pending);
	lines->has_begun = false;
	lines->is_past_first = true;
	return status;
}

enum status lines_feed(struct lines *lines, const char *data, size_t length, struct error *error)
{
	const char *end = data + length;

	while (data < end) {
		const char *line_end = memchr(data, '\n', (size_t)(end - data));
		enum status status;

		keep(lines, data, (size_t)((line_end != NULL ? line_end : end) - data));
		if (line_end == NULL)
			break;
		status = give(lines, true, error);
		if (status != STATUS_OK)
			return status;
		data = line_end + 1;
	}
	return STATUS_OK;
}

enum status lines_end(struct lines *lines, struct error *error)
{
	size_t skipped = mark_length(lines);

	/* A file that holds a mark alone is an empty one. */
	if (!lines->has_begun || (skipped > 0 && lines->pending.length == skipped))
		return STATUS_OK;
	return give(lines, false, error);
}
