/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a change in the directory means for a closure. Pure.
 *
 *	the change of                            means
 *	a person, a leaf                         nothing: who the members are is what the groups say
 *	a group that nobody lists                nothing
 *	a group of the closure                   it is to be read again
 *	... that was deleted, renamed            those that list it, under the old or the new name, are to be read again, and its names asked about
 *	a group that one of the closure lists    the one that lists it is to be read again, and the name asked about
 *	by SID: a group of the closure           which groups it lists is to be looked at; renamed, gone, no security group: everything
 *	... a principal of elsewhere             whether one of the closure lists it that was not known to
 *	... another security group               whether one of the closure lists it: one that was restored, or was none before, is let in unseen
 *	a configured group itself (renamed, gone, come); what other entries lie beneath, which may have been
 *	renamed with it                          everything is to be read again
 */
#ifndef WSMAUTHZ_MEMBERSHIP_CLOSURE_CONCERN_H
#define WSMAUTHZ_MEMBERSHIP_CLOSURE_CONCERN_H

#include <base/compiler.h>
#include <base/digest.h>
#include <base/error.h>
#include <base/sid.h>
#include <directory/dir_watch.h>
#include <membership/closure.h>
#include <membership/closure_load.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Groups, suspects and names of concerns that add up; more, and everything is read again. */
#define CLOSURE_CONCERN_MAX 512
/* Likewise groups that the closure does not know. */
#define CLOSURE_CONCERN_MAX_NEWCOMERS 50

/* Concerns add up. Zeroed: nothing. */
struct closure_concern {
	bool everything;
	bool unseen;                          /* something changed that was not seen: any of its groups may be gone */
	uint32_t groups[CLOSURE_CONCERN_MAX]; /* to be read again */
	size_t group_count;
	uint32_t suspects[CLOSURE_CONCERN_MAX]; /* groups that may be gone or have another name */
	size_t suspect_count;
	struct digest names[CLOSURE_CONCERN_MAX]; /* of which it must be asked anew whether they are groups' */
	size_t name_count;
	struct sid newcomers[CLOSURE_CONCERN_MAX_NEWCOMERS]; /* by SID: groups that one of the closure may list */
	size_t newcomer_count;
};

bool closure_concern_is_nothing(const struct closure_concern *concern);

/** Add what this change means. @return STATUS_OK; STATUS_NO_MEMORY: nothing is known, so everything is concerned. */
enum status closure_concern_add(struct closure_concern *concern, const struct closure *closure,
				const struct closure_plan *plan, const struct dir_watch_event *event);

#endif
