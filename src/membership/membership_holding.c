/* SPDX-License-Identifier: Apache-2.0 */
#include <membership/lookup_tokens.h>
#include <membership/membership_private.h>

#include <membership/closure_principal.h>

static const char *holder_of(const struct closure *closure, size_t root, unsigned holding)
{
	const uint32_t group = closure_find_holder(closure, root, holding);

	return group == CLOSURE_NONE ? NULL : closure_group_dn(closure, group);
}

const char *membership_everybody(const struct membership_lookup *lookup, size_t root)
{
	return holder_of(lookup->closure, root, CLOSURE_HOLDS_EVERYBODY);
}

const char *membership_doubt(const struct membership_lookup *lookup, size_t root, const struct dir_entry *user,
			     const char **what_out)
{
	const char *holder = holder_of(lookup->closure, root, CLOSURE_HOLDS_UNTOLD);

	*what_out = "a well-known principal that only a token shows (NTLM Authentication, INTERACTIVE, ...)";
	/* Who belongs to this forest is in no group of another one that could be nested here: global and universal ones hold their own. */
	if (holder == NULL && closure_principal_is(user)) {
		holder = holder_of(lookup->closure, root, CLOSURE_HOLDS_FOREIGN);
		*what_out = "somebody of another forest, or a group there, whose members are not known here";
	}
	return holder;
}

static bool is_of_deny_rule(const struct config *config, size_t root)
{
	return root < config->rule_count && config->rules[root].effect == CONFIG_DENY;
}

const char *membership_holding_words(const struct config *config, size_t root, unsigned holding)
{
	const bool is_deny = is_of_deny_rule(config, root);

	if (holding == CLOSURE_HOLDS_EVERYBODY)
		return is_deny ? "Everyone or Authenticated Users: this rule denies everybody"
			       : "Everyone or Authenticated Users, which counts for nobody here: name groups of people";
	if (holding == CLOSURE_HOLDS_UNTOLD)
		return is_deny ? "a well-known principal that only a token shows: nobody can be let in"
			       : "a well-known principal that only a token shows, which counts for nobody here";
	return is_deny ? "somebody, or a group, of another forest: people of other forests whom no deny rule names can "
			 "not be let in, for they may be in it; deny them in their own forest"
		       : NULL;
}

static void tell(struct membership *membership, size_t root, unsigned holding)
{
	const char *holder = holder_of(membership->closure, root, holding);
	const char *words = membership_holding_words(membership->config, root, holding);

	if (holder == NULL || words == NULL || (membership->holdings_told[root] & holding) != 0)
		return;
	membership->holdings_told[root] |= holding;
	log_warning(membership->log, "%s:%u: group '%s': '%s' holds %s", membership->config->path,
		    membership_line_of(membership, root), membership->plan.names[root], holder, words);
}

void membership_tell_holdings(struct membership *membership)
{
	for (size_t root = 0; root < membership->plan.root_count; root++)
		for (size_t i = 0; i < CLOSURE_HOLDINGS; i++)
			tell(membership, root, 1U << i);
}
