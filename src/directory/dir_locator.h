/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The servers of a directory whose policy names a domain: found, and kept up to date, by a thread of its own.
 *
 *	state     what happens                                                        next
 *	LOCATING  the first pass is under way: there are no servers yet, nor a failure  LOCATED or FAILED
 *	LOCATED   there are servers; another pass when the shortest time to live of the records is over (within the bounds below),
 *	          when somebody is in a hurry, or soon when the site could not be learnt  LOCATED: a list is never taken back
 *	FAILED    there are none; another pass after a back-off, or when somebody is in a hurry  LOCATED
 *
 * A failure, or the answer that the domain has no servers any more, changes nothing where there are servers: those that were found stay, it is
 * logged, and asked again. Where there are none, and the policy's URI has a host (ldap://corp.example), and DNS has no SRV
 * record for it or is not there at all (/etc/hosts), then that host is the server: many a small directory is called as its domain.
 *
 * Listeners are told after each pass, on the locator's thread, without a lock.
 *
 * Locks: one; no callback and no I/O runs under it. It may be taken while the pool's is held.
 */
#ifndef WSMAUTHZ_DIRECTORY_DIR_LOCATOR_H
#define WSMAUTHZ_DIRECTORY_DIR_LOCATOR_H

#include <base/compiler.h>
#include <base/error.h>
#include <base/log.h>
#include <config/config.h>
#include <directory/dir_locate.h>
#include <directory/dir_servers.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Between passes that all went well: the time to live, but not less (records with 0 exist) and not more (a retired server is left within it). */
#define DIR_LOCATOR_REFRESH_LEAST_MS 30000
#define DIR_LOCATOR_REFRESH_MOST_MS  900000
/* After a failure, doubling, each with jitter. */
#define DIR_LOCATOR_BACKOFF_FIRST_MS 250
#define DIR_LOCATOR_BACKOFF_LAST_MS  15000
/* In a hurry: not sooner after the last pass than this. */
#define DIR_LOCATOR_HURRY_MS 1000
/* The same failure is told so often. */
#define DIR_LOCATOR_TELL_MS 60000

struct dir_locator;

struct dir_locator_tuning {
	uint64_t refresh_least_ms, refresh_most_ms;
	uint64_t backoff_first_ms, backoff_last_ms;
	uint64_t hurry_ms;
	struct dir_locate_options options;
};

/* The constants above, and the system's resolver. */
#define DIR_LOCATOR_DEFAULTS                                                                                           \
	{                                                                                                              \
		.refresh_least_ms = DIR_LOCATOR_REFRESH_LEAST_MS, .refresh_most_ms = DIR_LOCATOR_REFRESH_MOST_MS,      \
		.backoff_first_ms = DIR_LOCATOR_BACKOFF_FIRST_MS, .backoff_last_ms = DIR_LOCATOR_BACKOFF_LAST_MS,      \
		.hurry_ms = DIR_LOCATOR_HURRY_MS,                                                                      \
	}

/** Whether the policy names a domain at all; if not, its URIs are the servers. */
bool dir_locator_is_needed(const struct config_directory *directory);

/**
 * Start the thread, which begins at once.
 *
 * @param directory  borrowed until dir_locator_close, as is `log`.
 * @param tuning     copied; the strings it names are borrowed likewise.
 * @return STATUS_OK, STATUS_NO_MEMORY, STATUS_LIMIT (no thread, no descriptors), STATUS_INTERNAL (no random numbers).
 */
NODISCARD enum status dir_locator_open(const struct config_directory *directory, const struct log *log,
				       const struct dir_locator_tuning *tuning, struct dir_locator **locator_out,
				       struct error *error);

/** Join the thread, which gives up what it asks. Nobody is told anything afterwards. Twice is allowed. */
void dir_locator_stop(struct dir_locator *locator);

/** dir_locator_stop, and free; nobody listens any more. NULL-safe; sets the pointer to NULL. */
void dir_locator_close(struct dir_locator **locator);

/**
 * @param has_failed_out  when there are none: false while the first pass is under way.
 * @return a reference, the caller's; NULL: there are none.
 * Threads: any.
 */
struct dir_servers *dir_locator_servers(struct dir_locator *locator, bool *has_failed_out);

/** Why a domain's servers were not found when they last were not; untouched when they always were. Threads: any. */
void dir_locator_failure(struct dir_locator *locator, struct error *error_out);

/** None of the servers is of use: look again, soon. Threads: any. */
void dir_locator_hurry(struct dir_locator *locator);

/**
 * The servers of a directory, once: for who wants no thread. Waits.
 *
 * @param servers_out  a reference, the caller's; those of the policy, where it names them.
 * @return STATUS_OK; STATUS_TIMEOUT; as dir_locate_domain (there are none); or as dir_locator_open.
 */
NODISCARD enum status dir_locator_find(const struct config_directory *directory, const struct log *log,
				       uint64_t deadline_ms, struct dir_servers **servers_out, struct error *error);

struct dir_locator_listener {
	void (*passed)(void *context);
	void *context;
	struct dir_locator_listener *next; /* private */
};

/** The listener lives until dir_locator_unlisten, which waits for a telling that is under way. Not from a listener. */
void dir_locator_listen(struct dir_locator *locator, struct dir_locator_listener *listener);
void dir_locator_unlisten(struct dir_locator *locator, struct dir_locator_listener *listener);

#endif
