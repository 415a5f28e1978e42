/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WSManPluginStartup. It reads files, and the registry on Windows, so it is a thread of ours that does it: the host's may be
 * impersonating somebody who may not, and a new thread has the process's own identity. The host's waits.
 */
#include <base/memory.h>
#include <config/config.h>
#include <os/log_sink.h>
#include <os/thread.h>
#include <plugin/plugin.h>
#include <plugin/plugin_context.h>
#include <plugin/plugin_policy.h>
#include <plugin/plugin_text.h>

struct startup {
	DWORD flags;
	PCWSTR application, extra_info; /* the host's */
	PVOID context;                  /* out */
	enum status status;
};

/* What the host calls the application; NULL where it gives no name that could be read. */
static enum status read_application(PCWSTR units, char **name_out, struct error *error)
{
	const enum status status = plugin_text_read(units, PLUGIN_MAX_NAME_UNITS, name_out, NULL);

	if (status == STATUS_NO_MEMORY)
		return error_no_memory(error);
	if (status != STATUS_OK)
		*name_out = NULL;
	return STATUS_OK;
}

/* NULL when the host's parameters name none. */
static enum status read_extra_info(PCWSTR extra_info, char **path_out, struct error *error)
{
	char *text = NULL;
	size_t length = 0;
	enum status status = plugin_text_read(extra_info, PLUGIN_MAX_EXTRA_UNITS, &text, &length);

	if (status == STATUS_NO_MEMORY)
		return error_no_memory(error);
	if (status != STATUS_OK)
		return error_set(error, status, "the host's initialization parameters are %s",
				 status == STATUS_LIMIT ? "too long" : "not UTF-16");
	*path_out = NULL;
	if (text != NULL)
		status = config_path_from_extra_info(text, length, path_out, error);
	memory_free(text);
	return status;
}

static enum status start_with(struct startup *startup, const char *application, struct error *error)
{
	char *path = NULL;
	enum status status = read_extra_info(startup->extra_info, &path, error);

	if (status == STATUS_OK && path == NULL)
		status = plugin_policy_find(application, &path, error);
	if (status == STATUS_OK)
		status = plugin_start(path, NULL, &startup->context, error);
	if (status == STATUS_OK)
		log_event(&((const struct plugin *)startup->context)->log, LOG_EVENT_STARTED,
			  "plug-in: started for application '%s' with policy '%s' (flags 0x%lx)",
			  application != NULL ? application : "", path, (unsigned long)startup->flags);
	memory_free(path);
	return status;
}

static void run(void *context)
{
	struct startup *startup = context;
	struct error error = {.status = STATUS_OK};
	char *application = NULL;

	startup->status = read_application(startup->application, &application, &error);
	if (startup->status == STATUS_OK)
		startup->status = start_with(startup, application, &error);
	if (startup->status != STATUS_OK)
		log_event_failure(&log_system, LOG_EVENT_NOT_STARTED, "plug-in: cannot start", &error);
	memory_free(application);
}

static void run_by_a_thread(struct startup *startup)
{
	struct thread thread = {.started = false};
	struct error error = {.status = STATUS_OK};
	enum status status = thread_start(&thread, "wsmauthz-start", run, startup, &error);

	/* The startup's own status is the thread's to write: it may have done so before thread_start returns. */
	if (status == STATUS_OK) {
		thread_join(&thread);
		return;
	}
	startup->status = status;
	log_event_failure(&log_system, LOG_EVENT_NOT_STARTED, "plug-in: cannot start", &error);
}

DWORD WINAPI WSManPluginStartup(DWORD flags, PCWSTR applicationIdentification, PCWSTR extraInfo, PVOID *pluginContext)
{
	struct startup startup = {.flags = flags, .application = applicationIdentification, .extra_info = extraInfo};

	if (pluginContext == NULL) {
		log_error(&log_system, "plug-in: the host has no place for the plug-in's context");
		return WSMAUTHZ_INVALID_PARAMETER;
	}
	run_by_a_thread(&startup);
	if (startup.status == STATUS_NO_MEMORY)
		return WSMAUTHZ_NOT_ENOUGH_MEMORY;
	if (startup.status != STATUS_OK)
		return WSMAUTHZ_CONFIGURATION_CORRUPTED;
	*pluginContext = startup.context;
	return WSMAUTHZ_NO_ERROR;
}
