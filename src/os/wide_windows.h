/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8, which is spoken inside, as the UTF-16 that Windows' functions take. Threads: any. */
#ifndef WSMAUTHZ_OS_WIDE_WINDOWS_H
#define WSMAUTHZ_OS_WIDE_WINDOWS_H

#include <base/compiler.h>
#include <base/error.h>
#include <wchar.h>

/**
 * A path or another text for a function whose name ends in W.
 * @param text_out  NUL-terminated; owned by the caller (memory_free).
 * @return STATUS_OK, STATUS_INVALID (not UTF-8), STATUS_NO_MEMORY.
 */
NODISCARD enum status wide_from_utf8(const char *text, wchar_t **text_out, struct error *error);

#endif
