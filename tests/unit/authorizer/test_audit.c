/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <authorizer/audit.h>
#include <authorizer/audit_repeats.h>
#include <base/memory.h>
#include <os/file.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/executor_manual.h>
#include <support/memory_failing.h>
#include <unistd.h>

#define ALICE "CORP\\alice"

struct place {
	char folder[64];
	char file[96], old[128];
	struct executor *executor;
	struct audit_counts counts;
	struct audit *audit;
	unsigned errors; /* log lines */
	char last[512];
};

static void keep_line(void *context, enum log_level level, const char *line)
{
	struct place *place = context;

	(void)level;
	place->errors++;
	(void)snprintf(place->last, sizeof(place->last), "%s", line);
}

static int make_place(void **state)
{
	static struct place place;

	memset(&place, 0, sizeof(place));
	(void)snprintf(place.folder, sizeof(place.folder), "/tmp/wsmauthz-test-audit-XXXXXX");
	if (mkdtemp(place.folder) == NULL)
		return -1;
	(void)snprintf(place.file, sizeof(place.file), "%s/audit.log", place.folder);
	(void)snprintf(place.old, sizeof(place.old), "%s.1", place.file);
	*state = &place;
	return executor_open("test", &place.executor, NULL) == STATUS_OK ? 0 : -1;
}

static int remove_place(void **state)
{
	struct place *place = *state;

	executor_close(&place->executor);
	(void)unlink(place->file);
	(void)unlink(place->old);
	return rmdir(place->folder);
}

static struct log log_of(struct place *place)
{
	return (struct log){.level = LOG_LEVEL_DEBUG, .write = keep_line, .context = place};
}

static const struct log *the_log(struct place *place)
{
	static struct log log;

	log = log_of(place);
	return &log;
}

static void open_audit(struct place *place, const char *path)
{
	const struct config config = {.path = "policy.xml", .audit = {CONFIG_AUDIT_FILE, path}};
	struct error error = {.status = STATUS_OK};

	assert_status(audit_open(&config, place->executor, the_log(place), &place->counts, &place->audit, &error),
		      STATUS_OK, &error);
}

struct writing {
	struct audit *audit;
	struct wa_question question;
	struct wa_decision decision;
	unsigned times;
};

static void write_some(void *context)
{
	const struct writing *writing = context;

	for (unsigned i = 0; i < writing->times; i++)
		audit_write(writing->audit, &writing->question, &writing->decision);
}

static void deny(const struct place *place, const char *sender, enum wa_reason reason, unsigned times)
{
	struct writing writing = {
	    .audit = place->audit,
	    .question = {.kind = WA_KIND_USER, .sender = sender, .sender_length = strlen(sender), .mechanism = "Basic"},
	    .decision = {.verdict = WA_DENY, .reason = reason, .code = 5},
	    .times = times,
	};

	executor_manual_call(place->executor, write_some, &writing);
}

static void end(void *context)
{
	audit_end(context);
}

static void close_audit(struct place *place)
{
	executor_manual_call(place->executor, end, place->audit);
	audit_drain(place->audit);
	audit_close(&place->audit);
}

static char *read_lines(const char *path, size_t *count_out)
{
	char *data = NULL;
	size_t length = 0;

	*count_out = 0;
	assert_status(file_read_trusted(path, 100000000, &data, &length, NULL), STATUS_OK, NULL);
	for (const char *at = data; (at = strchr(at, '\n')) != NULL; at++)
		++*count_out;
	return data;
}

static void assert_lines(const struct place *place, const char *path, size_t wanted, const char *contained)
{
	size_t count;
	char *data;

	audit_drain(place->audit);
	data = read_lines(path, &count);
	assert_int_equal(count, wanted);
	if (contained != NULL)
		assert_contains(data, contained);
	memory_free(data);
}

static void audit_write__the_same_again_and_again__is_counted(void **state)
{
	struct place *place = *state;

	open_audit(place, place->file);
	deny(place, ALICE, WA_REASON_DENIED_GROUP, AUDIT_REPEATS_BURST + 1000);
	assert_lines(place, place->file, AUDIT_REPEATS_BURST, NULL);
	/* Others are not the same. */
	deny(place, ALICE, WA_REASON_NOT_A_MEMBER, 1);
	deny(place, "CORP\\bob", WA_REASON_DENIED_GROUP, 1);
	assert_lines(place, place->file, AUDIT_REPEATS_BURST + 2, NULL);
	(void)executor_manual_advance_all(AUDIT_REPEATS_MS - 1);
	assert_lines(place, place->file, AUDIT_REPEATS_BURST + 2, NULL);
	(void)executor_manual_advance_all(1);
	assert_lines(place, place->file, AUDIT_REPEATS_BURST + 3,
		     "\"kind\":\"repeats\",\"sender\":\"CORP\\\\alice\",\"of\":\"user\",\"verdict\":\"deny\","
		     "\"reason\":\"denied-group\",\"count\":1000,\"seconds\":60}");
	/* From then on as at first. */
	deny(place, ALICE, WA_REASON_DENIED_GROUP, AUDIT_REPEATS_BURST + 7);
	assert_lines(place, place->file, 2 * AUDIT_REPEATS_BURST + 3, NULL);
	close_audit(place);
	assert_lines(place, place->file, 2 * AUDIT_REPEATS_BURST + 4, "\"count\":7,");
	assert_int_equal(place->counts.lines, 2 * AUDIT_REPEATS_BURST + 4);
	assert_int_equal(place->errors, 0);
}

/* A count is never lost: also when another record takes its place in the table. */
static void audit_write__more_senders_than_places__counts_are_whole(void **state)
{
	struct place *place = *state;
	const unsigned senders = 3 * AUDIT_REPEATS_SLOTS;
	unsigned long long counted = 0;
	size_t lines, repeats = 0;
	char *data;

	open_audit(place, place->file);
	for (unsigned i = 0; i < senders; i++) {
		char sender[32];

		(void)snprintf(sender, sizeof(sender), "CORP\\u%u", i);
		deny(place, sender, WA_REASON_NOT_A_MEMBER, AUDIT_REPEATS_BURST + 2);
		if (i % 64 == 0) /* what waits has a bound, and the disk may be busy */
			audit_drain(place->audit);
	}
	close_audit(place);
	assert_int_equal(place->counts.lost, 0);
	data = read_lines(place->file, &lines);
	for (const char *at = data; (at = strstr(at, "\"count\":")) != NULL; at++, repeats++)
		counted += strtoull(at + strlen("\"count\":"), NULL, 10);
	assert_int_equal(counted, 2 * senders);
	assert_int_equal(lines, AUDIT_REPEATS_BURST * senders + repeats);
	memory_free(data);
}

static void audit_write__the_file_was_rotated__goes_on_in_a_new_one(void **state)
{
	struct place *place = *state;

	open_audit(place, place->file);
	deny(place, ALICE, WA_REASON_DENIED_GROUP, 2);
	audit_drain(place->audit);
	assert_int_equal(rename(place->file, place->old), 0);
	deny(place, ALICE, WA_REASON_DENIED_GROUP, 3);
	assert_lines(place, place->old, 2, NULL);
	assert_lines(place, place->file, 3, NULL);
	assert_int_equal(unlink(place->file), 0);
	deny(place, ALICE, WA_REASON_DENIED_GROUP, 1);
	assert_lines(place, place->file, 1, NULL);
	close_audit(place);
	assert_int_equal(place->counts.lines, 6);
	assert_int_equal(place->counts.lost, 0);
}

static void audit_write__the_disk_is_full__is_counted_and_told_once(void **state)
{
	struct place *place = *state;

	if (access("/dev/full", W_OK) != 0)
		skip();
	open_audit(place, "/dev/full");
	deny(place, ALICE, WA_REASON_DENIED_GROUP, 5);
	audit_drain(place->audit);
	assert_int_equal(place->counts.lost, 5);
	assert_int_equal(place->counts.lines, 0);
	assert_int_equal(place->errors, 1);
	assert_contains(place->last, "audit lines are being lost");
	close_audit(place);
	assert_int_equal(place->errors, 2);
	assert_contains(place->last, "5 audit lines could not be written");
}

static void audit_write__hostile_sender__stays_one_line(void **state)
{
	struct place *place = *state;

	open_audit(place, place->file);
	deny(place, "a\nb\r\",\"verdict\":\"authorize\"\x1b[2J\xff\xe2\x80\xae", WA_REASON_BAD_SENDER_NAME, 12);
	close_audit(place);
	assert_lines(
	    place, place->file, 11,
	    "\"sender\":\"a\\u000ab\\u000d\\\",\\\"verdict\\\":\\\"authorize\\\"\\u001b[2J\xEF\xBF\xBD\\u202e\"");
}

static void audit__no_memory__loses_lines_and_leaks_nothing(void **state)
{
	struct place *place = *state;
	const struct config config = {.path = "policy.xml", .audit = {CONFIG_AUDIT_FILE, place->file}};
	size_t n = 0;

	while (place->audit == NULL) {
		memory_fail_at(++n);
		(void)!audit_open(&config, place->executor, the_log(place), &place->counts, &place->audit, NULL);
		memory_fail_at(0);
	}
	assert_true(n > 5);
	for (n = 1; n < 12; n++) {
		memory_fail_at(n);
		deny(place, ALICE, WA_REASON_DENIED_GROUP, 2);
		memory_fail_at(0);
	}
	audit_drain(place->audit);
	assert_int_equal(place->counts.lines + place->counts.lost, AUDIT_REPEATS_BURST);
	assert_true(place->counts.lost > 0);
	close_audit(place);
	executor_close(&place->executor);
	assert_int_equal(memory_live_count(), 0);
}

#define PLACED(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    PLACED(audit_write__the_same_again_and_again__is_counted),
	    PLACED(audit_write__more_senders_than_places__counts_are_whole),
	    PLACED(audit_write__the_file_was_rotated__goes_on_in_a_new_one),
	    PLACED(audit_write__the_disk_is_full__is_counted_and_told_once),
	    PLACED(audit_write__hostile_sender__stays_one_line),
	    PLACED(audit__no_memory__loses_lines_and_leaks_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
