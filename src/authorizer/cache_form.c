/* SPDX-License-Identifier: Apache-2.0 */
#include <authorizer/cache_form.h>

#include <assert.h>
#include <base/memory.h>
#include <string.h>

#define USER_BITS 24
#define USER_MASK ((UINT64_C(1) << USER_BITS) - 1)
#define NO_SLOT   UINT32_MAX

static_assert(CACHE_USERS_MAX <= USER_MASK, "a user's line fits its field");
static_assert(CACHE_FORM_MAX_AS_OF << USER_BITS >> USER_BITS == CACHE_FORM_MAX_AS_OF, "as_of fits its field");
static_assert(CACHE_FORM_BUCKETS == 2, "the buckets are half a word");

/* How little it would be missed; the least is replaced. */
enum worth { WORTH_NOTHING = 0, WORTH_CHANGED, WORTH_NOT_READ, WORTH_READ };

static size_t slot_count(uint32_t homes)
{
	/* The windows of the last homes end behind them: cheaper than going around. */
	return homes > 0 ? (size_t)homes + CACHE_FORM_WINDOW - 1 : 0;
}

bool cache_forms_init(struct cache_forms *forms, uint32_t homes)
{
	memset(forms, 0, sizeof(*forms));
	forms->slots = memory_new_array(slot_count(homes), sizeof(*forms->slots));
	forms->serials = memory_new_array(slot_count(homes), sizeof(*forms->serials));
	if (forms->slots == NULL || forms->serials == NULL) {
		cache_forms_done(forms);
		return false;
	}
	forms->homes = homes;
	return true;
}

void cache_forms_done(struct cache_forms *forms)
{
	memory_free(forms->slots);
	memory_free(forms->serials);
	memset(forms, 0, sizeof(*forms));
}

static uint64_t tag_of(struct digest digest)
{
	return digest.high != 0 ? digest.high : 1;
}

static uint32_t home_of(const struct cache_forms *forms, struct digest digest)
{
	return (uint32_t)((digest.low >> 32) * forms->homes >> 32);
}

static const _Atomic uint64_t *version_of(const struct cache_forms *forms, uint32_t at)
{
	return &forms->versions[at % CACHE_FORM_VERSIONS];
}

/* The slot that has the digest's tag, or NO_SLOT. */
static uint32_t find_slot(const struct cache_forms *forms, struct digest digest)
{
	uint64_t tag = tag_of(digest);
	uint32_t home = home_of(forms, digest), i;

	if (forms->homes == 0)
		return NO_SLOT;
	for (i = 0; i < CACHE_FORM_WINDOW; i++)
		if (atomic_load_explicit(&forms->slots[home + i].tag, memory_order_relaxed) == tag)
			return home + i;
	return NO_SLOT;
}

static void unpack(uint64_t key, uint64_t place, struct cache_form *form_out)
{
	form_out->buckets[0] = (uint16_t)(key & 0xFFFF);
	form_out->buckets[1] = (uint16_t)(key >> 16 & 0xFFFF);
	form_out->user = (uint32_t)(place & USER_MASK);
	form_out->as_of = place >> USER_BITS;
}

bool cache_forms_find(const struct cache_forms *forms, struct digest digest, struct cache_form *form_out)
{
	uint32_t at = find_slot(forms, digest);
	uint64_t version, tag, key, place;

	if (at == NO_SLOT)
		return false;
	version = atomic_load_explicit(version_of(forms, at), memory_order_acquire);
	tag = atomic_load_explicit(&forms->slots[at].tag, memory_order_acquire);
	key = atomic_load_explicit(&forms->slots[at].key, memory_order_acquire);
	place = atomic_load_explicit(&forms->slots[at].place, memory_order_acquire);
	if (tag != tag_of(digest) || (version & 1) != 0 ||
	    atomic_load_explicit(version_of(forms, at), memory_order_relaxed) != version)
		return false;
	unpack(key, place, form_out);
	form_out->serial = (uint32_t)(key >> 32) ^ (uint32_t)digest.low;
	return true;
}

static void write_slot(struct cache_forms *forms, uint32_t at, uint64_t tag, uint64_t key, uint64_t place)
{
	_Atomic uint64_t *version = &forms->versions[at % CACHE_FORM_VERSIONS];
	uint64_t before = atomic_load_explicit(version, memory_order_relaxed);

	atomic_store_explicit(version, before | 1, memory_order_relaxed);
	atomic_store_explicit(&forms->slots[at].tag, tag, memory_order_release);
	atomic_store_explicit(&forms->slots[at].key, key, memory_order_release);
	atomic_store_explicit(&forms->slots[at].place, place, memory_order_release);
	atomic_store_explicit(version, before + 2, memory_order_release);
}

static void read_slot(const struct cache_forms *forms, uint32_t at, struct cache_form *form_out)
{
	unpack(atomic_load_explicit(&forms->slots[at].key, memory_order_relaxed),
	       atomic_load_explicit(&forms->slots[at].place, memory_order_relaxed), form_out);
}

static enum worth worth_of(const struct cache_forms *forms, const struct cache_users *users,
			   const struct epochs *epochs, uint32_t at, uint64_t *as_of_out)
{
	struct cache_form form;

	*as_of_out = 0;
	if (atomic_load_explicit(&forms->slots[at].tag, memory_order_relaxed) == 0)
		return WORTH_NOTHING;
	read_slot(forms, at, &form);
	/* One serial in 256 looks alive though its user is gone. It only stays longer than it should; nobody finds anybody by it. */
	if (forms->serials[at] != (uint8_t)cache_users_serial(users, form.user))
		return WORTH_NOTHING;
	*as_of_out = form.as_of;
	if (!epochs_all_hold(epochs, form.as_of) || !epochs_holds(epochs, form.buckets[0], form.as_of) ||
	    !epochs_holds(epochs, form.buckets[1], form.as_of))
		return WORTH_CHANGED;
	return cache_users_is_marked(users, form.user) ? WORTH_READ : WORTH_NOT_READ;
}

/* The slot for a form that has none. */
static uint32_t choose_slot(const struct cache_forms *forms, const struct cache_users *users,
			    const struct epochs *epochs, struct digest digest)
{
	uint32_t home = home_of(forms, digest), chosen = home, i;
	uint64_t as_of, chosen_as_of = UINT64_MAX;
	enum worth worth, least = WORTH_READ;

	for (i = 0; i < CACHE_FORM_WINDOW; i++) {
		worth = worth_of(forms, users, epochs, home + i, &as_of);
		if (worth < least || (worth == least && as_of < chosen_as_of)) {
			chosen = home + i;
			least = worth;
			chosen_as_of = as_of;
		}
		if (worth == WORTH_NOTHING)
			break;
	}
	return chosen;
}

void cache_forms_put(struct cache_forms *forms, const struct cache_users *users, const struct epochs *epochs,
		     struct digest digest, const struct cache_form *form)
{
	uint32_t at = find_slot(forms, digest);

	assert(forms->homes > 0 && form->as_of <= CACHE_FORM_MAX_AS_OF);
	if (at == NO_SLOT)
		at = choose_slot(forms, users, epochs, digest);
	if (atomic_load_explicit(&forms->slots[at].tag, memory_order_relaxed) == 0)
		forms->used++;
	forms->serials[at] = (uint8_t)form->serial;
	write_slot(forms, at, tag_of(digest),
		   (uint64_t)((uint32_t)digest.low ^ form->serial) << 32 | (uint64_t)form->buckets[1] << 16 |
		       form->buckets[0],
		   form->as_of << USER_BITS | form->user);
}

static void clear_slot(struct cache_forms *forms, uint32_t at)
{
	write_slot(forms, at, 0, 0, 0);
	forms->used--;
}

void cache_forms_drop(struct cache_forms *forms, struct digest digest)
{
	uint32_t at = find_slot(forms, digest);

	if (at != NO_SLOT)
		clear_slot(forms, at);
}

void cache_forms_drop_user(struct cache_forms *forms, uint32_t user)
{
	struct cache_form form;
	size_t at;

	for (at = 0; at < slot_count(forms->homes); at++) {
		read_slot(forms, (uint32_t)at, &form);
		if (form.user == user && atomic_load_explicit(&forms->slots[at].tag, memory_order_relaxed) != 0)
			clear_slot(forms, (uint32_t)at);
	}
}

size_t cache_forms_slot_bytes(void)
{
	return sizeof(struct cache_form_slot) + sizeof(uint8_t);
}

size_t cache_forms_bytes(uint32_t homes)
{
	return slot_count(homes) * cache_forms_slot_bytes();
}
