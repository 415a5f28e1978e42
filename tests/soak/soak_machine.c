/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <host/host.h>
#include <malloc.h>
#include <soak/soak_machine.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static size_t count_entries(const char *path)
{
	DIR *folder = opendir(path);
	size_t count = 0;

	expect(folder != NULL);
	for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder))
		count += entry->d_name[0] != '.';
	(void)closedir(folder);
	return count;
}

static uint64_t anonymous_kb(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	uint64_t kb = 0;
	char line[256];

	expect(status != NULL);
	while (fgets(line, sizeof(line), status) != NULL)
		if (strncmp(line, "RssAnon:", 8) == 0)
			kb = strtoull(line + 8, NULL, 10);
	(void)fclose(status);
	return kb;
}

struct machine_figures machine_figures(void)
{
	struct mallinfo2 heap = mallinfo2();

	return (struct machine_figures){
	    .heap_bytes = heap.uordblks + heap.hblkhd,
	    .resident_kb = anonymous_kb(),
	    .descriptors = count_entries("/proc/self/fd") - 1, /* the one that counts */
	    .threads = host_threads(),
	};
}

void machine_limit_descriptors(int is_limited, unsigned spare)
{
	static rlim_t before;
	struct rlimit limit;

	expect(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	if (before == 0)
		before = limit.rlim_cur;
	/* The limit is one of numbers, not of a count: the first number that is free is the count where none is free below. */
	limit.rlim_cur = is_limited ? count_entries("/proc/self/fd") - 1 + spare : before;
	expect(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}
