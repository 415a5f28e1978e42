/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_servers.h>

#include <base/ascii.h>
#include <base/memory.h>
#include <stdatomic.h>

struct dir_servers {
	atomic_uint references;
	size_t count;
	char *uris[DIR_SERVERS_MAX]; /* owned */
};

static void free_servers(struct dir_servers *servers)
{
	for (size_t i = 0; i < servers->count; i++)
		memory_free(servers->uris[i]);
	memory_free(servers);
}

struct dir_servers *dir_servers_new(const char *const *uris, size_t count)
{
	struct dir_servers *servers = memory_new(sizeof(*servers));

	if (servers == NULL)
		return NULL;
	atomic_init(&servers->references, 1);
	for (size_t i = 0; i < count && servers->count < DIR_SERVERS_MAX; i++) {
		char *copy;

		if (dir_servers_has(servers, uris[i]))
			continue;
		copy = memory_copy_text(uris[i]);
		if (copy == NULL) {
			free_servers(servers);
			return NULL;
		}
		servers->uris[servers->count++] = copy;
	}
	return servers;
}

struct dir_servers *dir_servers_of_policy(const struct config_directory *directory)
{
	return dir_servers_new(directory->uris, directory->uri_count);
}

struct dir_servers *dir_servers_ref(struct dir_servers *servers)
{
	atomic_fetch_add_explicit(&servers->references, 1, memory_order_relaxed);
	return servers;
}

void dir_servers_unref(struct dir_servers **reference)
{
	struct dir_servers *servers = *reference;

	*reference = NULL;
	if (servers != NULL && atomic_fetch_sub_explicit(&servers->references, 1, memory_order_acq_rel) == 1)
		free_servers(servers);
}

size_t dir_servers_count(const struct dir_servers *servers)
{
	return servers->count;
}

const char *dir_servers_uri(const struct dir_servers *servers, size_t number)
{
	return servers->uris[number];
}

bool dir_servers_has(const struct dir_servers *servers, const char *uri)
{
	for (size_t i = 0; i < servers->count; i++)
		if (ascii_equal_nocase(servers->uris[i], uri))
			return true;
	return false;
}

bool dir_servers_is_same(const struct dir_servers *a, const struct dir_servers *b)
{
	if (a == NULL || b == NULL || a->count != b->count)
		return a == b;
	for (size_t i = 0; i < a->count; i++)
		if (!ascii_equal_nocase(a->uris[i], b->uris[i]))
			return false;
	return true;
}
