/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the cache share: a policy with rules and sites, and entries that are made from two numbers. Include support/assertions.h before. */
#ifndef WSMAUTHZ_TESTS_AUTHORIZER_CACHE_RIG_H
#define WSMAUTHZ_TESTS_AUTHORIZER_CACHE_RIG_H

#include <authorizer/cache.h>
#include <base/memory.h>
#include <stdbool.h>
#include <string.h>

#define RIG_RULES 1024
#define RIG_SITES 3
#define RIG_URIS  16
#define RIG_ROOMY (UINT64_C(1) << 30)

static struct config_rule rig_rules[RIG_RULES];
static struct config_site rig_sites[RIG_SITES] = {{.uri_count = RIG_URIS}, {.uri_count = 1}, {.uri_count = 2}};
static const struct config rig_config = {
    .rules = rig_rules,
    .rule_count = RIG_RULES,
    .redirect = {.sites = rig_sites, .site_count = RIG_SITES},
};

static const struct digest_key rig_key = {0x77736D, 0x617574687A};

/* A form and an id of this number. */
static inline struct digest rig_form(uint64_t number)
{
	return digest_of(&rig_key, &number, sizeof(number));
}

static inline struct digest rig_id(uint64_t number)
{
	return rig_form(number | UINT64_C(1) << 63);
}

/* A hash that falls into this bucket. */
static inline uint64_t rig_hash(uint16_t bucket)
{
	return (uint64_t)bucket << 48 | 0x123456789ABC;
}

/* Authorized, by a rule, with nothing special; buckets 1 to 4 are the user's, 11 and 12 the form's. */
static inline struct cache_entry rig_entry(uint64_t user, uint64_t as_of)
{
	return (struct cache_entry){
	    .standing = {.verdict = WA_AUTHORIZE,
			 .reason = WA_REASON_MEMBER,
			 .rule = (size_t)(user % RIG_RULES),
			 .quota = {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX},
			 .site = POLICY_NO_SITE,
			 .until_s = INT64_MAX},
	    .dn = "uid=alice,ou=people,dc=corp,dc=example",
	    .id = rig_id(user),
	    .as_of = as_of,
	    .asked_ms = 1000 + as_of,
	    .user_buckets = {1, 2, 3, 4},
	    .form_buckets = {11, 12},
	};
}

struct rig {
	struct epochs *epochs;
	struct cache *cache;
};

static inline void rig_open(struct rig *rig, uint64_t max_entries, uint64_t max_bytes)
{
	rig->epochs = epochs_new();
	assert_non_null(rig->epochs);
	rig->cache = cache_open(&rig_config, rig->epochs, max_entries, max_bytes);
	assert_non_null(rig->cache);
}

static inline void rig_put(struct rig *rig, uint64_t form, uint64_t user)
{
	struct cache_entry entry = rig_entry(user, epochs_now(rig->epochs));

	cache_put(rig->cache, rig_form(form), &entry);
}

static inline bool rig_is_known(const struct rig *rig, uint64_t form)
{
	struct cache_hit hit;

	return cache_find(rig->cache, rig_form(form), &hit);
}

static inline bool rig_is_usable(const struct rig *rig, uint64_t form)
{
	struct cache_hit hit;

	return cache_find(rig->cache, rig_form(form), &hit) && hit.is_unchanged;
}

static inline void rig_close(struct rig *rig)
{
	cache_close(&rig->cache);
	memory_free(rig->epochs);
}

#endif
