/* SPDX-License-Identifier: Apache-2.0 */
/* A plug-in that was loaded from its file: its six entry points, and the context of its start. */
#ifndef WSMAUTHZ_CLI_HOST_PLUGIN_H
#define WSMAUTHZ_CLI_HOST_PLUGIN_H

#include <base/error.h>
#include <cli/wsmsvc_standin.h>
#include <wsmauthz/wsman.h>

struct host_library;

struct host_plugin {
	struct host_library *library; /* owned */
	PVOID context;
	DWORD(WINAPI *startup)(DWORD flags, PCWSTR application, PCWSTR extra_info, PVOID *context);
	DWORD(WINAPI *shutdown)(PVOID context, DWORD flags, DWORD reason);
	VOID(WINAPI *authz_user)(PVOID context, WSMAN_SENDER_DETAILS *details, DWORD flags);
	VOID(WINAPI *authz_operation)
	(PVOID context, WSMAN_SENDER_DETAILS *details, DWORD flags, DWORD operation, PCWSTR action,
	 PCWSTR resource_uri);
	VOID(WINAPI *authz_query_quota)(PVOID context, WSMAN_SENDER_DETAILS *details, DWORD flags);
	VOID(WINAPI *release_context)(PVOID user_context);
};

/** Load the file. @return as host_library_open and host_library_find. */
NODISCARD enum status host_plugin_load(struct host_plugin *plugin, const char *path, standin_completed_fn *completed,
				       struct error *error);
void host_plugin_unload(struct host_plugin *plugin);

/**
 * Start it as IIS-hosted WinRM does.
 *
 * @param application  the applicationIdentification.
 * @param policy       handed over as the parameter ConfigFile of extraInfo; NULL: extraInfo is NULL.
 * @param code_out     what Startup returned, when it did.
 * @return STATUS_OK, also when Startup refused; STATUS_NO_MEMORY.
 */
NODISCARD enum status host_plugin_start(struct host_plugin *plugin, const char *application, const char *policy,
					DWORD *code_out, struct error *error);

/** @return what Shutdown returned. */
DWORD host_plugin_stop(struct host_plugin *plugin);

#endif
