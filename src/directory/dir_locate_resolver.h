/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DNS: a few questions, with one deadline for all. The system's name servers and its file of hosts; truncated answers are asked for again by
 * TCP. Used within dir_locate. Through c-ares (dir_locate_cares.c), on Windows through its own resolver (dir_locate_dnsapi.c).
 *
 * Threads: one at a time.
 */
#ifndef WSMAUTHZ_DIRECTORY_DIR_LOCATE_RESOLVER_H
#define WSMAUTHZ_DIRECTORY_DIR_LOCATE_RESOLVER_H

#include <base/compiler.h>
#include <base/error.h>
#include <dir_socket.h>
#include <directory/dir_locate.h>

struct dir_resolver;

/* For people: where this system says which name servers it has, and the command that asks them for SRV records. */
extern const char dir_resolver_place[];
extern const char dir_resolver_command[];

/** @return STATUS_OK; STATUS_NO_MEMORY; STATUS_INVALID (options, or the system's configuration). */
NODISCARD enum status dir_resolver_open(const struct dir_locate_options *options, const struct dir_locate_wait *wait,
					struct dir_resolver **resolver_out, struct error *error);
/** NULL-safe; sets the pointer to NULL. */
void dir_resolver_close(struct dir_resolver **resolver);

/* A question for SRV records, and its answer. Zeroed but for the name. */
struct dir_resolver_srv {
	char name[DIR_DNS_NAME_BYTES];
	enum status status;       /* as dir_locate_domain says it */
	const char *said;         /* what came of it, in words */
	struct dir_srv_list list; /* owned by the asker: dir_srv_list_done */

	struct dir_resolver *resolver; /* private */
};

/** Ask all of them; each has a status then. */
void dir_resolver_ask_srv(struct dir_resolver *resolver, struct dir_resolver_srv *questions, size_t count,
			  uint64_t deadline_ms);

struct dir_resolver_host {
	const char *name;
	uint16_t port;
	struct sockaddr_storage address; /* the first of the host's */
	socklen_t length;                /* 0: it has none, or none is known in time */

	struct dir_resolver *resolver; /* private */
};

void dir_resolver_ask_hosts(struct dir_resolver *resolver, struct dir_resolver_host *hosts, size_t count,
			    uint64_t deadline_ms);

#endif
