/* SPDX-License-Identifier: Apache-2.0 */
/* Up-to-dateness vectors: every cursor lies inside the value, nothing is left over, and what is found is what stands there. */
#include "fuzz.h"

#include <directory/dir_vector.h>
#include <string.h>

#define HEADER_BYTES 16

void fuzz_one(const uint8_t *data, size_t size)
{
	static const uint8_t nobody[DIR_VECTOR_ID_BYTES] = {0xFE, 0xED};
	struct dir_vector vector;
	uint64_t usn;

	if (!dir_vector_parse(data, size, &vector))
		return;
	if (vector.cursors != data + HEADER_BYTES || HEADER_BYTES + vector.count * vector.stride != size)
		abort();
	for (size_t i = 0; i < vector.count; i++)
		if (!dir_vector_find(&vector, vector.cursors + i * vector.stride, &usn) || usn > INT64_MAX)
			abort();
	for (size_t i = 0; i < vector.count; i++)
		if (memcmp(vector.cursors + i * vector.stride, nobody, sizeof(nobody)) == 0)
			return;
	if (dir_vector_find(&vector, nobody, &usn))
		abort();
}
