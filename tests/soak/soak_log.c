/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <host/host.h>
#include <soak/soak_log.h>
#include <sys/mman.h>
#include <unistd.h>

static struct soak_record *records;
static uint64_t record_count;

void soak_log_open(const char *path, uint64_t count)
{
	int file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	void *mapped;

	expect(file >= 0);
	expect(ftruncate(file, (off_t)(count * sizeof(*records))) == 0);
	mapped = mmap(NULL, count * sizeof(*records), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	expect(mapped != MAP_FAILED);
	(void)close(file);
	records = mapped;
	record_count = count;
}

struct soak_record *soak_log_at(uint64_t number)
{
	expect(number < record_count);
	return &records[number];
}

void soak_log_close(void)
{
	expect(munmap(records, record_count * sizeof(*records)) == 0);
}
