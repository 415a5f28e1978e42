/* SPDX-License-Identifier: Apache-2.0 */
#include <base/ascii.h>
#include <cli/doctor_check.h>
#include <membership/closure_entry.h>
#include <os/clock.h>
#include <string.h>

static const char any_entry[] = "(objectClass=*)";
static const char ad_group_filter[] = "(objectClass=group)";
static const char *const no_attributes[] = {"1.1", NULL};

/* The server itself */

/* Nobody is decided about by what such a server says. */
static void tell_unsynchronized(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->server_count; i++)
		if (doctor->servers[i].is_unsynchronized)
			doctor_tell(
			    doctor, doctor->server->is_unsynchronized ? DOCTOR_ERROR : DOCTOR_WARNING,
			    doctor->servers[i].uri,
			    "wait until it has replicated (repadmin /showrepl), or name other domain controllers too",
			    "it has not replicated since it was started, restored or promoted, and is not asked until "
			    "then");
}

static void tell_facts(struct doctor *doctor)
{
	const struct dir_facts *facts = &doctor->facts;

	tell_unsynchronized(doctor);
	if (facts->is_synchronized)
		doctor_tell(doctor, DOCTOR_OK, doctor->server->uri, NULL, "%s%s%s%s%s", dir_kind_word(facts->kind),
			    facts->vendor != NULL ? ", " : "", facts->vendor != NULL ? facts->vendor : "",
			    facts->vendor_version != NULL ? " " : "",
			    facts->vendor_version != NULL ? facts->vendor_version : "");
	if (!facts->offers_paging)
		doctor_tell(doctor, DOCTOR_WARNING, doctor->server->uri,
			    "let the account read the root DSE (its supportedControl), or use a server with RFC 2696",
			    "it does not say that it can answer in pages: long listings may be cut");
}

void doctor_directory_type(struct doctor *doctor)
{
	struct dir_search search;
	struct error error;

	doctor->facts.is_synchronized = doctor->facts.offers_paging = true;
	if (!doctor_search(doctor, &search, "", DIR_SCOPE_BASE, dir_facts_filter, dir_facts_attributes))
		return;
	if (!doctor_ask(doctor, &search, 1) || search.entries == NULL)
		doctor_tell(doctor, DOCTOR_WARNING, doctor->server->uri,
			    "let the account (or anybody) read the entry with the empty name",
			    "the root DSE cannot be read: %s", dir_outcome_word(search.outcome));
	else if (dir_facts_take(search.entries, doctor->arena, &doctor->facts, &error) != STATUS_OK)
		doctor_tell_error(doctor, DOCTOR_WARNING, doctor->server->uri, &error, NULL);
	else
		tell_facts(doctor);
	if (doctor_is_active_directory(doctor))
		doctor_forest_adapt(doctor);
	dir_search_done(&search);
}

/* Where people and groups are */

static const char *contexts(struct doctor *doctor)
{
	const char *list = "";

	for (size_t i = 0; i < doctor->facts.naming_context_count; i++)
		list = doctor_text(doctor, "%s%s'%s'", list, i > 0 ? ", " : "", doctor->facts.naming_contexts[i]);
	return list;
}

static bool check_base(struct doctor *doctor, const char *base, const char *what)
{
	struct dir_search search;
	bool is_there;

	if (!doctor_search(doctor, &search, base, DIR_SCOPE_BASE, any_entry, no_attributes))
		return false;
	is_there = doctor_ask(doctor, &search, 1) && search.entries != NULL;
	if (is_there)
		doctor_tell(doctor, DOCTOR_OK, base, NULL, "there, and may be seen");
	else if (search.outcome == DIR_OUTCOME_OK || search.outcome == DIR_OUTCOME_NO_SUCH_OBJECT)
		doctor_tell(doctor, DOCTOR_ERROR, base,
			    doctor_text(doctor, "correct %s, or let the account read it; the server has %s", what,
					doctor->facts.naming_context_count > 0 ? contexts(doctor)
									       : "no naming context that it shows"),
			    "does not exist, or the bound account may not see it");
	else
		doctor_tell_search(doctor, DOCTOR_ERROR, base, &search, doctor_text(doctor, "see %s", what));
	dir_search_done(&search);
	return is_there;
}

void doctor_directory_base(struct doctor *doctor)
{
	const struct config_directory *directory = doctor->directory;
	bool is_there = check_base(doctor, directory->base, "directory/@base");

	if (strcmp(directory->base, directory->group_base) != 0)
		is_there = check_base(doctor, directory->group_base, "groups/@base") && is_there;
	if (is_there)
		doctor_reach(doctor, DOCTOR_STAGE_BASE);
	else
		doctor_block(doctor, "the policy's base cannot be read");
}

/* Limits */

struct listing {
	struct doctor *doctor;
	size_t count;
};

static enum status count_entry(void *context, const struct dir_entry *entry)
{
	struct listing *listing = context;

	(void)entry;
	if (++listing->count % DOCTOR_PAGE == 0)
		doctor_print_progress(
		    &listing->doctor->print,
		    doctor_text(listing->doctor, "%s: %zu", listing->doctor->check->doing, listing->count));
	return STATUS_OK;
}

static const char *limits_remedy(struct doctor *doctor)
{
	const char *dn = doctor->directory->bind_dn;

	if (dir_kind_is_active_directory(doctor->facts.kind))
		return "raise the domain's LDAP policy (MaxResultSetSize, MaxQueryDuration), or narrow groups/@base";
	return doctor_text(doctor, "slapd.conf: limits dn.exact=\"%s\" size=unlimited time=unlimited",
			   dn != NULL ? dn : "the account's DN");
}

void doctor_directory_listing(struct doctor *doctor)
{
	static const unsigned patience = 4;
	struct listing listing = {doctor, 0};
	const char *base = doctor->directory->group_base;
	struct error error = {.status = STATUS_OK};
	struct dir_search search;

	if (!doctor_search(doctor, &search, base, DIR_SCOPE_SUBTREE,
			   doctor_is_active_directory(doctor) ? ad_group_filter : closure_group_filter, no_attributes))
		return;
	search.page_size = DOCTOR_PAGE;
	search.on_entry = count_entry;
	search.on_entry_context = &listing;
	if (doctor_ask(doctor, &search, patience) && listing.count > 0) {
		doctor_tell(doctor, DOCTOR_OK, base, NULL,
			    "%zu groups, pages asked for: %u; none is held back by a limit", listing.count,
			    (unsigned)search.pages);
	} else if (search.outcome == DIR_OUTCOME_OK) {
		doctor_tell(
		    doctor, DOCTOR_ERROR, base,
		    "see groups/@base, and let the account read the groups (search and read, also of objectClass)",
		    "no group can be seen below it");
	} else {
		(void)dir_search_failure(&search, &error);
		if (search.outcome == DIR_OUTCOME_LIMIT)
			error.hint[0] = '\0'; /* ours says more */
		doctor_tell_error(doctor, DOCTOR_ERROR, base, &error,
				  search.outcome == DIR_OUTCOME_LIMIT ? limits_remedy(doctor)
								      : "let the account list the groups");
		doctor_block(doctor, "the groups cannot be listed in whole");
	}
	dir_search_done(&search);
}
