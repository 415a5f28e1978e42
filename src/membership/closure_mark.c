/* SPDX-License-Identifier: Apache-2.0 */
#include <membership/closure_mark.h>

#include <directory/dir_mark.h>
#include <directory/dir_psearch.h>
#include <membership/closure_csn.h>
#include <string.h>

static bool is_root_dse(const char *base)
{
	return base[0] == '\0';
}

const char *const *closure_mark_attributes(const char *base)
{
	/* Those of dir_mark_attributes that it may have, and dir_psearch_server_attributes. */
	static const char *const root_attributes[] = {"highestCommittedUSN", "dsServiceName", "netscapemdsuffix",
						      "dataversion", NULL};

	return is_root_dse(base) ? root_attributes : dir_mark_attributes;
}

static const char *server_of(const struct dir_search *search)
{
	const char *copy = NULL;
	struct text server;

	if (search->outcome != DIR_OUTCOME_OK)
		return NULL;
	text_init(&server);
	if (dir_psearch_server(search->entries, &server) == STATUS_OK)
		copy = arena_copy_text(search->arena, text_string(&server));
	text_done(&server);
	return copy;
}

const char *closure_mark_of(const struct dir_search *search)
{
	const char *mark = closure_csn_of(search);

	return mark == NULL && is_root_dse(search->base) ? server_of(search) : mark;
}

bool closure_mark_covers(const char *now, const char *before)
{
	if (dir_psearch_is_server(now) || dir_psearch_is_server(before))
		return strcmp(now, before) == 0;
	return closure_csn_covers(now, before);
}
