/* SPDX-License-Identifier: Apache-2.0 */
#include <support/host_token.h>

HANDLE host_token(void)
{
	static volatile PVOID token;
	HANDLE opened = NULL;

	/* Several threads may open it at once: the first one's stays. */
	if (token == NULL &&
	    OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY | TOKEN_DUPLICATE | TOKEN_IMPERSONATE, &opened) &&
	    InterlockedCompareExchangePointer(&token, opened, NULL) != NULL)
		(void)CloseHandle(opened);
	return token;
}
