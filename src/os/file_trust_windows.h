/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may do what with a file or folder, by its owner and access control list, and whether that lets us believe what it says.
 * Used within os, on Windows.
 */
#ifndef WSMAUTHZ_OS_FILE_TRUST_WINDOWS_H
#define WSMAUTHZ_OS_FILE_TRUST_WINDOWS_H

#include <base/compiler.h>
#include <base/error.h>
#include <base/sid.h>
#include <windows.h>

enum trust { TRUST_ANY, TRUST_WRITERS, TRUST_WRITERS_AND_READERS, TRUST_FOLDER };

/**
 * Owner and writers must be SYSTEM, Administrators, TrustedInstaller or the process's own user. TRUST_WRITERS_AND_READERS: readers as
 * well, where the identities of services and application pools (S-1-5-80-..., S-1-5-82-...) will do too. TRUST_FOLDER: writer is who
 * may take a file of it away; one who may only add files replaces none.
 *
 * A rule that denies is not counted in anybody's favour: what others are granted is enough to refuse.
 *
 * @param file  opened with READ_CONTROL.
 * @param path  for messages.
 * @return STATUS_OK, STATUS_REFUSED (the hint has the icacls), STATUS_UNREACHABLE, STATUS_INTERNAL (our own user could not be found).
 */
NODISCARD enum status file_trust_check(HANDLE file, enum trust trust, const char *path, struct error *error);

/**
 * The user of the process, whoever a thread impersonates at the moment.
 * @return STATUS_OK, STATUS_INTERNAL.
 */
NODISCARD enum status file_trust_own_user(struct sid *sid_out, struct error *error);

#endif
