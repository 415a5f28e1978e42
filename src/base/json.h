/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing JSON (RFC 8259), one line an object.
 *
 *	json_begin(&text);                          {
 *	json_text(&text, "sender", sender);         "sender":"CORP\\alice",
 *	json_null(&text, "redirect_uri");           "redirect_uri":null
 *	json_end(&text);                            }
 *
 * Strings are escaped so that the line stays one line and pure: control characters, quotes,
 * backslashes and whatever else utf_is_control() names as escapes; bytes that are not UTF-8 become
 * U+FFFD, one each.
 */
#ifndef WSMAUTHZ_BASE_JSON_H
#define WSMAUTHZ_BASE_JSON_H

#include <base/text.h>
#include <stdbool.h>
#include <stdint.h>

void json_begin(struct text *out);
void json_end(struct text *out);

/** A member with a string value; NULL gives null. */
void json_text(struct text *out, const char *name, const char *value);
/** The same for a counted string that may hold any byte, NUL too. */
void json_bytes(struct text *out, const char *name, const char *value, size_t length);
void json_number(struct text *out, const char *name, uint64_t value);
void json_bool(struct text *out, const char *name, bool value);
void json_null(struct text *out, const char *name);
/** A member with an array of strings; `count` 0 gives []. */
void json_text_array(struct text *out, const char *name, const char *const *values, size_t count);

/** A member that may be negative. */
void json_signed(struct text *out, const char *name, int64_t value);

/** A member that is an object, or an array; ended by json_end, json_end_array. */
void json_begin_member(struct text *out, const char *name);
void json_begin_array(struct text *out, const char *name);
/** The next element of an array follows: an object (json_begin), a string (json_add_string), an array ("["). */
void json_next(struct text *out);
void json_end_array(struct text *out);

/** Only a string in quotes, escaped as above. */
void json_add_string(struct text *out, const char *value, size_t length);

#endif
