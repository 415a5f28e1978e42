/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Building LDAP search filters. Values from outside go through filter_add_value, which escapes
 * every byte that is not an ASCII letter or digit: more than RFC 4515 asks for, and nothing left
 * to argue about.
 *
 * Sources: RFC 4515 section 3.
 */
#ifndef WSMAUTHZ_IDENTITY_FILTER_H
#define WSMAUTHZ_IDENTITY_FILTER_H

#include <base/error.h>
#include <base/text.h>
#include <stdbool.h>

/* Deeper nesting than this in a policy's own filter is refused. The outermost parentheses are 1. */
#define FILTER_MAX_DEPTH 32

/** Append an escaped assertion value. */
void filter_add_value(struct text *filter, const void *value, size_t length);

/** Append "(attribute=value)"; the attribute comes from the policy or from us, the value from outside. */
void filter_add_equality(struct text *filter, const char *attribute, const void *value, size_t length);

/** Whether a string is an attribute description: a name or OID, and options (RFC 4512 section 2.5). NULL is none. */
bool filter_is_attribute(const char *attribute);

/**
 * Whether a filter from a policy is well-formed by RFC 4515: one component, balanced, known
 * operators, names that are names, escapes of two hex digits, UTF-8, nothing behind it. Says where it is not.
 * Some libraries would let more pass (blanks between components, "(&)", "(cn=a**b)"); here it is refused,
 * because not all of them read it the same way.
 *
 * @return STATUS_OK, STATUS_INVALID, STATUS_LIMIT (too deep).
 */
NODISCARD enum status filter_check(const char *filter, struct error *error);

#endif
