/* SPDX-License-Identifier: Apache-2.0 */
/* The edge between the host's UTF-16 and our UTF-8. Everything that crosses it is bounded and checked here. */
#ifndef WSMAUTHZ_PLUGIN_PLUGIN_TEXT_H
#define WSMAUTHZ_PLUGIN_PLUGIN_TEXT_H

#include <base/error.h>
#include <stddef.h>
#include <wsmauthz/wsman.h>

/**
 * A string of the host's as UTF-8.
 *
 * @param units       NUL-terminated; at most `limit_units` + 1 units of it are read. NULL gives NULL.
 * @param text_out    owned by the caller (memory_free); NULL when `units` is NULL.
 * @param length_out  bytes, without the terminator; may be NULL.
 * @return STATUS_OK, STATUS_LIMIT (longer than the limit), STATUS_INVALID (an unpaired surrogate), STATUS_NO_MEMORY.
 */
NODISCARD enum status plugin_text_read(PCWSTR units, size_t limit_units, char **text_out, size_t *length_out);

/**
 * UTF-8 for the host.
 *
 * @param units_out  NUL-terminated; owned by the caller (memory_free).
 * @return STATUS_OK, STATUS_INVALID (not UTF-8), STATUS_NO_MEMORY.
 */
NODISCARD enum status plugin_text_write(const char *text, WCHAR **units_out);

#endif
