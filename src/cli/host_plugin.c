/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <base/text.h>
#include <cli/host_plugin.h>
#include <cli/host_system.h>
#include <cli/sender_units.h>

#define SHUTDOWN_IISHOST 3 /* WSMAN_PLUGIN_SHUTDOWN_IISHOST */

enum status host_plugin_load(struct host_plugin *plugin, const char *path, standin_completed_fn *completed,
			     struct error *error)
{
	struct host_plugin loaded = {.library = NULL};
	const struct {
		const char *name;
		void *function;
	} wanted[] = {
	    {"WSManPluginStartup", &loaded.startup},
	    {"WSManPluginShutdown", &loaded.shutdown},
	    {"WSManPluginAuthzUser", &loaded.authz_user},
	    {"WSManPluginAuthzOperation", &loaded.authz_operation},
	    {"WSManPluginAuthzQueryQuota", &loaded.authz_query_quota},
	    {"WSManPluginAuthzReleaseContext", &loaded.release_context},
	};
	enum status status = host_library_open(path, completed, &loaded.library, error);

	for (size_t i = 0; status == STATUS_OK && i < COUNT_OF(wanted); i++)
		status = host_library_find(loaded.library, wanted[i].name, wanted[i].function, error);
	if (status != STATUS_OK) {
		error_prefix(error, "%s", path);
		host_library_close(&loaded.library);
		return status;
	}
	*plugin = loaded;
	return STATUS_OK;
}

void host_plugin_unload(struct host_plugin *plugin)
{
	host_library_close(&plugin->library);
}

/* WinRM hands the fragment over as it stands in its configuration: values are still escaped. */
static void add_escaped(struct text *out, const char *value)
{
	for (; *value != '\0'; value++) {
		if (*value == '&')
			text_add(out, "&amp;");
		else if (*value == '<')
			text_add(out, "&lt;");
		else if (*value == '"')
			text_add(out, "&quot;");
		else
			text_add_char(out, *value);
	}
}

static enum status make_extra_info(const char *policy, WCHAR **units_out, struct error *error)
{
	struct text text;
	WCHAR *units;

	text_init(&text);
	text_add(&text, "<InitializationParameters><Param Name=\"ConfigFile\" Value=\"");
	add_escaped(&text, policy);
	text_add(&text, "\"/></InitializationParameters>");
	units = text_failed(&text) ? NULL : sender_units(text_string(&text), text.length);
	text_done(&text);
	if (units == NULL)
		return error_no_memory(error);
	*units_out = units;
	return STATUS_OK;
}

enum status host_plugin_start(struct host_plugin *plugin, const char *application, const char *policy, DWORD *code_out,
			      struct error *error)
{
	WCHAR *name = sender_units_of(application), *extra_info = NULL;
	enum status status = name != NULL ? STATUS_OK : error_no_memory(error);

	if (status == STATUS_OK && policy != NULL)
		status = make_extra_info(policy, &extra_info, error);
	if (status == STATUS_OK)
		*code_out = plugin->startup(0, name, extra_info, &plugin->context);
	memory_free(name);
	memory_free(extra_info);
	return status;
}

DWORD host_plugin_stop(struct host_plugin *plugin)
{
	return plugin->shutdown(plugin->context, 0, SHUTDOWN_IISHOST);
}
