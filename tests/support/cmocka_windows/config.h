/* SPDX-License-Identifier: Apache-2.0 */
/* What cmocka's own build would find out about mingw-w64. */
#ifndef WSMAUTHZ_TESTS_SUPPORT_CMOCKA_WINDOWS_CONFIG_H
#define WSMAUTHZ_TESTS_SUPPORT_CMOCKA_WINDOWS_CONFIG_H

#define HAVE_INTTYPES_H               1
#define HAVE_IO_H                     1
#define HAVE_MALLOC_H                 1
#define HAVE_MEMORY_H                 1
#define HAVE_SETJMP_H                 1
#define HAVE_SIGNAL_H                 1
#define HAVE_STDARG_H                 1
#define HAVE_STDDEF_H                 1
#define HAVE_STDINT_H                 1
#define HAVE_STDIO_H                  1
#define HAVE_STDLIB_H                 1
#define HAVE_STRING_H                 1
#define HAVE_TIME_H                   1
#define HAVE_CALLOC                   1
#define HAVE_EXIT                     1
#define HAVE_FPRINTF                  1
#define HAVE_FREE                     1
#define HAVE_LONGJMP                  1
#define HAVE_MALLOC                   1
#define HAVE_MEMCPY                   1
#define HAVE_MEMSET                   1
#define HAVE_PRINTF                   1
#define HAVE_SETJMP                   1
#define HAVE_SIGNAL                   1
#define HAVE_SNPRINTF                 1
#define HAVE_STRCMP                   1
#define HAVE_VSNPRINTF                1
#define HAVE_GCC_THREAD_LOCAL_STORAGE 1

#endif
