/* SPDX-License-Identifier: Apache-2.0 */
/* Opening connections to real servers, good ones and such as no client should trust. */
#include "bench.h"

static const char *const nothing[] = {"1.1", NULL};

/* It answers, as the service account. */
static void check_works(struct dir_conn *conn)
{
	struct dir_search search;
	struct dir_turn turn = {.search = &search, .deadline_ms = clock_monotonic_ms() + PLENTY_MS};
	bool is_synchronized = false;
	struct error error;

	assert_status(dir_search_init(&search, &error), STATUS_OK, &error);
	search.base = bench_value("BENCH_SUFFIX");
	search.scope = DIR_SCOPE_SUBTREE;
	search.filter = "(uid=alice)";
	search.attributes = nothing;
	assert_status(dir_conn_exchange(conn, &turn, 1, &error), STATUS_OK, &error);
	assert_int_equal(search.outcome, DIR_OUTCOME_OK);
	assert_int_equal(search.entry_count, 1);
	/* No domain controller: it does not tell. */
	assert_status(dir_conn_ping(conn, clock_monotonic_ms() + PLENTY_MS, &is_synchronized, &error), STATUS_OK,
		      &error);
	assert_true(is_synchronized);
	dir_search_done(&search);
}

static void check_opens(struct bench_policy *policy, const char *uri)
{
	struct dir_conn *conn = bench_connect(policy, uri);

	check_works(conn);
	dir_conn_close(&conn);
	assert_null(conn);
}

static void open__each_way_to_a_good_server__works(void **state)
{
	struct bench_policy policy;

	(void)state;
	bench_policy_init(&policy);
	check_opens(&policy, bench_value("BENCH_URI"));
	check_opens(&policy, bench_value("BENCH_LDAPS_URI"));
	policy.directory.tls_minimum = 13;
	check_opens(&policy, bench_value("BENCH_URI"));
	policy.directory.tls = CONFIG_TLS_LDAPS;
	check_opens(&policy, bench_value("BENCH_LDAPS_URI"));
	policy.directory.tls = CONFIG_TLS_NONE;
	check_opens(&policy, bench_value("BENCH_URI"));
	check_opens(&policy, bench_value("BENCH_LDAPI_URI"));
	bench_sasl(&policy, "EXTERNAL", NULL);
	check_opens(&policy, bench_value("BENCH_LDAPI_URI"));
	bench_policy_done(&policy);
}

static void open__scram__works_in_and_outside_tls(void **state)
{
	struct bench_policy policy;

	(void)state;
	bench_policy_init(&policy);
	bench_sasl(&policy, "SCRAM-SHA-256", bench_value("BENCH_SERVICE_USER"));
	check_opens(&policy, bench_value("BENCH_URI"));
	check_opens(&policy, bench_value("BENCH_LDAPS_URI"));
	policy.directory.tls = CONFIG_TLS_NONE;
	check_opens(&policy, bench_value("BENCH_URI"));
	bench_policy_done(&policy);
}

static void open__kerberos__is_sealed_by_itself_or_by_tls(void **state)
{
	static const char *const mechanisms[] = {"GSSAPI", "GSS-SPNEGO"};
	struct bench_policy policy;
	size_t i;

	(void)state;
	if (getenv("BENCH_KERBEROS") == NULL)
		skip();
	bench_policy_init(&policy);
	for (i = 0; i < COUNT_OF(mechanisms); i++) {
		bench_sasl(&policy, mechanisms[i], NULL);
		policy.directory.tls = CONFIG_TLS_STARTTLS;
		check_opens(&policy, bench_value("BENCH_URI"));
		policy.directory.tls = CONFIG_TLS_NONE;
		check_opens(&policy, bench_value("BENCH_URI"));
	}
	bench_policy_done(&policy);
}

static void open__anonymous_in_words__is_nobody(void **state)
{
	struct bench_policy policy;
	struct dir_conn *conn;
	struct dir_search search;
	struct dir_turn turn = {.search = &search, .deadline_ms = clock_monotonic_ms() + PLENTY_MS};
	struct error error;

	(void)state;
	bench_policy_init(&policy);
	policy.directory.bind = CONFIG_BIND_ANONYMOUS;
	conn = bench_connect(&policy, bench_value("BENCH_URI"));
	assert_status(dir_search_init(&search, &error), STATUS_OK, &error);
	search.base = bench_value("BENCH_SUFFIX");
	search.filter = "(objectClass=*)";

	assert_status(dir_conn_exchange(conn, &turn, 1, &error), STATUS_OK, &error);

	assert_int_equal(search.outcome, DIR_OUTCOME_NOT_PERMITTED);
	dir_search_done(&search);
	dir_conn_close(&conn);
	bench_policy_done(&policy);
}

/* RFC 4513 5.1.2: the server would say yes. */
static void open__credentials_are_missing__never_reach_the_server(void **state)
{
	struct bench_policy policy;

	(void)state;
	bench_policy_init(&policy);
	bench_set_secret(&policy, "");
	bench_check_fails(&policy, bench_value("BENCH_URI"), STATUS_INVALID, "needs a DN and a password", "");
	secret_free(&policy.directory.bind_secret);
	bench_check_fails(&policy, bench_value("BENCH_URI"), STATUS_INVALID, "needs a DN and a password", "");
	bench_set_secret(&policy, "x");
	policy.directory.bind_dn = "";
	bench_check_fails(&policy, bench_value("BENCH_URI"), STATUS_INVALID, "needs a DN and a password", "");
	policy.directory.bind_dn = NULL;
	bench_check_fails(&policy, bench_value("BENCH_URI"), STATUS_INVALID, "needs a DN and a password", "");
	policy.directory.bind = CONFIG_BIND_NONE;
	bench_check_fails(&policy, bench_value("BENCH_URI"), STATUS_INVALID, "does not say how to bind", "");
	bench_sasl(&policy, NULL, NULL);
	bench_check_fails(&policy, bench_value("BENCH_URI"), STATUS_INVALID, "needs the name of its mechanism", "");
	bench_policy_done(&policy);
}

static void open__wrong_credentials__are_refused(void **state)
{
	struct bench_policy policy;

	(void)state;
	bench_policy_init(&policy);
	bench_set_secret(&policy, "wrong");
	bench_check_fails(&policy, bench_value("BENCH_URI"), STATUS_REFUSED, "invalid credentials (49)",
			  "password file");
	bench_sasl(&policy, "SCRAM-SHA-256", bench_value("BENCH_SERVICE_USER"));
	bench_check_fails(&policy, bench_value("BENCH_URI"), STATUS_REFUSED, "invalid credentials (49)",
			  "SCRAM-SHA-256");
	bench_sasl(&policy, "PLAIN", bench_value("BENCH_SERVICE_USER"));
	bench_check_fails(&policy, bench_value("BENCH_URI"), STATUS_REFUSED, "could not bind to", "PLAIN");
	bench_sasl(&policy, "ANONYMOUS", NULL);
	bench_check_fails(&policy, bench_value("BENCH_URI"), STATUS_REFUSED, "could not bind to", "ANONYMOUS");
	bench_policy_done(&policy);
}

static void open__certificate_is_not_good__says_which_way(void **state)
{
	struct bench_policy policy;

	(void)state;
	bench_policy_init(&policy);
	bench_check_fails(&policy, bench_value("BENCH_EXPIRED_LDAPS_URI"), STATUS_UNREACHABLE, "expired on 2020-02-01",
			  "between its dates");
	bench_check_fails(&policy, bench_value("BENCH_EXPIRED_URI"), STATUS_UNREACHABLE, "expired on 2020-02-01", "");
	bench_check_fails(&policy, bench_value("BENCH_OTHER_LDAPS_URI"), STATUS_UNREACHABLE,
			  "is for the names (elsewhere.example), not for '127.0.0.1'", "subjectAltName");
	bench_check_fails(&policy, bench_value("BENCH_OTHER_URI"), STATUS_UNREACHABLE, "is for the names", "");
	policy.directory.tls_ca_file = bench_value("BENCH_STRANGE_CA_FILE");
	bench_check_fails(&policy, bench_value("BENCH_LDAPS_URI"), STATUS_UNREACHABLE, "not signed by an authority in",
			  bench_value("BENCH_STRANGE_CA_FILE"));
	bench_check_fails(&policy, bench_value("BENCH_URI"), STATUS_UNREACHABLE, "not signed by an authority in", "");
	bench_policy_done(&policy);
}

/* The system's authorities have not signed our throw-away one. */
static void open__no_ca_file__believes_the_system_only(void **state)
{
	struct bench_policy policy;

	(void)state;
	bench_policy_init(&policy);
	policy.directory.tls_ca_file = NULL;
	bench_check_fails(&policy, bench_value("BENCH_LDAPS_URI"), STATUS_UNREACHABLE, "not signed by an authority in",
			  "");
	bench_policy_done(&policy);
}

static void open__ca_file_is_unusable__is_an_error(void **state)
{
	struct bench_policy policy;

	(void)state;
	bench_policy_init(&policy);
	policy.directory.tls_ca_file = "/nowhere/ca.pem";
	bench_check_fails(&policy, bench_value("BENCH_URI"), STATUS_INVALID,
			  "could not read the CA file '/nowhere/ca.pem'", "");
	policy.directory.tls_ca_file = bench_value("BENCH_CA_FILE");
	policy.directory.tls_crl_file = "/nowhere/crl.pem";
	bench_check_fails(&policy, bench_value("BENCH_URI"), STATUS_INVALID,
			  "could not read the revocation list '/nowhere/crl.pem'", "");
	bench_policy_done(&policy);
}

static void open__revocation_list__is_heeded(void **state)
{
	struct bench_policy policy;

	(void)state;
	bench_policy_init(&policy);
	policy.directory.tls_crl_file = bench_value("BENCH_CRL_FILE");
	check_opens(&policy, bench_value("BENCH_LDAPS_URI"));
	bench_check_fails(&policy, bench_value("BENCH_REVOKED_LDAPS_URI"), STATUS_UNREACHABLE, "or it is revoked", "");
	bench_check_fails(&policy, bench_value("BENCH_REVOKED_URI"), STATUS_UNREACHABLE, "or it is revoked", "");
	policy.directory.tls_crl_file = NULL;
	check_opens(&policy, bench_value("BENCH_REVOKED_LDAPS_URI"));
	bench_policy_done(&policy);
}

/* libldap's own option for this does nothing with GnuTLS. */
static void open__old_tls_version__is_refused(void **state)
{
	struct bench_policy policy;

	(void)state;
	bench_policy_init(&policy);
	policy.directory.tls_minimum = 12;
	check_opens(&policy, bench_value("BENCH_TLS12_LDAPS_URI"));
	bench_check_fails(&policy, bench_value("BENCH_TLS11_LDAPS_URI"), STATUS_UNREACHABLE, "speaks TLS1.1",
			  "newer TLS");
	bench_check_fails(&policy, bench_value("BENCH_TLS11_URI"), STATUS_UNREACHABLE, "speaks TLS1.1", "");
	policy.directory.tls_minimum = 13;
	bench_check_fails(&policy, bench_value("BENCH_TLS12_LDAPS_URI"), STATUS_UNREACHABLE,
			  "speaks TLS1.2, and the policy wants TLS 1.3", "");
	bench_check_fails(&policy, bench_value("BENCH_TLS12_URI"), STATUS_UNREACHABLE, "speaks TLS1.2", "");
	bench_policy_done(&policy);
}

static void open__uri_does_not_fit_the_policy__is_invalid(void **state)
{
	struct bench_policy policy;

	(void)state;
	bench_policy_init(&policy);
	policy.directory.tls = CONFIG_TLS_LDAPS;
	bench_check_fails(&policy, bench_value("BENCH_URI"), STATUS_INVALID, "is not an ldaps URI", "");
	bench_check_fails(&policy, "http://127.0.0.1/", STATUS_INVALID, "is not an LDAP URI", "");
	bench_check_fails(&policy, "ldapi:///", STATUS_INVALID, "names no socket", "");
	bench_policy_done(&policy);
}

static void open__nobody_there__is_unreachable_at_once(void **state)
{
	struct bench_policy policy;
	const uint64_t began_ms = clock_monotonic_ms();

	(void)state;
	bench_policy_init(&policy);
	bench_check_fails(&policy, "ldap://127.0.0.1:1", STATUS_UNREACHABLE, "could not connect to '127.0.0.1' port 1",
			  "is the server running, is the port right");
	bench_check_fails(&policy, "ldaps://127.0.0.1:1", STATUS_UNREACHABLE, "could not connect", "");
	bench_check_fails(&policy, "ldapi://%2Fnowhere%2Fldapi", STATUS_UNREACHABLE, "could not connect to the socket",
			  "");
	assert_true(clock_monotonic_ms() - began_ms < 2000);
	bench_policy_done(&policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(open__each_way_to_a_good_server__works),
	    cmocka_unit_test(open__scram__works_in_and_outside_tls),
	    cmocka_unit_test(open__kerberos__is_sealed_by_itself_or_by_tls),
	    cmocka_unit_test(open__anonymous_in_words__is_nobody),
	    cmocka_unit_test(open__credentials_are_missing__never_reach_the_server),
	    cmocka_unit_test(open__wrong_credentials__are_refused),
	    cmocka_unit_test(open__certificate_is_not_good__says_which_way),
	    cmocka_unit_test(open__no_ca_file__believes_the_system_only),
	    cmocka_unit_test(open__ca_file_is_unusable__is_an_error),
	    cmocka_unit_test(open__revocation_list__is_heeded),
	    cmocka_unit_test(open__old_tls_version__is_refused),
	    cmocka_unit_test(open__uri_does_not_fit_the_policy__is_invalid),
	    cmocka_unit_test(open__nobody_there__is_unreachable_at_once),
	};

	if (getenv("BENCH_LATE_PREPARE") == NULL)
		dir_conn_prepare_process();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
