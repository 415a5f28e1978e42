/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_watch_private.h>

#include <base/ascii.h>
#include <base/memory.h>
#include <string.h>

static size_t count_of(const struct dir_servers *list)
{
	return list != NULL ? dir_servers_count(list) : 0;
}

static size_t find_server(const struct dir_servers *list, const char *uri)
{
	for (size_t i = 0; i < count_of(list); i++)
		if (ascii_equal_nocase(dir_servers_uri(list, i), uri))
			return i;
	return DIR_WATCH_NO_SERVER;
}

size_t dir_watch_preferred(struct dir_watch *watch)
{
	size_t preferred = DIR_WATCH_NO_SERVER;

	mutex_lock(&watch->lock);
	if (watch->preferred != NULL)
		preferred = find_server(watch->list, watch->preferred);
	mutex_unlock(&watch->lock);
	return preferred;
}

/* What is known of a server that is in both lists stays known. */
static void take_list(struct dir_watch *watch, struct dir_servers *list)
{
	struct dir_watch_server servers[DIR_SERVERS_MAX] = {{.failures = 0}};

	for (size_t i = 0; i < count_of(list); i++) {
		const size_t known = find_server(watch->list, dir_servers_uri(list, i));

		if (known != DIR_WATCH_NO_SERVER)
			servers[i] = watch->servers[known];
	}
	memcpy(watch->servers, servers, sizeof(servers));
	dir_servers_unref(&watch->list);
	watch->list = list;
}

void dir_watch_refresh_list(struct dir_watch *watch)
{
	struct dir_servers *list;
	bool is_new;
	bool has_failed;

	mutex_lock(&watch->lock);
	is_new = watch->is_list_new;
	watch->is_list_new = false;
	mutex_unlock(&watch->lock);
	if (!is_new)
		return;
	list = dir_locator_servers(watch->locator, &has_failed);
	if (list != NULL && list != watch->list)
		take_list(watch, list);
	else
		dir_servers_unref(&list);
}

void dir_watch_note_server(struct dir_watch *watch, const char *uri)
{
	mutex_lock(&watch->lock);
	watch->server = uri;
	mutex_unlock(&watch->lock);
}

bool dir_watch_server_now(struct dir_watch *watch, char uri_out[DIR_POOL_SHOWN_BYTES])
{
	bool is_told;

	mutex_lock(&watch->lock);
	is_told = watch->server != NULL && strlen(watch->server) < DIR_POOL_SHOWN_BYTES;
	if (is_told)
		memcpy(uri_out, watch->server, strlen(watch->server) + 1);
	mutex_unlock(&watch->lock);
	return is_told;
}

size_t dir_watch_find(const struct dir_watch *watch, const char *uri)
{
	return find_server(watch->list, uri);
}

bool dir_watch_has_lost_server(struct dir_watch *watch, const char *uri)
{
	dir_watch_refresh_list(watch);
	return find_server(watch->list, uri) == DIR_WATCH_NO_SERVER;
}

static void has_located(void *context)
{
	struct dir_watch *watch = context;

	mutex_lock(&watch->lock);
	watch->is_list_new = true;
	mutex_unlock(&watch->lock);
	dir_wake_up(&watch->wake);
}

void dir_watch_follow(struct dir_watch *watch, struct dir_locator *locator)
{
	if (locator == NULL)
		return;
	watch->locator = locator;
	dir_servers_unref(&watch->list); /* the thread looks at it once it has a base */
	watch->listener = (struct dir_locator_listener){.passed = has_located, .context = watch};
	dir_locator_listen(locator, &watch->listener);
	has_located(watch);
}

/* False: no memory, and nothing has changed. */
static bool prefer_locked(struct dir_watch *watch, const char *uri) REQUIRES(watch->lock);

static bool prefer_locked(struct dir_watch *watch, const char *uri)
{
	char *copy;

	if (watch->preferred != NULL && strcmp(watch->preferred, uri) == 0)
		return true;
	copy = memory_copy_text(uri);
	if (copy == NULL)
		return false;
	memory_free(watch->preferred);
	watch->preferred = copy;
	return true;
}

void dir_watch_prefer(struct dir_watch *watch, const char *uri)
{
	bool is_order;

	mutex_lock(&watch->lock);
	is_order = prefer_locked(watch, uri) && (watch->watched == NULL || !ascii_equal_nocase(watch->watched, uri));
	/* Before a server is chosen, too: one is perhaps chosen just now. */
	if (is_order)
		watch->orders++;
	mutex_unlock(&watch->lock);
	if (is_order)
		dir_wake_up(&watch->wake);
}

void dir_watch_prove(struct dir_watch *watch, uint64_t number)
{
	mutex_lock(&watch->lock);
	watch->wanted_proof = number;
	mutex_unlock(&watch->lock);
	dir_wake_up(&watch->wake);
}
