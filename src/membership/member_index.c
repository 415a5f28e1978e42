/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <membership/member_index.h>
#include <stdlib.h>
#include <string.h>

/* A fence for this many pairs on average: about one cache line to look through. */
#define PAIRS_PER_FENCE 8
#define MAX_FENCE_BITS  26

struct member_index {
	struct member_pair *pairs;
	size_t count;
	size_t capacity;
	uint64_t budget_bytes;
	/* fences[b] is the first pair whose leading bits are >= b; there is one behind the last. */
	uint32_t *fences;
	unsigned fence_bits;
};

struct member_index *member_index_new(uint64_t budget_bytes)
{
	struct member_index *index = memory_new(sizeof(*index));

	if (index != NULL)
		index->budget_bytes = budget_bytes;
	return index;
}

void member_index_free(struct member_index **index)
{
	if (*index == NULL)
		return;
	memory_free((*index)->pairs);
	memory_free((*index)->fences);
	memory_free(*index);
	*index = NULL;
}

enum status member_index_add(struct member_index *index, struct digest member, uint32_t group)
{
	if ((index->count + 1) * sizeof(*index->pairs) > index->budget_bytes || index->count >= UINT32_MAX - 1)
		return STATUS_LIMIT;
	if (!ARRAY_RESERVE(&index->pairs, &index->capacity, index->count + 1))
		return STATUS_NO_MEMORY;
	index->pairs[index->count].member = member;
	index->pairs[index->count].group = group;
	index->count++;
	return STATUS_OK;
}

static int compare_pairs(const void *left, const void *right)
{
	const struct member_pair *a = left, *b = right;
	int order = digest_compare(&a->member, &b->member);

	if (order != 0)
		return order;
	return (a->group > b->group) - (a->group < b->group);
}

static void drop_doubles(struct member_index *index)
{
	size_t kept = 0;

	for (size_t i = 0; i < index->count; i++)
		if (kept == 0 || compare_pairs(&index->pairs[kept - 1], &index->pairs[i]) != 0)
			index->pairs[kept++] = index->pairs[i];
	index->count = kept;
}

static size_t fence_of(const struct member_index *index, const struct digest *member)
{
	return index->fence_bits == 0 ? 0 : (size_t)(member->high >> (64 - index->fence_bits));
}

enum status member_index_seal(struct member_index *index)
{
	size_t fences = 1;

	memory_free(index->fences);
	index->fence_bits = 0;
	if (index->count > 1)
		qsort(index->pairs, index->count, sizeof(*index->pairs), compare_pairs);
	drop_doubles(index);
	while (fences * PAIRS_PER_FENCE < index->count && index->fence_bits < MAX_FENCE_BITS) {
		fences *= 2;
		index->fence_bits++;
	}
	index->fences = memory_new_array(fences + 1, sizeof(*index->fences));
	if (index->fences == NULL)
		return STATUS_NO_MEMORY;
	for (size_t i = 0, fence = 0; fence <= fences; fence++) {
		while (i < index->count && fence_of(index, &index->pairs[i].member) < fence)
			i++;
		index->fences[fence] = (uint32_t)i;
	}
	return STATUS_OK;
}

const struct member_pair *member_index_find(const struct member_index *index, struct digest member, size_t *count_out)
{
	size_t fence = fence_of(index, &member);
	size_t first = index->fences[fence];
	size_t end = index->fences[fence + 1];
	size_t last;

	while (first < end && digest_compare(&index->pairs[first].member, &member) < 0)
		first++;
	last = first;
	while (last < end && digest_compare(&index->pairs[last].member, &member) == 0)
		last++;
	*count_out = last - first;
	return index->count == 0 ? index->pairs : index->pairs + first;
}

const struct member_pair *member_index_pairs(const struct member_index *index)
{
	return index->pairs;
}

size_t member_index_count(const struct member_index *index)
{
	return index->count;
}

size_t member_index_bytes(const struct member_index *index)
{
	size_t fences = index->fences == NULL ? 0 : ((size_t)1 << index->fence_bits) + 1;

	return index->capacity * sizeof(*index->pairs) + fences * sizeof(*index->fences);
}
