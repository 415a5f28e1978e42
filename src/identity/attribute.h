/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of attributes and matching rules, as DNs and filters write them. Used within identity.
 *
 * Sources: RFC 4512 section 1.4 (oid = descr / numericoid) and 2.5 (attribute descriptions).
 */
#ifndef WSMAUTHZ_IDENTITY_ATTRIBUTE_H
#define WSMAUTHZ_IDENTITY_ATTRIBUTE_H

#include <stdbool.h>
#include <stddef.h>

/** Whether a character may stand in a name or a number of that kind at all. */
bool attribute_is_type_char(char c);

/** A short name ("givenName") or a dotted number ("2.5.4.42"), without options. */
bool attribute_is_type(const char *text, size_t length);

/** The same with options behind it ("cn;lang-de"). */
bool attribute_is_description(const char *text, size_t length);

#endif
