/* SPDX-License-Identifier: Apache-2.0 */
/* Text that came from outside, as a terminal may have it: control characters and what is not UTF-8 become U+FFFD. */
#ifndef WSMAUTHZ_CLI_SHOWN_H
#define WSMAUTHZ_CLI_SHOWN_H

#include <base/text.h>
#include <stddef.h>
#include <stdint.h>

#define SHOWN_REPLACEMENT 0xFFFDu

/** Append a code point; UTF_INVALID and control characters give the replacement. */
void shown_add_code_point(struct text *out, uint32_t code_point);

/** Append bytes. */
void shown_add(struct text *out, const char *data, size_t length);

/** How many columns they take, as far as that is told by the number of code points. */
size_t shown_columns(const char *data, size_t length);

/** The length of a DN's first part, up to its first comma that is not escaped: enough for people. */
size_t shown_first_part(const char *dn);

#endif
