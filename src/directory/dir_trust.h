/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a server's certificate is to be believed, by Windows' CryptoAPI: wldap32 hands the certificate over and does as it is told.
 *
 * A certificate is believed when all of these hold:
 *	- a chain leads from it to an authority: of the policy's file (tls/@ca-file) and no other, else of the system's store; both the chain's trust
 *	  status and the policy status for TLS servers say so (Wine 8 finds nothing wrong in the latter with an authority that nobody knows);
 *	- every certificate of the chain is within its dates, well signed, and meant for it (basic constraints, serverAuth);
 *	- none of it is in the revocation list of the policy (tls/@crl-file), which must be within its dates;
 *	- the host, as the URI has it, is among the DNS names or the addresses of its subjectAltName (where it has none of either, CryptoAPI
 *	  decides by the common name).
 * Nothing is asked of the network: no missing certificate is fetched, no OCSP responder asked. The server sends its chain.
 *
 * Threads: a trust is not changed once it is made; any.
 * Sources: RFC 5280 section 6; RFC 6125 section 6; Microsoft: CertGetCertificateChain, CERT_CHAIN_ENGINE_CONFIG,
 * CertVerifyCertificateChainPolicy (CERT_CHAIN_POLICY_SSL).
 */
#ifndef WSMAUTHZ_DIRECTORY_DIR_TRUST_H
#define WSMAUTHZ_DIRECTORY_DIR_TRUST_H

#include <base/compiler.h>
#include <base/error.h>
#include <stddef.h>

struct dir_trust;

/**
 * Read what is believed.
 *
 * @param ca_file   PEM; NULL: the system's authorities.
 * @param crl_file  PEM; NULL: nothing is known to be revoked.
 * @return STATUS_OK; STATUS_INVALID: a file that cannot be read, or holds none; STATUS_NO_MEMORY.
 */
NODISCARD enum status dir_trust_new(const char *ca_file, const char *crl_file, struct dir_trust **trust_out,
				    struct error *error);

/** NULL-safe; sets the pointer to NULL. */
void dir_trust_free(struct dir_trust **trust);

/**
 * Judge a certificate.
 *
 * @param certificate  a PCCERT_CONTEXT; in its store those that the server sent with it.
 * @param host         as in the URI: a DNS name, or an address without brackets.
 * @return STATUS_OK: it is that host's; STATUS_UNREACHABLE: it is not, `error` says why: "the certificate expired on 2026-01-31"; STATUS_NO_MEMORY.
 */
NODISCARD enum status dir_trust_check(const struct dir_trust *trust, const void *certificate, const char *host,
				      struct error *error);

#endif
