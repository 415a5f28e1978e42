/* SPDX-License-Identifier: Apache-2.0 */
#include <base/arena.h>

#include <base/memory.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define CHUNK_MIN_BYTES 2048
#define CHUNK_MAX_BYTES ((size_t)64 * 1024)
/* What is larger than this share of a chunk gets a chunk of its own, so that little of the current one is wasted. */
#define CHUNK_SHARE 4

struct chunk {
	struct chunk *next;
	size_t size; /* of data */
	size_t used;
	_Alignas(max_align_t) unsigned char data[];
};

struct arena {
	struct chunk *chunks; /* the first is the one that is filled */
	size_t chunk_bytes;   /* size of the next ordinary chunk */
	size_t limit;
	size_t used;
	bool hit_limit;
};

static struct chunk *chunk_new(size_t size)
{
	struct chunk *chunk;

	if (size > SIZE_MAX - sizeof(*chunk))
		return NULL;
	chunk = memory_new(sizeof(*chunk) + size);
	if (chunk != NULL)
		chunk->size = size;
	return chunk;
}

/* A chunk for `size` bytes only; it stands behind the one that is filled. */
static struct chunk *add_own_chunk(struct arena *arena, size_t size)
{
	struct chunk *chunk = chunk_new(size);

	if (chunk == NULL)
		return NULL;
	if (arena->chunks == NULL) {
		arena->chunks = chunk;
	} else {
		chunk->next = arena->chunks->next;
		arena->chunks->next = chunk;
	}
	return chunk;
}

static struct chunk *add_chunk(struct arena *arena)
{
	struct chunk *chunk = chunk_new(arena->chunk_bytes);

	if (chunk == NULL)
		return NULL;
	chunk->next = arena->chunks;
	arena->chunks = chunk;
	if (arena->chunk_bytes < CHUNK_MAX_BYTES)
		arena->chunk_bytes *= 2;
	return chunk;
}

static struct chunk *chunk_with_room(struct arena *arena, size_t size)
{
	struct chunk *first = arena->chunks;

	if (first != NULL && first->size - first->used >= size)
		return first;
	if (size > arena->chunk_bytes / CHUNK_SHARE)
		return add_own_chunk(arena, size);
	return add_chunk(arena);
}

struct arena *arena_new(size_t limit_bytes)
{
	struct arena *arena = memory_new(sizeof(*arena));

	if (arena == NULL)
		return NULL;
	arena->limit = limit_bytes;
	arena->chunk_bytes = CHUNK_MIN_BYTES;
	return arena;
}

void arena_free(struct arena **arena)
{
	struct chunk *chunk, *next;

	if (*arena == NULL)
		return;
	for (chunk = (*arena)->chunks; chunk != NULL; chunk = next) {
		next = chunk->next;
		memory_free(chunk);
	}
	memory_free(*arena);
	*arena = NULL;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	const size_t align = _Alignof(max_align_t);
	struct chunk *chunk;
	void *block;

	if (size > arena->limit || size > SIZE_MAX - align) {
		arena->hit_limit = true;
		return NULL;
	}
	/* Nothing still takes something, so that no two allocations are at one address. */
	size = size > 0 ? (size + align - 1) / align * align : align;
	if (size > arena->limit - arena->used) {
		arena->hit_limit = true;
		return NULL;
	}
	chunk = chunk_with_room(arena, size);
	if (chunk == NULL)
		return NULL;
	block = chunk->data + chunk->used;
	chunk->used += size;
	arena->used += size;
	return block;
}

void *arena_alloc_array(struct arena *arena, size_t count, size_t size)
{
	if (size != 0 && count > SIZE_MAX / size) {
		arena->hit_limit = true;
		return NULL;
	}
	return arena_alloc(arena, count * size);
}

char *arena_copy_text(struct arena *arena, const char *text)
{
	return arena_copy_bytes(arena, text, strlen(text));
}

char *arena_copy_bytes(struct arena *arena, const void *data, size_t length)
{
	char *copy;

	if (length == SIZE_MAX) {
		arena->hit_limit = true;
		return NULL;
	}
	copy = arena_alloc(arena, length + 1);
	if (copy != NULL && length > 0)
		memcpy(copy, data, length);
	return copy;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list arguments;
	char *out = NULL;
	int length;

	va_start(arguments, format);
	length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (length < 0)
		return NULL;
	out = arena_alloc(arena, (size_t)length + 1);
	if (out == NULL)
		return NULL;
	va_start(arguments, format);
	length = vsnprintf(out, (size_t)length + 1, format, arguments);
	va_end(arguments);
	return length < 0 ? NULL : out;
}

bool arena_hit_limit(const struct arena *arena)
{
	return arena->hit_limit;
}

size_t arena_used_bytes(const struct arena *arena)
{
	return arena->used;
}
