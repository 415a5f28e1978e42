/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the bound account may see of users. What is hidden looks like what is not there; but a filter that says "it is there, or it is
 * not" matches nothing when the server may not look (RFC 4511 4.5.1.7: Undefined), so the two can be told apart.
 */
#include <base/ascii.h>
#include <base/text.h>
#include <cli/doctor_check.h>
#include <policy/account.h>
#include <string.h>

void doctor_access_users(struct doctor *doctor)
{
	const struct config_directory *directory = doctor->directory;
	const char *attributes[] = {directory->user_name_attribute, "userPassword", "memberOf", NULL};
	size_t nameless = 0, count;

	if (!doctor_search(doctor, &doctor->sample, directory->base, DIR_SCOPE_SUBTREE, directory->user_filter,
			   attributes))
		return;
	doctor->sample.size_limit = DOCTOR_SAMPLE;
	(void)doctor_ask(doctor, &doctor->sample, 1);
	doctor->sample.attributes = NULL; /* they end here */
	count = doctor->sample.entry_count;
	for (const struct dir_entry *user = doctor->sample.entries; user != NULL; user = user->next)
		nameless += dir_entry_attribute(user, directory->user_name_attribute) == NULL;
	/* That there are more than we wanted is no failure. */
	if (count == 0 && doctor->sample.outcome != DIR_OUTCOME_OK)
		doctor_tell_search(doctor, DOCTOR_ERROR, directory->user_filter, &doctor->sample,
				   "let the account search below directory/@base");
	else if (count == 0)
		doctor_tell(doctor, DOCTOR_ERROR, directory->user_filter,
			    "correct users/@filter or directory/@base, or let the account read the users' entries",
			    "no user can be seen below '%s': everybody is denied", directory->base);
	else if (nameless > 0)
		doctor_tell(doctor, nameless == count ? DOCTOR_ERROR : DOCTOR_WARNING, directory->user_filter,
			    doctor_text(doctor,
					"see users/@name-attribute and users/@filter, and let the account read '%s'",
					directory->user_name_attribute),
			    "%zu of %zu users that were looked at show no '%s', so nobody can come by that name",
			    nameless, count, directory->user_name_attribute);
	else
		doctor_tell(doctor, DOCTOR_OK, directory->user_filter, NULL, "users are found, and show their '%s'",
			    directory->user_name_attribute);
}

void doctor_access_passwords(struct doctor *doctor)
{
	for (const struct dir_entry *user = doctor->sample.entries; user != NULL; user = user->next) {
		if (dir_entry_attribute(user, "userPassword") == NULL)
			continue;
		doctor_tell(
		    doctor, DOCTOR_WARNING, NULL,
		    "slapd.conf, first: access to attrs=userPassword by self =xw by anonymous auth by * none",
		    "the account may read userPassword (of '%s', for one): who steals its secret has everybody's",
		    user->dn);
		return;
	}
	if (doctor->sample.entries == NULL)
		doctor_tell(doctor, DOCTOR_NOT_TRIED, NULL, NULL, "not tried: no user can be seen");
	else
		doctor_tell(doctor, DOCTOR_OK, NULL, NULL, "userPassword cannot be read");
}

/* Account state */

enum sight { SIGHT_SEEN = 0, SIGHT_HIDDEN, SIGHT_UNKNOWN };

/* Whether the schema has it; when that cannot be read it is taken to. */
static bool is_in_schema(const struct dir_search *schema, const char *name)
{
	const struct dir_attribute *types =
	    schema->entries == NULL ? NULL : dir_entry_attribute(schema->entries, "attributeTypes");
	const size_t length = strlen(name);

	for (size_t i = 0; types != NULL && i < types->value_count; i++) {
		const struct dir_value *type = &types->values[i];

		for (size_t at = 0; at + length + 2 <= type->length; at++)
			if (type->data[at] == '\'' && type->data[at + length + 1] == '\'' &&
			    ascii_equal_nocase_n(type->data + at + 1, length, name, length))
				return true;
	}
	return types == NULL;
}

static enum sight look(struct doctor *doctor, const char *user_dn, const char *name)
{
	const char *const attributes[] = {name, NULL};
	enum sight sight = SIGHT_UNKNOWN;
	struct dir_search both, there;

	if (!doctor_search(doctor, &both, user_dn, DIR_SCOPE_BASE,
			   doctor_text(doctor, "(|(%s=*)(!(%s=*)))", name, name), attributes))
		return sight;
	if (!doctor_search(doctor, &there, user_dn, DIR_SCOPE_BASE, doctor_text(doctor, "(%s=*)", name), attributes)) {
		dir_search_done(&both);
		return sight;
	}
	if (doctor_ask(doctor, &both, 1) && both.entries == NULL)
		sight = SIGHT_HIDDEN;
	else if (doctor_ask(doctor, &there, 1))
		sight = there.entries != NULL && dir_entry_attribute(there.entries, name) == NULL ? SIGHT_HIDDEN
												  : SIGHT_SEEN;
	dir_search_done(&both);
	dir_search_done(&there);
	return sight;
}

/* The worst of what the sample shows. */
static enum sight look_at_all(struct doctor *doctor, const char *name)
{
	enum sight sight = SIGHT_UNKNOWN;

	for (const struct dir_entry *user = doctor->sample.entries; user != NULL; user = user->next) {
		enum sight one = look(doctor, user->dn, name);

		if (one == SIGHT_HIDDEN)
			return one;
		if (one == SIGHT_SEEN)
			sight = one;
	}
	return sight;
}

static void add_name(struct text *list, const char *name)
{
	text_printf(list, "%s%s", list->length > 0 ? ", " : "", name);
}

static bool read_schema(struct doctor *doctor, struct dir_search *schema)
{
	static const char *const types[] = {"attributeTypes", NULL};
	static const char *const where[] = {"subschemaSubentry", NULL};
	const struct dir_value *dn = NULL;
	struct dir_search root;

	if (!doctor_search(doctor, &root, "", DIR_SCOPE_BASE, "(objectClass=*)", where))
		return false;
	if (doctor_ask(doctor, &root, 1) && root.entries != NULL)
		dn = dir_entry_single(root.entries, "subschemaSubentry");
	if (!doctor_search(doctor, schema, doctor_text(doctor, "%s", dn != NULL ? dn->data : "cn=Subschema"),
			   DIR_SCOPE_BASE, "(objectClass=subschema)", types)) {
		dir_search_done(&root);
		return false;
	}
	(void)doctor_ask(doctor, schema, 1);
	dir_search_done(&root);
	return true;
}

static void tell_account(struct doctor *doctor, const struct text *hidden, const struct text *seen,
			 const struct text *absent)
{
	if (hidden->length > 0)
		doctor_tell(
		    doctor, DOCTOR_WARNING, NULL,
		    doctor_text(doctor,
				"let the account search and read these: access to attrs=%s by "
				"dn.exact=\"%s\" read",
				text_string(hidden),
				doctor->directory->bind_dn != NULL ? doctor->directory->bind_dn : "the account's DN"),
		    "hidden from the account: %s; who is disabled, locked or expired by them is let in",
		    text_string(hidden));
	else if (seen->length > 0)
		doctor_tell(doctor, DOCTOR_OK, NULL, NULL, "may be read: %s", text_string(seen));
	if (absent->length > 0 && seen->length + hidden->length == 0)
		doctor_tell(
		    doctor, DOCTOR_WARNING, NULL,
		    "load the overlay ppolicy, or say whom to refuse by <account filter=\"...\"/> or a <deny> rule",
		    "the server knows no attribute of account state (%s): nobody counts as disabled, locked or "
		    "expired",
		    text_string(absent));
}

/* What Active Directory hides it hides with the property set; and what it computes no filter can ask for. */
static void look_at_ad(struct doctor *doctor)
{
	size_t hidden = 0, computed = 0;

	for (const struct dir_entry *user = doctor->sample.entries; user != NULL; user = user->next) {
		struct dir_search search;

		if (!doctor_search(doctor, &search, user->dn, DIR_SCOPE_BASE, "(objectClass=*)", account_ad_attributes))
			return;
		if (doctor_ask(doctor, &search, 1) && search.entries != NULL) {
			hidden += dir_entry_attribute(search.entries, "userAccountControl") == NULL;
			computed += dir_entry_attribute(search.entries, "msDS-User-Account-Control-Computed") != NULL;
		}
		dir_search_done(&search);
	}
	if (hidden > 0)
		doctor_tell(doctor, DOCTOR_ERROR, NULL,
			    "let the account read the property set Account Restrictions (Pre-Windows 2000 Compatible "
			    "Access has that right)",
			    "%zu of %zu users show no userAccountControl: decisions on them are errors", hidden,
			    doctor->sample.entry_count);
	else
		doctor_tell(doctor, DOCTOR_OK, NULL, NULL, "may be read: userAccountControl%s",
			    computed > 0 ? ", msDS-User-Account-Control-Computed" : "");
}

void doctor_access_account(struct doctor *doctor)
{
	struct text hidden, seen, absent;
	struct dir_search schema;

	if (doctor->sample.entries == NULL) {
		doctor_tell(doctor, DOCTOR_NOT_TRIED, NULL, NULL, "not tried: no user can be seen");
		return;
	}
	if (doctor_is_active_directory(doctor)) {
		look_at_ad(doctor);
		return;
	}
	if (!read_schema(doctor, &schema))
		return;
	text_init(&hidden);
	text_init(&seen);
	text_init(&absent);
	for (const char *const *name = account_attributes; *name != NULL; name++) {
		if (!is_in_schema(&schema, *name)) {
			add_name(&absent, *name);
			continue;
		}
		switch (look_at_all(doctor, *name)) {
		case SIGHT_SEEN:
			add_name(&seen, *name);
			break;
		case SIGHT_HIDDEN:
			add_name(&hidden, *name);
			break;
		case SIGHT_UNKNOWN:
			break;
		}
	}
	tell_account(doctor, &hidden, &seen, &absent);
	dir_search_done(&schema);
	text_done(&hidden);
	text_done(&seen);
	text_done(&absent);
}
