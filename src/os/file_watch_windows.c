/* SPDX-License-Identifier: Apache-2.0 */
/*
 * By ReadDirectoryChangesW, which says when to look, and the files' own information, which says what there is.
 *
 * Source: MS-FSCC 2.4.7 (FileBasicInformation: ChangeTime moves with the access rules too).
 */
#include <os/file_watch.h>

#include <base/memory.h>
#include <os/clock.h>
#include <os/file_folders_windows.h>
#include <os/wide_windows.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <windows.h>

#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

/* What tells one state of a file from another. */
struct look {
	DWORD failure; /* of GetLastError(); the rest is 0 then */
	DWORD volume, attributes;
	uint64_t index, size;
	int64_t created, modified, changed;
};

struct watched_file {
	wchar_t *path;             /* owned */
	const wchar_t *name;       /* of the path, behind the folder */
	wchar_t *real;             /* owned; where a link leads, NULL: it is none */
	const wchar_t *real_name;  /* of that; NULL likewise */
	struct look link, content; /* links not followed and followed */
};

/* What the system told. */
enum stir {
	STIR_NONE = 0,
	STIR_NEARBY, /* something in a folder: whether it is about one of the files, a look tells */
	STIR_FILE,   /* one of the files, although a look may show nothing: two writes at one tick of the clock */
};

struct file_watch {
	struct file_folders folders;
	atomic_bool is_woken; /* and not taken yet */
	bool is_stirred;      /* a change that is not reported yet, or one that had not settled */
	size_t count;
	struct watched_file files[];
};

static bool is_same_look(const struct look *a, const struct look *b)
{
	return a->failure == b->failure && a->volume == b->volume && a->attributes == b->attributes &&
	       a->index == b->index && a->size == b->size && a->created == b->created && a->modified == b->modified &&
	       a->changed == b->changed;
}

static struct look look_into(HANDLE file)
{
	BY_HANDLE_FILE_INFORMATION info;
	FILE_BASIC_INFO times;

	if (!GetFileInformationByHandle(file, &info) ||
	    !GetFileInformationByHandleEx(file, FileBasicInfo, &times, sizeof(times)))
		return (struct look){.failure = GetLastError()};
	return (struct look){
	    .volume = info.dwVolumeSerialNumber,
	    .attributes = info.dwFileAttributes,
	    .index = (uint64_t)info.nFileIndexHigh << 32 | info.nFileIndexLow,
	    .size = (uint64_t)info.nFileSizeHigh << 32 | info.nFileSizeLow,
	    .created = times.CreationTime.QuadPart,
	    .modified = times.LastWriteTime.QuadPart,
	    .changed = times.ChangeTime.QuadPart,
	};
}

/* Opened to be asked about only, which no sharing mode forbids, and for as short as can be. */
static HANDLE open_to_look(const wchar_t *path, DWORD flags)
{
	return CreateFileW(path, FILE_READ_ATTRIBUTES, SHARE_ALL, NULL, OPEN_EXISTING,
			   FILE_FLAG_BACKUP_SEMANTICS | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION | flags, NULL);
}

static struct look look_at(const wchar_t *path, DWORD flags)
{
	HANDLE file = open_to_look(path, flags);
	struct look look;

	if (file == INVALID_HANDLE_VALUE)
		return (struct look){.failure = GetLastError()};
	look = look_into(file);
	(void)CloseHandle(file);
	return look;
}

static bool is_link(const struct look *look)
{
	return (look->attributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0;
}

/* Remember what there is. True: it is not what was remembered. */
static bool look_at_all(struct file_watch *watch)
{
	bool is_other = false;

	for (size_t i = 0; i < watch->count; i++) {
		struct watched_file *file = &watch->files[i];
		const struct look link = look_at(file->path, FILE_FLAG_OPEN_REPARSE_POINT);
		const struct look content = is_link(&link) ? look_at(file->path, 0) : link;

		is_other = is_other || !is_same_look(&link, &file->link) || !is_same_look(&content, &file->content);
		file->link = link;
		file->content = content;
	}
	return is_other;
}

/* Behind the last separator, or the drive. */
static const wchar_t *name_in(const wchar_t *path)
{
	const wchar_t *at = path + wcslen(path);

	while (at > path && wcschr(L"/\\:", at[-1]) == NULL)
		at--;
	return at;
}

/* Where the path leads, links followed; owned by the caller. */
static wchar_t *real_path(const wchar_t *path)
{
	HANDLE file = open_to_look(path, 0);
	wchar_t *real = NULL;
	DWORD size, length = 0;

	if (file == INVALID_HANDLE_VALUE)
		return NULL;
	size = GetFinalPathNameByHandleW(file, NULL, 0, FILE_NAME_NORMALIZED);
	real = size > 0 ? memory_new_array((size_t)size + 1, sizeof(*real)) : NULL;
	if (real != NULL)
		length = GetFinalPathNameByHandleW(file, real, size + 1, FILE_NAME_NORMALIZED);
	(void)CloseHandle(file);
	if (length > 0 && length <= size)
		return real;
	memory_free(real);
	return NULL;
}

static void want_folders_of(struct file_watch *watch, struct watched_file *file)
{
	const struct look link = look_at(file->path, FILE_FLAG_OPEN_REPARSE_POINT);

	file_folders_want(&watch->folders, file->path, (size_t)(file->name - file->path));
	memory_free(file->real);
	file->real = is_link(&link) ? real_path(file->path) : NULL;
	file->real_name = file->real != NULL ? name_in(file->real) : NULL;
	if (file->real != NULL)
		file_folders_want(&watch->folders, file->real, (size_t)(file->real_name - file->real));
}

/* Watch what now stands under the paths, and no longer what stood there before. */
static void renew_signs(struct file_watch *watch)
{
	file_folders_forget(&watch->folders);
	for (size_t i = 0; i < watch->count; i++)
		want_folders_of(watch, &watch->files[i]);
	file_folders_drop(&watch->folders);
}

struct hearing {
	const struct file_watch *watch;
	enum stir stir;
};

static bool is_name(const wchar_t *name, const wchar_t *told, size_t length)
{
	return name != NULL && CompareStringOrdinal(name, -1, told, (int)length, TRUE) == CSTR_EQUAL;
}

/* By the name alone: of another folder's file of this name, one hint too many comes. A short name (8.3) counts as another's. */
static enum stir stir_of(const struct file_watch *watch, const wchar_t *told, size_t length)
{
	for (size_t i = 0; i < watch->count; i++)
		if (is_name(watch->files[i].name, told, length) || is_name(watch->files[i].real_name, told, length))
			return STIR_FILE;
	return STIR_NEARBY;
}

static void hear(void *context, const wchar_t *told, size_t length)
{
	struct hearing *hearing = context;
	const enum stir stir = told != NULL ? stir_of(hearing->watch, told, length) : STIR_FILE;

	hearing->stir = stir > hearing->stir ? stir : hearing->stir;
}

/* Read what the folders have told. */
static enum stir take_events(struct file_watch *watch)
{
	struct hearing hearing = {.watch = watch};

	file_folders_take(&watch->folders, hear, &hearing);
	return hearing.stir;
}

static bool take_wake(struct file_watch *watch)
{
	return atomic_exchange(&watch->is_woken, false);
}

/* Sleep until woken, until a folder has something to tell where `listens`, or for this time. */
static void doze(struct file_watch *watch, bool listens, int timeout_ms)
{
	uint64_t now_ms = clock_monotonic_ms();
	const uint64_t due_ms = now_ms + (uint64_t)timeout_ms;

	while (!atomic_load(&watch->is_woken) && !(listens && file_folders_have_told(&watch->folders)) &&
	       now_ms < due_ms) {
		(void)file_folders_wait(&watch->folders, (DWORD)(due_ms - now_ms));
		now_ms = clock_monotonic_ms();
	}
}

/*
 * Wait until nothing more happens, for a while. False: woken; the change stays to be reported. What is remembered in the end was
 * there before the report, so that a change behind it differs from it or has given a sign.
 */
static bool settle(struct file_watch *watch)
{
	bool is_quiet = false;

	for (int ms = 0; ms < FILE_WATCH_SETTLE_MAX_MS && !is_quiet; ms += FILE_WATCH_SETTLE_MS) {
		renew_signs(watch);
		(void)look_at_all(watch);
		doze(watch, false, FILE_WATCH_SETTLE_MS);
		if (take_wake(watch))
			return false;
		is_quiet = take_events(watch) != STIR_FILE && !look_at_all(watch);
	}
	watch->is_stirred = !is_quiet;
	return true;
}

/* How long to sleep: not past `due_ms`, nor past the next regular look. */
static int nap_ms(uint64_t now_ms, uint64_t due_ms, enum stir stir)
{
	/* In a busy folder, one look for all that happens in a while. */
	const int longest_ms = stir == STIR_NEARBY ? FILE_WATCH_SETTLE_MS : FILE_WATCH_POLL_MS;

	return due_ms - now_ms < (uint64_t)longest_ms ? (int)(due_ms - now_ms) : longest_ms;
}

bool file_watch_wait(struct file_watch *watch, uint64_t timeout_ms)
{
	uint64_t now_ms = clock_monotonic_ms();
	const uint64_t due_ms = timeout_ms < UINT64_MAX - now_ms ? now_ms + timeout_ms : UINT64_MAX;
	enum stir stir;

	while (!take_wake(watch)) {
		stir = take_events(watch);
		if (look_at_all(watch) || stir == STIR_FILE)
			watch->is_stirred = true;
		if (watch->is_stirred)
			return settle(watch);
		now_ms = clock_monotonic_ms();
		if (now_ms >= due_ms)
			return false;
		doze(watch, stir != STIR_NEARBY, nap_ms(now_ms, due_ms, stir));
	}
	return false;
}

void file_watch_wake(struct file_watch *watch)
{
	/* One packet for any number of wakes. Where the system has no memory for it, the next regular look is soon enough. */
	if (!atomic_exchange(&watch->is_woken, true))
		(void)file_folders_wake(&watch->folders);
}

static enum status copy_paths(struct file_watch *watch, const char *const paths[], size_t count, struct error *error)
{
	enum status status = STATUS_OK;

	for (; watch->count < count && status == STATUS_OK; watch->count++) {
		struct watched_file *file = &watch->files[watch->count];

		status = wide_from_utf8(paths[watch->count], &file->path, error);
		if (status == STATUS_OK)
			file->name = name_in(file->path);
	}
	return status;
}

enum status file_watch_open(const char *const paths[], size_t count, struct file_watch **watch_out, struct error *error)
{
	struct file_watch *watch;
	enum status status;

	if (count > FILE_WATCH_MAX_FILES)
		return error_set(error, STATUS_LIMIT, "more than %d files to watch", FILE_WATCH_MAX_FILES);
	watch = memory_new(sizeof(*watch) + count * sizeof(watch->files[0]));
	if (watch == NULL)
		return error_no_memory(error);
	atomic_init(&watch->is_woken, false);
	status = copy_paths(watch, paths, count, error);
	if (status == STATUS_OK)
		status = file_folders_open(&watch->folders, error);
	if (status != STATUS_OK) {
		file_watch_close(&watch);
		return status;
	}
	/* In this order: what changes between the two shows in the look, what changes later gives a sign. */
	renew_signs(watch);
	(void)look_at_all(watch);
	*watch_out = watch;
	return STATUS_OK;
}

void file_watch_close(struct file_watch **watch)
{
	struct file_watch *old = *watch;

	*watch = NULL;
	if (old == NULL)
		return;
	file_folders_close(&old->folders);
	for (size_t i = 0; i < old->count; i++) {
		memory_free(old->files[i].path);
		memory_free(old->files[i].real);
	}
	memory_free(old);
}
