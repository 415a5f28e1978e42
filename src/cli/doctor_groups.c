/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <cli/doctor_groups.h>
#include <cli/shown.h>
#include <identity/filter.h>
#include <membership/membership.h>
#include <os/clock.h>
#include <os/random.h>
#include <string.h>

#define US_PER_MS    1000.0
#define BYTES_PER_MB (UINT64_C(1024) * 1024)
/* Groups of a cycle that are named. */
#define CYCLE_SHOWN 6
/* Groups of one filter: a domain controller takes far longer ones, but each is looked up. */
#define GROUPS_ASKED 64

/* Reading them, as the engine does */

/* On the executor. */
static void loaded(void *context, const struct closure_loaded *result)
{
	struct doctor_groups *groups = context;

	mutex_lock(&groups->lock);
	groups->status = result->status;
	if (result->status != STATUS_OK) {
		groups->error = *result->error;
	} else {
		groups->closure = closure_ref(result->closure);
		groups->csn = result->csn == NULL ? NULL : memory_copy_text(result->csn);
		groups->csn_base = result->csn_base == NULL ? NULL : memory_copy_text(result->csn_base);
		if ((result->csn != NULL && groups->csn == NULL) ||
		    (result->csn_base != NULL && groups->csn_base == NULL))
			groups->status = error_no_memory(&groups->error);
		groups->is_unmarked = result->csn == NULL && result->server != NULL;
		groups->csn_is_doubtful = result->csn_is_doubtful;
		groups->csn_stands_still = result->csn_stands_still;
		groups->invalid_members = result->invalid_members;
		groups->round_trips = result->searches;
		groups->took_us = clock_monotonic_us() - result->began_us;
		memcpy(groups->roots, result->roots, groups->count * sizeof(*groups->roots));
	}
	groups->is_over = true;
	condition_signal(&groups->ended);
	mutex_unlock(&groups->lock);
}

/* On the executor. */
static void start_load(void *context)
{
	struct doctor_groups *groups = context;
	const struct closure_loaded failed = {.status = STATUS_NO_MEMORY, .error = &groups->error};
	struct digest_key key = {0};

	if (random_fill(&key, sizeof(key), &groups->error) == STATUS_OK &&
	    closure_load_start(groups->pool, groups->executor, &groups->plan, &key, loaded, groups) == STATUS_OK)
		return;
	(void)error_no_memory(&groups->error);
	loaded(groups, &failed);
}

static enum status name_groups(struct doctor_groups *groups, const struct config *config)
{
	groups->count = config->rule_count + config->redirect.site_count;
	groups->names = memory_new_array(groups->count + 1, sizeof(*groups->names));
	groups->pins = memory_new_array(groups->count + 1, sizeof(*groups->pins));
	groups->roots = memory_new_array(groups->count + 1, sizeof(*groups->roots));
	if (groups->names == NULL || groups->pins == NULL || groups->roots == NULL)
		return STATUS_NO_MEMORY;
	for (size_t i = 0; i < config->rule_count; i++)
		groups->names[i] = config->rules[i].group;
	for (size_t i = 0; i < config->redirect.site_count; i++)
		groups->names[config->rule_count + i] = config->redirect.sites[i].group;
	return STATUS_OK;
}

static enum status open_groups(struct doctor *doctor, struct error *error)
{
	struct doctor_groups *groups = memory_new(sizeof(*groups));
	const struct config *config = doctor->config;
	enum status status;

	if (groups == NULL)
		return error_no_memory(error);
	mutex_init(&groups->lock);
	condition_init(&groups->ended);
	doctor->groups = groups;
	if (name_groups(groups, config) != STATUS_OK)
		return error_no_memory(error);
	groups->plan = (struct closure_plan){
	    .directory = doctor->directory,
	    .names = groups->names,
	    .pins = groups->pins,
	    .root_count = groups->count,
	    .index_budget_bytes = config->cache.member_index_bytes > DOCTOR_INDEX_BYTES
				      ? config->cache.member_index_bytes
				      : DOCTOR_INDEX_BYTES,
	};
	status = executor_open("doctor", &groups->executor, error);
	if (status == STATUS_OK)
		status = dir_pool_open(doctor->directory, groups->executor, &doctor->log, &groups->pool, error);
	return status;
}

static void await(struct doctor *doctor)
{
	struct doctor_groups *groups = doctor->groups;

	mutex_lock(&groups->lock);
	while (!groups->is_over) {
		(void)condition_wait_until(&groups->ended, &groups->lock, clock_monotonic_ms() + DOCTOR_TICK_MS);
		if (!groups->is_over)
			doctor_print_progress(&doctor->print, doctor->check->doing);
	}
	mutex_unlock(&groups->lock);
}

static enum status read_groups(struct doctor *doctor, struct error *error)
{
	struct doctor_groups *groups;
	enum status status = open_groups(doctor, error);

	if (status != STATUS_OK)
		return status;
	groups = doctor->groups;
	groups->start = (struct task){.run = start_load, .context = groups};
	executor_post(groups->executor, &groups->start);
	await(doctor);
	if (groups->status != STATUS_OK) {
		*error = groups->error;
		return groups->status;
	}
	groups->survey = closure_survey_new(groups->closure);
	return groups->survey == NULL ? error_no_memory(error) : STATUS_OK;
}

static const char *read_remedy(const struct error *error)
{
	if (error->status == STATUS_REFUSED)
		return "let the account read the members of the groups: "
		       "access to attrs=member,uniqueMember,memberUid by dn.exact=\"the account's DN\" read";
	return "see the lines above, and the server's log";
}

void doctor_groups_read(struct doctor *doctor)
{
	struct error error = {.status = STATUS_OK};
	const struct doctor_groups *groups;

	if (read_groups(doctor, &error) != STATUS_OK) {
		doctor_tell_error(doctor, DOCTOR_ERROR, NULL, &error, read_remedy(&error));
		doctor_block(doctor, "the configured groups cannot be read");
		return;
	}
	groups = doctor->groups;
	doctor_reach(doctor, DOCTOR_STAGE_GROUPS);
	doctor_tell(doctor, DOCTOR_OK, NULL, NULL, "%zu %s with their members in %.1f ms and %u round trips",
		    closure_group_count(groups->closure),
		    closure_group_count(groups->closure) == 1 ? "group" : "groups", (double)groups->took_us / US_PER_MS,
		    groups->round_trips);
	if (groups->invalid_members > 0)
		doctor_tell(doctor, DOCTOR_WARNING, NULL, "mend these groups; the values count for nobody",
			    "%zu member values cannot be names of anything", groups->invalid_members);
}

/* Each of them */

static const char *label_of(struct doctor *doctor, size_t root)
{
	const struct config *config = doctor->config;

	if (root < config->rule_count)
		return config->rules[root].label;
	return doctor_text(doctor, "site group %s", doctor->groups->names[root]);
}

static unsigned line_of(const struct config *config, size_t root)
{
	return root < config->rule_count ? config->rules[root].line
					 : config->redirect.sites[root - config->rule_count].line;
}

static bool is_rule(const struct config *config, size_t root, enum config_effect effect)
{
	return root < config->rule_count && config->rules[root].effect == effect;
}

static void tell_missing(struct doctor *doctor, size_t root, const char *what)
{
	const struct config *config = doctor->config;
	bool is_ignored = is_rule(config, root, CONFIG_DENY) && config->rules[root].ignore_if_missing;
	const char *consequence = "this rule lets nobody in";

	if (root >= config->rule_count)
		consequence = "this site gets nobody by it";
	else if (is_ignored)
		consequence = "this rule keeps nobody out";
	else if (is_rule(config, root, CONFIG_DENY))
		consequence = "every decision is an error until it exists";
	doctor_tell(doctor, is_ignored ? DOCTOR_WARNING : DOCTOR_ERROR, label_of(doctor, root),
		    doctor_text(doctor, "correct the name in %s:%u, make the group, or let the account see it",
				config->path, line_of(config, root)),
		    "%s: %s", what, consequence);
}

static const char *cycle_words(struct doctor *doctor, const struct closure_figures *figures)
{
	const struct doctor_groups *groups = doctor->groups;
	uint32_t path[CYCLE_SHOWN];
	const char *words = "";
	size_t length;

	if (figures->in_cycles == 0)
		return "";
	length = closure_survey_cycle(groups->survey, figures->a_cycle, path, COUNT_OF(path));
	for (size_t i = 0; i < length; i++) {
		const char *dn = closure_group_dn(groups->closure, path[i]);

		words = doctor_text(doctor, "%s%s%.*s", words, i > 0 ? " > " : "", (int)shown_first_part(dn), dn);
	}
	return doctor_text(doctor, ", %zu of them nested in themselves%s%s%s", figures->in_cycles,
			   length > 0 ? " (" : "", words, length > 0 ? ")" : "");
}

/* Active Directory */

/* The condition for everybody in a group, or in one nested in it; a primary group is no link. False: too many groups to ask about. */
static bool add_members(const struct doctor_groups *groups, size_t root, struct text *filter)
{
	size_t count = 0;

	text_add(filter, "(&(!(objectClass=group))(|");
	for (uint32_t group = 0; group < closure_group_count(groups->closure); group++) {
		const char *dn = closure_group_dn(groups->closure, group);
		const char *rid = strrchr(closure_group_id(groups->closure, group), '-');

		if (closure_distance(groups->closure, root, group) == CLOSURE_NONE)
			continue;
		if (++count > GROUPS_ASKED)
			return false;
		filter_add_equality(filter, "memberOf", dn, strlen(dn));
		if (rid != NULL)
			filter_add_equality(filter, "primaryGroupID", rid + 1, strlen(rid + 1));
	}
	text_add(filter, "))");
	return !text_failed(filter);
}

static enum status count_entry(void *context, const struct dir_entry *entry)
{
	size_t *count = context;

	(void)entry;
	(*count)++;
	return STATUS_OK;
}

/* The server counts, for there is no member index. Each is one, in however many of the groups he is. */
static void count_members(struct doctor *doctor, size_t root, struct closure_figures *figures)
{
	static const char *const no_attributes[] = {"1.1", NULL};
	struct dir_search search;
	struct text filter;
	size_t count = 0;

	text_init(&filter);
	if (add_members(doctor->groups, root, &filter) &&
	    doctor_search(doctor, &search, doctor->directory->base, DIR_SCOPE_SUBTREE, text_string(&filter),
			  no_attributes)) {
		search.page_size = DOCTOR_PAGE;
		search.on_entry = count_entry;
		search.on_entry_context = &count;
		if (doctor_ask(doctor, &search, 1)) {
			figures->members_counted = true;
			figures->members = count;
		}
		dir_search_done(&search);
	}
	text_done(&filter);
}

/* What its author has not thought of. */
static void tell_holdings(struct doctor *doctor, size_t root)
{
	const struct closure *closure = doctor->groups->closure;

	for (size_t i = 0; i < CLOSURE_HOLDINGS; i++) {
		const uint32_t holder = closure_find_holder(closure, root, 1U << i);
		const char *words = membership_holding_words(doctor->config, root, 1U << i);

		if (holder != CLOSURE_NONE && words != NULL)
			doctor_tell(doctor, DOCTOR_WARNING, label_of(doctor, root), "take that out of the group",
				    "'%s' holds %s", closure_group_dn(closure, holder), words);
	}
}

static void tell_found(struct doctor *doctor, size_t root)
{
	const struct doctor_groups *groups = doctor->groups;
	const char *id = closure_group_id(groups->closure, closure_root_group(groups->closure, root));
	struct closure_figures figures = {.groups = 0};
	const char *size, *nested;

	if (closure_survey_root(groups->survey, root, &figures) != STATUS_OK) {
		doctor_tell(doctor, DOCTOR_ERROR, label_of(doctor, root), NULL, "out of memory");
		return;
	}
	if (closure_is_by_sid(groups->closure))
		count_members(doctor, root, &figures);
	nested = figures.groups > 1 ? doctor_text(doctor, ", %zu %s nested, %u deep%s", figures.groups - 1,
						  figures.groups == 2 ? "group" : "groups", (unsigned)figures.depth,
						  cycle_words(doctor, &figures))
				    : cycle_words(doctor, &figures);
	size = figures.members_counted
		   ? doctor_text(doctor, "%zu %s", figures.members, figures.members == 1 ? "member" : "members")
		   : "members not counted";
	if (figures.members_counted && figures.members == 0 && is_rule(doctor->config, root, CONFIG_ALLOW))
		doctor_tell(doctor, DOCTOR_WARNING, label_of(doctor, root),
			    "put somebody in, or take the rule out; or are its members hidden from the account?",
			    "nobody is in it: this rule lets nobody in (id %s%s)", id, nested);
	else
		doctor_tell(doctor, DOCTOR_OK, label_of(doctor, root), NULL, "%s%s; id %s", size, nested, id);
	tell_holdings(doctor, root);
}

void doctor_groups_each(struct doctor *doctor)
{
	const struct doctor_groups *groups = doctor->groups;

	for (size_t root = 0; root < groups->count; root++) {
		switch (groups->roots[root]) {
		case ROOT_UNUSED:
			break;
		case ROOT_FOUND:
		case ROOT_RENAMED:
			tell_found(doctor, root);
			break;
		case ROOT_ELSEWHERE:
			doctor_tell(
			    doctor, DOCTOR_OK, label_of(doctor, root), NULL,
			    "of another domain of the forest: whether it exists is not asked, users' tokens show it");
			break;
		case ROOT_MISSING:
			tell_missing(doctor, root, "does not exist, or the bound account may not see it");
			break;
		case ROOT_REPLACED:
			tell_missing(doctor, root, "another entry has taken its name");
			break;
		case ROOT_NO_GROUP:
			tell_missing(
			    doctor, root,
			    doctor_is_active_directory(doctor)
				? "is not a security group, and no token holds others"
				: "is not a group (groupOfNames, groupOfUniqueNames, groupOfMembers, posixGroup)");
			break;
		}
	}
}

/* The member index */

static uint64_t megabytes(uint64_t bytes)
{
	return (bytes + BYTES_PER_MB - 1) / BYTES_PER_MB;
}

static void tell_no_room(struct doctor *doctor, uint64_t wanted, bool is_more)
{
	uint64_t budget = doctor->config->cache.member_index_bytes;

	doctor_tell(doctor, DOCTOR_WARNING, NULL,
		    doctor_text(doctor,
				"<cache member-index=\"%lluMB\"/> would hold %s; or see that the server has 'member' "
				"indexed (index member eq), which each decision asks for",
				(unsigned long long)megabytes(is_more ? wanted * 2 : wanted + wanted / 4),
				is_more ? "them perhaps" : "them, and a quarter more"),
		    "the memberships take %s%.1f MB, cache/@member-index allows %.1f MB: the server is asked for the "
		    "groups of each user",
		    is_more ? "more than " : "", (double)wanted / (double)BYTES_PER_MB,
		    (double)budget / (double)BYTES_PER_MB);
}

void doctor_groups_index(struct doctor *doctor)
{
	const struct member_index *index = closure_index(doctor->groups->closure);
	uint64_t budget = doctor->config->cache.member_index_bytes;
	uint64_t used = index == NULL ? 0 : member_index_count(index) * sizeof(struct member_pair);

	if (closure_is_by_sid(doctor->groups->closure))
		doctor_tell(doctor, DOCTOR_OK, NULL, NULL,
			    "not needed: on Active Directory users show which groups hold them, by SID");
	else if (doctor->directory->strategy != CONFIG_STRATEGY_AUTO)
		doctor_tell(doctor, DOCTOR_OK, NULL, NULL, "not used: groups/@strategy says to %s",
			    doctor->directory->strategy == CONFIG_STRATEGY_SEARCH ? "ask the server"
										  : "believe memberOf");
	else if (index == NULL)
		tell_no_room(doctor, doctor->groups->plan.index_budget_bytes, true);
	else if (used > budget)
		tell_no_room(doctor, used, false);
	else
		doctor_tell(doctor, DOCTOR_OK, NULL, NULL, "%zu memberships, %.1f MB of the %.1f MB that it may have",
			    member_index_count(index), (double)used / (double)BYTES_PER_MB,
			    (double)budget / (double)BYTES_PER_MB);
}

static void drained(void *context)
{
	struct doctor_groups *groups = context;

	mutex_lock(&groups->lock);
	groups->is_drained = true;
	condition_signal(&groups->ended);
	mutex_unlock(&groups->lock);
}

void doctor_groups_drain(struct doctor *doctor)
{
	struct doctor_groups *groups = doctor->groups;

	groups->is_drained = false;
	groups->drain = (struct task){.run = drained, .context = groups};
	executor_post(groups->executor, &groups->drain);
	mutex_lock(&groups->lock);
	while (!groups->is_drained)
		condition_wait(&groups->ended, &groups->lock);
	mutex_unlock(&groups->lock);
}

void doctor_groups_close(struct doctor *doctor)
{
	struct doctor_groups *groups = doctor->groups;

	doctor->groups = NULL;
	if (groups == NULL)
		return;
	if (groups->pool != NULL)
		dir_pool_stop(groups->pool);
	executor_close(&groups->executor);
	dir_pool_close(&groups->pool);
	closure_survey_free(&groups->survey);
	closure_unref(&groups->closure);
	memory_free(groups->csn);
	memory_free(groups->csn_base);
	memory_free(groups->names);
	memory_free(groups->pins);
	memory_free(groups->roots);
	condition_done(&groups->ended);
	mutex_done(&groups->lock);
	memory_free(groups);
}
