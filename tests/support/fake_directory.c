/* SPDX-License-Identifier: Apache-2.0 */
#include <support/fake_directory.h>

#include <base/ascii.h>
#include <base/compiler.h>
#include <directory/dir_psearch.h>
#include <stdlib.h>
#include <string.h>
#include <support/fake_directory_private.h>
#include <support/fake_filter.h>
#include <support/fake_text.h>

const struct fake_attribute *fake_entry_attribute(const struct fake_entry *entry, const char *name)
{
	for (size_t i = 0; i < entry->count; i++) {
		if (ascii_equal_nocase(entry->attributes[i].name, name))
			return &entry->attributes[i];
	}
	return NULL;
}

static struct fake_attribute *find_attribute(struct fake_entry *entry, const char *name)
{
	for (size_t i = 0; i < entry->count; i++) {
		if (ascii_equal_nocase(entry->attributes[i].name, name))
			return &entry->attributes[i];
	}
	return NULL;
}

static struct fake_attribute *need_attribute(struct fake_entry *entry, const char *name)
{
	struct fake_attribute *attribute = find_attribute(entry, name);

	if (attribute != NULL)
		return attribute;
	entry->attributes =
	    fake_reserve(entry->attributes, &entry->capacity, entry->count + 1, sizeof(*entry->attributes));
	attribute = &entry->attributes[entry->count++];
	memset(attribute, 0, sizeof(*attribute));
	attribute->name = fake_copy(name, strlen(name));
	return attribute;
}

static void value_done(struct fake_value *value)
{
	free(value->data);
	free(value->key);
}

static void lose_all(struct fake_attribute *attribute)
{
	for (size_t i = 0; i < attribute->count; i++)
		value_done(&attribute->values[i]);
	attribute->count = 0;
}

static void entry_done(struct fake_entry *entry)
{
	for (size_t i = 0; i < entry->count; i++) {
		lose_all(&entry->attributes[i]);
		free(entry->attributes[i].values);
		free(entry->attributes[i].name);
	}
	free(entry->attributes);
	free(entry->dn);
	free(entry->key);
}

static const struct fake_value *find_value(const struct fake_attribute *attribute, const char *key)
{
	for (size_t i = 0; i < attribute->count; i++) {
		if (strcmp(attribute->values[i].key, key) == 0)
			return &attribute->values[i];
	}
	return NULL;
}

static bool gain_bytes(struct fake_entry *entry, const char *name, const char *data, size_t length)
{
	char *key = fake_value_key(name, data, length);
	struct fake_attribute *attribute;
	struct fake_value *value;

	if (key == NULL)
		return false;
	attribute = need_attribute(entry, name);
	if (find_value(attribute, key) != NULL) {
		free(key);
		return false;
	}
	attribute->values =
	    fake_reserve(attribute->values, &attribute->capacity, attribute->count + 1, sizeof(*attribute->values));
	value = &attribute->values[attribute->count++];
	value->key = key;
	/* slapd gives DN-valued attributes back in its own layout, the letters as they were written. */
	value->data = ascii_equal_nocase(name, "member") ? fake_dn_pretty(data, length) : fake_copy(data, length);
	value->length = ascii_equal_nocase(name, "member") ? strlen(value->data) : length;
	return true;
}

static bool gain(struct fake_entry *entry, const char *name, const char *data)
{
	return gain_bytes(entry, name, data, strlen(data));
}

static bool lose_bytes(struct fake_entry *entry, const char *name, const char *data, size_t length)
{
	struct fake_attribute *attribute = find_attribute(entry, name);
	char *key = NULL;
	bool lost = false;

	if (attribute == NULL || attribute->count == 0)
		return false;
	if (data == NULL) {
		lose_all(attribute);
		return true;
	}
	key = fake_value_key(name, data, length);
	for (size_t i = 0; key != NULL && i < attribute->count; i++) {
		if (strcmp(attribute->values[i].key, key) != 0)
			continue;
		value_done(&attribute->values[i]);
		memmove(&attribute->values[i], &attribute->values[i + 1],
			(attribute->count - i - 1) * sizeof(*attribute->values));
		attribute->count--;
		lost = true;
		break;
	}
	free(key);
	return lost;
}

static bool lose(struct fake_entry *entry, const char *name, const char *data)
{
	return lose_bytes(entry, name, data, data == NULL ? 0 : strlen(data));
}

static void set(struct fake_entry *entry, const char *name, char *value)
{
	(void)lose(entry, name, NULL);
	(void)gain(entry, name, value);
	free(value);
}

static struct fake_entry *find(const struct fake_directory *directory, const char *dn)
{
	char *key = fake_dn_key(dn, strlen(dn));
	struct fake_entry *found = NULL;

	for (size_t i = 0; key != NULL && i < directory->count; i++) {
		if (strcmp(directory->entries[i].key, key) == 0) {
			found = &directory->entries[i];
			break;
		}
	}
	free(key);
	return found;
}

const struct fake_entry *fake_directory_entry(const struct fake_directory *directory, const char *dn)
{
	return find(directory, dn);
}

/* Of five digits as long as a test lasts: the fake compares texts. */
static void stamp_usn(struct fake_directory *directory, struct fake_entry *entry)
{
	unsigned long long usn = 10000 + ++directory->changes;

	if (entry != NULL)
		set(entry, "uSNChanged", fake_format("%llu", usn));
	set(&directory->root, "highestCommittedUSN", fake_format("%llu", usn));
}

/* Every write has a change number, which the entry and the suffix show. */
static void stamp(struct fake_directory *directory, struct fake_entry *entry)
{
	char *csn;

	if (directory->is_controller) {
		stamp_usn(directory, entry);
		return;
	}
	csn = fake_format("20260101000000.%06lluZ#000000#000#000000", ++directory->changes);

	if (entry != NULL)
		set(entry, "entryCSN", fake_copy(csn, strlen(csn)));
	set(&directory->entries[0], "contextCSN", csn);
}

void fake_directory_observe(struct fake_directory *directory,
			    void (*seen)(void *context, enum fake_change change, const struct fake_entry *entry),
			    void *context)
{
	directory->seen = seen;
	directory->seen_context = context;
}

static void tell(struct fake_directory *directory, enum fake_change change, const struct fake_entry *entry)
{
	if (directory->seen != NULL)
		directory->seen(directory->seen_context, change, entry);
}

static void name_entry(struct fake_entry *entry, const char *dn)
{
	char *attribute = NULL, *value = NULL;

	free(entry->dn);
	free(entry->key);
	entry->dn = fake_dn_pretty(dn, strlen(dn));
	entry->key = fake_dn_key(dn, strlen(dn));
	if (fake_dn_naming(dn, &attribute, &value))
		(void)gain(entry, attribute, value);
	free(attribute);
	free(value);
	set(entry, "entryDN", fake_copy(entry->dn, strlen(entry->dn)));
}

static void append(struct fake_directory *directory, const char *dn)
{
	struct fake_entry *entry;

	directory->entries =
	    fake_reserve(directory->entries, &directory->capacity, directory->count + 1, sizeof(*directory->entries));
	entry = &directory->entries[directory->count++];
	memset(entry, 0, sizeof(*entry));
	name_entry(entry, dn);
	if (!directory->is_controller)
		set(entry, "entryUUID", fake_format("5eed0000-0000-4000-8000-%012llx", ++directory->uuids));
	stamp(directory, entry);
	tell(directory, FAKE_CHANGE_ADD, entry);
}

static struct fake_directory *new_directory(const char *suffix, bool is_controller)
{
	struct fake_directory *directory = fake_new(1, sizeof(*directory));

	directory->is_controller = is_controller;
	directory->root.key = fake_copy("", 0);
	directory->root.dn = fake_copy("", 0);
	append(directory, suffix);
	fake_directory_root(directory, "objectClass", "top");
	fake_directory_root(directory, "namingContexts", suffix);
	fake_directory_root(directory, "supportedLDAPVersion", "3");
	fake_directory_root(directory, "supportedControl", "1.2.840.113556.1.4.319");
	return directory;
}

struct fake_directory *fake_directory_new(const char *suffix)
{
	struct fake_directory *directory = new_directory(suffix, false);

	(void)gain(&directory->entries[0], "objectClass", "organization");
	fake_directory_root(directory, "objectClass", "OpenLDAProotDSE");
	fake_directory_root(directory, "structuralObjectClass", "OpenLDAProotDSE");
	return directory;
}

struct fake_directory *fake_directory_new_controller(const char *suffix)
{
	struct fake_directory *directory = new_directory(suffix, true);

	(void)gain(&directory->entries[0], "objectClass", "domainDNS");
	return directory;
}

void fake_directory_free(struct fake_directory **directory)
{
	if (*directory == NULL)
		return;
	for (size_t i = 0; i < (*directory)->count; i++)
		entry_done(&(*directory)->entries[i]);
	free((*directory)->entries);
	entry_done(&(*directory)->root);
	fake_directory_clear_faults(*directory);
	free((*directory)->faults);
	free(*directory);
	*directory = NULL;
}

void fake_directory_root(struct fake_directory *directory, const char *attribute, const char *value)
{
	(void)gain(&directory->root, attribute, value);
}

void fake_directory_name_server(struct fake_directory *directory, const char *name)
{
	(void)lose(&directory->root, "netscapemdsuffix", NULL);
	(void)lose(&directory->root, "dataversion", NULL);
	fake_directory_root(directory, "supportedControl", DIR_PSEARCH_REQUEST_OID);
	fake_directory_root(directory, "netscapemdsuffix", name);
	fake_directory_root(directory, "dataversion", "020260101000000");
}

void fake_directory_root_lose(struct fake_directory *directory, const char *attribute, const char *value)
{
	(void)lose(&directory->root, attribute, value);
}

bool fake_directory_show(struct fake_directory *directory, const char *dn, const char *attribute, const void *data,
			 size_t length)
{
	struct fake_entry *entry = find(directory, dn);

	return entry != NULL && gain_bytes(entry, attribute, data, length);
}

bool fake_directory_unshow(struct fake_directory *directory, const char *dn, const char *attribute, const void *data,
			   size_t length)
{
	struct fake_entry *entry = find(directory, dn);

	return entry != NULL && lose_bytes(entry, attribute, data, length);
}

bool fake_directory_add(struct fake_directory *directory, const char *dn)
{
	char *key = fake_dn_key(dn, strlen(dn));
	bool good = key != NULL && key[0] != '\0' && find(directory, dn) == NULL;

	free(key);
	if (good)
		append(directory, dn);
	return good;
}

bool fake_directory_gain(struct fake_directory *directory, const char *dn, const char *attribute, const char *value)
{
	struct fake_entry *entry = find(directory, dn);

	if (entry == NULL || !gain(entry, attribute, value))
		return false;
	stamp(directory, entry);
	tell(directory, FAKE_CHANGE_MODIFY, entry);
	return true;
}

bool fake_directory_lose(struct fake_directory *directory, const char *dn, const char *attribute, const char *value)
{
	struct fake_entry *entry = find(directory, dn);

	if (entry == NULL || !lose(entry, attribute, value))
		return false;
	stamp(directory, entry);
	tell(directory, FAKE_CHANGE_MODIFY, entry);
	return true;
}

bool fake_directory_delete(struct fake_directory *directory, const char *dn)
{
	struct fake_entry *entry = find(directory, dn);
	size_t kept = 0;
	char *base;

	if (entry == NULL || entry == &directory->entries[0])
		return false;
	base = fake_copy(entry->key, strlen(entry->key));
	/* Servers delete leaves: what lies beneath goes first, each by a change of its own. */
	for (size_t i = directory->count; i-- > 0;) {
		if (!fake_dn_is_within(directory->entries[i].key, base))
			continue;
		stamp(directory, NULL);
		tell(directory, FAKE_CHANGE_DELETE, &directory->entries[i]);
	}
	for (size_t i = 0; i < directory->count; i++) {
		if (fake_dn_is_within(directory->entries[i].key, base))
			entry_done(&directory->entries[i]);
		else
			directory->entries[kept++] = directory->entries[i];
	}
	directory->count = kept;
	free(base);
	return true;
}

/* The old naming value leaves the entry, as modrdn with deleteoldrdn does. */
static void rename_top(struct fake_entry *entry, const char *new_dn)
{
	char *attribute = NULL, *value = NULL;

	if (fake_dn_naming(entry->dn, &attribute, &value))
		(void)lose(entry, attribute, value);
	free(attribute);
	free(value);
	name_entry(entry, new_dn);
}

static void rename_beneath(struct fake_entry *entry, size_t old_length, const char *new_dn)
{
	/* The fake's own DNs are pretty, so the old parent's part has one length in all of them. */
	size_t kept = strlen(entry->dn) - old_length;
	char *dn = fake_format("%.*s%s", (int)kept, entry->dn, new_dn);

	name_entry(entry, dn);
	free(dn);
}

bool fake_directory_rename(struct fake_directory *directory, const char *dn, const char *new_dn)
{
	struct fake_entry *entry = find(directory, dn);
	char *pretty = fake_dn_pretty(new_dn, strlen(new_dn));
	char *base = NULL;
	bool good = entry != NULL && pretty != NULL && pretty[0] != '\0' &&
		    (find(directory, new_dn) == NULL || find(directory, new_dn) == entry);

	if (good) {
		size_t old_length = strlen(entry->dn);

		base = fake_copy(entry->key, strlen(entry->key));
		for (size_t i = 0; i < directory->count; i++) {
			struct fake_entry *one = &directory->entries[i];

			if (one == entry)
				rename_top(one, pretty);
			else if (fake_dn_is_within(one->key, base))
				rename_beneath(one, old_length, pretty);
		}
		stamp(directory, entry);
		tell(directory, FAKE_CHANGE_MODIFY, entry);
	}
	free(base);
	free(pretty);
	return good;
}

bool fake_directory_hide(struct fake_directory *directory, const char *dn, const char *attribute, bool hidden)
{
	struct fake_entry *entry = find(directory, dn);

	if (entry == NULL)
		return false;
	if (attribute == NULL)
		entry->hidden = hidden;
	else
		need_attribute(entry, attribute)->hidden = hidden;
	return true;
}

void fake_directory_add_fault(struct fake_directory *directory, const struct fake_fault *fault)
{
	struct fake_fault *added;

	directory->faults = fake_reserve(directory->faults, &directory->fault_capacity, directory->fault_count + 1,
					 sizeof(*directory->faults));
	added = &directory->faults[directory->fault_count++];
	*added = *fault;
	if (fault->when != NULL)
		added->when = fake_copy(fault->when, strlen(fault->when));
}

void fake_directory_clear_faults(struct fake_directory *directory)
{
	for (size_t i = 0; i < directory->fault_count; i++)
		free(directory->faults[i].when);
	directory->fault_count = 0;
}

struct fake_fault fake_directory_strike(struct fake_directory *directory, const struct dir_search *search)
{
	struct fake_fault struck = {.kind = FAKE_FAULT_NONE};

	for (size_t i = 0; i < directory->fault_count; i++) {
		struct fake_fault *fault = &directory->faults[i];

		if (fault->kind == FAKE_FAULT_NONE)
			continue;
		if (fault->when != NULL && strstr(search->filter, fault->when) == NULL &&
		    strstr(search->base, fault->when) == NULL)
			continue;
		struck = *fault;
		if (fault->times == 1)
			fault->kind = FAKE_FAULT_NONE;
		else if (fault->times > 1)
			fault->times--;
		return struck;
	}
	return struck;
}
