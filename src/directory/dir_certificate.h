/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server's certificate says: its dates, and its names. With libldap this is for messages alone, and accepting certificates the TLS
 * library's affair; on Windows the name that it must have is looked for here (dir_trust.h).
 *
 * The input comes from a server that was not accepted, so it is any bytes.
 *
 * Sources: RFC 5280 (4.1 the fields, 4.2.1.6 subjectAltName); X.690 (DER).
 * Threads: any.
 */
#ifndef WSMAUTHZ_DIRECTORY_DIR_CERTIFICATE_H
#define WSMAUTHZ_DIRECTORY_DIR_CERTIFICATE_H

#include <stdbool.h>
#include <stddef.h>

/* "YYYYMMDDHHMMSS" and a NUL: UTC, comparable with strcmp. */
#define DIR_CERTIFICATE_TIME_BYTES 15
/* Room for the names in a message; more are left out. */
#define DIR_CERTIFICATE_NAMES_BYTES 160

struct dir_certificate {
	char not_before[DIR_CERTIFICATE_TIME_BYTES];
	char not_after[DIR_CERTIFICATE_TIME_BYTES];
	char names[DIR_CERTIFICATE_NAMES_BYTES]; /* "a.example, b.example, 10.0.0.1"; printable ASCII; may be "" */
	bool has_names;                          /* it has DNS names or addresses at all */
	bool has_host;                           /* the host that was asked for is among its names */
};

/**
 * Read a certificate.
 *
 * @param der   one X.509 certificate.
 * @param host  the name to look for: a DNS name, or an address as inet_ntop(3) writes it.
 * @return false when it is not one that we understand; `out` is untouched then.
 */
bool dir_certificate_read(const void *der, size_t length, const char *host, struct dir_certificate *out);

#endif
