/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_conn_wldap32.h>

#include <os/clock.h>
#include <stdio.h>

void dir_conn_note_step(struct dir_conn *conn, enum dir_step step)
{
	atomic_store(&conn->step_began_us[step], clock_monotonic_us());
	atomic_store(&conn->step, (int)step);
}

/* What the thread aside has written before it went on to the step. */
static void take_reach(const struct dir_conn *conn, struct dir_steps *steps)
{
	steps->address_count = conn->reach.address_count;
	steps->is_loopback = conn->reach.is_loopback;
	(void)snprintf(steps->address, sizeof(steps->address), "%s", conn->reach.address);
}

static void take_tls(const struct dir_conn *conn, struct dir_steps *steps)
{
	steps->is_tls = conn->is_tls;
	if (!conn->is_tls)
		return;
	(void)snprintf(steps->tls_version, sizeof(steps->tls_version), "%s", conn->tls_version);
	(void)snprintf(steps->tls_cipher, sizeof(steps->tls_cipher), "%s", conn->tls_cipher);
	steps->has_certificate = conn->has_certificate;
	steps->certificate = conn->certificate;
}

void dir_conn_tell_steps(const struct dir_conn *conn, bool is_over, struct dir_steps *steps)
{
	const uint64_t now_us = clock_monotonic_us();
	const unsigned reached = (unsigned)atomic_load(&conn->step);

	*steps = (struct dir_steps){.reached = (enum dir_step)reached};
	for (unsigned step = DIR_STEP_RESOLVE; step < DIR_STEP_DONE && step <= reached; step++)
		steps->took_us[step] = (step < reached ? atomic_load(&conn->step_began_us[step + 1]) : now_us) -
				       atomic_load(&conn->step_began_us[step]);
	if (is_over || reached > DIR_STEP_CONNECT)
		take_reach(conn, steps);
	if (is_over || reached > DIR_STEP_SECURE)
		take_tls(conn, steps);
}

const char *dir_step_word(enum dir_step step)
{
	switch (step) {
	case DIR_STEP_RESOLVE:
		return "finding the host's address";
	case DIR_STEP_CONNECT:
		return "connecting";
	case DIR_STEP_SECURE:
		return "TLS";
	case DIR_STEP_BIND:
		return "the bind";
	case DIR_STEP_DONE:
		return "being connected";
	}
	return "being connected";
}
