/* SPDX-License-Identifier: Apache-2.0 */
#include <authorizer/finder_private.h>
#include <authorizer/question.h>
#include <authorizer/trace.h>
#include <base/digest.h>
#include <membership/closure_mark.h>
#include <string.h>

/* Chains of names: a power of two, more than there are names. */
#define CHAINS 256

/* Who finds names that share a chain has a few comparisons made, no more: so the key need not be secret. */
static const struct digest_key hash_key = {0, 0};

/* A name that was asked for. */
struct seat {
	struct finder_seeker *seeker;
	uint64_t hash;
	struct seat *next; /* of its chain */
};

/* The names of all who are aboard, so that an entry is not compared with every one of them. */
struct seating {
	const struct config_directory *directory;
	const struct dir_forest *forest;
	struct seat seats[2 * FINDER_BATCH]; /* a UPN has two: the whole, and its user part */
	size_t count;
	struct seat *chains[CHAINS];
};

void finder_clear(struct finder_seeker *seeker)
{
	seeker->outcome = seeker->filter_outcome = DIR_OUTCOME_NONE;
	seeker->error.status = STATUS_OK;
	seeker->entries = NULL;
	seeker->entries_end = &seeker->entries;
	seeker->dealt = NULL;
	seeker->passes_account_filter = false;
	seeker->mark = NULL;
	seeker->connection = 0;
}

void finder_time_out(struct finder_seeker *seeker)
{
	finder_clear(seeker);
	seeker->outcome = DIR_OUTCOME_TIMEOUT;
	error_set(&seeker->error, STATUS_TIMEOUT, "the directory did not answer in time");
	error_hint(
	    &seeker->error, STATUS_TIMEOUT,
	    "look at the load of the server, and whether the attributes that users are looked up by are indexed");
}

void finder_run_out(struct finder_seeker *seeker)
{
	finder_clear(seeker);
	seeker->outcome = DIR_OUTCOME_NO_MEMORY;
	error_no_memory(&seeker->error);
}

/* The seeker's own arena is full, or memory ran out: it is his answer alone that cannot be. */
static void fail_copy(struct finder_seeker *seeker)
{
	if (!arena_hit_limit(seeker->arena)) {
		finder_run_out(seeker);
		return;
	}
	finder_clear(seeker);
	seeker->outcome = DIR_OUTCOME_LIMIT;
	error_set(&seeker->error, STATUS_LIMIT, "the user's entry is larger than what is kept for one decision");
}

/* Once he has failed, he gets no more. */
static void give(struct finder_seeker *seeker, const struct dir_entry *entry)
{
	struct dir_entry *copy;

	if (seeker->dealt == entry || seeker->outcome != DIR_OUTCOME_NONE)
		return;
	seeker->dealt = entry;
	copy = dir_entry_copy(entry, seeker->arena);
	if (copy == NULL) {
		fail_copy(seeker);
		return;
	}
	*seeker->entries_end = copy;
	seeker->entries_end = &copy->next;
}

static void sit_down(struct seating *seating, struct finder_seeker *seeker, uint64_t hash)
{
	struct seat **chain = &seating->chains[hash % CHAINS];
	struct seat *seat = &seating->seats[seating->count++];

	*seat = (struct seat){seeker, hash, *chain};
	*chain = seat;
}

static uint64_t hash_sid(const char *binary, size_t length)
{
	return digest_of(&hash_key, binary, length).high;
}

static uint64_t hash_name(const char *name, size_t length)
{
	return sender_name_hash(&hash_key, name, length);
}

static void add_names(struct seating *seating, struct finder_seeker *seeker)
{
	const struct sender *sender = seeker->sender;
	uint8_t sid[SID_BINARY_BYTES];

	if (sender->form == SENDER_SID) {
		sit_down(seating, seeker, hash_sid((const char *)sid, sid_encode(&sender->sid, sid)));
		return;
	}
	sit_down(seating, seeker, hash_name(sender->user, strlen(sender->user)));
	if (sender->form == SENDER_UPN)
		sit_down(seating, seeker, hash_name(sender->name, strlen(sender->name)));
}

/* The chains only say who is worth a comparison. */
static void offer(const struct seating *seating, uint64_t hash, const struct dir_entry *entry)
{
	for (const struct seat *seat = seating->chains[hash % CHAINS]; seat != NULL; seat = seat->next)
		if (seat->hash == hash &&
		    question_is_sender(seating->directory, seating->forest, seat->seeker->sender, entry))
			give(seat->seeker, entry);
}

static void offer_by(const struct seating *seating, const char *attribute, uint64_t (*hash)(const char *, size_t),
		     const struct dir_entry *entry)
{
	const struct dir_attribute *names = attribute == NULL ? NULL : dir_entry_attribute(entry, attribute);

	for (size_t i = 0; names != NULL && i < names->value_count; i++)
		offer(seating, hash(names->values[i].data, names->values[i].length), entry);
}

static void deal_to_many(const struct finder_flight *flight)
{
	const struct config_directory *directory = flight->finder->directory;
	struct seating seating = {.directory = directory, .forest = flight->finder->forest};

	for (struct finder_seeker *seeker = flight->aboard.first; seeker != NULL; seeker = seeker->next)
		add_names(&seating, seeker);
	for (const struct dir_entry *entry = flight->user->entries; entry != NULL; entry = entry->next) {
		offer_by(&seating, directory->user_name_attribute, hash_name, entry);
		offer_by(&seating, directory->user_upn_attribute, hash_name, entry);
		offer_by(&seating, "objectSid", hash_sid, entry);
	}
}

static void deal_to_each(const struct finder_flight *flight)
{
	for (struct finder_seeker *seeker = flight->aboard.first; seeker != NULL; seeker = seeker->next)
		for (const struct dir_entry *entry = flight->user->entries; entry != NULL; entry = entry->next)
			if (question_is_sender(flight->finder->directory, flight->finder->forest, seeker->sender,
					       entry))
				give(seeker, entry);
}

static void deal_entries(const struct finder_flight *flight)
{
	if (flight->is_merged)
		deal_to_many(flight);
	else
		deal_to_each(flight);
}

static bool passes_account_filter(const struct finder_flight *flight, const struct finder_seeker *seeker)
{
	if (flight->account == NULL)
		return true;
	for (const struct dir_entry *entry = flight->account->entries; entry != NULL; entry = entry->next)
		if (seeker->entries != NULL && strcmp(entry->dn, seeker->entries->dn) == 0)
			return true;
	return false;
}

static void finish_answer(const struct finder_flight *flight, const char *mark, struct finder_seeker *seeker)
{
	if (seeker->outcome == DIR_OUTCOME_NONE && mark != NULL && seeker->mark_base != NULL) {
		seeker->mark = arena_copy_text(seeker->arena, mark);
		if (seeker->mark == NULL)
			fail_copy(seeker);
	}
	if (seeker->outcome != DIR_OUTCOME_NONE)
		return;
	seeker->outcome = flight->user->outcome;
	seeker->filter_outcome = flight->account == NULL ? DIR_OUTCOME_OK : flight->account->outcome;
	seeker->passes_account_filter = passes_account_filter(flight, seeker);
	seeker->connection = flight->request.connection;
	if (dir_search_failure(flight->user, &seeker->error) == STATUS_OK && flight->account != NULL)
		(void)dir_search_failure(flight->account, &seeker->error);
}

static void tell_searches(const struct finder_flight *flight, struct finder_seeker *seeker)
{
	if (seeker->trace == NULL)
		return;
	if (flight->mark != NULL)
		trace_add(seeker->trace, "mark", flight->mark);
	trace_add(seeker->trace, "user", flight->user);
	if (flight->account != NULL)
		trace_add(seeker->trace, "account-filter", flight->account);
	for (size_t i = 0; i < seeker->extra_count; i++)
		trace_add(seeker->trace, "groups", &seeker->extra[i]);
}

void finder_deal(struct finder_flight *flight)
{
	const enum dir_outcome outcome = flight->user->outcome;
	const char *mark = flight->mark == NULL ? NULL : closure_mark_of(flight->mark);
	struct finder_seeker *seeker;

	for (seeker = flight->aboard.first; seeker != NULL; seeker = seeker->next)
		finder_clear(seeker);
	if (outcome == DIR_OUTCOME_OK || outcome == DIR_OUTCOME_LIMIT)
		deal_entries(flight);
	for (seeker = flight->aboard.first; seeker != NULL; seeker = seeker->next)
		finish_answer(flight, mark, seeker);
	finder_flight_return_extra(flight);
	for (seeker = flight->aboard.first; seeker != NULL; seeker = seeker->next)
		tell_searches(flight, seeker);
}
