/* SPDX-License-Identifier: Apache-2.0 */
/* A sender's name on its way to the plug-in, which takes what WinRM has: UTF-16 with a NUL at its end. */
#ifndef WSMAUTHZ_CLI_SENDER_UNITS_H
#define WSMAUTHZ_CLI_SENDER_UNITS_H

#include <base/compiler.h>
#include <stddef.h>
#include <wsmauthz/wsman.h>

/**
 * What no UTF-16 string can hold becomes an unpaired surrogate, which the plug-in refuses: each
 * byte that is not UTF-8, and NUL, at which the name would seem to end. So a broken name is never
 * mistaken for another, whole one.
 *
 * @return NUL-terminated, owned by the caller (memory_free); NULL when memory ran out.
 */
NODISCARD WCHAR *sender_units(const char *name, size_t length);

/** A constant string of the command line, by the same rule. */
NODISCARD WCHAR *sender_units_of(const char *text);

#endif
