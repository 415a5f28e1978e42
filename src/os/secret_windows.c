/* SPDX-License-Identifier: Apache-2.0 */
#include <os/secret.h>

#include <base/memory.h>
#include <stdint.h>
#include <string.h>
#include <windows.h>

struct secret {
	char *pages; /* of this secret alone */
	size_t mapped_bytes;
	size_t length;
};

/* Error reports leave these pages out of their dumps. Both are there since Windows 10. */
typedef HRESULT(WINAPI *exclude_fn)(const void *address, DWORD size);
typedef HRESULT(WINAPI *include_fn)(const void *address);

static void (*kernel_function(const char *name))(void)
{
	return (void (*)(void))GetProcAddress(GetModuleHandleW(L"kernel32.dll"), name);
}

static void leave_out_of_dumps(const void *pages, size_t size)
{
	const exclude_fn exclude = (exclude_fn)kernel_function("WerRegisterExcludedMemoryBlock");

	if (exclude != NULL && size <= MAXDWORD)
		(void)exclude(pages, (DWORD)size);
}

static void forget_left_out(const void *pages)
{
	const include_fn include = (include_fn)kernel_function("WerUnregisterExcludedMemoryBlock");

	if (include != NULL)
		(void)include(pages);
}

/* Pages that stay out of error reports and, where the process may lock memory, out of the page file. */
static char *map_pages(size_t size)
{
	void *pages = VirtualAlloc(NULL, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

	if (pages == NULL)
		return NULL;
	(void)VirtualLock(pages, size);
	leave_out_of_dumps(pages, size);
	return pages;
}

struct secret *secret_new(const void *data, size_t length)
{
	struct secret *secret;
	SYSTEM_INFO system;
	size_t page;

	GetSystemInfo(&system);
	page = system.dwPageSize;
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
	forget_left_out((*secret)->pages);
	(void)VirtualFree((*secret)->pages, 0, MEM_RELEASE);
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
