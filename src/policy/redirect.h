/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a user belongs. Pure.
 *
 * The first <site> in document order whose name equals one of the user's values, or whose group
 * holds the user, decides. A user who is already there stays: the URL that the sender came to has
 * the endpoint of one of the site's URIs. When no site decides, a value that is served here lets the user
 * stay, and everything else is "unmapped".
 *
 * Of a site with several URIs each user always gets the same one (rendezvous hashing on the user's stable id: when a URI is
 * added or removed, only the users of that URI move).
 */
#ifndef WSMAUTHZ_POLICY_REDIRECT_H
#define WSMAUTHZ_POLICY_REDIRECT_H

#include <config/config.h>
#include <directory/dir_search.h>
#include <stdbool.h>

enum redirect_answer {
	REDIRECT_STAY = 0,  /* served here, or nothing to decide */
	REDIRECT_ELSEWHERE, /* *uri_out has the target */
	REDIRECT_UNMAPPED,  /* no site, and the policy denies such users */
};

/**
 * @param site_member  [site_count]: whether the site's group holds the user.
 * @param user_id      the user's stable id.
 * @param http_url     where the sender came to; NULL: not known.
 * @param uri_out      borrowed from the configuration; set for REDIRECT_ELSEWHERE.
 */
enum redirect_answer redirect_for(const struct config_redirect *redirect, const struct dir_entry *user,
				  const bool *site_member, const char *user_id, const char *http_url,
				  const char **uri_out);

/**
 * Whether people may commonly write this attribute of their own entry: in AD by default (the "Personal Information" and
 * "Web Information" property sets), on OpenLDAP by the `self write` that many access lists have. Who may write it
 * chooses the endpoint that he is sent to; the policy's owner should know.
 *
 * Sources: MS-ADSC (searchFlags, attributeSecurityGUID); tried on Samba 4.17.
 */
bool redirect_attribute_may_be_self_written(const char *attribute);

#endif
