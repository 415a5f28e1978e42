/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>
#include <support/memory_failing.h>

#include <config/config.h>
#include <os/file.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unit/config/policies.h>
#include <unit/config/policy_folder.h>

/* Says everything that a policy can say. */
static const char full[] =
    "<wsmauthz xmlns=\"urn:wsmauthz:policy:1\" default-domain=\"Corp\">\n"
    "<directory uri=\" ldaps://a.example  ldaps://b.example:1636 \" base=\"dc=example\" domain=\"CORP corp.example\"\n"
    " timeout=\"1500ms\" identity=\"name\">\n"
    "<bind mechanism=\"simple\" dn=\"cn=svc,dc=example\" password-file=\"bind.secret\"/>\n"
    "<tls mode=\"ldaps\" ca-file=\"ca.pem\" crl-file=\"ca.crl\" minimum=\"1.3\"/>\n"
    "<users name-attribute=\"cn\" upn-attribute=\"mail\" filter=\"(objectClass=person)\"/>\n"
    "<groups strategy=\"search\" base=\"ou=groups,dc=example\"/>\n"
    "<pool connections=\"4\"/>\n"
    "</directory>\n"
    "<deny group=\"cn=leavers,dc=example\" if-missing=\"ignore\"/>\n"
    "<allow group=\"cn=Users, dc=example\" max-shells=\"5\" max-operations=\"15\" timeslot=\"2m\" "
    "max-operations-per-timeslot=\"600\"/>\n"
    "<allow group=\"cn=\xc3\x84rzte,dc=example\" administrator=\"true\" fresh=\"true\"/>\n"
    "<deny group=\"cn=banned,dc=example\"/>\n"
    "<account disabled=\"allow\" expired=\"allow\" locked=\"allow\" password-expired=\"deny\" filter=\"(mail=*)\"/>\n"
    "<redirect attribute=\"l\" here=\" New York \" unmapped=\"deny\">\n"
    "<site name=\" EMEA \" uri=\"https://e.example:5986/wsman  https://f.example:5986/wsman\"/>\n"
    "<here value=\"Boston\"/>\n"
    "<site group=\"cn=lab,dc=example\" uri=\"http://lab.example:5985/wsman\" allow-http=\"true\"/>\n"
    "</redirect>\n"
    "<cache ttl=\"1m\" negative-ttl=\"2s\" unwatched-ttl=\"3ms\" stale-limit=\"1h\" max-entries=\"7\" "
    "max-bytes=\"3MB\" member-index=\"1KB\"/>\n"
    "<plugin completion=\"asynchronous\" allow-null-token=\"true\"/>\n"
    "<certificates issuers=\"0123456789abcdef0123456789ABCDEF01234567 1123456789abcdef0123456789ABCDEF01234567\"/>\n"
    "<audit to=\"file\" file=\"audit.log\"/>\n"
    "<metrics file=\"/run/metrics\" interval=\"1m\"/>\n"
    "</wsmauthz>\n";

static int make_folder(void **state)
{
	static struct policy_folder folder;

	policy_folder_make(&folder);
	*state = &folder;
	return 0;
}

static int remove_folder(void **state)
{
	policy_folder_remove(*state);
	return 0;
}

static const struct config *parse(const struct policy_folder *folder, const char *text)
{
	struct error error = {.status = STATUS_OK};
	const struct config *config = NULL;

	assert_status(config_parse(text, strlen(text), folder->policy, &config, &error), STATUS_OK, &error);
	return config;
}

static void assert_beside(const struct policy_folder *folder, const char *path, const char *name)
{
	size_t length = strlen(folder->path);

	assert_memory_equal(path, folder->path, length);
	assert_int_equal(path[length], '/');
	assert_string_equal(path + length + 1, name);
}

static void config_parse__the_shortest_policy__has_every_default(void **state)
{
	const struct config *config = parse(*state, HEAD DIRECTORY ALLOW TAIL);
	const struct config_directory *directory = config->directories;

	assert_null(config->default_domain);
	assert_int_equal(config->directory_count, 1);
	assert_int_equal(directory->line, 2);
	assert_int_equal(directory->domain_count, 0);
	assert_int_equal(directory->timeout_ms, 3000);
	assert_int_equal(directory->identity, CONFIG_IDENTITY_NAME);
	assert_false(directory->identity_given);
	assert_false(directory->user_name_given || directory->user_upn_given || directory->user_filter_given);
	assert_int_equal(directory->bind, CONFIG_BIND_ANONYMOUS);
	assert_null(directory->bind_mechanism);
	assert_null(directory->bind_dn);
	assert_null(directory->bind_user);
	assert_null(directory->bind_secret);
	assert_int_equal(directory->tls, CONFIG_TLS_STARTTLS);
	assert_null(directory->tls_ca_file);
	assert_null(directory->tls_crl_file);
	assert_int_equal(directory->tls_minimum, 12);
	assert_string_equal(directory->user_name_attribute, "uid");
	assert_null(directory->user_upn_attribute);
	assert_string_equal(directory->user_filter, "(objectClass=inetOrgPerson)");
	assert_int_equal(directory->strategy, CONFIG_STRATEGY_AUTO);
	assert_string_equal(directory->group_base, "dc=example");
	assert_int_equal(directory->connections, 2);
	config_unref(&config);
}

static void config_parse__a_rule_and_settings_left_out__have_every_default(void **state)
{
	const struct config *config = parse(*state, WITH("<deny group=\"cn=b\"/>"));
	const struct config_rule *rule = config->rules;

	assert_int_equal(config->rule_count, 2);
	assert_false(rule->administrator || rule->fresh || rule->ignore_if_missing);
	assert_true(rule->max_shells == CONFIG_UNLIMITED && rule->max_operations == CONFIG_UNLIMITED);
	assert_true(rule->max_operations_per_timeslot == CONFIG_UNLIMITED && rule->timeslot_s == 0);
	assert_false(config->rules[1].ignore_if_missing);
	assert_false(config->redirect.present);
	assert_true(config->account.deny_disabled && config->account.deny_expired && config->account.deny_locked);
	assert_false(config->account.deny_password_expired);
	assert_string_equal(config->account.filter, "");
	assert_int_equal(config->cache.ttl_ms, 300000);
	assert_int_equal(config->cache.negative_ttl_ms, 30000);
	assert_int_equal(config->cache.stale_limit_ms, 0);
	assert_int_equal(config->cache.unwatched_ttl_ms, 1000);
	assert_int_equal(config->cache.max_entries, 100000);
	assert_int_equal(config->cache.max_bytes, 67108864);
	assert_int_equal(config->cache.member_index_bytes, 134217728);
	assert_false(config->plugin.asynchronous || config->plugin.allow_null_token);
	assert_int_equal(config->certificate_issuer_count, 0);
	assert_int_equal(config->audit.sink, CONFIG_AUDIT_SYSTEM);
	assert_null(config->audit.file);
	assert_null(config->metrics_file);
	assert_int_equal(config->metrics_interval_ms, 15000);
	config_unref(&config);
}

static void config_parse__a_full_policy__keeps_what_it_says_of_the_directory(void **state)
{
	const struct config *config = parse(*state, full);
	const struct config_directory *directory = config->directories;

	assert_string_equal(config->path, ((struct policy_folder *)*state)->policy);
	assert_string_equal(config->default_domain, "Corp");
	assert_int_equal(directory->uri_count, 2);
	assert_string_equal(directory->uris[0], "ldaps://a.example");
	assert_string_equal(directory->uris[1], "ldaps://b.example:1636");
	assert_string_equal(directory->base, "dc=example");
	assert_int_equal(directory->domain_count, 2);
	assert_string_equal(directory->domains[1], "corp.example");
	assert_int_equal(directory->timeout_ms, 1500);
	assert_int_equal(directory->bind, CONFIG_BIND_SIMPLE);
	assert_string_equal(directory->bind_dn, "cn=svc,dc=example");
	assert_beside(*state, directory->bind_secret_file, "bind.secret");
	assert_int_equal(secret_length(directory->bind_secret), 6);
	assert_memory_equal(secret_bytes(directory->bind_secret), "s3cret", 6);
	assert_int_equal(directory->tls, CONFIG_TLS_LDAPS);
	assert_beside(*state, directory->tls_ca_file, "ca.pem");
	assert_beside(*state, directory->tls_crl_file, "ca.crl");
	assert_int_equal(directory->tls_minimum, 13);
	assert_string_equal(directory->user_name_attribute, "cn");
	assert_string_equal(directory->user_upn_attribute, "mail");
	assert_string_equal(directory->user_filter, "(objectClass=person)");
	assert_true(directory->user_name_given && directory->user_upn_given && directory->user_filter_given);
	assert_int_equal(directory->strategy, CONFIG_STRATEGY_SEARCH);
	assert_string_equal(directory->group_base, "ou=groups,dc=example");
	assert_int_equal(directory->connections, 4);
	config_unref(&config);
}

static void config_parse__a_full_policy__keeps_rules_in_order_of_the_document(void **state)
{
	const struct config *config = parse(*state, full);
	const struct config_rule *rules = config->rules;

	assert_int_equal(config->rule_count, 4);
	assert_int_equal(rules[0].line, 10);
	assert_int_equal(rules[0].effect, CONFIG_DENY);
	assert_true(rules[0].ignore_if_missing);
	assert_string_equal(rules[0].label, "deny cn=leavers,dc=example");
	assert_int_equal(rules[1].line, 11);
	assert_int_equal(rules[1].effect, CONFIG_ALLOW);
	assert_string_equal(rules[1].group, "cn=Users, dc=example");
	assert_string_equal(rules[1].label, "allow cn=Users, dc=example");
	assert_int_equal(rules[1].max_shells, 5);
	assert_int_equal(rules[1].max_operations, 15);
	assert_int_equal(rules[1].timeslot_s, 120);
	assert_int_equal(rules[1].max_operations_per_timeslot, 600);
	assert_false(rules[1].administrator || rules[1].fresh);
	assert_true(rules[2].administrator && rules[2].fresh);
	assert_string_equal(rules[2].label, "allow cn=\xc3\x84rzte,dc=example");
	assert_true(rules[2].max_shells == CONFIG_UNLIMITED);
	assert_int_equal(rules[3].line, 13);
	assert_false(rules[3].ignore_if_missing);
	config_unref(&config);
}

static void config_parse__a_full_policy__keeps_sites_and_what_is_here(void **state)
{
	const struct config *config = parse(*state, full);
	const struct config_redirect *redirect = &config->redirect;

	assert_true(redirect->present);
	assert_int_equal(redirect->line, 15);
	assert_string_equal(redirect->attribute, "l");
	assert_true(redirect->deny_unmapped);
	assert_int_equal(redirect->here_count, 2);
	assert_string_equal(redirect->here[0], "New York");
	assert_string_equal(redirect->here[1], "Boston");
	assert_int_equal(redirect->site_count, 2);
	assert_int_equal(redirect->sites[0].line, 16);
	assert_string_equal(redirect->sites[0].name, "EMEA");
	assert_null(redirect->sites[0].group);
	assert_int_equal(redirect->sites[0].uri_count, 2);
	assert_string_equal(redirect->sites[0].uris[1], "https://f.example:5986/wsman");
	assert_null(redirect->sites[1].name);
	assert_string_equal(redirect->sites[1].group, "cn=lab,dc=example");
	assert_string_equal(redirect->sites[1].uris[0], "http://lab.example:5985/wsman");
	config_unref(&config);
}

static void config_parse__a_full_policy__keeps_its_settings(void **state)
{
	const struct config *config = parse(*state, full);

	assert_false(config->account.deny_disabled || config->account.deny_expired || config->account.deny_locked);
	assert_true(config->account.deny_password_expired);
	assert_string_equal(config->account.filter, "(mail=*)");
	assert_int_equal(config->cache.ttl_ms, 60000);
	assert_int_equal(config->cache.negative_ttl_ms, 2000);
	assert_int_equal(config->cache.unwatched_ttl_ms, 3);
	assert_int_equal(config->cache.stale_limit_ms, 3600000);
	assert_int_equal(config->cache.max_entries, 7);
	assert_int_equal(config->cache.max_bytes, 3145728);
	assert_int_equal(config->cache.member_index_bytes, 1024);
	assert_true(config->plugin.asynchronous && config->plugin.allow_null_token);
	assert_int_equal(config->certificate_issuer_count, 2);
	assert_string_equal(config->certificate_issuers[0], "0123456789ABCDEF0123456789ABCDEF01234567");
	assert_int_equal(config->audit.sink, CONFIG_AUDIT_FILE);
	assert_beside(*state, config->audit.file, "audit.log");
	assert_string_equal(config->metrics_file, "/run/metrics");
	assert_int_equal(config->metrics_interval_ms, 60000);
	config_unref(&config);
}

static void config_parse__mechanisms_and_schemes__give_bind_and_tls(void **state)
{
	static const struct {
		const char *text;
		enum config_bind bind;
		enum config_tls tls;
		const char *mechanism;
		const char *user;
	} rows[] = {
	    {WITH_CHILD("<bind mechanism=\"EXTERNAL\"/>"), CONFIG_BIND_SASL, CONFIG_TLS_STARTTLS, "EXTERNAL", NULL},
	    {WITH_CHILD("<bind mechanism=\"GSSAPI\"/>"), CONFIG_BIND_SASL, CONFIG_TLS_STARTTLS, "GSSAPI", NULL},
	    {WITH_CHILD("<bind mechanism=\"GSS-SPNEGO\" user=\"u\"/>"), CONFIG_BIND_SASL, CONFIG_TLS_STARTTLS,
	     "GSS-SPNEGO", "u"},
	    {WITH_CHILD("<bind mechanism=\"SCRAM-SHA-1\" user=\"u\" password-file=\"bind.secret\"/>"), CONFIG_BIND_SASL,
	     CONFIG_TLS_STARTTLS, "SCRAM-SHA-1", "u"},
	    {WITH_CHILD("<bind mechanism=\"SCRAM-SHA-512\" user=\"u\" password-file=\"bind.secret\"/>"),
	     CONFIG_BIND_SASL, CONFIG_TLS_STARTTLS, "SCRAM-SHA-512", "u"},
	    {WITH_URI("LDAPS://a", ""), CONFIG_BIND_ANONYMOUS, CONFIG_TLS_LDAPS, NULL, NULL},
	    {WITH_URI("ldaps://a", "<tls/>"), CONFIG_BIND_ANONYMOUS, CONFIG_TLS_LDAPS, NULL, NULL},
	    {WITH_URI("ldap://a", "<tls/>"), CONFIG_BIND_ANONYMOUS, CONFIG_TLS_STARTTLS, NULL, NULL},
	    {WITH_URI("ldap://a", "<tls mode=\"none\"/>"), CONFIG_BIND_ANONYMOUS, CONFIG_TLS_NONE, NULL, NULL},
	    {WITH_URI("ldapi://%2Fs", ""), CONFIG_BIND_ANONYMOUS, CONFIG_TLS_NONE, NULL, NULL},
	    {WITH_URI("ldapi://%2Fs", "<tls minimum=\"1.3\"/>"), CONFIG_BIND_ANONYMOUS, CONFIG_TLS_NONE, NULL, NULL},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct config *config = parse(*state, rows[i].text);
		const struct config_directory *directory = config->directories;

		assert_row(rows[i].text, directory->bind == rows[i].bind && directory->tls == rows[i].tls);
		assert_row(rows[i].text, (directory->bind_mechanism == NULL) == (rows[i].mechanism == NULL));
		assert_row(rows[i].text, rows[i].mechanism == NULL || directory->bind_mechanism == NULL ||
					     strcmp(directory->bind_mechanism, rows[i].mechanism) == 0);
		assert_row(rows[i].text, (directory->bind_user == NULL) == (rows[i].user == NULL));
		config_unref(&config);
	}
}

static void config_parse__kerberos__keeps_its_files_and_strength(void **state)
{
	const struct config *config = parse(*state, WITH_CHILD("<bind mechanism=\"GSSAPI\" keytab=\"bind.secret\" "
							       "principal=\"svc@CORP\" minssf=\"1\"/>"));
	const struct config_directory *directory = config->directories;

	assert_beside(*state, directory->bind_keytab, "bind.secret");
	assert_string_equal(directory->bind_principal, "svc@CORP");
	assert_null(directory->bind_credential_cache);
	assert_true(directory->has_bind_minssf);
	assert_int_equal(directory->bind_minssf, 1);
	config_unref(&config);

	config = parse(*state, WITH_CHILD("<bind mechanism=\"GSSAPI\" credential-cache=\"absent.secret\"/>"));
	directory = config->directories;
	assert_beside(*state, directory->bind_credential_cache, "absent.secret");
	assert_false(directory->has_bind_minssf);
	config_unref(&config);
}

/* HEAD, DIRECTORY and ALLOW, then `format` for each number, then the end. Freed by the caller (test_free). */
static char *numbered(const char *before, const char *format, const char *with, int count, const char *after)
{
	char *text = test_malloc(512 + (size_t)count * 128);
	int length = sprintf(text, "%s%s", HEAD DIRECTORY ALLOW, before);

	for (int i = 0; i < count; i++)
		length += sprintf(text + length, "<%s=\"%s%d\" %s/>\n", format, with, i,
				  strcmp(format, "site name") == 0 ? "uri=\"" HTTPS "\"" : "");
	(void)sprintf(text + length, "%s%s", after, TAIL);
	return text;
}

static void config_parse__as_many_as_the_limits__takes_and_refuses_one_more(void **state)
{
	static const struct {
		const char *before, *format, *with, *after;
		int limit;
		const char *what;
	} rows[] = {
	    {"", "allow group", "cn=g", "", CONFIG_MAX_RULES - 1, ":1027: there are more than 1024 rules"},
	    {"<redirect attribute=\"l\">", "site name", "s", "</redirect>", CONFIG_MAX_SITES,
	     ":1028: there are more than 1024 sites"},
	    {"<redirect attribute=\"l\">", "here value", "s", "</redirect>", CONFIG_MAX_HERE,
	     ":68: here/@value: there are more than 64"},
	};
	const struct policy_folder *folder = *state;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char *fits = numbered(rows[i].before, rows[i].format, rows[i].with, rows[i].limit, rows[i].after);
		char *over = numbered(rows[i].before, rows[i].format, rows[i].with, rows[i].limit + 1, rows[i].after);
		const struct config *config = parse(folder, fits);
		struct error error = {.status = STATUS_OK};

		config_unref(&config);
		assert_status(config_parse(over, strlen(over), folder->policy, &config, &error), STATUS_LIMIT, &error);
		assert_null(config);
		assert_contains(error.what, rows[i].what);
		test_free(fits);
		test_free(over);
	}
}

static void config_load__files_and_their_permissions__are_taken_or_refused(void **state)
{
	static const struct {
		const char *name;
		unsigned mode;
		enum status expected;
	} rows[] = {
	    {"policy.xml", 0600, STATUS_OK},      {"policy.xml", 0644, STATUS_OK},
	    {"policy.xml", 0664, STATUS_REFUSED}, {"policy.xml", 0646, STATUS_REFUSED},
	    {"policy.xml", 0640, STATUS_OK},      {"absent.xml", 0600, STATUS_NOT_FOUND},
	};
	static const char text[] = HEAD DIRECTORY ALLOW TAIL;
	const struct policy_folder *folder = *state;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct error error = {.status = STATUS_OK};
		const struct config *config = NULL;
		char path[128];

		policy_folder_write(folder, "policy.xml", text, sizeof(text) - 1, rows[i].mode);
		(void)snprintf(path, sizeof(path), "%s/%s", folder->path, rows[i].name);
		assert_status(config_load(path, &config, &error), rows[i].expected, &error);
		assert_int_equal(config != NULL, rows[i].expected == STATUS_OK);
		if (rows[i].expected != STATUS_OK)
			assert_contains(error.what, path);
		config_unref(&config);
	}
}

static void config_load__a_file_that_is_too_large__is_refused(void **state)
{
	const struct policy_folder *folder = *state;
	char *blanks = test_malloc(FILE_POLICY_MAX_BYTES + 1);
	struct error error = {.status = STATUS_OK};
	const struct config *config = NULL;

	memset(blanks, ' ', FILE_POLICY_MAX_BYTES + 1);
	policy_folder_write(folder, "policy.xml", blanks, FILE_POLICY_MAX_BYTES + 1, 0600);
	test_free(blanks);

	assert_status(config_load(folder->policy, &config, &error), STATUS_LIMIT, &error);
	assert_null(config);
}

/* The sample as it is delivered, with the files it names beside it. */
static void config_load__the_sample_policy__loads(void **state)
{
	const struct policy_folder *folder = *state;
	struct error error = {.status = STATUS_OK};
	const struct config *config = NULL;
	FILE *file = fopen(SAMPLE_POLICY, "rb");
	char text[65536];
	size_t length;

	assert_non_null(file);
	length = fread(text, 1, sizeof(text), file);
	assert_int_equal(fclose(file), 0);
	assert_in_range(length, 1, sizeof(text) - 1);
	policy_folder_write(folder, "policy.xml", text, length, 0600);

	assert_status(config_load(folder->policy, &config, &error), STATUS_OK, &error);
	assert_string_equal(config->default_domain, "CORP");
	assert_int_equal(config->rule_count, 3);
	assert_int_equal(config->redirect.site_count, 3);
	assert_int_equal(config->directories[0].tls, CONFIG_TLS_LDAPS);
	config_unref(&config);
}

static void config_unref__the_last_reference__frees(void **state)
{
	size_t before = memory_live_count();
	const struct config *config = parse(*state, full);
	const struct config *second = config_ref(config);
	const struct config *none = NULL;

	assert_ptr_equal(config, second);
	config_unref(&config);
	assert_null(config);
	assert_string_equal(second->rules[0].label, "deny cn=leavers,dc=example");
	assert_true(memory_live_count() > before);
	config_unref(&second);
	assert_int_equal(memory_live_count(), before);
	config_unref(&none);
}

static void config_parse__refused_behind_the_secret__frees_the_secret(void **state)
{
	static const char text[] =
	    WITH_CHILD("<bind mechanism=\"simple\" dn=\"cn=svc\" password-file=\"bind.secret\"/><nonsense/>");
	const struct policy_folder *folder = *state;
	size_t before = memory_live_count();
	const struct config *config = NULL;

	assert_int_equal(config_parse(text, sizeof(text) - 1, folder->policy, &config, NULL), STATUS_INVALID);
	assert_null(config);
	assert_int_equal(memory_live_count(), before);
}

static void config_load__each_allocation_failing__says_no_memory_and_leaks_nothing(void **state)
{
	const struct policy_folder *folder = *state;
	size_t before = memory_live_count();
	enum status status = STATUS_NO_MEMORY;
	const struct config *config = NULL;
	size_t n = 0;

	policy_folder_write(folder, "policy.xml", full, sizeof(full) - 1, 0600);
	while (status != STATUS_OK) {
		struct error error = {.status = STATUS_OK};

		memory_fail_at(++n);
		status = config_load(folder->policy, &config, &error);
		assert_int_equal(status == STATUS_OK, memory_fail_count() < n);
		if (status == STATUS_OK)
			break;
		assert_status(status, STATUS_NO_MEMORY, &error);
		assert_int_equal(error.status, STATUS_NO_MEMORY);
		assert_null(config);
		assert_int_equal(memory_live_count(), before);
	}
	memory_fail_at(0);
	assert_in_range(n, 100, 10000);
	config_unref(&config);
	assert_int_equal(memory_live_count(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(config_parse__the_shortest_policy__has_every_default),
	    cmocka_unit_test(config_parse__a_rule_and_settings_left_out__have_every_default),
	    cmocka_unit_test(config_parse__a_full_policy__keeps_what_it_says_of_the_directory),
	    cmocka_unit_test(config_parse__a_full_policy__keeps_rules_in_order_of_the_document),
	    cmocka_unit_test(config_parse__a_full_policy__keeps_sites_and_what_is_here),
	    cmocka_unit_test(config_parse__a_full_policy__keeps_its_settings),
	    cmocka_unit_test(config_parse__mechanisms_and_schemes__give_bind_and_tls),
	    cmocka_unit_test(config_parse__kerberos__keeps_its_files_and_strength),
	    cmocka_unit_test(config_parse__as_many_as_the_limits__takes_and_refuses_one_more),
	    cmocka_unit_test(config_load__files_and_their_permissions__are_taken_or_refused),
	    cmocka_unit_test(config_load__a_file_that_is_too_large__is_refused),
	    cmocka_unit_test(config_load__the_sample_policy__loads),
	    cmocka_unit_test(config_unref__the_last_reference__frees),
	    cmocka_unit_test(config_parse__refused_behind_the_secret__frees_the_secret),
	    cmocka_unit_test(config_load__each_allocation_failing__says_no_memory_and_leaks_nothing),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
