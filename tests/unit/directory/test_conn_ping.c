/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a server says that its data are whole; the connection is this file's. */
#include <support/assertions.h>

#include <directory/dir_conn.h>
#include <string.h>
#include <support/entry_builder.h>
#include <support/memory_failing.h>

/* What the next exchange says. */
struct script {
	const char *root_dse; /* NULL: no entry */
	enum dir_outcome outcome;
	enum status status; /* of the connection */
};

static struct script script;

enum status dir_conn_exchange(struct dir_conn *conn, struct dir_turn *turns, size_t count, struct error *error)
{
	struct dir_search *search = turns[0].search;

	assert_null(conn);
	assert_int_equal(count, 1);
	assert_string_equal(search->base, "");
	assert_int_equal(search->scope, DIR_SCOPE_BASE);
	assert_string_equal(search->attributes[0], "isSynchronized");
	assert_null(search->attributes[1]);
	search->outcome = script.outcome;
	if (script.root_dse != NULL) {
		search->entries = build_entry(search->arena, "", script.root_dse);
		search->entry_count = 1;
	}
	return script.status == STATUS_OK ? STATUS_OK : error_set(error, script.status, "as the script says");
}

static void ping__what_servers_say__is_whole_unless_it_is_denied(void **state)
{
	static const struct {
		const char *name;
		struct script script;
		bool is_synchronized;
	} rows[] = {
	    {"a controller", {"isSynchronized=TRUE", DIR_OUTCOME_OK, STATUS_OK}, true},
	    {"another spelling", {"ISSYNCHRONIZED=true", DIR_OUTCOME_OK, STATUS_OK}, true},
	    {"not yet", {"isSynchronized=FALSE", DIR_OUTCOME_OK, STATUS_OK}, false},
	    {"neither", {"isSynchronized=yes", DIR_OUTCOME_OK, STATUS_OK}, false},
	    {"both", {"isSynchronized=TRUE; isSynchronized=FALSE", DIR_OUTCOME_OK, STATUS_OK}, false},
	    {"TRUE and more", {"isSynchronized=TRUEFALSE", DIR_OUTCOME_OK, STATUS_OK}, false},
	    {"OpenLDAP", {"objectClass=top", DIR_OUTCOME_OK, STATUS_OK}, true},
	    {"no root DSE", {NULL, DIR_OUTCOME_OK, STATUS_OK}, true},
	    {"none there", {NULL, DIR_OUTCOME_NO_SUCH_OBJECT, STATUS_OK}, true},
	    {"hidden", {NULL, DIR_OUTCOME_NOT_PERMITTED, STATUS_OK}, true},
	    {"a proxy", {NULL, DIR_OUTCOME_REFERRAL, STATUS_OK}, true},
	    {"not understood", {NULL, DIR_OUTCOME_REFUSED, STATUS_OK}, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		bool is_synchronized = !rows[i].is_synchronized;

		script = rows[i].script;
		assert_row(rows[i].name, dir_conn_ping(NULL, 0, &is_synchronized, NULL) == STATUS_OK);
		assert_row(rows[i].name, is_synchronized == rows[i].is_synchronized);
	}
}

static void ping__no_answer__is_not_a_yes(void **state)
{
	static const struct {
		const char *name;
		struct script script;
		enum status status;
	} rows[] = {
	    {"busy", {NULL, DIR_OUTCOME_BUSY, STATUS_OK}, STATUS_UNREACHABLE},
	    {"limit", {NULL, DIR_OUTCOME_LIMIT, STATUS_OK}, STATUS_UNREACHABLE},
	    {"half an answer", {"isSynchronized=TRUE", DIR_OUTCOME_BUSY, STATUS_OK}, STATUS_UNREACHABLE},
	    {"incomplete", {NULL, DIR_OUTCOME_INCOMPLETE, STATUS_OK}, STATUS_UNREACHABLE},
	    {"late", {NULL, DIR_OUTCOME_TIMEOUT, STATUS_OK}, STATUS_TIMEOUT},
	    {"hung", {NULL, DIR_OUTCOME_TIMEOUT, STATUS_TIMEOUT}, STATUS_TIMEOUT},
	    {"broken", {NULL, DIR_OUTCOME_BAD_CONNECTION, STATUS_UNREACHABLE}, STATUS_UNREACHABLE},
	    {"no memory", {NULL, DIR_OUTCOME_NO_MEMORY, STATUS_OK}, STATUS_NO_MEMORY},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct error error = {.status = STATUS_OK};
		bool is_synchronized = false;

		script = rows[i].script;
		assert_row(rows[i].name, dir_conn_ping(NULL, 0, &is_synchronized, &error) == rows[i].status);
		assert_row(rows[i].name, error.status == rows[i].status && error.what[0] != '\0');
		assert_false(is_synchronized);
	}
}

static void ping__an_allocation_fails__says_so(void **state)
{
	const size_t before = memory_live_count();
	enum status status = STATUS_NO_MEMORY;

	(void)state;
	script = (struct script){NULL, DIR_OUTCOME_OK, STATUS_OK};
	for (size_t nth = 1; status != STATUS_OK; nth++) {
		bool is_synchronized = false;

		assert_in_range(nth, 1, 100);
		memory_fail_at(nth);
		status = dir_conn_ping(NULL, 0, &is_synchronized, NULL);
		assert_int_equal(status, is_synchronized ? STATUS_OK : STATUS_NO_MEMORY);
		assert_int_equal(memory_live_count(), before);
	}
	memory_fail_at(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ping__what_servers_say__is_whole_unless_it_is_denied),
	    cmocka_unit_test(ping__no_answer__is_not_a_yes),
	    cmocka_unit_test(ping__an_allocation_fails__says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
