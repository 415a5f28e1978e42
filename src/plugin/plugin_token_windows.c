/* SPDX-License-Identifier: Apache-2.0 */
#include <plugin/plugin_token.h>
#include <stddef.h>
#include <stdint.h>

bool plugin_token_sid(HANDLE token, char sid_out[SID_TEXT_BYTES])
{
	union {
		TOKEN_USER user;
		uint8_t room[sizeof(TOKEN_USER) + SID_BINARY_BYTES];
	} answer;
	DWORD length = 0;
	struct sid sid;

	if (!GetTokenInformation(token, TokenUser, &answer, sizeof(answer), &length))
		return false;
	if (!IsValidSid(answer.user.User.Sid) ||
	    !sid_parse_binary(answer.user.User.Sid, GetLengthSid(answer.user.User.Sid), &sid))
		return false;
	sid_format(&sid, sid_out);
	return true;
}
