/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How functions fail.
 *
 * A function that can fail returns `enum status` and takes `struct error *error` as its last
 * parameter (NULL when the caller does not care for the words). It fills the error only when it
 * fails and leaves its outputs untouched then. The error lives on the caller's stack: no
 * allocation, no globals, no thread-locals.
 *
 *	if (fd < 0)
 *		return error_system(error, STATUS_UNREACHABLE, errno, "could not open '%s'", path);
 *
 * `what` says what happened and where; `hint` says what an administrator can do about it.
 */
#ifndef WSMAUTHZ_BASE_ERROR_H
#define WSMAUTHZ_BASE_ERROR_H

#include <base/compiler.h>

#define ERROR_TEXT_BYTES 512

enum status {
	STATUS_OK = 0,
	STATUS_NO_MEMORY,   /* an allocation failed */
	STATUS_INVALID,     /* input that is not of the form it must have */
	STATUS_LIMIT,       /* a named limit was reached, ours or the server's */
	STATUS_TIMEOUT,     /* the deadline passed */
	STATUS_UNREACHABLE, /* the other side could not be reached, or went away */
	STATUS_REFUSED,     /* the other side, or a permission, said no */
	STATUS_NOT_FOUND,   /* the thing asked for does not exist */
	STATUS_CANCELLED,   /* we are shutting down */
	STATUS_INTERNAL,    /* a promise of ours or of a library was broken */
};

/* Whose number `native` is. */
enum error_origin {
	ERROR_ORIGIN_NONE = 0,
	ERROR_ORIGIN_SYSTEM, /* errno on POSIX, GetLastError() on Windows */
	ERROR_ORIGIN_LDAP,   /* a result code of RFC 4511 section 4.1.9, or the library's own */
};

struct error {
	enum status status;
	enum error_origin origin;
	long native;
	char what[ERROR_TEXT_BYTES];
	char hint[ERROR_TEXT_BYTES]; /* may be empty */
};

/** Set `what` and the status, clear hint and number, and return the status. `error` may be NULL. */
enum status error_set(struct error *error, enum status status, const char *format, ...) PRINTF_LIKE(3, 4);

/** As error_set, and appends the system's text for `number` (an errno on POSIX), which becomes `native`. */
enum status error_system(struct error *error, enum status status, int number, const char *format, ...)
    PRINTF_LIKE(4, 5);

/** The common case of no memory. Returns STATUS_NO_MEMORY. */
enum status error_no_memory(struct error *error);

/**
 * Add the remedy to an error that is set. Returns `status`, so that it can stand around the call that set it:
 *
 *	return error_hint(error, error_set(error, STATUS_REFUSED, "..."), "chmod ...");
 */
enum status error_hint(struct error *error, enum status status, const char *format, ...) PRINTF_LIKE(3, 4);

/** Remember whose number caused it. */
void error_native(struct error *error, enum error_origin origin, long native);

/** Put the circumstance before the cause: "while reading group 'x': <what>". */
void error_prefix(struct error *error, const char *format, ...) PRINTF_LIKE(2, 3);

/** A short English word for a status ("timeout"), for logs. Never NULL. */
const char *status_word(enum status status);

#endif
