/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_wake.h>

#include <assert.h>
#include <os/clock.h>
#include <windows.h>

/* One wait is this long at most, then the caller looks at its clock again. */
#define WAIT_MAX_MS 60000

enum status dir_wake_init(struct dir_wake *wake, struct error *error)
{
	/* It resets itself: wake-ups that came together are one. */
	wake->event = CreateEventW(NULL, FALSE, FALSE, NULL);
	if (wake->event != NULL)
		return STATUS_OK;
	return error_system(error, STATUS_LIMIT, (int)GetLastError(), "could not make an event");
}

void dir_wake_done(struct dir_wake *wake)
{
	(void)CloseHandle(wake->event);
}

void dir_wake_up(struct dir_wake *wake)
{
	(void)SetEvent(wake->event);
}

void dir_wake_wait(struct dir_wake *wake, int fd, uint64_t deadline_ms)
{
	const uint64_t now_ms = clock_monotonic_ms();
	const uint64_t left_ms = now_ms < deadline_ms ? deadline_ms - now_ms : 0;

	assert(fd < 0); /* the sockets are wldap32's own */
	(void)fd;
	(void)WaitForSingleObject(wake->event, left_ms < WAIT_MAX_MS ? (DWORD)left_ms : WAIT_MAX_MS);
}
