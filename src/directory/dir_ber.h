/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking BER values apart, strictly: lengths are definite (RFC 4511 section 5.1), elements end where their sequence ends. It copies
 * nothing: spans point into the value. (Not by liblber, which does not hold the elements of a sequence to the sequence's end, and looks
 * at the byte behind the last one.) Pure.
 *
 * Threads: any.
 * Sources: X.690.
 */
#ifndef WSMAUTHZ_DIRECTORY_DIR_BER_H
#define WSMAUTHZ_DIRECTORY_DIR_BER_H

#include <base/compiler.h>
#include <stdbool.h>
#include <stddef.h>

/* Identifier octets. */
enum dir_ber_tag {
	DIR_BER_BOOLEAN = 0x01,
	DIR_BER_INTEGER = 0x02,
	DIR_BER_OCTETS = 0x04,
	DIR_BER_ENUMERATED = 0x0a,
	DIR_BER_SEQUENCE = 0x30,
	DIR_BER_SET = 0x31,
};

/* Bytes of the decoded value; `data` NULL: there are none. */
struct dir_span {
	const char *data;
	size_t length;
};

/** What stands behind the first `length` bytes, which are there. */
struct dir_span dir_span_skip(struct dir_span span, size_t length);

/** Whether the next element has this tag. */
bool dir_ber_is_next(struct dir_span span, int tag);

/** Take the next element, which must have this tag. False: `from` is of no more use. */
NODISCARD bool dir_ber_take(struct dir_span *from, int tag, struct dir_span *content_out);

/** An element that is the whole value. */
NODISCARD bool dir_ber_take_whole(const char *data, size_t length, int tag, struct dir_span *content_out);

#endif
