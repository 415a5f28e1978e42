/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_conn_wldap32.h>

#include <directory/dir_waiver.h>
#include <stdio.h>

/* <security.h> wants to know what it is for. */
#define SECURITY_WIN32
#include <security.h>

#include <schannel.h>

/* SecPkgContext_ConnectionInfo.dwProtocol; mingw's <schannel.h> of 2022 ends at TLS 1.2. */
#define PROTOCOL_TLS1_2_CLIENT 0x00000800U
#define PROTOCOL_TLS1_3_CLIENT 0x00002000U

/* The connections that are being opened: a certificate comes with the handle alone. */
static SRWLOCK expected_lock = SRWLOCK_INIT;
static struct dir_conn *expected; /* guarded by expected_lock */

void dir_conn_expect(struct dir_conn *conn)
{
	conn->opened_by = GetCurrentThreadId();
	conn->trust_status = STATUS_NOT_FOUND;
	AcquireSRWLockExclusive(&expected_lock);
	conn->next_expected = expected;
	expected = conn;
	ReleaseSRWLockExclusive(&expected_lock);
}

void dir_conn_forget(struct dir_conn *conn)
{
	struct dir_conn **at;

	AcquireSRWLockExclusive(&expected_lock);
	for (at = &expected; *at != NULL && *at != conn; at = &(*at)->next_expected)
		;
	if (*at != NULL)
		*at = conn->next_expected;
	ReleaseSRWLockExclusive(&expected_lock);
}

/* By the handle; or, should the library show another one of its own, by the thread that opens it. */
static struct dir_conn *find(const LDAP *ld)
{
	const DWORD thread = GetCurrentThreadId();
	struct dir_conn *conn;
	struct dir_conn *by_thread = NULL;

	AcquireSRWLockShared(&expected_lock);
	for (conn = expected; conn != NULL && conn->ld != ld; conn = conn->next_expected)
		if (conn->opened_by == thread)
			by_thread = conn;
	ReleaseSRWLockShared(&expected_lock);
	return conn != NULL ? conn : by_thread;
}

static void judge(struct dir_conn *conn, PCCERT_CONTEXT certificate)
{
	conn->trust_status = dir_trust_check(conn->trust, certificate, conn->host, &conn->trust_error);
	conn->has_certificate = dir_certificate_read(certificate->pbCertEncoded, certificate->cbCertEncoded, conn->host,
						     &conn->certificate);
}

BOOLEAN LDAPAPI dir_conn_verify(PLDAP ld, PCCERT_CONTEXT certificate)
{
	struct dir_conn *conn = find(ld);
	PCCERT_CONTEXT shown = certificate;

	if (conn == NULL || certificate == NULL)
		return FALSE;
	/*
	 * The header says a context; what comes is a pointer to one (Microsoft's page on VERIFYSERVERCERT says so), which it is for us to
	 * free. A context begins with its encoding, which is odd (X509_ASN_ENCODING), and a pointer's first byte is not.
	 */
	if ((certificate->dwCertEncodingType & X509_ASN_ENCODING) == 0)
		shown = *(const PCCERT_CONTEXT *)(const void *)certificate;
	if (shown == NULL)
		return FALSE;
	judge(conn, shown);
	if (shown != certificate)
		(void)CertFreeCertificateContext(shown);
	return conn->trust_status == STATUS_OK ? TRUE : FALSE;
}

static enum status fail_certificate(struct dir_conn *conn, struct error *error)
{
	if (conn->trust_status == STATUS_NOT_FOUND) {
		(void)error_set(error, STATUS_UNREACHABLE, "the library showed no certificate of '%s'", conn->uri);
		return error_hint(error, STATUS_UNREACHABLE, "so nobody knows whose server it is");
	}
	(void)error_set(error, conn->trust_status, "'%s': %s", conn->uri, conn->trust_error.what);
	return error_hint(error, conn->trust_status,
			  "the certificate's authority must be in '%s', the name '%s' in its subjectAltName, and today "
			  "between its dates",
			  conn->ca_file != NULL ? conn->ca_file : "the system's store", conn->host);
}

static void note_version(struct dir_conn *conn, const SecPkgContext_ConnectionInfo *info)
{
	const char *version = "older than TLS1.2";

	if ((info->dwProtocol & PROTOCOL_TLS1_3_CLIENT) != 0)
		version = "TLS1.3";
	else if ((info->dwProtocol & PROTOCOL_TLS1_2_CLIENT) != 0)
		version = "TLS1.2";
	(void)snprintf(conn->tls_version, sizeof(conn->tls_version), "%s", version);
	(void)snprintf(conn->tls_cipher, sizeof(conn->tls_cipher), "algorithm 0x%x, %lu bits", info->aiCipher,
		       info->dwCipherStrength);
}

static enum status check_version(struct dir_conn *conn, struct error *error)
{
	const DWORD enough =
	    conn->tls_minimum >= 13 ? PROTOCOL_TLS1_3_CLIENT : PROTOCOL_TLS1_3_CLIENT | PROTOCOL_TLS1_2_CLIENT;
	SecPkgContext_ConnectionInfo info = {0};
	const ULONG code = ldap_get_optionW(conn->ld, LDAP_OPT_SSL_INFO, &info);

	if (code != LDAP_SUCCESS)
		return dir_waiver_is_given()
			   ? STATUS_OK
			   : error_set(error, STATUS_INVALID, "wldap32 does not say which TLS '%s' speaks (0x%lx)",
				       conn->uri, code);
	note_version(conn, &info);
	if ((info.dwProtocol & enough) != 0)
		return STATUS_OK;
	(void)error_set(error, STATUS_UNREACHABLE, "'%s' speaks %s, and the policy wants TLS 1.%d or newer", conn->uri,
			conn->tls_version, conn->tls_minimum - 10);
	return error_hint(error, STATUS_UNREACHABLE, "let the server speak newer TLS, or see tls/@minimum");
}

enum status dir_conn_check_tls(struct dir_conn *conn, struct error *error)
{
	const bool is_waived = conn->trust_status == STATUS_NOT_FOUND && dir_waiver_is_given();

	if (conn->trust_status != STATUS_OK && !is_waived)
		return fail_certificate(conn, error);
	return check_version(conn, error);
}
