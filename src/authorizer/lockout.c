/* SPDX-License-Identifier: Apache-2.0 */
#include <authorizer/lockout.h>
#include <policy/account.h>

const char lockout_user_attribute[] = "pwdPolicySubentry";

enum status lockout_ask(const struct config_directory *directory, const struct dir_entry *user,
			struct dir_search *search_out)
{
	static const char *const attributes[] = {"pwdLockoutDuration", NULL};
	const struct dir_attribute *named = dir_entry_attribute(user, lockout_user_attribute);

	if (dir_search_init(search_out, NULL) != STATUS_OK)
		return STATUS_NO_MEMORY;
	search_out->base = directory->base;
	search_out->scope = DIR_SCOPE_SUBTREE;
	search_out->filter = "(objectClass=pwdPolicy)";
	search_out->attributes = attributes;
	if (named != NULL && named->value_count == 1) {
		search_out->base = named->values[0].data;
		search_out->scope = DIR_SCOPE_BASE;
	}
	return STATUS_OK;
}

bool lockout_take(const struct dir_search *search, int64_t *lockout_s_out)
{
	switch (search->outcome) {
	case DIR_OUTCOME_OK:
		*lockout_s_out = account_lockout_of(search->entries);
		return true;
	case DIR_OUTCOME_NO_SUCH_OBJECT:
	case DIR_OUTCOME_NOT_PERMITTED:
	case DIR_OUTCOME_REFUSED:
		*lockout_s_out = ACCOUNT_LOCKED_UNTIL_LIFTED;
		return true;
	case DIR_OUTCOME_NONE:
	case DIR_OUTCOME_LIMIT:
	case DIR_OUTCOME_INCOMPLETE:
	case DIR_OUTCOME_BUSY:
	case DIR_OUTCOME_REFERRAL:
	case DIR_OUTCOME_BAD_CONNECTION:
	case DIR_OUTCOME_TIMEOUT:
	case DIR_OUTCOME_UNAVAILABLE:
	case DIR_OUTCOME_NO_MEMORY:
		break;
	}
	return false;
}
