/* SPDX-License-Identifier: Apache-2.0 */
/* The search that finds the sender, and whether what came is his. */
#include <authorizer/question.h>
#include <base/ascii.h>
#include <base/text.h>
#include <directory/dir_adapt.h>
#include <identity/filter.h>
#include <string.h>

/* UF_INTERDOMAIN_TRUST_ACCOUNT, by the bitwise AND of MS-ADTS 3.1.1.3.4.4.1: an account that stands for a whole domain. */
#define NO_TRUST_ACCOUNT "(!(userAccountControl:1.2.840.113556.1.4.803:=2048))"

void question_adapt(const struct config_directory *given, const struct dir_forest *forest,
		    struct config_directory *adapted_out)
{
	dir_adapt(given, forest != NULL,
		  adapted_out); /* each identity has a filter of its own, question_add_identity */
}

static bool ends_with_dollar(const char *name)
{
	return *name != '\0' && name[strlen(name) - 1] == '$';
}

/* What may have such a name or SID on AD. */
static const char *kinds_of(const struct sender *sender)
{
	if (sender->form == SENDER_SID)
		return "(|(&(objectClass=user)" NO_TRUST_ACCOUNT ")(objectClass=foreignSecurityPrincipal))";
	if (ends_with_dollar(sender->user))
		return "(objectClass=user)" NO_TRUST_ACCOUNT;
	return "(objectCategory=person)(objectClass=user)";
}

/* Whether a name@suffix may be that of somebody without such a userPrincipalName: everybody has one of his account and his domain. */
static bool is_implicit(const struct dir_forest *forest, const struct sender *sender)
{
	return forest == NULL || dir_forest_find_domain(forest, sender->domain) == forest->home;
}

static void add_name(const struct config_directory *directory, const struct dir_forest *forest,
		     const struct sender *sender, struct text *filter)
{
	uint8_t sid[SID_BINARY_BYTES];
	bool by_account;

	if (sender->form == SENDER_SID) {
		filter_add_equality(filter, "objectSid", sid, sid_encode(&sender->sid, sid));
		return;
	}
	if (sender->form != SENDER_UPN || directory->user_upn_attribute == NULL) {
		filter_add_equality(filter, directory->user_name_attribute, sender->user, strlen(sender->user));
		return;
	}
	/* The explicit name and the one made of name and domain, at once: were they two people, we must see both. */
	by_account = is_implicit(forest, sender);
	text_add(filter, by_account ? "(|" : "");
	filter_add_equality(filter, directory->user_upn_attribute, sender->name, strlen(sender->name));
	if (by_account)
		filter_add_equality(filter, directory->user_name_attribute, sender->user, strlen(sender->user));
	text_add(filter, by_account ? ")" : "");
}

void question_add_identity(const struct config_directory *directory, const struct dir_forest *forest,
			   const struct sender *sender, struct text *filter)
{
	const bool has_kinds = forest != NULL && !directory->user_filter_given;

	if (has_kinds) {
		text_add(filter, "(&");
		text_add(filter, kinds_of(sender));
	}
	add_name(directory, forest, sender, filter);
	if (has_kinds)
		text_add(filter, ")");
}

char *question_filter(const struct config_directory *directory, const char *identity, const char *extra)
{
	struct text filter;

	text_init(&filter);
	text_add(&filter, "(&");
	text_add(&filter, directory->user_filter);
	text_add(&filter, identity);
	text_add(&filter, extra);
	text_add(&filter, ")");
	return text_take(&filter);
}

char *question_list_filter(const struct config_directory *directory, const struct dir_forest *forest)
{
	struct text filter;

	text_init(&filter);
	if (forest != NULL && !directory->user_filter_given)
		text_add(&filter, "(|(&(objectClass=user)" NO_TRUST_ACCOUNT ")(objectClass=foreignSecurityPrincipal))");
	else
		text_add(&filter, directory->user_filter);
	return text_take(&filter);
}

static bool has_name(const struct dir_entry *entry, const char *attribute, const char *name)
{
	const struct dir_attribute *names = attribute == NULL ? NULL : dir_entry_attribute(entry, attribute);

	for (size_t i = 0; names != NULL && i < names->value_count; i++)
		if (sender_name_is_same(name, names->values[i].data, names->values[i].length))
			return true;
	return false;
}

static bool read_sid(const struct dir_entry *entry, struct sid *sid_out)
{
	const struct dir_value *value = dir_entry_single(entry, "objectSid");

	return value != NULL && sid_parse_binary((const uint8_t *)value->data, value->length, sid_out);
}

/*
 * A global catalogue shows other domains' users below the search base, with the same names. (An entry that shows no SID is taken
 * for what its name says here; without it nothing can be decided about it later.)
 */
static bool is_elsewhere(const struct dir_forest *forest, const struct dir_entry *entry)
{
	struct sid sid;

	return forest != NULL && read_sid(entry, &sid) && dir_forest_find_issuer(forest, &sid) != forest->home;
}

bool question_is_sender(const struct config_directory *directory, const struct dir_forest *forest,
			const struct sender *sender, const struct dir_entry *entry)
{
	struct sid sid;

	if (sender->form == SENDER_SID)
		return read_sid(entry, &sid) && sid_is_equal(&sid, &sender->sid);
	if (is_elsewhere(forest, entry))
		return false;
	if (sender->form != SENDER_UPN || directory->user_upn_attribute == NULL)
		return has_name(entry, directory->user_name_attribute, sender->user);
	return has_name(entry, directory->user_upn_attribute, sender->name) ||
	       (is_implicit(forest, sender) && has_name(entry, directory->user_name_attribute, sender->user));
}
