/* SPDX-License-Identifier: Apache-2.0 */
#include <authorizer/finder_private.h>
#include <authorizer/question.h>
#include <base/memory.h>
#include <membership/closure_mark.h>
#include <string.h>

/* For the user, the account filter, the mark. */
#define OWN_SEARCHES 3
/* What opens the list of names; one name alone needs no list. */
#define LIST_OPENS "(|"

static const char *const no_attributes[] = {"1.1", NULL};

static void board(struct finder_flight *flight, struct finder_seeker *seeker)
{
	if (flight->mark_base == NULL)
		flight->mark_base = seeker->mark_base;
	question_add_identity(flight->finder->directory, flight->finder->forest, seeker->sender, &flight->names);
	finder_unlink(seeker);
	finder_append(&flight->aboard, seeker);
}

static bool may_join(const struct finder_flight *flight, const struct finder_seeker *seeker)
{
	if (seeker == NULL || seeker->alone || flight->aboard.first->alone || flight->aboard.count >= FINDER_BATCH ||
	    flight->names.length >= FINDER_MAX_NAMES_BYTES)
		return false;
	return flight->mark_base == NULL || seeker->mark_base == NULL ||
	       strcmp(flight->mark_base, seeker->mark_base) == 0;
}

struct finder_flight *finder_flight_new(struct finder *finder)
{
	const size_t room = OWN_SEARCHES + finder->waiting.first->extra_count;
	struct finder_flight *flight = memory_new(sizeof(*flight) + room * sizeof(flight->searches[0]));

	if (flight == NULL)
		return NULL;
	flight->finder = finder;
	text_init(&flight->names);
	text_add(&flight->names, LIST_OPENS);
	board(flight, finder->waiting.first);
	while (may_join(flight, finder->waiting.first)) {
		board(flight, finder->waiting.first);
		flight->is_merged = true;
	}
	return flight;
}

/* NULL: no memory. */
static struct dir_search *add_search(struct finder_flight *flight)
{
	struct dir_search *search = &flight->searches[flight->own_count];

	if (dir_search_init(search, NULL) != STATUS_OK)
		return NULL;
	flight->own_count++;
	return search;
}

/*
 * Entries asked for: everybody's own, as many again, and one name's look-alikes. Not more generous, since slapd refuses
 * a search that asks for more than it would give (adminLimitExceeded; 500 by default), and that may be less.
 */
static uint32_t size_limit(const struct finder_flight *flight)
{
	return flight->is_merged ? (uint32_t)(2 * flight->aboard.count) + QUESTION_MAX_MATCHES : QUESTION_MAX_MATCHES;
}

static struct dir_search *add_user_search(struct finder_flight *flight, const char *extra,
					  const char *const *attributes, char **filter_out)
{
	const struct config_directory *directory = flight->finder->directory;
	const char *names = text_string(&flight->names) + (flight->is_merged ? 0 : strlen(LIST_OPENS));
	struct dir_search *search = add_search(flight);

	*filter_out = question_filter(directory, names, extra);
	if (search == NULL || *filter_out == NULL)
		return NULL;
	search->base = directory->base;
	search->scope = DIR_SCOPE_SUBTREE;
	search->filter = *filter_out;
	search->attributes = attributes;
	search->size_limit = size_limit(flight);
	search->flags = flight->finder->search_flags;
	return search;
}

static struct dir_search *add_mark_search(struct finder_flight *flight)
{
	struct dir_search *search = add_search(flight);

	flight->mark_copy = memory_copy_text(flight->mark_base);
	if (search == NULL || flight->mark_copy == NULL)
		return NULL;
	search->base = flight->mark_copy;
	search->scope = DIR_SCOPE_BASE;
	search->filter = "(objectClass=*)";
	search->attributes = closure_mark_attributes(flight->mark_copy);
	return search;
}

static bool add_searches(struct finder_flight *flight)
{
	const struct finder *finder = flight->finder;
	const char *account_filter = finder->config->account.filter;

	if (flight->is_merged)
		text_add(&flight->names, ")");
	if (text_failed(&flight->names))
		return false;
	/* Before the others: what they show is no older than the mark then. */
	if (flight->mark_base != NULL && (flight->mark = add_mark_search(flight)) == NULL)
		return false;
	flight->user = add_user_search(flight, "", finder->attributes, &flight->user_filter);
	if (flight->user == NULL)
		return false;
	if (account_filter[0] != '\0') {
		flight->account = add_user_search(flight, account_filter, no_attributes, &flight->account_filter);
		if (flight->account == NULL)
			return false;
	}
	return true;
}

enum status finder_flight_prepare(struct finder_flight *flight)
{
	const struct finder_seeker *first = flight->aboard.first;
	uint64_t latest_ms = 0;

	if (!add_searches(flight))
		return STATUS_NO_MEMORY;
	text_done(&flight->names);
	flight->mark_base = NULL;
	for (size_t i = 0; i < first->extra_count; i++)
		flight->searches[flight->own_count + i] = first->extra[i];
	for (const struct finder_seeker *seeker = first; seeker != NULL; seeker = seeker->next)
		if (seeker->deadline_ms > latest_ms)
			latest_ms = seeker->deadline_ms;
	flight->request = (struct dir_request){
	    .searches = flight->searches,
	    .search_count = flight->own_count + first->extra_count,
	    .deadline_ms = latest_ms,
	    .context = flight,
	};
	return STATUS_OK;
}

void finder_flight_return_extra(struct finder_flight *flight)
{
	/* Who has some is alone. */
	for (const struct finder_seeker *seeker = flight->aboard.first; seeker != NULL; seeker = seeker->next)
		for (size_t i = 0; i < seeker->extra_count; i++)
			seeker->extra[i] = flight->searches[flight->own_count + i];
}

void finder_flight_free(struct finder_flight **reference)
{
	struct finder_flight *flight = *reference;

	*reference = NULL;
	for (size_t i = 0; i < flight->own_count; i++)
		dir_search_done(&flight->searches[i]);
	text_done(&flight->names);
	memory_free(flight->user_filter);
	memory_free(flight->account_filter);
	memory_free(flight->mark_copy);
	memory_free(flight);
}
