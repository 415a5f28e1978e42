/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests take of POSIX and mingw-w64 does not have, so that the same tests run on Windows: included before everything else
 * there (tests/CMakeLists.txt). Nothing of the product sees it.
 */
#ifndef WSMAUTHZ_TESTS_SUPPORT_POSIX_WINDOWS_H
#define WSMAUTHZ_TESTS_SUPPORT_POSIX_WINDOWS_H

/* An old name that <io.h> still has, and several tests have too. */
#define tell posix_tell
#include <direct.h>
#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#undef tell

/* Handles are not inherited as descriptors are; and bytes are bytes. */
#define O_CLOEXEC O_BINARY

/* The C library's takes no mode: there is none. */
#define mkdir(path, mode) _mkdir(path)

/* The permissions that a mode stands for, as rules: its owner, and everybody where it has bits for others. 0, or -1. */
int posix_chmod(const char *path, int mode);
#define chmod(path, mode) posix_chmod((path), (mode))

/* The last six bytes of `path` are replaced; NULL: it could not be made. */
static inline char *mkdtemp(char *path)
{
	return _mktemp(path) != NULL && _mkdir(path) == 0 ? path : NULL;
}

#endif
