/* SPDX-License-Identifier: Apache-2.0 */
/* Redirect targets: what is accepted has an endpoint, and nothing that could break a header. */
#include "fuzz.h"

#include <base/memory.h>
#include <identity/uri.h>
#include <string.h>

void fuzz_one(const uint8_t *data, size_t size)
{
	char *uri = memory_copy_bytes(data, size);
	struct uri_endpoint endpoint;

	if (uri == NULL)
		return;
	if (uri_check_redirect(uri, true, NULL) == STATUS_OK) {
		if (!uri_parse_endpoint(uri, &endpoint) || !uri_endpoint_is_same(&endpoint, &endpoint))
			abort();
		for (const char *c = uri; *c != '\0'; c++)
			if (*c <= ' ' || *c >= 0x7F || strchr("\"<>\\^`{|}", *c) != NULL)
				abort();
	}
	memory_free(uri);
}
