/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Distinguished names, compared as far as we can compare them ourselves.
 *
 * Servers match names by rules that no client can repeat exactly (slapd folds full-width forms,
 * NBSP and the case of non-ASCII letters, and composes NFD; it keeps sharp s and dotted I apart).
 * So a name is compared by us only when that is safe:
 *
 *   own      the DN that an entry shows for itself: one spelling per entry, whatever it holds.
 *   plain    a DN written by somebody (a member value, a policy) that every server shows as it
 *            was written, but for case and blanks: each RDN one `type=value`, the type a short name that
 *            ignores case (cn, ou, uid, dc...: the list is in dn.c), the value not empty, of
 *            printable ASCII, with no escape and none of `" # + ; < = > ? \` (servers show these
 *            escaped, each in its own way). It has the same key as the entry's own DN.
 *   foreign  any other DN: only the server can say whose name it is (a base read gives the own DN).
 *
 * The key of a DN is a text. Types are in lower case, blanks around ',', '+' and '=' are dropped, hex pairs
 * are in lower case. In values of types that ignore case ASCII letters are in lower case as well and inner
 * runs of blanks are one blank; what stands behind a backslash is never touched. The values of other
 * types are kept to the letter, because krbPrincipalName=A and krbPrincipalName=a may be two entries. Equal
 * keys of own and plain DNs mean the same entry.
 *
 * Blanks around ',', '+' and '=' are taken for what they are to every server: nothing. (RFC 4514 has none,
 * RFC 2253 section 4 had them, people write them.)
 *
 * Sources: RFC 4514; RFC 4518 section 2.6.1 (insignificant space); RFC 4519, RFC 4524 (equality rules of the
 * listed types); what slapd does was measured; Samba escapes '#' and '?' anywhere.
 */
#ifndef WSMAUTHZ_IDENTITY_DN_H
#define WSMAUTHZ_IDENTITY_DN_H

#include <base/error.h>
#include <base/text.h>
#include <stdbool.h>
#include <stddef.h>

/* No directory we know of takes longer names; longer ones from a policy are refused. */
#define DN_MAX_BYTES 8192

enum dn_kind {
	DN_INVALID = 0, /* not a DN */
	DN_PLAIN,       /* may be compared by its key */
	DN_FOREIGN,     /* must be resolved by the server first */
};

/**
 * What a DN written by somebody is.
 *
 * @param key_out  text_clear()ed first; gets the key when the answer is DN_PLAIN and is empty otherwise.
 *                 May be NULL. Ask text_failed(key_out) afterwards.
 */
enum dn_kind dn_classify(const char *dn, size_t length, struct text *key_out);

/**
 * The key of a DN that an entry showed as its own. What is no DN is its own key, to the letter.
 *
 * @param key_out  text_clear()ed first. Ask text_failed(key_out) afterwards.
 */
void dn_own_key(const char *dn, size_t length, struct text *key_out);

/**
 * Whether `dn` is well-formed by RFC 4514 (blanks around separators are allowed); says where it is
 * not. The empty DN is not.
 *
 * @return STATUS_OK, STATUS_INVALID, STATUS_LIMIT (longer than DN_MAX_BYTES).
 */
NODISCARD enum status dn_check(const char *dn, struct error *error);

/**
 * The parent's part of a DN ("ou=people,dc=x" of "uid=a\,b,ou=people,dc=x"), escapes respected.
 * @return a pointer into `dn`; NULL when there is no parent.
 */
const char *dn_parent(const char *dn);

/** Append a value escaped for use in a DN (RFC 4514 section 2.4). Bytes that are not UTF-8 become hex pairs. */
void dn_add_value(struct text *dn, const void *value, size_t length);

#endif
