/* SPDX-License-Identifier: Apache-2.0 */
/* The types behind os/thread.h on POSIX systems. */
#ifndef WSMAUTHZ_OS_TYPES_H
#define WSMAUTHZ_OS_TYPES_H

#include <pthread.h>

typedef pthread_mutex_t os_mutex;
typedef pthread_cond_t os_condition;
typedef pthread_t os_thread;

/* A lock that is there before anything runs: needs no mutex_init. */
#define OS_MUTEX_INITIALIZER PTHREAD_MUTEX_INITIALIZER

#endif
