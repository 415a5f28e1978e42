/* SPDX-License-Identifier: Apache-2.0 */
#include <cli/machine.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S UINT64_C(1000000000)

uint64_t machine_ns(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* proc(5): the second number of statm is the resident set, in pages. */
uint64_t machine_resident_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	unsigned long long resident = 0;
	long page_size = sysconf(_SC_PAGESIZE);
	int count;

	if (file == NULL)
		return 0;
	count = fscanf(file, "%*u %llu", &resident); /* NOLINT(cert-err34-c): the kernel's own number */
	(void)fclose(file);
	return count == 1 && page_size > 0 ? (uint64_t)resident * (uint64_t)page_size : 0;
}

unsigned machine_processors(void)
{
	long count = sysconf(_SC_NPROCESSORS_ONLN);

	return count > 0 ? (unsigned)count : 1;
}

bool machine_has_viewer(void)
{
	return isatty(STDERR_FILENO) == 1;
}

void machine_show(const char *data, size_t length)
{
	ssize_t written = write(STDERR_FILENO, data, length);

	(void)written;
}
