/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <membership/member_set.h>
#include <stdatomic.h>
#include <stdlib.h>

struct member_set {
	atomic_size_t references;
	struct digest *digests;
	size_t count, capacity;
};

struct member_set *member_set_new(void)
{
	struct member_set *set = memory_new(sizeof(*set));

	if (set != NULL)
		atomic_init(&set->references, 1);
	return set;
}

struct member_set *member_set_ref(struct member_set *set)
{
	atomic_fetch_add_explicit(&set->references, 1, memory_order_relaxed);
	return set;
}

void member_set_unref(struct member_set **reference)
{
	struct member_set *set = *reference;

	*reference = NULL;
	if (set == NULL || atomic_fetch_sub_explicit(&set->references, 1, memory_order_acq_rel) != 1)
		return;
	memory_free(set->digests);
	memory_free(set);
}

bool member_set_add(struct member_set *set, struct digest member)
{
	if (!ARRAY_RESERVE(&set->digests, &set->capacity, set->count + 1))
		return false;
	set->digests[set->count++] = member;
	return true;
}

static int compare(const void *left, const void *right)
{
	return digest_compare(left, right);
}

void member_set_seal(struct member_set *set)
{
	size_t kept = 0;

	if (set->count > 1)
		qsort(set->digests, set->count, sizeof(*set->digests), compare);
	for (size_t i = 0; i < set->count; i++)
		if (kept == 0 || digest_compare(&set->digests[kept - 1], &set->digests[i]) != 0)
			set->digests[kept++] = set->digests[i];
	set->count = kept;
}

bool member_set_has(const struct member_set *set, struct digest member)
{
	return set->count > 0 && bsearch(&member, set->digests, set->count, sizeof(member), compare) != NULL;
}

size_t member_set_count(const struct member_set *set)
{
	return set->count;
}

size_t member_set_bytes(const struct member_set *set)
{
	return set->capacity * sizeof(*set->digests);
}

bool member_set_differ(const struct member_set *a, const struct member_set *b, struct member_set *difference)
{
	size_t i = 0, k = 0;

	while (i < a->count || k < b->count) {
		int order = i == a->count ? 1 : k == b->count ? -1 : digest_compare(&a->digests[i], &b->digests[k]);

		if (order != 0 && !member_set_add(difference, order < 0 ? a->digests[i] : b->digests[k]))
			return false;
		i += order <= 0;
		k += order >= 0;
	}
	return true;
}

const struct digest *member_set_digests(const struct member_set *set)
{
	return set->digests;
}
