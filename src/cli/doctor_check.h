/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `doctor` looks at: a table of checks (doctor.c), in the order in which they are made. A check tells one line or several (one for
 * each server, group or site), each with the check's stable id, a level, and what can be done where it is not well.
 *
 *	stage      is reached by                                     needed by
 *	START                                                        the policy's own checks
 *	POLICY     policy-file: it could be loaded                   addresses, TLS, the bind
 *	CONNECTED  bind: one server took the bind                    what the server is, what the account may see
 *	BASE       naming-context: the policy's base is there        limits, indexes, groups
 *	GROUPS     groups-read: the configured groups were read      groups one by one, watch, sites
 *
 * A check whose stage was not reached tells the one line "not tried", and why.
 *
 * Threads: the main one; doctor_groups.c and doctor_watch.c have helpers of their own.
 */
#ifndef WSMAUTHZ_CLI_DOCTOR_CHECK_H
#define WSMAUTHZ_CLI_DOCTOR_CHECK_H

#include <base/arena.h>
#include <base/compiler.h>
#include <base/error.h>
#include <base/log.h>
#include <cli/doctor_print.h>
#include <config/config.h>
#include <directory/dir_facts.h>
#include <directory/dir_forest.h>
#include <directory/dir_search.h>
#include <directory/dir_servers.h>
#include <directory/dir_steps.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Texts and facts of one consultation. */
#define DOCTOR_MAX_BYTES ((size_t)64 * 1024 * 1024)
/* Users whose entries are looked at for what the account may see. */
#define DOCTOR_SAMPLE 8
/* Servers that are connected to; DNS may name more. */
#define DOCTOR_MAX_SERVERS CONFIG_MAX_URIS
/* A page of a listing. */
#define DOCTOR_PAGE 500

enum doctor_stage {
	DOCTOR_STAGE_START = 0,
	DOCTOR_STAGE_POLICY,
	DOCTOR_STAGE_CONNECTED,
	DOCTOR_STAGE_BASE,
	DOCTOR_STAGE_GROUPS,
};

struct doctor;

struct doctor_check {
	const char *id;    /* stable: scripts may rely on it */
	const char *group; /* the heading that it stands under */
	const char *doing; /* "looking for indexes": for the line that shows progress */
	enum doctor_stage needs;
	bool (*is_wanted)(const struct doctor *doctor); /* NULL: always */
	void (*run)(struct doctor *doctor);
};

struct doctor_server {
	const char *uri;
	struct dir_steps steps;
	enum status status;
	struct error error;
	struct dir_conn *conn; /* NULL: it could not be opened */
	bool
	    is_unsynchronized; /* it says that its data are not whole: nothing is read from it but for this program's checks */
};

struct doctor_groups;

struct doctor {
	/* asked for */
	const char *policy_path;
	uint64_t user_limit;       /* --limit */
	bool probes;               /* --probe */
	const char *probe_ca_file; /* --probe-ca; NULL: the system's */
	struct log log;

	struct doctor_print print;
	const struct doctor_check *check; /* under way */
	enum doctor_stage stage;
	char blocked[ERROR_TEXT_BYTES]; /* why the next stage was not reached */

	/* found out */
	struct arena *arena;
	const struct config *config;
	const struct config_directory *directory; /* adapted, once it is known to be Active Directory's */
	struct config_directory adapted;
	struct dir_servers *found; /* a reference; NULL: none were found */
	struct doctor_server servers[DOCTOR_MAX_SERVERS];
	size_t server_count;
	struct doctor_server *
	    server; /* the first that decisions would ask; else the first that could be opened: what is asked is asked there */
	struct dir_facts facts;
	const struct dir_forest *forest; /* NULL: another kind of server, or it could not be read */
	struct dir_search sample;        /* some users; its arena is NULL while there are none */
	struct doctor_groups *groups;
};

/** A line. `subject` is what of several the check is about, or NULL; `remedy` NULL where nothing is to be done. */
void doctor_tell(struct doctor *doctor, enum doctor_level level, const char *subject, const char *remedy,
		 const char *format, ...) PRINTF_LIKE(5, 6);

/** A line of an error's words; its hint is the remedy, or `remedy` where it has none. */
void doctor_tell_error(struct doctor *doctor, enum doctor_level level, const char *subject, const struct error *error,
		       const char *remedy);

/** A remedy that needs words from outside; lives as long as the doctor. Never NULL. */
const char *doctor_text(struct doctor *doctor, const char *format, ...) PRINTF_LIKE(2, 3);

void doctor_reach(struct doctor *doctor, enum doctor_stage stage);
/** The next stage was not reached because of this. The first reason counts. */
void doctor_block(struct doctor *doctor, const char *format, ...) PRINTF_LIKE(2, 3);

/* Asking the server that is connected (doctor_ask.c) */

/** Ask for this and wait, at most the policy's timeout `patience` times. @return whether the answer is complete. */
bool doctor_ask(struct doctor *doctor, struct dir_search *search, unsigned patience);

/** Clear a search and fill in the question; what it points to is borrowed. @return false when memory ran out (told as an error). */
NODISCARD bool doctor_search(struct doctor *doctor, struct dir_search *search, const char *base, enum dir_scope scope,
			     const char *filter, const char *const *attributes);

/** A failed search as a line. */
void doctor_tell_search(struct doctor *doctor, enum doctor_level level, const char *subject,
			const struct dir_search *search, const char *remedy);

/* Servers (doctor_network.c) */

/** How bad it is when one server cannot be used: another one may do. */
enum doctor_level doctor_server_level(const struct doctor *doctor);
/** Whether it came to that step; tells the line "not tried" where it did not. */
bool doctor_server_came_to(struct doctor *doctor, const struct doctor_server *server, enum dir_step step);

/* The checks, a file each */

void doctor_policy_file(struct doctor *doctor);
void doctor_policy_folder(struct doctor *doctor);
void doctor_policy_secret(struct doctor *doctor);
void doctor_policy_default_domain(struct doctor *doctor);

void doctor_locate(struct doctor *doctor);
void doctor_network_dns(struct doctor *doctor);
void doctor_network_tcp(struct doctor *doctor);
void doctor_tls(struct doctor *doctor);
void doctor_tls_expiry(struct doctor *doctor);
void doctor_bind(struct doctor *doctor);

void doctor_directory_type(struct doctor *doctor);
void doctor_directory_base(struct doctor *doctor);
void doctor_directory_listing(struct doctor *doctor);
void doctor_directory_indexes(struct doctor *doctor);

void doctor_access_users(struct doctor *doctor);
void doctor_access_passwords(struct doctor *doctor);
void doctor_access_account(struct doctor *doctor);

void doctor_groups_read(struct doctor *doctor);
void doctor_groups_each(struct doctor *doctor);
void doctor_groups_index(struct doctor *doctor);
void doctor_groups_close(struct doctor *doctor);

void doctor_watch_mark(struct doctor *doctor);
void doctor_watch(struct doctor *doctor);
void doctor_clock(struct doctor *doctor);

bool doctor_is_active_directory(const struct doctor *doctor);
/** From now on it is asked as Active Directory is. */
void doctor_forest_adapt(struct doctor *doctor);
void doctor_forest_levels(struct doctor *doctor);
void doctor_forest_domains(struct doctor *doctor);
bool doctor_has_forest(const struct doctor *doctor);
void doctor_forest_trusts(struct doctor *doctor);
void doctor_site(struct doctor *doctor);
void doctor_tokens(struct doctor *doctor);

bool doctor_redirect_has_attribute(const struct doctor *doctor);
void doctor_redirect_attribute(struct doctor *doctor);
void doctor_redirect_users(struct doctor *doctor);
void doctor_redirect_empty(struct doctor *doctor);

bool doctor_probe_is_wanted(const struct doctor *doctor);
void doctor_probe(struct doctor *doctor);

#endif
