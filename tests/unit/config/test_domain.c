/* SPDX-License-Identifier: Apache-2.0 */
/* Which URIs stand for a domain, and for which. */
#include <support/assertions.h>

#include <config/config.h>
#include <stdio.h>
#include <string.h>

static enum status parse(const char *directory, const struct config **config_out, struct error *error)
{
	char text[2048];
	const int length =
	    snprintf(text, sizeof(text),
		     "<wsmauthz xmlns=\"urn:wsmauthz:policy:1\"><directory %s><bind mechanism=\"anonymous\"/>"
		     "</directory><allow group=\"cn=a,dc=x\"/></wsmauthz>",
		     directory);

	return config_parse(text, (size_t)length, "policy.xml", config_out, error);
}

#define DOMAIN_BASE "base=\"ou=x,dc=Corp,DC=example\" "

static void uri_domains__table(void **state)
{
	static const struct {
		const char *directory;
		const char *domain; /* of the last URI; NULL: it is a server */
	} rows[] = {
	    /* The host is a domain of the directory. */
	    {"uri=\"ldap://corp.example\" base=\"o=x\" domain=\"CORP corp.example\"", "corp.example"},
	    {"uri=\"ldaps://CORP.Example\" base=\"o=x\" domain=\"corp.example\"", "corp.example"},
	    {"uri=\"ldap://b.example\" base=\"o=x\" domain=\"a.example b.example\"", "b.example"},
	    /* ... or what the base spells. */
	    {"uri=\"ldap://corp.example\" " DOMAIN_BASE, "corp.example"},
	    {"uri=\"ldap://corp.example\" base=\"dc=Corp, dc=Example\"", "corp.example"},
	    /* No host: the first DNS name, else what the base spells. */
	    {"uri=\"ldap:///\" base=\"o=x\" domain=\"CORP a.example b.example\"", "a.example"},
	    {"uri=\"ldaps:///\" " DOMAIN_BASE, "corp.example"},
	    {"uri=\"ldap:///\" " DOMAIN_BASE "domain=\"CORP\"", "corp.example"},
	    {"uri=\"ldap:///\" " DOMAIN_BASE "domain=\"other.example\"", "other.example"},
	    {"uri=\"ldap://dc1.corp.example ldap:///\" " DOMAIN_BASE, "corp.example"},
	    /* A port: a server, whatever its name. */
	    {"uri=\"ldap://corp.example:389\" " DOMAIN_BASE "domain=\"corp.example\"", NULL},
	    {"uri=\"ldaps://corp.example:636\" " DOMAIN_BASE, NULL},
	    /* Another name; a NetBIOS name; a base that is no domain; one of one label. */
	    {"uri=\"ldap://dc1.corp.example\" " DOMAIN_BASE "domain=\"corp.example\"", NULL},
	    {"uri=\"ldap://CORP\" " DOMAIN_BASE "domain=\"CORP\"", NULL},
	    {"uri=\"ldap://corp.example\" base=\"dc=corp,dc=example,o=x\"", NULL},
	    {"uri=\"ldap://localhost\" base=\"dc=localhost\" domain=\"localhost\"", NULL},
	    {"uri=\"ldapi://%2Fs\" " DOMAIN_BASE "domain=\"corp.example\"", NULL},
	    {"uri=\"ldap://[::1]\" " DOMAIN_BASE, NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct config *config = NULL;
		const struct config_directory *directory;
		const char *found;
		struct error error;

		assert_status(parse(rows[i].directory, &config, &error), STATUS_OK, &error);
		directory = &config->directories[0];
		found = directory->uri_domains[directory->uri_count - 1];
		if ((found == NULL) != (rows[i].domain == NULL))
			print_error("row %zu: %s\n", i, rows[i].directory);
		assert_int_equal(found == NULL, rows[i].domain == NULL);
		if (found != NULL)
			assert_string_equal(found, rows[i].domain);
		config_unref(&config);
	}
}

static void site__is_kept(void **state)
{
	const struct config *config = NULL;
	struct error error;

	(void)state;
	assert_status(parse("uri=\"ldap:///\" site=\"Default-First-Site-Name\" " DOMAIN_BASE, &config, &error),
		      STATUS_OK, &error);
	assert_string_equal(config->directories[0].site, "Default-First-Site-Name");
	config_unref(&config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(uri_domains__table),
	    cmocka_unit_test(site__is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
