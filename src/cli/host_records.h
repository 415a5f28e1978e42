/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The user records that WinRM keeps: while a user's record lives, new connections of the user are let in without a
 * question. A record dies when nothing was heard of the user for the idle time-out; a record that is older than the refresh
 * interval is authorized anew, the old context being released behind the new one. A user is a name by a
 * mechanism, spelled alike; what WinRM's key is, is not public.
 *
 * Threads: any. Contexts that come out are the caller's to release.
 */
#ifndef WSMAUTHZ_CLI_HOST_RECORDS_H
#define WSMAUTHZ_CLI_HOST_RECORDS_H

#include <cli/host_calls.h>
#include <os/thread.h>
#include <stdbool.h>
#include <stdint.h>

/* A host that is only tried has fewer users than any that works. */
#define HOST_RECORDS_MAX     100000
#define HOST_RECORDS_BUCKETS 4096

struct host_record;

struct host_records {
	struct mutex lock; /* guards what follows, but for the intervals */
	uint64_t idle_ms, refresh_ms;
	struct host_record *buckets[HOST_RECORDS_BUCKETS]; /* owned */
	size_t count;
};

/* What a record knows. */
struct host_record_facts {
	bool is_old; /* due to be authorized anew */
	bool administrator;
	bool has_quota;
	WSMAN_AUTHZ_QUOTA quota;
};

void host_records_init(struct host_records *records, uint64_t idle_ms, uint64_t refresh_ms);
/** Empty by then (host_records_expire). */
void host_records_done(struct host_records *records);

/** Whether there is a living record; it has been used now. */
bool host_records_use(struct host_records *records, const struct host_sender *sender, uint64_t now_ms,
		      struct host_record_facts *facts_out);

/**
 * The user has been authorized: keep it.
 * @param old_out  the context that the record had before; NULL.
 * @return STATUS_OK; STATUS_NO_MEMORY, STATUS_LIMIT: it is not kept.
 */
NODISCARD enum status host_records_keep(struct host_records *records, const struct host_sender *sender,
					const struct host_answer *answer, uint64_t now_ms, PVOID *old_out,
					struct error *error);

/** The quota that was told for a user, if there still is a record. */
void host_records_keep_quota(struct host_records *records, const struct host_sender *sender,
			     const WSMAN_AUTHZ_QUOTA *quota);

/** Forget a user. False: there was no record. */
bool host_records_drop(struct host_records *records, const struct host_sender *sender, PVOID *context_out);

/**
 * Take one record out whose time is over.
 * @param name_out  owned by the caller (memory_free).
 * @return false: there is none.
 */
bool host_records_take_expired(struct host_records *records, uint64_t now_ms, char **name_out, PVOID *context_out);

/** Take any record out, at the end. */
bool host_records_take_any(struct host_records *records, char **name_out, PVOID *context_out);

#endif
