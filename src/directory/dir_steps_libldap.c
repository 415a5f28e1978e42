/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_conn_libldap.h>

#include <os/clock.h>
#include <stdio.h>

void dir_conn_note_step(struct dir_conn *conn, enum dir_step step)
{
	conn->step = step;
	conn->step_began_us[step] = clock_monotonic_us();
}

/* The socket knows when the address was found. */
static void part_connect(struct dir_conn *conn)
{
	if (conn->io.resolved_us == 0)
		return;
	conn->step_began_us[DIR_STEP_CONNECT] = conn->io.resolved_us;
	if (conn->step == DIR_STEP_RESOLVE)
		conn->step = DIR_STEP_CONNECT;
}

static void take_word(LDAP *ld, int option, char word[DIR_STEPS_WORD_BYTES])
{
	char *text = NULL;

	if (ldap_get_option(ld, option, &text) != LDAP_OPT_SUCCESS || text == NULL)
		return;
	(void)snprintf(word, DIR_STEPS_WORD_BYTES, "%s", text);
	ldap_memfree(text);
}

static void take_tls(const struct dir_conn *conn, const char *host, struct dir_steps *steps)
{
	struct berval der = {0};

	steps->is_tls = conn->is_tls;
	if (!conn->is_tls)
		return;
	take_word(conn->ld, LDAP_OPT_X_TLS_VERSION, steps->tls_version);
	take_word(conn->ld, LDAP_OPT_X_TLS_CIPHER, steps->tls_cipher);
	if (ldap_get_option(conn->ld, LDAP_OPT_X_TLS_PEERCERT, &der) == LDAP_OPT_SUCCESS && der.bv_val != NULL)
		steps->has_certificate =
		    dir_certificate_read(der.bv_val, der.bv_len, host != NULL ? host : "", &steps->certificate);
	ber_memfree(der.bv_val);
}

void dir_conn_tell_steps(struct dir_conn *conn, const char *host, struct dir_steps *steps)
{
	const uint64_t now_us = clock_monotonic_us();

	part_connect(conn);
	*steps = (struct dir_steps){.reached = conn->step,
				    .is_local = conn->io.is_local,
				    .address_count = conn->io.address_count,
				    .is_loopback = conn->io.is_loopback};
	(void)snprintf(steps->address, sizeof(steps->address), "%s", conn->io.address);
	for (unsigned step = DIR_STEP_RESOLVE; step < DIR_STEP_DONE && step <= (unsigned)conn->step; step++)
		steps->took_us[step] =
		    (step < (unsigned)conn->step ? conn->step_began_us[step + 1] : now_us) - conn->step_began_us[step];
	take_tls(conn, host, steps);
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
