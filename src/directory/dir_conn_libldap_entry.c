/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_conn_libldap.h>

#include <base/ascii.h>
#include <string.h>

/* Attributes of one entry that are read; ours ask for at most DIR_SEARCH_MAX_ATTRIBUTES, some with options. */
#define ATTRIBUTES_MAX 64

static enum status out_of_arena(const struct arena *arena)
{
	return arena_hit_limit(arena) ? STATUS_LIMIT : STATUS_NO_MEMORY;
}

static enum status copy_attribute(struct arena *arena, const struct berval *name, const struct berval *values,
				  struct dir_attribute *attribute)
{
	size_t count = 0;
	size_t i;

	while (values != NULL && values[count].bv_val != NULL)
		count++;
	*attribute = (struct dir_attribute){.name = arena_copy_bytes(arena, name->bv_val, name->bv_len)};
	if (attribute->name == NULL)
		return out_of_arena(arena);
	if (count == 0)
		return STATUS_OK;
	attribute->values = arena_alloc_array(arena, count, sizeof(*attribute->values));
	if (attribute->values == NULL)
		return out_of_arena(arena);
	for (i = 0; i < count; i++) {
		attribute->values[i].data = arena_copy_bytes(arena, values[i].bv_val, values[i].bv_len);
		if (attribute->values[i].data == NULL)
			return out_of_arena(arena);
		attribute->values[i].length = values[i].bv_len;
	}
	attribute->value_count = count;
	return STATUS_OK;
}

/*
 * One attribute may come in several parts, although RFC 4511 4.1.7 says it does not: slapd 2.5 sends `member`
 * twice when slapadd -q loaded values that did not stand together. A part that was overlooked would be members
 * that no deny rule sees.
 */
static enum status join(struct arena *arena, struct dir_attribute *first, const struct dir_attribute *part)
{
	struct dir_value *values;

	if (part->value_count == 0)
		return STATUS_OK;
	values = arena_alloc_array(arena, first->value_count + part->value_count, sizeof(*values));
	if (values == NULL)
		return out_of_arena(arena);
	if (first->value_count > 0)
		memcpy(values, first->values, first->value_count * sizeof(*values));
	memcpy(values + first->value_count, part->values, part->value_count * sizeof(*values));
	first->values = values;
	first->value_count += part->value_count;
	return STATUS_OK;
}

static struct dir_attribute *find(struct dir_attribute *found, size_t count, const char *name)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (ascii_equal_nocase(found[i].name, name))
			return &found[i];
	return NULL;
}

/* Add an attribute, or a further part of one that is there, to the *count that were found. */
static enum status take_attribute(struct arena *arena, const struct berval *name, const struct berval *values,
				  struct dir_attribute *found, size_t *count)
{
	struct dir_attribute attribute, *earlier;
	enum status status;

	status = copy_attribute(arena, name, values, &attribute);
	if (status != STATUS_OK)
		return status;
	earlier = find(found, *count, attribute.name);
	if (earlier != NULL)
		return join(arena, earlier, &attribute);
	if (*count == ATTRIBUTES_MAX)
		return STATUS_LIMIT;
	found[(*count)++] = attribute;
	return STATUS_OK;
}

/* Read attributes until there are none; `found` has room for ATTRIBUTES_MAX. */
static enum status read_attributes(struct dir_conn *conn, LDAPMessage *message, BerElement *ber, struct arena *arena,
				   struct dir_attribute *found, size_t *count_out)
{
	struct berval name = {0};
	struct berval *values = NULL;
	enum status status = STATUS_OK;
	size_t count = 0;
	int code;

	while (status == STATUS_OK) {
		code = ldap_get_attribute_ber(conn->ld, message, ber, &name, &values);
		if (code != LDAP_SUCCESS)
			return STATUS_UNREACHABLE;
		if (name.bv_val == NULL)
			break;
		status = take_attribute(arena, &name, values, found, &count);
		ber_memfree(values);
		values = NULL;
	}
	*count_out = count;
	return status;
}

enum status dir_conn_read_entry(struct dir_conn *conn, LDAPMessage *message, struct arena *arena,
				struct dir_entry **entry_out)
{
	struct dir_attribute found[ATTRIBUTES_MAX] = {{0}};
	struct dir_entry *entry = arena_alloc(arena, sizeof(*entry));
	BerElement *ber = NULL;
	struct berval dn = {0};
	enum status status = STATUS_UNREACHABLE;
	size_t count = 0;

	if (entry == NULL)
		return out_of_arena(arena);
	if (ldap_get_dn_ber(conn->ld, message, &ber, &dn) != LDAP_SUCCESS || dn.bv_val == NULL ||
	    strlen(dn.bv_val) != dn.bv_len)
		goto out;
	entry->dn = arena_copy_bytes(arena, dn.bv_val, dn.bv_len);
	if (entry->dn == NULL) {
		status = out_of_arena(arena);
		goto out;
	}
	status = read_attributes(conn, message, ber, arena, found, &count);
	if (status != STATUS_OK || count == 0)
		goto out;
	entry->attributes = arena_alloc_array(arena, count, sizeof(*found));
	if (entry->attributes == NULL) {
		status = out_of_arena(arena);
		goto out;
	}
	memcpy(entry->attributes, found, count * sizeof(*found));
	entry->attribute_count = count;
	if (dir_entry_identify(entry, arena) != STATUS_OK)
		status = out_of_arena(arena);
out:
	ber_free(ber, 0);
	if (status == STATUS_OK)
		*entry_out = entry;
	return status;
}
