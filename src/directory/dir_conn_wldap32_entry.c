/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_conn_wldap32.h>

#include <base/ascii.h>
#include <base/memory.h>
#include <string.h>

/* Attributes of one entry that are read; ours ask for at most DIR_SEARCH_MAX_ATTRIBUTES, some with options. */
#define ATTRIBUTES_MAX 64

static enum status out_of_arena(const struct arena *arena)
{
	return arena_hit_limit(arena) ? STATUS_LIMIT : STATUS_NO_MEMORY;
}

static enum status copy_wide(struct arena *arena, const WCHAR *wide, const char **text_out)
{
	char *text = NULL;
	enum status status = dir_conn_narrow(wide, &text);

	if (status != STATUS_OK)
		return status == STATUS_NO_MEMORY ? status : STATUS_UNREACHABLE;
	*text_out = arena_copy_text(arena, text);
	memory_free(text);
	return *text_out != NULL ? STATUS_OK : out_of_arena(arena);
}

static enum status copy_values(struct arena *arena, struct berval **values, struct dir_attribute *attribute)
{
	const size_t count = ldap_count_values_len(values);

	if (count == 0)
		return STATUS_OK;
	attribute->values = arena_alloc_array(arena, count, sizeof(*attribute->values));
	if (attribute->values == NULL)
		return out_of_arena(arena);
	for (size_t i = 0; i < count; i++) {
		attribute->values[i].data = arena_copy_bytes(arena, values[i]->bv_val, values[i]->bv_len);
		if (attribute->values[i].data == NULL)
			return out_of_arena(arena);
		attribute->values[i].length = values[i]->bv_len;
	}
	attribute->value_count = count;
	return STATUS_OK;
}

/*
 * NULL stands for an attribute without values (AD shows such beside "member;range=..."), and for failure: the handle's error was cleared
 * before. (The thread's, LdapGetLastError, cannot be.)
 */
static bool has_failed(const LDAP *ld)
{
	return ld->ld_errno == LDAP_NO_MEMORY;
}

static bool is_there(const struct dir_attribute *found, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (ascii_equal_nocase(found[i].name, name))
			return true;
	return false;
}

/*
 * One attribute may come in several parts, although RFC 4511 4.1.7 says it does not: slapd 2.5 sends `member` twice when slapadd -q loaded
 * values that did not stand together. The library finds values by the attribute's name, so it shows the first part again and again.
 * A part that is overlooked would be members that no deny rule sees: such an entry is not to be had.
 */
static enum status take_attribute(struct dir_conn *conn, LDAPMessage *message, WCHAR *name, struct arena *arena,
				  struct dir_attribute *found, size_t *count)
{
	struct dir_attribute attribute = {.value_count = 0};
	struct berval **values;
	enum status status = copy_wide(arena, name, &attribute.name);

	if (status != STATUS_OK)
		return status;
	if (is_there(found, *count, attribute.name))
		return STATUS_INVALID;
	if (*count == ATTRIBUTES_MAX)
		return STATUS_LIMIT;
	values = ldap_get_values_lenW(conn->ld, message, name);
	if (values == NULL && has_failed(conn->ld))
		return STATUS_NO_MEMORY;
	if (values != NULL) {
		status = copy_values(arena, values, &attribute);
		(void)ldap_value_free_len(values);
	}
	if (status == STATUS_OK)
		found[(*count)++] = attribute;
	return status;
}

/* Read attributes until there are none; `found` has room for ATTRIBUTES_MAX. */
static enum status read_attributes(struct dir_conn *conn, LDAPMessage *message, struct arena *arena,
				   struct dir_attribute *found, size_t *count)
{
	BerElement *ber = NULL;
	WCHAR *name = ldap_first_attributeW(conn->ld, message, &ber);
	enum status status = STATUS_OK;

	while (name != NULL && status == STATUS_OK) {
		status = take_attribute(conn, message, name, arena, found, count);
		ldap_memfreeW(name);
		name = status == STATUS_OK ? ldap_next_attributeW(conn->ld, message, ber) : NULL;
	}
	if (status == STATUS_OK && has_failed(conn->ld))
		status = STATUS_NO_MEMORY;
	else if (status == STATUS_OK && conn->ld->ld_errno == LDAP_DECODING_ERROR)
		status = STATUS_UNREACHABLE;
	if (ber != NULL)
		ber_free(ber, 0);
	return status;
}

static enum status read_dn(struct dir_conn *conn, LDAPMessage *message, struct arena *arena, const char **dn_out)
{
	WCHAR *dn = ldap_get_dnW(conn->ld, message);
	enum status status;

	if (dn == NULL)
		return has_failed(conn->ld) ? STATUS_NO_MEMORY : STATUS_UNREACHABLE;
	status = copy_wide(arena, dn, dn_out);
	ldap_memfreeW(dn);
	return status;
}

static enum status fill_entry(struct dir_conn *conn, LDAPMessage *message, struct arena *arena, struct dir_entry *entry)
{
	struct dir_attribute found[ATTRIBUTES_MAX] = {{0}};
	size_t count = 0;
	enum status status = read_dn(conn, message, arena, &entry->dn);

	if (status == STATUS_OK)
		status = read_attributes(conn, message, arena, found, &count);
	if (status != STATUS_OK || count == 0)
		return status;
	entry->attributes = arena_alloc_array(arena, count, sizeof(*found));
	if (entry->attributes == NULL)
		return out_of_arena(arena);
	memcpy(entry->attributes, found, count * sizeof(*found));
	entry->attribute_count = count;
	return dir_entry_identify(entry, arena) == STATUS_OK ? STATUS_OK : out_of_arena(arena);
}

enum status dir_conn_read_entry(struct dir_conn *conn, LDAPMessage *message, struct arena *arena,
				struct dir_entry **entry_out)
{
	struct dir_entry *entry = arena_alloc(arena, sizeof(*entry));
	LDAPMessage *first = ldap_first_entry(conn->ld, message);
	enum status status;

	if (entry == NULL)
		return out_of_arena(arena);
	if (first == NULL)
		return STATUS_UNREACHABLE;
	conn->ld->ld_errno = LDAP_SUCCESS;
	status = fill_entry(conn, first, arena, entry);
	if (status == STATUS_OK)
		*entry_out = entry;
	return status;
}
