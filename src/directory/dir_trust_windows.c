/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_trust.h>

#include <base/memory.h>
#include <base/utf.h>
#include <config/config.h>
#include <directory/dir_certificate.h>
#include <os/file.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <windows.h>

#include <wincrypt.h>

struct dir_trust {
	HCERTSTORE authorities;  /* owned; NULL: the system's */
	HCERTSTORE revocations;  /* owned; NULL: none */
	HCERTCHAINENGINE engine; /* owned; NULL: the system's */
	char *ca_file;           /* owned; for messages; NULL: none */
};

/* Reading PEM files */

static const char certificate_label[] = "CERTIFICATE";
static const char crl_label[] = "X509 CRL";

struct pem {
	const char *at; /* what was not read yet; NUL-terminated */
	const char *label;
	BYTE *der; /* owned; of the last block */
	DWORD length;
};

/* Find "-----<word> <label>-----". */
static const char *find_line(const char *at, const char *word, const char *label, const char **behind_out)
{
	for (at = strstr(at, word); at != NULL; at = strstr(at + 1, word)) {
		const char *name = at + strlen(word);
		const size_t length = strlen(label);

		if (strncmp(name, label, length) == 0 && strncmp(name + length, "-----", 5) == 0) {
			*behind_out = name + length + 5;
			return at;
		}
	}
	return NULL;
}

/* @return STATUS_OK; STATUS_NOT_FOUND: there is no other block; STATUS_INVALID; STATUS_NO_MEMORY. */
static enum status next_block(struct pem *pem)
{
	const char *body = NULL;
	const char *behind = NULL;
	const char *end;

	memory_free(pem->der);
	pem->der = NULL;
	if (find_line(pem->at, "-----BEGIN ", pem->label, &body) == NULL)
		return STATUS_NOT_FOUND;
	end = find_line(body, "-----END ", pem->label, &behind);
	if (end == NULL)
		return STATUS_INVALID;
	pem->at = behind;
	pem->length = 0;
	if (!CryptStringToBinaryA(body, (DWORD)(end - body), CRYPT_STRING_BASE64, NULL, &pem->length, NULL, NULL) ||
	    pem->length == 0)
		return STATUS_INVALID;
	pem->der = memory_new(pem->length);
	if (pem->der == NULL)
		return STATUS_NO_MEMORY;
	return CryptStringToBinaryA(body, (DWORD)(end - body), CRYPT_STRING_BASE64, pem->der, &pem->length, NULL, NULL)
		   ? STATUS_OK
		   : STATUS_INVALID;
}

static bool add_block(HCERTSTORE store, const struct pem *pem)
{
	if (pem->label == certificate_label)
		return CertAddEncodedCertificateToStore(store, X509_ASN_ENCODING, pem->der, pem->length,
							CERT_STORE_ADD_USE_EXISTING, NULL) != FALSE;
	return CertAddEncodedCRLToStore(store, X509_ASN_ENCODING, pem->der, pem->length, CERT_STORE_ADD_ALWAYS, NULL) !=
	       FALSE;
}

static enum status add_blocks(HCERTSTORE store, struct pem *pem)
{
	enum status status;
	size_t count = 0;

	while ((status = next_block(pem)) == STATUS_OK) {
		if (!add_block(store, pem)) {
			status = STATUS_INVALID;
			break;
		}
		count++;
	}
	memory_free(pem->der);
	pem->der = NULL;
	if (status == STATUS_NOT_FOUND)
		return count > 0 ? STATUS_OK : STATUS_INVALID;
	return status;
}

static HCERTSTORE new_store(void)
{
	return CertOpenStore(CERT_STORE_PROV_MEMORY, 0, 0, CERT_STORE_CREATE_NEW_FLAG, NULL);
}

/* @param what  "CA file". */
static enum status read_store(const char *path, const char *label, const char *what, HCERTSTORE *store_out,
			      struct error *error)
{
	char *text = NULL;
	size_t length = 0;
	HCERTSTORE store = NULL;
	struct pem pem = {.label = label};
	enum status status = file_read_trusted(path, CONFIG_MAX_PEM_BYTES, &text, &length, error);

	if (status != STATUS_OK) {
		error_prefix(error, "could not read the %s '%s'", what, path);
		return status == STATUS_NO_MEMORY ? status : STATUS_INVALID;
	}
	pem.at = text;
	store = new_store();
	status = store != NULL ? add_blocks(store, &pem) : STATUS_NO_MEMORY;
	memory_free(text);
	if (status == STATUS_OK) {
		*store_out = store;
		return STATUS_OK;
	}
	if (store != NULL)
		(void)CertCloseStore(store, 0);
	if (status == STATUS_NO_MEMORY)
		return error_no_memory(error);
	(void)error_set(error, STATUS_INVALID, "could not use the %s '%s'", what, path);
	return error_hint(error, STATUS_INVALID, "it must be in PEM form");
}

/* Chains that end in these authorities and in no others. */
static enum status make_engine(struct dir_trust *trust, struct error *error)
{
	CERT_CHAIN_ENGINE_CONFIG config = {.cbSize = sizeof(config), .hExclusiveRoot = trust->authorities};

	/* The struct is that of Windows 7 (_WIN32_WINNT), 80 bytes; Wine 8 takes no larger one. */
	if (CertCreateCertificateChainEngine(&config, &trust->engine))
		return STATUS_OK;
	trust->engine = NULL;
	return error_system(error, STATUS_INVALID, (int)GetLastError(),
			    "this system cannot judge certificates by the CA file '%s' alone", trust->ca_file);
}

static enum status read_files(struct dir_trust *trust, const char *ca_file, const char *crl_file, struct error *error)
{
	enum status status = STATUS_OK;

	if (ca_file != NULL) {
		trust->ca_file = memory_copy_text(ca_file);
		status = trust->ca_file == NULL
			     ? error_no_memory(error)
			     : read_store(ca_file, certificate_label, "CA file", &trust->authorities, error);
	}
	if (status == STATUS_OK && trust->authorities != NULL)
		status = make_engine(trust, error);
	if (status == STATUS_OK && crl_file != NULL)
		status = read_store(crl_file, crl_label, "revocation list", &trust->revocations, error);
	return status;
}

enum status dir_trust_new(const char *ca_file, const char *crl_file, struct dir_trust **trust_out, struct error *error)
{
	struct dir_trust *trust = memory_new(sizeof(*trust));
	enum status status;

	if (trust == NULL)
		return error_no_memory(error);
	status = read_files(trust, ca_file, crl_file, error);
	if (status == STATUS_OK)
		*trust_out = trust;
	else
		dir_trust_free(&trust);
	return status;
}

void dir_trust_free(struct dir_trust **trust)
{
	struct dir_trust *old = *trust;

	*trust = NULL;
	if (old == NULL)
		return;
	if (old->engine != NULL)
		CertFreeCertificateChainEngine(old->engine);
	if (old->authorities != NULL)
		(void)CertCloseStore(old->authorities, 0);
	if (old->revocations != NULL)
		(void)CertCloseStore(old->revocations, 0);
	memory_free(old->ca_file);
	memory_free(old);
}

/* Judging. All functions return STATUS_OK, or STATUS_UNREACHABLE with the error set. */

static enum status refuse(struct error *error, const char *why)
{
	return error_set(error, STATUS_UNREACHABLE, "%s", why);
}

static enum status refuse_unknown_authority(const struct dir_trust *trust, struct error *error)
{
	return trust->ca_file != NULL
		   ? error_set(error, STATUS_UNREACHABLE, "the certificate is not signed by an authority in '%s'",
			       trust->ca_file)
		   : refuse(error, "the certificate is not signed by an authority that this system knows");
}

/* Now, as dir_certificate.h writes times. */
static void write_now(char out[DIR_CERTIFICATE_TIME_BYTES])
{
	SYSTEMTIME now;

	GetSystemTime(&now);
	(void)snprintf(out, DIR_CERTIFICATE_TIME_BYTES, "%04u%02u%02u%02u%02u%02u", (unsigned)now.wYear % 10000,
		       (unsigned)now.wMonth % 100, (unsigned)now.wDay % 100, (unsigned)now.wHour % 100,
		       (unsigned)now.wMinute % 100, (unsigned)now.wSecond % 100);
}

static enum status refuse_time(const struct dir_certificate *read, struct error *error)
{
	char now[DIR_CERTIFICATE_TIME_BYTES];

	write_now(now);
	if (strcmp(read->not_after, now) < 0)
		return error_set(error, STATUS_UNREACHABLE, "the certificate expired on %.4s-%.2s-%.2s",
				 read->not_after, read->not_after + 4, read->not_after + 6);
	if (strcmp(read->not_before, now) > 0)
		return error_set(error, STATUS_UNREACHABLE, "the certificate is not valid before %.4s-%.2s-%.2s",
				 read->not_before, read->not_before + 4, read->not_before + 6);
	return refuse(error, "a certificate of one of its authorities is not within its dates");
}

static enum status check_status(const struct dir_trust *trust, DWORD status, const struct dir_certificate *read,
				struct error *error)
{
	if (status == CERT_TRUST_NO_ERROR)
		return STATUS_OK;
	if ((status & CERT_TRUST_IS_NOT_TIME_VALID) != 0)
		return refuse_time(read, error);
	if ((status & CERT_TRUST_IS_REVOKED) != 0)
		return refuse(error, "the certificate is revoked");
	if ((status & (CERT_TRUST_IS_PARTIAL_CHAIN | CERT_TRUST_IS_UNTRUSTED_ROOT)) != 0)
		return refuse_unknown_authority(trust, error);
	if ((status & CERT_TRUST_IS_NOT_SIGNATURE_VALID) != 0)
		return refuse(error, "the certificate, or one of its authorities', is badly signed");
	if ((status & CERT_TRUST_IS_NOT_VALID_FOR_USAGE) != 0)
		return refuse(error, "the certificate is not meant for servers");
	return error_set(error, STATUS_UNREACHABLE, "the certificate's chain is not good (trust status 0x%lx)", status);
}

/* Whatever the engine was told, and whatever it thought: the chain ends in one of the policy's authorities. */
static enum status check_root(const struct dir_trust *trust, const CERT_CHAIN_CONTEXT *chain, struct error *error)
{
	const CERT_SIMPLE_CHAIN *simple = chain->cChain > 0 ? chain->rgpChain[chain->cChain - 1] : NULL;
	PCCERT_CONTEXT found;

	if (simple == NULL || simple->cElement == 0)
		return refuse_unknown_authority(trust, error);
	if (trust->authorities == NULL)
		return STATUS_OK;
	found = CertFindCertificateInStore(trust->authorities, X509_ASN_ENCODING, 0, CERT_FIND_EXISTING,
					   simple->rgpElement[simple->cElement - 1]->pCertContext, NULL);
	if (found == NULL)
		return refuse_unknown_authority(trust, error);
	(void)CertFreeCertificateContext(found);
	return STATUS_OK;
}

/* @param name  NULL: it was compared already. */
/* NOLINTNEXTLINE(readability-non-const-parameter): CryptoAPI takes it as not const. */
static enum status check_policy(const struct dir_trust *trust, const CERT_CHAIN_CONTEXT *chain, WCHAR *name,
				const struct dir_certificate *read, struct error *error)
{
	SSL_EXTRA_CERT_CHAIN_POLICY_PARA tls = {
	    .cbSize = sizeof(tls), .dwAuthType = AUTHTYPE_SERVER, .pwszServerName = name};
	CERT_CHAIN_POLICY_PARA para = {.cbSize = sizeof(para), .pvExtraPolicyPara = &tls};
	CERT_CHAIN_POLICY_STATUS status = {.cbSize = sizeof(status)};

	if (!CertVerifyCertificateChainPolicy(CERT_CHAIN_POLICY_SSL, chain, &para, &status))
		return error_system(error, STATUS_UNREACHABLE, (int)GetLastError(), "the certificate cannot be judged");
	switch (status.dwError) {
	case 0:
		return STATUS_OK;
	case (DWORD)CERT_E_EXPIRED:
		return refuse_time(read, error);
	case (DWORD)CERT_E_UNTRUSTEDROOT:
	case (DWORD)CERT_E_CHAINING:
		return refuse_unknown_authority(trust, error);
	case (DWORD)CERT_E_CN_NO_MATCH:
		return refuse(error, "the certificate is for another name");
	default:
		return error_set(error, STATUS_UNREACHABLE, "the certificate is not good (0x%lx)", status.dwError);
	}
}

static enum status check_name(const struct dir_certificate *read, const char *host, struct error *error)
{
	if (read->has_host)
		return STATUS_OK;
	return error_set(error, STATUS_UNREACHABLE, "the certificate is for the names (%s), not for '%s'", read->names,
			 host);
}

/* A list without the authority's own signature is nobody's. */
static enum status check_revoked(const struct dir_trust *trust, PCCERT_CONTEXT certificate, PCCERT_CONTEXT issuer,
				 struct error *error)
{
	PCCRL_CONTEXT crl = NULL;
	enum status status = STATUS_OK;
	PCRL_ENTRY entry = NULL;
	DWORD flags;

	do {
		flags = CERT_STORE_SIGNATURE_FLAG;
		crl = CertGetCRLFromStore(trust->revocations, issuer, crl, &flags);
		if (crl == NULL)
			break;
		if ((flags & CERT_STORE_SIGNATURE_FLAG) != 0)
			status = refuse(error, "its authority's revocation list is badly signed");
		else if (CertVerifyCRLTimeValidity(NULL, crl->pCrlInfo) != 0)
			status = refuse(error, "its authority's revocation list is not within its dates: renew it");
		else if (!CertFindCertificateInCRL(certificate, crl, 0, NULL, &entry) || entry != NULL)
			status = refuse(error, "the certificate is revoked");
	} while (status == STATUS_OK);
	if (crl != NULL)
		(void)CertFreeCRLContext(crl);
	return status;
}

static enum status check_revocations(const struct dir_trust *trust, const CERT_CHAIN_CONTEXT *chain,
				     struct error *error)
{
	const CERT_SIMPLE_CHAIN *simple = chain->rgpChain[chain->cChain - 1];
	enum status status = STATUS_OK;

	for (DWORD i = 0; trust->revocations != NULL && i + 1 < simple->cElement && status == STATUS_OK; i++)
		status = check_revoked(trust, simple->rgpElement[i]->pCertContext,
				       simple->rgpElement[i + 1]->pCertContext, error);
	return status;
}

static enum status check_chain(const struct dir_trust *trust, const CERT_CHAIN_CONTEXT *chain, WCHAR *name,
			       const struct dir_certificate *read, const char *host, struct error *error)
{
	enum status status = check_status(trust, chain->TrustStatus.dwErrorStatus, read, error);

	if (status == STATUS_OK)
		status = check_root(trust, chain, error);
	/* Its own names are compared by us: CryptoAPI passes over addresses among them (Wine 8, and Windows for long). */
	if (status == STATUS_OK)
		status = check_policy(trust, chain, read->has_names ? NULL : name, read, error);
	if (status == STATUS_OK && read->has_names)
		status = check_name(read, host, error);
	return status == STATUS_OK ? check_revocations(trust, chain, error) : status;
}

static PCCERT_CHAIN_CONTEXT build_chain(const struct dir_trust *trust, PCCERT_CONTEXT certificate)
{
	/* CryptoAPI takes it as not const, and does not change it. */
	static char server_auth[] = szOID_PKIX_KP_SERVER_AUTH;
	char *usages[] = {server_auth};
	CERT_CHAIN_PARA para = {
	    .cbSize = sizeof(para),
	    .RequestedUsage = {.dwType = USAGE_MATCH_TYPE_OR,
			       .Usage = {.cUsageIdentifier = COUNT_OF(usages), .rgpszUsageIdentifier = usages}}};
	PCCERT_CHAIN_CONTEXT chain = NULL;

	if (!CertGetCertificateChain(trust->engine, certificate, NULL, certificate->hCertStore, &para,
				     CERT_CHAIN_CACHE_ONLY_URL_RETRIEVAL | CERT_CHAIN_DISABLE_AUTH_ROOT_AUTO_UPDATE,
				     NULL, &chain))
		return NULL;
	return chain;
}

enum status dir_trust_check(const struct dir_trust *trust, const void *certificate, const char *host,
			    struct error *error)
{
	const CERT_CONTEXT *shown = certificate;
	struct dir_certificate read = {.has_host = false};
	PCCERT_CHAIN_CONTEXT chain;
	uint16_t *name = NULL;
	size_t count;
	enum status status;

	if (!dir_certificate_read(shown->pbCertEncoded, shown->cbCertEncoded, host, &read))
		return refuse(error, "what the server showed is no certificate");
	if (utf8_to_utf16(host, strlen(host), &name, &count) != 0)
		return error_no_memory(error);
	chain = build_chain(trust, shown);
	if (chain == NULL) {
		status =
		    error_system(error, STATUS_UNREACHABLE, (int)GetLastError(), "the certificate cannot be judged");
	} else {
		status = check_chain(trust, chain, name, &read, host, error);
		CertFreeCertificateChain(chain);
	}
	memory_free(name);
	return status;
}
