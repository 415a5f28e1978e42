/* SPDX-License-Identifier: Apache-2.0 */
#include <support/host_token.h>

HANDLE host_token(void)
{
	static char token;

	return &token;
}
