/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <wchar.h>
#include <windows.h>

#include <sddl.h>

#define RULES_UNITS 200

/* FR and FW: what a file's mode lets others do. Wine keeps such rules as the mode of the file below. */
static const wchar_t *others(int mode)
{
	static const wchar_t *const rules[] = {L"",
					       L"",
					       L"(A;;FW;;;WD)",
					       L"(A;;FW;;;WD)",
					       L"(A;;FR;;;WD)",
					       L"(A;;FR;;;WD)",
					       L"(A;;FRFW;;;WD)",
					       L"(A;;FRFW;;;WD)"};

	return rules[mode & 7];
}

/* Not by SetNamedSecurityInfoW: that of Wine 8 adds what the folder's rules would pass on, although it is told not to. */
static bool set_rules(const wchar_t *path, const wchar_t *rules)
{
	PSECURITY_DESCRIPTOR descriptor = NULL;
	bool is_set;

	if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(rules, SDDL_REVISION_1, &descriptor, NULL))
		return false;
	is_set = SetFileSecurityW(path, DACL_SECURITY_INFORMATION, descriptor) != 0;
	(void)LocalFree(descriptor);
	return is_set;
}

/* The owner's part: the process's own user. */
static bool own_user(wchar_t **text_out)
{
	union {
		TOKEN_USER user;
		BYTE bytes[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
	} answer;
	HANDLE token = NULL;
	DWORD length = 0;
	bool is_known = false;

	if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
		return false;
	is_known = GetTokenInformation(token, TokenUser, &answer, sizeof(answer), &length) &&
		   ConvertSidToStringSidW(answer.user.User.Sid, text_out);
	(void)CloseHandle(token);
	return is_known;
}

int posix_chmod(const char *path, int mode)
{
	wchar_t wide[MAX_PATH], rules[RULES_UNITS];
	wchar_t *user = NULL;
	bool is_set = false;

	if (MultiByteToWideChar(CP_UTF8, 0, path, -1, wide, MAX_PATH) == 0 || !own_user(&user))
		return -1;
	(void)_snwprintf(rules, RULES_UNITS - 1, L"D:P(A;;FA;;;SY)(A;;FA;;;%ls)%ls", user, others(mode));
	rules[RULES_UNITS - 1] = L'\0';
	(void)LocalFree(user);
	is_set = set_rules(wide, rules);
	return is_set ? 0 : -1;
}
