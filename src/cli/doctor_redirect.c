/* SPDX-License-Identifier: Apache-2.0 */
/* Redirects: who may choose his own site, and whose value leads nowhere. */
#include <cli/doctor_check.h>
#include <cli/doctor_values.h>
#include <identity/dn.h>
#include <policy/redirect.h>
#include <string.h>

/* Users that are named; of more, how many. */
#define NAMED 3

bool doctor_redirect_has_attribute(const struct doctor *doctor)
{
	return doctor->config != NULL && doctor->config->redirect.attribute != NULL;
}

void doctor_redirect_attribute(struct doctor *doctor)
{
	const char *attribute = doctor->config->redirect.attribute;
	const bool is_open = redirect_attribute_may_be_self_written(attribute);

	if (is_open && dir_kind_is_active_directory(doctor->facts.kind))
		doctor_tell(
		    doctor, DOCTOR_WARNING, attribute,
		    "use <site ou=\"...\"> or <site group=\"...\">, or take from SELF the right to write it",
		    "Active Directory lets people write it in their own entries, unless told otherwise: they choose "
		    "where they are sent to");
	else if (is_open)
		doctor_tell(
		    doctor, DOCTOR_OK, attribute, NULL,
		    "many access rules let people write it in their own entries: see that this server's do not");
	else
		doctor_tell(doctor, DOCTOR_OK, attribute, NULL, "is none that people commonly may write themselves");
}

struct users {
	struct doctor *doctor;
	const bool *no_members;        /* [site_count]: who is in a site's group is not looked at */
	struct config_redirect strict; /* the policy's, where everybody without a place is told */
	size_t count, unmapped, several;
	struct doctor_values values; /* that no site is for */
	const char *several_names;
};

static const char *add_name(struct doctor *doctor, const char *names, size_t before, const char *dn, const char *value)
{
	if (before >= NAMED)
		return names;
	return doctor_text(doctor, "%s%s'%s' of %s", names, before > 0 ? ", " : "", value, dn);
}

static enum status take_user(void *context, const struct dir_entry *user)
{
	struct users *users = context;
	struct doctor *doctor = users->doctor;
	const struct dir_attribute *values = dir_entry_attribute(user, users->strict.attribute);
	size_t site, uri;
	struct text key;

	if (values == NULL || values->value_count == 0)
		return STATUS_OK;
	if (users->count >= doctor->user_limit)
		return STATUS_LIMIT;
	if (++users->count % DOCTOR_PAGE == 0)
		doctor_print_progress(&doctor->print, doctor->check->doing);
	text_init(&key);
	dn_own_key(user->dn, strlen(user->dn), &key);
	if (text_failed(&key)) {
		text_done(&key);
		return STATUS_NO_MEMORY;
	}
	if (redirect_place_of(&users->strict, user, text_string(&key), users->no_members, user->dn, &site, &uri) ==
	    REDIRECT_UNMAPPED) {
		users->unmapped++;
		if (!doctor_values_count(&users->values, &values->values[0], user->dn)) {
			text_done(&key);
			return STATUS_NO_MEMORY;
		}
	}
	text_done(&key);
	if (values->value_count > 1) {
		users->several_names =
		    add_name(doctor, users->several_names, users->several, user->dn, values->values[0].data);
		users->several++;
	}
	return STATUS_OK;
}

static void tell_users(struct doctor *doctor, struct users *users)
{
	const char *what = doctor->config->redirect.deny_unmapped ? "denied" : "authorized here";

	if (users->count == 0)
		doctor_tell(doctor, DOCTOR_WARNING, users->strict.attribute,
			    "see redirect/@attribute, and let the account read it",
			    "no user shows a value of it, so nobody is redirected by it");
	if (users->unmapped > 0)
		doctor_tell(
		    doctor, DOCTOR_WARNING, users->strict.attribute,
		    "name these values by <site name=\"...\"> or <here value=\"...\">, or correct the entries",
		    "%zu of %zu users with a value have one that no site is for, and are %s unless a site's group "
		    "holds them: %s",
		    users->unmapped, users->count, what, doctor_values_text(&users->values, doctor));
	if (users->several > 0)
		doctor_tell(doctor, DOCTOR_WARNING, users->strict.attribute, "leave one value in these entries",
			    "%zu %s several values, and the first site of the policy counts: %s%s", users->several,
			    users->several == 1 ? "user has" : "users have", users->several_names,
			    users->several > NAMED ? ", ..." : "");
	if (users->count > 0 && users->unmapped + users->several == 0)
		doctor_tell(doctor, DOCTOR_OK, users->strict.attribute, NULL,
			    "%zu %s a value, and each is a site's or served here", users->count,
			    users->count == 1 ? "user has" : "users have");
}

void doctor_redirect_users(struct doctor *doctor)
{
	static const unsigned patience = 4;
	static const bool no_members[CONFIG_MAX_SITES];
	struct users users = {
	    .doctor = doctor, .no_members = no_members, .strict = doctor->config->redirect, .several_names = ""};
	const char *attributes[] = {users.strict.attribute, NULL};
	struct dir_search search;

	users.strict.deny_unmapped = true;
	if (!doctor_search(doctor, &search, doctor->directory->base, DIR_SCOPE_SUBTREE,
			   doctor_text(doctor, "(&%s(%s=*))", doctor->directory->user_filter, users.strict.attribute),
			   attributes))
		return;
	search.page_size = DOCTOR_PAGE;
	search.on_entry = take_user;
	search.on_entry_context = &users;
	if (doctor_ask(doctor, &search, patience) || users.count >= doctor->user_limit)
		tell_users(doctor, &users);
	else
		doctor_tell_search(doctor, DOCTOR_WARNING, users.strict.attribute, &search,
				   "let the account list the users");
	if (users.count >= doctor->user_limit)
		doctor_tell(doctor, DOCTOR_OK, users.strict.attribute, NULL,
			    "no more than %llu users were looked at (--limit)", (unsigned long long)doctor->user_limit);
	doctor_values_done(&users.values);
	dir_search_done(&search);
}
