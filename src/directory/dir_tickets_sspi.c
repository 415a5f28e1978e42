/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Windows gets and renews the tickets of the account that the process runs as; a bind by the mechanism "negotiate" uses them. When a
 * ticket ends, the domain controller ends the connection, and the next one is made with a new ticket: nothing says when in advance.
 */
#include <directory/dir_tickets.h>

#include <stddef.h>

bool dir_tickets_are_wanted(const struct config_directory *directory)
{
	(void)directory;
	return false;
}

enum status dir_tickets_get(const struct config_directory *directory, const char *host,
			    struct dir_tickets **tickets_out, struct error *error)
{
	(void)directory;
	(void)host;
	(void)tickets_out;
	return error_set(error, STATUS_INTERNAL, "tickets are the system's affair");
}

void *dir_tickets_credential(const struct dir_tickets *tickets)
{
	(void)tickets;
	return NULL;
}

uint64_t dir_tickets_end_ms(const struct dir_tickets *tickets)
{
	(void)tickets;
	return UINT64_MAX;
}

void dir_tickets_free(struct dir_tickets **tickets)
{
	*tickets = NULL;
}
