/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to an Active Directory forest. */
#include <support/assertions.h>

#include <authorizer/question.h>
#include <base/memory.h>
#include <stdio.h>
#include <string.h>
#include <support/entry_builder.h>

#define CORP "S-1-5-21-11-12-13"
#define EMEA "S-1-5-21-21-22-23"
#define FAR  "S-1-5-21-31-32-33"

static const struct dir_domain domains[] = {
    {"DC=emea,DC=corp,DC=example",
     "emea.corp.example",
     "EMEA",
     true,
     {.authority = 5, .sub_count = 4, .sub = {21, 21, 22, 23}}},
    {"DC=corp,DC=example", "corp.example", "CORP", true, {.authority = 5, .sub_count = 4, .sub = {21, 11, 12, 13}}},
};
static const char *const suffixes[] = {"mail.example"};
static const struct dir_trust trusts[] = {{.netbios_name = "FAR",
					   .is_trusted = true,
					   .has_sid = true,
					   .sid = {.authority = 5, .sub_count = 4, .sub = {21, 31, 32, 33}}}};
static const struct dir_forest forest = {
    .kind = DIR_KIND_AD,
    .domains = domains,
    .domain_count = COUNT_OF(domains),
    .home = &domains[1],
    .upn_suffixes = suffixes,
    .upn_suffix_count = COUNT_OF(suffixes),
    .trusts = trusts,
    .trust_count = COUNT_OF(trusts),
};

/* As a policy without words about it is loaded. */
static const struct config_directory unsaid = {
    .user_name_attribute = "uid",
    .user_filter = "(objectClass=inetOrgPerson)",
};

static struct config policy(const struct config_directory *directory)
{
	static struct config_directory directories[1];

	directories[0] = *directory;
	return (struct config){.default_domain = "CORP", .directories = directories, .directory_count = 1};
}

static enum wa_reason identify(const struct config *config, const struct wa_question *question, struct arena *arena,
			       struct sender *sender)
{
	struct error error = {.status = STATUS_OK};
	enum wa_reason reason = question_identify(config, &forest, question, arena, sender, &error);

	assert_true(reason == WA_REASON_NONE || strlen(error.what) > 0);
	return reason;
}

static enum wa_reason identify_name(const struct config *config, const char *name, bool allow_sid)
{
	struct arena *arena = arena_new(65536);
	struct sender sender;
	struct wa_question question = {.sender = name, .sender_length = strlen(name), .allow_sid = allow_sid};
	enum wa_reason reason = identify(config, &question, arena, &sender);

	arena_free(&arena);
	return reason;
}

static void question_identify__names__are_of_the_home_domain(void **state)
{
	static const struct {
		const char *name;
		enum wa_reason reason;
	} rows[] = {
	    {"CORP\\alice", WA_REASON_NONE},
	    {"corp.example\\alice", WA_REASON_NONE},
	    {"Corp\\PC1$", WA_REASON_NONE},
	    {"EMEA\\alice", WA_REASON_FOREIGN_DOMAIN},
	    {"emea.corp.example\\alice", WA_REASON_FOREIGN_DOMAIN},
	    {"FAR\\alice", WA_REASON_FOREIGN_DOMAIN},
	    {"mail.example\\alice", WA_REASON_FOREIGN_DOMAIN},
	    {"HOST7\\alice", WA_REASON_FOREIGN_DOMAIN},
	    {"BUILTIN\\Administrators", WA_REASON_FOREIGN_DOMAIN},
	    {"NT AUTHORITY\\SYSTEM", WA_REASON_FOREIGN_DOMAIN},
	    {"NT SERVICE\\WinRM", WA_REASON_FOREIGN_DOMAIN},
	    {"IIS APPPOOL\\DefaultAppPool", WA_REASON_FOREIGN_DOMAIN},
	    {"iis apppool\\x", WA_REASON_FOREIGN_DOMAIN},
	    {"alice@corp.example", WA_REASON_NONE},
	    {"alice@CORP", WA_REASON_NONE},
	    {"alice@MAIL.example", WA_REASON_NONE},
	    {"alice@emea.corp.example", WA_REASON_NONE},
	    {"alice@EMEA", WA_REASON_FOREIGN_DOMAIN},
	    {"alice@far.example", WA_REASON_FOREIGN_DOMAIN},
	    {"alice", WA_REASON_NONE},
	    {"CORP\\al\\ice", WA_REASON_BAD_SENDER_NAME},
	};
	struct config config = policy(&unsaid);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_row(rows[i].name, identify_name(&config, rows[i].name, false) == rows[i].reason);
}

/* What the policy names is asked besides, never instead. */
static void question_identify__policy_with_domains__wants_both(void **state)
{
	static const char *given[] = {"CORP", "OTHER", "BUILTIN"};
	struct config_directory directory = unsaid;
	struct config config;

	(void)state;
	directory.domains = given;
	directory.domain_count = COUNT_OF(given);
	config = policy(&directory);
	assert_int_equal(identify_name(&config, "CORP\\alice", false), WA_REASON_NONE);
	assert_int_equal(identify_name(&config, "alice", false), WA_REASON_NONE);
	assert_int_equal(identify_name(&config, "corp.example\\alice", false), WA_REASON_FOREIGN_DOMAIN);
	assert_int_equal(identify_name(&config, "alice@mail.example", false), WA_REASON_FOREIGN_DOMAIN);
	assert_int_equal(identify_name(&config, "OTHER\\alice", false), WA_REASON_FOREIGN_DOMAIN);
	assert_int_equal(identify_name(&config, "BUILTIN\\alice", false), WA_REASON_FOREIGN_DOMAIN);
}

static void question_identify__default_domain__must_be_home(void **state)
{
	struct config config = policy(&unsaid);

	(void)state;
	config.default_domain = "EMEA";
	assert_int_equal(identify_name(&config, "alice", false), WA_REASON_FOREIGN_DOMAIN);
	config.default_domain = "HOST7";
	assert_int_equal(identify_name(&config, "alice", false), WA_REASON_FOREIGN_DOMAIN);
	config.default_domain = "corp.EXAMPLE";
	assert_int_equal(identify_name(&config, "alice", false), WA_REASON_NONE);
	config.default_domain = NULL;
	assert_int_equal(identify_name(&config, "alice", false), WA_REASON_FOREIGN_DOMAIN);
}

/* Without a forest, a default domain that the directory does not have stands for nothing. */
static void question_identify__default_domain_of_no_directory__is_foreign(void **state)
{
	struct config config = policy(&unsaid);
	struct arena *arena = arena_new(65536);
	struct wa_question question = {.sender = "alice", .sender_length = 5};
	struct sender sender;

	(void)state;
	assert_int_equal(question_identify(&config, NULL, &question, arena, &sender, NULL), WA_REASON_FOREIGN_DOMAIN);
	arena_free(&arena);
}

static void question_identify__sids__are_of_home_or_trusted(void **state)
{
	static const struct {
		const char *sid;
		enum wa_reason reason;
	} rows[] = {
	    {CORP "-1104", WA_REASON_NONE},           {FAR "-1104", WA_REASON_NONE},
	    {EMEA "-1104", WA_REASON_FOREIGN_DOMAIN}, {"S-1-5-21-91-92-93-1000", WA_REASON_FOREIGN_DOMAIN},
	    {CORP, WA_REASON_FOREIGN_DOMAIN},         {"S-1-5-32-544", WA_REASON_FOREIGN_DOMAIN},
	    {"S-1-5-18", WA_REASON_FOREIGN_DOMAIN},   {"S-1-5-80-1-2-3-4-5", WA_REASON_FOREIGN_DOMAIN},
	    {"S-1-1-0", WA_REASON_FOREIGN_DOMAIN},    {"S-1-5-21-x", WA_REASON_BAD_SENDER_NAME},
	};
	struct config config = policy(&unsaid);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arena *arena = arena_new(65536);
		struct sender sender = {.form = SENDER_NONE};
		/* The name is of somebody else, whom the directory has. */
		struct wa_question question = {.sender = "CORP\\alice", .sender_length = 10, .token_sid = rows[i].sid};

		assert_row(rows[i].sid, identify_name(&config, rows[i].sid, true) == rows[i].reason);
		assert_row(rows[i].sid, identify(&config, &question, arena, &sender) == rows[i].reason);
		assert_row(rows[i].sid, rows[i].reason != WA_REASON_NONE || sender.form == SENDER_SID);
		arena_free(&arena);
	}
	assert_int_equal(identify_name(&config, CORP "-1104", false), WA_REASON_BAD_SENDER_NAME);
}

static void question_identify__token__counts_as_the_policy_says(void **state)
{
	static const struct {
		const char *row;
		bool given;
		enum config_identity identity;
		bool has_forest;
		const char *token_sid, *name;
		bool allow_sid;
		enum wa_reason reason;
		enum sender_form form;
	} rows[] = {
	    {"AD, unsaid", false, CONFIG_IDENTITY_NAME, true, CORP "-1", "CORP\\bob", false, WA_REASON_NONE,
	     SENDER_SID},
	    {"AD, unsaid, no token", false, CONFIG_IDENTITY_NAME, true, NULL, "CORP\\bob", false, WA_REASON_NONE,
	     SENDER_DOMAIN_USER},
	    {"AD, name", true, CONFIG_IDENTITY_NAME, true, CORP "-1", "CORP\\bob", false, WA_REASON_NONE,
	     SENDER_DOMAIN_USER},
	    {"AD, token", true, CONFIG_IDENTITY_TOKEN, true, CORP "-1", "x\\y\\z", false, WA_REASON_NONE, SENDER_SID},
	    {"AD, token, none", true, CONFIG_IDENTITY_TOKEN, true, NULL, "CORP\\bob", false, WA_REASON_NO_TOKEN,
	     SENDER_NONE},
	    {"AD, token, a SID by name", true, CONFIG_IDENTITY_TOKEN, true, NULL, CORP "-1", true, WA_REASON_NONE,
	     SENDER_SID},
	    {"other, unsaid", false, CONFIG_IDENTITY_NAME, false, CORP "-1", "CORP\\bob", false, WA_REASON_NONE,
	     SENDER_DOMAIN_USER},
	    {"other, token", true, CONFIG_IDENTITY_TOKEN, false, CORP "-1", "CORP\\bob", false, WA_REASON_NONE,
	     SENDER_SID},
	    {"AD, certificate", false, CONFIG_IDENTITY_NAME, true, CORP "-1", "CORP\\bob", false,
	     WA_REASON_BAD_SENDER_NAME, SENDER_NONE},
	};
	static const char *ours[] = {"CORP"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arena *arena = arena_new(65536);
		struct config_directory directory = unsaid;
		struct config config;
		struct sender sender = {.form = SENDER_NONE};
		struct wa_question question = {.sender = rows[i].name,
					       .sender_length = strlen(rows[i].name),
					       .allow_sid = rows[i].allow_sid,
					       .token_sid = rows[i].token_sid};
		enum wa_reason reason;

		if (strstr(rows[i].row, "certificate") != NULL)
			question.mechanism = "ClientCertificate";
		directory.domains = ours;
		directory.domain_count = 1;
		directory.identity = rows[i].identity;
		directory.identity_given = rows[i].given;
		config = policy(&directory);
		reason =
		    question_identify(&config, rows[i].has_forest ? &forest : NULL, &question, arena, &sender, NULL);
		assert_row(rows[i].row, reason == rows[i].reason);
		assert_row(rows[i].row, reason != WA_REASON_NONE || sender.form == rows[i].form);
		arena_free(&arena);
	}
}

static void question_adapt__what_is_said__stays(void **state)
{
	const struct config_directory said = {.user_name_attribute = "cn",
					      .user_name_given = true,
					      .user_upn_attribute = "mail",
					      .user_upn_given = true,
					      .user_filter = "(objectClass=person)",
					      .user_filter_given = true};
	struct config_directory adapted;

	(void)state;
	question_adapt(&unsaid, &forest, &adapted);
	assert_string_equal(adapted.user_name_attribute, "sAMAccountName");
	assert_string_equal(adapted.user_upn_attribute, "userPrincipalName");
	assert_string_equal(adapted.user_filter, "");
	question_adapt(&unsaid, NULL, &adapted);
	assert_string_equal(adapted.user_name_attribute, "uid");
	assert_null(adapted.user_upn_attribute);
	question_adapt(&said, &forest, &adapted);
	assert_string_equal(adapted.user_name_attribute, "cn");
	assert_string_equal(adapted.user_upn_attribute, "mail");
	assert_string_equal(adapted.user_filter, "(objectClass=person)");
}

static struct sender parse(const char *name, struct arena *arena)
{
	struct sender sender;

	assert_int_equal(sender_parse(name, strlen(name), arena, &sender, NULL), STATUS_OK);
	return sender;
}

#define PERSON "(objectCategory=person)(objectClass=user)"
#define SID_1                                                                                                          \
	"\\01\\05\\00\\00\\00\\00\\00\\05\\15\\00\\00\\00\\0b\\00\\00\\00\\0c\\00\\00\\00\\0d\\00\\00\\00\\01\\00\\00" \
	"\\00"

static void question_filter__forms__find_what_they_may(void **state)
{
	static const struct {
		const char *name, *given, *filter;
	} rows[] = {
	    {"CORP\\alice", NULL, "(&(&" PERSON "(sAMAccountName=alice)))"},
	    {"alice", NULL, "(&(&" PERSON "(sAMAccountName=alice)))"},
	    {"alice@corp.example", NULL,
	     "(&(&" PERSON "(|(userPrincipalName=alice\\40corp\\2eexample)(sAMAccountName=alice))))"},
	    {"alice@CORP", NULL, "(&(&" PERSON "(|(userPrincipalName=alice\\40CORP)(sAMAccountName=alice))))"},
	    {"alice@mail.example", NULL, "(&(&" PERSON "(userPrincipalName=alice\\40mail\\2eexample)))"},
	    {"alice@emea.corp.example", NULL, "(&(&" PERSON "(userPrincipalName=alice\\40emea\\2ecorp\\2eexample)))"},
	    {"CORP\\PC1$", NULL,
	     "(&(&(objectClass=user)(!(userAccountControl:1.2.840.113556.1.4.803:=2048))(sAMAccountName=PC1\\24)))"},
	    {"CORP\\$PC1", NULL, "(&(&" PERSON "(sAMAccountName=\\24PC1)))"},
	    {CORP "-1", NULL,
	     "(&(&(|(&(objectClass=user)(!(userAccountControl:1.2.840.113556.1.4.803:=2048)))"
	     "(objectClass=foreignSecurityPrincipal))(objectSid=" SID_1 ")))"},
	    {"CORP\\alice", "(employeeType=staff)", "(&(employeeType=staff)(sAMAccountName=alice))"},
	    {CORP "-1", "(employeeType=staff)", "(&(employeeType=staff)(objectSid=" SID_1 "))"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arena *arena = arena_new(65536);
		struct sender sender = parse(rows[i].name, arena);
		struct config_directory given = unsaid, directory;
		struct text identity;
		char *filter;

		given.user_filter_given = rows[i].given != NULL;
		given.user_filter = rows[i].given != NULL ? rows[i].given : given.user_filter;
		question_adapt(&given, &forest, &directory);
		text_init(&identity);
		question_add_identity(&directory, &forest, &sender, &identity);
		filter = question_filter(&directory, text_string(&identity), "");
		assert_string_equal(filter, rows[i].filter);
		memory_free(filter);
		text_done(&identity);
		arena_free(&arena);
	}
}

/* An entry as AD shows it; rid 0: without a SID. */
static struct dir_entry *entry_of(struct arena *arena, const char *attributes, uint32_t domain, uint32_t rid)
{
	struct dir_entry *entry = build_entry(arena, "CN=a,DC=corp,DC=example", attributes);
	struct sid sid = {.authority = 5, .sub_count = 5, .sub = {21, domain + 1, domain + 2, domain + 3, rid}};
	struct dir_attribute *attribute = &entry->attributes[entry->attribute_count];
	uint8_t *data = arena_alloc(arena, SID_BINARY_BYTES);

	if (rid == 0)
		return entry;
	attribute->name = "objectSid";
	attribute->values = arena_alloc(arena, sizeof(*attribute->values));
	attribute->values[0] = (struct dir_value){(const char *)data, sid_encode(&sid, data)};
	attribute->value_count = 1;
	entry->attribute_count++;
	return entry;
}

static void question_is_sender__entries__only_the_very_name_and_domain_count(void **state)
{
	static const struct {
		const char *name, *entry;
		uint32_t domain, rid;
		bool expected;
	} rows[] = {
	    {"CORP\\alice", "sAMAccountName=Alice", 10, 1104, true},
	    {"CORP\\alice", "sAMAccountName=alice", 20, 1104, false}, /* EMEA's, as a global catalogue shows her */
	    {"CORP\\alice", "sAMAccountName=alice", 0, 0, true},
	    {"CORP\\alice", "sAMAccountName=alicia", 10, 1104, false},
	    {"CORP\\alice", "sAMAccountName=bob; userPrincipalName=alice", 10, 1104, false},
	    {"CORP\\PC1", "sAMAccountName=PC1$", 10, 1104, false},
	    {"CORP\\PC1$", "sAMAccountName=PC1$", 10, 1104, true},
	    {"CORP\\PC1$", "sAMAccountName=PC1", 10, 1104, false},
	    {"alice@corp.example", "sAMAccountName=bob; userPrincipalName=Alice@Corp.example", 10, 1104, true},
	    {"alice@corp.example", "sAMAccountName=alice; userPrincipalName=a.smith@mail.example", 10, 1104, true},
	    {"alice@mail.example", "sAMAccountName=alice", 10, 1104, false},
	    {"alice@mail.example", "sAMAccountName=a; userPrincipalName=alice@mail.example", 10, 1104, true},
	    {"alice@emea.corp.example", "sAMAccountName=alice", 10, 1104, false},
	    {"alice@emea.corp.example", "sAMAccountName=a; userPrincipalName=alice@emea.corp.example", 10, 1104, true},
	    {CORP "-1104", "sAMAccountName=alice", 10, 1104, true},
	    {CORP "-1104", "sAMAccountName=alice", 10, 1105, false},
	    {FAR "-1104", "objectClass=foreignSecurityPrincipal", 30, 1104, true},
	    {CORP "-1104", "sAMAccountName=" CORP "-1104", 0, 0, false},
	};
	struct config_directory directory;

	(void)state;
	question_adapt(&unsaid, &forest, &directory);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arena *arena = arena_new(1 << 20);
		struct sender sender = parse(rows[i].name, arena);
		char row[128];

		(void)snprintf(row, sizeof(row), "%s: %s", rows[i].name, rows[i].entry);
		assert_row(row, question_is_sender(&directory, &forest, &sender,
						   entry_of(arena, rows[i].entry, rows[i].domain, rows[i].rid)) ==
				    rows[i].expected);
		arena_free(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(question_identify__names__are_of_the_home_domain),
	    cmocka_unit_test(question_identify__policy_with_domains__wants_both),
	    cmocka_unit_test(question_identify__default_domain__must_be_home),
	    cmocka_unit_test(question_identify__default_domain_of_no_directory__is_foreign),
	    cmocka_unit_test(question_identify__sids__are_of_home_or_trusted),
	    cmocka_unit_test(question_identify__token__counts_as_the_policy_says),
	    cmocka_unit_test(question_adapt__what_is_said__stays),
	    cmocka_unit_test(question_filter__forms__find_what_they_may),
	    cmocka_unit_test(question_is_sender__entries__only_the_very_name_and_domain_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
