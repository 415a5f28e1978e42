/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_psearch.h>

#include <string.h>

#define SERVER_PREFIX "server:"

/* X.690 8.3: 64 bits. */
#define INTEGER_MAX_OCTETS 8

const char *const dir_psearch_server_attributes[] = {"netscapemdsuffix", "dataversion", NULL};

struct dir_span dir_psearch_request(void)
{
	/* PersistentSearch ::= SEQUENCE { changeTypes INTEGER, changesOnly BOOLEAN, returnECs BOOLEAN } */
	static const char value[] = {0x30, 0x09, 0x02, 0x01, 0x0f, 0x01, 0x01, '\xff', 0x01, 0x01, '\xff'};

	return (struct dir_span){value, sizeof(value)};
}

static bool take_change(struct dir_span *from, enum dir_psearch_change *change_out)
{
	struct dir_span content;

	if (!dir_ber_take(from, DIR_BER_ENUMERATED, &content) || content.length != 1)
		return false;
	switch (content.data[0]) {
	case DIR_PSEARCH_ADD:
	case DIR_PSEARCH_DELETE:
	case DIR_PSEARCH_MODIFY:
	case DIR_PSEARCH_RENAME:
		*change_out = (enum dir_psearch_change)content.data[0];
		return true;
	default:
		return false;
	}
}

/* Only of a rename: draft section 5. */
static bool take_previous_dn(struct dir_span *from, struct dir_psearch_notice *notice)
{
	return !dir_ber_is_next(*from, DIR_BER_OCTETS) ||
	       (notice->change == DIR_PSEARCH_RENAME && dir_ber_take(from, DIR_BER_OCTETS, &notice->previous_dn));
}

static bool take_change_number(struct dir_span *from, struct dir_psearch_notice *notice)
{
	return !dir_ber_is_next(*from, DIR_BER_INTEGER) ||
	       (dir_ber_take(from, DIR_BER_INTEGER, &notice->change_number) && notice->change_number.length > 0 &&
		notice->change_number.length <= INTEGER_MAX_OCTETS);
}

bool dir_psearch_decode_notice(const char *data, size_t length, struct dir_psearch_notice *notice_out)
{
	struct dir_psearch_notice notice = {.change = DIR_PSEARCH_MODIFY};
	struct dir_span content;

	if (!dir_ber_take_whole(data, length, DIR_BER_SEQUENCE, &content) || !take_change(&content, &notice.change) ||
	    !take_previous_dn(&content, &notice) || !take_change_number(&content, &notice) || content.length > 0)
		return false;
	*notice_out = notice;
	return true;
}

bool dir_psearch_is_server(const char *text)
{
	return strncmp(text, SERVER_PREFIX, sizeof(SERVER_PREFIX) - 1) == 0;
}

enum status dir_psearch_server(const struct dir_entry *dse, struct text *server)
{
	text_clear(server);
	text_add(server, SERVER_PREFIX);
	for (size_t i = 0; dir_psearch_server_attributes[i] != NULL; i++) {
		const struct dir_value *value =
		    dse == NULL ? NULL : dir_entry_single(dse, dir_psearch_server_attributes[i]);

		if (value == NULL || value->length == 0 || strlen(value->data) != value->length)
			return STATUS_NOT_FOUND;
		text_add(server, " ");
		text_add(server, value->data);
	}
	return text_failed(server) ? STATUS_NO_MEMORY : STATUS_OK;
}
