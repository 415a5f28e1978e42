/* SPDX-License-Identifier: Apache-2.0 */
/* Sources: learn.microsoft.com/windows/win32/api (QueryPerformanceCounter, GetProcessMemoryInfo, GetActiveProcessorCount), .../console (SetConsoleMode). */
#define PSAPI_VERSION 2 /* kernel32.dll has it: no library more */
#include <cli/machine.h>
#include <windows.h>
/* After windows.h. */
#include <psapi.h>

#define NS_PER_S UINT64_C(1000000000)
/* Not in older headers. */
#define UNDERSTANDS_SEQUENCES 0x0004 /* ENABLE_VIRTUAL_TERMINAL_PROCESSING */

uint64_t machine_ns(void)
{
	LARGE_INTEGER now, per_second;
	uint64_t ticks, frequency;

	(void)QueryPerformanceFrequency(&per_second);
	(void)QueryPerformanceCounter(&now);
	ticks = (uint64_t)now.QuadPart;
	frequency = (uint64_t)per_second.QuadPart;
	return ticks / frequency * NS_PER_S + ticks % frequency * NS_PER_S / frequency;
}

uint64_t machine_resident_bytes(void)
{
	PROCESS_MEMORY_COUNTERS counters = {.cb = sizeof(counters)};

	return GetProcessMemoryInfo(GetCurrentProcess(), &counters, sizeof(counters)) ? counters.WorkingSetSize : 0;
}

unsigned machine_processors(void)
{
	const DWORD count = GetActiveProcessorCount(ALL_PROCESSOR_GROUPS);

	return count > 0 ? count : 1;
}

/* One that shows our sequences: they come with Windows 10. */
bool machine_has_viewer(void)
{
	const HANDLE handle = GetStdHandle(STD_ERROR_HANDLE);
	DWORD mode;

	return GetConsoleMode(handle, &mode) && SetConsoleMode(handle, mode | UNDERSTANDS_SEQUENCES);
}

void machine_show(const char *data, size_t length)
{
	DWORD written;

	(void)WriteFile(GetStdHandle(STD_ERROR_HANDLE), data, (DWORD)length, &written, NULL);
}
