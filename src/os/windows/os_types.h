/* SPDX-License-Identifier: Apache-2.0 */
/* The types behind os/thread.h on Windows: what SRWLOCK, CONDITION_VARIABLE and HANDLE are. */
#ifndef WSMAUTHZ_OS_TYPES_H
#define WSMAUTHZ_OS_TYPES_H

typedef void *os_mutex;
typedef void *os_condition;
typedef void *os_thread;

/* A lock that is there before anything runs: needs no mutex_init. SRWLOCK_INIT. */
#define OS_MUTEX_INITIALIZER ((void *)0)

#endif
