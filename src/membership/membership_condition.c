/* SPDX-License-Identifier: Apache-2.0 */
#include <membership/lookup_sids.h>
#include <membership/lookup_tokens.h>
#include <membership/membership_private.h>
#include <os/clock.h>
#include <string.h>

static enum membership_watching watching(const struct watched *watched, bool is_loaded)
{
	if (watched->up && watched->is_behind)
		return MEMBERSHIP_WATCH_BEHIND;
	if (watched->up)
		return watched->covers ? MEMBERSHIP_WATCH_UP : MEMBERSHIP_WATCH_READING;
	/* It was not even begun: the groups were read, and showed nothing that could be watched. */
	if (is_loaded && !watched->is_open)
		return MEMBERSHIP_WATCH_UNSUPPORTED;
	if (watched->trouble.status == STATUS_OK)
		return MEMBERSHIP_WATCH_STARTING;
	return watched->is_unsupported ? MEMBERSHIP_WATCH_UNSUPPORTED : MEMBERSHIP_WATCH_LOST;
}

static uint64_t rest_ms(uint64_t until_us, uint64_t now_us)
{
	return until_us > now_us ? (until_us - now_us) / 1000 : 0;
}

void membership_tell_condition(const struct membership *membership, struct membership_condition *condition_out)
{
	const struct watched *watched = &membership->watched;
	const uint64_t now_us = clock_monotonic_us();
	struct membership_figures figures;

	membership_figures(membership, &figures);
	*condition_out = (struct membership_condition){
	    .watching = watching(watched, membership->closure != NULL),
	    .means = watched->up ? dir_watch_means_text(watched->means) : NULL,
	    .is_pending = membership_is_pending(membership),
	    .is_loaded = membership->closure != NULL,
	    .lease_ms = rest_ms(membership->lease_until_us, now_us),
	    .age_ms = membership->closure == NULL ? 0 : rest_ms(now_us, membership->closure_began_us),
	    .load_us = figures.load_us,
	    .groups = figures.groups,
	    .memberships = figures.memberships,
	};
	if (!dir_watch_server_now(watched->watch, condition_out->server))
		condition_out->server[0] = '\0';
	if (!watched->up && watched->trouble.status != STATUS_OK)
		memcpy(condition_out->trouble, watched->trouble.what, sizeof(condition_out->trouble));
}

enum membership_way membership_way_of(const struct membership *membership, const struct membership_lookup *lookup)
{
	if (closure_is_by_sid(lookup->closure))
		return lookup->asked > 0 ? MEMBERSHIP_BY_TOKEN : MEMBERSHIP_BY_SID;
	if (membership->directory->strategy == CONFIG_STRATEGY_MEMBEROF)
		return MEMBERSHIP_BY_MEMBEROF;
	return lookup->groups != NULL || lookup->asked > 0 ? MEMBERSHIP_BY_SEARCH : MEMBERSHIP_BY_INDEX;
}

uint32_t membership_primary_group(const struct membership_lookup *lookup, const struct dir_entry *user)
{
	char text[SID_TEXT_BYTES];
	struct sid sid;

	if (!closure_is_by_sid(lookup->closure) || !lookup_has_token(user) || !lookup_primary_group(user, &sid))
		return CLOSURE_NONE;
	sid_format(&sid, text);
	return closure_find_id(lookup->closure, text, strlen(text));
}
