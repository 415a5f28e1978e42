/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_conn.h>

#include <base/ascii.h>

/* MS-ADTS 3.1.1.3.2; AD LDS has it too. No other server does. */
static const char is_synchronized[] = "isSynchronized";

/* A value that is neither TRUE nor FALSE is no proof of anything. */
static bool is_whole(const struct dir_entry *root_dse)
{
	const struct dir_attribute *attribute = dir_entry_attribute(root_dse, is_synchronized);
	const struct dir_value *value = dir_entry_single(root_dse, is_synchronized);

	return attribute == NULL || attribute->value_count == 0 ||
	       (value != NULL && ascii_equal_nocase_n(value->data, value->length, "TRUE", 4));
}

/* Who does not show the entry, or forbids the question, is no domain controller, which shows it to everybody (MS-ADTS 3.1.1.3.2). */
static bool may_be_silent(enum dir_outcome outcome)
{
	return outcome == DIR_OUTCOME_NO_SUCH_OBJECT || outcome == DIR_OUTCOME_NOT_PERMITTED ||
	       outcome == DIR_OUTCOME_REFERRAL || outcome == DIR_OUTCOME_REFUSED;
}

static enum status take(const struct dir_search *search, bool *is_synchronized_out, struct error *error)
{
	enum status status;

	if (search->outcome == DIR_OUTCOME_OK) {
		*is_synchronized_out = search->entries == NULL || is_whole(search->entries);
		return STATUS_OK;
	}
	if (may_be_silent(search->outcome)) {
		*is_synchronized_out = true;
		return STATUS_OK;
	}
	status = dir_search_failure(search, error);
	return status == STATUS_TIMEOUT || status == STATUS_NO_MEMORY
		   ? status
		   : error_set(error, STATUS_UNREACHABLE, "the server's root DSE cannot be read: %s (%d)",
			       dir_outcome_word(search->outcome), search->code);
}

enum status dir_conn_ping(struct dir_conn *conn, uint64_t deadline_ms, bool *is_synchronized_out, struct error *error)
{
	static const char *const attributes[] = {is_synchronized, NULL};
	struct dir_search search;
	struct dir_turn turn = {.search = &search, .deadline_ms = deadline_ms};
	enum status status = dir_search_init(&search, error);

	if (status != STATUS_OK)
		return status;
	search.base = "";
	search.scope = DIR_SCOPE_BASE;
	search.filter = "(objectClass=*)";
	search.attributes = attributes;
	status = dir_conn_exchange(conn, &turn, 1, error);
	if (status == STATUS_OK)
		status = take(&search, is_synchronized_out, error);
	dir_search_done(&search);
	return status;
}
