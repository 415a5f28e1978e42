/* SPDX-License-Identifier: Apache-2.0 */
#include <base/arena.h>
#include <base/ascii.h>
#include <base/digest_map.h>
#include <base/memory.h>
#include <base/text.h>
#include <identity/dn.h>
#include <membership/closure_build.h>
#include <string.h>

/* A group of the directory, whether of the closure or not. */
struct listed {
	const char *dn;
	const char *id;
	uint32_t group; /* its number in the closure, or CLOSURE_NONE */
};

/* A spelling that only the server can resolve. */
struct foreign {
	const char *dn;
	struct digest name; /* the digest of the own DN, when found */
	bool resolved, found;
};

/* "The entry behind spelling `foreign` is a member of `group`." */
struct foreign_member {
	uint32_t foreign, group;
};

struct closure_builder {
	struct arena *arena;
	struct closure *closure;
	struct member_index *index; /* NULL: not wanted, or over its budget */
	struct text key;            /* scratch */

	struct listed *listed;
	size_t listed_count, listed_capacity;
	struct digest_map listed_names, listed_ids;

	struct foreign *foreigns;
	size_t foreign_count, foreign_capacity;
	struct digest_map spellings;
	struct foreign_member *waiting;
	size_t waiting_count, waiting_capacity, waiting_settled;

	uint32_t next_unread, next_foreign;
	size_t invalid_count;
	bool sealed;
};

struct closure_builder *closure_builder_new(size_t root_count, const struct digest_key *key,
					    uint64_t index_budget_bytes)
{
	struct closure_builder *builder = memory_new(sizeof(*builder));

	if (builder == NULL)
		return NULL;
	text_init(&builder->key);
	digest_map_init(&builder->listed_names);
	digest_map_init(&builder->listed_ids);
	digest_map_init(&builder->spellings);
	builder->arena = arena_new(CLOSURE_BUILD_MAX_BYTES);
	builder->closure = closure_new(root_count, key);
	if (index_budget_bytes > 0)
		builder->index = member_index_new(index_budget_bytes);
	if (builder->arena == NULL || builder->closure == NULL || (index_budget_bytes > 0 && builder->index == NULL))
		closure_builder_free(&builder);
	return builder;
}

void closure_builder_free(struct closure_builder **reference)
{
	struct closure_builder *builder = *reference;

	*reference = NULL;
	if (builder == NULL)
		return;
	arena_free(&builder->arena);
	closure_unref(&builder->closure);
	member_index_free(&builder->index);
	text_done(&builder->key);
	memory_free(builder->listed);
	digest_map_done(&builder->listed_names);
	digest_map_done(&builder->listed_ids);
	memory_free(builder->foreigns);
	digest_map_done(&builder->spellings);
	memory_free(builder->waiting);
	memory_free(builder);
}

/* The digest of an own DN; false when memory ran out. */
static bool own_digest(struct closure_builder *builder, const char *dn, struct digest *digest_out)
{
	dn_own_key(dn, strlen(dn), &builder->key);
	if (text_failed(&builder->key))
		return false;
	*digest_out = closure_digest_dn(builder->closure, text_string(&builder->key), builder->key.length);
	return true;
}

static enum status add_listed(struct closure_builder *builder, struct digest name, const char *dn, const char *id,
			      uint32_t *listed_out)
{
	struct listed listed = {arena_copy_text(builder->arena, dn), arena_copy_text(builder->arena, id), CLOSURE_NONE};
	uint32_t number = (uint32_t)builder->listed_count;

	if (builder->listed_count >= CLOSURE_MAX_LISTED || arena_hit_limit(builder->arena))
		return STATUS_LIMIT;
	if (listed.dn == NULL || listed.id == NULL ||
	    !ARRAY_RESERVE(&builder->listed, &builder->listed_capacity, builder->listed_count + 1) ||
	    !digest_map_put(&builder->listed_names, name, number) ||
	    !digest_map_put(&builder->listed_ids, closure_digest_uid(builder->closure, id, strlen(id)), number))
		return STATUS_NO_MEMORY;
	builder->listed[builder->listed_count++] = listed;
	*listed_out = number;
	return STATUS_OK;
}

enum status closure_builder_list_group(struct closure_builder *builder, const char *dn, const char *id)
{
	struct digest name;
	uint32_t listed;

	if (!own_digest(builder, dn, &name))
		return STATUS_NO_MEMORY;
	return add_listed(builder, name, dn, id, &listed);
}

void closure_builder_set_by_sid(struct closure_builder *builder)
{
	closure_set_by_sid(builder->closure);
	member_index_free(&builder->index);
}

uint32_t closure_builder_last_listed(const struct closure_builder *builder)
{
	return (uint32_t)builder->listed_count - 1;
}

struct digest closure_builder_digest_id(const struct closure_builder *builder, const char *id)
{
	return closure_digest_uid(builder->closure, id, strlen(id));
}

const char *closure_builder_group_id(const struct closure_builder *builder, uint32_t group)
{
	return closure_group_id(builder->closure, group);
}

bool closure_builder_holds_id(const struct closure_builder *builder, const char *id)
{
	uint32_t listed = digest_map_get(&builder->listed_ids, closure_builder_digest_id(builder, id));

	return listed != DIGEST_MAP_NONE && builder->listed[listed].group != CLOSURE_NONE;
}

bool closure_builder_add_holding(struct closure_builder *builder, struct digest id, unsigned holding)
{
	uint32_t listed = digest_map_get(&builder->listed_ids, id);

	if (listed == DIGEST_MAP_NONE || builder->listed[listed].group == CLOSURE_NONE)
		return false;
	closure_add_holding(builder->closure, builder->listed[listed].group, holding);
	return true;
}

const char *closure_builder_find_id(const struct closure_builder *builder, const char *id)
{
	uint32_t listed = digest_map_get(&builder->listed_ids, closure_digest_uid(builder->closure, id, strlen(id)));

	return listed == DIGEST_MAP_NONE ? NULL : builder->listed[listed].dn;
}

/* The closure's number of a listed group, which enters the closure if it was not in it yet. */
static enum status enter_closure(struct closure_builder *builder, uint32_t listed, uint32_t *group_out)
{
	struct listed *group = &builder->listed[listed];
	enum status status = STATUS_OK;

	if (group->group == CLOSURE_NONE)
		status = closure_add_group(builder->closure, group->dn, group->id, &group->group);
	if (status == STATUS_OK)
		*group_out = group->group;
	return status;
}

enum status closure_builder_add_child(struct closure_builder *builder, uint32_t listed, uint32_t group)
{
	uint32_t child;
	enum status status = enter_closure(builder, listed, &child);

	return status == STATUS_OK ? closure_add_edge(builder->closure, child, group) : status;
}

enum status closure_builder_set_root(struct closure_builder *builder, size_t root, const char *dn, const char *id)
{
	struct digest name;
	uint32_t listed, group;
	enum status status = STATUS_OK;

	if (!own_digest(builder, dn, &name))
		return STATUS_NO_MEMORY;
	listed = digest_map_get(&builder->listed_names, name);
	if (listed == DIGEST_MAP_NONE)
		status = add_listed(builder, name, dn, id, &listed);
	if (status == STATUS_OK)
		status = enter_closure(builder, listed, &group);
	if (status == STATUS_OK)
		closure_set_root(builder->closure, root, group);
	return status;
}

void closure_builder_demand_members(struct closure_builder *builder)
{
	closure_demand_members(builder->closure);
}

uint32_t closure_builder_next_unread(struct closure_builder *builder)
{
	if (builder->next_unread >= closure_group_count(builder->closure))
		return CLOSURE_NONE;
	return builder->next_unread++;
}

const char *closure_builder_group_dn(const struct closure_builder *builder, uint32_t group)
{
	return closure_group_dn(builder->closure, group);
}

static enum status add_membership(struct closure_builder *builder, struct digest member, uint32_t group)
{
	enum status status;

	if (builder->index == NULL)
		return STATUS_OK;
	status = member_index_add(builder->index, member, group);
	if (status == STATUS_LIMIT) { /* beyond the budget: the closure goes on without an index */
		member_index_free(&builder->index);
		return STATUS_OK;
	}
	return status;
}

/* The entry whose own DN has this digest is a member of the group. */
static enum status take_name(struct closure_builder *builder, struct digest name, uint32_t group)
{
	uint32_t listed = digest_map_get(&builder->listed_names, name);
	uint32_t child;
	enum status status;

	if (listed == DIGEST_MAP_NONE)
		return add_membership(builder, name, group);
	status = enter_closure(builder, listed, &child);
	return status == STATUS_OK ? closure_add_edge(builder->closure, child, group) : status;
}

static enum status take_foreign(struct closure_builder *builder, const struct dir_value *value, uint32_t group)
{
	struct digest spelling = closure_digest_dn(builder->closure, value->data, value->length);
	uint32_t number = digest_map_get(&builder->spellings, spelling);

	if (number == DIGEST_MAP_NONE) {
		struct foreign foreign = {.dn = arena_copy_bytes(builder->arena, value->data, value->length)};

		number = (uint32_t)builder->foreign_count;
		if (builder->foreign_count >= CLOSURE_MAX_FOREIGN || arena_hit_limit(builder->arena))
			return STATUS_LIMIT;
		if (foreign.dn == NULL ||
		    !ARRAY_RESERVE(&builder->foreigns, &builder->foreign_capacity, builder->foreign_count + 1) ||
		    !digest_map_put(&builder->spellings, spelling, number))
			return STATUS_NO_MEMORY;
		builder->foreigns[builder->foreign_count++] = foreign;
	}
	if (builder->foreigns[number].resolved)
		return builder->foreigns[number].found ? take_name(builder, builder->foreigns[number].name, group)
						       : STATUS_OK;
	if (!ARRAY_RESERVE(&builder->waiting, &builder->waiting_capacity, builder->waiting_count + 1))
		return STATUS_NO_MEMORY;
	builder->waiting[builder->waiting_count++] = (struct foreign_member){number, group};
	return STATUS_OK;
}

/* Whose members are being taken. */
struct taking {
	struct closure_builder *builder;
	uint32_t group;
};

static enum status take_member(void *context, const struct closure_member *member)
{
	struct taking *taking = context;

	switch (member->kind) {
	case CLOSURE_MEMBER_DN:
		return take_name(taking->builder, member->digest, taking->group);
	case CLOSURE_MEMBER_UID:
		return add_membership(taking->builder, member->digest, taking->group);
	case CLOSURE_MEMBER_FOREIGN:
		break;
	}
	return take_foreign(taking->builder, member->value, taking->group);
}

enum status closure_builder_take_group(struct closure_builder *builder, uint32_t group, const struct dir_entry *entry)
{
	struct taking taking = {builder, group};
	unsigned kinds = 0;
	enum status status = closure_entry_members(builder->closure, entry, &builder->key, &kinds,
						   &builder->invalid_count, take_member, &taking);

	closure_add_kinds(builder->closure, kinds);
	return status;
}

uint32_t closure_builder_next_foreign(struct closure_builder *builder, const char **dn_out)
{
	if (builder->next_foreign >= builder->foreign_count)
		return CLOSURE_NONE;
	*dn_out = builder->foreigns[builder->next_foreign].dn;
	return builder->next_foreign++;
}

/* Members that waited for this answer, or for one before it. Kept in order, so what is settled is a prefix. */
static enum status settle(struct closure_builder *builder)
{
	while (builder->waiting_settled < builder->waiting_count) {
		struct foreign_member member = builder->waiting[builder->waiting_settled];
		const struct foreign *foreign = &builder->foreigns[member.foreign];
		enum status status;

		if (!foreign->resolved)
			return STATUS_OK;
		status = foreign->found ? take_name(builder, foreign->name, member.group) : STATUS_OK;
		if (status != STATUS_OK)
			return status;
		builder->waiting_settled++;
	}
	return STATUS_OK;
}

enum status closure_builder_resolve(struct closure_builder *builder, uint32_t foreign, const char *own_dn)
{
	struct foreign *answer = &builder->foreigns[foreign];

	if (own_dn != NULL && !own_digest(builder, own_dn, &answer->name))
		return STATUS_NO_MEMORY;
	answer->found = own_dn != NULL;
	if (!answer->found)
		closure_has_dead_names(builder->closure);
	answer->resolved = true;
	return settle(builder);
}

bool closure_builder_concerns(struct closure_builder *builder, const struct dir_entry *entry)
{
	const struct dir_value *subordinates = dir_entry_single(entry, "hasSubordinates");
	const char *id = entry->id;
	const struct listed *listed;
	struct digest name;
	uint32_t number;

	/* People may change: their names in the groups are what counts, and those were read. */
	if (!closure_entry_is_group(entry) && subordinates != NULL)
		return !ascii_equal_nocase(subordinates->data, "FALSE");
	if (!closure_entry_is_group(entry))
		return !closure_entry_is_person(entry);
	if (id == NULL || !own_digest(builder, entry->dn, &name))
		return true;
	number = digest_map_get(&builder->listed_names, name);
	if (number == DIGEST_MAP_NONE)
		return true;
	listed = &builder->listed[number];
	return listed->group != CLOSURE_NONE || strcmp(listed->id, id) != 0;
}

enum status closure_builder_seal(struct closure_builder *builder)
{
	enum status status;

	if (builder->sealed)
		return STATUS_OK;
	if (builder->waiting_settled < builder->waiting_count)
		return STATUS_INTERNAL;
	if (builder->index != NULL) /* not yet given by an attempt for which memory ran out */
		closure_give_index(builder->closure, builder->index);
	builder->index = NULL;
	status = closure_finish(builder->closure);
	builder->sealed = status == STATUS_OK;
	return status;
}

enum status closure_builder_finish(struct closure_builder *builder, struct closure **closure_out)
{
	enum status status = closure_builder_seal(builder);

	if (status != STATUS_OK)
		return status;
	*closure_out = builder->closure;
	builder->closure = NULL;
	return STATUS_OK;
}

size_t closure_builder_invalid_count(const struct closure_builder *builder)
{
	return builder->invalid_count;
}
