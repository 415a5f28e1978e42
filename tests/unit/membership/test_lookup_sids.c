/* SPDX-License-Identifier: Apache-2.0 */
/* A user's groups on Active Directory: by memberOf and primaryGroupID (lookup_sids.c), and by tokenGroups (lookup_tokens.c). */
#include <membership/lookup_sids.h>
#include <membership/lookup_tokens.h>

#include <base/sid.h>
#include <directory/dir_forest.h>
#include <stdio.h>
#include <string.h>
#include <support/assertions.h>
#include <support/entry_builder.h>
#include <support/memory_failing.h>

#define ALICE    "cn=alice,dc=x"
#define SID(rid) "S-1-5-21-1-2-3-" rid
#define ID       "objectClass=user; entryUUID=" SID("1000") ";"
#define PRIMARY  "primaryGroupID=513;"
/* entry_builder parts values at ';', so components end in ',' here: both are good. */
#define IN(rid)       "memberOf=<GUID=2092dd8c-1f4d-4cd5-a2b8-6a3c0ad6e8a7>,<SID=" SID(rid) ">,cn=g" rid ",dc=x;"
#define UNTIL(s, rid) "memberOf=<TTL=" s ">,<SID=" SID(rid) ">,cn=g" rid ",dc=x;"
#define LASTS         UINT64_MAX
#define ASKED_US      7000000
#define ARENA_BYTES   ((size_t)16 * 1024 * 1024)

/* Groups 1 (the root), 2 beneath it, 513 likewise. */
struct fixture {
	struct arena *arena;
	struct membership_lookup lookup;
	struct dir_search first[MEMBERSHIP_FIRST_SEARCHES];
};

static int set_up(void **state)
{
	static const char *const rids[] = {"1", "2", "513"};
	static const struct digest_key key = {1, 2};
	static struct fixture fixture;
	uint32_t group = 0;
	char dn[32], id[32];

	memset(&fixture, 0, sizeof(fixture));
	fixture.arena = arena_new(ARENA_BYTES);
	fixture.lookup.arena = fixture.arena;
	fixture.lookup.asked_us = ASKED_US;
	fixture.lookup.ends_us = UINT64_MAX;
	fixture.lookup.first = fixture.lookup.searches = fixture.first;
	fixture.lookup.closure = closure_new(1, &key);
	closure_set_by_sid(fixture.lookup.closure);
	for (size_t i = 0; i < COUNT_OF(rids); i++) {
		(void)snprintf(dn, sizeof(dn), "cn=g%s,dc=x", rids[i]);
		(void)snprintf(id, sizeof(id), "S-1-5-21-1-2-3-%s", rids[i]);
		assert_int_equal(closure_add_group(fixture.lookup.closure, dn, id, &group), STATUS_OK);
		if (i > 0)
			assert_int_equal(closure_add_edge(fixture.lookup.closure, group, 0), STATUS_OK);
	}
	closure_set_root(fixture.lookup.closure, 0, 0);
	assert_int_equal(closure_finish(fixture.lookup.closure), STATUS_OK);
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	dir_search_done(&fixture->lookup.searches[0]);
	closure_unref(&fixture->lookup.closure);
	arena_free(&fixture->arena);
	return 0;
}

/* The numbers of the direct groups, in words. */
static const char *groups_of(const struct membership_lookup *lookup)
{
	static char text[128];
	size_t length = 0;

	text[0] = '\0';
	for (size_t i = 0; i < lookup->direct_count; i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s", i > 0 ? " " : "",
					   closure_group_dn(lookup->closure, lookup->direct[i]) + 3);
	return text;
}

/* Counted from when it was asked. */
static uint64_t ends_us(uint64_t ttl_s)
{
	return ttl_s == LASTS ? UINT64_MAX : ASKED_US + ttl_s * 1000000;
}

static void lookup_by_sid__what_an_entry_shows__is_counted(void **state)
{
	static const struct {
		const char *what, *attributes, *groups;
		uint64_t ttl_s;
	} rows[] = {
	    {"one", ID PRIMARY IN("2"), "g2,dc=x g513,dc=x", LASTS},
	    {"several, and strangers", ID PRIMARY IN("2") IN("77") IN("1"), "g2,dc=x g1,dc=x g513,dc=x", LASTS},
	    {"the primary group only", ID PRIMARY, "g513,dc=x", LASTS},
	    {"another primary group", ID "primaryGroupID=514;" IN("1"), "g1,dc=x", LASTS},
	    {"a group of that number in another domain",
	     ID "primaryGroupID=514; memberOf=<SID=S-1-5-21-9-9-9-1>,cn=g1,dc=x", "", LASTS},
	    {"a name without a SID is nobody's", ID "primaryGroupID=514; memberOf=cn=g1,dc=x", "", LASTS},
	    {"a link that ends", ID PRIMARY UNTIL("60", "2"), "g2,dc=x g513,dc=x", 60},
	    {"the soonest", ID PRIMARY UNTIL("60", "2") UNTIL("5", "1") UNTIL("70", "2"),
	     "g2,dc=x g1,dc=x g2,dc=x g513,dc=x", 5},
	    {"a stranger's does not count", ID PRIMARY UNTIL("5", "77") UNTIL("60", "2"), "g2,dc=x g513,dc=x", 60},
	    {"it has just ended", ID PRIMARY UNTIL("0", "2"), "g2,dc=x g513,dc=x", 0},
	    {"a user of another forest has no primary group here",
	     "objectClass=top; objectClass=foreignSecurityPrincipal; entryUUID=S-1-5-21-7-7-7-1104;" IN("2"), "g2,dc=x",
	     LASTS},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct dir_entry *user = build_entry(fixture->arena, ALICE, rows[i].attributes);

		fixture->lookup.ends_us = UINT64_MAX;
		assert_row(rows[i].what, lookup_by_sid(&fixture->lookup, user) == MEMBERSHIP_DONE);
		assert_row(rows[i].what, strcmp(groups_of(&fixture->lookup), rows[i].groups) == 0);
		assert_row(rows[i].what, fixture->lookup.ends_us == ends_us(rows[i].ttl_s));
		assert_row(rows[i].what, membership_holds(&fixture->lookup, 0) == (rows[i].groups[0] != '\0'));
	}
}

/* Never "in no group": a deny rule would be passed. */
static void lookup_by_sid__what_is_not_shown_or_not_understood__is_unknown(void **state)
{
	static const struct {
		const char *what, *attributes, *says;
	} rows[] = {
	    {"no SID", "objectClass=user;" PRIMARY IN("2"), "objectSid"},
	    {"no primary group", ID IN("2"), "primaryGroupID"},
	    {"two of them", ID PRIMARY "primaryGroupID=514", "primaryGroupID"},
	    {"an empty one", ID "primaryGroupID=", "primaryGroupID"},
	    {"a negative one", ID "primaryGroupID=-513", "primaryGroupID"},
	    {"one with a sign", ID "primaryGroupID=+513", "primaryGroupID"},
	    {"no number", ID "primaryGroupID=513x", "primaryGroupID"},
	    {"one too large", ID "primaryGroupID=4294967296", "primaryGroupID"},
	    {"one far too large", ID "primaryGroupID=99999999999999999999999999", "primaryGroupID"},
	    {"a SID that is none", "objectClass=user; entryUUID=5eed0000-0000-4000-8000-000000000001;" PRIMARY,
	     "primaryGroupID"},
	    {"a memberOf without an end", ID PRIMARY IN("2") "memberOf=<SID=" SID("1"), "memberOf"},
	    {"a memberOf with a bad SID", ID PRIMARY "memberOf=<SID=S-1-5-21-1-2-x>,cn=g1,dc=x", "memberOf"},
	    {"a memberOf with two SIDs", ID PRIMARY "memberOf=<SID=" SID("1") ">,<SID=" SID("2") ">,cn=g1,dc=x",
	     "memberOf"},
	    {"an empty memberOf", ID PRIMARY "memberOf=", "memberOf"},
	    {"a time that is none", ID PRIMARY UNTIL("-1", "2"), "memberOf"},
	    {"a time too large", ID PRIMARY UNTIL("4294967296", "2"), "memberOf"},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct dir_entry *user = build_entry(fixture->arena, ALICE, rows[i].attributes);

		assert_row(rows[i].what, lookup_by_sid(&fixture->lookup, user) == MEMBERSHIP_UNKNOWN);
		assert_row(rows[i].what, fixture->lookup.error.status == STATUS_REFUSED);
		assert_row(rows[i].what, strstr(fixture->lookup.error.what, rows[i].says) != NULL);
		assert_row(rows[i].what, fixture->lookup.error.hint[0] != '\0');
	}
}

static void lookup_by_sid__more_groups_than_there_can_be__is_unknown(void **state)
{
	struct fixture *fixture = *state;
	struct dir_entry *user = build_entry(fixture->arena, ALICE, ID PRIMARY IN("2"));

	for (size_t i = 0; i < user->attribute_count; i++) {
		struct dir_attribute *attribute = &user->attributes[i];
		const struct dir_value value = attribute->values[0];

		if (strcmp(attribute->name, "memberOf") != 0)
			continue;
		attribute->value_count = MEMBERSHIP_MAX_DIRECT + 1;
		attribute->values = arena_alloc_array(fixture->arena, attribute->value_count, sizeof(value));
		assert_non_null(attribute->values);
		for (size_t k = 0; k < attribute->value_count; k++)
			attribute->values[k] = value;
	}
	assert_int_equal(lookup_by_sid(&fixture->lookup, user), MEMBERSHIP_UNKNOWN);
	assert_int_equal(fixture->lookup.error.status, STATUS_LIMIT);
}

static void lookup_by_sid__no_memory__is_unknown(void **state)
{
	struct fixture *fixture = *state;
	const struct dir_entry *user = build_entry(fixture->arena, ALICE, ID PRIMARY IN("2"));
	size_t failures = 0;

	for (size_t n = 1;; n++) {
		struct arena *arena = arena_new(ARENA_BYTES);
		enum membership_next next;
		size_t count;

		fixture->lookup.arena = arena;
		memory_fail_at(n);
		next = lookup_by_sid(&fixture->lookup, user);
		count = memory_fail_count();
		memory_fail_at(0);
		arena_free(&arena);
		assert_int_equal(next, count < n ? MEMBERSHIP_DONE : MEMBERSHIP_UNKNOWN);
		if (count < n)
			break;
		assert_int_equal(fixture->lookup.error.status, STATUS_NO_MEMORY);
		failures++;
	}
	assert_true(failures > 0);
}

/* tokenGroups */

static void lookup_needs_tokens__forests__only_of_several_domains(void **state)
{
	struct dir_forest forest = {.domain_count = 1};

	(void)state;
	assert_false(lookup_needs_tokens(NULL));
	assert_false(lookup_needs_tokens(&forest));
	forest.domain_count = 2;
	assert_true(lookup_needs_tokens(&forest));
}

static struct dir_entry *token_entry(struct fixture *fixture, const char *const *sids, size_t count)
{
	struct dir_entry *entry = build_entry(fixture->arena, ALICE, "cn=alice;");
	struct dir_attribute *token = &entry->attributes[entry->attribute_count++];

	token->name = "tokenGroups";
	token->values = arena_alloc_array(fixture->arena, count + 1, sizeof(*token->values));
	for (size_t i = 0; i < count; i++) {
		uint8_t *binary = arena_alloc(fixture->arena, SID_BINARY_BYTES);
		struct sid sid;

		assert_true(sid_parse_text(sids[i], strlen(sids[i]), &sid));
		token->values[i] = (struct dir_value){(const char *)binary, sid_encode(&sid, binary)};
	}
	token->value_count = count;
	return entry;
}

static void answer(struct fixture *fixture, struct dir_entry *entry)
{
	fixture->lookup.searches[0].outcome = DIR_OUTCOME_OK;
	fixture->lookup.searches[0].entries = entry;
}

static void lookup_by_token__the_answer__is_the_groups_of_the_token(void **state)
{
	static const char *const token[] = {"S-1-5-32-545", SID("513"), "S-1-5-21-9-9-9-1", SID("2"), SID("1")};
	struct fixture *fixture = *state;
	const struct dir_entry *user = build_entry(fixture->arena, ALICE, ID);

	assert_int_equal(lookup_by_token(&fixture->lookup, user, 2999), MEMBERSHIP_ASK);
	assert_int_equal(fixture->lookup.search_count, 1);
	assert_string_equal(fixture->lookup.searches[0].base, "<SID=" SID("1000") ">");
	assert_int_equal(fixture->lookup.searches[0].scope, DIR_SCOPE_BASE);
	assert_string_equal(fixture->lookup.searches[0].attributes[0], "tokenGroups");
	answer(fixture, token_entry(fixture, token, COUNT_OF(token)));
	assert_int_equal(lookup_by_token(&fixture->lookup, user, 2999), MEMBERSHIP_DONE);
	assert_string_equal(groups_of(&fixture->lookup), "g513,dc=x g2,dc=x g1,dc=x");
	assert_int_equal(fixture->lookup.ends_us, ASKED_US + 2999 * 1000 + 999 * 1000);
}

static void lookup_by_token__in_no_configured_group__is_no(void **state)
{
	static const char *const token[] = {"S-1-5-32-545"};
	struct fixture *fixture = *state;
	const struct dir_entry *user = build_entry(fixture->arena, ALICE, ID);

	assert_int_equal(lookup_by_token(&fixture->lookup, user, 0), MEMBERSHIP_ASK);
	answer(fixture, token_entry(fixture, token, COUNT_OF(token)));
	assert_int_equal(lookup_by_token(&fixture->lookup, user, 0), MEMBERSHIP_DONE);
	assert_int_equal(fixture->lookup.direct_count, 0);
	assert_int_equal(fixture->lookup.ends_us, ASKED_US + 999 * 1000);
}

/* Whoever may not read tokenGroups is shown an entry without it; its holder has a primary group at least. */
static void lookup_by_token__what_is_not_shown_or_not_understood__is_unknown(void **state)
{
	static const char *const token[] = {SID("1")};
	struct fixture *fixture = *state;
	const struct dir_entry *user = build_entry(fixture->arena, ALICE, ID);
	struct dir_entry *bad = token_entry(fixture, token, 1), *empty = token_entry(fixture, token, 0);
	struct dir_entry *none = build_entry(fixture->arena, ALICE, "cn=alice");
	struct dir_entry *const rows[] = {NULL, none, empty, bad};

	bad->attributes[bad->attribute_count - 1].values[0].length--;
	assert_int_equal(lookup_by_token(&fixture->lookup, user, 0), MEMBERSHIP_ASK);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		answer(fixture, rows[i]);
		assert_int_equal(lookup_by_token(&fixture->lookup, user, 0), MEMBERSHIP_UNKNOWN);
		assert_int_equal(fixture->lookup.error.status, STATUS_REFUSED);
		assert_contains(fixture->lookup.error.what, "tokenGroups");
	}
	fixture->lookup.searches[0].outcome = DIR_OUTCOME_TIMEOUT;
	assert_int_equal(lookup_by_token(&fixture->lookup, user, 0), MEMBERSHIP_UNKNOWN);
	assert_int_equal(fixture->lookup.error.status, STATUS_TIMEOUT);
	assert_int_equal(lookup_by_token(&fixture->lookup, build_entry(fixture->arena, ALICE, "objectClass=user"), 0),
			 MEMBERSHIP_UNKNOWN);
	assert_int_equal(fixture->lookup.error.status, STATUS_REFUSED);
}

static void lookup_take_token__an_arena_that_is_full__has_no_memory(void **state)
{
	static const char *const token[] = {SID("1"), SID("2"), SID("513")};
	struct fixture *fixture = *state;
	const struct dir_entry *entry = token_entry(fixture, token, COUNT_OF(token));
	struct arena *full = arena_new(64);
	uint32_t untouched = 0, *groups = &untouched;
	size_t count = 7;

	while (arena_alloc(full, 1) != NULL)
		;
	assert_int_equal(lookup_take_token(fixture->lookup.closure, entry, full, &groups, &count), STATUS_NO_MEMORY);
	assert_ptr_equal(groups, &untouched);
	assert_int_equal(count, 7);
	arena_free(&full);
}

static enum membership_next ask_and_take(struct fixture *fixture, const struct dir_entry *user, struct dir_entry *entry)
{
	enum membership_next next = lookup_by_token(&fixture->lookup, user, 0);

	if (next != MEMBERSHIP_ASK)
		return next;
	answer(fixture, entry);
	return lookup_by_token(&fixture->lookup, user, 0);
}

static void lookup_by_token__no_memory__is_unknown(void **state)
{
	static const char *const token[] = {SID("1")};
	struct fixture *fixture = *state;
	const struct dir_entry *user = build_entry(fixture->arena, ALICE, ID);
	struct dir_entry *entry = token_entry(fixture, token, 1);
	size_t n = 1;

	for (;; n++) {
		struct arena *arena = arena_new(ARENA_BYTES);
		enum membership_next next;
		size_t count;

		fixture->lookup.arena = arena;
		fixture->lookup.asked = 0;
		memory_fail_at(n);
		next = ask_and_take(fixture, user, entry);
		count = memory_fail_count();
		memory_fail_at(0);
		if (fixture->lookup.search_count > 0)
			dir_search_done(&fixture->lookup.searches[0]);
		fixture->lookup.search_count = 0;
		fixture->lookup.searches = fixture->lookup.first;
		arena_free(&arena);
		assert_int_equal(next, count < n ? MEMBERSHIP_DONE : MEMBERSHIP_UNKNOWN);
		if (count < n)
			break;
		assert_int_equal(fixture->lookup.error.status, STATUS_NO_MEMORY);
	}
	assert_true(n > 2);
}

#define LOOKUP_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    LOOKUP_TEST(lookup_by_sid__what_an_entry_shows__is_counted),
	    LOOKUP_TEST(lookup_by_sid__what_is_not_shown_or_not_understood__is_unknown),
	    LOOKUP_TEST(lookup_by_sid__more_groups_than_there_can_be__is_unknown),
	    LOOKUP_TEST(lookup_by_sid__no_memory__is_unknown),
	    LOOKUP_TEST(lookup_needs_tokens__forests__only_of_several_domains),
	    LOOKUP_TEST(lookup_by_token__the_answer__is_the_groups_of_the_token),
	    LOOKUP_TEST(lookup_by_token__in_no_configured_group__is_no),
	    LOOKUP_TEST(lookup_by_token__what_is_not_shown_or_not_understood__is_unknown),
	    LOOKUP_TEST(lookup_take_token__an_arena_that_is_full__has_no_memory),
	    LOOKUP_TEST(lookup_by_token__no_memory__is_unknown),
	};

	return cmocka_run_group_tests_name("lookup_sids", tests, NULL, NULL);
}
