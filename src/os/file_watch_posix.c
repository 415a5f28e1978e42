/* SPDX-License-Identifier: Apache-2.0 */
/* By inotify of Linux, which says when to look, and stat(2), which says what there is. */
#include <os/file_watch.h>

#include <base/memory.h>
#include <errno.h>
#include <limits.h>
#include <os/clock.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

/* Not IN_MODIFY: whoever writes closes the file in the end, and a log file may stand beside the policy. */
#define FILE_EVENTS (IN_CLOSE_WRITE | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF)
#define FOLDER_EVENTS                                                                                                  \
	(IN_ONLYDIR | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF)

/* Events that are read at one go; a storm of them must not keep the thread from anything else. */
#define READS_MAX    64
#define WAKE_TRIES   16
#define EVENTS_BYTES 4096

#define NO_SIGN      (-1)

/* What tells one state of a file from another. ctime alone would do where the file system keeps it. */
struct look {
	int failure; /* errno; the rest is 0 then */
	dev_t device;
	ino_t inode;
	mode_t mode;
	uid_t user;
	gid_t group;
	off_t size;
	struct timespec modified, changed;
};

/* The system's watches for one file. */
enum sign {
	SIGN_FILE = 0,    /* on the file itself, by whatever name it is changed */
	SIGN_FOLDER,      /* where its name, perhaps a link, stands */
	SIGN_REAL_FOLDER, /* where the file stands */
	SIGN_COUNT,
};

struct watched_file {
	char *path;                /* owned */
	struct look name, content; /* of the path, links not followed and followed */
	int signs[SIGN_COUNT];     /* watch descriptors of inotify; NO_SIGN */
};

/* What inotify told. */
enum stir {
	STIR_NONE = 0,
	STIR_NEARBY, /* something in a folder: whether it is about one of the files, stat(2) knows */
	STIR_FILE,   /* one of the files, although stat(2) may show nothing: two writes at one tick of its clock */
};

struct file_watch {
	int wake;        /* eventfd */
	int inotify;     /* -1: the system has none for us */
	bool is_stirred; /* a change that is not reported yet, or one that had not settled */
	size_t count;
	struct watched_file files[];
};

static bool is_same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool is_same_look(const struct look *a, const struct look *b)
{
	return a->failure == b->failure && a->device == b->device && a->inode == b->inode && a->mode == b->mode &&
	       a->user == b->user && a->group == b->group && a->size == b->size &&
	       is_same_time(a->modified, b->modified) && is_same_time(a->changed, b->changed);
}

static struct look look_at(const char *path, int (*examine)(const char *path, struct stat *info))
{
	struct stat info;

	if (examine(path, &info) != 0)
		return (struct look){.failure = errno};
	return (struct look){
	    .device = info.st_dev,
	    .inode = info.st_ino,
	    .mode = info.st_mode,
	    .user = info.st_uid,
	    .group = info.st_gid,
	    .size = info.st_size,
	    .modified = info.st_mtim,
	    .changed = info.st_ctim,
	};
}

/* Remember what there is. True: it is not what was remembered. */
static bool look_at_all(struct file_watch *watch)
{
	bool is_other = false;

	for (size_t i = 0; i < watch->count; i++) {
		struct watched_file *file = &watch->files[i];
		const struct look name = look_at(file->path, lstat);
		const struct look content = look_at(file->path, stat);

		is_other = is_other || !is_same_look(&name, &file->name) || !is_same_look(&content, &file->content);
		file->name = name;
		file->content = content;
	}
	return is_other;
}

/* What inotify cannot watch (it does not exist, limits), the regular looks see. */
static int add_sign(const struct file_watch *watch, const char *path, uint32_t events)
{
	return inotify_add_watch(watch->inotify, path, events);
}

static int add_folder_sign(const struct file_watch *watch, const char *path)
{
	const char *slash = strrchr(path, '/');
	const size_t length = slash != NULL ? (size_t)(slash - path) : 0;
	char folder[PATH_MAX];

	if (slash == NULL)
		return add_sign(watch, ".", FOLDER_EVENTS);
	if (length >= sizeof(folder))
		return NO_SIGN;
	memcpy(folder, path, length);
	folder[length] = '\0';
	return add_sign(watch, length > 0 ? folder : "/", FOLDER_EVENTS);
}

static void add_signs(const struct file_watch *watch, struct watched_file *file)
{
	char real[PATH_MAX];

	file->signs[SIGN_FOLDER] = add_folder_sign(watch, file->path);
	file->signs[SIGN_FILE] = NO_SIGN;
	file->signs[SIGN_REAL_FOLDER] = NO_SIGN;
	if (realpath(file->path, real) == NULL)
		return;
	file->signs[SIGN_REAL_FOLDER] = add_folder_sign(watch, real);
	file->signs[SIGN_FILE] = add_sign(watch, real, FILE_EVENTS);
}

static bool has_sign(const struct file_watch *watch, int sign)
{
	for (size_t i = 0; i < watch->count; i++)
		for (size_t kind = 0; kind < SIGN_COUNT; kind++)
			if (watch->files[i].signs[kind] == sign)
				return true;
	return false;
}

static bool is_sign_of_file(const struct file_watch *watch, int sign)
{
	for (size_t i = 0; i < watch->count; i++)
		if (watch->files[i].signs[SIGN_FILE] == sign)
			return true;
	return false;
}

/* Watch what now stands under the paths, and no longer what stood there before. */
static void renew_signs(struct file_watch *watch)
{
	int old[FILE_WATCH_MAX_FILES][SIGN_COUNT];

	if (watch->inotify < 0)
		return;
	for (size_t i = 0; i < watch->count; i++) {
		memcpy(old[i], watch->files[i].signs, sizeof(old[i]));
		add_signs(watch, &watch->files[i]);
	}
	for (size_t i = 0; i < watch->count; i++)
		for (size_t kind = 0; kind < SIGN_COUNT; kind++)
			if (old[i][kind] != NO_SIGN && !has_sign(watch, old[i][kind]))
				(void)inotify_rm_watch(watch->inotify, old[i][kind]); /* fails where the file is gone */
}

static enum stir stir_of(const struct file_watch *watch, const struct inotify_event *event)
{
	if ((event->mask & IN_Q_OVERFLOW) != 0 || is_sign_of_file(watch, event->wd))
		return STIR_FILE;
	/* The last words of a watch that was given up are about nothing. */
	return has_sign(watch, event->wd) ? STIR_NEARBY : STIR_NONE;
}

static enum stir strongest(const struct file_watch *watch, const char *events, size_t length, enum stir so_far)
{
	struct inotify_event event;
	enum stir stir;

	for (size_t at = 0; at + sizeof(event) <= length; at += sizeof(event) + event.len) {
		memcpy(&event, events + at, sizeof(event));
		stir = stir_of(watch, &event);
		so_far = stir > so_far ? stir : so_far;
	}
	return so_far;
}

/* Read what inotify has told. */
static enum stir take_events(const struct file_watch *watch)
{
	char events[EVENTS_BYTES];
	enum stir stir = STIR_NONE;
	ssize_t length = 1;

	for (int reads = 0; watch->inotify >= 0 && length > 0 && reads < READS_MAX; reads++) {
		length = read(watch->inotify, events, sizeof(events));
		if (length > 0)
			stir = strongest(watch, events, (size_t)length, stir);
	}
	return stir;
}

static bool take_wake(const struct file_watch *watch)
{
	uint64_t count;

	return read(watch->wake, &count, sizeof(count)) == (ssize_t)sizeof(count);
}

/* Sleep until woken, until inotify has something to tell where `listens`, or for this time. */
static void doze(const struct file_watch *watch, bool listens, int timeout_ms)
{
	struct pollfd signs[] = {
	    {.fd = watch->wake, .events = POLLIN},
	    {.fd = listens ? watch->inotify : -1, .events = POLLIN}, /* poll() passes over what is negative */
	};

	(void)poll(signs, COUNT_OF(signs), timeout_ms);
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
	const uint64_t one = 1;

	/* When it is full, it wakes all the same; what else it fails for does not last, and a wake that is lost would be waited for. */
	for (unsigned tries = 0; tries < WAKE_TRIES && write(watch->wake, &one, sizeof(one)) < 0 && errno != EAGAIN;
	     tries++)
		continue;
}

static enum status copy_paths(struct file_watch *watch, const char *const paths[], size_t count, struct error *error)
{
	for (; watch->count < count; watch->count++) {
		struct watched_file *file = &watch->files[watch->count];

		for (size_t kind = 0; kind < SIGN_COUNT; kind++)
			file->signs[kind] = NO_SIGN;
		file->path = memory_copy_text(paths[watch->count]);
		if (file->path == NULL)
			return error_no_memory(error);
	}
	return STATUS_OK;
}

static enum status open_signs(struct file_watch *watch, struct error *error)
{
	watch->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (watch->wake < 0)
		return error_system(error, STATUS_LIMIT, errno,
				    "could not make a descriptor to wait on for changes of files");
	watch->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	return STATUS_OK;
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
	watch->wake = watch->inotify = -1;
	status = copy_paths(watch, paths, count, error);
	if (status == STATUS_OK)
		status = open_signs(watch, error);
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

static void close_if_open(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

void file_watch_close(struct file_watch **watch)
{
	struct file_watch *old = *watch;

	*watch = NULL;
	if (old == NULL)
		return;
	close_if_open(old->inotify);
	close_if_open(old->wake);
	for (size_t i = 0; i < old->count; i++)
		memory_free(old->files[i].path);
	memory_free(old);
}
