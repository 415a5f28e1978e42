/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <cli/report_tally.h>
#include <cli/shown.h>
#include <string.h>

/* Groups of a circle that are named. */
#define CYCLE_SHOWN 8

struct kind {
	const char *word, *title;
	bool is_wrong;
};

static const struct kind kinds[FINDING_COUNT] = {
    [FINDING_NOT_KNOWN] = {"not-known", "the directory does not show enough for a verdict", true},
    [FINDING_STATE] = {"account-state", "let in, although the account is disabled, expired or locked", true},
    [FINDING_WAYS] = {"many-ways", "let in by many groups at once: taken out of one, they still come in", true},
    [FINDING_UNMAPPED] = {"unmapped-site", "let in, but their site is neither in the map nor served here", true},
    [FINDING_SEVERAL_SITES] = {"several-sites", "have several site values: the first site of the policy counts", true},
    [FINDING_AMBIGUOUS] = {"ambiguous", "share their name with somebody else, so neither is let in", true},
    [FINDING_NAMELESS] = {"nameless", "have no name that anybody could come by", false},
    [FINDING_GROUP_MISSING] = {"group-missing", "groups of the policy that do not exist", true},
    [FINDING_GROUP_EMPTY] = {"group-empty", "groups that hold none of the users", false},
    [FINDING_CYCLE] = {"cycle", "groups that are nested in themselves", true},
    [FINDING_ADMINISTRATOR] = {"administrator", "come in as administrators", false},
};

const char *finding_word(enum finding_kind kind)
{
	return kinds[kind].word;
}

const char *finding_title(enum finding_kind kind)
{
	return kinds[kind].title;
}

bool finding_is_wrong(enum finding_kind kind)
{
	return kinds[kind].is_wrong;
}

bool finding_is_of_user(enum finding_kind kind)
{
	return kind != FINDING_GROUP_MISSING && kind != FINDING_GROUP_EMPTY && kind != FINDING_CYCLE;
}

enum status tally_init(struct tally *tally, const struct config *config, struct closure *closure, size_t max_ways)
{
	*tally = (struct tally){.config = config, .max_ways = max_ways};
	tally->places = memory_new_array(config->redirect.site_count + REPORT_AT_MORE, sizeof(*tally->places));
	tally->groups = report_groups_new(closure);
	tally->arena = arena_new(REPORT_MAX_SAMPLE_BYTES);
	if (tally->places != NULL && tally->groups != NULL && tally->arena != NULL)
		return STATUS_OK;
	tally_done(tally);
	return STATUS_NO_MEMORY;
}

void tally_done(struct tally *tally)
{
	memory_free(tally->places);
	report_groups_free(&tally->groups);
	arena_free(&tally->arena);
	*tally = (struct tally){.users = 0};
}

static unsigned bit(enum finding_kind kind)
{
	return 1U << (unsigned)kind;
}

unsigned tally_findings_of(const struct tally *tally, const struct report_row *row)
{
	const bool is_in = report_row_is_in(row);
	unsigned found = 0;

	if (row->verdict == WA_ERROR)
		found |= bit(FINDING_NOT_KNOWN);
	if (row->sender[0] == '\0')
		found |= bit(FINDING_NAMELESS);
	if (row->reason == WA_REASON_AMBIGUOUS_USER)
		found |= bit(FINDING_AMBIGUOUS);
	if (is_in && row->states != 0)
		found |= bit(FINDING_STATE);
	if (is_in && row->ways > tally->max_ways)
		found |= bit(FINDING_WAYS);
	if (is_in && row->place == REPORT_PLACE_UNMAPPED)
		found |= bit(FINDING_UNMAPPED);
	if (is_in && row->site_values > 1)
		found |= bit(FINDING_SEVERAL_SITES);
	if (is_in && row->administrator)
		found |= bit(FINDING_ADMINISTRATOR);
	return found;
}

/* What does not fit is counted all the same. False: memory ran out. */
static bool keep(struct tally *tally, enum finding_kind kind, const char *name, const char *what)
{
	struct finding *finding = &tally->findings[kind];
	struct finding_sample sample;

	finding->count++;
	if (finding->sample_count == REPORT_SAMPLES)
		return true;
	if (name == NULL || what == NULL)
		return arena_hit_limit(tally->arena);
	sample = (struct finding_sample){arena_copy_text(tally->arena, name), arena_copy_text(tally->arena, what)};
	if (sample.name == NULL || sample.what == NULL)
		return arena_hit_limit(tally->arena);
	finding->samples[finding->sample_count++] = sample;
	return true;
}

static const char *state_words(struct tally *tally, unsigned states)
{
	const char *words = "";

	for (size_t i = 0; i < REPORT_STATES && words != NULL; i++)
		if ((states & (1U << i)) != 0)
			words = arena_printf(tally->arena, "%s%s%s", words, words[0] != '\0' ? ", " : "",
					     report_state_word(i));
	return words;
}

static const char *words_of(struct tally *tally, const struct report_row *row, enum finding_kind kind)
{
	switch (kind) {
	case FINDING_NOT_KNOWN:
		return row->detail != NULL ? row->detail : wa_reason_word(row->reason);
	case FINDING_STATE:
		return state_words(tally, row->states);
	case FINDING_WAYS:
		return arena_printf(tally->arena, "%zu groups", row->ways);
	case FINDING_UNMAPPED:
		return row->site_value[0] != '\0' ? row->site_value : "no value";
	case FINDING_SEVERAL_SITES:
		return arena_printf(tally->arena, "%zu values", row->site_values);
	case FINDING_AMBIGUOUS:
	case FINDING_NAMELESS:
		return row->dn;
	case FINDING_ADMINISTRATOR:
		return row->rule;
	case FINDING_GROUP_MISSING:
	case FINDING_GROUP_EMPTY:
	case FINDING_CYCLE:
	case FINDING_COUNT:
		break;
	}
	return "";
}

static enum status take_findings(struct tally *tally, const struct report_row *row)
{
	const unsigned found = tally_findings_of(tally, row);
	const char *name = row->sender[0] != '\0' ? row->sender : row->dn;

	for (enum finding_kind kind = 0; kind < FINDING_COUNT; kind++) {
		if ((found & bit(kind)) == 0)
			continue;
		/* Words are made only for who is kept. */
		if (tally->findings[kind].sample_count == REPORT_SAMPLES)
			tally->findings[kind].count++;
		else if (!keep(tally, kind, name, words_of(tally, row, kind)))
			return STATUS_NO_MEMORY;
	}
	return STATUS_OK;
}

size_t tally_place_of(const struct tally *tally, const struct report_row *row)
{
	const size_t sites = tally->config->redirect.site_count;

	switch (row->place) {
	case REPORT_PLACE_SITE:
		return row->site_number;
	case REPORT_PLACE_HERE:
		return sites + REPORT_AT_HERE;
	case REPORT_PLACE_UNMAPPED:
		return sites + REPORT_AT_UNMAPPED;
	case REPORT_PLACE_UNKNOWN:
		break;
	}
	return sites + REPORT_AT_UNKNOWN;
}

const char *tally_place_name(const struct tally *tally, size_t place)
{
	const struct config_redirect *redirect = &tally->config->redirect;
	const struct config_site *site = place < redirect->site_count ? &redirect->sites[place] : NULL;

	if (site != NULL && site->name != NULL)
		return site->name;
	if (site != NULL)
		return site->group != NULL ? site->group : site->ou;
	switch (place - redirect->site_count) {
	case REPORT_AT_HERE:
		return redirect->present ? "served here" : "everybody is served here";
	case REPORT_AT_UNMAPPED:
		return "no site of the map";
	default:
		return "not found out";
	}
}

enum status tally_take(struct tally *tally, const struct report_row *row)
{
	tally->users++;
	tally->verdicts[row->verdict]++;
	tally->reasons[row->reason]++;
	tally->places[tally_place_of(tally, row)][row->verdict]++;
	if (report_row_is_in(row) && row->administrator)
		tally->administrators++;
	if (take_findings(tally, row) != STATUS_OK)
		return STATUS_NO_MEMORY;
	return report_groups_take(tally->groups, row);
}

static const char *label_of(struct tally *tally, size_t root)
{
	const struct config *config = tally->config;

	if (root < config->rule_count)
		return config->rules[root].label;
	return arena_printf(tally->arena, "site group %s", config->redirect.sites[root - config->rule_count].group);
}

static enum status look_at_roots(struct tally *tally)
{
	const struct config *config = tally->config;
	const struct closure *closure = report_groups_closure(tally->groups);

	for (size_t i = 0; i < config->rule_count + config->redirect.site_count; i++) {
		const bool is_rule = i < config->rule_count;

		if (!is_rule && config->redirect.sites[i - config->rule_count].group == NULL)
			continue;
		if (closure_root_group(closure, i) != CLOSURE_NONE)
			continue;
		if (!keep(tally, FINDING_GROUP_MISSING, label_of(tally, i), ""))
			return STATUS_NO_MEMORY;
	}
	return STATUS_OK;
}

static enum status look_at_sizes(struct tally *tally)
{
	const struct closure *closure = report_groups_closure(tally->groups);

	for (uint32_t i = 0; i < closure_group_count(closure); i++)
		if (report_groups_at(tally->groups, i)->users == 0 &&
		    !keep(tally, FINDING_GROUP_EMPTY, closure_group_dn(closure, i), ""))
			return STATUS_NO_MEMORY;
	return STATUS_OK;
}

static enum status take_cycle(void *context, const uint32_t *way, size_t length)
{
	struct tally *tally = context;
	const struct closure *closure = report_groups_closure(tally->groups);
	const char *words = "";

	if (tally->findings[FINDING_CYCLE].sample_count == REPORT_SAMPLES) {
		tally->findings[FINDING_CYCLE].count++;
		return STATUS_OK;
	}
	for (size_t i = 0; i < length && i < CYCLE_SHOWN && words != NULL; i++) {
		const char *dn = closure_group_dn(closure, way[i]);

		words =
		    arena_printf(tally->arena, "%s%s%.*s", words, i > 0 ? " > " : "", (int)shown_first_part(dn), dn);
	}
	if (words != NULL && length > CYCLE_SHOWN)
		words = arena_printf(tally->arena, "%s > ... (%zu groups)", words, length - 1);
	return keep(tally, FINDING_CYCLE, closure_group_dn(closure, way[0]), words) ? STATUS_OK : STATUS_NO_MEMORY;
}

enum status tally_end(struct tally *tally)
{
	if (look_at_roots(tally) != STATUS_OK || look_at_sizes(tally) != STATUS_OK)
		return STATUS_NO_MEMORY;
	return report_groups_cycles(tally->groups, take_cycle, tally);
}

uint64_t tally_in(const struct tally *tally)
{
	return tally->verdicts[WA_AUTHORIZE] + tally->verdicts[WA_REDIRECT];
}

bool tally_looks_wrong(const struct tally *tally)
{
	for (enum finding_kind kind = 0; kind < FINDING_COUNT; kind++)
		if (finding_is_wrong(kind) && tally->findings[kind].count > 0)
			return true;
	return false;
}
