/* SPDX-License-Identifier: Apache-2.0 */
#include <support/memory_failing.h>

#include <base/memory.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Small, so that arrays move often: a pointer kept across a growth shows under a sanitizer. */
#define RESERVE_MIN_COUNT 1

static atomic_size_t asked, live, fail_first, fail_last;

void memory_fail_at(size_t n)
{
	atomic_store(&fail_first, n);
	atomic_store(&fail_last, n);
	atomic_store(&asked, 0);
}

void memory_fail_from(size_t n)
{
	atomic_store(&fail_first, n);
	atomic_store(&fail_last, n > 0 ? SIZE_MAX : 0);
	atomic_store(&asked, 0);
}

size_t memory_fail_count(void)
{
	return atomic_load(&asked);
}

size_t memory_live_count(void)
{
	return atomic_load(&live);
}

static bool must_fail(void)
{
	size_t number = atomic_fetch_add(&asked, 1) + 1;

	return number >= atomic_load(&fail_first) && number <= atomic_load(&fail_last);
}

void *memory_new(size_t size)
{
	void *block = must_fail() ? NULL : calloc(1, size > 0 ? size : 1);

	if (block != NULL)
		atomic_fetch_add(&live, 1);
	return block;
}

void *memory_new_array(size_t count, size_t size)
{
	return size != 0 && count > SIZE_MAX / size ? NULL : memory_new(count * size);
}

void *memory_resize(void *block, size_t count, size_t size)
{
	void *grown;

	if ((size != 0 && count > SIZE_MAX / size) || must_fail())
		return NULL;
	grown = realloc(block, count * size > 0 ? count * size : 1);
	if (grown != NULL && block == NULL)
		atomic_fetch_add(&live, 1);
	return grown;
}

char *memory_copy_text(const char *text)
{
	return memory_copy_bytes(text, strlen(text));
}

char *memory_copy_bytes(const void *data, size_t length)
{
	char *copy = length < SIZE_MAX ? memory_new(length + 1) : NULL;

	if (copy != NULL && length > 0)
		memcpy(copy, data, length);
	return copy;
}

void memory_free(void *block)
{
	if (block != NULL)
		atomic_fetch_sub(&live, 1);
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
	memcpy(&old, array, sizeof(old));
	grown = memory_resize(old, wanted, size);
	if (grown == NULL)
		return 0;
	memcpy(array, &grown, sizeof(grown));
	*capacity = wanted;
	return 1;
}
