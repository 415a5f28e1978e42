/* SPDX-License-Identifier: Apache-2.0 */
#include <membership/closure_nest.h>

#include <base/memory.h>
#include <base/sid.h>
#include <identity/extended_dn.h>
#include <membership/closure_principal.h>
#include <stdint.h>
#include <stdlib.h>

/* MS-ADTS 2.2.12: GROUP_TYPE_SECURITY_ENABLED. Shown as a signed number, which it makes negative. */
#define GROUP_TYPE_SECURITY 0x80000000U

const char closure_nest_filter[] = "(&(objectClass=group)(memberOf=*))";
const char *const closure_nest_attributes[] = {"objectClass", "objectSid", "groupType", "memberOf", NULL};

void closure_nest_done(struct closure_nest *nest)
{
	memory_free(nest->edges);
	memory_free(nest->marks);
	*nest = (struct closure_nest){0};
}

bool closure_nest_is_group(const struct dir_entry *entry)
{
	int64_t number;
	bool there;

	return dir_entry_has_class(entry, "group") && dir_entry_number(entry, "groupType", &there, &number) && there &&
	       number >= INT32_MIN && number <= UINT32_MAX && ((uint64_t)number & GROUP_TYPE_SECURITY) != 0;
}

static enum status add_edge(struct closure_nest *nest, const struct closure_nest_edge *edge)
{
	if (nest->count >= CLOSURE_NEST_MAX_EDGES)
		return STATUS_LIMIT;
	if (!ARRAY_RESERVE(&nest->edges, &nest->capacity, nest->count + 1))
		return STATUS_NO_MEMORY;
	nest->edges[nest->count++] = *edge;
	return STATUS_OK;
}

static enum status add_mark(struct closure_nest *nest, const struct closure_nest_mark *mark)
{
	if (nest->mark_count >= CLOSURE_NEST_MAX_EDGES)
		return STATUS_LIMIT;
	if (!ARRAY_RESERVE(&nest->marks, &nest->mark_capacity, nest->mark_count + 1))
		return STATUS_NO_MEMORY;
	nest->marks[nest->mark_count++] = *mark;
	return STATUS_OK;
}

/* False in *has_sid_out: nothing that could be in a token. */
static enum status read_holder(const struct closure_builder *builder, const struct dir_value *value,
			       struct digest *holder_out, uint32_t *ttl_s_out, bool *has_sid_out)
{
	struct extended_dn holder;
	char sid[SID_TEXT_BYTES];

	if (!extended_dn_parse(value->data, value->length, &holder))
		return STATUS_INVALID;
	*has_sid_out = holder.has_sid;
	if (!holder.has_sid)
		return STATUS_OK;
	sid_format(&holder.sid, sid);
	*holder_out = closure_builder_digest_id(builder, sid);
	*ttl_s_out = holder.has_ttl ? holder.ttl_s : CLOSURE_LINK_LASTS;
	return STATUS_OK;
}

static enum status take_holder(struct closure_nest *nest, struct closure_builder *builder,
			       const struct dir_value *value, uint32_t child)
{
	struct closure_nest_edge edge = {.child = child};
	bool has_sid = false;
	enum status status = read_holder(builder, value, &edge.parent, &edge.ttl_s, &has_sid);

	return status == STATUS_OK && has_sid ? add_edge(nest, &edge) : status;
}

enum status closure_nest_take_principal(struct closure_nest *nest, struct closure_builder *builder,
					const struct dir_entry *entry)
{
	const struct dir_attribute *holders = dir_entry_attribute(entry, "memberOf");
	struct closure_nest_mark mark = {.holding = 0};
	enum status status = STATUS_OK;

	if (!closure_principal_is(entry))
		return STATUS_OK;
	mark.holding = closure_principal_holding(entry);
	for (size_t i = 0; holders != NULL && i < holders->value_count && status == STATUS_OK; i++) {
		bool has_sid = false;

		status = read_holder(builder, &holders->values[i], &mark.parent, &mark.ttl_s, &has_sid);
		if (status == STATUS_OK && has_sid && mark.holding != 0)
			status = add_mark(nest, &mark);
	}
	return status;
}

enum status closure_nest_take(struct closure_nest *nest, struct closure_builder *builder, const struct dir_entry *entry)
{
	const struct dir_attribute *holders = dir_entry_attribute(entry, "memberOf");
	enum status status = STATUS_OK;
	uint32_t child;

	if (!closure_nest_is_group(entry))
		return STATUS_OK;
	if (entry->id == NULL)
		return STATUS_INVALID;
	status = closure_builder_list_group(builder, entry->dn, entry->id);
	child = closure_builder_last_listed(builder);
	for (size_t i = 0; holders != NULL && i < holders->value_count && status == STATUS_OK; i++)
		status = take_holder(nest, builder, &holders->values[i], child);
	return status;
}

static int compare_parents(const void *left, const void *right)
{
	const struct closure_nest_edge *a = left, *b = right;

	return digest_compare(&a->parent, &b->parent);
}

/* The first edge of this parent, or of the next one. */
static size_t find_first(const struct closure_nest *nest, struct digest parent)
{
	size_t low = 0, high = nest->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (digest_compare(&nest->edges[middle].parent, &parent) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static enum status add_children(struct closure_nest *nest, struct closure_builder *builder, uint32_t group)
{
	struct digest parent = closure_builder_digest_id(builder, closure_builder_group_id(builder, group));
	enum status status = STATUS_OK;

	for (size_t i = find_first(nest, parent);
	     i < nest->count && digest_compare(&nest->edges[i].parent, &parent) == 0 && status == STATUS_OK; i++) {
		status = closure_builder_add_child(builder, nest->edges[i].child, group);
		if (nest->edges[i].ttl_s < nest->ttl_s)
			nest->ttl_s = nest->edges[i].ttl_s;
	}
	return status;
}

static void place_marks(struct closure_nest *nest, struct closure_builder *builder)
{
	for (size_t i = 0; i < nest->mark_count; i++) {
		const struct closure_nest_mark *mark = &nest->marks[i];

		if (closure_builder_add_holding(builder, mark->parent, mark->holding) && mark->ttl_s < nest->ttl_s)
			nest->ttl_s = mark->ttl_s;
	}
}

enum status closure_nest_close(struct closure_nest *nest, struct closure_builder *builder)
{
	enum status status = STATUS_OK;
	uint32_t group;

	nest->ttl_s = CLOSURE_LINK_LASTS;
	if (nest->count > 0)
		qsort(nest->edges, nest->count, sizeof(*nest->edges), compare_parents);
	/* A work list: children that enter the closure get their turn. */
	while (status == STATUS_OK && (group = closure_builder_next_unread(builder)) != CLOSURE_NONE)
		status = add_children(nest, builder, group);
	if (status == STATUS_OK)
		place_marks(nest, builder);
	return status;
}
