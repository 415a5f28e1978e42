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
	enum redirect_place place = redirect_place_of(map, user, member, user_id, &site, &uri);

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
	assert_false(redirect_attribute_may_be_self_written("departmentNumber"));
	assert_false(redirect_attribute_may_be_self_written("company"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(redirect_place_of__values__lead_to_the_first_site_in_document_order),
	    cmocka_unit_test(redirect_place_of__deny_unmapped__tells_absent_and_unknown_values),
	    cmocka_unit_test(redirect_place_of__several_uris__spread_users_and_move_few),
	    cmocka_unit_test(redirect_attribute_may_be_self_written__known_names__yes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
