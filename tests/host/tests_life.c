/* SPDX-License-Identifier: Apache-2.0 */
/* Loading, starting, ending. */
#include <dirent.h>
#include <dlfcn.h>
#include <host/host.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The six names, and none of what is behind them. */
void test_exports(const struct scenario *scenario)
{
	/* No library below us has one of these, so that what is found would be ours. */
	static const char *const inner[] = {"wa_engine_open", "wa_reason_word", "plugin_start", "memory_new",
					    "executor_open",  "config_load",    "json_begin",   "plugin_text_read"};
	struct plugin_file file;

	/* Without the host's library the plug-in cannot be bound: it has no completion functions of its own. */
	expect(dlopen(scenario->plugin_path, RTLD_NOW | RTLD_LOCAL) == NULL);
	expect(strstr(dlerror(), "Complete") != NULL);
	host_load(scenario, &file);
	for (size_t i = 0; i < sizeof(inner) / sizeof(inner[0]); i++)
		expect(dlsym(file.handle, inner[i]) == NULL);
	host_unload(&file);
}

/* A Startup that fails gets no Shutdown: it leaves no thread and does not touch the context. */
void test_startup_fails(const struct scenario *scenario)
{
	struct plugin_file file;
	char untouched;
	PVOID context = &untouched;
	size_t threads;

	host_load(scenario, &file);
	threads = host_threads();
	for (int i = 0; i < 3; i++) {
		expect(host_start(&file, scenario->policy, &context) == WSMAUTHZ_CONFIGURATION_CORRUPTED);
		expect(context == &untouched);
	}
	host_expect_quiet(threads);
	host_unload(&file);
}

/* Two applications in one process: each has its own context, and the end of one is not the end of the other. */
void test_two_applications(const struct scenario *scenario)
{
	const struct expectation *first = &scenario->expected[0];
	struct plugin_file file;
	PVOID contexts[2] = {NULL, NULL};
	size_t threads;

	host_load(scenario, &file);
	threads = host_threads();
	for (int i = 0; i < 2; i++)
		expect(host_start(&file, scenario->policy, &contexts[i]) == 0);
	expect(contexts[0] != contexts[1]);
	for (int i = 0; i < 2; i++)
		expect(call_ask(&file, contexts[i], CALL_USER, first->sender) == first->user_code);
	expect(file.shutdown(contexts[0], 0, 3) == 0);
	expect(call_ask(&file, contexts[1], CALL_OPERATION, first->sender) == first->operation_code);
	/* And a third comes while the second is there. */
	expect(host_start(&file, scenario->policy, &contexts[0]) == 0);
	expect(call_ask(&file, contexts[0], CALL_USER, first->sender) == first->user_code);
	expect(file.shutdown(contexts[1], 0, 3) == 0);
	expect(call_ask(&file, contexts[0], CALL_QUOTA, first->sender) == first->operation_code);
	expect(file.shutdown(contexts[0], 0, 3) == 0);
	host_expect_quiet(threads);
}

/* Unloaded and loaded again, several times, with a life in between. */
void test_reload(const struct scenario *scenario)
{
	const struct expectation *first = &scenario->expected[0];

	for (int i = 0; i < 3; i++) {
		struct plugin_file file;
		PVOID context = NULL;
		size_t threads;

		host_load(scenario, &file);
		threads = host_threads();
		expect(host_start(&file, scenario->policy, &context) == 0);
		expect(call_ask(&file, context, CALL_USER, first->sender) == first->user_code);
		expect(file.shutdown(context, 0, 3) == 0);
		host_expect_quiet(threads);
		host_unload(&file);
	}
}

static uint64_t blocked_signals(const char *task)
{
	char path[64], line[256];
	uint64_t mask = 0;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/self/task/%.16s/status", task);
	file = fopen(path, "r");
	expect(file != NULL);
	while (fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, "SigBlk:", 7) == 0)
			mask = strtoull(line + 7, NULL, 16);
	(void)fclose(file);
	return mask;
}

static bool is_ours(const char *task)
{
	return task[0] != '.' && strtol(task, NULL, 10) != (long)getpid();
}

/*
 * The signals that must not reach one of our threads. Left out: what cannot be blocked (KILL 9, STOP 19, and 32 and
 * 33, which are the C library's), and what a thread raises by a fault of its own (ILL 4, TRAP 5, BUS 7, FPE 8, SEGV 11, SYS 31).
 */
static uint64_t foreign_signals(void)
{
	static const unsigned left_out[] = {4, 5, 7, 8, 9, 11, 19, 31, 32, 33};
	uint64_t mask = UINT64_MAX;

	for (size_t i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++)
		mask &= ~(1ull << (left_out[i] - 1));
	return mask;
}

/* The host has one thread of its own; each other one is the plug-in's. SIGPIPE first of all is blocked there. */
void test_signals(const struct scenario *scenario)
{
	const uint64_t foreign = foreign_signals();
	const struct expectation *first = &scenario->expected[0];
	struct plugin_file file;
	PVOID context = NULL;
	const struct dirent *entry;
	size_t seen = 0;
	DIR *tasks;

	host_load(scenario, &file);
	expect(host_start(&file, scenario->policy, &context) == 0);
	expect(call_ask(&file, context, CALL_USER, first->sender) == first->user_code);
	tasks = opendir("/proc/self/task");
	expect(tasks != NULL);
	while ((entry = readdir(tasks)) != NULL) {
		if (!is_ours(entry->d_name))
			continue;
		expect((blocked_signals(entry->d_name) & foreign) == foreign);
		seen++;
	}
	(void)closedir(tasks);
	expect(seen > 0);
	expect(file.shutdown(context, 0, 3) == 0);
}
