/* SPDX-License-Identifier: Apache-2.0 */
/* Sources: MS-DTYP 2.4.3 (access masks), 2.4.4 (rules of a list), 2.4.2.4 (well-known SIDs). */
#include <os/file_trust_windows.h>

#include <aclapi.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* With any of these a file's contents, or who may change them, can be changed, or another be put in its place. */
#define WRITE_RIGHTS                                                                                                   \
	(FILE_WRITE_DATA | FILE_APPEND_DATA | DELETE | WRITE_DAC | WRITE_OWNER | GENERIC_WRITE | GENERIC_ALL)
#define READ_RIGHTS (FILE_READ_DATA | GENERIC_READ | GENERIC_ALL)
/* GENERIC_WRITE adds files only. */
#define FOLDER_RIGHTS (FILE_DELETE_CHILD | DELETE | WRITE_DAC | WRITE_OWNER | GENERIC_ALL)

#define NAME_UNITS    128
#define WHO_BYTES     (SID_TEXT_BYTES + 3 * NAME_UNITS * 2)

#define OF_WINDOWS    5 /* the authority of SYSTEM and most others: NT AUTHORITY */
#define OF_CREATORS   3
#define RID_SYSTEM    18
#define RID_BUILTIN   32
#define RID_ADMINS    544
#define RID_SERVICE   80
#define RID_POOL      82
#define RID_DOMAIN    21
#define CREATOR_OWNER 0
#define OWNER_RIGHTS  4

/* NT SERVICE\TrustedInstaller, which owns what Windows itself has installed. */
static const struct sid installer = {
    .authority = OF_WINDOWS,
    .sub_count = 6,
    .sub = {RID_SERVICE, 956008885, 3418522649, 1831038044, 1853292631, 2271478464},
};

static bool take_sid(PSID raw, struct sid *sid_out)
{
	return raw != NULL && IsValidSid(raw) && sid_parse_binary((const uint8_t *)raw, GetLengthSid(raw), sid_out);
}

enum status file_trust_own_user(struct sid *sid_out, struct error *error)
{
	union {
		TOKEN_USER user;
		BYTE bytes[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
	} answer;
	HANDLE token = NULL;
	DWORD length = 0;
	bool is_known;

	if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
		return error_system(error, STATUS_INTERNAL, (int)GetLastError(),
				    "could not ask under which user this process runs");
	is_known = GetTokenInformation(token, TokenUser, &answer, sizeof(answer), &length) &&
		   take_sid(answer.user.User.Sid, sid_out);
	(void)CloseHandle(token);
	return is_known ? STATUS_OK
			: error_set(error, STATUS_INTERNAL, "could not find out under which user this process runs");
}

static bool is_system(const struct sid *sid)
{
	return sid->authority == OF_WINDOWS && sid->sub_count == 1 && sid->sub[0] == RID_SYSTEM;
}

static bool is_administrators(const struct sid *sid)
{
	return sid->authority == OF_WINDOWS && sid->sub_count == 2 && sid->sub[0] == RID_BUILTIN &&
	       sid->sub[1] == RID_ADMINS;
}

/* CREATOR OWNER in a rule that is in force is nobody; OWNER RIGHTS is the owner, who is looked at by himself. */
static bool is_owner_or_nobody(const struct sid *sid)
{
	return sid->authority == OF_CREATORS && sid->sub_count == 1 &&
	       (sid->sub[0] == CREATOR_OWNER || sid->sub[0] == OWNER_RIGHTS);
}

static bool is_trusted(const struct sid *sid, const struct sid *own)
{
	return is_system(sid) || is_administrators(sid) || sid_is_equal(sid, &installer) || sid_is_equal(sid, own);
}

static bool is_service(const struct sid *sid)
{
	return sid->authority == OF_WINDOWS && sid->sub_count > 2 &&
	       (sid->sub[0] == RID_SERVICE || sid->sub[0] == RID_POOL);
}

/* Names that this machine knows itself; for one of a domain, a controller would be asked. */
static bool find_name(PSID raw, const struct sid *sid, char *out, size_t size)
{
	WCHAR name[NAME_UNITS], domain[NAME_UNITS];
	DWORD name_units = NAME_UNITS, domain_units = NAME_UNITS;
	SID_NAME_USE use;

	if (sid->sub[0] == RID_DOMAIN || !LookupAccountSidW(NULL, raw, name, &name_units, domain, &domain_units, &use))
		return false;
	return WideCharToMultiByte(CP_UTF8, 0, name, -1, out, (int)size, NULL, NULL) > 0;
}

/* "Everyone (S-1-1-0)" */
static void show_sid(PSID raw, const struct sid *sid, char out[WHO_BYTES])
{
	char text[SID_TEXT_BYTES], name[NAME_UNITS * 3];

	sid_format(sid, text);
	if (find_name(raw, sid, name, sizeof(name)))
		(void)snprintf(out, WHO_BYTES, "%s (%s)", name, text);
	else
		(void)snprintf(out, WHO_BYTES, "%s", text);
}

static enum status check_owner(PSID raw, const struct sid *own, const char *path, struct error *error)
{
	char who[WHO_BYTES];
	struct sid owner;

	if (!take_sid(raw, &owner))
		return error_set(error, STATUS_REFUSED, "'%s' has no owner", path);
	if (is_trusted(&owner, own))
		return STATUS_OK;
	show_sid(raw, &owner, who);
	(void)error_set(error, STATUS_REFUSED,
			"'%s' belongs to %s, not to SYSTEM, Administrators or the user of this process", path, who);
	return error_hint(error, STATUS_REFUSED, "icacls \"%s\" /setowner *S-1-5-32-544", path);
}

/* The command leaves SYSTEM and Administrators, and ourselves as a reader where we are neither. */
static enum status hint_grants(enum trust trust, const struct sid *own, const char *path, struct error *error)
{
	const char *scope = trust == TRUST_FOLDER ? "(OI)(CI)" : "";
	char text[SID_TEXT_BYTES], grant[SID_TEXT_BYTES + 32] = "";

	sid_format(own, text);
	if (!is_system(own))
		(void)snprintf(grant, sizeof(grant), " \"*%s:%s%s\"", text, scope, trust == TRUST_FOLDER ? "RX" : "R");
	return error_hint(error, STATUS_REFUSED,
			  "icacls \"%s\" /inheritance:r /grant:r \"*S-1-5-18:%sF\" \"*S-1-5-32-544:%sF\"%s", path,
			  scope, scope, grant);
}

/* What is told of somebody who may do too much; NULL: he may not. */
static const char *trouble_of(enum trust trust, const struct sid *sid, const struct sid *own, ACCESS_MASK granted)
{
	if (is_trusted(sid, own) || is_owner_or_nobody(sid))
		return NULL;
	if (trust == TRUST_FOLDER)
		return (granted & FOLDER_RIGHTS) != 0 ? "may put another file in the place of one in it" : NULL;
	if ((granted & WRITE_RIGHTS) != 0)
		return "may write it";
	return trust == TRUST_WRITERS_AND_READERS && (granted & READ_RIGHTS) != 0 && !is_service(sid)
		   ? "may read it, and it holds a secret"
		   : NULL;
}

/* A rule that grants, which is not of a kind that files have, is nobody's we know. */
static bool is_grant(BYTE type, bool *has_sid_out)
{
	switch (type) {
	case ACCESS_ALLOWED_ACE_TYPE:
	case ACCESS_ALLOWED_CALLBACK_ACE_TYPE:
		*has_sid_out = true;
		return true;
	case ACCESS_ALLOWED_COMPOUND_ACE_TYPE:
	case ACCESS_ALLOWED_OBJECT_ACE_TYPE:
	case ACCESS_ALLOWED_CALLBACK_OBJECT_ACE_TYPE:
		*has_sid_out = false;
		return true;
	default:
		return false;
	}
}

static enum status check_rule(ACE_HEADER *rule, enum trust trust, const struct sid *own, const char *path,
			      struct error *error)
{
	ACCESS_ALLOWED_ACE *grant = (ACCESS_ALLOWED_ACE *)(void *)rule;
	char who[WHO_BYTES];
	const char *trouble;
	bool has_sid = false;
	struct sid sid;

	if ((rule->AceFlags & INHERIT_ONLY_ACE) != 0 || !is_grant(rule->AceType, &has_sid))
		return STATUS_OK;
	if (!has_sid || !take_sid((PSID)&grant->SidStart, &sid)) {
		(void)error_set(error, STATUS_REFUSED, "'%s' has an access rule of an unknown kind", path);
		return hint_grants(trust, own, path, error);
	}
	trouble = trouble_of(trust, &sid, own, grant->Mask);
	if (trouble == NULL)
		return STATUS_OK;
	show_sid((PSID)&grant->SidStart, &sid, who);
	(void)error_set(error, STATUS_REFUSED, "'%s': %s %s (rights 0x%lx)", path, who, trouble,
			(unsigned long)grant->Mask);
	return hint_grants(trust, own, path, error);
}

static enum status check_list(PACL list, enum trust trust, const struct sid *own, const char *path, struct error *error)
{
	enum status status = STATUS_OK;
	void *rule = NULL;

	if (list == NULL) {
		(void)error_set(error, STATUS_REFUSED, "'%s' has no access control list: everybody may write it", path);
		return hint_grants(trust, own, path, error);
	}
	for (DWORD i = 0; i < list->AceCount && status == STATUS_OK; i++) {
		if (GetAce(list, i, &rule))
			status = check_rule(rule, trust, own, path, error);
		else
			status = error_system(error, STATUS_UNREACHABLE, (int)GetLastError(),
					      "could not read the access rules of '%s'", path);
	}
	return status;
}

enum status file_trust_check(HANDLE file, enum trust trust, const char *path, struct error *error)
{
	PSECURITY_DESCRIPTOR descriptor = NULL;
	enum status status;
	struct sid own;
	PSID owner = NULL;
	PACL list = NULL;
	DWORD failure;

	if (trust == TRUST_ANY)
		return STATUS_OK;
	status = file_trust_own_user(&own, error);
	if (status != STATUS_OK)
		return status;
	failure = GetSecurityInfo(file, SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION, &owner,
				  NULL, &list, NULL, &descriptor);
	if (failure != ERROR_SUCCESS)
		return error_system(error, STATUS_UNREACHABLE, (int)failure, "could not read who may use '%s'", path);
	status = check_owner(owner, &own, path, error);
	if (status == STATUS_OK)
		status = check_list(list, trust, &own, path, error);
	(void)LocalFree(descriptor);
	return status;
}
