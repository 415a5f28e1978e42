/* SPDX-License-Identifier: Apache-2.0 */
/* Pinging domain controllers: sockets. See dir_cldap.h. Used within dir_locate. Threads: one at a time. */
#ifndef WSMAUTHZ_DIRECTORY_DIR_LOCATE_CLDAP_H
#define WSMAUTHZ_DIRECTORY_DIR_LOCATE_CLDAP_H

#include <directory/dir_cldap.h>
#include <directory/dir_locate.h>
#include <directory/dir_locate_resolver.h>

/**
 * Ask all of them at once (at most DIR_CLDAP_MAX_TARGETS that have an address), and take the first answer.
 *
 * @return false: none came in time, or whoever waits has ended.
 */
NODISCARD bool dir_cldap_ping(const struct dir_resolver_host *hosts, size_t count, const char *domain,
			      const struct dir_locate_wait *wait, uint64_t deadline_ms,
			      struct dir_cldap_answer *answer_out);

#endif
