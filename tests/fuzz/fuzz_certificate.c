/* SPDX-License-Identifier: Apache-2.0 */
/* The certificate of a server that was not accepted: what is told of it is printable, and bounded. */
#include "fuzz.h"

#include <directory/dir_certificate.h>
#include <string.h>

static void check_time(const char time[DIR_CERTIFICATE_TIME_BYTES])
{
	const size_t length = strnlen(time, DIR_CERTIFICATE_TIME_BYTES);

	fuzz_check(length == 0 || length == DIR_CERTIFICATE_TIME_BYTES - 1);
	fuzz_check(strspn(time, "0123456789") == length);
}

void fuzz_one(const uint8_t *data, size_t size)
{
	struct dir_certificate certificate;

	if (!dir_certificate_read(data, size, "dc1.corp.example", &certificate))
		return;
	check_time(certificate.not_before);
	check_time(certificate.not_after);
	fuzz_check(memchr(certificate.names, '\0', sizeof(certificate.names)) != NULL);
	for (const char *c = certificate.names; *c != '\0'; c++)
		fuzz_check(*c >= ' ' && *c < 0x7F);
}
