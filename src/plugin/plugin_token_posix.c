/* SPDX-License-Identifier: Apache-2.0 */
#include <plugin/plugin_token.h>

bool plugin_token_sid(HANDLE token, char sid_out[SID_TEXT_BYTES])
{
	(void)token;
	sid_out[0] = '\0';
	return true;
}
