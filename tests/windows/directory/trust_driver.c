/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Judges certificates: each line of standard input is "CERTIFICATE|HOST|CA FILE|CRL FILE", files in PEM form, the last two may be empty; the first file may
 * hold the certificates that a server sends with its own, which stands first. Each is answered by a line: "ok", or "<status> <words>".
 */
#include <directory/dir_conn_wldap32.h>
#include <directory/dir_trust.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <windows.h>

#include <wincrypt.h>

#define MAX_BYTES 65536

static char *read_all(const char *path)
{
	static char text[MAX_BYTES];
	FILE *file = fopen(path, "rb");
	size_t length;

	if (file == NULL)
		return NULL;
	length = fread(text, 1, sizeof(text) - 1, file);
	text[length] = '\0';
	(void)fclose(file);
	return text;
}

/* The first certificate of a file, in a store with all of them, as a server's is. */
static PCCERT_CONTEXT load(const char *path, HCERTSTORE store)
{
	PCCERT_CONTEXT first = NULL;
	char *at = read_all(path);

	while (at != NULL && (at = strstr(at, "-----BEGIN CERTIFICATE-----")) != NULL) {
		static BYTE der[MAX_BYTES];
		DWORD length = sizeof(der);

		if (!CryptStringToBinaryA(at, (DWORD)(strstr(at, "-----END") + 25 - at), CRYPT_STRING_BASE64HEADER, der,
					  &length, NULL, NULL) ||
		    !CertAddEncodedCertificateToStore(store, X509_ASN_ENCODING, der, length, CERT_STORE_ADD_ALWAYS,
						      first == NULL ? &first : NULL))
			return NULL;
		at++;
	}
	return first;
}

static char *part(char **rest)
{
	char *begin = *rest;
	char *end = begin + strcspn(begin, "|\r\n");

	*rest = *end == '|' ? end + 1 : end;
	*end = '\0';
	return begin;
}

/* What wldap32 is told of it: it hands over a pointer to a pointer, although the header says otherwise. */
static bool is_told_the_same(const struct dir_trust *trust, const char *host, PCCERT_CONTEXT certificate,
			     enum status status)
{
	LDAP handle = {.ld_errno = 0};
	LDAP other = handle;
	struct dir_trust *lent = NULL;
	struct dir_conn conn = {.ld = &handle, .host = NULL};
	PCCERT_CONTEXT given = CertDuplicateCertificateContext(certificate);
	const bool is_good = status == STATUS_OK;
	bool is_same;

	memcpy(&lent, &trust, sizeof(lent));
	conn.trust = lent;
	conn.host = _strdup(host);
	is_same = dir_conn_verify(&handle, certificate) == FALSE; /* nobody expects one */
	dir_conn_expect(&conn);
	is_same =
	    is_same && dir_conn_verify(&handle, certificate) == (is_good ? TRUE : FALSE) && conn.trust_status == status;
	is_same = is_same && dir_conn_verify(&other, (PCCERT_CONTEXT)(const void *)&given) == (is_good ? TRUE : FALSE);
	dir_conn_forget(&conn);
	is_same = is_same && dir_conn_verify(&handle, certificate) == FALSE && dir_conn_verify(&handle, NULL) == FALSE;
	free(conn.host);
	return is_same;
}

static void judge(char *line)
{
	HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_MEMORY, 0, 0, CERT_STORE_CREATE_NEW_FLAG, NULL);
	const char *path = part(&line);
	const char *host = part(&line);
	const char *ca_file = part(&line);
	const char *crl_file = part(&line);
	PCCERT_CONTEXT certificate = load(path, store);
	struct dir_trust *trust = NULL;
	struct error error = {0};
	enum status status;

	if (certificate == NULL) {
		printf("unreadable %s\n", path);
		return;
	}
	status = dir_trust_new(*ca_file != '\0' ? ca_file : NULL, *crl_file != '\0' ? crl_file : NULL, &trust, &error);
	if (status == STATUS_OK)
		status = dir_trust_check(trust, certificate, host, &error);
	if (trust != NULL && !is_told_the_same(trust, host, certificate, status))
		printf("the library is told otherwise\n");
	else if (status == STATUS_OK)
		printf("ok\n");
	else
		printf("%s %s\n", status_word(status), error.what);
	dir_trust_free(&trust);
	(void)CertFreeCertificateContext(certificate);
	(void)CertCloseStore(store, 0);
}

int main(void)
{
	static char line[4096];

	(void)setvbuf(stdout, NULL, _IONBF, 0);
	while (fgets(line, sizeof(line), stdin) != NULL)
		judge(line);
	printf("BYE\n");
	return 0;
}
