/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a policy names a group: by its DN, its SID, or DOMAIN\name. Pure.
 *
 *	CN=WinRM Users,OU=Groups,DC=corp,DC=example     any directory
 *	S-1-5-21-1004336348-1177238915-682003330-1157   Active Directory; well-known ones too (S-1-5-32-544)
 *	CORP\WinRM Users                                Active Directory; BUILTIN\Administrators
 *
 * Sources: RFC 4514; MS-DTYP 2.4.2.1; MS-SAMR 3.1.1.8.4 (what a sAMAccountName may hold).
 */
#ifndef WSMAUTHZ_IDENTITY_GROUP_NAME_H
#define WSMAUTHZ_IDENTITY_GROUP_NAME_H

#include <base/compiler.h>
#include <base/error.h>
#include <base/sid.h>
#include <stddef.h>

/* A domain's name in DOMAIN\name, in bytes: above any DNS name. */
#define GROUP_NAME_MAX_DOMAIN_BYTES 255

enum group_name_form { GROUP_NAME_DN = 0, GROUP_NAME_SID, GROUP_NAME_ACCOUNT };

struct group_name {
	enum group_name_form form;
	struct sid sid;                               /* SID */
	char domain[GROUP_NAME_MAX_DOMAIN_BYTES + 1]; /* ACCOUNT */
	const char *account;                          /* ACCOUNT: the part behind the '\'; points into the text */
};

/**
 * Take a name apart.
 *
 * @param name_out  untouched unless STATUS_OK.
 * @return STATUS_OK; STATUS_INVALID: it is neither of the three; STATUS_NO_MEMORY.
 */
NODISCARD enum status group_name_parse(const char *text, struct group_name *name_out, struct error *error);

#endif
