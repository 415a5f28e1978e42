/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `host --listen`: a small HTTP front with the plug-in behind it, to be tried with curl or a WinRM client. It serves until
 * SIGINT or SIGTERM. Built with libmicrohttpd (host_listen_microhttpd.c), or not at all (host_listen_none.c).
 *
 * In the clear it listens on the loopback alone: passwords come with each request.
 */
#ifndef WSMAUTHZ_CLI_HOST_LISTEN_H
#define WSMAUTHZ_CLI_HOST_LISTEN_H

#include <base/error.h>
#include <cli/host_http.h>

/* Connections at a time, each with a thread; those beyond wait at the system's door. */
#define HOST_LISTEN_MAX_CONNECTIONS 64
/* How long a connection may be silent, and a request may take to come in. */
#define HOST_LISTEN_SILENCE_S 30

struct host_listen_options {
	const char *address;           /* ADDR:PORT, [ADDR]:PORT; port 0: any that is free */
	const char *certificate, *key; /* PEM files; both or none */
};

/**
 * Whether it could be listened there at all: the form of the address, loopback or a certificate. Nothing is opened.
 * @return STATUS_OK, STATUS_INVALID.
 */
NODISCARD enum status host_listen_check(const struct host_listen_options *options, struct error *error);

/**
 * Serve until the process is told to end, or nobody reads the trace.
 * @return STATUS_OK; STATUS_INVALID (certificate or key), STATUS_REFUSED (the key may be read by others), STATUS_UNREACHABLE
 *         (the address cannot be listened on), STATUS_NO_MEMORY; why the trace ended.
 */
NODISCARD enum status host_listen(struct host_front *front, const struct host_listen_options *options,
				  struct error *error);

#endif
