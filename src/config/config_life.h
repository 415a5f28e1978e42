/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What keeps a policy alive. Used within config.
 */
#ifndef WSMAUTHZ_CONFIG_CONFIG_LIFE_H
#define WSMAUTHZ_CONFIG_CONFIG_LIFE_H

#include <base/arena.h>
#include <base/compiler.h>
#include <config/config.h>
#include <stdatomic.h>
#include <stddef.h>

/*
 * The most that one policy becomes: its text a few times over (strings, labels, keys, lists of which half
 * may be empty). A document of XML_MAX_DOCUMENT_BYTES stays below.
 */
#define CONFIG_ARENA_BYTES ((size_t)32 * 1024 * 1024)

struct config_life {
	atomic_size_t references;
	struct arena *arena;   /* owns the config and all its strings and lists, but not its secrets */
	struct config *config; /* the same object that has this as its `life` */
};

/**
 * So many bytes more were read for it: they go into config->content. Not those of a secret, which is kept out of core dumps: a digest
 * in one would tell who guessed it right.
 */
void config_note_content(struct config *config, const void *data, size_t length);

/** An empty policy with one reference; config_unref frees it. NULL when memory ran out. */
NODISCARD struct config *config_new(void);

#endif
