/* SPDX-License-Identifier: Apache-2.0 */
#include <policy/account.h>

/* MS-ADTS 2.2.16 */
#define ACCOUNT_DISABLE    0x2
#define LOCKOUT            0x10
#define INTERDOMAIN_TRUST  0x800
#define WORKSTATION_TRUST  0x1000
#define SERVER_TRUST       0x2000
#define DONT_EXPIRE        0x10000
#define SMARTCARD_REQUIRED 0x40000
#define PASSWORD_EXPIRED   0x800000

/* Accounts whose passwords do not expire, whatever pwdLastSet says (MS-ADTS 3.1.1.4.5.17). */
#define NO_EXPIRY (INTERDOMAIN_TRUST | WORKSTATION_TRUST | SERVER_TRUST | DONT_EXPIRE | SMARTCARD_REQUIRED)

/* FILETIME (MS-DTYP 2.3.3): 100 ns since 1601. */
#define PER_SECOND      10000000
#define SECONDS_TO_1970 INT64_C(11644473600)

static const char control[] = "userAccountControl";
static const char computed_control[] = "msDS-User-Account-Control-Computed";
static const char account_expires[] = "accountExpires";
static const char lockout_time[] = "lockoutTime";
static const char password_set[] = "pwdLastSet";
static const char password_expires[] = "msDS-UserPasswordExpiryTimeComputed";

const char *const account_ad_attributes[] = {
    control, computed_control, account_expires, lockout_time, password_set, password_expires, "objectClass", NULL,
};

/* What the entry says. Times as they are there; what is absent is as if it said nothing. */
struct numbers {
	bool has_control, has_computed, has_expires, has_lockout, has_set, has_password_expires;
	int64_t control, computed, expires, lockout, set, password_expires;
};

/* @return the attribute that is there and no number, or NULL. */
static const char *read_numbers(const struct dir_entry *entry, struct numbers *n)
{
	const struct {
		const char *name;
		bool *there;
		int64_t *number;
	} rows[] = {
	    {control, &n->has_control, &n->control},
	    {computed_control, &n->has_computed, &n->computed},
	    {account_expires, &n->has_expires, &n->expires},
	    {lockout_time, &n->has_lockout, &n->lockout},
	    {password_set, &n->has_set, &n->set},
	    {password_expires, &n->has_password_expires, &n->password_expires},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (!dir_entry_number(entry, rows[i].name, rows[i].there, rows[i].number))
			return rows[i].name;
	return n->has_control ? NULL : control;
}

static int64_t seconds_of(int64_t filetime)
{
	return filetime / PER_SECOND - SECONDS_TO_1970;
}

/* A moment: neither 0 nor the largest number, which both are "never" (or, of a lock, "not"). */
static bool is_moment(int64_t filetime)
{
	return filetime > 0 && filetime != INT64_MAX;
}

static void expect_change(struct account_state *state, int64_t now_s, int64_t moment_s)
{
	if (moment_s > now_s && moment_s < state->until_s)
		state->until_s = moment_s;
}

static bool has_passed(struct account_state *state, int64_t now_s, int64_t filetime)
{
	if (!is_moment(filetime))
		return false;
	expect_change(state, now_s, seconds_of(filetime));
	return now_s >= seconds_of(filetime);
}

/* The server knows the policy that applies, which need not be the domain's; only when it will end is by the domain's. */
static void rate_lock(const struct numbers *n, int64_t now_s, int64_t lockout_s, struct account_state *state)
{
	const bool has_time = n->has_lockout && is_moment(n->lockout);
	const bool ends = has_time && lockout_s > ACCOUNT_LOCKED_UNTIL_LIFTED;

	state->locked = n->has_computed ? (n->computed & LOCKOUT) != 0
					: has_time && (!ends || now_s < seconds_of(n->lockout) + lockout_s);
	if (state->locked && ends)
		expect_change(state, now_s, seconds_of(n->lockout) + lockout_s);
}

static void rate_password(const struct numbers *n, int64_t now_s, struct account_state *state)
{
	const bool expires = (n->control & NO_EXPIRY) == 0;

	state->password_expired =
	    (n->has_computed && (n->computed & PASSWORD_EXPIRED) != 0) || (expires && n->has_set && n->set == 0);
	if (n->has_password_expires && has_passed(state, now_s, n->password_expires))
		state->password_expired = true;
}

bool account_ad_state_of(const struct dir_entry *entry, int64_t now_s, int64_t lockout_s,
			 struct account_state *state_out, const char **malformed_out)
{
	struct account_state state = {.until_s = INT64_MAX};
	struct numbers n = {.has_control = false};
	const char *malformed;

	if (dir_entry_has_class(entry, "foreignSecurityPrincipal")) {
		*state_out = state;
		return true;
	}
	malformed = read_numbers(entry, &n);
	if (malformed != NULL) {
		*malformed_out = malformed;
		return false;
	}
	state.disabled = (n.control & (ACCOUNT_DISABLE | INTERDOMAIN_TRUST)) != 0;
	state.expired = n.has_expires && has_passed(&state, now_s, n.expires);
	rate_lock(&n, now_s, lockout_s, &state);
	rate_password(&n, now_s, &state);
	*state_out = state;
	return true;
}
