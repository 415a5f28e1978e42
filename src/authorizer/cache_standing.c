/* SPDX-License-Identifier: Apache-2.0 */
#include <authorizer/cache_standing.h>

#include <assert.h>
#include <authorizer/cache.h>
#include <base/memory.h>
#include <string.h>

/* Where each field begins, and the values that fit. */
#define RULE_AT       0
#define SITE_AT       11
#define NUMBER_MASK   0x7FFu /* of rules and of sites; the greatest is none */
#define URI_AT        22
#define URI_MASK      0xFu
#define QUOTA_AT      26
#define QUOTA_MASK    0xFFFu
#define REASON_AT     38
#define REASON_MASK   0xFFu
#define ADMINISTRATOR (UINT64_C(1) << 46)
#define FRESH         (UINT64_C(1) << 47)
#define AUTHORIZE     (UINT64_C(1) << 48)

static_assert(CONFIG_MAX_RULES <= NUMBER_MASK && CONFIG_MAX_SITES <= NUMBER_MASK, "rules and sites fit their fields");
static_assert(CONFIG_MAX_URIS <= URI_MASK + 1, "URIs fit their field");
static_assert(CACHE_MAX_QUOTAS <= QUOTA_MASK + 1, "quotas fit their field");
static_assert(WA_REASON_COUNT <= REASON_MASK + 1, "reasons fit their field");
static_assert(POLICY_NO_RULE == POLICY_NO_SITE, "one number says none");

bool cache_standings_init(struct cache_standings *standings)
{
	standings->quota_count = 0;
	standings->quotas = memory_new_array(CACHE_MAX_QUOTAS, sizeof(*standings->quotas));
	return standings->quotas != NULL;
}

void cache_standings_done(struct cache_standings *standings)
{
	memory_free(standings->quotas);
	standings->quotas = NULL;
}

static bool is_same(const struct wa_quota *a, const struct wa_quota *b)
{
	return a->max_shells == b->max_shells && a->max_operations == b->max_operations &&
	       a->timeslot_s == b->timeslot_s && a->max_operations_per_timeslot == b->max_operations_per_timeslot;
}

static bool number_quota(struct cache_standings *standings, const struct wa_quota *quota, uint64_t *number_out)
{
	size_t i = 0;

	while (i < standings->quota_count && !is_same(&standings->quotas[i], quota))
		i++;
	if (i == CACHE_MAX_QUOTAS)
		return false;
	if (i == standings->quota_count) {
		/* Seen by others with the word that holds its number: who publishes the word publishes this. */
		standings->quotas[i] = *quota;
		standings->quota_count++;
	}
	*number_out = i;
	return true;
}

static bool is_storable(const struct config *config, const struct policy_standing *standing)
{
	const struct config_redirect *redirect = &config->redirect;

	if (standing->verdict != WA_AUTHORIZE && standing->verdict != WA_DENY)
		return false;
	if ((unsigned)standing->reason >= WA_REASON_COUNT)
		return false;
	if (standing->rule != POLICY_NO_RULE && standing->rule >= config->rule_count)
		return false;
	return standing->site == POLICY_NO_SITE ||
	       (standing->site < redirect->site_count && standing->uri < redirect->sites[standing->site].uri_count);
}

static uint64_t pack_number(size_t number)
{
	return number == POLICY_NO_RULE ? NUMBER_MASK : number;
}

static size_t unpack_number(uint64_t number)
{
	return number == NUMBER_MASK ? POLICY_NO_RULE : (size_t)number;
}

bool cache_standing_pack(struct cache_standings *standings, const struct config *config,
			 const struct policy_standing *standing, uint64_t *word_out)
{
	uint64_t quota, word;

	if (!is_storable(config, standing) || !number_quota(standings, &standing->quota, &quota))
		return false;
	word = CACHE_STANDING_IS_KEPT | quota << QUOTA_AT | (uint64_t)standing->reason << REASON_AT |
	       pack_number(standing->rule) << RULE_AT | pack_number(standing->site) << SITE_AT;
	if (standing->site != POLICY_NO_SITE)
		word |= (uint64_t)standing->uri << URI_AT;
	if (standing->administrator)
		word |= ADMINISTRATOR;
	if (standing->fresh)
		word |= FRESH;
	if (standing->verdict == WA_AUTHORIZE)
		word |= AUTHORIZE;
	*word_out = word;
	return true;
}

void cache_standing_unpack(const struct cache_standings *standings, uint64_t word, int64_t until_s,
			   struct policy_standing *standing_out)
{
	standing_out->verdict = (word & AUTHORIZE) != 0 ? WA_AUTHORIZE : WA_DENY;
	standing_out->reason = (enum wa_reason)(word >> REASON_AT & REASON_MASK);
	standing_out->rule = unpack_number(word >> RULE_AT & NUMBER_MASK);
	standing_out->administrator = (word & ADMINISTRATOR) != 0;
	standing_out->fresh = (word & FRESH) != 0;
	standing_out->quota = standings->quotas[word >> QUOTA_AT & QUOTA_MASK];
	standing_out->site = unpack_number(word >> SITE_AT & NUMBER_MASK);
	standing_out->uri = (size_t)(word >> URI_AT & URI_MASK);
	standing_out->until_s = until_s;
	standing_out->malformed = NULL;
}
