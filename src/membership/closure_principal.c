/* SPDX-License-Identifier: Apache-2.0 */
#include <membership/closure_principal.h>

#include <base/sid.h>
#include <directory/dir_forest.h>
#include <string.h>

#define WORLD_AUTHORITY 1
#define NT_AUTHORITY    5

const char closure_principal_filter[] = "(&(objectClass=foreignSecurityPrincipal)(memberOf=*))";

bool closure_principal_is(const struct dir_entry *entry)
{
	return dir_entry_has_class(entry, "foreignSecurityPrincipal");
}

static unsigned holding_of_nt(uint32_t number)
{
	switch (number) {
	case 2:  /* NETWORK */
	case 11: /* Authenticated Users */
	case 15: /* This Organization */
		return CLOSURE_HOLDS_EVERYBODY;
	case 7:  /* ANONYMOUS */
	case 10: /* SELF, which means nobody in a group */
	case 17: /* IUSR */
	case 18: /* SYSTEM */
	case 19: /* LOCAL SERVICE */
	case 20: /* NETWORK SERVICE */
		return 0;
	default:
		return CLOSURE_HOLDS_UNTOLD;
	}
}

unsigned closure_principal_holding(const struct dir_entry *entry)
{
	struct sid sid;

	if (entry->id == NULL || !sid_parse_text(entry->id, strlen(entry->id), &sid))
		return CLOSURE_HOLDS_UNTOLD | CLOSURE_HOLDS_FOREIGN;
	if (sid.authority == WORLD_AUTHORITY)
		return CLOSURE_HOLDS_EVERYBODY;
	if (sid.authority == NT_AUTHORITY && sid.sub_count == 1)
		return holding_of_nt(sid.sub[0]);
	/* S-1-5-21-0-0-0-x are no accounts: how somebody has logged on (MS-DTYP 2.4.2.4). */
	if (dir_forest_is_account_sid(&sid) && (sid.sub[1] | sid.sub[2] | sid.sub[3]) != 0)
		return CLOSURE_HOLDS_FOREIGN;
	return CLOSURE_HOLDS_UNTOLD;
}
