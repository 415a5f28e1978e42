/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_facts.h>

#include <base/ascii.h>
#include <string.h>

/* MS-ADTS 3.1.1.3.4.3 */
#define CAPABILITY_AD        "1.2.840.113556.1.4.800"
#define CAPABILITY_AD_LDS    "1.2.840.113556.1.4.1851"
#define CAPABILITY_READ_ONLY "1.2.840.113556.1.4.1920"

#define SAMBA_VENDOR         "Samba"

const char dir_facts_filter[] = "(objectClass=*)";

const char *const dir_facts_attributes[] = {
    "objectClass",          "vendorName",
    "vendorVersion",        "namingContexts",
    "defaultNamingContext", "configurationNamingContext",
    "schemaNamingContext",  "rootDomainNamingContext",
    "dnsHostName",          "serverName",
    "dsServiceName",        "domainFunctionality",
    "forestFunctionality",  "domainControllerFunctionality",
    "highestCommittedUSN",  "isSynchronized",
    "isGlobalCatalogReady", "supportedCapabilities",
    "supportedControl",     "netscapemdsuffix",
    "dataversion",          NULL,
};

/* A taking under way: the first failure sticks, and what is read afterwards is nothing. */
struct taking {
	const struct dir_entry *entry;
	struct arena *arena;
	struct error *error;
	enum status status;
};

static void fail(struct taking *taking, const char *name, const char *why)
{
	if (taking->status == STATUS_OK)
		taking->status = error_set(taking->error, STATUS_INVALID, "the root DSE's %s %s", name, why);
}

static void run_out(struct taking *taking)
{
	taking->status = arena_hit_limit(taking->arena)
			     ? error_set(taking->error, STATUS_LIMIT, "the root DSE is too large")
			     : error_no_memory(taking->error);
}

static const struct dir_value *only_value(struct taking *taking, const char *name)
{
	const struct dir_attribute *attribute = dir_entry_attribute(taking->entry, name);

	if (taking->status != STATUS_OK || attribute == NULL || attribute->value_count == 0)
		return NULL;
	if (attribute->value_count > 1) {
		fail(taking, name, "has several values");
		return NULL;
	}
	return &attribute->values[0];
}

static const char *copy(struct taking *taking, const char *name, const struct dir_value *value)
{
	const char *text;

	if (value->length == 0 || memchr(value->data, '\0', value->length) != NULL) {
		fail(taking, name, "is empty or holds a NUL");
		return NULL;
	}
	text = arena_copy_bytes(taking->arena, value->data, value->length);
	if (text == NULL)
		run_out(taking);
	return text;
}

static const char *text_of(struct taking *taking, const char *name)
{
	const struct dir_value *value = only_value(taking, name);

	return value != NULL ? copy(taking, name, value) : NULL;
}

/* A number without sign, of at most 19 digits, so that it fits. False: there is none, or it is none (told). */
static bool number_of(struct taking *taking, const char *name, uint64_t *number_out)
{
	const struct dir_value *value = only_value(taking, name);
	uint64_t number = 0;

	if (value == NULL)
		return false;
	for (size_t i = 0; i < value->length; i++) {
		if (!ascii_is_digit(value->data[i])) {
			fail(taking, name, "is not a number");
			return false;
		}
		number = number * 10 + (uint64_t)(value->data[i] - '0');
	}
	if (value->length == 0 || value->length > 19) {
		fail(taking, name, "is not a number");
		return false;
	}
	*number_out = number;
	return true;
}

static int level_of(struct taking *taking, const char *name)
{
	uint64_t level = 0;

	if (!number_of(taking, name, &level))
		return DIR_FACTS_NO_LEVEL;
	if (level > INT16_MAX) {
		fail(taking, name, "is not a functional level");
		return DIR_FACTS_NO_LEVEL;
	}
	return (int)level;
}

/* RFC 4517 3.3.3 */
static bool flag_of(struct taking *taking, const char *name, bool otherwise)
{
	const struct dir_value *value = only_value(taking, name);

	if (value == NULL)
		return otherwise;
	if (ascii_equal_nocase_n(value->data, value->length, "TRUE", 4))
		return true;
	if (!ascii_equal_nocase_n(value->data, value->length, "FALSE", 5))
		fail(taking, name, "is neither TRUE nor FALSE");
	return false;
}

/* Whether a value stands there, OIDs and class names alike. */
static bool lists(const struct dir_entry *entry, const char *name, const char *word)
{
	const struct dir_attribute *attribute = dir_entry_attribute(entry, name);

	for (size_t i = 0; attribute != NULL && i < attribute->value_count; i++)
		if (ascii_equal_nocase_n(attribute->values[i].data, attribute->values[i].length, word, strlen(word)))
			return true;
	return false;
}

static void take_contexts(struct taking *taking, struct dir_facts *facts)
{
	const struct dir_attribute *attribute = dir_entry_attribute(taking->entry, "namingContexts");

	if (taking->status != STATUS_OK || attribute == NULL || attribute->value_count == 0)
		return;
	if (attribute->value_count > DIR_FACTS_MAX_CONTEXTS) {
		taking->status =
		    error_set(taking->error, STATUS_LIMIT, "the server has %zu naming contexts, more than %d",
			      attribute->value_count, DIR_FACTS_MAX_CONTEXTS);
		return;
	}
	facts->naming_contexts =
	    arena_alloc_array(taking->arena, attribute->value_count, sizeof(*facts->naming_contexts));
	if (facts->naming_contexts == NULL) {
		run_out(taking);
		return;
	}
	for (size_t i = 0; i < attribute->value_count && taking->status == STATUS_OK; i++) {
		/* slapd of a global database (suffix "") and a global catalogue show the empty DN. */
		if (attribute->values[i].length == 0)
			continue;
		facts->naming_contexts[facts->naming_context_count] =
		    copy(taking, "namingContexts", &attribute->values[i]);
		facts->naming_context_count++;
	}
}

static bool begins_with(const char *text, const char *start)
{
	return text != NULL && strlen(text) >= strlen(start) &&
	       ascii_equal_nocase_n(text, strlen(start), start, strlen(start));
}

static void take_kind(struct taking *taking, struct dir_facts *facts)
{
	facts->vendor = text_of(taking, "vendorName");
	facts->vendor_version = text_of(taking, "vendorVersion");
	if (facts->vendor == NULL && lists(taking->entry, "objectClass", "OpenLDAProotDSE"))
		facts->vendor = "OpenLDAP";
	if (lists(taking->entry, "supportedCapabilities", CAPABILITY_AD))
		facts->kind = begins_with(facts->vendor, SAMBA_VENDOR) ? DIR_KIND_SAMBA : DIR_KIND_AD;
	else if (lists(taking->entry, "supportedCapabilities", CAPABILITY_AD_LDS))
		facts->kind = DIR_KIND_AD_LDS;
	facts->is_read_only = lists(taking->entry, "supportedCapabilities", CAPABILITY_READ_ONLY);
}

static void take_names(struct taking *taking, struct dir_facts *facts)
{
	take_contexts(taking, facts);
	facts->default_naming_context = text_of(taking, "defaultNamingContext");
	facts->configuration_naming_context = text_of(taking, "configurationNamingContext");
	facts->schema_naming_context = text_of(taking, "schemaNamingContext");
	facts->root_domain_naming_context = text_of(taking, "rootDomainNamingContext");
	facts->dns_host_name = text_of(taking, "dnsHostName");
	facts->server_name = text_of(taking, "serverName");
	facts->ds_service_name = text_of(taking, "dsServiceName");
}

static void take_state(struct taking *taking, struct dir_facts *facts)
{
	facts->domain_functionality = level_of(taking, "domainFunctionality");
	facts->forest_functionality = level_of(taking, "forestFunctionality");
	facts->dc_functionality = level_of(taking, "domainControllerFunctionality");
	(void)number_of(taking, "highestCommittedUSN", &facts->highest_committed_usn);
	facts->is_synchronized = flag_of(taking, "isSynchronized", true);
	facts->is_global_catalog_ready = flag_of(taking, "isGlobalCatalogReady", false);
}

static void take_controls(const struct dir_entry *entry, struct dir_facts *facts)
{
	const struct {
		const char *oid;
		bool *offered;
	} controls[] = {
	    {"1.3.6.1.4.1.4203.1.9.1.1", &facts->offers_sync},
	    {"2.16.840.1.113730.3.4.3", &facts->offers_persistent_search},
	    {"1.2.840.113556.1.4.319", &facts->offers_paging},
	    {"1.2.840.113556.1.4.417", &facts->offers_show_deleted},
	    {"1.2.840.113556.1.4.528", &facts->offers_notification},
	    {"1.2.840.113556.1.4.529", &facts->offers_extended_dn},
	    {"1.2.840.113556.1.4.841", &facts->offers_dir_sync},
	    {"1.2.840.113556.1.4.1339", &facts->offers_domain_scope},
	    {"1.2.840.113556.1.4.2309", &facts->offers_link_ttl},
	};

	for (size_t i = 0; i < COUNT_OF(controls); i++)
		*controls[i].offered = lists(entry, "supportedControl", controls[i].oid);
}

enum status dir_facts_take(const struct dir_entry *root_dse, struct arena *arena, struct dir_facts *facts_out,
			   struct error *error)
{
	struct taking taking = {.entry = root_dse, .arena = arena, .error = error, .status = STATUS_OK};
	struct dir_facts facts = {.kind = DIR_KIND_GENERIC};

	take_kind(&taking, &facts);
	take_names(&taking, &facts);
	take_state(&taking, &facts);
	take_controls(root_dse, &facts);
	if (taking.status == STATUS_OK)
		*facts_out = facts;
	return taking.status;
}

unsigned dir_facts_search_flags(const struct dir_facts *facts)
{
	return (facts->offers_extended_dn ? DIR_SEARCH_EXTENDED_DN : 0) |
	       (facts->offers_domain_scope ? DIR_SEARCH_DOMAIN_SCOPE : 0) |
	       (facts->offers_link_ttl ? DIR_SEARCH_LINK_TTL : 0);
}

const char *dir_kind_word(enum dir_kind kind)
{
	switch (kind) {
	case DIR_KIND_GENERIC:
		return "LDAP";
	case DIR_KIND_AD:
		return "Active Directory";
	case DIR_KIND_AD_LDS:
		return "AD LDS";
	case DIR_KIND_SAMBA:
		return "Samba";
	}
	return "LDAP";
}

bool dir_kind_is_active_directory(enum dir_kind kind)
{
	return kind == DIR_KIND_AD || kind == DIR_KIND_SAMBA;
}
