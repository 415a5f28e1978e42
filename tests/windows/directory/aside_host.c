/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unloads a DLL while a thread of it is in a call that has not come back: `aside_host aside_module.dll`. Says "OK" at its end, or what was not
 * so.
 */
#include <base/error.h>
#include <directory/dir_aside.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <windows.h>

#define LONG_MS  60000U
#define WHILE_MS 1500U

typedef int call_fn(unsigned takes_ms, unsigned patience_ms);
typedef int call_until_fn(unsigned takes_ms);
typedef unsigned count_fn(void);

struct module {
	HMODULE handle;
	call_fn *call;
	call_until_fn *call_until_over;
	count_fn *count;
};

static void demand(int is_so, const char *what)
{
	if (is_so)
		return;
	printf("not so: %s\n", what);
	exit(1);
}

/* A function's address is no pointer to data in C. */
static void take(HMODULE handle, const char *name, void *function)
{
	const FARPROC address = GetProcAddress(handle, name);

	demand(address != NULL, name);
	memcpy(function, &address, sizeof(address));
}

static struct module load(const char *path)
{
	struct module module = {.handle = LoadLibraryA(path)};

	demand(module.handle != NULL, "the module is loaded");
	take(module.handle, "call_aside", &module.call);
	take(module.handle, "call_until_over", &module.call_until_over);
	take(module.handle, "count_inherited", &module.count);
	return module;
}

static int is_loaded(const char *name)
{
	return GetModuleHandleA(name) != NULL;
}

static void await_unloading(const char *name)
{
	for (unsigned waited_ms = 0; is_loaded(name) && waited_ms < LONG_MS; waited_ms += 10)
		Sleep(10);
	demand(!is_loaded(name), "the module goes when the last call has come back");
}

static void test_calls_that_come_back(const char *path, const char *name)
{
	const struct module module = load(path);

	for (int i = 0; i < 100; i++)
		demand(module.call(0, LONG_MS) == STATUS_OK, "a call that comes back at once is OK");
	demand(module.count() == 0, "and nobody inherits it");
	(void)FreeLibrary(module.handle);
	demand(!is_loaded(name), "no thread is left, so the module is unloaded");
}

static void test_a_call_that_does_not(const char *path, const char *name)
{
	const struct module module = load(path);
	const ULONGLONG began_ms = GetTickCount64();

	demand(module.call(WHILE_MS, 50) == STATUS_TIMEOUT, "a late call is left");
	demand(module.call_until_over(WHILE_MS) == STATUS_TIMEOUT, "and one that nobody waits for any more");
	(void)FreeLibrary(module.handle);
	demand(is_loaded(name) || GetTickCount64() - began_ms >= WHILE_MS,
	       "the module stays while a thread of it runs");
	await_unloading(name);
	demand(GetTickCount64() - began_ms >= WHILE_MS, "no sooner than the call has come back");
}

static void test_too_many_calls(const char *path, const char *name)
{
	const struct module module = load(path);

	for (int i = 0; i < DIR_ASIDE_MAX_LEFT; i++)
		demand(module.call(WHILE_MS * 4, 0) == STATUS_TIMEOUT, "so many may be left");
	demand(module.call(0, LONG_MS) == STATUS_LIMIT, "and not one more is made");
	for (unsigned waited_ms = 0; module.count() < DIR_ASIDE_MAX_LEFT && waited_ms < LONG_MS; waited_ms += 10)
		Sleep(10);
	demand(module.count() == DIR_ASIDE_MAX_LEFT, "each is inherited by its thread");
	Sleep(100);
	demand(module.call(0, LONG_MS) == STATUS_OK, "when they have come back, calls are made again");
	(void)FreeLibrary(module.handle);
	await_unloading(name);
}

int main(int count, char **arguments)
{
	static const char name[] = "aside_module.dll";

	if (count != 2)
		return 2;
	test_calls_that_come_back(arguments[1], name);
	test_a_call_that_does_not(arguments[1], name);
	test_too_many_calls(arguments[1], name);
	printf("OK\n");
	return 0;
}
