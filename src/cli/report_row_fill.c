/* SPDX-License-Identifier: Apache-2.0 */
#include <base/compiler.h>
#include <cli/report_row_fill.h>
#include <string.h>

const char *report_state_word(size_t number)
{
	static const char *const words[REPORT_STATES] = {"disabled", "expired", "locked", "password-expired"};

	return words[number];
}

enum status report_row_begin(struct report_row *row, const char *dn, struct arena *arena)
{
	*row = (struct report_row){.sender = "",
				   .dn = arena_copy_text(arena, dn),
				   .verdict = WA_DENY,
				   .rule = "",
				   .site = "",
				   .target = "",
				   .site_value = ""};
	return row->dn == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

/* NULL: memory ran out. */
static const char *copy(struct arena *arena, const char *text)
{
	return text == NULL ? "" : arena_copy_text(arena, text);
}

static enum status copy_path(struct report_row *row, const struct wa_decision *decision, struct arena *arena)
{
	const char **path = arena_alloc_array(arena, decision->path_count + 1, sizeof(*path));

	for (size_t i = 0; path != NULL && i < decision->path_count; i++) {
		path[i] = arena_copy_text(arena, decision->path[i]);
		if (path[i] == NULL)
			return STATUS_NO_MEMORY;
	}
	row->path = path;
	row->path_count = path == NULL ? 0 : decision->path_count;
	return path == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

static enum status fill_decision(struct report_row *row, const struct wa_decision *decision, struct arena *arena)
{
	row->verdict = decision->verdict;
	row->reason = decision->reason;
	row->administrator = decision->administrator;
	row->rule = copy(arena, decision->rule);
	row->target = copy(arena, decision->redirect_uri);
	row->detail = decision->detail == NULL ? NULL : arena_copy_text(arena, decision->detail);
	if (decision->dn != NULL)
		row->dn = arena_copy_text(arena, decision->dn);
	if (row->rule == NULL || row->target == NULL || row->dn == NULL ||
	    (decision->detail != NULL && row->detail == NULL))
		return STATUS_NO_MEMORY;
	return copy_path(row, decision, arena);
}

static const char *name_of(const struct config_site *site)
{
	if (site->name != NULL)
		return site->name;
	return site->group != NULL ? site->group : site->ou;
}

static void fill_place(struct report_row *row, const struct review *review)
{
	if (review->site != POLICY_NO_SITE) {
		row->place = REPORT_PLACE_SITE;
		row->site_number = review->site;
		row->site = name_of(&review->config->redirect.sites[review->site]);
	} else if (review->is_here || !review->config->redirect.present) {
		row->place = REPORT_PLACE_HERE;
		row->site = row->site_value;
	} else {
		row->place = REPORT_PLACE_UNMAPPED;
	}
}

static void fill_states(struct report_row *row, const struct review *review)
{
	const struct account_state *state = &review->account;

	if (!review->has_account)
		return;
	row->states = (state->disabled ? REPORT_DISABLED : 0) | (state->expired ? REPORT_EXPIRED : 0) |
		      (state->locked ? REPORT_LOCKED : 0) | (state->password_expired ? REPORT_PASSWORD_EXPIRED : 0);
}

static bool lets_in(const struct review *review, uint32_t group)
{
	const struct config *config = review->config;

	for (size_t i = 0; i < config->rule_count; i++)
		if (config->rules[i].effect == CONFIG_ALLOW &&
		    (closure_root_group(review->closure, i) == group ||
		     closure_next_hop(review->closure, i, group) != CLOSURE_NONE))
			return true;
	return false;
}

static enum status fill_groups(struct report_row *row, const struct review *review, struct arena *arena)
{
	uint32_t *direct = arena_alloc_array(arena, review->direct_count + 1, sizeof(*direct));

	if (direct == NULL)
		return STATUS_NO_MEMORY;
	if (review->direct_count > 0)
		memcpy(direct, review->direct, review->direct_count * sizeof(*direct));
	row->direct = direct;
	row->direct_count = review->direct_count;
	row->closure = review->closure == NULL ? NULL : closure_ref(review->closure);
	for (size_t i = 0; row->closure != NULL && i < row->direct_count; i++)
		row->ways += lets_in(review, direct[i]) ? 1 : 0;
	return STATUS_OK;
}

enum status report_row_fill(struct report_row *row, const struct report_name *name, const struct review *review,
			    struct arena *arena)
{
	enum status status = fill_decision(row, review->decision, arena);

	row->sender = name->sender;
	if (status != STATUS_OK || review->facts == NULL)
		return status;
	row->site_value = copy(arena, review->site_value);
	row->site_values = review->site_values;
	if (row->site_value == NULL)
		return STATUS_NO_MEMORY;
	fill_place(row, review);
	fill_states(row, review);
	return fill_groups(row, review, arena);
}
