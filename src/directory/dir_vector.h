/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An up-to-dateness vector: how far a domain controller has got with the changes of each of the others (replUpToDateVector of the
 * head of a naming context). Pure.
 *
 * A cursor names a controller's database by its invocationId, and a number of that one's own counting: all that the other held when its
 * highestCommittedUSN was that number is here too, whoever had written it, for a cursor moves only at the end of a replication cycle in
 * which everything was taken over, from it or from one whose cursor had moved before. A controller has no cursor for itself, and one
 * that has never taken over anything has no vector.
 *
 * Threads: any; nothing is kept.
 * Sources: MS-ADTS 3.1.1.1.9 (invocationId, replUpToDateVector); MS-DRSR 5.208 and 5.209 (UPTODATE_VECTOR_V1_EXT, _V2_EXT), 4.1.10.6.4 to
 * 4.1.10.6.9 (how a cycle moves it).
 */
#ifndef WSMAUTHZ_DIRECTORY_DIR_VECTOR_H
#define WSMAUTHZ_DIRECTORY_DIR_VECTOR_H

#include <base/compiler.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIR_VECTOR_ID_BYTES 16
/* A domain has at most some thousand controllers (1,200 are Microsoft's own limit), and as many cursors of restored ones. */
#define DIR_VECTOR_MAX_CURSORS 16384

struct dir_vector {
	const uint8_t *cursors; /* inside the value; NULL: none */
	size_t count, stride;   /* bytes from one to the next */
};

/**
 * Take a value apart.
 * @param vector_out  points into `data`. Untouched when it is refused.
 * @return false: not one of version 1 or 2, or not as long as it says, or longer than DIR_VECTOR_MAX_CURSORS, or it has a number below 0.
 */
NODISCARD bool dir_vector_parse(const void *data, size_t length, struct dir_vector *vector_out);

/** How far it is with that database; of several cursors for one the least. @return false: it has none. */
NODISCARD bool dir_vector_find(const struct dir_vector *vector, const uint8_t id[DIR_VECTOR_ID_BYTES],
			       uint64_t *usn_out);

#endif
