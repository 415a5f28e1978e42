/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of an account, from the attributes of its entry. Pure.
 *
 *	disabled   pwdAccountLockedTime 000001010000Z (locked for good), nsAccountLock TRUE
 *	locked     any other pwdAccountLockedTime: the server removes it when the lock-out is over and the user binds
 *	expired    now at or after pwdEndTime, before pwdStartTime; on or after the day of shadowExpire
 *	password   pwdReset TRUE, passwordExpirationTime passed, or shadowLastChange + shadowMax days passed
 *
 * An attribute that is there but cannot be read as what it should be makes the state unknown.
 *
 * Sources: draft-behera-ldap-password-policy-10 section 5.3 (pwdAccountLockedTime, pwdReset, pwdStartTime, pwdEndTime);
 * RFC 2307 section 2.3 and shadow(5); 389 Directory Server (nsAccountLock, passwordExpirationTime); RFC 4517 3.3.13 (Generalized Time).
 */
#ifndef WSMAUTHZ_POLICY_ACCOUNT_H
#define WSMAUTHZ_POLICY_ACCOUNT_H

#include <base/compiler.h>
#include <directory/dir_search.h>
#include <stdbool.h>
#include <stdint.h>

struct account_state {
	bool disabled, locked, expired, password_expired;
};

/** The attributes that account_state_of looks at; NULL-terminated. They are operational: ask by name. */
extern const char *const account_attributes[];

/**
 * @param now_s  seconds since 1970 UTC.
 * @param malformed_out  set to the name of the attribute when the answer is false.
 * @return false: an attribute is malformed.
 */
NODISCARD bool account_state_of(const struct dir_entry *entry, int64_t now_s, struct account_state *state_out,
				const char **malformed_out);

/** "20261124060000Z", fractions and time zones allowed -> seconds since 1970 UTC. */
NODISCARD bool account_parse_time(const char *text, int64_t *seconds_out);

#endif
