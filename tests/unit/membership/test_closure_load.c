/* SPDX-License-Identifier: Apache-2.0 */
/* What the scenarios cannot show of a load: servers that take turns, and contextCSN as real databases have it. */
#include <membership/closure_load.h>

#include <base/compiler.h>
#include <identity/dn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/assertions.h>
#include <support/dir_pool_fake.h>
#include <support/executor_manual.h>
#include <support/fake_directory_private.h>
#include <support/fake_text.h>
#include <support/memory_failing.h>

#define OPS   "cn=ops,ou=groups,dc=x"
#define ALICE "uid=alice,ou=people,dc=x"
#define CSN   "20260101000000.%06uZ#000000#%03u#000000"

static const char *const names[] = {OPS};

struct fixture {
	struct fake_directory *directory;
	const struct config *config;
	struct executor *executor;
	struct dir_pool *pool;
	char *pins[1];

	void (*on_search)(struct fixture *fixture, const struct dir_search *search);
	unsigned lists, reads;

	unsigned done;
	enum status status;
	bool alice, has_csn, stands_still, is_doubtful;
	char csn[128];
};

static bool wants(const struct dir_search *search, const char *attribute)
{
	for (size_t i = 0; search->attributes[i] != NULL; i++)
		if (strcmp(search->attributes[i], attribute) == 0)
			return true;
	return false;
}

static void see(void *context, const struct dir_search *search)
{
	struct fixture *fixture = context;

	fixture->lists += search->page_size > 0;
	fixture->reads += wants(search, "member");
	if (fixture->on_search != NULL)
		fixture->on_search(fixture, search);
}

/* contextCSN as the server shows it from now on, whatever was written. */
static void show_csns(struct fixture *fixture, unsigned first, unsigned second)
{
	struct fake_entry *suffix = &fixture->directory->entries[0];

	for (size_t i = 0; i < suffix->count; i++) {
		struct fake_attribute *attribute = &suffix->attributes[i];

		if (strcmp(attribute->name, "contextCSN") != 0)
			continue;
		while (attribute->count > 0) {
			attribute->count--;
			free(attribute->values[attribute->count].data);
			free(attribute->values[attribute->count].key);
		}
		attribute->values =
		    fake_reserve(attribute->values, &attribute->capacity, 2, sizeof(*attribute->values));
		attribute->count = second == 0 ? 1 : 2;
		attribute->values[0].data = fake_format(CSN, first, second == 0 ? 0U : 1U);
		attribute->values[1].data = fake_format(CSN, second, 2U);
		for (size_t k = 0; k < 2; k++) {
			attribute->values[k].length = strlen(attribute->values[k].data);
			attribute->values[k].key = fake_copy(attribute->values[k].data, attribute->values[k].length);
		}
		if (second == 0) {
			free(attribute->values[1].data);
			free(attribute->values[1].key);
		}
	}
}

static void add(struct fixture *fixture, const char *dn, const char *object_class)
{
	assert_true(fake_directory_add(fixture->directory, dn));
	assert_true(fake_directory_gain(fixture->directory, dn, "objectClass", object_class));
}

static int set_up(void **state)
{
	static const char policy[] =
	    "<wsmauthz xmlns=\"urn:wsmauthz:policy:1\"><directory uri=\"ldap://dc1.x\" base=\"dc=x\" timeout=\"3s\" "
	    "domain=\"CORP\"><bind mechanism=\"anonymous\"/><tls mode=\"none\"/></directory>"
	    "<allow group=\"" OPS "\"/></wsmauthz>";
	static const struct log silent = {.level = LOG_LEVEL_ERROR, .write = NULL};
	struct fixture *fixture = fake_new(1, sizeof(*fixture));
	struct error error;

	assert_int_equal(config_parse(policy, strlen(policy), "policy.xml", &fixture->config, &error), STATUS_OK);
	fixture->directory = fake_directory_new("dc=x");
	add(fixture, "ou=groups,dc=x", "organizationalUnit");
	add(fixture, ALICE, "inetOrgPerson");
	add(fixture, OPS, "groupOfNames");
	assert_true(fake_directory_gain(fixture->directory, OPS, "member", "uid=bob,ou=people,dc=x"));
	assert_true(fake_directory_gain(fixture->directory, OPS, "member", "cn=inner,ou=groups,dc=x"));
	add(fixture, "cn=inner,ou=groups,dc=x", "groupOfNames");
	assert_true(fake_directory_gain(fixture->directory, "cn=inner,ou=groups,dc=x", "member", "cn=nobody,dc=x"));
	dir_pool_fake_use(fixture->directory, 10);
	dir_pool_fake_observe(see, fixture);
	assert_int_equal(executor_open("test", &fixture->executor, &error), STATUS_OK);
	assert_int_equal(
	    dir_pool_open(&fixture->config->directories[0], fixture->executor, &silent, &fixture->pool, &error),
	    STATUS_OK);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	dir_pool_stop(fixture->pool);
	executor_close(&fixture->executor);
	dir_pool_close(&fixture->pool);
	fake_directory_free(&fixture->directory);
	config_unref(&fixture->config);
	free(fixture);
	return 0;
}

static void take(void *context, const struct closure_loaded *loaded)
{
	struct fixture *fixture = context;

	fixture->done++;
	fixture->status = loaded->status;
	if (loaded->status != STATUS_OK) {
		assert_non_null(loaded->error);
		assert_null(loaded->closure);
		return;
	}
	fixture->has_csn = loaded->csn != NULL;
	fixture->stands_still = loaded->csn_stands_still;
	fixture->is_doubtful = loaded->csn_is_doubtful;
	(void)snprintf(fixture->csn, sizeof(fixture->csn), "%s", loaded->csn == NULL ? "" : loaded->csn);
	if (closure_index(loaded->closure) != NULL) {
		struct text key;
		size_t count;

		text_init(&key);
		dn_own_key(ALICE, strlen(ALICE), &key);
		(void)member_index_find(closure_index(loaded->closure),
					closure_digest_dn(loaded->closure, text_string(&key), key.length), &count);
		fixture->alice = count > 0;
		text_done(&key);
	}
}

static enum status load(struct fixture *fixture)
{
	static const struct digest_key key = {1, 2};
	const struct closure_plan plan = {.directory = &fixture->config->directories[0],
					  .names = names,
					  .pins = fixture->pins,
					  .root_count = 1,
					  .index_budget_bytes = 65536};
	enum status status;

	fixture->done = fixture->lists = fixture->reads = 0;
	status = closure_load_start(fixture->pool, fixture->executor, &plan, &key, take, fixture);
	if (status != STATUS_OK)
		return status;
	for (unsigned i = 0; i < 200 && fixture->done == 0; i++)
		(void)executor_manual_advance(fixture->executor, 10);
	assert_int_equal(fixture->done, 1);
	return fixture->status;
}

static void closure_load__nothing_changes__reads_once(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(load(fixture), STATUS_OK);
	assert_int_equal(fixture->lists, 1);
	assert_int_equal(fixture->reads, 2);
	assert_true(fixture->has_csn);
	assert_false(fixture->alice);
}

/* The members are read from a server that lags, where Alice still is one; then the first server answers again. */
static void lag_for_one_read(struct fixture *fixture, const struct dir_search *search)
{
	if (wants(search, "member") && fixture->reads == 1) {
		(void)fake_directory_gain(fixture->directory, OPS, "member", ALICE);
		show_csns(fixture, 40, 0);
	} else if (fixture->reads == 1 && strcmp(search->base, "dc=x") != 0) {
		(void)fake_directory_lose(fixture->directory, OPS, "member", ALICE);
		show_csns(fixture, 50, 0);
	}
}

static void closure_load__a_server_that_lags_in_between__reads_again(void **state)
{
	struct fixture *fixture = *state;

	show_csns(fixture, 50, 0);
	fixture->on_search = lag_for_one_read;
	assert_int_equal(load(fixture), STATUS_OK);
	assert_int_equal(fixture->lists, 2);
	assert_false(fixture->alice);
	assert_string_equal(fixture->csn, "20260101000000.000050Z#000000#000#000000");
}

/* From the reading on, the one that lags answers everything: what it has must not pass for the state of the other's mark. */
static void lag_from_now_on(struct fixture *fixture, const struct dir_search *search)
{
	if (wants(search, "member") && fixture->reads == 1) {
		(void)fake_directory_gain(fixture->directory, OPS, "member", ALICE);
		show_csns(fixture, 40, 0);
	}
}

static void closure_load__a_server_that_lags_takes_over__has_its_own_mark(void **state)
{
	struct fixture *fixture = *state;

	show_csns(fixture, 50, 0);
	fixture->on_search = lag_from_now_on;
	assert_int_equal(load(fixture), STATUS_OK);
	assert_int_equal(fixture->lists, 2);
	assert_true(fixture->alice);
	assert_string_equal(fixture->csn, "20260101000000.000040Z#000000#000#000000");
}

/* Two providers, and one of them writes a person while the groups are read. */
static void write_a_person(struct fixture *fixture, const struct dir_search *search)
{
	if (!wants(search, "member") || fixture->reads != 2)
		return;
	(void)fake_directory_gain(fixture->directory, ALICE, "l", "Rome");
	show_csns(fixture, 50, 900);
}

static void closure_load__two_providers_and_a_person_changes__reads_once(void **state)
{
	struct fixture *fixture = *state;

	show_csns(fixture, 50, 60);
	fixture->on_search = write_a_person;
	assert_int_equal(load(fixture), STATUS_OK);
	assert_int_equal(fixture->lists, 1);
	assert_string_equal(fixture->csn,
			    "20260101000000.000050Z#000000#001#000000 20260101000000.000060Z#000000#002#000000");
}

static void write_a_group(struct fixture *fixture, const struct dir_search *search)
{
	if (!wants(search, "member") || fixture->reads != 2)
		return;
	fixture->directory->changes = 800;
	(void)fake_directory_gain(fixture->directory, OPS, "member", ALICE);
	show_csns(fixture, 50, 900);
}

static void closure_load__two_providers_and_a_group_changes__reads_again(void **state)
{
	struct fixture *fixture = *state;

	show_csns(fixture, 50, 60);
	fixture->on_search = write_a_group;
	assert_int_equal(load(fixture), STATUS_OK);
	assert_int_equal(fixture->lists, 2);
	assert_true(fixture->alice);
}

/* A database without syncprov that was loaded with a contextCSN: groups change, and it stands still. */
static void closure_load__a_mark_that_stands_still__is_not_trusted(void **state)
{
	struct fixture *fixture = *state;

	show_csns(fixture, 1, 0);
	assert_int_equal(load(fixture), STATUS_OK);
	assert_false(fixture->has_csn);
	assert_true(fixture->stands_still);
}

static void closure_load__a_server_without_sync__has_a_doubtful_mark(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(load(fixture), STATUS_OK);
	assert_true(fixture->has_csn);
	assert_true(fixture->is_doubtful);
	fake_directory_root(fixture->directory, "supportedControl", "1.3.6.1.4.1.4203.1.9.1.1");
	assert_int_equal(load(fixture), STATUS_OK);
	assert_false(fixture->is_doubtful);
}

static void closure_load__no_memory__fails_without_a_closure(void **state)
{
	struct fixture *fixture = *state;
	size_t failures = 0;

	for (size_t n = 1;; n++) {
		size_t before = memory_live_count();
		enum status status;

		memory_fail_at(n);
		status = load(fixture);
		if (memory_fail_count() < n)
			break;
		memory_fail_at(0);
		failures += status == STATUS_NO_MEMORY;
		/* The executor's own list of timers may have grown. */
		assert_in_range(memory_live_count(), before, before + 1);
	}
	memory_fail_at(0);
	assert_true(failures > 20);
	assert_int_equal(load(fixture), STATUS_OK);
}

#define LOAD_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    LOAD_TEST(closure_load__nothing_changes__reads_once),
	    LOAD_TEST(closure_load__a_server_that_lags_in_between__reads_again),
	    LOAD_TEST(closure_load__a_server_that_lags_takes_over__has_its_own_mark),
	    LOAD_TEST(closure_load__two_providers_and_a_person_changes__reads_once),
	    LOAD_TEST(closure_load__two_providers_and_a_group_changes__reads_again),
	    LOAD_TEST(closure_load__a_mark_that_stands_still__is_not_trusted),
	    LOAD_TEST(closure_load__a_server_without_sync__has_a_doubtful_mark),
	    LOAD_TEST(closure_load__no_memory__fails_without_a_closure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
