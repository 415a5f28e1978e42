/* SPDX-License-Identifier: Apache-2.0 */
/*
 * By which names a user of the directory can come, as WinRM would say them: the usual one first. Pure.
 *
 *	Active Directory   CORP\alice, known by the SID of his token, where the policy goes by tokens (the default); else CORP\alice and
 *	                   alice@corp.example. A foreign security principal has nothing but its SID.
 *	elsewhere          CORP\alice; alice, where the policy has a default domain; alice@corp.example; the values of the
 *	                   UPN attribute: for each value of the name attribute
 */
#ifndef WSMAUTHZ_CLI_REPORT_NAMES_H
#define WSMAUTHZ_CLI_REPORT_NAMES_H

#include <base/arena.h>
#include <base/compiler.h>
#include <config/config.h>
#include <directory/dir_forest.h>
#include <directory/dir_search.h>
#include <stdbool.h>
#include <stddef.h>

/* Of one user: nobody has so many names on purpose. */
#define REPORT_MAX_NAMES 32

struct report_name {
	const char *sender;
	size_t length;         /* bytes: a directory's value may hold any */
	const char *token_sid; /* NULL: he is known by his name */
	bool is_sid;           /* the name is one */
};

struct report_names {
	struct report_name names[REPORT_MAX_NAMES];
	size_t count;    /* 0: nobody can come as this user */
	bool is_no_user; /* a principal that stands for many (Everyone, ...): it is not to be listed at all */
};

/**
 * @param directory  as the server is to be asked (question_adapt).
 * @param forest     NULL: no Active Directory.
 * @return STATUS_OK, STATUS_NO_MEMORY.
 */
NODISCARD enum status report_names_of(const struct config *config, const struct config_directory *directory,
				      const struct dir_forest *forest, const struct dir_entry *user,
				      struct arena *arena, struct report_names *names_out);

/** The attributes that this needs, NULL-terminated. */
#define REPORT_NAME_ATTRIBUTES 4
void report_names_attributes(const struct config_directory *directory, bool is_active_directory,
			     const char *attributes[REPORT_NAME_ATTRIBUTES]);

#endif
