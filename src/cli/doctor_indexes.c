/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Missing indexes. No server tells a client in so many words which it has, so questions that nobody can be the answer to are timed,
 * and compared with the read of one entry: without an index the server has to look at every entry. A server that
 * refuses to (slapd's size.unchecked, AD's MaxQueryDuration) says so itself.
 */
#include <cli/doctor_check.h>
#include <os/clock.h>
#include <stdint.h>

#define FLOOR_TRIES 5
#define TRIES       3
/* What the network and a busy server do to a question is less than this, at the best of three tries. */
#define SLOW_US 10000
/* And an indexed search takes about as long as a read. */
#define SLOW_RATIO  10
#define PATIENT_US  1000000
#define US_PER_MS   1000.0
#define NOT_ALLOWED 11 /* adminLimitExceeded, RFC 4511 appendix A */

static const char *const no_attributes[] = {"1.1", NULL};

struct timing {
	uint64_t best_us;
	enum dir_outcome outcome;
	int code;
};

/* The best of some tries; of one that takes long the first will do. */
static struct timing time_search(struct doctor *doctor, const char *base, enum dir_scope scope, const char *filter,
				 unsigned tries)
{
	struct timing timing = {.best_us = UINT64_MAX, .outcome = DIR_OUTCOME_NO_MEMORY};

	for (unsigned i = 0; i < tries; i++) {
		struct dir_search search;
		uint64_t began_us = clock_monotonic_us(), took_us;

		if (!doctor_search(doctor, &search, base, scope, filter, no_attributes))
			break;
		(void)doctor_ask(doctor, &search, 1);
		took_us = clock_monotonic_us() - began_us;
		timing.outcome = search.outcome;
		timing.code = search.code;
		dir_search_done(&search);
		if (took_us < timing.best_us)
			timing.best_us = took_us;
		if (timing.outcome != DIR_OUTCOME_OK || took_us > PATIENT_US)
			break;
	}
	return timing;
}

static void tell(struct doctor *doctor, const char *attribute, const char *kind, const char *purpose,
		 const struct timing *timing, uint64_t floor_us)
{
	const char *remedy =
	    dir_kind_is_active_directory(doctor->facts.kind)
		? doctor_text(doctor, "index '%s' (searchFlags bit 1 of its schema object)", attribute)
		: doctor_text(doctor, "slapd.conf: index %s %s; then slapindex, or let cn=config do it", attribute,
			      kind);
	bool is_slow = timing->best_us > SLOW_US && timing->best_us > floor_us * SLOW_RATIO;
	double took_ms = (double)timing->best_us / US_PER_MS;

	if (timing->outcome == DIR_OUTCOME_TIMEOUT)
		doctor_tell(doctor, DOCTOR_WARNING, attribute, remedy,
			    "a search by it had no answer within the policy's timeout; %s", purpose);
	else if (timing->outcome == DIR_OUTCOME_LIMIT && timing->code == NOT_ALLOWED)
		doctor_tell(doctor, DOCTOR_WARNING, attribute, remedy,
			    "the server refuses to search by it, because it has no index (administrative limit "
			    "exceeded); %s",
			    purpose);
	else if (timing->outcome != DIR_OUTCOME_OK)
		doctor_tell(doctor, DOCTOR_WARNING, attribute, "see the server's log", "a search by it failed: %s (%d)",
			    dir_outcome_word(timing->outcome), timing->code);
	else if (is_slow)
		doctor_tell(doctor, DOCTOR_WARNING, attribute, remedy,
			    "a search by it takes %.1f ms, a read %.1f ms, so it has no index; %s", took_ms,
			    (double)floor_us / US_PER_MS, purpose);
	else
		doctor_tell(doctor, DOCTOR_OK, attribute, NULL, "a search by it takes %.1f ms, a read %.1f ms", took_ms,
			    (double)floor_us / US_PER_MS);
}

void doctor_directory_indexes(struct doctor *doctor)
{
	const struct config_directory *directory = doctor->directory;
	const bool is_openldap = doctor->facts.offers_sync;
	const struct {
		const char *attribute, *kind, *value, *operator, * purpose;
		bool is_wanted;
	} questions[] = {
	    {directory->user_name_attribute, "eq", "wsmauthz-doctor-nobody", "=",
	     "every decision begins with such a search", true},
	    {directory->user_upn_attribute, "eq", "wsmauthz-doctor-nobody@invalid", "=",
	     "every decision on user@domain begins with such a search", directory->user_upn_attribute != NULL},
	    {"member", "eq", doctor_text(doctor, "cn=wsmauthz-doctor-nobody,%s", directory->base), "=",
	     "decisions need it where the member index has no room", directory->strategy != CONFIG_STRATEGY_MEMBEROF},
	    {"entryUUID", "eq", "00000000-0000-4000-8000-000000000000", "=", "groups that were renamed are found by it",
	     is_openldap},
	    {"entryCSN", "eq", "99991231235959.000000Z#000000#000#000000",
	     ">=", "the watch and the reading of the groups need it", is_openldap},
	};
	const struct timing floor =
	    time_search(doctor, directory->base, DIR_SCOPE_BASE, "(objectClass=*)", FLOOR_TRIES);

	for (size_t i = 0; i < COUNT_OF(questions); i++) {
		struct timing timing;

		if (!questions[i].is_wanted)
			continue;
		timing = time_search(
		    doctor, directory->base, DIR_SCOPE_SUBTREE,
		    doctor_text(doctor, "(%s%s%s)", questions[i].attribute, questions[i].operator, questions[i].value),
		    TRIES);
		tell(doctor, questions[i].attribute, questions[i].kind, questions[i].purpose, &timing, floor.best_us);
	}
}
