/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What IIS does with Basic credentials before WinRM sees anybody: a logon. Here it is a bind to the policy's directory as the user:
 * the entry is found as the plug-in finds it, and the connection is secured as the policy says.
 */
#ifndef WSMAUTHZ_CLI_HOST_LOGIN_H
#define WSMAUTHZ_CLI_HOST_LOGIN_H

#include <base/error.h>
#include <cli/host_basic.h>

struct host_login;

/** @return STATUS_OK; STATUS_INVALID (the policy is unusable), STATUS_NO_MEMORY. */
NODISCARD enum status host_login_open(const char *policy, struct host_login **login_out, struct error *error);
/** NULL-safe; sets the pointer to NULL. */
void host_login_close(struct host_login **login);

/**
 * Whether these are the credentials of a user of the directory. Takes as long as two times the policy's timeout at most.
 *
 * @param dn_out  the user's entry; owned by the caller (memory_free).
 * @return STATUS_OK; STATUS_REFUSED (no such user, or the directory does not take the password); STATUS_UNREACHABLE,
 *         STATUS_TIMEOUT (it could not be known); STATUS_NO_MEMORY. `what` is for the trace, not for whoever asks.
 *
 * Threads: any.
 */
NODISCARD enum status host_login_check(struct host_login *login, const struct host_credentials *credentials,
				       char **dn_out, struct error *error);

#endif
