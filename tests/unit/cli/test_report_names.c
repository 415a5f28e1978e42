/* SPDX-License-Identifier: Apache-2.0 */
#include "report_rig.h"

#include <base/sid.h>
#include <cli/report_names.h>
#include <support/entry_builder.h>
#include <support/memory_failing.h>

#define SID "S-1-5-21-1-2-3-1104"

static const struct dir_domain home = {.dns_name = "corp.example", .netbios_name = "CORP"};
static const struct dir_forest forest = {.kind = DIR_KIND_AD, .domains = &home, .domain_count = 1, .home = &home};

struct fixture {
	const struct config *config;
	struct config_directory directory;
	struct arena *arena;
	struct report_names names;
};

static int set_up(void **state)
{
	static struct fixture fixture;

	fixture.config = rig_policy();
	fixture.directory = fixture.config->directories[0];
	fixture.arena = arena_new(1 << 20);
	assert_non_null(fixture.arena);
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	arena_free(&fixture->arena);
	config_unref(&fixture->config);
	return 0;
}

static void name(struct fixture *fixture, const struct dir_forest *its_forest, const struct dir_entry *user)
{
	assert_int_equal(
	    report_names_of(fixture->config, &fixture->directory, its_forest, user, fixture->arena, &fixture->names),
	    STATUS_OK);
}

static struct dir_entry *with_sid(struct fixture *fixture, struct dir_entry *entry)
{
	struct dir_attribute *attributes =
	    arena_alloc_array(fixture->arena, entry->attribute_count + 1, sizeof(*attributes));
	struct dir_value *value = arena_alloc(fixture->arena, sizeof(*value));
	uint8_t *binary = arena_alloc(fixture->arena, SID_BINARY_BYTES);
	struct sid sid;

	assert_true(sid_parse_text(SID, strlen(SID), &sid));
	*value = (struct dir_value){(const char *)binary, sid_encode(&sid, binary)};
	if (entry->attribute_count > 0)
		memcpy(attributes, entry->attributes, entry->attribute_count * sizeof(*attributes));
	attributes[entry->attribute_count] = (struct dir_attribute){"objectSid", value, 1};
	entry->attributes = attributes;
	entry->attribute_count++;
	return entry;
}

static void as_active_directory(struct fixture *fixture, enum config_identity identity)
{
	fixture->directory.user_name_attribute = "sAMAccountName";
	fixture->directory.user_upn_attribute = "userPrincipalName";
	fixture->directory.domain_count = 0;
	fixture->directory.identity = identity;
}

static void assert_names(const struct fixture *fixture, const char *const *senders, size_t count)
{
	assert_int_equal(fixture->names.count, count);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(fixture->names.names[i].sender, senders[i]);
}

static void report_names_of__openldap__usual_name_first(void **state)
{
	static const char *const senders[] = {"CORP\\alice",    "alice",  "alice@corp.example",
					      "CORP\\asmith",   "asmith", "asmith@corp.example",
					      "al@corp.example"};
	struct fixture *fixture = *state;

	fixture->directory.user_upn_attribute = "mail";
	name(fixture, NULL,
	     build_entry(fixture->arena, "uid=alice,dc=x", "uid=alice; uid=asmith; mail=al@corp.example"));
	assert_names(fixture, senders, COUNT_OF(senders));
	assert_null(fixture->names.names[0].token_sid);
}

static void report_names_of__no_name__has_none(void **state)
{
	struct fixture *fixture = *state;

	name(fixture, NULL, build_entry(fixture->arena, "cn=alice,dc=x", "cn=alice"));
	assert_int_equal(fixture->names.count, 0);
	assert_false(fixture->names.is_no_user);
}

static void report_names_of__more_names_than_anybody_has__some(void **state)
{
	struct fixture *fixture = *state;
	struct text text;

	text_init(&text);
	for (int i = 0; i < 15; i++) /* three of each */
		text_printf(&text, "uid=n%d; ", i);
	name(fixture, NULL, build_entry(fixture->arena, "cn=alice,dc=x", text_string(&text)));
	assert_int_equal(fixture->names.count, REPORT_MAX_NAMES);
	text_done(&text);
}

static void report_names_of__active_directory__is_known_by_the_token(void **state)
{
	static const char *const senders[] = {"CORP\\alice"};
	struct fixture *fixture = *state;

	as_active_directory(fixture, CONFIG_IDENTITY_TOKEN);
	name(fixture, &forest,
	     with_sid(fixture, build_entry(fixture->arena, "CN=Alice,dc=x",
					   "sAMAccountName=alice; userPrincipalName=alice@corp.example")));
	assert_names(fixture, senders, COUNT_OF(senders));
	assert_string_equal(fixture->names.names[0].token_sid, SID);
	assert_false(fixture->names.names[0].is_sid);
}

static void report_names_of__active_directory_by_name__is_known_by_it(void **state)
{
	struct fixture *fixture = *state;

	as_active_directory(fixture, CONFIG_IDENTITY_NAME);
	name(fixture, &forest,
	     with_sid(fixture, build_entry(fixture->arena, "CN=Alice,dc=x",
					   "sAMAccountName=alice; userPrincipalName=al@other.example")));
	assert_string_equal(fixture->names.names[0].sender, "CORP\\alice");
	assert_null(fixture->names.names[0].token_sid);
	assert_string_equal(fixture->names.names[fixture->names.count - 1].sender, "al@other.example");
}

static void report_names_of__foreign_principal__is_its_sid(void **state)
{
	static const char *const senders[] = {SID};
	struct fixture *fixture = *state;

	as_active_directory(fixture, CONFIG_IDENTITY_TOKEN);
	name(fixture, &forest,
	     with_sid(fixture, build_entry(fixture->arena, "CN=" SID ",dc=x", "objectClass=foreignSecurityPrincipal")));
	assert_names(fixture, senders, COUNT_OF(senders));
	assert_true(fixture->names.names[0].is_sid);
}

static void report_names_of__nth_allocation_fails__is_told(void **state)
{
	struct fixture *fixture = *state;
	struct dir_entry *user = build_entry(fixture->arena, "uid=alice,dc=x", "uid=alice");
	enum status status = STATUS_NO_MEMORY;

	for (size_t nth = 1; status == STATUS_NO_MEMORY; nth++) {
		struct arena *arena = arena_new(1 << 16);

		assert_non_null(arena);
		memory_fail_at(nth);
		status = report_names_of(fixture->config, &fixture->directory, NULL, user, arena, &fixture->names);
		memory_fail_at(0);
		arena_free(&arena);
	}
	assert_int_equal(status, STATUS_OK);
}

#define NAMED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    NAMED(report_names_of__openldap__usual_name_first),
	    NAMED(report_names_of__no_name__has_none),
	    NAMED(report_names_of__more_names_than_anybody_has__some),
	    NAMED(report_names_of__active_directory__is_known_by_the_token),
	    NAMED(report_names_of__active_directory_by_name__is_known_by_it),
	    NAMED(report_names_of__foreign_principal__is_its_sid),
	    NAMED(report_names_of__nth_allocation_fails__is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
