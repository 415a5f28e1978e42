/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening a connection, told step by step: what dir_conn_open does, for who wants to know how far it came and what it met there.
 *
 *	RESOLVE  the addresses of the host     nothing to do for a socket of this machine
 *	CONNECT  TCP
 *	SECURE   StartTLS, and the handshake   nothing to do in clear text
 *	BIND
 *
 * Implemented beside dir_conn_open, by the same code: what it tells is what the pool meets.
 */
#ifndef WSMAUTHZ_DIRECTORY_DIR_STEPS_H
#define WSMAUTHZ_DIRECTORY_DIR_STEPS_H

#include <base/compiler.h>
#include <base/error.h>
#include <config/config.h>
#include <directory/dir_certificate.h>
#include <directory/dir_conn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An address as people write it: "2001:db8::1". */
#define DIR_STEPS_ADDRESS_BYTES 64
/* "TLS1.3"; the name of a cipher. */
#define DIR_STEPS_WORD_BYTES 64

enum dir_step { DIR_STEP_RESOLVE = 0, DIR_STEP_CONNECT, DIR_STEP_SECURE, DIR_STEP_BIND, DIR_STEP_DONE };

struct dir_steps {
	enum dir_step reached; /* the step that failed; DIR_STEP_DONE: none did */
	uint64_t took_us[DIR_STEP_DONE];

	bool is_local;                         /* ldapi: a socket of this machine */
	size_t address_count;                  /* that the host has; 0 for a socket of this machine */
	char address[DIR_STEPS_ADDRESS_BYTES]; /* connected to, or the last that was tried; "" when there is none */
	bool is_loopback;                      /* ... is this machine's own */

	bool is_tls;
	char tls_version[DIR_STEPS_WORD_BYTES],
	    tls_cipher[DIR_STEPS_WORD_BYTES]; /* "" where the library does not say */
	bool has_certificate;                 /* it could be read */
	struct dir_certificate certificate;   /* the server's, when it was accepted */
};

/**
 * As dir_conn_open, and tells.
 *
 * @param steps_out  filled also when it fails.
 */
NODISCARD enum status dir_steps_open(const struct config_directory *directory, const char *uri, uint64_t deadline_ms,
				     struct dir_steps *steps_out, struct dir_conn **conn_out, struct error *error);

/** "finding the host's address", ...: what a step does. Never NULL. */
const char *dir_step_word(enum dir_step step);

#endif
