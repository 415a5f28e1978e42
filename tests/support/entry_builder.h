/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directory entries for unit tests, from a line of text:
 *
 *	entry = build_entry(arena, "uid=alice,dc=x", "objectClass=person; uid=alice; l=EMEA; l=APAC");
 *
 * Values stand between '=' and ';', blanks around them dropped; several of one name make one attribute.
 */
#ifndef WSMAUTHZ_TESTS_SUPPORT_ENTRY_BUILDER_H
#define WSMAUTHZ_TESTS_SUPPORT_ENTRY_BUILDER_H

#include <base/arena.h>
#include <directory/dir_search.h>

/** In the arena; ends the test when memory ran out. */
struct dir_entry *build_entry(struct arena *arena, const char *dn, const char *attributes);

#endif
