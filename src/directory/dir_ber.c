/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_ber.h>

#include <stdint.h>

struct dir_span dir_span_skip(struct dir_span span, size_t length)
{
	return (struct dir_span){span.data + length, span.length - length};
}

bool dir_ber_is_next(struct dir_span span, int tag)
{
	return span.length > 0 && (unsigned char)span.data[0] == tag;
}

/* Take the length octets (X.690 8.1.3, the definite forms). */
static bool take_length(struct dir_span *from, size_t *length_out)
{
	size_t octets, length;

	if (from->length == 0)
		return false;
	length = (unsigned char)from->data[0];
	*from = dir_span_skip(*from, 1);
	if (length >= 0x80) {
		octets = length & 0x7f;
		if (octets == 0 || octets > sizeof(uint32_t) || octets > from->length)
			return false;
		for (length = 0; octets > 0; octets--, *from = dir_span_skip(*from, 1))
			length = length << 8 | (unsigned char)from->data[0];
	}
	*length_out = length;
	return true;
}

bool dir_ber_take(struct dir_span *from, int tag, struct dir_span *content_out)
{
	size_t length;

	if (!dir_ber_is_next(*from, tag))
		return false;
	*from = dir_span_skip(*from, 1);
	if (!take_length(from, &length) || length > from->length)
		return false;
	*content_out = (struct dir_span){from->data, length};
	*from = dir_span_skip(*from, length);
	return true;
}

bool dir_ber_take_whole(const char *data, size_t length, int tag, struct dir_span *content_out)
{
	struct dir_span whole = {data, length};

	return dir_ber_take(&whole, tag, content_out) && whole.length == 0;
}
