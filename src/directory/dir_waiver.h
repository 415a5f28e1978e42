/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a build for tests may do without where the platform has it not: Wine's wldap32 takes no option that secures a connection, checks no
 * certificate, and crashes in a bind by the process's own identity. The product waives nothing (dir_waiver_none.c). A test links another
 * object in its place (tests/support/dir_waiver_wine.c), into a file of another name; no policy, variable or option can.
 *
 * Threads: any.
 */
#ifndef WSMAUTHZ_DIRECTORY_DIR_WAIVER_H
#define WSMAUTHZ_DIRECTORY_DIR_WAIVER_H

#include <stdbool.h>

/** True: an option that secures the connection may be refused by the library, and a certificate that it did not show is believed. */
bool dir_waiver_is_given(void);

/**
 * Who binds by the mechanism "negotiate".
 * @return a SEC_WINNT_AUTH_IDENTITY_W of static lifetime; NULL: the process, by its own identity.
 */
void *dir_waiver_identity(void);

#endif
