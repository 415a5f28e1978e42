/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of an account, from the attributes of its entry. Pure.
 *
 *	disabled   pwdAccountLockedTime 000001010000Z (locked for good), nsAccountLock TRUE
 *	locked     any other pwdAccountLockedTime, until the lock-out is over: the server leaves the attribute where it is until the
 *	           user next binds to the directory, and who signs in by Kerberos never does
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

/* The lock lasts until an administrator, or a bind, lifts it. */
#define ACCOUNT_LOCKED_UNTIL_LIFTED 0

struct account_state {
	bool disabled, locked, expired, password_expired;
	int64_t until_s; /* when one of them changes by itself: the first such moment after now; INT64_MAX: never */
};

/**
 * The same of an entry of Active Directory (account_ad.c).
 *
 *	disabled   userAccountControl 0x2; an account of a trust (0x800), which is nobody's
 *	locked     msDS-User-Account-Control-Computed 0x10; without that attribute, lockoutTime until the lock-out is over
 *	expired    at or after accountExpires, unless it is 0 or the largest number
 *	password   msDS-User-Account-Control-Computed 0x800000; at or after msDS-UserPasswordExpiryTimeComputed; pwdLastSet 0 (must
 *	           change), unless passwords of such an account do not expire
 *
 * A user without a userAccountControl that we may read has no state that we know: it is told as malformed. (The others of these that
 * are ever absent are hidden by the same property set.) A foreign security principal has no account here, and all of it is well.
 *
 * @param lockout_s  the domain's lockoutDuration (dir_forest.lockout_s): when a lock ends by itself.
 * Sources: MS-ADTS 2.2.16 (userAccountControl), 3.1.1.4.5.17 (msDS-User-Account-Control-Computed), 3.1.1.4.5.36
 * (msDS-UserPasswordExpiryTimeComputed); MS-ADA1 (accountExpires); measured: Samba 4.17, whose computed attribute has the
 * computed bits alone.
 */
NODISCARD bool account_ad_state_of(const struct dir_entry *entry, int64_t now_s, int64_t lockout_s,
				   struct account_state *state_out, const char **malformed_out);

/** The attributes that account_ad_state_of looks at; NULL-terminated. */
extern const char *const account_ad_attributes[];

/** The attributes that account_state_of looks at; NULL-terminated. They are operational: ask by name. */
extern const char *const account_attributes[];

/**
 * @param now_s      seconds since 1970 UTC.
 * @param lockout_s  pwdLockoutDuration of the password policy that applies, or ACCOUNT_LOCKED_UNTIL_LIFTED.
 * @param malformed_out  set to the name of the attribute when the answer is false.
 * @return false: an attribute is malformed.
 */
NODISCARD bool account_state_of(const struct dir_entry *entry, int64_t now_s, int64_t lockout_s,
				struct account_state *state_out, const char **malformed_out);

/**
 * How long the password policies among these entries lock an account: the longest of their pwdLockoutDurations. A policy
 * without one, or with 0, or one that cannot be read, locks until an administrator lifts it (section 5.2.11), and so does no policy.
 *
 * @param policies  a list; NULL: none.
 * @return seconds, or ACCOUNT_LOCKED_UNTIL_LIFTED.
 */
int64_t account_lockout_of(const struct dir_entry *policies);

/** "20261124060000Z", fractions and time zones allowed -> seconds since 1970 UTC. */
NODISCARD bool account_parse_time(const char *text, int64_t *seconds_out);

#endif
