/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Search filters (RFC 4515) for the fake directory: parsed, and evaluated with the three values of RFC 4511
 * section 4.5.1.7. Equality goes by the attribute's own rule: DNs as DNs, memberUid exactly,
 * objectClass with the superior classes, the rest without case.
 */
#ifndef TESTS_SUPPORT_FAKE_FILTER_H
#define TESTS_SUPPORT_FAKE_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <support/fake_directory.h>

struct fake_filter;

/** @return NULL when it is not a filter, or of a kind that slapd would take but this does not know (substrings). */
struct fake_filter *fake_filter_parse(const char *text);
void fake_filter_free(struct fake_filter **filter);

/** Whether the filter is TRUE for the entry. Hidden attributes do not exist. */
bool fake_filter_matches(const struct fake_filter *filter, const struct fake_entry *entry);

/** What equality of this attribute compares. Owned by the caller; NULL when the value breaks the syntax. */
char *fake_value_key(const char *attribute, const char *data, size_t length);

/** Whether an attribute is returned only when it is asked for by name or by '+'. */
bool fake_attribute_is_operational(const char *attribute);

#endif
