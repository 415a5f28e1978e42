/* SPDX-License-Identifier: Apache-2.0 */
#include <identity/group_name.h>

#include <base/ascii.h>
#include <identity/dn.h>
#include <string.h>

/* MS-SAMR 3.1.1.8.4: never in a sAMAccountName; nor in a domain's name. '=' among them tells a DN. */
static const char never_in_names[] = "\"/[]:;|=,+*?<>@\\";

static bool begins_like_sid(const char *text)
{
	return (text[0] == 'S' || text[0] == 's') && strncmp(text + 1, "-1-", 3) == 0;
}

static bool is_part(const char *text, size_t length)
{
	if (length == 0 || text[0] == ' ' || text[length - 1] == ' ')
		return false;
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == '\x7f' || strchr(never_in_names, text[i]) != NULL)
			return false;
	return true;
}

static enum status parse_sid(const char *text, struct group_name *name, struct error *error)
{
	if (!sid_parse_text(text, strlen(text), &name->sid))
		return error_set(error, STATUS_INVALID, "'%s' begins like a SID, but is none", text);
	name->form = GROUP_NAME_SID;
	return STATUS_OK;
}

static enum status parse_account(const char *text, size_t domain_length, struct group_name *name, struct error *error)
{
	const char *account = text + domain_length + 1;

	if (domain_length > GROUP_NAME_MAX_DOMAIN_BYTES || !is_part(text, domain_length) ||
	    !is_part(account, strlen(account))) {
		error_set(error, STATUS_INVALID, "'%s' is not the name of a group", text);
		return error_hint(error, STATUS_INVALID, "write it as a DN, as DOMAIN\\name, or as a SID");
	}
	name->form = GROUP_NAME_ACCOUNT;
	memcpy(name->domain, text, domain_length);
	name->account = account;
	return STATUS_OK;
}

enum status group_name_parse(const char *text, struct group_name *name_out, struct error *error)
{
	struct group_name name = {.form = GROUP_NAME_DN};
	size_t first = strcspn(text, "\\=");
	enum status status;

	if (begins_like_sid(text))
		status = parse_sid(text, &name, error);
	else if (text[first] == '\\')
		status = parse_account(text, first, &name, error);
	else
		status = dn_check(text, error);
	if (status == STATUS_OK)
		*name_out = name;
	return status;
}
