/* SPDX-License-Identifier: Apache-2.0 */
#include <plugin/plugin_token.h>
#include <sddl.h>
#include <string.h>
#include <support/assertions.h>
#include <windows.h>

static HANDLE own_token(DWORD access)
{
	HANDLE token = NULL;

	assert_true(OpenProcessToken(GetCurrentProcess(), access, &token));
	return token;
}

/* What Windows itself says. */
static void expect_sid_of(HANDLE token, const char *actual)
{
	union {
		TOKEN_USER user;
		char room[256];
	} answer;
	DWORD length;
	char *expected = NULL;

	assert_true(GetTokenInformation(token, TokenUser, &answer, sizeof(answer), &length));
	assert_true(ConvertSidToStringSidA(answer.user.User.Sid, &expected));
	assert_string_equal(actual, expected);
	(void)LocalFree(expected);
}

static void plugin_token_sid__token_of_a_user__is_the_users_and_stays_open(void **state)
{
	HANDLE token = own_token(TOKEN_QUERY);
	char sid[SID_TEXT_BYTES] = "";

	(void)state;
	assert_true(plugin_token_sid(token, sid));
	assert_int_equal(strncmp(sid, "S-1-5-", 6), 0);
	expect_sid_of(token, sid);
	assert_true(plugin_token_sid(token, sid));
	assert_true(CloseHandle(token));
}

static void plugin_token_sid__impersonation_token__is_read_the_same(void **state)
{
	HANDLE token = own_token(TOKEN_QUERY | TOKEN_DUPLICATE), copy = NULL;
	char sid[SID_TEXT_BYTES] = "";

	(void)state;
	assert_true(DuplicateTokenEx(token, TOKEN_QUERY, NULL, SecurityIdentification, TokenImpersonation, &copy));
	assert_true(plugin_token_sid(copy, sid));
	expect_sid_of(token, sid);
	assert_true(CloseHandle(copy));
	assert_true(CloseHandle(token));
}

static void plugin_token_sid__what_cannot_be_read__is_told(void **state)
{
	HANDLE blind = own_token(TOKEN_DUPLICATE), closed = own_token(TOKEN_QUERY);
	HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
	char sid[SID_TEXT_BYTES];

	(void)state;
	assert_true(CloseHandle(closed));
	assert_false(plugin_token_sid(blind, sid));
	assert_false(plugin_token_sid(event, sid));
	assert_false(plugin_token_sid(closed, sid));
	assert_false(plugin_token_sid(INVALID_HANDLE_VALUE, sid));
	assert_true(CloseHandle(blind));
	assert_true(CloseHandle(event));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(plugin_token_sid__token_of_a_user__is_the_users_and_stays_open),
	    cmocka_unit_test(plugin_token_sid__impersonation_token__is_read_the_same),
	    cmocka_unit_test(plugin_token_sid__what_cannot_be_read__is_told),
	};

	return cmocka_run_group_tests_name("plugin/token_windows", tests, NULL, NULL);
}
