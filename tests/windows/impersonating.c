/* SPDX-License-Identifier: Apache-2.0 */
/*
 * impersonating PLUGIN.dll STANDIN.dll POLICY SENDER
 *
 * impersonating --load-alone PLUGIN.dll    what the system says when the host's library is not there
 *
 * A host whose thread impersonates while it calls the plug-in: from Startup to Shutdown. It says which thread that is, and what
 * each call gave; who runs it looks at what that thread asked of the system (Wine writes it down by thread).
 */
#include <cli/wsmsvc_standin.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>
#include <windows.h>
/* After windows.h. */
#include <tlhelp32.h>

typedef DWORD WINAPI startup_fn(DWORD flags, PCWSTR application, PCWSTR extra_info, PVOID *context);
typedef DWORD WINAPI shutdown_fn(PVOID context, DWORD flags, DWORD reason);
typedef VOID WINAPI authz_user_fn(PVOID context, WSMAN_SENDER_DETAILS *details, DWORD flags);
typedef VOID WINAPI authz_operation_fn(PVOID context, WSMAN_SENDER_DETAILS *details, DWORD flags, DWORD operation,
				       PCWSTR action, PCWSTR resource_uri);

struct run {
	HMODULE plugin;
	startup_fn *startup;
	shutdown_fn *shutdown;
	authz_user_fn *authz_user;
	authz_operation_fn *authz_operation;
	HANDLE token; /* an impersonation token */
	WCHAR extra_info[1024];
	PCWSTR sender;
	/* Out; written by the calling thread, said by the first one. */
	DWORD started, user_code, operation_code, stopped;
	unsigned completions;
	BOOL was_token_given_back, is_still_impersonating, never_lost_it;
};

static struct run run;

static BOOL is_impersonating(void)
{
	HANDLE token;
	BOOL is = OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token);

	if (is)
		(void)CloseHandle(token);
	return is;
}

static void completed(const struct standin_completion *completion)
{
	run.completions++;
	if (completion->function == STANDIN_USER) {
		run.user_code = completion->code;
		run.was_token_given_back = completion->token == run.token;
	} else {
		run.operation_code = completion->code;
	}
}

static DWORD WINAPI call(void *unused)
{
	WSMAN_SENDER_DETAILS details = {.senderName = run.sender,
					.authenticationMechanism = L"Negotiate",
					.clientToken = run.token,
					.httpURL = L"https://winrm.corp.example:5986/wsman"};
	PVOID context = NULL;

	(void)unused;
	if (!SetThreadToken(NULL, run.token))
		return 1;
	run.started = run.startup(0, L"wsman/test", run.extra_info, &context);
	run.never_lost_it = is_impersonating();
	if (run.started == 0) {
		run.authz_user(context, &details, 0);
		run.never_lost_it = run.never_lost_it && is_impersonating();
		run.authz_operation(context, &details, 0, 1, L"action", L"resource");
		run.never_lost_it = run.never_lost_it && is_impersonating();
		run.stopped = run.shutdown(context, 0, 3);
	}
	run.is_still_impersonating = is_impersonating();
	(void)RevertToSelf();
	return 0;
}

static FARPROC find(HMODULE module, const char *name)
{
	FARPROC found = GetProcAddress(module, name);

	if (found == NULL) {
		printf("no %s\n", name);
		exit(1);
	}
	return found;
}

static unsigned threads(void)
{
	HANDLE snapshot = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
	THREADENTRY32 entry = {.dwSize = sizeof(entry)};
	unsigned count = 0;

	for (BOOL is_one = Thread32First(snapshot, &entry); is_one; is_one = Thread32Next(snapshot, &entry))
		count += entry.th32OwnerProcessID == GetCurrentProcessId();
	(void)CloseHandle(snapshot);
	return count;
}

static void load(const WCHAR *plugin, const WCHAR *standin)
{
	HMODULE module = LoadLibraryExW(standin, NULL, LOAD_WITH_ALTERED_SEARCH_PATH);
	union {
		FARPROC found;
		void (*set)(standin_completed_fn *completed);
		startup_fn *startup;
		shutdown_fn *shutdown;
		authz_user_fn *authz_user;
		authz_operation_fn *authz_operation;
	} function;

	function.found = find(module, "standin_set");
	function.set(completed);
	module = LoadLibraryExW(plugin, NULL, LOAD_WITH_ALTERED_SEARCH_PATH);
	function.found = find(module, "WSManPluginStartup");
	run.startup = function.startup;
	function.found = find(module, "WSManPluginShutdown");
	run.shutdown = function.shutdown;
	function.found = find(module, "WSManPluginAuthzUser");
	run.authz_user = function.authz_user;
	function.found = find(module, "WSManPluginAuthzOperation");
	run.authz_operation = function.authz_operation;
	run.plugin = module;
}

int wmain(int argc, WCHAR **argv);

int wmain(int argc, WCHAR **argv)
{
	HANDLE own, thread;
	DWORD id;

	if (argc == 3 && wcscmp(argv[1], L"--load-alone") == 0) {
		if (LoadLibraryExW(argv[2], NULL, LOAD_WITH_ALTERED_SEARCH_PATH) == NULL)
			printf("not loaded: %lu\n", (unsigned long)GetLastError());
		return 0;
	}
	if (argc != 5)
		return 2;
	load(argv[1], argv[2]);
	run.sender = argv[4];
	_snwprintf(run.extra_info, 1023,
		   L"<InitializationParameters><Param Name=\"ConfigFile\" Value=\"%ls\"/></InitializationParameters>",
		   argv[3]);
	if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY | TOKEN_DUPLICATE, &own) ||
	    !DuplicateTokenEx(own, TOKEN_QUERY | TOKEN_IMPERSONATE, NULL, SecurityImpersonation, TokenImpersonation,
			      &run.token))
		return 1;
	thread = CreateThread(NULL, 0, call, NULL, CREATE_SUSPENDED, &id);
	printf("caller %04lx\n", (unsigned long)id);
	(void)fflush(stdout);
	(void)ResumeThread(thread);
	(void)WaitForSingleObject(thread, INFINITE);
	printf("started %lu user %lu operation %lu stopped %lu completions %u token %d impersonating %d %d\n",
	       (unsigned long)run.started, (unsigned long)run.user_code, (unsigned long)run.operation_code,
	       (unsigned long)run.stopped, run.completions, run.was_token_given_back, run.never_lost_it,
	       run.is_still_impersonating);
	(void)FreeLibrary(run.plugin);
	printf("unloaded %d threads %u\n", GetModuleHandleW(L"wsmauthz.dll") == NULL, threads());
	return 0;
}
