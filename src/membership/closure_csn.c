/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <base/text.h>
#include <identity/dn.h>
#include <membership/closure_csn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static int compare_values(const void *left, const void *right)
{
	const struct dir_value *a = left, *b = right;

	return strcmp(a->data, b->data);
}

const char *closure_csn_of(const struct dir_search *search)
{
	const struct dir_attribute *csn;
	struct dir_value *values;
	char *joined = NULL;

	if (search->outcome != DIR_OUTCOME_OK || search->entries == NULL)
		return NULL;
	csn = dir_entry_attribute(search->entries, "contextCSN");
	if (csn == NULL || csn->value_count == 0)
		return NULL;
	/* One value a provider, in no order: sorted, two answers can be compared as text. */
	values = arena_alloc_array(search->arena, csn->value_count, sizeof(*values));
	if (values == NULL)
		return NULL;
	memcpy(values, csn->values, csn->value_count * sizeof(*values));
	qsort(values, csn->value_count, sizeof(*values), compare_values);
	for (size_t i = 0; i < csn->value_count; i++) {
		joined = joined == NULL ? arena_copy_text(search->arena, values[i].data)
					: arena_printf(search->arena, "%s %s", joined, values[i].data);
		if (joined == NULL)
			return NULL;
	}
	return joined;
}

/* Whether `dn` is `context` or lies beneath it, by their keys. `scratch` gets the key of `dn`. */
static bool lies_beneath(const char *dn, const struct text *context, struct text *scratch)
{
	size_t outer = context->length, inner;

	dn_own_key(dn, strlen(dn), scratch);
	inner = scratch->length;
	return !text_failed(scratch) && inner >= outer &&
	       strcmp(text_string(scratch) + inner - outer, text_string(context)) == 0 &&
	       (inner == outer || text_string(scratch)[inner - outer - 1] == ',');
}

static bool holds_all(const char *context, const char *group_base, const char *const *names, size_t name_count)
{
	struct text key, scratch;
	bool holds;

	text_init(&key);
	text_init(&scratch);
	dn_own_key(context, strlen(context), &key);
	holds = !text_failed(&key) && key.length > 0 && lies_beneath(group_base, &key, &scratch);
	for (size_t i = 0; i < name_count && holds; i++)
		holds = names[i] == NULL || lies_beneath(names[i], &key, &scratch);
	text_done(&key);
	text_done(&scratch);
	return holds;
}

enum status closure_csn_base(const struct dir_entry *dse, const char *group_base, const char *const *names,
			     size_t name_count, char **base_out)
{
	const struct dir_attribute *contexts = dse == NULL ? NULL : dir_entry_attribute(dse, "namingContexts");
	const char *context = NULL;
	char *base = NULL;

	for (size_t i = 0; contexts != NULL && i < contexts->value_count && context == NULL; i++)
		if (holds_all(contexts->values[i].data, group_base, names, name_count))
			context = contexts->values[i].data;
	if (context != NULL) {
		base = memory_copy_text(context);
		if (base == NULL)
			return STATUS_NO_MEMORY;
	}
	*base_out = base;
	return STATUS_OK;
}
