/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <policy/redirect.h>
#include <stdio.h>
#include <string.h>
#include <support/entry_builder.h>

#define EMEA  "https://emea.example:5986/wsman"
#define APAC1 "https://apac-1.example:5986/wsman"
#define APAC2 "https://apac-2.example:5986/wsman"
#define LAB   "https://lab.example:5986/wsman"

static const char *emea_uris[] = {EMEA};
static const char *apac_uris[] = {APAC1, APAC2};
static const char *lab_uris[] = {LAB};
static const char *here[] = {"AMER"};

static struct config_site sites[] = {
    {.name = "EMEA", .uris = emea_uris, .uri_count = 1},
    {.name = "APAC", .uris = apac_uris, .uri_count = 2},
    {.group = "cn=lab", .uris = lab_uris, .uri_count = 1},
};

static struct config_redirect redirect_map(void)
{
	return (struct config_redirect){
	    .present = true,
	    .attribute = "l",
	    .here = here,
	    .here_count = 1,
	    .sites = sites,
	    .site_count = COUNT_OF(sites),
	};
}

/* Where a user who came to `http_url` is sent to; NULL: he stays. */
static enum redirect_place send(const struct config_redirect *map, const struct dir_entry *user, const bool *member,
				const char *user_id, const char *http_url, const char **uri_out)
{
	size_t site = SIZE_MAX, uri = SIZE_MAX;
	enum redirect_place place = redirect_place_of(map, user, NULL, member, user_id, &site, &uri);

	if (place == REDIRECT_SITE && redirect_is_there(&map->sites[site], http_url))
		return REDIRECT_HERE;
	if (place == REDIRECT_SITE)
		*uri_out = map->sites[site].uris[uri];
	return place;
}

static void redirect_place_of__values__lead_to_the_first_site_in_document_order(void **state)
{
	static const struct {
		const char *attributes;
		bool in_lab;
		const char *http_url, *expected; /* NULL: stays */
	} rows[] = {
	    {"l=EMEA", false, NULL, EMEA},
	    {"l=emea", false, NULL, EMEA},
	    {"l=\tEMEA ", false, NULL, EMEA},
	    {"L=EMEA", false, NULL, EMEA},
	    {"l=AMER", false, NULL, NULL},
	    {"l=MARS", false, NULL, NULL},
	    {"l=EMEA2", false, NULL, NULL},
	    {"l=\xEF\xBC\xA5MEA", false, NULL, NULL}, /* a full-width E is another letter */
	    {"uid=alice", false, NULL, NULL},
	    {"uid=alice", true, NULL, LAB},
	    {"l=EMEA", true, NULL, EMEA},
	    {"l=AMER", true, NULL, LAB},
	    {"l=APAC; l=EMEA", false, NULL, EMEA},
	    {"l=AMER; l=EMEA", false, NULL, EMEA},
	    {"l=MARS; l=AMER", false, NULL, NULL},
	    {"l=EMEA", false, "https://amer.example:5986/wsman?PSVersion=5.1", EMEA},
	    {"l=EMEA", false, "https://emea.example:5986/wsman?PSVersion=5.1", NULL},
	    {"l=EMEA", false, "HTTPS://EMEA.example:5986/other", NULL},
	    {"l=EMEA", false, "https://emea.example/wsman", EMEA},
	    {"l=EMEA", false, "http://emea.example:5986/wsman", EMEA},
	    {"l=EMEA", false, "nonsense", EMEA},
	    {"l=APAC", false, "https://apac-1.example:5986/wsman", NULL},
	    {"l=APAC", false, "https://apac-2.example:5986/wsman", NULL},
	};
	struct config_redirect map = redirect_map();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arena *arena = arena_new(65536);
		const bool member[] = {false, false, rows[i].in_lab};
		const char *uri = NULL;
		enum redirect_place answer = send(&map, build_entry(arena, "uid=alice", rows[i].attributes), member,
						  "id-of-alice", rows[i].http_url, &uri);

		assert_row(rows[i].attributes, answer == (rows[i].expected == NULL ? REDIRECT_HERE : REDIRECT_SITE));
		if (rows[i].expected != NULL)
			assert_string_equal(uri, rows[i].expected);
		arena_free(&arena);
	}
}

static void redirect_place_of__deny_unmapped__tells_absent_and_unknown_values(void **state)
{
	struct config_redirect map = redirect_map();
	struct arena *arena = arena_new(65536);
	const bool member[] = {false, false, false};
	const char *uri = NULL;

	(void)state;
	map.deny_unmapped = true;
	assert_int_equal(send(&map, build_entry(arena, "uid=a", "l=MARS"), member, "id", NULL, &uri),
			 REDIRECT_UNMAPPED);
	assert_int_equal(send(&map, build_entry(arena, "uid=a", "uid=a"), member, "id", NULL, &uri), REDIRECT_UNMAPPED);
	assert_int_equal(send(&map, build_entry(arena, "uid=a", "l=AMER"), member, "id", NULL, &uri), REDIRECT_HERE);
	map.present = false;
	assert_int_equal(send(&map, build_entry(arena, "uid=a", "l=MARS"), member, "id", NULL, &uri), REDIRECT_HERE);
	assert_null(uri);
	arena_free(&arena);
}

static const char *target_of(struct config_site *site, const char *user_id)
{
	struct config_redirect map = {.present = true, .attribute = "l", .sites = site, .site_count = 1};
	struct arena *arena = arena_new(65536);
	const bool member[] = {false};
	const char *uri = NULL;

	assert_int_equal(send(&map, build_entry(arena, "uid=a", "l=X"), member, user_id, NULL, &uri), REDIRECT_SITE);
	arena_free(&arena);
	return uri;
}

static void redirect_place_of__several_uris__spread_users_and_move_few(void **state)
{
	static const char *three[] = {"https://a:1/x", "https://b:1/x", "https://c:1/x"};
	struct config_site whole = {.name = "X", .uris = three, .uri_count = 3};
	struct config_site fewer = {.name = "X", .uris = three, .uri_count = 2};
	size_t counts[3] = {0, 0, 0}, moved = 0;

	(void)state;
	for (int user = 0; user < 3000; user++) {
		const char *before, *after;
		char id[32];

		(void)snprintf(id, sizeof(id), "user-%d", user);
		before = target_of(&whole, id);
		assert_ptr_equal(before, target_of(&whole, id));
		after = target_of(&fewer, id);
		for (size_t i = 0; i < 3; i++)
			counts[i] += before == three[i];
		moved += before != after;
		/* Only the users of the URI that went away move. */
		assert_true(before == after || before == three[2]);
	}
	for (size_t i = 0; i < 3; i++)
		assert_in_range(counts[i], 850, 1150);
	assert_int_equal(moved, counts[2]);
}

static void redirect_attribute_may_be_self_written__known_names__yes(void **state)
{
	(void)state;
	assert_true(redirect_attribute_may_be_self_written("physicaldeliveryofficename"));
	assert_true(redirect_attribute_may_be_self_written("L"));
	assert_true(redirect_attribute_may_be_self_written("msds-cloudExtensionAttribute7"));
	assert_true(redirect_attribute_may_be_self_written("wWWHomePage"));
	assert_false(redirect_attribute_may_be_self_written("departmentNumber"));
	assert_false(redirect_attribute_may_be_self_written("company"));
	assert_false(redirect_attribute_may_be_self_written("extensionAttribute1"));
	assert_false(redirect_attribute_may_be_self_written("msDS-cloud"));
	assert_false(redirect_attribute_may_be_self_written("co"));
}

/* The nearest OU fits, and only that; among what fits the document's order decides. */
static void redirect_place_of__ous__the_nearest_above_the_user_fits(void **state)
{
	static struct config_site tree[] = {
	    {.ou = "OU=EMEA,DC=x", .ou_key = "ou=emea,dc=x", .uris = emea_uris, .uri_count = 1},
	    {.ou = "OU=Lab,OU=EMEA,DC=x", .ou_key = "ou=lab,ou=emea,dc=x", .uris = lab_uris, .uri_count = 1},
	    {.name = "APAC", .uris = &apac_uris[0], .uri_count = 1},
	    {.ou = "OU=Pool\\, East,DC=x", .ou_key = "ou=pool\\, east,dc=x", .uris = &apac_uris[1], .uri_count = 1},
	};
	static const struct {
		const char *user_key, *attributes, *expected; /* NULL: stays */
	} rows[] = {
	    {"cn=a,ou=emea,dc=x", "cn=a", EMEA},
	    {"cn=a,ou=deep,ou=er,ou=emea,dc=x", "cn=a", EMEA},
	    {"cn=a,ou=lab,ou=emea,dc=x", "cn=a", LAB},
	    {"cn=a,ou=x,ou=lab,ou=emea,dc=x", "cn=a", LAB},
	    {"cn=a,ou=pool\\, east,dc=x", "cn=a", APAC2},
	    {"cn=a,ou=pool\\,ou=emea,dc=x", "cn=a", NULL}, /* one RDN: "pool,ou=emea" */
	    {"cn=a,ou=x-emea,dc=x", "cn=a", NULL},
	    {"cn=a,ou=emea,dc=y", "cn=a", NULL},
	    {"ou=emea,dc=x", "cn=a", NULL}, /* the OU itself is in none */
	    {"cn=a,dc=x", "cn=a", NULL},
	    {"dc=x", "cn=a", NULL},
	    {"", "cn=a", NULL},
	    {"cn=a,ou=emea,dc=x", "l=APAC", EMEA},
	    {"cn=a,ou=pool\\, east,dc=x", "l=APAC", APAC1},
	    {"cn=a,ou=other,dc=x", "l=APAC", APAC1},
	};
	const struct config_redirect map = {
	    .present = true, .attribute = "l", .sites = tree, .site_count = COUNT_OF(tree)};
	const struct config_redirect by_name = redirect_map();
	const bool member[COUNT_OF(tree)] = {false};

	(void)state;
	assert_true(redirect_needs_user_key(&map));
	assert_false(redirect_needs_user_key(&by_name));
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arena *arena = arena_new(65536);
		size_t site = SIZE_MAX, uri = SIZE_MAX;
		enum redirect_place place = redirect_place_of(&map, build_entry(arena, "CN=a", rows[i].attributes),
							      rows[i].user_key, member, "id", &site, &uri);

		assert_row(rows[i].user_key, place == (rows[i].expected == NULL ? REDIRECT_HERE : REDIRECT_SITE));
		assert_row(rows[i].user_key,
			   rows[i].expected == NULL || strcmp(tree[site].uris[uri], rows[i].expected) == 0);
		arena_free(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(redirect_place_of__values__lead_to_the_first_site_in_document_order),
	    cmocka_unit_test(redirect_place_of__deny_unmapped__tells_absent_and_unknown_values),
	    cmocka_unit_test(redirect_place_of__several_uris__spread_users_and_move_few),
	    cmocka_unit_test(redirect_place_of__ous__the_nearest_above_the_user_fits),
	    cmocka_unit_test(redirect_attribute_may_be_self_written__known_names__yes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
