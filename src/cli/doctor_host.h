/* SPDX-License-Identifier: Apache-2.0 */
/* What a Windows host must have for the plug-in to be loaded and heard. One file a system; elsewhere there is no such host. */
#ifndef WSMAUTHZ_CLI_DOCTOR_HOST_H
#define WSMAUTHZ_CLI_DOCTOR_HOST_H

#include <cli/doctor_check.h>

bool doctor_has_windows_host(const struct doctor *doctor);

/** As whom the checks are made: the plug-in asks as its application pool. */
void doctor_host_identity(struct doctor *doctor);
/** The source of the Event Log, and the file that has its messages. */
void doctor_host_events(struct doctor *doctor);
/** WinRM's module for IIS, and the schema of its configuration. */
void doctor_host_iis(struct doctor *doctor);

#endif
