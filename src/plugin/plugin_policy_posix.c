/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <plugin/plugin.h>
#include <plugin/plugin_policy.h>

enum status plugin_policy_find(const char *application, char **path_out, struct error *error)
{
	char *path = memory_copy_text(PLUGIN_DEFAULT_POLICY);

	(void)application;
	if (path == NULL)
		return error_no_memory(error);
	*path_out = path;
	return STATUS_OK;
}
