/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens in a few folders, told by the system: the signs of os/file_watch.h on Windows. Used within os.
 *
 * One completion port gathers what happens in any number of folders, and the wakes; no thread is the system's, so nothing of ours
 * runs when we are unloaded. A folder is read into memory that the system writes until it says that it has ended: folders that are
 * no longer of interest are kept until then.
 *
 * Threads: one; file_folders_wake any.
 * Sources: learn.microsoft.com/windows/win32/api/winbase/nf-winbase-readdirectorychangesw; MS-FSCC 2.7.1 (the records).
 */
#ifndef WSMAUTHZ_OS_FILE_FOLDERS_WINDOWS_H
#define WSMAUTHZ_OS_FILE_FOLDERS_WINDOWS_H

#include <base/compiler.h>
#include <base/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <windows.h>

struct folder;

struct file_folders {
	HANDLE port;
	struct folder *list; /* owned */
};

/** @return STATUS_OK, STATUS_LIMIT (no port to be had). */
NODISCARD enum status file_folders_open(struct file_folders *folders, struct error *error);

/** Also when it was never opened. Waits until the system has let go of our memory. */
void file_folders_close(struct file_folders *folders);

/** Begin to say which folders are of interest: none is, until it is named again. */
void file_folders_forget(struct file_folders *folders);

/** A folder is of interest: the first `length` units of `path`; 0: the working folder. What cannot be watched is passed over. */
void file_folders_want(struct file_folders *folders, const wchar_t *path, size_t length);

/** End to say it: the rest is called off. */
void file_folders_drop(struct file_folders *folders);

/** Sleep until something happens in a folder, for a wake or for this time; false: for the time. 0: take what is there. */
bool file_folders_wait(struct file_folders *folders, DWORD timeout_ms);

/** Whether a folder has something to tell, of what file_folders_wait has seen. */
bool file_folders_have_told(const struct file_folders *folders);

/**
 * Take what the folders have told.
 * @param tell  called for each thing that happened: the name of a file in its folder; NULL where more happened than could be noted.
 */
void file_folders_take(struct file_folders *folders, void (*tell)(void *context, const wchar_t *name, size_t length),
		       void *context);

/** End a wait, now or the next time. False: the system had no memory for it. */
bool file_folders_wake(const struct file_folders *folders);

#endif
