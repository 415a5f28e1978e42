/* SPDX-License-Identifier: Apache-2.0 */
/* A file of its own, for tests that replace the watch. */
#include <directory/dir_watch.h>

#define TEXT(number)  #number
#define DIGITS(macro) TEXT(macro)

const char *dir_watch_means_text(enum dir_watch_means means)
{
	switch (means) {
	case DIR_WATCH_BY_SYNC:
		return "RFC 4533 refreshAndPersist: each change is told when it is made";
	case DIR_WATCH_BY_PSEARCH:
		return "a persistent search: each change is told soon after it is made";
	case DIR_WATCH_BY_USN:
		return "highestCommittedUSN: asked for every " DIGITS(
		    DIR_WATCH_POLL_MS) " ms while somebody decides, and changes are read then";
	case DIR_WATCH_BY_CSN:
		return "contextCSN: asked for every " DIGITS(
		    DIR_WATCH_POLL_MS) " ms while somebody decides, and everything is read anew when it has moved";
	}
	return "?";
}
