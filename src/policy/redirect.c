/* SPDX-License-Identifier: Apache-2.0 */
#include <base/ascii.h>
#include <base/digest.h>
#include <identity/dn.h>
#include <identity/sender.h>
#include <identity/uri.h>
#include <policy/redirect.h>
#include <string.h>

/* Fixed, so that every host and every process sends a user to the same place. */
static const struct digest_key rendezvous_key = {0x77736d6175746872, 0x72656e64657a7673};

/* A directory value is what the policy says: without blanks around it and without case, nothing else folded. */
static bool value_is(const struct dir_value *value, const char *name)
{
	const char *data = value->data;
	size_t length = value->length;

	while (length > 0 && ascii_is_blank(data[0])) {
		data++;
		length--;
	}
	while (length > 0 && ascii_is_blank(data[length - 1]))
		length--;
	return sender_name_is_same(name, data, length);
}

static bool has_value(const struct dir_attribute *values, const char *name)
{
	for (size_t i = 0; values != NULL && i < values->value_count; i++)
		if (value_is(&values->values[i], name))
			return true;
	return false;
}

bool redirect_needs_user_key(const struct config_redirect *redirect)
{
	for (size_t i = 0; i < redirect->site_count; i++)
		if (redirect->sites[i].ou != NULL)
			return true;
	return false;
}

/* The site of the nearest OU above the user's entry; NULL: there is none. */
static const struct config_site *find_nearest(const struct config_redirect *redirect, const char *user_key)
{
	for (const char *at = user_key == NULL ? NULL : dn_parent(user_key); at != NULL; at = dn_parent(at))
		for (size_t i = 0; i < redirect->site_count; i++)
			if (redirect->sites[i].ou != NULL && strcmp(redirect->sites[i].ou_key, at) == 0)
				return &redirect->sites[i];
	return NULL;
}

static const struct config_site *find_site(const struct config_redirect *redirect, const struct dir_attribute *values,
					   const char *user_key, const bool *site_member)
{
	const struct config_site *nearest = find_nearest(redirect, user_key);

	for (size_t i = 0; i < redirect->site_count; i++) {
		const struct config_site *site = &redirect->sites[i];

		if (site == nearest || (site->group != NULL && site_member[i]) ||
		    (site->name != NULL && has_value(values, site->name)))
			return site;
	}
	return NULL;
}

bool redirect_is_there(const struct config_site *site, const char *http_url)
{
	struct uri_endpoint came, target;

	if (http_url == NULL || !uri_parse_endpoint(http_url, &came))
		return false;
	for (size_t i = 0; i < site->uri_count; i++)
		if (uri_parse_endpoint(site->uris[i], &target) && uri_endpoint_is_same(&came, &target))
			return true;
	return false;
}

/* The user's score for a URI: each URI is a key of its own, so that the scores do not depend on each other. */
static struct digest score(const char *uri, const char *user_id)
{
	struct digest of_uri = digest_of(&rendezvous_key, uri, strlen(uri));
	struct digest_key key = {of_uri.high, of_uri.low};

	return digest_of(&key, user_id, strlen(user_id));
}

static size_t pick_uri(const struct config_site *site, const char *user_id)
{
	struct digest best_score = score(site->uris[0], user_id);
	size_t best = 0;

	for (size_t i = 1; i < site->uri_count; i++) {
		struct digest other = score(site->uris[i], user_id);

		if (digest_compare(&other, &best_score) > 0) {
			best = i;
			best_score = other;
		}
	}
	return best;
}

enum redirect_place redirect_place_of(const struct config_redirect *redirect, const struct dir_entry *user,
				      const char *user_key, const bool *site_member, const char *user_id,
				      size_t *site_out, size_t *uri_out)
{
	const struct dir_attribute *values =
	    redirect->attribute == NULL ? NULL : dir_entry_attribute(user, redirect->attribute);
	const struct config_site *site;

	if (!redirect->present)
		return REDIRECT_HERE;
	site = find_site(redirect, values, user_key, site_member);
	if (site == NULL) {
		for (size_t i = 0; i < redirect->here_count; i++)
			if (has_value(values, redirect->here[i]))
				return REDIRECT_HERE;
		return redirect->deny_unmapped ? REDIRECT_UNMAPPED : REDIRECT_HERE;
	}
	*site_out = (size_t)(site - redirect->sites);
	*uri_out = pick_uri(site, user_id);
	return REDIRECT_SITE;
}

bool redirect_attribute_may_be_self_written(const char *attribute)
{
	static const char *const names[] = {
	    /* AD */
	    "assistant",
	    "c",
	    "facsimileTelephoneNumber",
	    "homePhone",
	    "homePostalAddress",
	    "info",
	    "internationalISDNNumber",
	    "ipPhone",
	    "l",
	    "mobile",
	    "otherFacsimileTelephoneNumber",
	    "otherHomePhone",
	    "otherIpPhone",
	    "otherMobile",
	    "otherPager",
	    "otherTelephone",
	    "pager",
	    "personalTitle",
	    "physicalDeliveryOfficeName",
	    "postOfficeBox",
	    "postalAddress",
	    "postalCode",
	    "preferredDeliveryMethod",
	    "primaryInternationalISDNNumber",
	    "primaryTelexNumber",
	    "registeredAddress",
	    "st",
	    "street",
	    "streetAddress",
	    "telephoneNumber",
	    "teletexTerminalIdentifier",
	    "telexNumber",
	    "thumbnailPhoto",
	    "url",
	    "userSharedFolder",
	    "userSharedFolderOther",
	    "wWWHomePage",
	    "x121Address",
	    /* OpenLDAP, commonly */
	    "roomNumber",
	    "preferredLanguage",
	    "labeledURI",
	};
	/* 1 to 20, and what will come */
	static const char cloud[] = "msDS-cloudExtensionAttribute";

	if (strlen(attribute) >= sizeof(cloud) - 1 &&
	    ascii_equal_nocase_n(attribute, sizeof(cloud) - 1, cloud, sizeof(cloud) - 1))
		return true;
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (ascii_equal_nocase(attribute, names[i]))
			return true;
	return false;
}
