/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The first capacity of a growing array. */
#define RESERVE_MIN_COUNT 8

void *memory_new(size_t size)
{
	/* calloc(0) may return NULL, which our callers take for no memory. */
	return calloc(1, size > 0 ? size : 1);
}

void *memory_new_array(size_t count, size_t size)
{
	if (size != 0 && count > SIZE_MAX / size)
		return NULL;
	return memory_new(count * size);
}

void *memory_resize(void *block, size_t count, size_t size)
{
	if (size != 0 && count > SIZE_MAX / size)
		return NULL;
	/* realloc(block, 0) may free the block and return NULL. */
	return realloc(block, count * size > 0 ? count * size : 1);
}

char *memory_copy_text(const char *text)
{
	return memory_copy_bytes(text, strlen(text));
}

char *memory_copy_bytes(const void *data, size_t length)
{
	char *copy;

	if (length == SIZE_MAX)
		return NULL;
	copy = memory_new(length + 1);
	if (copy != NULL && length > 0)
		memcpy(copy, data, length);
	return copy;
}

void memory_free(void *block)
{
	free(block);
}

void memory_wipe(void *block, size_t size)
{
	volatile unsigned char *byte = block;

	while (size-- > 0)
		*byte++ = 0;
}

int memory_reserve(void **array, size_t *capacity, size_t needed, size_t size)
{
	size_t wanted = *capacity > 0 ? *capacity : RESERVE_MIN_COUNT;
	void *old, *grown;

	if (needed <= *capacity)
		return 1;
	while (wanted < needed)
		wanted = wanted > SIZE_MAX / 2 ? needed : wanted * 2;
	/* The caller's pointer is of another type than void *: reading it through `array` would break aliasing rules. */
	memcpy(&old, array, sizeof(old));
	grown = memory_resize(old, wanted, size);
	if (grown == NULL)
		return 0;
	memcpy(array, &grown, sizeof(grown));
	*capacity = wanted;
	return 1;
}
