/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <base/memory.h>
#include <identity/uri.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unit/identity/mutate.h>

#define LABEL_63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff123"
#define NAME_253 LABEL_63 "." LABEL_63 "." LABEL_63 ".aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff1"

static const char *const GOOD[] = {
    "https://winrm-emea.corp.example:5986/wsman",
    "https://winrm-emea.corp.example:5986/wsman?PSVersion=5.1;x=%20",
    "https://host:1/",
    "https://host:65535/a/b.c/..d/...",
    "https://HOST:443/wsman",
    "HTTPS://host:443/wsman",
    "https://a_b.c-d:5986/wsman",
    "https://_x:5986/w",
    "https://10.0.0.1:5986/wsman",
    "https://[::1]:5986/wsman",
    "https://[2001:db8:0:0:0:0:0:1]:5986/wsman",
    "https://[::]:5986/wsman",
    "https://[1::]:5986/wsman",
    "https://[1:2:3:4:5:6:7::]:5986/wsman",
    "https://[::2:3:4:5:6:7:8]:5986/wsman",
    "https://[::ffff:10.0.0.1]:5986/wsman",
    "https://[1:2:3:4:5:6:10.0.0.1]:5986/wsman",
    "https://1host.2nd:5986/wsman",
    "https://xn--bcher-kva.example:5986/wsman",
    "https://h:1/w%C3%BC-._~!$&'()*+,;=:@?/?x",
    "https://h:1/w?..",
    "https://h:1//w",
};

static void uri_check_redirect__good_uri__passes(void **state)
{
	struct error error;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(GOOD); i++)
		assert_row(GOOD[i], uri_check_redirect(GOOD[i], false, &error) == STATUS_OK);
}

static const struct {
	const char *uri, *what;
} BAD[] = {
    {"", "offset 0: 'https://' is expected"},
    {"https", "offset 0: 'https://' is expected"},
    {"https:", "offset 0: 'https://' is expected"},
    {"https:/host:1/w", "offset 0: 'https://' is expected"},
    {"//host:1/w", "offset 0: 'https://' is expected"},
    {"/wsman", "offset 0: 'https://' is expected"},
    {"host:5986/wsman", "offset 0: 'https://' is expected"},
    {"http://host:5985/wsman", "offset 0: 'https://' is expected"},
    {"ftp://host:21/w", "offset 0: 'https://' is expected"},
    {"httpss://host:1/w", "offset 0: 'https://' is expected"},
    {"javascript:alert(1)", "offset 0: 'https://' is expected"},
    {"https://", "offset 8: a host is expected"},
    {"https:///x", "offset 8: a host is expected"},
    {"https://:5986/w", "offset 8: a host is expected"},
    {"https://host", "offset 12: ':' and a port are expected"},
    {"https://host/wsman", "offset 12: ':' and a port are expected"},
    {"https://host:5986", "offset 17: a path is expected"},
    {"https://host:5986?x", "offset 17: a path is expected"},
    {"https://host:/w", "offset 13: a port from 1 to 65535"},
    {"https://host:0/w", "offset 13: a port from 1 to 65535"},
    {"https://host:05986/w", "offset 13: a port from 1 to 65535"},
    {"https://host:65536/w", "offset 13: a port from 1 to 65535"},
    {"https://host:99999999999999999999/w", "offset 13: a port from 1 to 65535"},
    {"https://host:-1/w", "offset 13: a port from 1 to 65535"},
    {"https://host:+1/w", "offset 13: a port from 1 to 65535"},
    {"https://host:1x/w", "offset 13: a port from 1 to 65535"},
    {"https://host:1:2/w", "offset 13: a port from 1 to 65535"},
    {"https://user@host:1/w", "offset 12: user information"},
    {"https://user:pw@host:1/w", "offset 15: user information"},
    {"https://@host:1/w", "offset 8: user information"},
    {"https://host:1/w#f", "offset 16: a fragment"},
    {"https://host:1/w#", "offset 16: a fragment"},
    {"https://host:1/w\r\nX: y", "offset 16: this character"},
    {"https://host:1/w\n", "offset 16: this character"},
    {"https://host:1/a b", "offset 16: this character"},
    {" https://host:1/w", "offset 0: this character"},
    {"https://host:1/w ", "offset 16: this character"},
    {"https://host:1/w\t", "offset 16: this character"},
    {"https://host:1/w\x7F", "offset 16: this character"},
    {"https://host:1/w\"", "offset 16: this character"},
    {"https://host:1/<w", "offset 15: this character"},
    {"https://host:1/w>", "offset 16: this character"},
    {"https://host:1\\w", "offset 14: this character"},
    {"https:\\\\host:1/w", "offset 6: this character"},
    {"https://host:1/^", "offset 15: this character"},
    {"https://host:1/`", "offset 15: this character"},
    {"https://host:1/{w}", "offset 15: this character"},
    {"https://host:1/a|b", "offset 16: this character"},
    {"https://host:1/w[", "offset 16: this character"},
    {"https://host:1/w?]", "offset 17: this character"},
    {"https://host:1/\xC3\xBC", "offset 15: this character"},
    {"https://h\xC3\xBC.example:1/w", "offset 9: this character"},
    {"https://host:1/%", "offset 15: '%' needs two hex digits"},
    {"https://host:1/%4", "offset 15: '%' needs two hex digits"},
    {"https://host:1/%zz", "offset 15: '%' needs two hex digits"},
    {"https://host:1/%0d%0aX", "offset 15: an escaped control character"},
    {"https://host:1/%00", "offset 15: an escaped control character"},
    {"https://host:1/%7F", "offset 15: an escaped control character"},
    {"https://h%6fst:1/w", "offset 8: this is no host name"},
    {"https://host.:1/w", "offset 12: the host must not end with a dot"},
    {"https://.host:1/w", "offset 8: this is no host name"},
    {"https://a..b:1/w", "offset 8: this is no host name"},
    {"https://.:1/w", "offset 8: this is no host name"},
    {"https://-a:1/w", "offset 8: this is no host name"},
    {"https://a-:1/w", "offset 8: this is no host name"},
    {"https://a-.b:1/w", "offset 8: this is no host name"},
    {"https://a!b:1/w", "offset 8: this is no host name"},
    {"https://a,b:1/w", "offset 8: this is no host name"},
    {"https://1.2.3:1/w", "offset 8: this is no host name"},
    {"https://1.2.3.4.5:1/w", "offset 8: this is no host name"},
    {"https://256.1.1.1:1/w", "offset 8: this is no host name"},
    {"https://01.1.1.1:1/w", "offset 8: this is no host name"},
    {"https://2130706433:1/w", "offset 8: this is no host name"},
    {"https://0x7f.1:1/w", "offset 8: this is no host name"},
    {"https://0x7f000001:1/w", "offset 8: this is no host name"},
    {"https://host.1:1/w", "offset 8: this is no host name"},
    {"https://::1:1/w", "offset 8: a host is expected"},
    {"https://[::1:5986/w", "offset 8: ']' is missing"},
    {"https://[]:1/w", "offset 8: this is no IPv6 address"},
    {"https://[1]:1/w", "offset 8: this is no IPv6 address"},
    {"https://[10.0.0.1]:1/w", "offset 8: this is no IPv6 address"},
    {"https://[host]:1/w", "offset 8: this is no IPv6 address"},
    {"https://[::1%25eth0]:1/w", "offset 8: this is no IPv6 address"},
    {"https://[1:2:3:4:5:6:7]:1/w", "offset 8: this is no IPv6 address"},
    {"https://[1:2:3:4:5:6:7:8:9]:1/w", "offset 8: this is no IPv6 address"},
    {"https://[1:2:3:4:5:6:7:8::]:1/w", "offset 8: this is no IPv6 address"},
    {"https://[1::2::3]:1/w", "offset 8: this is no IPv6 address"},
    {"https://[:::]:1/w", "offset 8: this is no IPv6 address"},
    {"https://[:1]:1/w", "offset 8: this is no IPv6 address"},
    {"https://[1:]:1/w", "offset 8: this is no IPv6 address"},
    {"https://[12345::]:1/w", "offset 8: this is no IPv6 address"},
    {"https://[::g]:1/w", "offset 8: this is no IPv6 address"},
    {"https://[::1.2.3]:1/w", "offset 8: this is no IPv6 address"},
    {"https://[::1.2.3.4:1]:1/w", "offset 8: this is no IPv6 address"},
    {"https://[1:2:3:4:5:6:7:1.2.3.4]:1/w", "offset 8: this is no IPv6 address"},
    {"https://[v1.a]:1/w", "offset 8: this is no IPv6 address"},
    {"https://[::1]5986/w", "offset 13: ':' and a port"},
    {"https://[::1]/w", "offset 13: ':' and a port"},
    {"https://a:1/..", "offset 12: '.' and '..'"},
    {"https://a:1/./w", "offset 12: '.' and '..'"},
    {"https://a:1/w/../x", "offset 14: '.' and '..'"},
    {"https://a:1/w/%2e%2E/x", "offset 14: '.' and '..'"},
    {"https://a:1/w/.%2e?x", "offset 14: '.' and '..'"},
};

static void uri_check_redirect__bad_uri__says_where_and_what(void **state)
{
	struct error error;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(BAD); i++) {
		assert_row(BAD[i].uri, uri_check_redirect(BAD[i].uri, false, &error) == STATUS_INVALID);
		if (strstr(error.what, BAD[i].what) == NULL)
			fail_msg("row \"%s\": \"%s\" lacks \"%s\"", BAD[i].uri, error.what, BAD[i].what);
	}
}

static void uri_check_redirect__host__is_bounded(void **state)
{
	struct error error;

	(void)state;
	assert_status(uri_check_redirect("https://" LABEL_63 ":1/w", false, &error), STATUS_OK, &error);
	assert_status(uri_check_redirect("https://" LABEL_63 "4:1/w", false, &error), STATUS_INVALID, &error);
	assert_contains(error.what, "offset 8: this is no host name");
	assert_status(uri_check_redirect("https://" NAME_253 ":1/w", false, &error), STATUS_OK, &error);
	assert_status(uri_check_redirect("https://" NAME_253 "2:1/w", false, &error), STATUS_INVALID, &error);
	assert_contains(error.what, "offset 8: this is no host name");
}

static void uri_check_redirect__http__only_when_allowed(void **state)
{
	struct error error;

	(void)state;
	assert_int_equal(uri_check_redirect("http://host:5985/wsman", true, &error), STATUS_OK);
	assert_int_equal(uri_check_redirect("https://host:5986/wsman", true, &error), STATUS_OK);
	assert_int_equal(uri_check_redirect("ftp://host:5986/wsman", true, &error), STATUS_INVALID);
	assert_contains(error.what, "'https://' or 'http://'");
}

static void uri_check_redirect__too_long__is_refused(void **state)
{
	char uri[URI_MAX_BYTES + 2] = "https://host:5986/";
	struct error error;

	(void)state;
	memset(uri + 18, 'a', URI_MAX_BYTES - 18);
	assert_status(uri_check_redirect(uri, false, &error), STATUS_OK, &error);

	uri[URI_MAX_BYTES] = 'a';
	assert_status(uri_check_redirect(uri, false, &error), STATUS_LIMIT, &error);
}

static const struct {
	const char *uri, *host; /* NULL: refused */
	uint16_t port;
} ENDPOINTS[] = {
    {"http://h/wsman?PSVersion=5.1", "h", 80},
    {"https://h/wsman", "h", 443},
    {"https://h", "h", 443},
    {"https://h:/wsman", "h", 443},
    {"http://h:5985/wsman?PSVersion=5.1", "h", 5985},
    {"https://h:5986", "h", 5986},
    {"https://h?x", "h", 443},
    {"HTTPS://H.Example.:443/wsman", "H.Example.", 443},
    {"http://[::1]:5985/wsman", "::1", 5985},
    {"http://[::1]/wsman", "::1", 80},
    {"http://10.0.0.1/w", "10.0.0.1", 80},
    {"http://web_1:8080/w{}|^", "web_1", 8080},
    {"http://h/w/../x\xC3\xBC%zz", "h", 80},
    {"", NULL, 0},
    {"h", NULL, 0},
    {"/wsman", NULL, 0},
    {"//h/wsman", NULL, 0},
    {"http:/h/wsman", NULL, 0},
    {"http:h", NULL, 0},
    {"http://", NULL, 0},
    {"http:///wsman", NULL, 0},
    {"ldap://h/wsman", NULL, 0},
    {"http://user@h/wsman", NULL, 0},
    {"http://h@evil/wsman", NULL, 0},
    {"http://h\\@evil/wsman", NULL, 0},
    {"http://h:0/", NULL, 0},
    {"http://h:65536/", NULL, 0},
    {"http://h:x/", NULL, 0},
    {"http://h:80:80/", NULL, 0},
    {"http://h..x/", NULL, 0},
    {"http://../", NULL, 0},
    {"http://h x/", NULL, 0},
    {"http://h\r\n/", NULL, 0},
    {"http://h/a b", NULL, 0},
    {"http://h/\r\nX: y", NULL, 0},
    {"http://h/w#x", NULL, 0},
    {"http://h#x", NULL, 0},
    {"http://%68/", NULL, 0},
    {"http://[::1/", NULL, 0},
    {"http://[x]/", NULL, 0},
    {" http://h/", NULL, 0},
};

static void uri_parse_endpoint__table(void **state)
{
	struct uri_endpoint endpoint;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(ENDPOINTS); i++) {
		memset(&endpoint, 0, sizeof(endpoint));
		assert_row(ENDPOINTS[i].uri,
			   uri_parse_endpoint(ENDPOINTS[i].uri, &endpoint) == (ENDPOINTS[i].host != NULL));
		assert_row(ENDPOINTS[i].uri, endpoint.port == ENDPOINTS[i].port);
		assert_row(ENDPOINTS[i].uri,
			   endpoint.host_length == (ENDPOINTS[i].host != NULL ? strlen(ENDPOINTS[i].host) : 0));
		if (ENDPOINTS[i].host != NULL) {
			assert_memory_equal(endpoint.host, ENDPOINTS[i].host, endpoint.host_length);
			assert_ptr_equal(endpoint.scheme, ENDPOINTS[i].uri);
			assert_int_equal(endpoint.scheme_length, strchr(ENDPOINTS[i].uri, ':') - ENDPOINTS[i].uri);
		}
	}
	assert_false(uri_parse_endpoint(NULL, &endpoint));
}

static void uri_endpoint_is_same__table(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
	    {"https://h:5986/wsman", "https://h:5986/other?x", true},
	    {"https://h:5986/wsman", "HTTPS://H:5986/", true},
	    {"https://h.example:5986/", "https://h.example.:5986/", true},
	    {"https://h/", "https://h:443/", true},
	    {"http://h/", "http://h:80", true},
	    {"https://[::1]:1/", "https://[0:0:0:0:0:0:0:1]:1/", true},
	    {"https://[FE80::A]:1/", "https://[fe80::a]:1/", true},
	    {"https://[::ffff:10.0.0.1]:1/", "https://[::ffff:a00:1]:1/", true},
	    {"https://h:5986/", "https://h:5987/", false},
	    {"https://h:443/", "http://h:443/", false},
	    {"https://h/", "http://h/", false},
	    {"https://h/", "https://h2/", false},
	    {"https://h2/", "https://h/", false},
	    {"https://h/", "https://h.example/", false},
	    {"https://[::1]:1/", "https://[::2]:1/", false},
	    {"https://[::1]:1/", "https://h:1/", false},
	    {"https://10.0.0.1:1/", "https://[::ffff:10.0.0.1]:1/", false},
	};
	struct uri_endpoint a, b, none = {0};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(rows); i++) {
		assert_true(uri_parse_endpoint(rows[i].a, &a));
		assert_true(uri_parse_endpoint(rows[i].b, &b));
		assert_row(rows[i].a, uri_endpoint_is_same(&a, &b) == rows[i].same);
		assert_row(rows[i].b, uri_endpoint_is_same(&b, &a) == rows[i].same);
		assert_false(uri_endpoint_is_same(&a, &none));
	}
	assert_false(uri_endpoint_is_same(&none, &none));
}

static void uri_ldap_host__what_may_be_a_domain__is_told(void **state)
{
	static const struct {
		const char *uri, *host; /* NULL: it is a server's */
	} rows[] = {
	    {"ldap://corp.example", "corp.example"}, {"LDAPS://Corp", "Corp"}, {"ldap:///", ""}, {"ldaps:///", ""},
	    {"ldap://corp.example:389", NULL},       {"ldapi://%2Fs", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *host = NULL;
		size_t length = 99;
		const bool is_taken = uri_ldap_host(rows[i].uri, &host, &length);

		assert_row(rows[i].uri, is_taken == (rows[i].host != NULL));
		assert_row(rows[i].uri, is_taken || (host == NULL && length == 99));
		if (is_taken)
			assert_row(rows[i].uri,
				   length == strlen(rows[i].host) && memcmp(host, rows[i].host, length) == 0);
	}
}

static const struct {
	const char *uri, *what; /* NULL: accepted */
} LDAP[] = {
    {"ldap://dc1.corp.example", NULL},
    {"ldap://dc1.corp.example:389", NULL},
    {"ldaps://dc1:636", NULL},
    {"LDAPS://DC1", NULL},
    {"ldap:///", NULL},
    {"LDAPS:///", NULL},
    {"ldap:////", "offset 7: a host is expected"},
    {"ldap:///?", "offset 7: a host is expected"},
    {"ldap://10.0.0.1:3268", NULL},
    {"ldap://[::1]:3890", NULL},
    {"ldapi://%2Frun%2Fslapd%2Fldapi", NULL},
    {"ldapi://%2ftmp%2fx-y_z.sock", NULL},
    {"", "offset 0"},
    {"dc1", "offset 0"},
    {"ldap:dc1", "offset 0"},
    {"ldap:/dc1", "offset 0"},
    {"http://dc1", "offset 0"},
    {"cldap://dc1", "offset 0"},
    {"ldap://", "offset 7: a host is expected"},
    {"ldap://:389", "offset 7: a host is expected"},
    {"ldap:///dc=x", "offset 7: a host is expected"},
    {"ldap://dc1/", "offset 10: nothing may stand behind"},
    {"ldap://dc1/dc=x", "offset 10: nothing may stand behind"},
    {"ldap://dc1?uid", "offset 10: nothing may stand behind"},
    {"ldap://dc1:389/dc=x??sub?(uid=a)", "offset 14: nothing may stand behind"},
    {"ldap://dc1#x", "offset 10: nothing may stand behind"},
    {"ldap://user@dc1", "offset 11: user information"},
    {"ldap://dc1:", "offset 11: a port"},
    {"ldap://dc1:0", "offset 11: a port"},
    {"ldap://dc1:65536", "offset 11: a port"},
    {"ldap://dc1:389x", "offset 11: a port"},
    {"ldap://dc1.", "offset 10: the host must not end with a dot"},
    {"ldap://dc 1", "offset 7: this is no host name"},
    {"ldap://dc1 ldap://dc2", "offset 7: this is no host name"},
    {"ldap://dc1,dc2", "offset 7: this is no host name"},
    {"ldap://d%63", "offset 7: this is no host name"},
    {"ldap://[::1", "offset 7: ']' is missing"},
    {"ldapi://", "offset 8: an absolute path"},
    {"ldapi:///run/ldapi", "offset 8: an absolute path"},
    {"ldapi://run", "offset 8: an absolute path"},
    {"ldapi://%2F", "offset 11: the socket's path has no name"},
    {"ldapi://%2Frun/ldapi", "offset 14: only a percent-encoded"},
    {"ldapi://%2Frun:1", "offset 14: only a percent-encoded"},
    {"ldapi://%2Frun?x", "offset 14: only a percent-encoded"},
    {"ldapi://%2Frun%00", "offset 14: an escaped control character"},
    {"ldapi://%2Frun%2", "offset 14: '%' needs two hex digits"},
    {"ldapi://%2Fr n", "offset 12: this character"},
};

static void uri_check_ldap__table(void **state)
{
	struct error error;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(LDAP); i++) {
		assert_row(LDAP[i].uri, uri_check_ldap(LDAP[i].uri, strlen(LDAP[i].uri), &error) ==
					    (LDAP[i].what == NULL ? STATUS_OK : STATUS_INVALID));
		if (LDAP[i].what != NULL && strstr(error.what, LDAP[i].what) == NULL)
			fail_msg("row \"%s\": \"%s\" lacks \"%s\"", LDAP[i].uri, error.what, LDAP[i].what);
	}
}

/* A URI of a list is given by its length: what stands behind is not looked at. */
static void uri_check_ldap__part_of_a_list__is_bounded(void **state)
{
	static const char list[] = "ldap://dc1:389 ldap://dc2";
	char longest[URI_MAX_BYTES + 8] = "ldapi://%2F";

	(void)state;
	assert_int_equal(uri_check_ldap(list, 14, NULL), STATUS_OK);
	assert_int_equal(uri_check_ldap(list, 10, NULL), STATUS_OK);
	assert_int_equal(uri_check_ldap(list, 11, NULL), STATUS_INVALID);
	assert_int_equal(uri_check_ldap(list, 15, NULL), STATUS_INVALID);
	assert_int_equal(uri_check_ldap("ldap://dc1\0x", 12, NULL), STATUS_INVALID);
	memset(longest + 11, 'a', sizeof(longest) - 12);
	assert_int_equal(uri_check_ldap(longest, URI_MAX_BYTES, NULL), STATUS_OK);
	assert_int_equal(uri_check_ldap(longest, URI_MAX_BYTES + 1, NULL), STATUS_INVALID);
}

/* A good redirect target is also an endpoint, and the same as itself; nothing in it can break a header line. */
static void check_uri(const char *uri, size_t *good)
{
	struct uri_endpoint endpoint;
	bool is_endpoint = uri_parse_endpoint(uri, &endpoint);

	assert_true(!is_endpoint || uri_endpoint_is_same(&endpoint, &endpoint));
	if (uri_check_redirect(uri, true, NULL) != STATUS_OK)
		return;
	assert_true(is_endpoint);
	assert_null(strpbrk(uri, "\r\n\t #\"<>\\"));
	*good += 1;
}

static void uri__mutated_uris__neither_crash_nor_disagree(void **state)
{
	static const char *const seeds[] = {
	    "https://winrm.corp.example:5986/wsman", "http://h:5985/wsman?PSVersion=5.1;x=%20",
	    "https://[2001:db8::1]:5986/wsman", "https://[::ffff:10.0.0.1]:1/w", "https://10.0.0.1:5986/w"};
	static const char *const ldap_seeds[] = {"ldap://dc1.corp.example:389", "ldaps://[::1]:636",
						 "ldapi://%2Frun%2Fldapi"};
	struct mutator mutator = {
	    .state = 13, .seeds = seeds, .seed_count = COUNT_OF(seeds), .pieces = ":/.?#@[]%0129aF-_"};
	size_t round, length, good = 0, good_ldap = 0;
	char *uri;

	(void)state;
	for (round = 0; round < MUTATE_ROUNDS; round++) {
		uri = mutate_text(&mutator);
		check_uri(uri, &good);
		memory_free(uri);
	}
	mutator.seeds = ldap_seeds;
	mutator.seed_count = COUNT_OF(ldap_seeds);
	for (round = 0; round < MUTATE_ROUNDS; round++) {
		uri = mutate_bytes(&mutator, &length);
		good_ldap += uri_check_ldap(uri, length, NULL) == STATUS_OK;
		memory_free(uri);
	}
	assert_in_range(good, MUTATE_ROUNDS / 20, MUTATE_ROUNDS - MUTATE_ROUNDS / 20);
	assert_in_range(good_ldap, MUTATE_ROUNDS / 20, MUTATE_ROUNDS - MUTATE_ROUNDS / 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(uri_check_redirect__good_uri__passes),
	    cmocka_unit_test(uri_check_redirect__bad_uri__says_where_and_what),
	    cmocka_unit_test(uri_check_redirect__host__is_bounded),
	    cmocka_unit_test(uri_check_redirect__http__only_when_allowed),
	    cmocka_unit_test(uri_check_redirect__too_long__is_refused),
	    cmocka_unit_test(uri_parse_endpoint__table),
	    cmocka_unit_test(uri_endpoint_is_same__table),
	    cmocka_unit_test(uri_ldap_host__what_may_be_a_domain__is_told),
	    cmocka_unit_test(uri_check_ldap__table),
	    cmocka_unit_test(uri_check_ldap__part_of_a_list__is_bounded),
	    cmocka_unit_test(uri__mutated_uris__neither_crash_nor_disagree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
