/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What administrators look for by number. A log line, or an audit record, that tells of an event has the event's
 * number, which never changes: it is the event id in the Event Log of Windows (src/plugin/events.mc has the same
 * numbers and levels, which a test compares). A number that is no longer used is not given to another event.
 */
#ifndef WSMAUTHZ_BASE_LOG_EVENT_H
#define WSMAUTHZ_BASE_LOG_EVENT_H

enum log_event {
	LOG_EVENT_NONE = 0,

	/* Lines that tell of no event of this list, by their level. */
	LOG_EVENT_OTHER_ERROR = 1,
	LOG_EVENT_OTHER_WARNING = 2,
	LOG_EVENT_OTHER_INFO = 3,

	/* The plug-in. */
	LOG_EVENT_STARTED = 10,
	LOG_EVENT_STOPPED = 11,
	LOG_EVENT_NOT_STARTED = 12,

	/* The policy, when it changes. */
	LOG_EVENT_POLICY_IN_FORCE = 20,
	LOG_EVENT_POLICY_REFUSED = 21,

	/* The directory. */
	LOG_EVENT_DIRECTORY_FOUND = 30,
	LOG_EVENT_DIRECTORY_LOST = 31,
	LOG_EVENT_GROUPS_READABLE = 32,
	LOG_EVENT_GROUPS_UNREADABLE = 33,

	/* Whether the directory tells of its changes. */
	LOG_EVENT_WATCH_FOUND = 40,
	LOG_EVENT_WATCH_LOST = 41,

	/* Audit records, by verdict. */
	LOG_EVENT_AUTHORIZED = 100,
	LOG_EVENT_AUTHORIZED_AGAIN = 101, /* how often the cache let users in */
	LOG_EVENT_REDIRECTED = 102,
	LOG_EVENT_DENIED = 103,
	LOG_EVENT_UNKNOWN = 104, /* it could not be known: an error verdict */
};

#endif
