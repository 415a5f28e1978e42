/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <authorizer/question.h>
#include <base/memory.h>
#include <string.h>
#include <support/entry_builder.h>
#include <support/memory_failing.h>

static const char *domains[] = {"CORP", "corp.example"};
static const char *issuers[] = {"00112233445566778899AABBCCDDEEFF00112233"};

static struct config_directory directory = {
    .domains = domains,
    .domain_count = 2,
    .user_name_attribute = "uid",
    .user_upn_attribute = "mail",
    .user_filter = "(objectClass=inetOrgPerson)",
};

static struct config policy(void)
{
	return (struct config){
	    .default_domain = "CORP",
	    .directories = &directory,
	    .directory_count = 1,
	    .certificate_issuers = issuers,
	    .certificate_issuer_count = 1,
	};
}

static enum wa_reason identify(const struct config *config, const struct wa_question *question, struct arena *arena,
			       struct sender *sender)
{
	struct error error;

	return question_identify(config, NULL, question, arena, sender, &error);
}

static void question_identify__names__need_a_domain_of_ours(void **state)
{
	static const struct {
		const char *name;
		bool allow_sid;
		enum wa_reason reason;
		const char *user;
	} rows[] = {
	    {"CORP\\alice", false, WA_REASON_NONE, "alice"},
	    {"corp\\alice", false, WA_REASON_NONE, "alice"},
	    {"corp.example\\alice", false, WA_REASON_NONE, "alice"},
	    {"OTHER\\alice", false, WA_REASON_FOREIGN_DOMAIN, NULL},
	    {"CORPX\\alice", false, WA_REASON_FOREIGN_DOMAIN, NULL},
	    {"alice@corp.example", false, WA_REASON_NONE, "alice"},
	    {"alice@CORP.EXAMPLE", false, WA_REASON_NONE, "alice"},
	    {"alice@other.example", false, WA_REASON_FOREIGN_DOMAIN, NULL},
	    {"alice", false, WA_REASON_NONE, "alice"},
	    {"", false, WA_REASON_BAD_SENDER_NAME, NULL},
	    {" alice", false, WA_REASON_BAD_SENDER_NAME, NULL},
	    {"CORP\\alice@corp.example", false, WA_REASON_BAD_SENDER_NAME, NULL},
	    {"a\\b\\c", false, WA_REASON_BAD_SENDER_NAME, NULL},
	    {"S-1-5-21-1-2-3-1000", false, WA_REASON_BAD_SENDER_NAME, NULL},
	    {"S-1-5-21-1-2-3-1000", true, WA_REASON_NONE, NULL},
	    {"S-1-5-x", true, WA_REASON_BAD_SENDER_NAME, NULL},
	};
	struct config config = policy();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arena *arena = arena_new(65536);
		struct sender sender = {.form = SENDER_NONE};
		struct wa_question question = {
		    .sender = rows[i].name, .sender_length = strlen(rows[i].name), .allow_sid = rows[i].allow_sid};

		assert_row(rows[i].name, identify(&config, &question, arena, &sender) == rows[i].reason);
		if (rows[i].user != NULL)
			assert_string_equal(sender.user, rows[i].user);
		arena_free(&arena);
	}
}

static void question_identify__plain_name_without_default_domain__is_refused(void **state)
{
	struct arena *arena = arena_new(65536);
	struct wa_question question = {.sender = "alice", .sender_length = 5};
	struct config config = policy();
	struct sender sender;

	(void)state;
	config.default_domain = NULL;
	assert_int_equal(identify(&config, &question, arena, &sender), WA_REASON_FOREIGN_DOMAIN);
	arena_free(&arena);
}

static void question_identify__certificate__counts_only_from_a_listed_issuer(void **state)
{
	static const struct {
		const char *thumbprint, *subject_name;
		enum wa_reason reason;
	} rows[] = {
	    {"00112233445566778899AABBCCDDEEFF00112233", "alice@corp.example", WA_REASON_NONE},
	    {"00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff:00:11:22:33", "alice", WA_REASON_NONE},
	    {"00 11 22 33 44 55 66 77 88 99 AA BB CC DD EE FF 00 11 22 33", "alice", WA_REASON_NONE},
	    {"00112233445566778899AABBCCDDEEFF00112234", "alice", WA_REASON_BAD_SENDER_NAME},
	    {"00112233445566778899AABBCCDDEEFF0011223300", "alice", WA_REASON_BAD_SENDER_NAME},
	    {"", "alice", WA_REASON_BAD_SENDER_NAME},
	    {NULL, "alice", WA_REASON_BAD_SENDER_NAME},
	    {"00112233445566778899AABBCCDDEEFF00112233", NULL, WA_REASON_BAD_SENDER_NAME},
	    {"00112233445566778899AABBCCDDEEFF00112233", "alice@other.example", WA_REASON_FOREIGN_DOMAIN},
	};
	struct config config = policy();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arena *arena = arena_new(65536);
		struct wa_certificate certificate = {.issuer_thumbprint = rows[i].thumbprint,
						     .subject_name = rows[i].subject_name};
		struct wa_question question = {.sender = "CN=alice, O=Example",
					       .sender_length = 19,
					       .mechanism = "clientcertificate",
					       .certificate = &certificate};
		struct sender sender;

		assert_row(rows[i].thumbprint == NULL ? "(null)" : rows[i].thumbprint,
			   identify(&config, &question, arena, &sender) == rows[i].reason);
		arena_free(&arena);
	}
}

static char *filter_for(const char *name, const char *extra)
{
	struct arena *arena = arena_new(65536);
	struct sender sender;
	struct text identity;
	char *filter;

	assert_int_equal(sender_parse(name, strlen(name), arena, &sender, NULL), STATUS_OK);
	text_init(&identity);
	question_add_identity(&directory, NULL, &sender, &identity);
	filter = question_filter(&directory, text_string(&identity), extra);
	text_done(&identity);
	arena_free(&arena);
	return filter;
}

static void question_filter__forms__are_escaped_and_complete(void **state)
{
	static const struct {
		const char *name, *extra, *filter;
	} rows[] = {
	    {"CORP\\alice", "", "(&(objectClass=inetOrgPerson)(uid=alice))"},
	    {"alice", "(employeeType=staff)", "(&(objectClass=inetOrgPerson)(uid=alice)(employeeType=staff))"},
	    {"al)(uid=*", "", "(&(objectClass=inetOrgPerson)(uid=al\\29\\28uid\\3d\\2a))"},
	    {"alice@corp.example", "", "(&(objectClass=inetOrgPerson)(|(mail=alice\\40corp\\2eexample)(uid=alice)))"},
	    {"S-1-5-18", "",
	     "(&(objectClass=inetOrgPerson)(objectSid=\\01\\01\\00\\00\\00\\00\\00\\05\\12\\00\\00\\00))"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char *filter = filter_for(rows[i].name, rows[i].extra);

		assert_string_equal(filter, rows[i].filter);
		memory_free(filter);
	}
}

static void question_filter__no_memory__gives_null(void **state)
{
	size_t before = memory_live_count();
	char *filter;
	size_t n;

	(void)state;
	for (n = 1;; n++) {
		memory_fail_at(n);
		filter = question_filter(&directory, "(uid=alice)", "(l=x)");
		if (memory_fail_count() < n)
			break;
		assert_null(filter);
		assert_int_equal(memory_live_count(), before);
	}
	memory_fail_at(0);
	assert_true(n > 1);
	memory_free(filter);
}

static void question_is_sender__entries__only_the_very_name_counts(void **state)
{
	static const struct {
		const char *name, *entry;
		bool expected;
	} rows[] = {
	    {"alice", "uid=alice", true},
	    {"alice", "uid=ALICE", true},
	    {"alice", "uid=al; uid=alice", true},
	    {"alice", "uid=alicia", false},
	    {"alice", "uid=\xEF\xBD\x81lice", false},
	    {"alice", "cn=alice", false},
	    {"alice", "uid=bob; mail=alice", false},
	    {"alice@corp.example", "uid=alice", true},
	    {"alice@corp.example", "uid=bob; mail=Alice@Corp.example", true},
	    {"alice@corp.example", "uid=bob; mail=alice@other.example", false},
	    {"alice@corp.example", "uid=alice@corp.example", false},
	    {"S-1-5-21-1-2-3-1000", "uid=S-1-5-21-1-2-3-1000", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arena *arena = arena_new(1 << 20);
		struct sender sender;

		assert_int_equal(sender_parse(rows[i].name, strlen(rows[i].name), arena, &sender, NULL), STATUS_OK);
		assert_row(rows[i].entry,
			   question_is_sender(&directory, NULL, &sender, build_entry(arena, "uid=1", rows[i].entry)) ==
			       rows[i].expected);
		arena_free(&arena);
	}
}

static void question_is_sender__sids__only_the_very_sid_counts(void **state)
{
	const struct sender sender = {.form = SENDER_SID, .sid = {.authority = 5, .sub = {21, 1000}, .sub_count = 2}};
	struct sid other = sender.sid;
	uint8_t same[SID_BINARY_BYTES], different[SID_BINARY_BYTES];
	struct dir_value values[2] = {{.data = (const char *)same}, {.data = (const char *)different}};
	struct dir_attribute sids = {.name = "objectSid", .values = values, .value_count = 1};
	struct dir_entry entry = {.attributes = &sids, .attribute_count = 1};

	(void)state;
	other.sub[1]++;
	values[0].length = sid_encode(&sender.sid, same);
	values[1].length = sid_encode(&other, different);
	assert_true(question_is_sender(&directory, NULL, &sender, &entry));
	values[0].length--;
	assert_false(question_is_sender(&directory, NULL, &sender, &entry));
	values[0].length++;
	sids.value_count = 2; /* an entry has one */
	assert_false(question_is_sender(&directory, NULL, &sender, &entry));
	sids.value_count = 1;
	values[0] = values[1];
	assert_false(question_is_sender(&directory, NULL, &sender, &entry));
}

static void question_copy__original_changes__copy_does_not(void **state)
{
	struct arena *arena = arena_new(65536);
	char sender[] = "ali\0ce", mechanism[] = "Basic", url[] = "https://h:1/", thumbprint[] = "AB";
	struct wa_certificate certificate = {.issuer_thumbprint = thumbprint};
	struct wa_question question = {.kind = WA_KIND_QUOTA,
				       .sender = sender,
				       .sender_length = 6,
				       .mechanism = mechanism,
				       .http_url = url,
				       .certificate = &certificate};
	struct wa_question *copy = question_copy(&question, arena);

	(void)state;
	memset(sender, 'x', sizeof(sender));
	memset(mechanism, 'x', sizeof(mechanism) - 1);
	memset(url, 'x', sizeof(url) - 1);
	memset(thumbprint, 'x', sizeof(thumbprint) - 1);
	assert_int_equal(copy->kind, WA_KIND_QUOTA);
	assert_memory_equal(copy->sender, "ali\0ce", 7);
	assert_int_equal(copy->sender_length, 6);
	assert_string_equal(copy->mechanism, "Basic");
	assert_string_equal(copy->http_url, "https://h:1/");
	assert_string_equal(copy->certificate->issuer_thumbprint, "AB");
	assert_null(copy->certificate->subject);
	arena_free(&arena);
}

static void question_copy__no_memory__gives_null(void **state)
{
	struct wa_certificate certificate = {.subject = "CN=x"};
	struct wa_question question = {.sender = "alice",
				       .sender_length = 5,
				       .mechanism = "Basic",
				       .http_url = "https://h:1/",
				       .certificate = &certificate};
	/* An arena too small for the copies at each point. */
	(void)state;
	for (size_t limit = 1; limit < 4096; limit++) {
		struct arena *arena = arena_new(limit);
		struct wa_question *copy = question_copy(&question, arena);
		bool complete = copy != NULL;

		if (complete)
			assert_string_equal(copy->certificate->subject, "CN=x");
		arena_free(&arena);
		if (complete)
			return;
	}
	fail_msg("the copy never fitted");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(question_identify__names__need_a_domain_of_ours),
	    cmocka_unit_test(question_identify__plain_name_without_default_domain__is_refused),
	    cmocka_unit_test(question_identify__certificate__counts_only_from_a_listed_issuer),
	    cmocka_unit_test(question_filter__forms__are_escaped_and_complete),
	    cmocka_unit_test(question_filter__no_memory__gives_null),
	    cmocka_unit_test(question_is_sender__entries__only_the_very_name_counts),
	    cmocka_unit_test(question_is_sender__sids__only_the_very_sid_counts),
	    cmocka_unit_test(question_copy__original_changes__copy_does_not),
	    cmocka_unit_test(question_copy__no_memory__gives_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
