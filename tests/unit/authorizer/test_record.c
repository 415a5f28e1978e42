/* SPDX-License-Identifier: Apache-2.0 */
/* Audit records of answers that the engine was not asked for. */
#include <support/assertions.h>

#include <authorizer/engine_private.h>
#include <base/memory.h>
#include <base/text.h>
#include <os/file.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/dir_pool_fake.h>
#include <support/executor_manual.h>
#include <support/fake_directory.h>
#include <support/memory_failing.h>
#include <unistd.h>

struct place {
	struct fake_directory *directory;
	char folder[64];
	char file[96];
};

static int set_up(void **state)
{
	static struct place place;

	(void)snprintf(place.folder, sizeof(place.folder), "/tmp/wsmauthz-test-record-XXXXXX");
	if (mkdtemp(place.folder) == NULL)
		return -1;
	(void)snprintf(place.file, sizeof(place.file), "%s/audit.log", place.folder);
	place.directory = fake_directory_new("dc=x");
	dir_pool_fake_use(place.directory, 1);
	*state = &place;
	return 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;

	fake_directory_free(&place->directory);
	(void)unlink(place->file);
	return rmdir(place->folder);
}

static void ignore_log(void *context, enum wa_log_level level, const char *line)
{
	(void)context;
	(void)level;
	(void)line;
}

static struct wa_engine *open_engine(const struct place *place, bool dry_run)
{
	const struct wa_options options = {.log = {WA_LOG_ERROR, ignore_log, NULL}, .dry_run = dry_run};
	const struct config *config = NULL;
	struct wa_engine *engine = NULL;
	struct error error;
	struct text policy;

	text_init(&policy);
	text_printf(&policy,
		    "<wsmauthz xmlns=\"urn:wsmauthz:policy:1\"><directory uri=\"ldap://dc1.x\" base=\"dc=x\" "
		    "domain=\"CORP\"><bind mechanism=\"anonymous\"/><tls mode=\"none\"/></directory>"
		    "<allow group=\"cn=ops,dc=x\"/><audit to=\"file\" file=\"%s\"/></wsmauthz>",
		    place->file);
	assert_status(config_parse(text_string(&policy), policy.length, "policy.xml", &config, &error), STATUS_OK,
		      &error);
	assert_status(engine_open_with(config, &options, &engine, &error), STATUS_OK, &error);
	(void)executor_manual_advance_all(1000);
	config_unref(&config);
	text_done(&policy);
	return engine;
}

static void record(struct wa_engine *engine)
{
	const struct wa_question question = {
	    .kind = WA_KIND_OPERATION, .sender = "CORP\\ali\nce", .sender_length = 11, .mechanism = "Basic"};
	const struct wa_decision decision = {
	    .verdict = WA_DENY, .reason = WA_REASON_NO_TOKEN, .code = 5, .detail = "the sender came without a token"};

	wa_engine_record(engine, &question, &decision);
	(void)executor_manual_advance_all(1);
}

static size_t count_lines(const char *text)
{
	size_t lines = 0;

	for (; *text != '\0'; text++)
		lines += *text == '\n';
	return lines;
}

static void wa_engine_record__a_refusal__is_one_line(void **state)
{
	const struct place *place = *state;
	struct wa_engine *engine = open_engine(place, false);
	char *audit = NULL;
	size_t length;

	record(engine);
	wa_engine_close(&engine);
	assert_status(file_read_trusted(place->file, 10000, &audit, &length, NULL), STATUS_OK, NULL);
	assert_int_equal(count_lines(audit), 1);
	assert_contains(audit, "\"sender\":\"CORP\\\\ali\\u000ace\"");
	assert_contains(audit, "\"kind\":\"operation\"");
	assert_contains(audit, "\"verdict\":\"deny\",\"reason\":\"no-token\",\"code\":5");
	assert_contains(audit, "\"detail\":\"the sender came without a token\"");
	memory_free(audit);
}

static void wa_engine_record__dry_run__leaves_no_trace(void **state)
{
	const struct place *place = *state;
	struct wa_engine *engine = open_engine(place, true);

	record(engine);
	wa_engine_close(&engine);
	assert_int_equal(access(place->file, F_OK), -1);
}

static void wa_engine_record__no_memory__loses_the_line_and_nothing_else(void **state)
{
	const struct place *place = *state;
	struct wa_engine *engine = open_engine(place, false);
	size_t before, tries = 0;
	char *audit = NULL;
	size_t length;

	record(engine); /* the audit's own line is as long as it will be */
	audit_drain(engine_regime(engine)->audit);
	before = memory_live_count();
	for (size_t n = 1;; n++) {
		size_t asked;

		memory_fail_at(n);
		record(engine);
		asked = memory_fail_count();
		memory_fail_at(0);
		audit_drain(engine_regime(engine)->audit);
		assert_int_equal(memory_live_count(), before);
		if (asked < n)
			break;
		tries++;
	}
	assert_true(tries >= 2);
	wa_engine_close(&engine);
	assert_status(file_read_trusted(place->file, 10000, &audit, &length, NULL), STATUS_OK, NULL);
	assert_int_equal(count_lines(audit), 2);
	memory_free(audit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(wa_engine_record__a_refusal__is_one_line, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(wa_engine_record__dry_run__leaves_no_trace, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(wa_engine_record__no_memory__loses_the_line_and_nothing_else, set_up,
					    tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
