/* SPDX-License-Identifier: Apache-2.0 */
/* Whose token a sender came with. */
#ifndef WSMAUTHZ_PLUGIN_PLUGIN_TOKEN_H
#define WSMAUTHZ_PLUGIN_PLUGIN_TOKEN_H

#include <base/compiler.h>
#include <base/sid.h>
#include <stdbool.h>
#include <wsmauthz/wsman.h>

/**
 * The SID of a token's user. The token is the host's: it is neither kept nor closed. No more is asked of it: the name of the
 * account is the directory's affair, and Windows might ask a domain controller for it.
 *
 * @param token    not NULL.
 * @param sid_out  "S-1-5-21-..."; "" where the system's tokens have no SID (POSIX).
 * @return false: it is no token, or it does not let itself be read (TOKEN_QUERY).
 *
 * Threads: any; asks the system alone, and no file or server.
 * Sources: learn.microsoft.com/windows/win32/api/securitybaseapi (GetTokenInformation, TokenUser).
 */
NODISCARD bool plugin_token_sid(HANDLE token, char sid_out[SID_TEXT_BYTES]);

#endif
