/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <directory/dir_forest.h>
#include <string.h>
#include <support/entry_builder.h>
#include <support/memory_failing.h>

#define CORP_SID "S-1-5-21-1111111111-222222222-333333333"
#define EMEA_SID "S-1-5-21-4044444444-555555555-666666666"
/* clang-format off */
#define CORP_SID_BYTES "\x01\x04\0\0\0\0\0\x05\x15\0\0\0\xc7\x35\x3a\x42\x8e\xd7\x3e\x0d\x55\x43\xde\x13"
#define FAR_SID_BYTES  "\x01\x04\0\0\0\0\0\x05\x15\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0"
/* clang-format on */
#define FAR_ACCOUNT "S-1-5-21-1-2-3-1104"

#define PARTITIONS  "CN=Partitions,CN=Configuration,DC=corp,DC=example"

/* The answers to the three questions, and what the server said of itself. */
struct fixture {
	struct arena *arena;
	struct dir_facts facts;
	struct dir_search searches[DIR_FOREST_SEARCHES];
};

static void add(struct fixture *fixture, int which, const char *dn, const char *attributes)
{
	struct dir_search *search = &fixture->searches[which];
	struct dir_entry **end = &search->entries;

	while (*end != NULL)
		end = &(*end)->next;
	*end = build_entry(fixture->arena, dn, attributes);
	search->entry_count++;
}

/* Binary values, which no line of text holds. */
static void add_bytes(struct fixture *fixture, struct dir_entry *entry, const char *name, const char *data,
		      size_t length)
{
	struct dir_attribute *attribute = &entry->attributes[entry->attribute_count++];

	attribute->name = name;
	attribute->values = arena_alloc(fixture->arena, sizeof(*attribute->values));
	assert_non_null(attribute->values);
	attribute->values[0] = (struct dir_value){data, length};
	attribute->value_count = 1;
}

/* The domains CORP and EMEA, as MS-ADTS says; flags and the other partitions as Samba showed them. */
static void add_partitions(struct fixture *fixture)
{
	add(fixture, DIR_FOREST_PARTITIONS, PARTITIONS,
	    "objectClass=top; objectClass=crossRefContainer; systemFlags=-2147483648; uPNSuffixes=mail.example; "
	    "uPNSuffixes=Other.Example");
	add(fixture, DIR_FOREST_PARTITIONS, "CN=Enterprise Schema," PARTITIONS,
	    "objectClass=crossRef; nCName=CN=Schema,CN=Configuration,DC=corp,DC=example; dnsRoot=corp.example; "
	    "systemFlags=1");
	add(fixture, DIR_FOREST_PARTITIONS, "CN=CORP," PARTITIONS,
	    "objectClass=top; objectClass=crossRef; nCName=DC=corp,DC=example; dnsRoot=corp.example; nETBIOSName=CORP; "
	    "systemFlags=3");
	add(fixture, DIR_FOREST_PARTITIONS, "CN=8cfc1bdb," PARTITIONS,
	    "objectClass=crossRef; nCName=DC=DomainDnsZones,DC=corp,DC=example; dnsRoot=DomainDnsZones.corp.example; "
	    "systemFlags=5");
	add(fixture, DIR_FOREST_PARTITIONS, "CN=EMEA," PARTITIONS,
	    "objectClass=crossRef; nCName=DC=emea,DC=corp,DC=example; dnsRoot=emea.corp.example; nETBIOSName=EMEA; "
	    "systemFlags=3");
	add(fixture, DIR_FOREST_PARTITIONS, "CN=SOON," PARTITIONS,
	    "objectClass=crossRef; nCName=DC=soon,DC=corp,DC=example; dnsRoot=soon.corp.example; nETBIOSName=SOON; "
	    "systemFlags=3; enabled=FALSE");
}

/* EMEA's SID, which only the extended form of nCName tells. */
static void extend_emea(struct fixture *fixture)
{
	static const char name[] =
	    "<GUID=9b12f1e4-15c6-43cf-bf71-638e008fb737>;<SID=" EMEA_SID ">;DC=emea,DC=corp,DC=example";
	struct dir_entry *entry = fixture->searches[DIR_FOREST_PARTITIONS].entries;

	while (strncmp(entry->dn, "CN=EMEA,", 8) != 0)
		entry = entry->next;
	for (size_t i = 0; i < entry->attribute_count; i++)
		if (strcmp(entry->attributes[i].name, "nCName") == 0)
			entry->attributes[i].values[0] = (struct dir_value){name, sizeof(name) - 1};
}

static void add_head(struct fixture *fixture, const char *attributes)
{
	add(fixture, DIR_FOREST_DOMAIN, "DC=corp,DC=example", attributes);
	add_bytes(fixture, fixture->searches[DIR_FOREST_DOMAIN].entries, "objectSid", CORP_SID_BYTES,
		  sizeof(CORP_SID_BYTES) - 1);
}

static int setup(void **state)
{
	static struct fixture fixture;

	memset(&fixture, 0, sizeof(fixture));
	fixture.arena = arena_new(1 << 20);
	assert_non_null(fixture.arena);
	fixture.facts = (struct dir_facts){.kind = DIR_KIND_AD,
					   .default_naming_context = "DC=corp,DC=example",
					   .configuration_naming_context = "CN=Configuration,DC=corp,DC=example",
					   .offers_extended_dn = true};
	assert_int_equal(dir_forest_ask(&fixture.facts, fixture.arena, fixture.searches, NULL), STATUS_OK);
	for (size_t i = 0; i < DIR_FOREST_SEARCHES; i++)
		fixture.searches[i].outcome = DIR_OUTCOME_OK;
	add_partitions(&fixture);
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	arena_free(&fixture->arena);
	return 0;
}

static struct sid sid_of(const char *text)
{
	struct sid sid;

	assert_true(sid_parse_text(text, strlen(text), &sid));
	return sid;
}

static const struct dir_forest *take(struct fixture *fixture)
{
	const struct dir_forest *forest = NULL;
	struct error error;
	enum status status =
	    dir_forest_take(&fixture->facts, "OU=People, DC=corp, DC=EXAMPLE", fixture->searches, &forest, &error);

	assert_status(status, STATUS_OK, &error);
	return forest;
}

static void check_refused(struct fixture *fixture, enum status expected)
{
	const struct dir_forest *forest = NULL;
	struct error error;
	enum status status = dir_forest_take(&fixture->facts, "DC=corp,DC=example", fixture->searches, &forest, &error);

	assert_status(status, expected, &error);
	assert_null(forest);
	assert_true(strlen(error.what) > 0);
}

static void forest_ask__domain_controller__asks_all_at_once(void **state)
{
	struct fixture *fixture = *state;
	const struct dir_search *searches = fixture->searches;

	assert_string_equal(searches[DIR_FOREST_PARTITIONS].base, PARTITIONS);
	assert_int_equal(searches[DIR_FOREST_PARTITIONS].flags, DIR_SEARCH_EXTENDED_DN);
	assert_string_equal(searches[DIR_FOREST_DOMAIN].base, "DC=corp,DC=example");
	assert_int_equal(searches[DIR_FOREST_DOMAIN].scope, DIR_SCOPE_BASE);
	assert_string_equal(searches[DIR_FOREST_TRUSTS].base, "CN=System,DC=corp,DC=example");
	fixture->facts.default_naming_context = NULL;
	assert_status(dir_forest_ask(&fixture->facts, fixture->arena, fixture->searches, NULL), STATUS_INVALID, NULL);
}

static void forest_take__two_domains__are_known_by_their_names(void **state)
{
	struct fixture *fixture = *state;
	const struct dir_forest *forest;
	const struct dir_domain *emea;

	add_head(fixture, "lockoutDuration=-18000000000");
	extend_emea(fixture);
	forest = take(fixture);

	assert_int_equal(forest->domain_count, 2);
	assert_string_equal(forest->home->netbios_name, "CORP");
	assert_true(forest->lockout_s == 1800);
	emea = dir_forest_find_domain(forest, "emea");
	assert_non_null(emea);
	assert_string_equal(emea->naming_context, "DC=emea,DC=corp,DC=example");
	assert_ptr_equal(dir_forest_find_domain(forest, "EMEA.corp.Example"), emea);
	assert_ptr_equal(dir_forest_find_domain(forest, "corp.example"), forest->home);
	assert_null(dir_forest_find_domain(forest, "SOON"));
	assert_null(dir_forest_find_domain(forest, "DomainDnsZones.corp.example"));
	assert_null(dir_forest_find_domain(forest, "mail.example"));
	assert_null(dir_forest_find_domain(forest, ""));
	assert_true(dir_forest_has_suffix(forest, "OTHER.example") && dir_forest_has_suffix(forest, "Mail.Example"));
	assert_true(dir_forest_has_suffix(forest, "emea.corp.example"));
	assert_false(dir_forest_has_suffix(forest, "CORP") || dir_forest_has_suffix(forest, "soon.corp.example"));
	assert_false(dir_forest_is_single(forest));
	dir_forest_unref(&forest);
}

static void forest_find_issuer__sids__belong_to_who_made_them(void **state)
{
	struct fixture *fixture = *state;
	const struct dir_forest *forest;
	static const struct {
		const char *sid, *netbios_name;
		bool is_account;
	} rows[] = {
	    {CORP_SID "-500", "CORP", true}, {EMEA_SID "-1104", "EMEA", true},  {CORP_SID, NULL, false},
	    {CORP_SID "-1-2", NULL, false},  {FAR_ACCOUNT, NULL, true},         {"S-1-5-32-544", NULL, false},
	    {"S-1-5-18", NULL, false},       {"S-1-5-80-1-2-3-4", NULL, false}, {"S-1-5-82-1-2-3-4", NULL, false},
	    {"S-1-1-0", NULL, false},
	};

	add_head(fixture, "");
	extend_emea(fixture);
	forest = take(fixture);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct sid sid = sid_of(rows[i].sid);
		const struct dir_domain *issuer = dir_forest_find_issuer(forest, &sid);

		assert_row(rows[i].sid, (issuer == NULL) == (rows[i].netbios_name == NULL));
		assert_row(rows[i].sid, issuer == NULL || strcmp(issuer->netbios_name, rows[i].netbios_name) == 0);
		assert_row(rows[i].sid, dir_forest_is_account_sid(&sid) == rows[i].is_account);
	}
	dir_forest_unref(&forest);
}

static void forest_find_holder__dns__lie_in_the_nearest_domain(void **state)
{
	struct fixture *fixture = *state;
	const struct dir_forest *forest;
	static const struct {
		const char *dn, *netbios_name;
	} rows[] = {
	    {"CN=a,DC=corp,DC=example", "CORP"},
	    {"cn=a, dc=emea, dc=corp, dc=example", "EMEA"},
	    {"DC=emea,DC=corp,DC=example", "EMEA"},
	    {"CN=a\\,DC=emea,DC=corp,DC=example", "CORP"},
	    {"CN=a,DC=xemea,DC=corp,DC=example", "CORP"},
	    {"CN=a,DC=xcorp,DC=example", NULL},
	    {"DC=example", NULL},
	    {"", NULL},
	};

	add_head(fixture, "");
	forest = take(fixture);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct dir_domain *holder = NULL;

		assert_row(rows[i].dn, dir_forest_find_holder(forest, rows[i].dn, &holder) == STATUS_OK);
		assert_row(rows[i].dn, (holder == NULL) == (rows[i].netbios_name == NULL));
		assert_row(rows[i].dn, holder == NULL || strcmp(holder->netbios_name, rows[i].netbios_name) == 0);
	}
	dir_forest_unref(&forest);
}

/* direction 1: they trust us; 2: we trust them; 3: both. attributes 0x8: between forests; 0x20: within one. */
static void forest_take__trusts__say_who_may_come(void **state)
{
	static const struct {
		const char *name, *attributes;
		bool with_sid, far_may_come;
	} rows[] = {
	    {"outbound external", "flatName=FAR; trustPartner=far.example; trustDirection=2; trustAttributes=4", true,
	     true},
	    {"both ways external", "flatName=FAR; trustPartner=far.example; trustDirection=3; trustAttributes=0", true,
	     true},
	    {"inbound", "flatName=FAR; trustPartner=far.example; trustDirection=1; trustAttributes=8", true, false},
	    {"disabled", "flatName=FAR; trustPartner=far.example; trustDirection=0; trustAttributes=8", true, false},
	    {"other external", "flatName=FAR2; trustPartner=far2.example; trustDirection=2; trustAttributes=4", false,
	     false},
	    {"forest", "flatName=F; trustPartner=forest.example; trustDirection=2; trustAttributes=8", false, true},
	    {"parent", "flatName=P; trustPartner=parent.example; trustDirection=3; trustAttributes=32", false, true},
	    {"realm", "trustPartner=MIT.EXAMPLE; trustDirection=2; trustAttributes=1", false, false},
	};
	struct fixture *fixture = *state;
	const struct sid far = sid_of(FAR_ACCOUNT), builtin = sid_of("S-1-5-32-544");

	add_head(fixture, "");
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct dir_search *trusts = &fixture->searches[DIR_FOREST_TRUSTS];
		const struct dir_forest *forest;

		trusts->entries = NULL;
		trusts->entry_count = 0;
		add(fixture, DIR_FOREST_TRUSTS, "CN=far,CN=System,DC=corp,DC=example", rows[i].attributes);
		if (rows[i].with_sid)
			add_bytes(fixture, trusts->entries, "securityIdentifier", FAR_SID_BYTES,
				  sizeof(FAR_SID_BYTES) - 1);
		forest = take(fixture);
		assert_row(rows[i].name, dir_forest_trusts_issuer(forest, &far) == rows[i].far_may_come);
		assert_row(rows[i].name, !dir_forest_trusts_issuer(forest, &builtin));
		assert_row(rows[i].name, dir_forest_find_issuer(forest, &far) == NULL);
		dir_forest_unref(&forest);
	}
}

static void forest_is_single__one_domain__only_when_nobody_is_trusted(void **state)
{
	struct fixture *fixture = *state;
	struct dir_search *partitions = &fixture->searches[DIR_FOREST_PARTITIONS];
	const struct sid far = sid_of(FAR_ACCOUNT);
	const struct dir_forest *forest;

	add_head(fixture, "lockoutDuration=-9223372036854775808");
	partitions->entries = partitions->entries->next->next; /* CORP and what follows */
	partitions->entries->next = NULL;
	forest = take(fixture);
	assert_true(dir_forest_is_single(forest));
	assert_false(dir_forest_trusts_issuer(forest, &far));
	assert_int_equal(forest->upn_suffix_count, 0);
	assert_true(forest->lockout_s == 0);
	dir_forest_unref(&forest);

	fixture->searches[DIR_FOREST_TRUSTS].outcome = DIR_OUTCOME_NO_SUCH_OBJECT;
	forest = take(fixture);
	assert_true(forest->trusts_unknown);
	assert_false(dir_forest_is_single(forest));
	assert_true(dir_forest_trusts_issuer(forest, &far));
	dir_forest_unref(&forest);

	fixture->searches[DIR_FOREST_TRUSTS].outcome = DIR_OUTCOME_OK;
	add(fixture, DIR_FOREST_TRUSTS, "CN=far", "flatName=FAR; trustDirection=1");
	forest = take(fixture);
	assert_true(dir_forest_is_single(forest));
	dir_forest_unref(&forest);
}

static void forest_take__no_answer__is_the_searchs_failure(void **state)
{
	struct fixture *fixture = *state;

	add_head(fixture, "");
	fixture->searches[DIR_FOREST_PARTITIONS].outcome = DIR_OUTCOME_TIMEOUT;
	check_refused(fixture, STATUS_TIMEOUT);
	fixture->searches[DIR_FOREST_PARTITIONS].outcome = DIR_OUTCOME_OK;
	fixture->searches[DIR_FOREST_DOMAIN].outcome = DIR_OUTCOME_BUSY;
	check_refused(fixture, STATUS_UNREACHABLE);
}

static void forest_take__odd_data__is_refused(void **state)
{
	static const struct {
		const char *name, *cross_ref;
	} rows[] = {
	    {"no NetBIOS name", "nCName=DC=o,DC=x; dnsRoot=o.x; systemFlags=3"},
	    {"no DNS name", "nCName=DC=o,DC=x; nETBIOSName=O; systemFlags=3"},
	    {"no naming context", "dnsRoot=o.x; nETBIOSName=O; systemFlags=3"},
	    {"broken naming context", "nCName=<SID=S-1-5>,DC=o; dnsRoot=o.x; nETBIOSName=O; systemFlags=3"},
	    {"NetBIOS name taken", "nCName=DC=o,DC=x; dnsRoot=o.x; nETBIOSName=corp; systemFlags=3"},
	    {"DNS name taken", "nCName=DC=o,DC=x; dnsRoot=CORP.example; nETBIOSName=O; systemFlags=3"},
	    {"NetBIOS name is a DNS name", "nCName=DC=o,DC=x; dnsRoot=o.x; nETBIOSName=corp.example; systemFlags=3"},
	    {"DNS name is a NetBIOS name", "nCName=DC=corp; dnsRoot=corp; nETBIOSName=O; systemFlags=3"},
	};
	struct fixture *fixture = *state;
	struct dir_entry *last;

	add_head(fixture, "");
	for (last = fixture->searches[DIR_FOREST_PARTITIONS].entries; last->next != NULL; last = last->next)
		;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct dir_forest *forest = NULL;

		last->next = build_entry(fixture->arena, "CN=odd", rows[i].cross_ref);
		add_bytes(fixture, last->next, "objectClass", "crossRef", 8);
		assert_row(rows[i].name, dir_forest_take(&fixture->facts, "DC=corp,DC=example", fixture->searches,
							 &forest, NULL) == STATUS_INVALID);
		assert_row(rows[i].name, forest == NULL);
	}
}

static void forest_take__head_without_its_sid__is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct dir_search *head = &fixture->searches[DIR_FOREST_DOMAIN];

	check_refused(fixture, STATUS_INVALID);
	add(fixture, DIR_FOREST_DOMAIN, "DC=corp,DC=example", "objectSid=nonsense");
	check_refused(fixture, STATUS_INVALID);
	head->entries = NULL;
	add_head(fixture, "");
	fixture->facts.default_naming_context = "DC=elsewhere";
	check_refused(fixture, STATUS_INVALID);
	/* EMEA's crossRef says another SID than its head. */
	extend_emea(fixture);
	fixture->facts.default_naming_context = "DC=emea,DC=corp,DC=example";
	check_refused(fixture, STATUS_INVALID);
}

static void forest_take__base_elsewhere__is_refused(void **state)
{
	struct fixture *fixture = *state;
	const struct dir_forest *forest = NULL;
	struct error error;

	add_head(fixture, "");
	assert_status(dir_forest_take(&fixture->facts, "DC=example", fixture->searches, &forest, &error),
		      STATUS_INVALID, &error);
	assert_contains(error.what, "in no domain");
	/* Another domain's, whose SID nobody told. */
	assert_status(
	    dir_forest_take(&fixture->facts, "DC=emea,DC=corp,DC=example", fixture->searches, &forest, &error),
	    STATUS_INVALID, &error);
	assert_contains(error.what, "SID");
	extend_emea(fixture);
	assert_status(
	    dir_forest_take(&fixture->facts, "DC=emea,DC=corp,DC=example", fixture->searches, &forest, &error),
	    STATUS_OK, &error);
	assert_string_equal(forest->home->netbios_name, "EMEA");
	dir_forest_unref(&forest);
}

static void forest_take__nobody_may_read__says_so(void **state)
{
	struct fixture *fixture = *state;

	add_head(fixture, "");
	fixture->searches[DIR_FOREST_PARTITIONS].entries = NULL;
	check_refused(fixture, STATUS_INVALID);
}

static void forest_take__no_memory__fails_and_leaves_nothing(void **state)
{
	struct fixture *fixture = *state;
	size_t before = memory_live_count(), n;

	add_head(fixture, "");
	add(fixture, DIR_FOREST_TRUSTS, "CN=far", "flatName=FAR; trustPartner=far.example; trustDirection=2");
	before = memory_live_count();
	for (n = 1;; n++) {
		const struct dir_forest *forest = NULL;
		enum status status;

		memory_fail_at(n);
		status = dir_forest_take(&fixture->facts, "DC=corp,DC=example", fixture->searches, &forest, NULL);
		if (memory_fail_count() < n) {
			assert_int_equal(status, STATUS_OK);
			dir_forest_unref(&forest);
			break;
		}
		assert_int_equal(status, STATUS_NO_MEMORY);
		assert_null(forest);
		assert_int_equal(memory_live_count(), before);
	}
	memory_fail_at(0);
	assert_true(n > 4);
	assert_int_equal(memory_live_count(), before);
}

static void forest_unref__shared__frees_with_the_last(void **state)
{
	struct fixture *fixture = *state;
	const struct dir_forest *forest, *other;
	size_t before;

	add_head(fixture, "");
	before = memory_live_count();
	forest = take(fixture);
	other = dir_forest_ref(forest);
	dir_forest_unref(&forest);
	assert_null(forest);
	assert_string_equal(other->home->dns_name, "corp.example");
	dir_forest_unref(&other);
	dir_forest_unref(&other);
	dir_forest_unref(NULL);
	assert_int_equal(memory_live_count(), before);
}

#define FOREST_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    FOREST_TEST(forest_ask__domain_controller__asks_all_at_once),
	    FOREST_TEST(forest_take__two_domains__are_known_by_their_names),
	    FOREST_TEST(forest_find_issuer__sids__belong_to_who_made_them),
	    FOREST_TEST(forest_find_holder__dns__lie_in_the_nearest_domain),
	    FOREST_TEST(forest_take__trusts__say_who_may_come),
	    FOREST_TEST(forest_is_single__one_domain__only_when_nobody_is_trusted),
	    FOREST_TEST(forest_take__no_answer__is_the_searchs_failure),
	    FOREST_TEST(forest_take__odd_data__is_refused),
	    FOREST_TEST(forest_take__head_without_its_sid__is_refused),
	    FOREST_TEST(forest_take__base_elsewhere__is_refused),
	    FOREST_TEST(forest_take__nobody_may_read__says_so),
	    FOREST_TEST(forest_take__no_memory__fails_and_leaves_nothing),
	    FOREST_TEST(forest_unref__shared__frees_with_the_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
