/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_conn_libldap.h>

/* libldap takes controls as not const and changes none of a request's. */
static char extended_dn_oid[] = "1.2.840.113556.1.4.529";
static char domain_scope_oid[] = "1.2.840.113556.1.4.1339";
static char link_ttl_oid[] = "1.2.840.113556.1.4.2309";
static char show_deleted_oid[] = "1.2.840.113556.1.4.417";

/* SEQUENCE { Flag INTEGER }: 1, GUIDs and SIDs as text. Without the value they come in hexadecimal. */
static char extended_dn_value[] = {0x30, 0x03, 0x02, 0x01, 0x01};

static LDAPControl extended_dn = {extended_dn_oid, {sizeof(extended_dn_value), extended_dn_value}, 1};
static LDAPControl domain_scope = {domain_scope_oid, {0, NULL}, 0};
static LDAPControl link_ttl = {link_ttl_oid, {0, NULL}, 0};
static LDAPControl show_deleted = {show_deleted_oid, {0, NULL}, 1};

int dir_conn_controls_init(LDAP *ld, const struct dir_search *search, struct berval *cookie,
			   struct dir_conn_controls *controls_out)
{
	size_t count = 0;
	int code = LDAP_SUCCESS;

	*controls_out = (struct dir_conn_controls){.page = NULL};
	/* Critical: a server that cannot page has to say so instead of cutting the answer. */
	if (search->page_size > 0)
		code = ldap_create_page_control(ld, (ber_int_t)search->page_size, cookie, 1, &controls_out->page);
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
		ldap_control_free(controls->page);
	controls->page = NULL;
	controls->list[0] = NULL;
}
