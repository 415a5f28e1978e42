/* SPDX-License-Identifier: Apache-2.0 */
/*
 * These definitions come before those of the C library for every library in this process. An allocation fails only
 * when the plug-in's own code asks for it: what other libraries do without memory is theirs to answer for.
 */
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <soak/soak_machine.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* glibc has them for those who take malloc's place. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);

static _Atomic uintptr_t code_begin, code_end;
static _Atomic unsigned failing;
static _Atomic uint64_t asked, failures;
static _Atomic int64_t shift_s;

/* Seen by every library; all else of this program is hidden. */
#define INSTEAD __attribute__((visibility("default")))

struct wanted {
	const char *path;
	uintptr_t begin, end;
};

static int find_code(struct dl_phdr_info *info, size_t size, void *context)
{
	struct wanted *wanted = context;

	(void)size;
	if (strcmp(info->dlpi_name, wanted->path) != 0)
		return 0;
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];

		if (header->p_type == PT_LOAD && (header->p_flags & PF_X) != 0) {
			wanted->begin = info->dlpi_addr + header->p_vaddr;
			wanted->end = wanted->begin + header->p_memsz;
		}
	}
	return 1;
}

void machine_fail_memory(const char *path, unsigned per_thousand)
{
	struct wanted wanted = {.path = path};

	if (dl_iterate_phdr(find_code, &wanted) == 0 || wanted.begin == 0)
		abort();
	atomic_store(&code_begin, wanted.begin);
	atomic_store(&code_end, wanted.end);
	atomic_store(&failing, per_thousand);
}

uint64_t machine_memory_failures(void)
{
	return atomic_load(&failures);
}

void machine_shift_clock(int64_t seconds)
{
	atomic_store(&shift_s, seconds);
}

/* Knuth's multiplicative hash of a counter: spread evenly, the same each time. */
static bool must_fail(const void *caller)
{
	unsigned share = atomic_load_explicit(&failing, memory_order_relaxed);

	if (share == 0 || (uintptr_t)caller < atomic_load(&code_begin) || (uintptr_t)caller >= atomic_load(&code_end))
		return false;
	if ((atomic_fetch_add(&asked, 1) * UINT64_C(0x9E3779B97F4A7C15) >> 32) % 1000 >= share)
		return false;
	atomic_fetch_add(&failures, 1);
	errno = ENOMEM;
	return true;
}

INSTEAD void *malloc(size_t size)
{
	return must_fail(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

INSTEAD void *calloc(size_t count, size_t size)
{
	return must_fail(__builtin_return_address(0)) ? NULL : __libc_calloc(count, size);
}

INSTEAD void *realloc(void *block, size_t size)
{
	return must_fail(__builtin_return_address(0)) ? NULL : __libc_realloc(block, size);
}

/* The library's own, by the vDSO: the system call would cost ten times as much. */
static int library_clock(clockid_t clock, struct timespec *now)
{
	static int (*_Atomic found)(clockid_t clock, struct timespec * now);
	int (*call)(clockid_t clock, struct timespec * now) = atomic_load_explicit(&found, memory_order_relaxed);

	if (call == NULL) {
		void *symbol = dlsym(RTLD_NEXT, "clock_gettime");

		if (symbol == NULL)
			abort();
		memcpy(&call, &symbol, sizeof(call));
		atomic_store(&found, call);
	}
	return call(clock, now);
}

INSTEAD int clock_gettime(clockid_t clock, struct timespec *now)
{
	int result = library_clock(clock, now);

	if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		now->tv_sec += atomic_load_explicit(&shift_s, memory_order_relaxed);
	return result;
}

INSTEAD int gettimeofday(struct timeval *now, void *zone)
{
	struct timespec precise;

	(void)zone;
	if (clock_gettime(CLOCK_REALTIME, &precise) != 0)
		return -1;
	now->tv_sec = precise.tv_sec;
	now->tv_usec = precise.tv_nsec / 1000;
	return 0;
}

INSTEAD time_t time(time_t *now)
{
	struct timespec precise;

	if (clock_gettime(CLOCK_REALTIME, &precise) != 0)
		return (time_t)-1;
	if (now != NULL)
		*now = precise.tv_sec;
	return precise.tv_sec;
}
