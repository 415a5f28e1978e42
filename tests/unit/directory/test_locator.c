/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <directory/dir_locator.h>
#include <os/clock.h>
#include <os/thread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <support/dir_locate_fake.h>
#include <support/memory_failing.h>

#define DOMAIN      "corp.example"
#define PATIENCE_MS 20000

#define await(condition)                                                                                               \
	do {                                                                                                           \
		const uint64_t await_end = clock_monotonic_ms() + PATIENCE_MS;                                         \
		while (!(condition) && clock_monotonic_ms() < await_end)                                               \
			thread_pause(1);                                                                               \
		assert_true(condition);                                                                                \
	} while (0)

struct rig {
	const char *uris[2];
	const char *domains[2];
	struct config_directory directory;
	struct dir_locator_tuning tuning;
	struct log log;
	atomic_uint warnings, infos;
	struct dir_locator *locator;
	struct dir_locator_listener listener;
	atomic_uint passes;
};

static void count_lines(void *context, enum log_level level, const char *line)
{
	struct rig *rig = context;

	(void)line;
	atomic_fetch_add(level == LOG_LEVEL_WARNING ? &rig->warnings : &rig->infos, 1);
}

static void count_pass(void *context)
{
	atomic_fetch_add(&((struct rig *)context)->passes, 1);
}

static void rig_init(struct rig *rig, const char *uri)
{
	memset(rig, 0, sizeof(*rig));
	dir_locate_fake_reset();
	rig->uris[0] = uri;
	rig->domains[0] = DOMAIN;
	rig->uris[1] = "ldap://other.example:389";
	rig->directory.uris = rig->uris;
	rig->directory.uri_domains = rig->domains;
	rig->directory.uri_count = 1;
	rig->log = (struct log){.level = LOG_LEVEL_INFO, .write = count_lines, .context = rig};
	rig->tuning = (struct dir_locator_tuning){.refresh_least_ms = 20,
						  .refresh_most_ms = 60000,
						  .backoff_first_ms = 5,
						  .backoff_last_ms = 20,
						  .hurry_ms = 5};
}

static void rig_open(struct rig *rig)
{
	struct error error;

	rig->listener = (struct dir_locator_listener){.passed = count_pass, .context = rig};
	assert_status(dir_locator_open(&rig->directory, &rig->log, &rig->tuning, &rig->locator, &error), STATUS_OK,
		      &error);
	dir_locator_listen(rig->locator, &rig->listener);
}

static void rig_done(struct rig *rig)
{
	dir_locator_unlisten(rig->locator, &rig->listener);
	dir_locator_close(&rig->locator);
}

/* The first server; NULL: there is none. The text lives in the rig's own copy. */
static const char *first_of(struct rig *rig, char *out, size_t size)
{
	bool has_failed;
	struct dir_servers *servers = dir_locator_servers(rig->locator, &has_failed);

	if (servers == NULL)
		return NULL;
	(void)snprintf(out, size, "%s", dir_servers_uri(servers, 0));
	dir_servers_unref(&servers);
	return out;
}

static bool has_first(struct rig *rig, const char *uri)
{
	char text[256];
	const char *first = first_of(rig, text, sizeof(text));

	return first != NULL && strcmp(first, uri) == 0;
}

static bool has_failed(struct rig *rig)
{
	bool failed;
	struct dir_servers *servers = dir_locator_servers(rig->locator, &failed);

	dir_servers_unref(&servers);
	return failed;
}

static size_t count_of(struct rig *rig)
{
	bool failed;
	struct dir_servers *servers = dir_locator_servers(rig->locator, &failed);
	const size_t count = servers != NULL ? dir_servers_count(servers) : 0;

	dir_servers_unref(&servers);
	return count;
}

static void open__dns_hangs__is_locating_and_stops_at_once(void **state)
{
	struct rig rig;
	uint64_t began_ms;

	(void)state;
	rig_init(&rig, "ldap:///");
	dir_locate_fake_hang(DOMAIN);
	rig_open(&rig);
	await(dir_locate_fake_count(DOMAIN) == 1);

	assert_false(has_failed(&rig));
	assert_int_equal(count_of(&rig), 0);

	began_ms = clock_monotonic_ms();
	rig_done(&rig);
	assert_true(clock_monotonic_ms() - began_ms < 5000);
}

static void servers__found_then_changed__are_told(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, "ldap:///");
	dir_locate_fake_answer(DOMAIN, 0, "ldap://a.corp.example:389", "ldap://b.corp.example:389", NULL);
	rig_open(&rig);
	await(has_first(&rig, "ldap://a.corp.example:389"));
	assert_int_equal(count_of(&rig), 2);
	await(atomic_load(&rig.passes) > 3);
	assert_int_equal(atomic_load(&rig.infos), 1); /* news are told once */

	dir_locate_fake_answer(DOMAIN, 0, "ldap://c.corp.example:389", NULL);
	await(has_first(&rig, "ldap://c.corp.example:389"));
	assert_int_equal(atomic_load(&rig.infos), 2);
	assert_int_equal(atomic_load(&rig.warnings), 0);
	rig_done(&rig);
}

static void servers__of_several_uris__stand_in_their_order_once(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, "ldap:///");
	rig.directory.uri_count = 2;
	dir_locate_fake_answer(DOMAIN, 60, "ldap://a.corp.example:389", "LDAP://OTHER.example:389", NULL);
	rig_open(&rig);
	await(count_of(&rig) == 2);
	assert_true(has_first(&rig, "ldap://a.corp.example:389"));
	rig_done(&rig);
}

static void servers__one_uri_fails__the_other_is_used(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, "ldap:///");
	rig.directory.uri_count = 2;
	dir_locate_fake_fail(DOMAIN, STATUS_TIMEOUT);
	rig_open(&rig);
	await(has_first(&rig, "ldap://other.example:389"));
	assert_false(has_failed(&rig));
	rig_done(&rig);
}

static void failure__without_servers__is_said_and_tried_again(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, "ldap:///");
	dir_locate_fake_fail(DOMAIN, STATUS_TIMEOUT);
	rig_open(&rig);
	await(has_failed(&rig));
	await(dir_locate_fake_count(DOMAIN) > 4);
	assert_int_equal(atomic_load(&rig.warnings), 1);

	dir_locate_fake_answer(DOMAIN, 60, "ldap://a.corp.example:389", NULL);
	await(has_first(&rig, "ldap://a.corp.example:389"));
	assert_false(has_failed(&rig));
	rig_done(&rig);
}

static void failure__with_servers__keeps_them(void **state)
{
	static const enum status why[] = {STATUS_TIMEOUT, STATUS_NOT_FOUND, STATUS_REFUSED, STATUS_INVALID,
					  STATUS_UNREACHABLE};
	struct rig rig;

	(void)state;
	rig_init(&rig, "ldap://corp.example");
	dir_locate_fake_answer(DOMAIN, 0, "ldap://a.corp.example:389", NULL);
	rig_open(&rig);
	await(has_first(&rig, "ldap://a.corp.example:389"));
	for (size_t i = 0; i < COUNT_OF(why); i++) {
		const unsigned passes = atomic_load(&rig.passes);

		dir_locate_fake_fail(DOMAIN, why[i]);
		await(atomic_load(&rig.passes) > passes + 1);
		assert_true(has_first(&rig, "ldap://a.corp.example:389"));
		assert_int_equal(count_of(&rig), 1);
	}
	rig_done(&rig);
}

/* No SRV record, or no DNS at all: a host may be called as its domain. A DNS server that fails proves nothing of the kind. */
static void failure__uri_with_a_host__the_host_stands_in_only_for_want_of_records(void **state)
{
	static const struct {
		enum status why;
		const char *uri;
		bool stands_in;
	} rows[] = {
	    {STATUS_NOT_FOUND, "ldap://corp.example", true}, {STATUS_UNREACHABLE, "ldap://corp.example", true},
	    {STATUS_TIMEOUT, "ldap://corp.example", false},  {STATUS_REFUSED, "ldap://corp.example", false},
	    {STATUS_INVALID, "ldap://corp.example", false},  {STATUS_NOT_FOUND, "ldap:///", false},
	    {STATUS_UNREACHABLE, "ldaps:///", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct rig rig;

		rig_init(&rig, rows[i].uri);
		dir_locate_fake_fail(DOMAIN, rows[i].why);
		rig_open(&rig);
		await(atomic_load(&rig.passes) > 0);
		assert_int_equal(has_first(&rig, rows[i].uri), rows[i].stands_in);
		assert_int_equal(has_failed(&rig), !rows[i].stands_in);
		dir_locate_fake_answer(DOMAIN, 60, "ldap://a.corp.example:389", NULL);
		await(has_first(&rig, "ldap://a.corp.example:389"));
		assert_int_equal(count_of(&rig), 1);
		rig_done(&rig);
	}
}

static void hurry__asks_again_long_before_the_time_to_live_is_over(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, "ldap:///");
	dir_locate_fake_answer(DOMAIN, 3600, "ldap://a.corp.example:389", NULL);
	rig_open(&rig);
	await(has_first(&rig, "ldap://a.corp.example:389"));
	thread_pause(100);
	assert_int_equal(dir_locate_fake_count(DOMAIN), 1);

	dir_locate_fake_answer(DOMAIN, 3600, "ldap://b.corp.example:389", NULL);
	dir_locator_hurry(rig.locator);
	await(has_first(&rig, "ldap://b.corp.example:389"));
	rig_done(&rig);
}

static void site__learnt_once__is_remembered(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, "ldap:///");
	dir_locate_fake_answer(DOMAIN, 3600, "ldap://a.corp.example:389", NULL);
	dir_locate_fake_site(DOMAIN, "HQ", true); /* doubtful: asked again soon, for all its time to live */
	rig_open(&rig);
	await(dir_locate_fake_count(DOMAIN) > 1);
	await(atomic_load(&rig.passes) > 2);
	rig_done(&rig);
	assert_string_equal(dir_locate_fake_known_site(DOMAIN), "HQ");
}

static void open__an_allocation_fails__is_undone(void **state)
{
	struct rig rig;
	struct error error;
	enum status status = STATUS_NO_MEMORY;
	size_t before;

	(void)state;
	rig_init(&rig, "ldap:///");
	dir_locate_fake_hang(DOMAIN);
	before = memory_live_count();
	for (size_t n = 1; status == STATUS_NO_MEMORY && n < 100; n++) {
		memory_fail_at(n);
		status = dir_locator_open(&rig.directory, &rig.log, &rig.tuning, &rig.locator, &error);
		memory_fail_at(0);
		if (status != STATUS_OK) {
			assert_status(status, STATUS_NO_MEMORY, &error);
			assert_null(rig.locator);
			assert_int_equal(memory_live_count(), before);
		}
	}
	assert_status(status, STATUS_OK, &error);
	dir_locator_close(&rig.locator);
	assert_int_equal(memory_live_count(), before);
}

static void pass__no_memory__is_a_failure_and_passes(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, "ldap:///");
	dir_locate_fake_answer(DOMAIN, 0, "ldap://a.corp.example:389", NULL);
	rig_open(&rig);
	await(has_first(&rig, "ldap://a.corp.example:389"));

	dir_locate_fake_answer(DOMAIN, 0, "ldap://b.corp.example:389", NULL);
	memory_fail_from(1);
	const unsigned passes = atomic_load(&rig.passes);

	await(atomic_load(&rig.passes) > passes + 2);
	assert_true(has_first(&rig, "ldap://a.corp.example:389"));
	memory_fail_from(0);
	await(has_first(&rig, "ldap://b.corp.example:389"));
	rig_done(&rig);
}

static void find__waits_for_the_first_pass(void **state)
{
	struct dir_servers *servers = NULL;
	struct rig rig;
	struct error error;

	(void)state;
	rig_init(&rig, "ldap:///");
	dir_locate_fake_answer(DOMAIN, 60, "ldap://a.corp.example:389", NULL);
	assert_status(dir_locator_find(&rig.directory, NULL, clock_monotonic_ms() + PATIENCE_MS, &servers, &error),
		      STATUS_OK, &error);
	assert_string_equal(dir_servers_uri(servers, 0), "ldap://a.corp.example:389");
	dir_servers_unref(&servers);

	dir_locate_fake_fail(DOMAIN, STATUS_REFUSED);
	assert_status(dir_locator_find(&rig.directory, NULL, clock_monotonic_ms() + PATIENCE_MS, &servers, &error),
		      STATUS_REFUSED, &error);
	assert_non_null(strstr(error.what, DOMAIN));
	dir_locate_fake_hang(DOMAIN);
	assert_status(dir_locator_find(&rig.directory, NULL, clock_monotonic_ms() + 50, &servers, &error),
		      STATUS_TIMEOUT, &error);

	rig.domains[0] = NULL;
	assert_status(dir_locator_find(&rig.directory, NULL, 0, &servers, &error), STATUS_OK, &error);
	assert_string_equal(dir_servers_uri(servers, 0), "ldap:///");
	dir_servers_unref(&servers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(open__dns_hangs__is_locating_and_stops_at_once),
	    cmocka_unit_test(servers__found_then_changed__are_told),
	    cmocka_unit_test(servers__of_several_uris__stand_in_their_order_once),
	    cmocka_unit_test(servers__one_uri_fails__the_other_is_used),
	    cmocka_unit_test(failure__without_servers__is_said_and_tried_again),
	    cmocka_unit_test(failure__with_servers__keeps_them),
	    cmocka_unit_test(failure__uri_with_a_host__the_host_stands_in_only_for_want_of_records),
	    cmocka_unit_test(hurry__asks_again_long_before_the_time_to_live_is_over),
	    cmocka_unit_test(site__learnt_once__is_remembered),
	    cmocka_unit_test(open__an_allocation_fails__is_undone),
	    cmocka_unit_test(pass__no_memory__is_a_failure_and_passes),
	    cmocka_unit_test(find__waits_for_the_first_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
