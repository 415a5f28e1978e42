/* SPDX-License-Identifier: Apache-2.0 */
/* The library's entry. What a plug-in has it makes in Startup and ends in Shutdown: nothing is to be done here. */
#include <windows.h>

/* The C library calls it by this name; no header has it. */
BOOL WINAPI DllMain(HINSTANCE module, DWORD reason, LPVOID reserved);

BOOL WINAPI DllMain(HINSTANCE module, DWORD reason, LPVOID reserved)
{
	(void)reserved;
	if (reason == DLL_PROCESS_ATTACH)
		(void)DisableThreadLibraryCalls(module);
	return TRUE;
}
