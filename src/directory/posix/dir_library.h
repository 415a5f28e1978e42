/* SPDX-License-Identifier: Apache-2.0 */
/* The LDAP library of this system, for files that are the same on top of either. */
#ifndef WSMAUTHZ_DIRECTORY_DIR_LIBRARY_H
#define WSMAUTHZ_DIRECTORY_DIR_LIBRARY_H

#include <directory/dir_conn_libldap.h>

#endif
