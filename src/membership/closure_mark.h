/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mark that travels with an answer: how far the server has got (directory/dir_mark.h), or, where the watch has no such marks
 * (directory/dir_psearch.h), who the server is. The latter is asked of the root DSE. It never moves: that it stands still says nothing, so it
 * must not stand for a closure, as the others do. Pure.
 */
#ifndef WSMAUTHZ_MEMBERSHIP_CLOSURE_MARK_H
#define WSMAUTHZ_MEMBERSHIP_CLOSURE_MARK_H

#include <directory/dir_search.h>
#include <stdbool.h>

/** What to ask the entry `base` for. NULL-terminated. */
const char *const *closure_mark_attributes(const char *base);

/** The mark in an answer, by the search's base. @return in the search's arena; NULL when there is none, or memory ran out. */
const char *closure_mark_of(const struct dir_search *search);

/** closure_csn_covers; or whether it is the same server. */
bool closure_mark_covers(const char *now, const char *before);

#endif
