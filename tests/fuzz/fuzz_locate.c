/* SPDX-License-Identifier: Apache-2.0 */
/* What comes by UDP from anybody: DNS answers, and controllers' answers to a ping. What is read of them can be part of a URI and of a DNS name. */
#include "fuzz.h"

#include <directory/dir_cldap.h>
#include <directory/dir_locate_srv.h>
#include <string.h>

static void check_site(const char *site)
{
	if (site[0] != '\0' && !dir_dns_is_label(site))
		abort();
}

static void check_answer(const struct dir_cldap_answer *answer)
{
	check_site(answer->server_site);
	check_site(answer->client_site);
	check_site(answer->next_closest);
}

static void read_srv(const uint8_t *data, size_t size)
{
	struct dir_srv_list list = {.count = 0};

	(void)!dir_srv_parse(data, size, &list);
	for (size_t i = 0; i < list.count; i++)
		if (!dir_dns_is_host(list.records[i].target) || list.records[i].port == 0)
			abort();
	dir_srv_list_done(&list);
}

void fuzz_one(const uint8_t *data, size_t size)
{
	struct dir_cldap_answer answer = {0};

	if (size == 0)
		return;
	switch (data[0] % 3) {
	case 0:
		read_srv(data + 1, size - 1);
		break;
	case 1:
		if (dir_cldap_read_netlogon(data + 1, size - 1, &answer))
			check_answer(&answer);
		break;
	default:
		if (dir_cldap_read(data + 1, size - 1, 1, "a", &answer))
			check_answer(&answer);
		break;
	}
}
