/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The servers of a directory at one moment, the preferred one first: a list that never changes and is shared. Another list takes its
 * place when DNS says something else (dir_locator.h).
 *
 * Threads: any.
 */
#ifndef WSMAUTHZ_DIRECTORY_DIR_SERVERS_H
#define WSMAUTHZ_DIRECTORY_DIR_SERVERS_H

#include <base/compiler.h>
#include <config/config.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Servers of one directory that are used: the best ones of what DNS says. The largest domains have some hundred controllers, a site a handful. */
#define DIR_SERVERS_MAX 64

struct dir_servers;

/**
 * A list of copies of `uris`, without those that stand there before (without regard to the case of A-Z), and without what is beyond
 * DIR_SERVERS_MAX. One reference, the caller's; NULL: no memory.
 */
NODISCARD struct dir_servers *dir_servers_new(const char *const *uris, size_t count);

/** The URIs as the policy has them. NULL: no memory. */
NODISCARD struct dir_servers *dir_servers_of_policy(const struct config_directory *directory);

struct dir_servers *dir_servers_ref(struct dir_servers *servers);
/** NULL-safe; sets the pointer to NULL. */
void dir_servers_unref(struct dir_servers **servers);

size_t dir_servers_count(const struct dir_servers *servers);
/** Valid as long as the list. */
const char *dir_servers_uri(const struct dir_servers *servers, size_t number);

bool dir_servers_has(const struct dir_servers *servers, const char *uri);
/** The same servers in the same order. NULL is the same as NULL only. */
bool dir_servers_is_same(const struct dir_servers *a, const struct dir_servers *b);

#endif
