/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session of the watch on a domain controller: Active Directory, or Samba.
 *
 *	begin   the root DSE: a controller, its naming contexts, the mark. May the account read uSNChanged at all? Does it see what was
 *	        deleted? Then UP, with that mark.
 *	poll    the mark (a base read of the root DSE). Where it has moved: every object of the domain that changed since the mark before,
 *	        deleted ones too where the account sees them; CHANGE for each. Where it does not, and not every step of the USN was
 *	        explained: what changed in the controller's other naming contexts; if steps still are missing, UNSEEN. Then MARK.
 *	rest    DIR_WATCH_POLL_MS while somebody decides (DIR_WATCH_HURRY_MS, where he has seen that something changed), else DIR_POOL_PING_MS (a poll is the ping then, so that what is to be read
 *	        afterwards stays little)
 *
 * What it costs a controller: four base reads of the root DSE a second while somebody decides, one a minute else; and a search after
 * a change. uSNChanged is indexed on AD. On Samba with the tdb back end it is not: a search reads every object, about 7 s per million.
 *
 * "Sees what was deleted" is decided by what was seen: an object beneath CN=Deleted Objects of the domain, at the beginning or later. By
 * default only administrators may; others can be allowed to (Microsoft: "Deleted Objects container", dsacls). An account that may
 * list that container is taken to see all of it.
 *
 * Other naming contexts have searches of their own: the phantom root (LDAP_SERVER_SEARCH_OPTIONS_OID) leaves application naming contexts
 * out on AD (MS-ADTS 3.1.1.3.4.1.12), and DNS updates are there.
 *
 * A server that is not among the directory's any more (dir_watch_follow) is left, as one that dir_watch_prefer orders away from.
 * Another controller than before at the same address (dsServiceName), or one whose USN went back (restored from a backup), ends the session.
 *
 * Threads: the watch's own.
 */
#ifndef WSMAUTHZ_DIRECTORY_DIR_WATCH_CONTROLLER_H
#define WSMAUTHZ_DIRECTORY_DIR_WATCH_CONTROLLER_H

#include <base/error.h>
#include <directory/dir_watch_private.h>
#include <stddef.h>
#include <stdint.h>

/* Other naming contexts that are searched; more explain nothing. A controller has four and those of applications. */
#define DIR_WATCH_MAX_CONTEXTS 16

/**
 * Connect, watch, and disconnect when that has ended.
 *
 * @param uri              of the server; borrowed.
 * @param up_since_ms_out  0: it was not up; else UP was told then.
 * @param error            filled, but when it was stopped.
 */
enum dir_session_end dir_watch_controller_session(struct dir_watch *watch, const char *uri, uint64_t *up_since_ms_out,
						  struct error *error);

#endif
