/* SPDX-License-Identifier: Apache-2.0 */
#include <base/ascii.h>
#include <identity/dn.h>
#include <membership/closure_entry.h>
#include <string.h>

static const struct {
	const char *object_class;
	enum closure_kind kind;
	bool must_have_members; /* by its schema: RFC 4519 3.5, 3.6 */
} group_classes[] = {
    {"groupOfNames", CLOSURE_KIND_MEMBER, true},
    {"groupOfUniqueNames", CLOSURE_KIND_UNIQUE_MEMBER, true},
    {"groupOfMembers", CLOSURE_KIND_MEMBER, false},
    {"posixGroup", CLOSURE_KIND_MEMBER_UID, false},
};

const char closure_group_filter[] = "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)"
				    "(objectClass=groupOfMembers)(objectClass=posixGroup))";

/* Structural classes of people (RFC 4519, RFC 2798, RFC 4524); servers show only the ones that were written. */
static const char *const person_classes[] = {
    "person", "organizationalPerson", "inetOrgPerson", "residentialPerson", "account",
};

/* Roles and classes of service are ldapSubEntries; their templates need not be. */
static const char *const governing_classes[] = {"ldapSubEntry", "cosTemplate", "subentry"};

const char *const closure_change_attributes[] = {"objectClass", "entryUUID",       "nsUniqueId",
						 "objectSid",   "hasSubordinates", NULL};

const char *const closure_group_attributes[] = {"objectClass", "member", "uniqueMember", "memberUid", NULL};

static bool has_class(const struct dir_entry *entry, const char *object_class)
{
	const struct dir_attribute *classes = dir_entry_attribute(entry, "objectClass");

	for (size_t i = 0; classes != NULL && i < classes->value_count; i++)
		if (ascii_equal_nocase(classes->values[i].data, object_class))
			return true;
	return false;
}

bool closure_entry_is_group(const struct dir_entry *entry)
{
	for (size_t i = 0; i < COUNT_OF(group_classes); i++)
		if (has_class(entry, group_classes[i].object_class))
			return true;
	return false;
}

bool closure_entry_is_person(const struct dir_entry *entry)
{
	for (size_t i = 0; i < COUNT_OF(person_classes); i++)
		if (has_class(entry, person_classes[i]))
			return true;
	return false;
}

bool closure_entry_governs_others(const struct dir_entry *entry)
{
	for (size_t i = 0; i < COUNT_OF(governing_classes); i++)
		if (has_class(entry, governing_classes[i]))
			return true;
	return false;
}

/* One member attribute on its way to `take`. */
struct reading {
	const struct closure *closure;
	struct text *scratch;
	size_t *invalid_count;
	closure_member_fn *take;
	void *context;
};

static enum status take_dn(const struct reading *reading, const struct dir_value *value)
{
	struct closure_member member = {.kind = CLOSURE_MEMBER_FOREIGN, .value = value};

	/* The empty DN is how an empty groupOfNames is written: it names nobody. */
	if (value->length == 0)
		return STATUS_OK;
	if (dn_classify(value->data, value->length, reading->scratch) == DN_PLAIN) {
		if (text_failed(reading->scratch))
			return STATUS_NO_MEMORY;
		member.kind = CLOSURE_MEMBER_DN;
		member.digest =
		    closure_digest_dn(reading->closure, text_string(reading->scratch), reading->scratch->length);
		return reading->take(reading->context, &member);
	}
	/* Also what is no DN to us (RDNs parted by ';', RFC 2253) may be one to the server, which has the last word. */
	if (value->length <= DN_MAX_BYTES && memchr(value->data, '\0', value->length) == NULL)
		return reading->take(reading->context, &member);
	(*reading->invalid_count)++;
	return STATUS_OK;
}

/* Name And Optional UID (RFC 4517 3.3.21): "dn#'0101'B". Servers do not match it by the DN alone; nor do we. */
static bool has_unique_id(const struct dir_value *value)
{
	size_t end = value->length;

	if (end < 4 || value->data[end - 1] != 'B' || value->data[end - 2] != '\'')
		return false;
	end -= 2;
	while (end > 0 && (value->data[end - 1] == '0' || value->data[end - 1] == '1'))
		end--;
	return end >= 2 && value->data[end - 1] == '\'' && value->data[end - 2] == '#';
}

static enum status take_uid(const struct reading *reading, const struct dir_value *value)
{
	const struct closure_member member = {
	    .kind = CLOSURE_MEMBER_UID,
	    .digest = closure_digest_uid(reading->closure, value->data, value->length),
	    .value = value,
	};

	return reading->take(reading->context, &member);
}

static enum status take_values(const struct reading *reading, const struct dir_attribute *attribute,
			       enum closure_kind kind)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; i < attribute->value_count && status == STATUS_OK; i++) {
		const struct dir_value *value = &attribute->values[i];

		if (kind == CLOSURE_KIND_MEMBER_UID)
			status = take_uid(reading, value);
		else if (kind != CLOSURE_KIND_UNIQUE_MEMBER || !has_unique_id(value))
			status = take_dn(reading, value);
	}
	return status;
}

/* Whether an entry of such a class may show no members to anybody who may read them. */
static bool may_be_empty(const struct dir_entry *entry, bool demands_members)
{
	for (size_t i = 0; i < COUNT_OF(group_classes) && demands_members; i++)
		if (group_classes[i].must_have_members && has_class(entry, group_classes[i].object_class))
			return false;
	return true;
}

enum status closure_entry_members(const struct closure *closure, const struct dir_entry *entry, struct text *scratch,
				  unsigned *kinds, size_t *invalid_count, closure_member_fn *take, void *context)
{
	static const struct {
		const char *name;
		enum closure_kind kind;
	} attributes[] = {
	    {"member", CLOSURE_KIND_MEMBER},
	    {"uniqueMember", CLOSURE_KIND_UNIQUE_MEMBER},
	    {"memberUid", CLOSURE_KIND_MEMBER_UID},
	};
	struct reading reading = {.closure = closure, .scratch = scratch, .take = take, .context = context};
	bool shows_members = false;
	enum status status;

	reading.invalid_count = invalid_count;
	for (size_t i = 0; i < COUNT_OF(attributes); i++) {
		const struct dir_attribute *attribute = dir_entry_attribute(entry, attributes[i].name);

		if (attribute == NULL || attribute->value_count == 0)
			continue;
		shows_members = true;
		status = take_values(&reading, attribute, attributes[i].kind);
		if (status != STATUS_OK)
			return status;
		*kinds |= (unsigned)attributes[i].kind;
	}
	for (size_t i = 0; i < COUNT_OF(group_classes); i++)
		if (has_class(entry, group_classes[i].object_class))
			*kinds |= (unsigned)group_classes[i].kind;
	return shows_members || may_be_empty(entry, closure_demands_members(closure)) ? STATUS_OK : STATUS_REFUSED;
}
