/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text that came from outside, as a page may have it: it stays text, whatever is in it. Pure.
 *
 * Markup characters become references; what would not be seen, or would turn the line round (utf_is_control), is shown by
 * its number, "[U+202E]"; bytes that are not UTF-8 become U+FFFD, one each. Around a name goes <bdi>, so that one in Hebrew
 * leaves its neighbours alone.
 *
 * Sources: the HTML standard, sections 13.2.5 (tokenization) and 4.5.24 (bdi).
 */
#ifndef WSMAUTHZ_CLI_REPORT_HTML_H
#define WSMAUTHZ_CLI_REPORT_HTML_H

#include <base/text.h>
#include <stddef.h>
#include <stdint.h>

/** As the content of an element. */
void html_add(struct text *out, const char *value);
void html_add_bytes(struct text *out, const char *value, size_t length);

/** As an attribute's value, which stands in double quotes. Line ends stay (as references). */
void html_add_attribute(struct text *out, const char *value);

/** <bdi>value</bdi> */
void html_add_name(struct text *out, const char *value);

/** The same of a DN or a URI, which may be broken behind a comma, a colon or a slash. */
void html_add_long_name(struct text *out, const char *value);

/** A DN's first value, "WinRM Users" of "CN=WinRM Users,OU=...", as html_add. */
void html_add_short(struct text *out, const char *dn);

/** 1,234,567 */
void html_add_number(struct text *out, uint64_t number);

#endif
