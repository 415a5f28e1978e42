/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the fake directory compares strings and names: about as slapd does, which was measured. Case of
 * ASCII, Latin, Greek and Cyrillic letters, full-width forms, composed and decomposed accents, NBSP and runs
 * of blanks make no difference; sharp s and "ss", dotted I and i, final and other sigma do.
 *
 * The tests' own memory comes from here and not from base/memory.h: a test that makes allocations
 * fail wants to hit the product, never the fake. Running out ends the test.
 */
#ifndef TESTS_SUPPORT_FAKE_TEXT_H
#define TESTS_SUPPORT_FAKE_TEXT_H

#include <base/compiler.h>
#include <stdbool.h>
#include <stddef.h>

/** Zeroed memory (free(3)); never NULL. */
void *fake_new(size_t count, size_t size);
/** Room for `needed` elements of `size` bytes in a growing array; returns the array, perhaps moved. */
void *fake_reserve(void *array, size_t *capacity, size_t needed, size_t size);
char *fake_copy(const char *data, size_t length);
char *fake_format(const char *format, ...) PRINTF_LIKE(1, 2);

/** The form in which two strings are equal when a case-ignore rule says so. Owned by the caller. */
char *fake_fold(const char *data, size_t length);

/**
 * The form in which two DNs are equal when the server says so; ends in the parent's form.
 * "" for the empty DN. @return owned by the caller; NULL when it is not a DN.
 */
char *fake_dn_key(const char *dn, size_t length);

/**
 * A DN as slapd writes it back: the schema's attribute names, no blanks around ',' '=' '+', special
 * characters as \HH, everything else as it was written. @return owned by the caller; NULL when it is not a DN.
 */
char *fake_dn_pretty(const char *dn, size_t length);

/** The first attribute and value of a DN's first RDN, unescaped; both owned by the caller. */
bool fake_dn_naming(const char *dn, char **attribute_out, char **value_out);

/** Whether `key` is `base` or beneath it (both made by fake_dn_key). */
bool fake_dn_is_within(const char *key, const char *base);

/** The key of the parent: a pointer into `key`; "" at the top. */
const char *fake_dn_parent(const char *key);

/** The schema's spelling of an attribute type: "2.5.4.3" and "CommonName" are "cn". Owned by the caller. */
char *fake_type_name(const char *type, size_t length);

#endif
