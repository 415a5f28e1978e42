/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_vector.h>

#include <string.h>

/* dwVersion, dwReserved1, cNumCursors, dwReserved2; all numbers are little-endian. */
#define HEADER_BYTES 16
#define COUNT_AT     8
/* uuidDsa, usnHighPropUpdate; version 2 also timeLastSyncSuccess. */
#define CURSOR_V1_BYTES 24
#define CURSOR_V2_BYTES 32

static uint64_t number_at(const uint8_t *data, size_t bytes)
{
	uint64_t number = 0;

	for (size_t i = bytes; i > 0; i--)
		number = number << 8 | data[i - 1];
	return number;
}

static const uint8_t *cursor_at(const struct dir_vector *vector, size_t i)
{
	return vector->cursors + i * vector->stride;
}

static uint64_t usn_of(const uint8_t *cursor)
{
	return number_at(cursor + DIR_VECTOR_ID_BYTES, sizeof(uint64_t));
}

bool dir_vector_parse(const void *data, size_t length, struct dir_vector *vector_out)
{
	const uint8_t *bytes = data;
	struct dir_vector vector;
	uint64_t version;

	if (length < HEADER_BYTES)
		return false;
	version = number_at(bytes, sizeof(uint32_t));
	vector.count = (size_t)number_at(bytes + COUNT_AT, sizeof(uint32_t));
	vector.stride = version == 1 ? CURSOR_V1_BYTES : CURSOR_V2_BYTES;
	vector.cursors = bytes + HEADER_BYTES;
	if (version < 1 || version > 2 || vector.count > DIR_VECTOR_MAX_CURSORS ||
	    length - HEADER_BYTES != vector.count * vector.stride)
		return false;
	for (size_t i = 0; i < vector.count; i++)
		if (usn_of(cursor_at(&vector, i)) > INT64_MAX)
			return false;
	*vector_out = vector;
	return true;
}

bool dir_vector_find(const struct dir_vector *vector, const uint8_t id[DIR_VECTOR_ID_BYTES], uint64_t *usn_out)
{
	bool is_there = false;

	for (size_t i = 0; i < vector->count; i++) {
		const uint8_t *cursor = cursor_at(vector, i);

		if (memcmp(cursor, id, DIR_VECTOR_ID_BYTES) != 0)
			continue;
		if (!is_there || usn_of(cursor) < *usn_out)
			*usn_out = usn_of(cursor);
		is_there = true;
	}
	return is_there;
}
