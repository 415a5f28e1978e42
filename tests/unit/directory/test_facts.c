/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <directory/dir_facts.h>
#include <stdio.h>
#include <string.h>
#include <support/entry_builder.h>
#include <support/memory_failing.h>

/* As it answered: slapd 2.5.13, with fewer controls. */
static const char openldap[] =
    "objectClass=top; objectClass=OpenLDAProotDSE; namingContexts=dc=x; supportedControl=1.3.6.1.4.1.4203.1.9.1.1;"
    "supportedControl=2.16.840.1.113730.3.4.18; supportedControl=2.16.840.1.113730.3.4.2;"
    "supportedControl=1.3.6.1.4.1.4203.1.10.1; supportedControl=1.3.6.1.1.22; supportedControl=1.2.840.113556.1.4.319";

/* What of 389 Directory Server 2.3.1 (without its sync plugin) was noted when it was measured. */
static const char ds389[] = "objectClass=top; vendorName=389 Project; vendorVersion=389-Directory/2.3.1 B2023.025.0000;"
			    "namingContexts=dc=example,dc=test; defaultNamingContext=dc=example,dc=test;"
			    "supportedControl=2.16.840.1.113730.3.4.2; supportedControl=2.16.840.1.113730.3.4.3;"
			    "supportedControl=2.16.840.1.113730.3.4.7; supportedControl=1.2.840.113556.1.4.319";

/* As it answered: Samba 4.17.12, with fewer controls. It does list some several times. */
static const char samba[] =
    "configurationNamingContext=CN=Configuration,DC=corp,DC=example,DC=test;"
    "defaultNamingContext=DC=corp,DC=example,DC=test; rootDomainNamingContext=DC=corp,DC=example,DC=test;"
    "schemaNamingContext=CN=Schema,CN=Configuration,DC=corp,DC=example,DC=test;"
    "supportedCapabilities=1.2.840.113556.1.4.800; supportedCapabilities=1.2.840.113556.1.4.1670;"
    "supportedCapabilities=1.2.840.113556.1.4.1791; supportedCapabilities=1.2.840.113556.1.4.1935;"
    "supportedCapabilities=1.2.840.113556.1.4.2080; vendorName=Samba Team (https://www.samba.org); isSynchronized=TRUE;"
    "dsServiceName=CN=NTDS Settings,CN=DC1,CN=Servers,CN=Default-First-Site-Name,CN=Sites,CN=Configuration,DC=corp;"
    "serverName=CN=DC1,CN=Servers,CN=Default-First-Site-Name,CN=Sites,CN=Configuration,DC=corp;"
    "dnsHostName=dc1.corp.example.test; ldapServiceName=corp.example.test:dc1$@CORP.EXAMPLE.TEST;"
    "supportedControl=1.2.840.113556.1.4.1413; supportedControl=1.2.840.113556.1.4.1413;"
    "supportedControl=1.2.840.113556.1.4.528; supportedControl=1.2.840.113556.1.4.841;"
    "supportedControl=1.2.840.113556.1.4.319; supportedControl=1.2.840.113556.1.4.529;"
    "supportedControl=1.2.840.113556.1.4.417; supportedControl=1.2.840.113556.1.4.1339;"
    "namingContexts=DC=corp,DC=example,DC=test; namingContexts=CN=Configuration,DC=corp,DC=example,DC=test;"
    "namingContexts=CN=Schema,CN=Configuration,DC=corp,DC=example,DC=test; highestCommittedUSN=4072;"
    "domainFunctionality=4; forestFunctionality=4; domainControllerFunctionality=4; isGlobalCatalogReady=TRUE";

/* As MS-ADTS 3.1.1.3.2 and 3.1.1.3.4.3 say for a domain controller of Windows Server 2016. */
static const char ad[] =
    "configurationNamingContext=CN=Configuration,DC=corp,DC=example; defaultNamingContext=DC=emea,DC=corp,DC=example;"
    "rootDomainNamingContext=DC=corp,DC=example; supportedCapabilities=1.2.840.113556.1.4.800;"
    "supportedCapabilities=1.2.840.113556.1.4.1670; supportedCapabilities=1.2.840.113556.1.4.1791;"
    "supportedCapabilities=1.2.840.113556.1.4.1935; supportedCapabilities=1.2.840.113556.1.4.2080;"
    "supportedCapabilities=1.2.840.113556.1.4.2237; isSynchronized=FALSE; dnsHostName=dc1.emea.corp.example;"
    "supportedControl=1.2.840.113556.1.4.319; supportedControl=1.2.840.113556.1.4.417;"
    "supportedControl=1.2.840.113556.1.4.528; supportedControl=1.2.840.113556.1.4.529;"
    "supportedControl=1.2.840.113556.1.4.841; supportedControl=1.2.840.113556.1.4.1339;"
    "supportedControl=1.2.840.113556.1.4.2309; highestCommittedUSN=18446744; domainFunctionality=7;"
    "forestFunctionality=6; domainControllerFunctionality=7; isGlobalCatalogReady=FALSE";

/* Likewise for AD LDS: no domain, no default naming context. */
static const char ad_lds[] =
    "configurationNamingContext=CN=Configuration,CN={C3B8B5A0-4C17-4A0E-9E25-5F8F3C1A2B3D};"
    "supportedCapabilities=1.2.840.113556.1.4.1851; supportedCapabilities=1.2.840.113556.1.4.1670;"
    "supportedCapabilities=1.2.840.113556.1.4.1791; isSynchronized=TRUE; namingContexts=O=Corp,C=US;"
    "supportedControl=1.2.840.113556.1.4.319; supportedControl=1.2.840.113556.1.4.529";

static enum status take(const char *attributes, struct arena *arena, struct dir_facts *facts)
{
	struct error error = {.status = STATUS_OK};
	const enum status status = dir_facts_take(build_entry(arena, "", attributes), arena, facts, &error);

	if (status != STATUS_OK)
		assert_true(error.status == status && strlen(error.what) > 0);
	return status;
}

static void facts_take__each_server__is_told_from_the_others(void **state)
{
	static const struct {
		const char *name, *root_dse, *word;
		enum dir_kind kind;
		bool is_active_directory;
	} rows[] = {
	    {"OpenLDAP", openldap, "LDAP", DIR_KIND_GENERIC, false},
	    {"389", ds389, "LDAP", DIR_KIND_GENERIC, false},
	    {"Samba", samba, "Samba", DIR_KIND_SAMBA, true},
	    {"AD", ad, "Active Directory", DIR_KIND_AD, true},
	    {"AD LDS", ad_lds, "AD LDS", DIR_KIND_AD_LDS, false},
	    {"nothing", "", "LDAP", DIR_KIND_GENERIC, false},
	    {"a Samba that is no DC", "vendorName=Samba Team", "LDAP", DIR_KIND_GENERIC, false},
	    {"both", "supportedCapabilities=1.2.840.113556.1.4.1851; supportedCapabilities=1.2.840.113556.1.4.800",
	     "Active Directory", DIR_KIND_AD, true},
	    {"look-alike", "supportedCapabilities=1.2.840.113556.1.4.8000; supportedCapabilities=1.2.840.113556.1.4.80",
	     "LDAP", DIR_KIND_GENERIC, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arena *arena = arena_new(1 << 20);
		struct dir_facts facts;

		assert_row(rows[i].name, take(rows[i].root_dse, arena, &facts) == STATUS_OK);
		assert_row(rows[i].name, facts.kind == rows[i].kind);
		assert_row(rows[i].name, dir_kind_is_active_directory(facts.kind) == rows[i].is_active_directory);
		assert_row(rows[i].name, strcmp(dir_kind_word(facts.kind), rows[i].word) == 0);
		arena_free(&arena);
	}
}

/* s sync, p persistent search, g paging, x extended DN, o domain scope, l link TTL, d show deleted, n notification, y DirSync */
static void facts_take__controls__are_what_is_listed(void **state)
{
	static const struct {
		const char *name, *root_dse, *offered;
	} rows[] = {
	    {"OpenLDAP", openldap, "s-g------"}, {"389", ds389, "-pg------"},
	    {"Samba", samba, "--gxo-dny"},       {"AD", ad, "--gxoldny"},
	    {"AD LDS", ad_lds, "--gx-----"},     {"nothing", "", "---------"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arena *arena = arena_new(1 << 20);
		struct dir_facts f;
		char offered[16];

		assert_row(rows[i].name, take(rows[i].root_dse, arena, &f) == STATUS_OK);
		(void)snprintf(offered, sizeof(offered), "%c%c%c%c%c%c%c%c%c", f.offers_sync ? 's' : '-',
			       f.offers_persistent_search ? 'p' : '-', f.offers_paging ? 'g' : '-',
			       f.offers_extended_dn ? 'x' : '-', f.offers_domain_scope ? 'o' : '-',
			       f.offers_link_ttl ? 'l' : '-', f.offers_show_deleted ? 'd' : '-',
			       f.offers_notification ? 'n' : '-', f.offers_dir_sync ? 'y' : '-');
		assert_string_equal(offered, rows[i].offered);
		arena_free(&arena);
	}
}

static void facts_search_flags__each_server__are_what_it_offers(void **state)
{
	static const struct {
		const char *name, *root_dse;
		unsigned flags;
	} rows[] = {
	    {"OpenLDAP", openldap, 0},
	    {"Samba", samba, DIR_SEARCH_EXTENDED_DN | DIR_SEARCH_DOMAIN_SCOPE},
	    {"AD", ad, DIR_SEARCH_EXTENDED_DN | DIR_SEARCH_DOMAIN_SCOPE | DIR_SEARCH_LINK_TTL},
	    {"AD LDS", ad_lds, DIR_SEARCH_EXTENDED_DN},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arena *arena = arena_new(1 << 20);
		struct dir_facts facts;

		assert_row(rows[i].name, take(rows[i].root_dse, arena, &facts) == STATUS_OK);
		assert_row(rows[i].name, dir_facts_search_flags(&facts) == rows[i].flags);
		arena_free(&arena);
	}
}

static void facts_take__domain_controller__gives_names_and_levels(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	struct dir_facts facts;

	(void)state;
	assert_int_equal(take(samba, arena, &facts), STATUS_OK);

	assert_string_equal(facts.default_naming_context, "DC=corp,DC=example,DC=test");
	assert_string_equal(facts.configuration_naming_context, "CN=Configuration,DC=corp,DC=example,DC=test");
	assert_string_equal(facts.root_domain_naming_context, "DC=corp,DC=example,DC=test");
	assert_string_equal(facts.dns_host_name, "dc1.corp.example.test");
	assert_int_equal(strncmp(facts.ds_service_name, "CN=NTDS Settings,CN=DC1,", 24), 0);
	assert_int_equal(strncmp(facts.server_name, "CN=DC1,CN=Servers,", 18), 0);
	assert_int_equal(facts.naming_context_count, 3);
	assert_string_equal(facts.naming_contexts[0], "DC=corp,DC=example,DC=test");
	assert_int_equal(facts.domain_functionality, 4);
	assert_true(facts.highest_committed_usn == 4072);
	assert_true(facts.is_synchronized && facts.is_global_catalog_ready && !facts.is_read_only);
	arena_free(&arena);
}

static void facts_take__states__are_what_is_said(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	struct dir_facts facts;

	(void)state;
	assert_int_equal(take(ad, arena, &facts), STATUS_OK);
	assert_false(facts.is_synchronized);
	assert_false(facts.is_global_catalog_ready);
	assert_int_equal(facts.domain_functionality, 7);
	assert_int_equal(facts.forest_functionality, 6);

	assert_int_equal(take("supportedCapabilities=1.2.840.113556.1.4.1920", arena, &facts), STATUS_OK);
	assert_true(facts.is_synchronized && facts.is_read_only);
	assert_int_equal(facts.domain_functionality, DIR_FACTS_NO_LEVEL);
	assert_int_equal(facts.dc_functionality, DIR_FACTS_NO_LEVEL);
	assert_null(facts.default_naming_context);
	assert_true(facts.highest_committed_usn == 0);

	assert_int_equal(take("namingContexts=; namingContexts=dc=x", arena, &facts), STATUS_OK);
	assert_int_equal(facts.naming_context_count, 1);

	assert_int_equal(take(openldap, arena, &facts), STATUS_OK);
	assert_string_equal(facts.vendor, "OpenLDAP");
	arena_free(&arena);
}

static void facts_take__malformed__is_refused_and_gives_nothing(void **state)
{
	static const char *const rows[] = {
	    "defaultNamingContext=DC=a; defaultNamingContext=DC=b",
	    "defaultNamingContext=",
	    "domainFunctionality=7x",
	    "domainFunctionality=-1",
	    "domainFunctionality=99999999999999999999",
	    "domainFunctionality=70000",
	    "highestCommittedUSN=",
	    "highestCommittedUSN=99999999999999999999",
	    "isSynchronized=yes",
	    "isGlobalCatalogReady=TRUE; isGlobalCatalogReady=FALSE",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arena *arena = arena_new(1 << 20);
		struct dir_facts facts = {.vendor = "untouched"};

		assert_row(rows[i], take(rows[i], arena, &facts) == STATUS_INVALID);
		assert_row(rows[i], strcmp(facts.vendor, "untouched") == 0);
		arena_free(&arena);
	}
}

static void facts_take__text_with_a_nul__is_refused(void **state)
{
	struct dir_value value[] = {{"DC=corp\0,DC=evil", 16}};
	struct dir_attribute attribute[] = {{"defaultNamingContext", value, 1}};
	const struct dir_entry entry = {.dn = "", .attributes = attribute, .attribute_count = 1};
	struct arena *arena = arena_new(1 << 20);
	struct dir_facts facts;

	(void)state;
	assert_status(dir_facts_take(&entry, arena, &facts, NULL), STATUS_INVALID, NULL);
	arena_free(&arena);
}

static void facts_take__too_much__is_a_limit(void **state)
{
	static struct dir_value values[DIR_FACTS_MAX_CONTEXTS + 1];
	struct dir_attribute attribute[] = {{"namingContexts", values, DIR_FACTS_MAX_CONTEXTS + 1}};
	const struct dir_entry entry = {.dn = "", .attributes = attribute, .attribute_count = 1};
	struct arena *arena = arena_new(1 << 20);
	struct arena *small = arena_new(64);
	struct dir_facts facts;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(values); i++)
		values[i] = (struct dir_value){"dc=x", 4};
	assert_status(dir_facts_take(&entry, arena, &facts, NULL), STATUS_LIMIT, NULL);
	attribute[0].value_count--;
	assert_status(dir_facts_take(&entry, arena, &facts, NULL), STATUS_OK, NULL);
	assert_int_equal(facts.naming_context_count, DIR_FACTS_MAX_CONTEXTS);
	assert_status(dir_facts_take(&entry, small, &facts, NULL), STATUS_LIMIT, NULL);
	arena_free(&small);
	arena_free(&arena);
}

static void facts_take__no_memory__fails_and_leaves_nothing(void **state)
{
	struct arena *question = arena_new(1 << 20);
	const struct dir_entry *entry = build_entry(question, "", samba);
	size_t before = memory_live_count(), n;

	(void)state;
	for (n = 1;; n++) {
		struct dir_facts facts = {.vendor = "untouched"};
		struct arena *arena;
		enum status status = STATUS_NO_MEMORY;

		memory_fail_at(n);
		arena = arena_new(1 << 20);
		if (arena != NULL)
			status = dir_facts_take(entry, arena, &facts, NULL);
		arena_free(&arena);
		assert_int_equal(memory_live_count(), before);
		if (memory_fail_count() < n) {
			assert_int_equal(status, STATUS_OK);
			break;
		}
		assert_int_equal(status, STATUS_NO_MEMORY);
		assert_string_equal(facts.vendor, "untouched");
	}
	memory_fail_at(0);
	assert_true(n > 1);
	arena_free(&question);
}

static void facts_attributes__all__fit_a_search(void **state)
{
	size_t count = 0;

	(void)state;
	while (dir_facts_attributes[count] != NULL)
		count++;
	assert_true(count <= DIR_SEARCH_MAX_ATTRIBUTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(facts_take__each_server__is_told_from_the_others),
	    cmocka_unit_test(facts_take__controls__are_what_is_listed),
	    cmocka_unit_test(facts_search_flags__each_server__are_what_it_offers),
	    cmocka_unit_test(facts_take__domain_controller__gives_names_and_levels),
	    cmocka_unit_test(facts_take__states__are_what_is_said),
	    cmocka_unit_test(facts_take__malformed__is_refused_and_gives_nothing),
	    cmocka_unit_test(facts_take__text_with_a_nul__is_refused),
	    cmocka_unit_test(facts_take__too_much__is_a_limit),
	    cmocka_unit_test(facts_take__no_memory__fails_and_leaves_nothing),
	    cmocka_unit_test(facts_attributes__all__fit_a_search),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
