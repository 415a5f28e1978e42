/* SPDX-License-Identifier: Apache-2.0 */
#include <os/file_folders_windows.h>

#include <base/memory.h>
#include <os/clock.h>
#include <stdint.h>
#include <string.h>

/* Not of the time of the last access: reading gives no sign. */
#define FOLDER_EVENTS                                                                                                  \
	(FILE_NOTIFY_CHANGE_FILE_NAME | FILE_NOTIFY_CHANGE_DIR_NAME | FILE_NOTIFY_CHANGE_ATTRIBUTES |                  \
	 FILE_NOTIFY_CHANGE_SIZE | FILE_NOTIFY_CHANGE_LAST_WRITE | FILE_NOTIFY_CHANGE_SECURITY)
/* What does not fit is told as "something". */
#define EVENTS_BYTES 4096
/* Packets that are taken at one go; a storm of them must not keep the thread from anything else. */
#define READS_MAX 64
/* Longer than any system takes to end a read that was called off; what is not given back then stays the system's. */
#define END_MS    2000

#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

/* What a packet of the port is about; one of a folder has its address for a key. */
#define KEY_OF_WAKE 0

/* A folder that one of the files, or a link to it, is in. */
struct folder {
	struct folder *next;
	HANDLE handle;
	OVERLAPPED request;
	DWORD volume;
	uint64_t index;
	bool is_wanted; /* by a file; else it waits for its end */
	bool is_asked;  /* the system writes to `events` */
	bool has_told;  /* what is not taken yet */
	bool has_ended; /* the folder is gone, or was called off: asking again would fail at once */
	DWORD length;   /* of the events; 0: they did not fit */
	_Alignas(DWORD) char events[EVENTS_BYTES];
};

/* Let the system write down what happens there. What it refuses (network drives), the regular looks see. */
static void ask(struct folder *folder)
{
	memset(&folder->request, 0, sizeof(folder->request));
	folder->is_asked = ReadDirectoryChangesW(folder->handle, folder->events, sizeof(folder->events), FALSE,
						 FOLDER_EVENTS, NULL, &folder->request, NULL) != 0;
}

static void free_folder(struct folder *folder)
{
	(void)CloseHandle(folder->handle);
	memory_free(folder);
}

static struct folder *find_folder(const struct file_folders *folders, const BY_HANDLE_FILE_INFORMATION *info)
{
	const uint64_t index = (uint64_t)info->nFileIndexHigh << 32 | info->nFileIndexLow;

	for (struct folder *folder = folders->list; folder != NULL; folder = folder->next)
		if (!folder->has_ended && folder->volume == info->dwVolumeSerialNumber && folder->index == index)
			return folder;
	return NULL;
}

/* Takes over the handle when it succeeds. */
static bool add_folder(struct file_folders *folders, HANDLE handle, const BY_HANDLE_FILE_INFORMATION *info)
{
	struct folder *folder = memory_new(sizeof(*folder));

	if (folder == NULL)
		return false;
	if (CreateIoCompletionPort(handle, folders->port, (ULONG_PTR)folder, 0) == NULL) {
		memory_free(folder);
		return false;
	}
	folder->handle = handle;
	folder->volume = info->dwVolumeSerialNumber;
	folder->index = (uint64_t)info->nFileIndexHigh << 32 | info->nFileIndexLow;
	folder->is_wanted = true;
	folder->next = folders->list;
	folders->list = folder;
	ask(folder);
	return true;
}

/* Where asking failed, it is tried again. */
static void want_again(struct folder *folder)
{
	folder->is_wanted = true;
	if (!folder->is_asked && !folder->has_told)
		ask(folder);
}

/* A folder without a path is the working folder; "C:" is that of the drive. */
static HANDLE open_folder(const wchar_t *path, size_t length)
{
	const bool needs_dot = length == 0 || path[length - 1] == L':';
	wchar_t *folder = memory_new_array(length + 2, sizeof(*folder));
	HANDLE handle;

	if (folder == NULL)
		return INVALID_HANDLE_VALUE;
	memcpy(folder, path, length * sizeof(*folder));
	if (needs_dot)
		folder[length] = L'.';
	handle = CreateFileW(folder, FILE_LIST_DIRECTORY, SHARE_ALL, NULL, OPEN_EXISTING,
			     FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OVERLAPPED, NULL);
	memory_free(folder);
	return handle;
}

enum status file_folders_open(struct file_folders *folders, struct error *error)
{
	folders->port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
	return folders->port != NULL ? STATUS_OK
				     : error_system(error, STATUS_LIMIT, (int)GetLastError(),
						    "could not make a completion port to wait on for changes of files");
}

/* Call all folders off and wait until the system has let go of them. */
static void end_folders(struct file_folders *folders)
{
	uint64_t now_ms = clock_monotonic_ms();
	const uint64_t due_ms = now_ms + END_MS;

	file_folders_forget(folders);
	file_folders_drop(folders);
	while (folders->list != NULL && now_ms < due_ms) {
		(void)file_folders_wait(folders, (DWORD)(due_ms - now_ms));
		file_folders_drop(folders);
		now_ms = clock_monotonic_ms();
	}
}

void file_folders_close(struct file_folders *folders)
{
	if (folders->port == NULL)
		return;
	end_folders(folders);
	(void)CloseHandle(folders->port);
	folders->port = NULL;
}

void file_folders_forget(struct file_folders *folders)
{
	for (struct folder *folder = folders->list; folder != NULL; folder = folder->next)
		folder->is_wanted = false;
}

void file_folders_want(struct file_folders *folders, const wchar_t *path, size_t length)
{
	HANDLE handle = open_folder(path, length);
	BY_HANDLE_FILE_INFORMATION info;
	struct folder *folder;

	if (handle == INVALID_HANDLE_VALUE)
		return;
	if (GetFileInformationByHandle(handle, &info)) {
		folder = find_folder(folders, &info);
		if (folder == NULL && add_folder(folders, handle, &info))
			return;
		if (folder != NULL)
			want_again(folder);
	}
	(void)CloseHandle(handle);
}

/* What nobody wants is called off, and freed once the system writes to it no more. */
void file_folders_drop(struct file_folders *folders)
{
	struct folder **at = &folders->list;

	while (*at != NULL) {
		struct folder *folder = *at;

		if (!folder->is_wanted && !folder->is_asked) {
			*at = folder->next;
			free_folder(folder);
			continue;
		}
		if (!folder->is_wanted)
			(void)CancelIoEx(folder->handle, &folder->request);
		at = &folder->next;
	}
}

bool file_folders_wait(struct file_folders *folders, DWORD timeout_ms)
{
	OVERLAPPED *request = NULL;
	ULONG_PTR key = KEY_OF_WAKE;
	struct folder *folder;
	DWORD length = 0;
	const bool is_good = GetQueuedCompletionStatus(folders->port, &length, &key, &request, timeout_ms) != 0;

	if (!is_good && request == NULL)
		return false;
	if (key == KEY_OF_WAKE)
		return true;
	folder = (struct folder *)key;
	folder->is_asked = false;
	folder->has_ended = !is_good;
	folder->has_told = true;
	folder->length = is_good ? length : 0;
	return true;
}

bool file_folders_have_told(const struct file_folders *folders)
{
	for (const struct folder *folder = folders->list; folder != NULL; folder = folder->next)
		if (folder->has_told && folder->is_wanted)
			return true;
	return false;
}

static void tell_events(const struct folder *folder, void (*tell)(void *context, const wchar_t *name, size_t length),
			void *context)
{
	const FILE_NOTIFY_INFORMATION *event;
	size_t at = 0;

	if (folder->length == 0) {
		tell(context, NULL, 0);
		return;
	}
	do {
		event = (const FILE_NOTIFY_INFORMATION *)(const void *)(folder->events + at);
		tell(context, event->FileName, event->FileNameLength / sizeof(wchar_t));
		at += event->NextEntryOffset;
	} while (event->NextEntryOffset != 0 && at + sizeof(*event) <= folder->length);
}

void file_folders_take(struct file_folders *folders, void (*tell)(void *context, const wchar_t *name, size_t length),
		       void *context)
{
	for (int i = 0; i < READS_MAX && file_folders_wait(folders, 0); i++)
		;
	for (struct folder *folder = folders->list; folder != NULL; folder = folder->next) {
		if (!folder->has_told || !folder->is_wanted)
			continue;
		tell_events(folder, tell, context);
		folder->has_told = false;
		if (!folder->has_ended)
			ask(folder);
	}
}

bool file_folders_wake(const struct file_folders *folders)
{
	return PostQueuedCompletionStatus(folders->port, 0, KEY_OF_WAKE, NULL) != 0;
}
