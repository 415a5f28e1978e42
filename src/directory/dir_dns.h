/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names as DNS messages write them, which CLDAP answers do too. Pure. What is read comes from anybody, so every step is checked.
 *
 * Sources: RFC 1035 sections 2.3.4, 3.1, 4.1.4; MS-ADTS 6.3.7 (the same compression, offsets from the begin of the structure).
 */
#ifndef WSMAUTHZ_DIRECTORY_DIR_DNS_H
#define WSMAUTHZ_DIRECTORY_DIR_DNS_H

#include <base/compiler.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* RFC 1035 2.3.4: 255 bytes on the wire are 253 characters with their dots; a NUL behind. */
#define DIR_DNS_NAME_BYTES  254
#define DIR_DNS_LABEL_BYTES 64

/**
 * Read a name, compressed or not.
 *
 * @param at   its place in the message; moved behind it on success. May be anything.
 * @param out  the labels joined by dots, without one behind; "" for the root. Untouched on failure.
 * @return false: it ends too early, points forward or at itself, is too long, or has a label with a NUL.
 */
NODISCARD bool dir_dns_read_name(const uint8_t *message, size_t length, size_t *at, char out[DIR_DNS_NAME_BYTES]);

/** Whether a text is a name that a host may have: labels of letters, digits, '-' and '_', not empty, 253 bytes at most. */
bool dir_dns_is_host(const char *name);

/** The same of one label. */
bool dir_dns_is_label(const char *name);

/** Whether `name` is `domain`, or beneath it; without regard to the case of A-Z. */
bool dir_dns_is_within(const char *name, const char *domain);

/** Big-endian numbers; the caller has checked that they are there. */
uint16_t dir_dns_u16(const uint8_t *at);
uint32_t dir_dns_u32(const uint8_t *at);

#endif
