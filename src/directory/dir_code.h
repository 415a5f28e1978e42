/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words for LDAP result codes, in this module's messages. What a code means for the asker is
 * dir_outcome_of_code (dir_search.h); both read the one table in dir_code.c.
 *
 * Threads: any.
 */
#ifndef WSMAUTHZ_DIRECTORY_DIR_CODE_H
#define WSMAUTHZ_DIRECTORY_DIR_CODE_H

/** "size limit exceeded". Never NULL: an unknown code is "unknown result". */
const char *dir_code_text(int code);

#endif
