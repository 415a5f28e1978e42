/* SPDX-License-Identifier: Apache-2.0 */
/* Opening connections to servers that hang, stop in the middle, break off or lie. */
#include "bench.h"
#include "raw_server.h"

#include <support/memory_failing.h>

/* A time-out in the middle of whatever `uri` does not answer. */
static void check_times_out(struct bench_policy *policy, const char *uri)
{
	const uint64_t timeout_ms = 250;
	const struct bench_watch watch = bench_watch_start();
	struct dir_conn *conn = NULL;
	struct error error = {0};
	const enum status status = bench_open(policy, uri, timeout_ms, &conn, &error);

	assert_status(status, STATUS_TIMEOUT, &error);
	assert_null(conn);
	bench_watch_check(&watch, timeout_ms);
}

static void check_times_out_everywhere(const char *uri, const char *ldaps_uri, const char *ldapi_uri)
{
	struct bench_policy policy;

	bench_policy_init(&policy);
	check_times_out(&policy, uri);
	check_times_out(&policy, ldaps_uri);
	policy.directory.tls = CONFIG_TLS_NONE;
	check_times_out(&policy, uri);
	bench_sasl(&policy, "SCRAM-SHA-256", bench_value("BENCH_SERVICE_USER"));
	check_times_out(&policy, uri);
	if (ldapi_uri != NULL)
		check_times_out(&policy, ldapi_uri);
	bench_policy_done(&policy);
}

static void open__server_hangs__times_out_without_cpu(void **state)
{
	(void)state;
	bench_suspend();
	check_times_out_everywhere(bench_value("BENCH_URI"), bench_value("BENCH_LDAPS_URI"),
				   bench_value("BENCH_LDAPI_URI"));
	bench_resume();
}

static void check_raw_times_out(const struct raw_step *steps, size_t count)
{
	struct raw_server server;
	char ldaps_uri[64];

	assert_true(raw_server_start(&server, steps, count));
	(void)snprintf(ldaps_uri, sizeof(ldaps_uri), "ldaps://127.0.0.1:%u", server.port);
	check_times_out_everywhere(server.uri, ldaps_uri, NULL);
	raw_server_stop(&server);
}

static void open__server_says_nothing__times_out_without_cpu(void **state)
{
	static const struct raw_step deaf[] = {RAW_SILENCE};
	static const struct raw_step mute[] = {RAW_HEAR_BYTES, RAW_REPEAT(0)};

	(void)state;
	check_raw_times_out(deaf, COUNT_OF(deaf));
	check_raw_times_out(mute, COUNT_OF(mute));
}

/* The beginning of a TLS record, and of an LDAP message, of which the rest never comes. */
static void open__server_stops_in_the_middle__times_out_without_cpu(void **state)
{
	static const struct raw_step record[] = {RAW_HEAR_BYTES, RAW_SAY("\x16\x03\x03\x00\x7a\x02\x00"), RAW_SILENCE};
	static const struct raw_step message[] = {RAW_HEAR, RAW_SAY("\x30\x0c\x02\x01\x01"), RAW_SILENCE};
	struct bench_policy policy;
	struct raw_server server;
	char ldaps_uri[64];

	(void)state;
	bench_policy_init(&policy);
	assert_true(raw_server_start(&server, record, COUNT_OF(record)));
	(void)snprintf(ldaps_uri, sizeof(ldaps_uri), "ldaps://127.0.0.1:%u", server.port);
	check_times_out(&policy, ldaps_uri);
	raw_server_stop(&server);
	assert_true(raw_server_start(&server, message, COUNT_OF(message)));
	check_times_out(&policy, server.uri);
	policy.directory.tls = CONFIG_TLS_NONE;
	check_times_out(&policy, server.uri);
	raw_server_stop(&server);
	bench_policy_done(&policy);
}

#define ZEROS_16 "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
#define ZEROS    ZEROS_16 ZEROS_16 ZEROS_16 ZEROS_16

/* Each byte keeps a naive time-out alive. */
static void open__server_trickles__times_out_without_cpu(void **state)
{
	static const struct raw_step record[] = {RAW_HEAR_BYTES, RAW_TRICKLE("\x16\x03\x03\x3f\xff" ZEROS ZEROS),
						 RAW_SILENCE};
	static const struct raw_step message[] = {RAW_HEAR, RAW_TRICKLE("\x30\x82\x3f\xff" ZEROS ZEROS), RAW_SILENCE};
	struct bench_policy policy;
	struct raw_server server;
	char ldaps_uri[64];

	(void)state;
	bench_policy_init(&policy);
	assert_true(raw_server_start(&server, record, COUNT_OF(record)));
	(void)snprintf(ldaps_uri, sizeof(ldaps_uri), "ldaps://127.0.0.1:%u", server.port);
	check_times_out(&policy, ldaps_uri);
	raw_server_stop(&server);
	policy.directory.tls = CONFIG_TLS_NONE;
	assert_true(raw_server_start(&server, message, COUNT_OF(message)));
	check_times_out(&policy, server.uri);
	raw_server_stop(&server);
	bench_policy_done(&policy);
}

static void check_raw_fails(struct bench_policy *policy, const struct raw_step *steps, size_t count, enum status status,
			    const char *what, const char *hint)
{
	struct raw_server server;

	assert_true(raw_server_start(&server, steps, count));
	bench_check_fails(policy, server.uri, status, what, hint);
	raw_server_stop(&server);
}

static void check_raw_tls_fails(struct bench_policy *policy, const struct raw_step *steps, size_t count,
				const char *what, const char *hint)
{
	struct raw_server server;
	char ldaps_uri[64];

	assert_true(raw_server_start(&server, steps, count));
	(void)snprintf(ldaps_uri, sizeof(ldaps_uri), "ldaps://127.0.0.1:%u", server.port);
	bench_check_fails(policy, ldaps_uri, STATUS_UNREACHABLE, what, hint);
	raw_server_stop(&server);
}

#define EXTENDED_REFUSED "\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x02\x04\x00\x04\x00"
#define EXTENDED_OK      "\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"

/* Never in clear text instead: the server hears the one request and nothing behind it. */
static void open__starttls_fails__goes_no_further(void **state)
{
	static const struct raw_step refused[] = {RAW_HEAR, RAW_SAY(EXTENDED_REFUSED), RAW_HEAR, RAW_SAY(RAW_BIND_OK)};
	static const struct raw_step injected[] = {RAW_HEAR, RAW_SAY(EXTENDED_OK RAW_BIND_OK), RAW_HEAR};
	static const struct raw_step closed[] = {RAW_HEAR, RAW_CLOSE};
	static const struct raw_step not_tls[] = {RAW_HEAR, RAW_SAY(EXTENDED_OK), RAW_HEAR_BYTES, RAW_SAY(RAW_BIND_OK),
						  RAW_HEAR};
	struct bench_policy policy;
	struct raw_server server;

	(void)state;
	bench_policy_init(&policy);
	assert_true(raw_server_start(&server, refused, COUNT_OF(refused)));
	bench_check_fails(&policy, server.uri, STATUS_REFUSED, "could not start TLS", "offers no StartTLS");
	/* The request of RFC 4511 4.14.1 has 31 bytes, the farewell 7. */
	assert_true(server.heard_bytes <= 31 + 7);
	raw_server_stop(&server);
	check_raw_fails(&policy, injected, COUNT_OF(injected), STATUS_UNREACHABLE, "bytes behind the answer", "");
	check_raw_fails(&policy, closed, COUNT_OF(closed), STATUS_UNREACHABLE, "could not start TLS", "");
	check_raw_fails(&policy, not_tls, COUNT_OF(not_tls), STATUS_UNREACHABLE, "TLS failed with", "");
	bench_policy_done(&policy);
}

#define NOTICE_OF_DISCONNECTION                                                                                        \
	"\x30\x24\x02\x01\x00\x78\x1f\x0a\x01\x34\x04\x00\x04\x00\x8a\x16"                                             \
	"1.3.6.1.4.1.1466.20036"

/* Read as BER: 84 bytes of something that is no LDAP message. */
#define HTTP_ANSWER                                                                                                    \
	"HTTP/1.1 400 Bad Request\r\nServer: something else\r\nContent-Length: 0\r\nConnection: close\r\n"             \
	"Date: today\r\n\r\n"

static void open__server_breaks_off_in_the_bind__is_unreachable(void **state)
{
	static const struct raw_step closed[] = {RAW_HEAR, RAW_CLOSE};
	static const struct raw_step reset[] = {RAW_HEAR, RAW_RESET};
	static const struct raw_step halved[] = {RAW_HEAR, RAW_SAY("\x30\x0c\x02\x01\x01\x61"), RAW_CLOSE};
	static const struct raw_step notice[] = {RAW_HEAR, RAW_SAY(NOTICE_OF_DISCONNECTION), RAW_HEAR};
	static const struct raw_step garbage[] = {RAW_HEAR, RAW_SAY(HTTP_ANSWER), RAW_HEAR};
	static const struct raw_step huge[] = {RAW_HEAR, RAW_SAY("\x30\x84\x7f\xff\xff\xff\x02\x01\x01\x61"), RAW_HEAR};
	static const struct {
		const struct raw_step *steps;
		size_t count;
	} rows[] = {
	    {closed, COUNT_OF(closed)}, {reset, COUNT_OF(reset)},     {halved, COUNT_OF(halved)},
	    {notice, COUNT_OF(notice)}, {garbage, COUNT_OF(garbage)}, {huge, COUNT_OF(huge)},
	};
	struct bench_policy policy;
	size_t i;

	(void)state;
	bench_policy_init_raw(&policy);
	for (i = 0; i < COUNT_OF(rows); i++)
		check_raw_fails(&policy, rows[i].steps, rows[i].count, STATUS_UNREACHABLE, "could not bind to", "");
	bench_policy_done(&policy);
}

/* What a TLS server says to a message of LDAP (RFC 8446 6: unexpected_message), and a plain one to TLS. */
#define TLS_ALERT "\x15\x03\x03\x00\x02\x02\x0a"

static void open__other_protocol_at_the_port__says_which(void **state)
{
	static const struct raw_step alert[] = {RAW_HEAR, RAW_SAY(TLS_ALERT), RAW_CLOSE};
	static const struct raw_step closed[] = {RAW_HEAR, RAW_CLOSE};
	static const struct raw_step plain[] = {RAW_HEAR_BYTES, RAW_SAY(RAW_BIND_OK), RAW_CLOSE};
	static const struct raw_step deaf[] = {RAW_HEAR_BYTES, RAW_CLOSE};
	static const struct raw_step tls[] = {RAW_HEAR_BYTES, RAW_SAY(TLS_ALERT), RAW_CLOSE};
	static const char for_ldaps[] = "is this port for ldaps://?";
	static const char for_starttls[] = "With StartTLS the URI is ldap://";
	struct bench_policy policy;

	(void)state;
	bench_policy_init_raw(&policy);
	check_raw_fails(&policy, alert, COUNT_OF(alert), STATUS_UNREACHABLE, "could not bind to", for_ldaps);
	check_raw_fails(&policy, closed, COUNT_OF(closed), STATUS_UNREACHABLE, "could not bind to", for_ldaps);
	policy.directory.tls = CONFIG_TLS_STARTTLS;
	check_raw_fails(&policy, alert, COUNT_OF(alert), STATUS_UNREACHABLE, "could not start TLS", for_ldaps);
	check_raw_fails(&policy, closed, COUNT_OF(closed), STATUS_UNREACHABLE, "could not start TLS", for_ldaps);
	policy.directory.tls = CONFIG_TLS_LDAPS;
	check_raw_tls_fails(&policy, plain, COUNT_OF(plain), "did not answer in TLS", for_starttls);
	check_raw_tls_fails(&policy, deaf, COUNT_OF(deaf), "did not answer in TLS", for_starttls);
	check_raw_tls_fails(&policy, tls, COUNT_OF(tls), "TLS failed with", "the certificate's authority");
	bench_policy_done(&policy);
}

/* Nothing is wrong with the password: the answers to a bind are strongerAuthRequired and confidentialityRequired. */
static void open__server_wants_tls__does_not_blame_the_password(void **state)
{
	static const struct raw_step stronger[] = {
	    RAW_HEAR, RAW_SAY("\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x08\x04\x00\x04\x00"), RAW_HEAR};
	static const struct raw_step confidential[] = {
	    RAW_HEAR, RAW_SAY("\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x0d\x04\x00\x04\x00"), RAW_HEAR};
	static const char hint[] = "use ldaps:// or StartTLS";
	struct bench_policy policy;

	(void)state;
	bench_policy_init(&policy);
	policy.directory.tls = CONFIG_TLS_NONE;
	check_raw_fails(&policy, stronger, COUNT_OF(stronger), STATUS_REFUSED, "stronger authentication required (8)",
			hint);
	check_raw_fails(&policy, confidential, COUNT_OF(confidential), STATUS_REFUSED, "confidentiality required (13)",
			hint);
	bench_policy_done(&policy);
}

/* A server that is busy at the moment has not refused our password. */
static void open__server_is_busy__is_unreachable(void **state)
{
	static const struct raw_step busy[] = {
	    RAW_HEAR, RAW_SAY("\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x33\x04\x00\x04\x00"), RAW_HEAR};
	struct bench_policy policy;

	(void)state;
	bench_policy_init_raw(&policy);
	check_raw_fails(&policy, busy, COUNT_OF(busy), STATUS_UNREACHABLE, "busy (51)", "");
	bench_policy_done(&policy);
}

/* A man in the middle says "success" before he has proved that he knows the password. */
static void open__scram_ends_early__is_refused(void **state)
{
	static const struct raw_step bare[] = {RAW_HEAR, RAW_SAY(RAW_BIND_OK), RAW_HEAR};
	static const struct raw_step challenge[] = {RAW_HEAR, RAW_SCRAM, RAW_HEAR};
	struct bench_policy policy;
	struct dir_conn *conn = NULL;
	struct raw_server server;
	struct error error = {0};

	(void)state;
	bench_policy_init(&policy);
	bench_sasl(&policy, "SCRAM-SHA-256", "somebody");
	policy.directory.tls = CONFIG_TLS_NONE;
	assert_true(raw_server_start(&server, bare, COUNT_OF(bare)));
	assert_int_not_equal(bench_open(&policy, server.uri, PLENTY_MS, &conn, &error), STATUS_OK);
	assert_null(conn);
	raw_server_stop(&server);
	check_raw_fails(&policy, challenge, COUNT_OF(challenge), STATUS_REFUSED, "before it proved who it is", "");
	bench_policy_done(&policy);
}

static void open__an_allocation_fails__is_undone(void **state)
{
	struct bench_policy policy;
	struct dir_conn *conn = NULL;
	struct error error;
	enum status status;
	size_t before;
	size_t n;

	(void)state;
	bench_policy_init(&policy);
	before = memory_live_count();
	for (n = 1;; n++) {
		memory_fail_at(n);
		status = bench_open(&policy, bench_value("BENCH_LDAPI_URI"), PLENTY_MS, &conn, &error);
		if (status == STATUS_OK)
			break;
		memory_fail_at(0);
		assert_status(status, STATUS_NO_MEMORY, &error);
		assert_null(conn);
		assert_int_equal(memory_live_count(), before);
	}
	memory_fail_at(0);
	assert_true(n > 2);
	dir_conn_close(&conn);
	assert_int_equal(memory_live_count(), before);
	/* Without memory for the words a bad certificate is refused all the same. */
	for (n = 1; n < 6; n++) {
		memory_fail_at(n);
		status = bench_open(&policy, bench_value("BENCH_EXPIRED_LDAPS_URI"), PLENTY_MS, &conn, &error);
		memory_fail_at(0);
		assert_true(status == STATUS_NO_MEMORY || status == STATUS_UNREACHABLE);
		assert_null(conn);
		assert_int_equal(memory_live_count(), before);
	}
	bench_policy_done(&policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(open__server_hangs__times_out_without_cpu),
	    cmocka_unit_test(open__server_says_nothing__times_out_without_cpu),
	    cmocka_unit_test(open__server_stops_in_the_middle__times_out_without_cpu),
	    cmocka_unit_test(open__server_trickles__times_out_without_cpu),
	    cmocka_unit_test(open__starttls_fails__goes_no_further),
	    cmocka_unit_test(open__server_breaks_off_in_the_bind__is_unreachable),
	    cmocka_unit_test(open__other_protocol_at_the_port__says_which),
	    cmocka_unit_test(open__server_wants_tls__does_not_blame_the_password),
	    cmocka_unit_test(open__server_is_busy__is_unreachable),
	    cmocka_unit_test(open__scram_ends_early__is_refused),
	    cmocka_unit_test(open__an_allocation_fails__is_undone),
	};

	if (getenv("BENCH_LATE_PREPARE") == NULL)
		dir_conn_prepare_process();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
