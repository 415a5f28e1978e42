/* SPDX-License-Identifier: Apache-2.0 */
/* Which policy file is read when the host names none. */
#ifndef WSMAUTHZ_PLUGIN_PLUGIN_POLICY_H
#define WSMAUTHZ_PLUGIN_PLUGIN_POLICY_H

#include <base/compiler.h>
#include <base/error.h>

/**
 * POSIX: PLUGIN_DEFAULT_POLICY. Windows, the first of these that there is:
 *
 *	HKEY_LOCAL_MACHINE\SOFTWARE\Policies\wsmauthz   the value named as the application is, then the
 *	                                                value PolicyFile (which group policies can write), then the default value
 *	HKEY_LOCAL_MACHINE\SOFTWARE\wsmauthz            the same
 *	%ProgramData%\wsmauthz\wsmauthz.xml
 *
 * in the 64-bit view of the registry, whatever this process is. A value holds the full path of a file; a REG_EXPAND_SZ is
 * expanded. A value that is there and holds none is an error: it is not passed over for the next.
 *
 * @param application  what the host calls the application (applicationIdentification); NULL: nothing.
 * @param path_out     owned by the caller (memory_free). Whether the file is there is not looked at.
 * @return STATUS_OK; STATUS_INVALID (a value of another type, empty, or no full path); STATUS_LIMIT (longer than Windows takes
 *         paths); STATUS_UNREACHABLE (the registry cannot be read); STATUS_NO_MEMORY.
 */
NODISCARD enum status plugin_policy_find(const char *application, char **path_out, struct error *error);

#endif
