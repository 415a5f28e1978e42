/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a user belongs. Pure.
 *
 * The first <site> in document order whose name equals one of the user's values, or whose group
 * holds the user, or whose OU is the nearest of the sites' OUs above the user's entry, decides. A user who is already there stays: the URL that the sender came to has
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
#include <stddef.h>

enum redirect_place {
	REDIRECT_HERE = 0, /* served here, or nothing to decide */
	REDIRECT_SITE,     /* he belongs to a site */
	REDIRECT_UNMAPPED, /* no site, and the policy denies such users */
};

/** Whether any site is one of an OU, so that redirect_place_of needs the key of the user's DN. */
bool redirect_needs_user_key(const struct config_redirect *redirect);

/**
 * @param user_key     dn_own_key of the user's DN; NULL: no site is one of an OU.
 * @param site_member  [site_count]: whether the site's group holds the user.
 * @param user_id      the user's stable id.
 * @param site_out     the site's number, for REDIRECT_SITE.
 * @param uri_out      the number of the URI of it that is his.
 */
enum redirect_place redirect_place_of(const struct config_redirect *redirect, const struct dir_entry *user,
				      const char *user_key, const bool *site_member, const char *user_id,
				      size_t *site_out, size_t *uri_out);

/** Whether who came to `http_url` (NULL: not known) is at that site already. */
bool redirect_is_there(const struct config_site *site, const char *http_url);

/**
 * Whether people may commonly write this attribute of their own entry: in AD by default (the "Personal Information" and
 * "Web Information" property sets, which every user object lets SELF write: msDS-cloudExtensionAttribute1 to 20 are among them),
 * on OpenLDAP by the `self write` that many access lists have. Who may write it
 * chooses the endpoint that he is sent to; the policy's owner should know.
 *
 * Sources: MS-ADSC (attributeSecurityGUID 77b5b886-944a-11d1-aebd-0000f80367c1 and e45795b3-9455-11d1-aebd-0000f80367c1; the user
 * class's defaultSecurityDescriptor); read from the schema of Samba 4.17, which is that of Windows Server 2012 R2.
 */
bool redirect_attribute_may_be_self_written(const char *attribute);

#endif
