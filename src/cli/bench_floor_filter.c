/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <base/text.h>
#include <cli/bench_floor_filter.h>
#include <identity/filter.h>
#include <identity/sender.h>
#include <string.h>

#define NAME_MAX_BYTES ((size_t)64 * 1024)

static void add_identity(const struct config_directory *directory, const struct sender *sender, struct text *filter)
{
	uint8_t sid[SID_BINARY_BYTES];

	if (sender->form == SENDER_SID) {
		filter_add_equality(filter, "objectSid", sid, sid_encode(&sender->sid, sid));
		return;
	}
	if (sender->form != SENDER_UPN || directory->user_upn_attribute == NULL) {
		filter_add_equality(filter, directory->user_name_attribute, sender->user, strlen(sender->user));
		return;
	}
	text_add(filter, "(|");
	filter_add_equality(filter, directory->user_upn_attribute, sender->name, strlen(sender->name));
	filter_add_equality(filter, directory->user_name_attribute, sender->user, strlen(sender->user));
	text_add(filter, ")");
}

enum status floor_filter(const struct config *config, const char *name, size_t length, char **filter_out,
			 struct error *error)
{
	struct arena *arena = arena_new(NAME_MAX_BYTES);
	struct sender sender;
	struct text filter;
	enum status status;

	if (arena == NULL)
		return error_no_memory(error);
	status = sender_parse(name, length, arena, &sender, error);
	if (status != STATUS_OK) {
		arena_free(&arena);
		return status == STATUS_NO_MEMORY ? status : STATUS_INVALID;
	}
	text_init(&filter);
	text_add(&filter, "(&");
	text_add(&filter, config->directories[0].user_filter);
	add_identity(&config->directories[0], &sender, &filter);
	text_add(&filter, ")");
	arena_free(&arena);
	*filter_out = text_take(&filter);
	return *filter_out != NULL ? STATUS_OK : error_no_memory(error);
}

enum status floor_attributes(const struct config *config, const char ***attributes_out, struct error *error)
{
	const struct config_directory *directory = &config->directories[0];
	const char *const candidates[] = {
	    /* the account's state */
	    "pwdPolicySubentry", "pwdAccountLockedTime", "pwdStartTime", "pwdEndTime", "pwdReset", "nsAccountLock",
	    "passwordExpirationTime", "shadowExpire", "shadowLastChange", "shadowMax",
	    /* the user's id, and the names by which he is told from look-alikes */
	    "entryUUID", "nsUniqueId", "objectSid", directory->user_name_attribute, directory->user_upn_attribute,
	    config->redirect.attribute, "uid", directory->strategy == CONFIG_STRATEGY_MEMBEROF ? "memberOf" : NULL};
	const char **attributes = memory_new_array(COUNT_OF(candidates) + 1, sizeof(*attributes));
	size_t count = 0;

	if (attributes == NULL)
		return error_no_memory(error);
	for (size_t i = 0; i < COUNT_OF(candidates); i++)
		if (candidates[i] != NULL)
			attributes[count++] = candidates[i];
	*attributes_out = attributes;
	return STATUS_OK;
}
