/* SPDX-License-Identifier: Apache-2.0 */
/* The policy file and WinRM's extraInfo, through the XML reader. */
#include "fuzz.h"

#include <base/memory.h>
#include <config/config.h>

void fuzz_one(const uint8_t *data, size_t size)
{
	const struct config *config = NULL;
	char *path = NULL;

	if (config_parse((const char *)data, size, "/nonexistent/policy.xml", &config, NULL) == STATUS_OK &&
	    (config->directory_count == 0 || config->rule_count == 0))
		abort();
	config_unref(&config);
	if (config_path_from_extra_info((const char *)data, size, &path, NULL) == STATUS_OK)
		memory_free(path);
}
