/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands in for src/directory/dir_waiver_none.c at link time, in programs for Wine alone: its wldap32 takes no option that secures a connection,
 * checks no certificate, and crashes where a bind names nobody.
 *
 * WINE_BIND_USER, WINE_BIND_DOMAIN, WINE_BIND_PASSWORD: who binds by "negotiate".
 */
#include <directory/dir_waiver.h>

#include <stddef.h>
#include <stdlib.h>
#include <wchar.h>
#include <windows.h>

#include <rpc.h>

bool dir_waiver_is_given(void)
{
	return true;
}

static USHORT *text_of(const wchar_t *name, ULONG *length_out)
{
	wchar_t *text = _wgetenv(name);

	*length_out = text != NULL ? (ULONG)wcslen(text) : 0;
	return text;
}

void *dir_waiver_identity(void)
{
	static SEC_WINNT_AUTH_IDENTITY_W identity;

	identity.User = text_of(L"WINE_BIND_USER", &identity.UserLength);
	identity.Domain = text_of(L"WINE_BIND_DOMAIN", &identity.DomainLength);
	identity.Password = text_of(L"WINE_BIND_PASSWORD", &identity.PasswordLength);
	identity.Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE;
	return &identity;
}
