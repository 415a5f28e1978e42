/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_sync.h>

#include <base/memory.h>
#include <stdlib.h>
#include <string.h>

/* RFC 4533 2.2 */
#define MODE_REFRESH_AND_PERSIST 3

#define UUID_BYTES               16

/* Identifier octets beside those of dir_ber.h. */
enum {
	TAG_NEW_COOKIE = 0x80,
	TAG_REFRESH_DELETE = 0xa1,
	TAG_REFRESH_PRESENT = 0xa2,
	TAG_ID_SET = 0xa3,
};

/* X.690 8.2. RFC 4511 5.1 says TRUE is 0xff; any other octet that is not zero means the same. */
static bool take_optional_boolean(struct dir_span *from, bool *value)
{
	struct dir_span content;

	if (!dir_ber_is_next(*from, DIR_BER_BOOLEAN))
		return true;
	if (!dir_ber_take(from, DIR_BER_BOOLEAN, &content) || content.length != 1)
		return false;
	*value = content.data[0] != 0;
	return true;
}

static bool take_optional_cookie(struct dir_span *from, struct dir_span *cookie_out)
{
	return !dir_ber_is_next(*from, DIR_BER_OCTETS) || dir_ber_take(from, DIR_BER_OCTETS, cookie_out);
}

static bool take_state(struct dir_span *from, enum dir_sync_state *state_out)
{
	struct dir_span content;

	if (!dir_ber_take(from, DIR_BER_ENUMERATED, &content) || content.length != 1 ||
	    (unsigned char)content.data[0] > DIR_SYNC_DELETE)
		return false;
	*state_out = (enum dir_sync_state)content.data[0];
	return true;
}

/* RFC 4122 section 3 */
static void write_id(const char *uuid, char id_out[DIR_SYNC_ID_BYTES])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < UUID_BYTES; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*id_out++ = '-';
		*id_out++ = digits[(unsigned char)uuid[i] >> 4];
		*id_out++ = digits[(unsigned char)uuid[i] & 0x0f];
	}
	*id_out = '\0';
}

static bool take_id(struct dir_span *from, char id_out[DIR_SYNC_ID_BYTES])
{
	struct dir_span content;

	if (!dir_ber_take(from, DIR_BER_OCTETS, &content) || content.length != UUID_BYTES)
		return false;
	write_id(content.data, id_out);
	return true;
}

/* X.690 8.1.3.5, the long form, with four octets however small the number. */
#define LONG_LENGTH_BYTES 5

static void put_header(struct text *to, int tag, size_t length)
{
	const unsigned char header[] = {
	    (unsigned char)tag,
	    0x84,
	    (unsigned char)(length >> 24),
	    (unsigned char)(length >> 16),
	    (unsigned char)(length >> 8),
	    (unsigned char)length,
	};

	text_add_bytes(to, header, sizeof(header));
}

enum status dir_sync_encode_request(const char *cookie, struct text *value)
{
	static const unsigned char mode[] = {DIR_BER_ENUMERATED, 1, MODE_REFRESH_AND_PERSIST};
	const size_t length = strlen(cookie);

	text_clear(value);
	/* The reload hint is FALSE by default, and so not sent (RFC 4511 5.1). */
	put_header(value, DIR_BER_SEQUENCE, sizeof(mode) + 1 + LONG_LENGTH_BYTES + length);
	text_add_bytes(value, mode, sizeof(mode));
	put_header(value, DIR_BER_OCTETS, length);
	text_add_bytes(value, cookie, length);
	return text_failed(value) ? STATUS_NO_MEMORY : STATUS_OK;
}

bool dir_sync_decode_entry(const char *data, size_t length, struct dir_sync_entry *entry_out)
{
	struct dir_sync_entry entry = {.state = DIR_SYNC_PRESENT};
	struct dir_span content;

	if (!dir_ber_take_whole(data, length, DIR_BER_SEQUENCE, &content) || !take_state(&content, &entry.state) ||
	    !take_id(&content, entry.id) || !take_optional_cookie(&content, &entry.cookie) || content.length > 0)
		return false;
	*entry_out = entry;
	return true;
}

bool dir_sync_decode_done(const char *data, size_t length, struct dir_sync_done *done_out)
{
	struct dir_sync_done done = {.refresh_deletes = false};
	struct dir_span content;

	if (!dir_ber_take_whole(data, length, DIR_BER_SEQUENCE, &content) ||
	    !take_optional_cookie(&content, &done.cookie) || !take_optional_boolean(&content, &done.refresh_deletes) ||
	    content.length > 0)
		return false;
	*done_out = done;
	return true;
}

static bool decode_refresh(struct dir_span content, struct dir_sync_info *info)
{
	info->refresh_done = true;
	return take_optional_cookie(&content, &info->cookie) && take_optional_boolean(&content, &info->refresh_done) &&
	       content.length == 0;
}

static bool decode_id_set(struct dir_span content, struct dir_sync_info *info)
{
	char id[DIR_SYNC_ID_BYTES];
	struct dir_span ids;

	if (!take_optional_cookie(&content, &info->cookie) ||
	    !take_optional_boolean(&content, &info->refresh_deletes) ||
	    !dir_ber_take(&content, DIR_BER_SET, &info->ids) || content.length > 0)
		return false;
	for (ids = info->ids; ids.length > 0;)
		if (!take_id(&ids, id))
			return false;
	return true;
}

bool dir_sync_decode_info(const char *data, size_t length, struct dir_sync_info *info_out)
{
	struct dir_sync_info info = {.kind = DIR_SYNC_NEW_COOKIE};
	struct dir_span content;
	bool is_good = false;

	if (dir_ber_take_whole(data, length, TAG_NEW_COOKIE, &info.cookie)) {
		is_good = true;
	} else if (dir_ber_take_whole(data, length, TAG_REFRESH_DELETE, &content)) {
		info.kind = DIR_SYNC_REFRESH_DELETE;
		is_good = decode_refresh(content, &info);
	} else if (dir_ber_take_whole(data, length, TAG_REFRESH_PRESENT, &content)) {
		info.kind = DIR_SYNC_REFRESH_PRESENT;
		is_good = decode_refresh(content, &info);
	} else if (dir_ber_take_whole(data, length, TAG_ID_SET, &content)) {
		info.kind = DIR_SYNC_ID_SET;
		is_good = decode_id_set(content, &info);
	}
	if (is_good)
		*info_out = info;
	return is_good;
}

bool dir_sync_next_id(struct dir_sync_info *info, char id_out[DIR_SYNC_ID_BYTES])
{
	return take_id(&info->ids, id_out);
}

/* Marks */

/* "20260101000000.000001Z#000000#000#000000": nothing in it is special in a mark or in a cookie. */
static bool is_csn(const struct dir_value *value)
{
	static const char allowed[] = "0123456789abcdefABCDEFZ.#";

	for (size_t i = 0; i < value->length; i++)
		if (value->data[i] == '\0' || strchr(allowed, value->data[i]) == NULL)
			return false;
	return value->length > 0;
}

static int compare_values(const void *left, const void *right)
{
	const struct dir_value *a = left, *b = right;
	const int order = memcmp(a->data, b->data, a->length < b->length ? a->length : b->length);

	return order != 0 ? order : (a->length > b->length) - (a->length < b->length);
}

static void join(const struct dir_value *values, size_t count, struct text *mark)
{
	text_clear(mark);
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			text_add_char(mark, ' ');
		text_add_bytes(mark, values[i].data, values[i].length);
	}
}

enum status dir_sync_join_values(const struct dir_value *values, size_t count, struct text *mark)
{
	struct dir_value *sorted;

	if (count == 0)
		return STATUS_NOT_FOUND;
	if (count > DIR_SYNC_MAX_VALUES)
		return STATUS_LIMIT;
	for (size_t i = 0; i < count; i++)
		if (!is_csn(&values[i]))
			return STATUS_INVALID;
	sorted = memory_new_array(count, sizeof(*sorted));
	if (sorted == NULL)
		return STATUS_NO_MEMORY;
	memcpy(sorted, values, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), compare_values);
	join(sorted, count, mark);
	memory_free(sorted);
	return text_failed(mark) ? STATUS_NO_MEMORY : STATUS_OK;
}

/* The part before `separator`, which is taken with it. False: nothing is left. */
static bool take_part(struct dir_span *from, char separator, struct dir_span *part_out)
{
	const char *end;
	size_t length = from->length;

	if (from->data == NULL)
		return false;
	end = from->length > 0 ? memchr(from->data, separator, from->length) : NULL;
	if (end != NULL)
		length = (size_t)(end - from->data);
	*part_out = (struct dir_span){from->data, length};
	*from = end != NULL ? dir_span_skip(*from, length + 1) : (struct dir_span){NULL, 0};
	return true;
}

/* The field "csn=" of a cookie. */
static bool find_values(struct dir_span cookie, struct dir_span *values_out)
{
	static const char name[] = "csn=";
	struct dir_span field;

	while (take_part(&cookie, ',', &field)) {
		if (field.length < sizeof(name) - 1 || memcmp(field.data, name, sizeof(name) - 1) != 0)
			continue;
		*values_out = dir_span_skip(field, sizeof(name) - 1);
		return true;
	}
	return false;
}

static size_t count_parts(struct dir_span span, char separator)
{
	struct dir_span part;
	size_t count = 0;

	while (take_part(&span, separator, &part))
		count++;
	return count;
}

enum status dir_sync_mark_of_cookie(struct dir_span cookie, struct text *mark)
{
	struct dir_span all = {NULL, 0}, part;
	struct dir_value *values;
	enum status status;
	size_t count;

	if (!find_values(cookie, &all))
		return STATUS_NOT_FOUND;
	count = count_parts(all, ';');
	if (count > DIR_SYNC_MAX_VALUES)
		return STATUS_LIMIT;
	values = memory_new_array(count, sizeof(*values));
	if (values == NULL)
		return STATUS_NO_MEMORY;
	for (size_t i = 0; take_part(&all, ';', &part); i++)
		values[i] = (struct dir_value){part.data, part.length};
	status = dir_sync_join_values(values, count, mark);
	memory_free(values);
	return status;
}

enum status dir_sync_cookie_of_mark(const char *mark, struct text *cookie)
{
	text_clear(cookie);
	text_add(cookie, "rid=000,csn=");
	for (; *mark != '\0'; mark++)
		text_add_char(cookie, (char)(*mark == ' ' ? ';' : *mark));
	return text_failed(cookie) ? STATUS_NO_MEMORY : STATUS_OK;
}
