/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What differs between compilers, and nothing else. One of the three headers that may
 * ask which platform it is compiled for.
 */
#ifndef WSMAUTHZ_BASE_COMPILER_H
#define WSMAUTHZ_BASE_COMPILER_H

/* The result must be looked at. */
#define NODISCARD __attribute__((warn_unused_result))

/* printf-like: the format is parameter number `f`, its arguments begin at number `a`. */
#if defined(__MINGW32__)
#define PRINTF_LIKE(f, a) __attribute__((format(gnu_printf, f, a)))
#else
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#endif

/*
 * Lock discipline that clang checks (-Wthread-safety); other compilers ignore it. GUARDED_BY can name a
 * global lock only: in C, a member of a struct is not in scope there, so a struct says it in a comment
 * ("guards: ...") and its helpers say REQUIRES(object->lock).
 */
#if defined(__clang__)
#define THREAD_ANNOTATION(x) __attribute__((x))
#else
#define THREAD_ANNOTATION(x)
#endif

#define CAPABILITY(name) THREAD_ANNOTATION(capability(name))
#define GUARDED_BY(lock) THREAD_ANNOTATION(guarded_by(lock))
#define REQUIRES(lock)   THREAD_ANNOTATION(requires_capability(lock))
#define EXCLUDES(lock)   THREAD_ANNOTATION(locks_excluded(lock))
#define ACQUIRES(lock)   THREAD_ANNOTATION(acquire_capability(lock))
#define RELEASES(lock)   THREAD_ANNOTATION(release_capability(lock))
#define NO_LOCK_ANALYSIS THREAD_ANNOTATION(no_thread_safety_analysis)

/* The number of elements of an array (not of a pointer). */
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The struct that holds `member`, from a pointer to the member. */
#define CONTAINER_OF(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#endif
