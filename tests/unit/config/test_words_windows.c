/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy may say on Windows, and what it means where it says nothing. */
#include <support/assertions.h>

#include <config/config.h>
#include <stdio.h>
#include <string.h>

static enum status parse(const char *attributes, const char *bind, const char *more, const struct config **config_out,
			 struct error *error)
{
	char text[1000];

	(void)snprintf(text, sizeof(text),
		       "<wsmauthz xmlns=\"urn:wsmauthz:policy:1\">"
		       "<directory uri=\"ldap://localhost\" base=\"dc=example\" %s>%s</directory>"
		       "<allow group=\"cn=a,dc=example\"/>%s</wsmauthz>",
		       attributes, bind, more);
	return config_parse(text, strlen(text), "C:\\policy.xml", config_out, error);
}

static void config_parse__no_bind__is_the_services_own_identity(void **state)
{
	const struct config *config = NULL;
	struct error error;

	(void)state;
	assert_status(parse("", "", "", &config, &error), STATUS_OK, &error);
	assert_int_equal(config->directories[0].bind, CONFIG_BIND_SASL);
	assert_string_equal(config->directories[0].bind_mechanism, "negotiate");
	assert_null(config->directories[0].bind_secret);
	config_unref(&config);
	assert_status(parse("", "<bind mechanism=\"negotiate\"/>", "", &config, &error), STATUS_OK, &error);
	assert_int_equal(config->directories[0].bind, CONFIG_BIND_SASL);
	assert_string_equal(config->directories[0].bind_mechanism, "negotiate");
	config_unref(&config);
}

static void config_parse__words_of_this_system__are_taken(void **state)
{
	const struct config *config = NULL;
	struct error error;

	(void)state;
	assert_status(
	    parse("identity=\"token\"", "<bind mechanism=\"anonymous\"/>", "<audit to=\"eventlog\"/>", &config, &error),
	    STATUS_OK, &error);
	assert_int_equal(config->directories[0].identity, CONFIG_IDENTITY_TOKEN);
	assert_int_equal(config->directories[0].bind, CONFIG_BIND_ANONYMOUS);
	config_unref(&config);
}

static void config_parse__words_of_other_systems__are_refused_with_what_to_write(void **state)
{
	static const struct {
		const char *bind, *more, *what, *hint;
	} rows[] = {
	    {"<bind mechanism=\"GSSAPI\"/>", "", "does not have this mechanism", "negotiate"},
	    {"<bind mechanism=\"GSS-SPNEGO\"/>", "", "does not have this mechanism", "negotiate"},
	    {"<bind mechanism=\"EXTERNAL\"/>", "", "does not have this mechanism", "negotiate"},
	    {"<bind mechanism=\"SCRAM-SHA-256\"/>", "", "does not have this mechanism", "negotiate"},
	    {"<bind mechanism=\"negotiate\" user=\"x\"/>", "", "takes no attribute 'user'", ""},
	    {"<bind mechanism=\"negotiate\" keytab=\"x\"/>", "", "takes no attribute 'keytab'", ""},
	    {"", "<audit to=\"journal\"/>", "the journal exists on Linux only", "eventlog"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *row = *rows[i].bind != '\0' ? rows[i].bind : rows[i].more;
		const struct config *config = NULL;
		struct error error = {.what = ""};

		assert_row(row, parse("", rows[i].bind, rows[i].more, &config, &error) == STATUS_INVALID);
		assert_null(config);
		assert_row(row, strstr(error.what, rows[i].what) != NULL);
		assert_row(row, strstr(error.hint, rows[i].hint) != NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(config_parse__no_bind__is_the_services_own_identity),
	    cmocka_unit_test(config_parse__words_of_this_system__are_taken),
	    cmocka_unit_test(config_parse__words_of_other_systems__are_refused_with_what_to_write),
	};

	return cmocka_run_group_tests_name("config/words_windows", tests, NULL, NULL);
}
