/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_mark.h>

#include <base/ascii.h>
#include <directory/dir_sync.h>
#include <string.h>

/* Digits of the greatest USN, 2^63 - 1, and one to spare. */
#define USN_DIGITS 20

const char *const dir_mark_attributes[] = {"contextCSN", "highestCommittedUSN", "dsServiceName", NULL};

static const char usn_end[] = "#usn";

static bool read_number(const char *text, size_t length, uint64_t *number_out)
{
	uint64_t number = 0;

	if (length == 0 || length > USN_DIGITS)
		return false;
	for (size_t i = 0; i < length; i++) {
		unsigned digit = (unsigned)(text[i] - '0');

		if (!ascii_is_digit(text[i]) || number > (UINT64_MAX - digit) / 10)
			return false;
		number = number * 10 + digit;
	}
	*number_out = number;
	return true;
}

/* A DN may hold what parts the values of a mark. */
static void add_name(struct text *mark, const struct dir_value *name)
{
	for (size_t i = 0; i < name->length; i++) {
		char c = name->data[i];

		if (c == ' ' || c == '#' || c == '%' || c == '\0')
			text_printf(mark, "%%%02x", (unsigned)c);
		else
			text_add_char(mark, c);
	}
}

static enum status usn_mark(const struct dir_value *usn, const struct dir_value *name, struct text *mark)
{
	uint64_t number;

	if (name == NULL || name->length == 0 || !read_number(usn->data, usn->length, &number))
		return STATUS_INVALID;
	text_clear(mark);
	text_printf(mark, "%0*llu#0#", USN_DIGITS, (unsigned long long)number);
	add_name(mark, name);
	text_add(mark, usn_end);
	return text_failed(mark) ? STATUS_NO_MEMORY : STATUS_OK;
}

enum status dir_mark_of(const struct dir_entry *entry, struct text *mark)
{
	const struct dir_attribute *csn = dir_entry_attribute(entry, "contextCSN");
	const struct dir_value *usn = dir_entry_single(entry, "highestCommittedUSN");

	if (csn != NULL)
		return dir_sync_join_values(csn->values, csn->value_count, mark);
	if (usn != NULL)
		return usn_mark(usn, dir_entry_single(entry, "dsServiceName"), mark);
	return STATUS_NOT_FOUND;
}

bool dir_mark_usn(const char *mark, uint64_t *usn_out)
{
	size_t length = strlen(mark), end = sizeof(usn_end) - 1;

	return length > USN_DIGITS + end && mark[USN_DIGITS] == '#' && strchr(mark, ' ') == NULL &&
	       strcmp(mark + length - end, usn_end) == 0 && read_number(mark, USN_DIGITS, usn_out);
}

bool dir_mark_is_of_other(const char *one, const char *other)
{
	uint64_t usn;

	/* Behind its number a mark names the controller. */
	return dir_mark_usn(one, &usn) && dir_mark_usn(other, &usn) &&
	       strcmp(one + USN_DIGITS, other + USN_DIGITS) != 0;
}
