/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sources: learn.microsoft.com/windows/win32/winrm (iis-host-plug-in-configuration), .../win32/eventlog (event-sources),
 * .../win32/api/winbase (LookupAccountSidW).
 */
#include <base/error.h>
#include <base/memory.h>
#include <base/sid.h>
#include <cli/doctor_host.h>
#include <cli/wide_text.h>
#include <plugin/plugin_token.h>
#include <stdio.h>
#include <windows.h>

#define EVENT_SOURCE  L"SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\wsmauthz"
#define INSTALL       "install wsmauthz.msi, or name wsmauthz.dll as the source's EventMessageFile in the registry"
#define MODULE        L"%SystemRoot%\\System32\\wsmsvc.dll"
#define SCHEMA        L"%SystemRoot%\\System32\\inetsrv\\config\\schema\\wsmanconfig_schema.xml"
#define INSTALL_IIS   "Install-WindowsFeature WinRM-IIS-Ext; conf/README.md has the steps"
#define PATH_UNITS    1024
#define ACCOUNT_UNITS 512
#define ACCOUNT_BYTES (2 * ACCOUNT_UNITS * WIDE_TEXT_UNIT_BYTES + 2)

bool doctor_has_windows_host(const struct doctor *doctor)
{
	(void)doctor;
	return true;
}

/* "DOMAIN\user"; false when nobody knows a name for the token's SID. */
static bool read_account(HANDLE token, char out[ACCOUNT_BYTES])
{
	union {
		TOKEN_USER user;
		char room[sizeof(TOKEN_USER) + SID_BINARY_BYTES];
	} answer;
	WCHAR name[ACCOUNT_UNITS], domain[ACCOUNT_UNITS];
	DWORD length, name_units = ACCOUNT_UNITS, domain_units = ACCOUNT_UNITS;
	SID_NAME_USE use;
	size_t used;

	if (!GetTokenInformation(token, TokenUser, &answer, sizeof(answer), &length) ||
	    !LookupAccountSidW(NULL, answer.user.User.Sid, name, &name_units, domain, &domain_units, &use))
		return false;
	used = wide_text_into(domain, wcslen(domain), out);
	out[used++] = '\\';
	used += wide_text_into(name, wcslen(name), out + used);
	out[used] = '\0';
	return true;
}

void doctor_host_identity(struct doctor *doctor)
{
	char account[ACCOUNT_BYTES] = "somebody without a name", sid[SID_TEXT_BYTES] = "";
	HANDLE token;

	if (OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) {
		if (!plugin_token_sid(token, sid))
			sid[0] = '\0';
		(void)read_account(token, account);
		(void)CloseHandle(token);
	}
	doctor_tell(doctor, DOCTOR_OK, NULL, NULL,
		    "this program runs as %s (%s), %u bits; the plug-in asks as its application pool's identity",
		    account, sid, (unsigned)(8 * sizeof(void *)));
}

static bool is_file(const WCHAR *path)
{
	const DWORD attributes = GetFileAttributesW(path);

	return attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY) == 0;
}

void doctor_host_events(struct doctor *doctor)
{
	WCHAR path[PATH_UNITS];
	DWORD bytes = sizeof(path);
	char *shown;

	if (RegGetValueW(HKEY_LOCAL_MACHINE, EVENT_SOURCE, L"EventMessageFile", RRF_RT_REG_SZ, NULL, path, &bytes) !=
	    ERROR_SUCCESS) {
		doctor_tell(
		    doctor, DOCTOR_WARNING, NULL, INSTALL,
		    "the Event Log has no source 'wsmauthz': events are written, but shown without their words");
		return;
	}
	shown = wide_text(path);
	if (is_file(path))
		doctor_tell(doctor, DOCTOR_OK, NULL, NULL, "the Event Log's source 'wsmauthz' has its messages in '%s'",
			    shown != NULL ? shown : "");
	else
		doctor_tell(doctor, DOCTOR_WARNING, NULL, INSTALL,
			    "the Event Log's source 'wsmauthz' has its messages in '%s', and there is no such file",
			    shown != NULL ? shown : "");
	memory_free(shown);
}

static bool has_file(const WCHAR *expandable)
{
	WCHAR path[PATH_UNITS];
	const DWORD units = ExpandEnvironmentStringsW(expandable, path, PATH_UNITS);

	return units > 0 && units <= PATH_UNITS && is_file(path);
}

void doctor_host_iis(struct doctor *doctor)
{
	if (!has_file(MODULE))
		doctor_tell(doctor, DOCTOR_WARNING, NULL, INSTALL_IIS,
			    "this system has no WinRM (System32\\wsmsvc.dll): nothing here would load the plug-in");
	else if (!has_file(SCHEMA))
		doctor_tell(doctor, DOCTOR_WARNING, NULL, INSTALL_IIS,
			    "IIS does not host WinRM here: it has no wsmanconfig_schema.xml (the feature WinRM IIS "
			    "Extension), and the WinRM service itself loads no authorization plug-in");
	else
		doctor_tell(doctor, DOCTOR_OK, NULL, NULL, "IIS can host WinRM here");
}
