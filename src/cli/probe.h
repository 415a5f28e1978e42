/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a WinRM endpoint is there: it is asked who it is (Identify), without anybody's name. Built with libcurl (probe_curl.c), or
 * not at all (probe_none.c).
 *
 * Straight there: no proxy, no redirect is followed, certificates and names are verified.
 *
 * Sources: DSP0226 (WS-Management) section 11, Identify; the header WSMANIDENTIFY: unauthenticated is what winrm identify -auth:none sends.
 * Threads: one at a time.
 */
#ifndef WSMAUTHZ_CLI_PROBE_H
#define WSMAUTHZ_CLI_PROBE_H

#include <base/compiler.h>
#include <base/error.h>
#include <stdbool.h>
#include <stdint.h>

/* Of an answer: more is not read. An honest one has 1 KB. */
#define PROBE_MAX_BYTES  ((size_t)64 * 1024)
#define PROBE_TEXT_BYTES 256

struct probe_answer {
	long code;                       /* of HTTP */
	bool is_identify;                /* it holds an IdentifyResponse */
	char product[PROBE_TEXT_BYTES];  /* what it says of itself; "": nothing. Any bytes */
	char location[PROBE_TEXT_BYTES]; /* where it redirects to; "": nowhere. Any bytes */
	uint64_t took_us;
};

/** Whether this program can. */
bool probe_is_built_in(void);

/**
 * @param ca_file     authorities, in PEM; NULL: the system's.
 * @param timeout_ms  of all of it.
 * @return STATUS_OK: something answered by HTTP. STATUS_UNREACHABLE, STATUS_TIMEOUT, STATUS_REFUSED (TLS: the certificate, the name),
 *         STATUS_INVALID (no HTTP came, or too much), STATUS_NO_MEMORY.
 */
NODISCARD enum status probe_identify(const char *uri, const char *ca_file, uint32_t timeout_ms,
				     struct probe_answer *answer_out, struct error *error);

/** Look into what came. @param body  NUL-terminated. */
void probe_read_body(const char *body, struct probe_answer *answer);

#endif
