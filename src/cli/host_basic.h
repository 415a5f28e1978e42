/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP's Basic credentials. Sources: RFC 7617 (2: user-id and password, the first colon parts them), RFC 4648 section 4. */
#ifndef WSMAUTHZ_CLI_HOST_BASIC_H
#define WSMAUTHZ_CLI_HOST_BASIC_H

#include <base/error.h>
#include <os/secret.h>

/* A name of 2048 units and a password of a kilobyte, in base64. */
#define HOST_BASIC_MAX_BYTES 12288

struct host_credentials {
	char *name;              /* owned; UTF-8 without control characters, not empty */
	struct secret *password; /* owned; not empty: a bind with an empty one proves nothing (RFC 4513 5.1.2) */
};

/**
 * @param header  the value of Authorization; NULL: there is none.
 * @return STATUS_OK; STATUS_NOT_FOUND (no Basic credentials); STATUS_INVALID (none that could be anybody's); STATUS_NO_MEMORY.
 */
NODISCARD enum status host_basic_read(const char *header, struct host_credentials *credentials_out);
void host_credentials_done(struct host_credentials *credentials);

#endif
