/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <dlfcn.h>
#include <host/host.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void host_fail(const char *file, int line, const char *what)
{
	(void)fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
	(void)fflush(stderr);
	_Exit(1);
}

uint64_t host_now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void host_sleep_ms(unsigned ms)
{
	const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

	(void)nanosleep(&pause, NULL);
}

/* A function pointer and an object pointer have one size here (POSIX says so for dlsym). */
static void find(void *handle, const char *name, void *function)
{
	void *symbol = dlsym(handle, name);

	if (symbol == NULL)
		host_fail(__FILE__, __LINE__, name);
	memcpy(function, &symbol, sizeof(symbol));
}

static void *load(const char *path, int visibility)
{
	void *handle = dlopen(path, RTLD_NOW | visibility);

	if (handle == NULL)
		host_fail(__FILE__, __LINE__, dlerror());
	return handle;
}

static void *do_nothing(void *argument)
{
	return argument;
}

/* A sanitizer starts a thread of its own with the first of the program's: before anyone counts. */
static void start_first_thread(void)
{
	pthread_t thread;

	expect(pthread_create(&thread, NULL, do_nothing, NULL) == 0);
	expect(pthread_join(thread, NULL) == 0);
}

void host_load(const struct scenario *scenario, struct plugin_file *file)
{
	void (*set)(standin_completed_fn * completed);

	start_first_thread();
	/* The host's library is there before the plug-in, and stays. */
	find(load(scenario->standin_path, RTLD_GLOBAL), "standin_set", &set);
	set(host_completed);
	file->handle = load(scenario->plugin_path, RTLD_LOCAL);
	find(file->handle, "WSManPluginStartup", &file->startup);
	find(file->handle, "WSManPluginShutdown", &file->shutdown);
	find(file->handle, "WSManPluginAuthzUser", &file->authz_user);
	find(file->handle, "WSManPluginAuthzOperation", &file->authz_operation);
	find(file->handle, "WSManPluginAuthzQueryQuota", &file->authz_query_quota);
	find(file->handle, "WSManPluginAuthzReleaseContext", &file->release_context);
}

void host_unload(struct plugin_file *file)
{
	expect(dlclose(file->handle) == 0);
	file->handle = NULL;
}

static void widen(WCHAR *out, size_t room, const char *text)
{
	size_t i = 0;

	for (; text[i] != '\0' && i + 1 < room; i++)
		out[i] = (WCHAR)(unsigned char)text[i];
	out[i] = 0;
}

DWORD host_start(const struct plugin_file *file, const char *policy, PVOID *context_out)
{
	static const WCHAR application[] = {'w', 's', 'm', 'a', 'n', '/', 't', 0};
	char text[1024];
	WCHAR extra_info[1024];

	(void)snprintf(text, sizeof(text),
		       "<InitializationParameters><Param Name=\"ConfigFile\" Value=\"%s\"/></InitializationParameters>",
		       policy);
	widen(extra_info, sizeof(extra_info) / sizeof(extra_info[0]), text);
	return file->startup(0, application, extra_info, context_out);
}

void call_init(struct call *call, const char *sender)
{
	static const WCHAR mechanism[] = {'N', 'e', 'g', 'o', 't', 'i', 'a', 't', 'e', 0};
	static const WCHAR url[] = {'h', 't', 't', 'p', 's', ':', '/', '/', 'h', ':', '5', '9', '8', '6', '/', 0};
	static char token;

	memset(call, 0, sizeof(*call));
	widen(call->name, sizeof(call->name) / sizeof(call->name[0]), sender);
	call->details = (WSMAN_SENDER_DETAILS){
	    .senderName = call->name, .authenticationMechanism = mechanism, .clientToken = &token, .httpURL = url};
}

size_t host_threads(void)
{
	DIR *tasks = opendir("/proc/self/task");
	const struct dirent *entry;
	size_t count = 0;

	expect(tasks != NULL);
	while ((entry = readdir(tasks)) != NULL)
		count += entry->d_name[0] != '.';
	(void)closedir(tasks);
	return count;
}
