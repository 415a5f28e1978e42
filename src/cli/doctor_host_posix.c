/* SPDX-License-Identifier: Apache-2.0 */
#include <cli/doctor_host.h>

bool doctor_has_windows_host(const struct doctor *doctor)
{
	(void)doctor;
	return false;
}

void doctor_host_identity(struct doctor *doctor)
{
	(void)doctor;
}

void doctor_host_events(struct doctor *doctor)
{
	(void)doctor;
}

void doctor_host_iis(struct doctor *doctor)
{
	(void)doctor;
}
