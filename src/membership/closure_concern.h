/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an entry that changed means for a closure: nothing, groups to be read again (closure_patch.h), or that the closure has
 * to be loaded. Pure: it follows from the closure and from what the watch told (directory/dir_watch.h).
 *
 *	NOTHING     people; groups that no group of the closure lists; containers that come or go (they are empty then)
 *	GROUP       a group of the closure: its members may be others
 *	STRUCTURE   a group has come to be, or is gone, or goes by another name: those that list it have to be read, and it itself
 *	EVERYTHING  the closure cannot tell: a configured group is concerned, or names may have moved with the name of an entry above
 *	            them, or a name may be the server's equal of one that a group lists in another spelling
 *
 * A concern is about the closure that it was asked of. What is heard while that closure is being patched or loaded has to be asked again of
 * the one that comes of it: what no group listed before, one may list then.
 *
 * Known limits. A renamed entry is told like a modified one. So while groups list names that were nobody's (CLOSURE_FOREIGN_DEAD), every
 * change of an entry with a DN that only the server can compare, and that no group lists, means EVERYTHING. And where no such names are
 * listed, a member whose own DN changes to one that equals the old one by the server's rules alone (the case of a letter that is not
 * ASCII) is one no longer, until the closure is loaded the next time.
 */
#ifndef WSMAUTHZ_MEMBERSHIP_CLOSURE_CONCERN_H
#define WSMAUTHZ_MEMBERSHIP_CLOSURE_CONCERN_H

#include <base/compiler.h>
#include <base/digest.h>
#include <base/error.h>
#include <directory/dir_watch.h>
#include <membership/closure.h>
#include <membership/closure_load.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum closure_concern_kind {
	CLOSURE_CONCERN_NOTHING = 0,
	CLOSURE_CONCERN_GROUP,
	CLOSURE_CONCERN_STRUCTURE,
	CLOSURE_CONCERN_EVERYTHING,
};

struct closure_concern {
	enum closure_concern_kind kind;
	uint32_t *groups; /* to be read again; no doubles */
	size_t group_count;
	size_t group_capacity;
	/*
	 * STRUCTURE: a name that may be a group's now, though groups list it as somebody's who is none. It has to be handed to the patch
	 * (closure_patch_plan.suspects): what a group listed all along is not asked about otherwise.
	 */
	bool has_suspect;
	struct digest suspect;
};

/**
 * @param event        of kind DIR_WATCH_CHANGE; entry with objectClass, entryUUID, hasSubordinates, unless it was deleted.
 * @param concern_out  closure_concern_done frees; also after a failure, when it is EVERYTHING.
 * @return STATUS_OK, STATUS_NO_MEMORY.
 */
NODISCARD enum status closure_concern_of(const struct closure *closure, const struct closure_plan *plan,
					 const struct dir_watch_event *event, struct closure_concern *concern_out);
void closure_concern_done(struct closure_concern *concern);

#endif
