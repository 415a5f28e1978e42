/* SPDX-License-Identifier: Apache-2.0 */
/* What a cache is made of: for cache.c, and for tests that cannot wait for 2^32 evictions. */
#ifndef WSMAUTHZ_AUTHORIZER_CACHE_PRIVATE_H
#define WSMAUTHZ_AUTHORIZER_CACHE_PRIVATE_H

#include <authorizer/cache.h>
#include <authorizer/cache_form.h>
#include <authorizer/cache_standing.h>
#include <authorizer/cache_user.h>

/* The order keeps what readers share away from what the writer changes: see cache_user.h. */
struct cache {
	const struct config *config; /* borrowed */
	const struct epochs *epochs; /* borrowed */
	struct cache_standings standings;
	struct cache_users users;
	char apart[CACHE_LINE_BYTES];
	struct cache_forms forms;
	size_t max_dn_bytes;
};

#endif
