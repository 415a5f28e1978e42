/* SPDX-License-Identifier: Apache-2.0 */
#include <os/secret.h>

#include <base/memory.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct secret {
	char *pages; /* mapped for this secret alone */
	size_t mapped_bytes;
	size_t length;
};

/* Pages that stay out of core dumps and, where the limit on locked memory allows it, out of swap. */
static char *map_pages(size_t size)
{
	void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (pages == MAP_FAILED)
		return NULL;
	(void)mlock(pages, size);
	(void)madvise(pages, size, MADV_DONTDUMP);
	return pages;
}

struct secret *secret_new(const void *data, size_t length)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct secret *secret;

	if (length > SIZE_MAX - page - 1)
		return NULL;
	secret = memory_new(sizeof(*secret));
	if (secret == NULL)
		return NULL;
	secret->mapped_bytes = (length + page) / page * page;
	secret->pages = map_pages(secret->mapped_bytes);
	if (secret->pages == NULL) {
		memory_free(secret);
		return NULL;
	}
	if (length > 0)
		memcpy(secret->pages, data, length);
	secret->length = length;
	return secret;
}

void secret_free(struct secret **secret)
{
	if (*secret == NULL)
		return;
	memory_wipe((*secret)->pages, (*secret)->mapped_bytes);
	(void)munmap((*secret)->pages, (*secret)->mapped_bytes);
	memory_free(*secret);
	*secret = NULL;
}

const char *secret_bytes(const struct secret *secret)
{
	return secret->pages;
}

size_t secret_length(const struct secret *secret)
{
	return secret->length;
}
