/* SPDX-License-Identifier: Apache-2.0 */
#include <authorizer/inquiry_private.h>
#include <string.h>

/* What a change of the entry is told by. */
static const char *id_of(const struct dir_entry *entry)
{
	return entry->id == NULL ? entry->dn : entry->id;
}

/* Hashes of what the answer depends on beside the names; the entry's own id is the first. @return how many there are. */
static size_t depend_on_entries(const struct inquiry *inquiry, uint64_t hashes[CACHE_USER_BUCKETS])
{
	const struct membership *membership = inquiry->regime->membership;
	const char *name = inquiry->sender.user;
	size_t count = 0;

	if (inquiry->user != NULL) {
		hashes[0] = membership_id_hash(membership, id_of(inquiry->user));
		return 1 + membership_hashes(membership, inquiry->user, hashes + 1, CACHE_USER_BUCKETS - 1);
	}
	/* One of them may go, of which only the id is told. */
	for (const struct dir_entry *one = inquiry->several; one != NULL; one = one->next, count++)
		if (count < CACHE_USER_BUCKETS)
			hashes[count] = membership_id_hash(membership, id_of(one));
	if (count > 0)
		return count;
	hashes[0] = membership_name_hash(membership, name, strlen(name));
	return 1;
}

/* The buckets that the answer depends on: false when they are not known, or too many. */
static bool depend(const struct inquiry *inquiry, struct cache_entry *entry)
{
	const char *names[CACHE_FORM_BUCKETS] = {inquiry->sender.name, inquiry->sender.user};
	uint64_t hashes[CACHE_USER_BUCKETS] = {0};
	size_t count;

	if (inquiry->sender.user == NULL) /* a SID: nobody is told when another entry gets it */
		return false;
	for (size_t i = 0; i < CACHE_FORM_BUCKETS; i++)
		entry->form_buckets[i] =
		    epochs_bucket(membership_name_hash(inquiry->regime->membership, names[i], strlen(names[i])));
	count = depend_on_entries(inquiry, hashes);
	for (size_t i = 0; i < CACHE_USER_BUCKETS; i++)
		entry->user_buckets[i] = epochs_bucket(hashes[i < count ? i : 0]);
	if (inquiry->user != NULL)
		entry->id =
		    digest_of(&inquiry->regime->engine->form_key, id_of(inquiry->user), strlen(id_of(inquiry->user)));
	return count <= CACHE_USER_BUCKETS;
}

/* What it was made of may be older than the question. */
static uint64_t age_from(const struct inquiry *inquiry)
{
	uint64_t fresh_ms = inquiry->lookup.fresh_us / 1000;

	return fresh_ms < inquiry->asked_ms ? fresh_ms : inquiry->asked_ms;
}

void inquiry_keep(const struct inquiry *inquiry)
{
	struct cache_entry entry = {
	    .standing = inquiry->standing,
	    .dn = inquiry->findings.dn,
	    .id = inquiry->form,
	    .as_of = inquiry->as_of,
	    .asked_ms = age_from(inquiry),
	};

	if (inquiry->regime->cache == NULL || inquiry->standing.verdict == WA_ERROR || !depend(inquiry, &entry))
		return;
	cache_put(inquiry->regime->cache, inquiry->form, &entry);
}
