/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <config/config.h>
#include <stdbool.h>
#include <string.h>
#include <unit/config/policies.h>
#include <unit/config/policy_folder.h>

/* Names every file that a policy is read from. */
static const char naming[] =
    WITH_CHILD("<bind mechanism=\"simple\" dn=\"cn=svc,dc=example\" password-file=\"bind.secret\"/>"
	       "<tls ca-file=\"ca.pem\" crl-file=\"ca.crl\"/>");

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

static void config_is_same__what_was_read_changes__tells(void **state)
{
	static const char certificate[] = "-----BEGIN CERTIFICATE-----\nother\n";
	static const char list[] = "-----BEGIN X509 CRL-----\nother\n";
	const struct {
		const char *name, *data;
		bool is_same;
	} rows[] = {
	    {"bind.secret", "s3cret", true}, /* without its line end it is the same secret */
	    {"bind.secret", "s4cret", false}, {"ca.pem", certificate, false},
	    {"ca.crl", list, false},          {"empty.secret", "not named", true},
	};
	const struct policy_folder *folder = *state;
	const struct config *before = parse(folder, naming), *after;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		policy_folder_write(folder, rows[i].name, rows[i].data, strlen(rows[i].data), 0600);
		after = parse(folder, naming);
		assert_row(rows[i].name, config_is_same(before, after) == rows[i].is_same);
		assert_row(rows[i].name, config_is_same(after, before) == rows[i].is_same);
		config_unref(&before);
		before = after;
	}
	config_unref(&before);
}

static void config_is_same__other_text__is_another(void **state)
{
	const struct config *config = parse(*state, WITH(""));
	const struct config *other = parse(*state, WITH("<!-- -->"));
	const struct config *secret = parse(*state, naming);

	assert_true(config_is_same(config, config));
	assert_false(config_is_same(config, other));
	assert_false(config_is_same(config, secret));
	config_unref(&config);
	config_unref(&other);
	config_unref(&secret);
}

#define FOLDERED(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    FOLDERED(config_is_same__what_was_read_changes__tells),
	    FOLDERED(config_is_same__other_text__is_another),
	};

	return cmocka_run_group_tests_name("config/same", tests, NULL, NULL);
}
