/* SPDX-License-Identifier: Apache-2.0 */
/* What dir_forest.c and dir_forest_take.c share. */
#ifndef WSMAUTHZ_DIRECTORY_DIR_FOREST_PRIVATE_H
#define WSMAUTHZ_DIRECTORY_DIR_FOREST_PRIVATE_H

#include <base/arena.h>
#include <directory/dir_forest.h>
#include <stdatomic.h>

struct dir_forest_life {
	atomic_size_t references;
	struct arena *arena; /* owns the forest and all that it points to */
};

/** An empty forest with one reference. NULL when memory ran out. */
NODISCARD struct dir_forest *dir_forest_new(void);

#endif
