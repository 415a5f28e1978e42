/* SPDX-License-Identifier: Apache-2.0 */
#include <membership/closure_load_private.h>

#include <base/ascii.h>
#include <base/sid.h>
#include <directory/dir_mark.h>
#include <identity/dn.h>
#include <identity/filter.h>
#include <identity/group_name.h>
#include <identity/sender.h>
#include <membership/closure_principal.h>
#include <membership/lookup_tokens.h>
#include <string.h>

/* AD's MaxPageSize. */
#define LIST_PAGE 1000
/* There is one group of a name, or of a SID. */
#define ROOT_LIMIT 2

static const char any_entry[] = "(objectClass=*)";
static const char *const root_attributes[] = {"objectClass", "objectSid", "groupType", "sAMAccountName", NULL};
static const char *const origin_attributes[] = {"invocationId", NULL};

/* FOREST */

static enum status refuse_names(struct error *error)
{
	error_set(error, STATUS_REFUSED, "the domain controller does not offer extended DNs (1.2.840.113556.1.4.529)");
	return error_hint(error, STATUS_REFUSED, "without them it does not show the SIDs of a user's groups");
}

/* After the forest's questions: who answers, by its name and by its database's. */
enum { ORIGIN_MARK = DIR_FOREST_SEARCHES, ORIGIN_ID };

static bool ask_origin(struct closure_load *load)
{
	if (closure_load_add_csn(load) == NULL)
		return false;
	return load->facts.ds_service_name == NULL ||
	       closure_load_add(load, load->facts.ds_service_name, DIR_SCOPE_BASE, any_entry, origin_attributes) !=
		   NULL;
}

static bool take_vector(struct closure_load *load, const struct dir_entry *head)
{
	const struct dir_value *value = head == NULL ? NULL : dir_entry_single(head, "replUpToDateVector");
	const char *copy;

	if (value == NULL)
		return true;
	if ((copy = arena_copy_bytes(load->arena, value->data, value->length)) == NULL)
		return false;
	load->origin.has_vector = dir_vector_parse(copy, value->length, &load->origin.vector);
	return true;
}

/* Another one has taken over since it was asked what it is. */
static bool is_of_other(const struct closure_load *load)
{
	const struct dir_entry *dse = load->found[ORIGIN_MARK].entries;
	const struct dir_value *name = dse == NULL ? NULL : dir_entry_single(dse, "dsServiceName");

	return name != NULL && load->facts.ds_service_name != NULL &&
	       strcmp(name->data, load->facts.ds_service_name) != 0;
}

/* Not closure_csn_of, whose NULL may be for want of memory: whoever is not known is believed. */
static bool take_origin_mark(struct closure_load *load)
{
	const struct dir_entry *dse = load->found[ORIGIN_MARK].entries;
	enum status status = STATUS_NOT_FOUND;
	struct text mark;

	text_init(&mark);
	if (dse != NULL)
		status = dir_mark_of(dse, &mark);
	if (status == STATUS_OK) {
		load->origin_mark = arena_copy_text(load->arena, text_string(&mark));
		status = load->origin_mark == NULL ? STATUS_NO_MEMORY : STATUS_OK;
	}
	text_done(&mark);
	return status != STATUS_NO_MEMORY;
}

/* @return false: no memory. */
static bool take_origin(struct closure_load *load)
{
	const struct dir_value *id;

	if (!take_origin_mark(load))
		return false;
	if (load->origin_mark == NULL || load->facts.ds_service_name == NULL)
		return true;
	if (!take_vector(load, load->found[DIR_FOREST_DOMAIN].entries))
		return false;
	id = load->found[ORIGIN_ID].entries == NULL ? NULL
						    : dir_entry_single(load->found[ORIGIN_ID].entries, "invocationId");
	load->origin.has_id = id != NULL && id->length == sizeof(load->origin.id);
	if (load->origin.has_id)
		memcpy(load->origin.id, id->data, id->length);
	return true;
}

void closure_sids_ask_forest(struct closure_load *load)
{
	struct error error;
	enum status status;

	for (size_t i = 0; i < DIR_FOREST_SEARCHES; i++) {
		if (closure_load_add(load, "", DIR_SCOPE_BASE, any_entry, NULL) == NULL) {
			closure_load_no_memory(load);
			return;
		}
	}
	if (!ask_origin(load)) {
		closure_load_no_memory(load);
		return;
	}
	status = load->facts.offers_extended_dn ? dir_forest_ask(&load->facts, load->arena, load->found, &error)
						: refuse_names(&error);
	if (status == STATUS_OK)
		closure_load_send(load, STAGE_FOREST);
	else
		closure_load_finish(load, status, &error, NULL);
}

void closure_sids_settle_forest(struct closure_load *load)
{
	struct error error;
	enum status status;

	if (is_of_other(load)) {
		closure_load_again(load);
		return;
	}
	status = dir_forest_take(&load->facts, load->plan->directory->base, load->found, &load->forest, &error);
	if (status != STATUS_OK) {
		error_prefix(&error, "could not read the domains of the forest");
		closure_load_finish(load, status, &error, NULL);
		return;
	}
	if (!take_origin(load)) {
		closure_load_no_memory(load);
		return;
	}
	closure_builder_set_by_sid(load->builder);
	closure_load_drop(load);
	closure_stage_ask_mark(load);
}

/* LIST: roots, behind two listings */

enum { LISTING_GROUPS = 0, LISTING_PRINCIPALS, LISTINGS };

static bool is_builtin_domain(const char *domain)
{
	return ascii_equal_nocase(domain, "BUILTIN");
}

static bool is_here(const struct closure_load *load, const char *domain)
{
	return is_builtin_domain(domain) || dir_forest_find_domain(load->forest, domain) == load->forest->home;
}

/* A filter that lives as long as the attempt; NULL when memory ran out. */
static const char *keep_filter(struct closure_load *load)
{
	return text_failed(&load->filter) ? NULL : arena_copy_text(load->arena, text_string(&load->filter));
}

static const char *sid_filter(struct closure_load *load, const struct sid *sid)
{
	uint8_t binary[SID_BINARY_BYTES];

	text_clear(&load->filter);
	filter_add_equality(&load->filter, "objectSid", binary, sid_encode(sid, binary));
	return keep_filter(load);
}

static const char *account_filter(struct closure_load *load, const char *account)
{
	text_clear(&load->filter);
	text_add(&load->filter, "(&(objectClass=group)");
	filter_add_equality(&load->filter, "sAMAccountName", account, strlen(account));
	text_add(&load->filter, ")");
	return keep_filter(load);
}

static bool add_root_search(struct closure_load *load, size_t root, const char *base, enum dir_scope scope,
			    const char *filter)
{
	struct dir_search *search =
	    filter == NULL ? NULL : closure_load_add(load, base, scope, filter, root_attributes);

	if (search == NULL)
		return false;
	search->flags = dir_facts_search_flags(&load->facts);
	search->size_limit = scope == DIR_SCOPE_BASE ? 0 : ROOT_LIMIT;
	load->steps[load->count - 1].number = (uint32_t)root;
	return true;
}

/* A group of another domain of the forest is not here, but the tokens of those who are in it hold its SID. */
static bool is_elsewhere(const struct closure_load *load, const struct sid *sid)
{
	return lookup_needs_tokens(load->forest) && dir_forest_is_account_sid(sid) &&
	       dir_forest_find_issuer(load->forest, sid) != load->forest->home;
}

static bool ask_sid(struct closure_load *load, size_t root, const struct sid *sid)
{
	char text[SID_TEXT_BYTES];

	if (!is_elsewhere(load, sid))
		return add_root_search(load, root, load->forest->home->naming_context, DIR_SCOPE_SUBTREE,
				       sid_filter(load, sid));
	sid_format(sid, text);
	load->roots[root] = ROOT_ELSEWHERE;
	if (closure_builder_set_root(load->builder, root, text, text) != STATUS_OK)
		return false;
	/* Of another forest: tokens here may hold it (sIDHistory), but who of that forest is in it is not known. */
	if (dir_forest_find_issuer(load->forest, sid) == NULL)
		(void)closure_builder_add_holding(load->builder, closure_builder_digest_id(load->builder, text),
						  CLOSURE_HOLDS_FOREIGN);
	return true;
}

/* A pinned root is asked for by its SID, whatever it is called now. */
static bool ask_root(struct closure_load *load, size_t root)
{
	const char *pin = load->plan->pins[root], *domain = load->forest->home->naming_context;
	struct group_name name;
	struct sid sid;

	/* What cannot be asked for here is not here. */
	load->roots[root] = ROOT_MISSING;
	if (pin != NULL && sid_parse_text(pin, strlen(pin), &sid))
		return ask_sid(load, root, &sid);
	if (group_name_parse(load->plan->names[root], &name, NULL) != STATUS_OK)
		return false;
	switch (name.form) {
	case GROUP_NAME_DN:
		return add_root_search(load, root, load->plan->names[root], DIR_SCOPE_BASE, any_entry);
	case GROUP_NAME_SID:
		return ask_sid(load, root, &name.sid);
	case GROUP_NAME_ACCOUNT:
		break;
	}
	return !is_here(load, name.domain) ||
	       add_root_search(load, root, domain, DIR_SCOPE_SUBTREE, account_filter(load, name.account));
}

static enum status list_entry(void *context, const struct dir_entry *entry)
{
	struct step *step = context;

	return closure_stage_keep(step, closure_nest_take(&step->load->nest, step->load->builder, entry));
}

static enum status list_principal(void *context, const struct dir_entry *entry)
{
	struct step *step = context;

	return closure_stage_keep(step, closure_nest_take_principal(&step->load->nest, step->load->builder, entry));
}

static bool add_listing(struct closure_load *load, const char *base, const char *filter,
			enum status (*take)(void *context, const struct dir_entry *entry))
{
	struct dir_search *search = closure_load_add(load, base, DIR_SCOPE_SUBTREE, filter, closure_nest_attributes);

	if (search == NULL)
		return false;
	search->flags = dir_facts_search_flags(&load->facts);
	search->page_size = LIST_PAGE;
	closure_stage_stream(load, take);
	return true;
}

void closure_sids_ask_list(struct closure_load *load)
{
	const struct closure_plan *plan = load->plan;
	bool is_asked;

	/* All has to be of the one that has shown who it is. */
	if (load->csn != NULL && load->origin_mark != NULL && dir_mark_is_of_other(load->csn, load->origin_mark)) {
		closure_load_again(load);
		return;
	}
	/* Wherever groups are looked for: principals are in a container of the domain. */
	is_asked = add_listing(load, plan->directory->group_base, closure_nest_filter, list_entry) &&
		   add_listing(load, load->forest->home->naming_context, closure_principal_filter, list_principal);
	for (size_t root = 0; root < plan->root_count && is_asked; root++)
		is_asked = plan->names[root] == NULL || ask_root(load, root);
	if (is_asked)
		closure_load_send(load, STAGE_LIST);
	else
		closure_load_no_memory(load);
}

/* Servers match more than they were asked; and a name says which domain's. */
static bool has_account_name(const struct dir_entry *entry, const struct group_name *name)
{
	const struct dir_value *account = dir_entry_single(entry, "sAMAccountName");
	struct sid sid;

	return account != NULL && sender_name_is_same(name->account, account->data, account->length) &&
	       entry->id != NULL && sid_parse_text(entry->id, strlen(entry->id), &sid) &&
	       dir_forest_is_account_sid(&sid) != is_builtin_domain(name->domain);
}

static bool is_same_dn(const char *a, const char *b)
{
	struct text key, other;
	bool same;

	text_init(&key);
	text_init(&other);
	dn_own_key(a, strlen(a), &key);
	dn_own_key(b, strlen(b), &other);
	same = !text_failed(&key) && !text_failed(&other) && strcmp(text_string(&key), text_string(&other)) == 0;
	text_done(&key);
	text_done(&other);
	return same;
}

/* Whether an entry is the one that the policy names, and under the name that it has there. */
static enum root_state state_of(const struct closure_load *load, size_t root, const struct dir_entry *entry)
{
	const char *pin = load->plan->pins[root];
	struct group_name name;

	if (entry == NULL)
		return ROOT_MISSING;
	if (entry->next != NULL || group_name_parse(load->plan->names[root], &name, NULL) != STATUS_OK)
		return ROOT_NO_GROUP;
	if (pin != NULL && (entry->id == NULL || strcmp(pin, entry->id) != 0))
		return ROOT_REPLACED;
	if (!closure_nest_is_group(entry) || entry->id == NULL)
		return ROOT_NO_GROUP;
	if (name.form == GROUP_NAME_DN && pin != NULL && !is_same_dn(load->plan->names[root], entry->dn))
		return ROOT_RENAMED;
	if (name.form != GROUP_NAME_ACCOUNT || has_account_name(entry, &name))
		return ROOT_FOUND;
	return pin != NULL ? ROOT_RENAMED : ROOT_MISSING;
}

static enum status settle_root(struct closure_load *load, size_t root, const struct dir_entry *entry)
{
	load->roots[root] = state_of(load, root, entry);
	if (load->roots[root] != ROOT_FOUND && load->roots[root] != ROOT_RENAMED)
		return STATUS_OK;
	return closure_builder_set_root(load->builder, root, entry->dn, entry->id);
}

void closure_sids_settle_list(struct closure_load *load)
{
	enum status status = STATUS_OK;

	for (size_t i = LISTINGS; i < load->count && status == STATUS_OK; i++)
		status = settle_root(load, load->steps[i].number, load->found[i].entries);
	if (status == STATUS_OK)
		status = closure_nest_close(&load->nest, load->builder);
	if (status != STATUS_OK) {
		closure_load_fail(load, status, status == STATUS_LIMIT ? "too many groups" : "no memory");
		return;
	}
	closure_load_drop(load);
	closure_stage_ask_check(load);
}

/* DELTA */

bool closure_sids_build_delta(struct closure_load *load)
{
	uint64_t usn;

	if (load->csn == NULL || !dir_mark_usn(load->csn, &usn))
		return false;
	text_clear(&load->filter);
	text_printf(&load->filter, "(&(|(objectClass=group)(objectClass=foreignSecurityPrincipal))(uSNChanged>=%llu))",
		    (unsigned long long)usn + 1);
	return !text_failed(&load->filter);
}

static bool is_any_missing(const struct closure_load *load)
{
	for (size_t root = 0; root < load->plan->root_count; root++)
		if (load->roots[root] == ROOT_MISSING || load->roots[root] == ROOT_NO_GROUP)
			return true;
	return false;
}

/* To let another group in, one of the closure would have to change as well; but for a principal that is restored. */
bool closure_sids_concerns(const struct closure_load *load, const struct dir_entry *entry)
{
	return entry->id == NULL || closure_principal_is(entry) || closure_builder_holds_id(load->builder, entry->id) ||
	       is_any_missing(load);
}
