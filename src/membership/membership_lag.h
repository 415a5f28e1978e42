/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one domain controller has shown, another may lack: the pool fails over to it, and who was thrown out would be in again.
 *
 *	the watched controller tells of a change that may matter   it is remembered: whom it may concern, and where in that controller's
 *	                                                           counting it stands
 *	a closure was loaded from another controller               how far that one is with the changes of the first (dir_vector.h), which it
 *	                                                           showed before the closure was read, says which of them it lacks
 *	somebody is looked up whom one of these concerns           UNKNOWN. All others are answered
 *	it lacks some                                              the closure is loaded again and again, until it has them
 *
 * Whom it concerns: the entry itself; everybody, for a group of the closure, and for what was not seen. Nothing is remembered for longer than
 * MEMBERSHIP_LAG_LIMIT_MS: a controller that is gone for good may have had changes that nobody will ever have.
 *
 * While nothing is watched, or the watch is behind, nobody tells of changes, but answers show them: whoever is denied then is remembered
 * himself (membership_show_denied), with the mark that came with his entry; who was not found, by the question for him.
 *
 * Not known: what changed while nothing was watched, and nobody was denied by; and all of it where the account may not read invocationId of
 * the controllers' NTDS Settings or replUpToDateVector of the domain (authenticated users may, by default). The latter is logged once.
 *
 * OpenLDAP: the same, by contextCSN. A change stands at the newest value that the watch's mark has once it has told it, and a server has it that shows
 * this value or a later one of the same writer. Replicas follow within milliseconds; where that has stopped nobody knows when it goes on, so
 * what concerns everybody is remembered for MEMBERSHIP_LAG_UNSEEN_MS only.
 *
 * Threads: the executor's.
 */
#ifndef WSMAUTHZ_MEMBERSHIP_MEMBERSHIP_LAG_H
#define WSMAUTHZ_MEMBERSHIP_MEMBERSHIP_LAG_H

#include <base/compiler.h>
#include <base/error.h>
#include <directory/dir_watch.h>
#include <membership/closure_load.h>
#include <os/executor.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Within a site a change is on every controller in less than a minute (15 s before the first partner is told, 3 s for each further one, at
 * most three hops). What takes longer either waits for the schedule between two sites or is lost with its controller; decisions must not
 * wait for these.
 */
#define MEMBERSHIP_LAG_LIMIT_MS 120000
/*
 * The same for what was not seen. It may be the deletion of somebody, but in a busy domain it is nearly always nothing, and several times a
 * second: whatever controller is lost, everybody would wait for it.
 */
#define MEMBERSHIP_LAG_UNSEEN_MS 20000
/* The closure is loaded again after this time, then after twice that, until this one. */
#define MEMBERSHIP_LAG_FIRST_MS 1000
#define MEMBERSHIP_LAG_LAST_MS  5000
/* Changes that are remembered: some 500 a second, ten times what a busy domain of 100,000 accounts makes. More, and the oldest concern everybody. */
#define MEMBERSHIP_LAG_MAX 65536
/* Users who were denied while nothing was watched, and are remembered. */
#define MEMBERSHIP_LAG_DENIED 1024

struct membership;
struct membership_lookup;
struct lag_change;

struct lag {
	struct lag_change *changes; /* owned; the oldest first */
	size_t count, room;
	struct lag_change *denied; /* owned; [MEMBERSHIP_LAG_DENIED] by their hashes; those not used are zeros */
	size_t unnumbered;         /* of the last ones: the watch has not told the mark yet that has them */

	/* of the closure in use */
	char *mark;  /* as it was loaded; NULL: the server showed none */
	bool is_csn; /* it is OpenLDAP's */
	bool has_id; /* of its domain controller */
	uint8_t id[DIR_VECTOR_ID_BYTES];

	size_t missing;     /* changes that the closure's controller lacks */
	bool told_blind;    /* in the log: it cannot be told */
	struct timer again; /* loads */
	uint64_t delay_ms;
};

NODISCARD enum status membership_lag_open(struct membership *membership, struct error *error);
void membership_lag_stop(struct membership *membership);
void membership_lag_done(struct membership *membership);

/** The watch has told of a change of this entry, after the closure heeded it. */
void membership_lag_see_change(struct membership *membership, const struct dir_watch_event *event);
/** ... of one that was not seen. */
void membership_lag_see_unseen(struct membership *membership);
/** The watch's mark has moved: what was seen is not after it. */
void membership_lag_number(struct membership *membership);
/** The watch went, before it had told the mark. */
void membership_lag_lose(struct membership *membership);

/** A closure was loaded, and membership->csn is its mark: what does its controller lack? */
void membership_lag_take_load(struct membership *membership, const struct closure_loaded *loaded);

/** Whether the closure's controller lacks a change that may concern this user. */
bool membership_lag_concerns(const struct membership *membership, const struct membership_lookup *lookup,
			     const struct dir_entry *user);
/** What a lookup is told then. @return STATUS_UNREACHABLE. */
enum status membership_lag_refuse(const struct membership *membership, struct error *error);

#endif
