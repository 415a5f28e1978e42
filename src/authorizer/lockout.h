/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long failed passwords lock a user: one search more, for those alone who have such a lock.
 *
 * OpenLDAP's ppolicy ends a lock pwdLockoutDuration after pwdAccountLockedTime, but leaves the attribute until the
 * user's next bind. The policy that applies is the one that the entry names (pwdPolicySubentry); an entry that names none is under the
 * server's default policy, which no client can tell, so the strictest of all policies that we see counts.
 *
 * Sources: draft-behera-ldap-password-policy-10 sections 5.2.11, 5.3.1; slapo-ppolicy(5).
 */
#ifndef WSMAUTHZ_AUTHORIZER_LOCKOUT_H
#define WSMAUTHZ_AUTHORIZER_LOCKOUT_H

#include <base/compiler.h>
#include <base/error.h>
#include <config/config.h>
#include <directory/dir_search.h>
#include <stdint.h>

/** The attribute of a user's entry that this needs. */
extern const char lockout_user_attribute[];

/**
 * The question for the policies of this user.
 * @param search_out  strings are borrowed from the user's entry and the configuration.
 * @return STATUS_OK, STATUS_NO_MEMORY.
 */
NODISCARD enum status lockout_ask(const struct config_directory *directory, const struct dir_entry *user,
				  struct dir_search *search_out);

/**
 * What was answered.
 * @param lockout_s_out  seconds or ACCOUNT_LOCKED_UNTIL_LIFTED, which is also what policies mean that are not shown to us.
 * @return false: there was no answer (the search says why), and nothing may be concluded.
 */
NODISCARD bool lockout_take(const struct dir_search *search, int64_t *lockout_s_out);

#endif
