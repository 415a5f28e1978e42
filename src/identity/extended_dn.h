/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DNs as Active Directory and Samba write them when asked to say more (DIR_SEARCH_EXTENDED_DN, DIR_SEARCH_LINK_TTL):
 *
 *	<GUID=2092dd8c-1f4d-4cd5-a2b8-6a3c0ad6e8a7>;<SID=S-1-5-21-1-2-3-512>;CN=Admins,DC=corp,DC=example
 *	<TTL=86393>,<GUID=...>;<SID=...>;CN=Admins,DC=corp,DC=example
 *
 * Objects without a SID have no <SID=...>. A plain DN is the same without any component: no attribute type begins with '<'.
 * Components of other names are passed over. One that is there twice, or is not what its name says, makes the whole
 * no extended DN: whoever asked for SIDs must not go on without one that was there.
 *
 * Sources: MS-ADTS 3.1.1.3.4.1.5 (LDAP_SERVER_EXTENDED_DN_OID), LDAP_SERVER_LINK_TTL_OID (ibid.), 3.1.1.3.1.2.4; Samba 4.17 measured.
 */
#ifndef WSMAUTHZ_IDENTITY_EXTENDED_DN_H
#define WSMAUTHZ_IDENTITY_EXTENDED_DN_H

#include <base/compiler.h>
#include <base/sid.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "2092dd8c-1f4d-4cd5-a2b8-6a3c0ad6e8a7" and the NUL */
#define EXTENDED_DN_GUID_BYTES 37

struct extended_dn {
	char guid[EXTENDED_DN_GUID_BYTES]; /* in lower case; "": none */
	bool has_sid;
	struct sid sid;
	bool has_ttl;   /* the link that this is the value of expires: */
	uint32_t ttl_s; /* so many seconds after the server answered */
	const char *dn; /* the plain DN: points into the value, is not checked, is never empty */
	size_t dn_length;
};

/**
 * Take a value apart.
 *
 * @param value         `length` bytes; any.
 * @param extended_out  untouched unless true; borrows from `value`.
 */
NODISCARD bool extended_dn_parse(const char *value, size_t length, struct extended_dn *extended_out);

#endif
