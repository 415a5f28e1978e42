/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of one connection: a socket, and the lowest layer of a libldap connection on top of it.
 *
 * libldap's own layer blocks, or spins, when a server stops in the middle of a TLS handshake, of a
 * record or of a message (2.5.13: ldap_int_poll() makes the socket blocking again after each wait of the
 * handshake, and without asynchronous connects the handshake does not wait at all). So the socket is ours,
 * and every read and write ends at a deadline of the monotonic clock:
 *
 *	dir_io_connect      connect, within the deadline
 *	dir_io_attach       become the lowest layer of a handle
 *	dir_io_patient      what libldap does next (a TLS handshake) may wait in reads until the deadline
 *	dir_io_prompt       reads take what is there; writes may wait until the deadline
 *	dir_io_wait         wait for something to read, until the deadline
 *
 * Writes never raise SIGPIPE (MSG_NOSIGNAL).
 *
 * Threads: the connection's own.
 */
#ifndef WSMAUTHZ_DIRECTORY_DIR_IO_H
#define WSMAUTHZ_DIRECTORY_DIR_IO_H

#include <base/compiler.h>
#include <base/error.h>
#include <lber.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Read ahead: a small answer takes one system call instead of two. */
#define DIR_IO_BUFFER_BYTES 16384

/* An address as people write it. */
#define DIR_IO_ADDRESS_BYTES 64

struct dir_io {
	int fd; /* owned; -1 when there is none */
	uint64_t deadline_ms;
	bool is_patient;
	bool timed_out; /* a read or write met the deadline: the stream is torn, the connection of no more use */
	bool is_dead;   /* nothing is read or written any more, not even a farewell */
	unsigned empty_reads;
	uint64_t received; /* bytes, since the connect */
	/* of the connect, for who wants to tell: */
	uint64_t resolved_us; /* when the host's addresses were known (clock_monotonic_us()); 0: they are not */
	size_t address_count;
	char address[DIR_IO_ADDRESS_BYTES]; /* the one that was tried last */
	bool is_loopback;                   /* ... is this machine's own */
	bool is_local;                      /* a socket in the file system */
	int first_byte;    /* that arrived since the connect, or the last dir_io_patient; -1: none has */
	size_t start, end; /* what of the buffer was not taken yet */
	char buffer[DIR_IO_BUFFER_BYTES];
};

void dir_io_init(struct dir_io *io);

/** Closes the socket. May be called twice. */
void dir_io_done(struct dir_io *io);

/**
 * Connect by TCP, to each address of the host in turn; name resolution is the system's and may take longer than the deadline.
 *
 * @param host  a name, or an address without brackets.
 * @return STATUS_OK, STATUS_TIMEOUT, STATUS_UNREACHABLE.
 */
NODISCARD enum status dir_io_connect(struct dir_io *io, const char *host, unsigned port, uint64_t deadline_ms,
				     struct error *error);

/** Connect to a socket in the file system (ldapi). @return STATUS_OK, STATUS_TIMEOUT, STATUS_UNREACHABLE, STATUS_INVALID (path too long). */
NODISCARD enum status dir_io_connect_local(struct dir_io *io, const char *path, uint64_t deadline_ms,
					   struct error *error);

/** Become the lowest layer of a libldap connection that has none; `io` must outlive it. 0, or -1 without memory. */
NODISCARD int dir_io_attach(struct dir_io *io, Sockbuf *sockbuf);

void dir_io_patient(struct dir_io *io, uint64_t deadline_ms);
void dir_io_prompt(struct dir_io *io, uint64_t deadline_ms);

/** Wait for bytes. True: some are there, or the connection ended; false: the deadline came. */
bool dir_io_wait(struct dir_io *io, uint64_t deadline_ms);

/** True when a write would be taken at once. */
bool dir_io_is_writable(const struct dir_io *io);

#endif
