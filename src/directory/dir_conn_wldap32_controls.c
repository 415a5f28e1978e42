/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_conn_wldap32.h>

/* The library takes controls as not const and changes none of a request's. */
static WCHAR extended_dn_oid[] = L"1.2.840.113556.1.4.529";
static WCHAR domain_scope_oid[] = L"1.2.840.113556.1.4.1339";
static WCHAR link_ttl_oid[] = L"1.2.840.113556.1.4.2309";
static WCHAR show_deleted_oid[] = L"1.2.840.113556.1.4.417";

/* SEQUENCE { Flag INTEGER }: 1, GUIDs and SIDs as text. Without the value they come in hexadecimal. */
static char extended_dn_value[] = {0x30, 0x03, 0x02, 0x01, 0x01};

static LDAPControlW extended_dn = {extended_dn_oid, {sizeof(extended_dn_value), extended_dn_value}, TRUE};
static LDAPControlW domain_scope = {domain_scope_oid, {0, NULL}, FALSE};
static LDAPControlW link_ttl = {link_ttl_oid, {0, NULL}, FALSE};
static LDAPControlW show_deleted = {show_deleted_oid, {0, NULL}, TRUE};

ULONG dir_conn_controls_init(LDAP *ld, const struct dir_search *search, struct berval *cookie,
			     struct dir_conn_controls *controls_out)
{
	size_t count = 0;
	ULONG code = LDAP_SUCCESS;

	*controls_out = (struct dir_conn_controls){.page = NULL};
	/* Critical: a server that cannot page has to say so instead of cutting the answer. */
	if (search->page_size > 0)
		code = ldap_create_page_controlW(ld, search->page_size, cookie, TRUE, &controls_out->page);
	if (code != LDAP_SUCCESS)
		return code;
	if (controls_out->page != NULL)
		controls_out->list[count++] = controls_out->page;
	if ((search->flags & DIR_SEARCH_EXTENDED_DN) != 0)
		controls_out->list[count++] = &extended_dn;
	if ((search->flags & DIR_SEARCH_DOMAIN_SCOPE) != 0)
		controls_out->list[count++] = &domain_scope;
	if ((search->flags & DIR_SEARCH_LINK_TTL) != 0)
		controls_out->list[count++] = &link_ttl;
	if ((search->flags & DIR_SEARCH_SHOW_DELETED) != 0)
		controls_out->list[count++] = &show_deleted;
	return LDAP_SUCCESS;
}

void dir_conn_controls_done(struct dir_conn_controls *controls)
{
	if (controls->page != NULL)
		(void)ldap_control_freeW(controls->page);
	controls->page = NULL;
	controls->list[0] = NULL;
}
