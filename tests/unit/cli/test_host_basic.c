/* SPDX-License-Identifier: Apache-2.0 */
#include <cli/host_basic.h>
#include <string.h>
#include <support/assertions.h>
#include <support/memory_failing.h>

static void host_basic_read__credentials_of_each_length__are_read(void **state)
{
	static const struct {
		const char *header, *name, *password;
	} rows[] = {
	    {"Basic YTpi", "a", "b"},
	    {"basic YTpiYw==", "a", "bc"},
	    {"BASIC   YTpiY2Q=", "a", "bcd"},
	    {"Basic YTo6", "a", ":"},
	    {"Basic YTpiOmM=", "a", "b:c"},
	    {"Basic Q09SUFxhbGljZTpzZWNyZXQ=", "CORP\\alice", "secret"},
	    {"Basic asO8OsO8", "j\xC3\xBC", "\xC3\xBC"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct host_credentials credentials = {.name = NULL};

		assert_int_equal(host_basic_read(rows[i].header, &credentials), STATUS_OK);
		assert_string_equal(credentials.name, rows[i].name);
		assert_string_equal(secret_bytes(credentials.password), rows[i].password);
		host_credentials_done(&credentials);
	}
}

static void host_basic_read__what_proves_nothing__is_refused(void **state)
{
	static const struct {
		const char *header;
		enum status status;
	} rows[] = {
	    {NULL, STATUS_NOT_FOUND},
	    {"", STATUS_NOT_FOUND},
	    {"Basi", STATUS_NOT_FOUND},
	    {"Basic", STATUS_NOT_FOUND},
	    {"BasicYTpi", STATUS_NOT_FOUND},
	    {"Negotiate YTpi", STATUS_NOT_FOUND},
	    {"Basic ", STATUS_INVALID},
	    {"Basic YTo=", STATUS_INVALID},      /* an empty password */
	    {"Basic OmI=", STATUS_INVALID},      /* an empty name */
	    {"Basic YWI=", STATUS_INVALID},      /* no colon */
	    {"Basic YTpi=", STATUS_INVALID},     /* no whole group */
	    {"Basic YTp", STATUS_INVALID},       /* likewise */
	    {"Basic =Tpi", STATUS_INVALID},      /* padding in front */
	    {"Basic YT=i", STATUS_INVALID},      /* padding inside */
	    {"Basic YTpi YTpi", STATUS_INVALID}, /* two */
	    {"Basic YTpi\tYTp", STATUS_INVALID}, /* no digit */
	    {"Basic YTpiAA==", STATUS_INVALID},  /* a NUL in the password */
	    {"Basic YQA6Yg==", STATUS_INVALID},  /* a NUL in the name */
	    {"Basic YQo6Yg==", STATUS_INVALID},  /* a line end in the name */
	    {"Basic /zpi", STATUS_INVALID},      /* no UTF-8 */
	    {"Basic 4oCuYTpi", STATUS_INVALID},  /* U+202E in the name */
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct host_credentials credentials = {.name = NULL};

		if (host_basic_read(rows[i].header, &credentials) != rows[i].status)
			fail_msg("row %zu: %s", i, rows[i].header);
		assert_null(credentials.name);
		assert_null(credentials.password);
	}
}

static void host_basic_read__too_long__is_refused(void **state)
{
	static char header[2 * HOST_BASIC_MAX_BYTES];
	struct host_credentials credentials = {.name = NULL};

	(void)state;
	memset(header, 'A', sizeof(header) - 1);
	memcpy(header, "Basic ", 6);
	assert_int_equal(host_basic_read(header, &credentials), STATUS_INVALID);
}

static void host_basic_read__no_memory__leaves_nothing(void **state)
{
	size_t before = memory_live_count();

	(void)state;
	for (size_t n = 1; n <= 2; n++) {
		struct host_credentials credentials = {.name = NULL};

		memory_fail_at(n);
		assert_int_equal(host_basic_read("Basic YTpi", &credentials), STATUS_NO_MEMORY);
		memory_fail_at(0);
		assert_null(credentials.name);
		assert_int_equal(memory_live_count(), before);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(host_basic_read__credentials_of_each_length__are_read),
	    cmocka_unit_test(host_basic_read__what_proves_nothing__is_refused),
	    cmocka_unit_test(host_basic_read__too_long__is_refused),
	    cmocka_unit_test(host_basic_read__no_memory__leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
