/* SPDX-License-Identifier: Apache-2.0 */
#include <base/ascii.h>
#include <base/sid.h>
#include <cli/report_names.h>
#include <string.h>

struct naming {
	const struct config_directory *directory;
	const struct dir_forest *forest;
	struct arena *arena;
	struct report_names *to;
	const char *token_sid;
	bool failed;
};

void report_names_attributes(const struct config_directory *directory, bool is_active_directory,
			     const char *attributes[REPORT_NAME_ATTRIBUTES])
{
	size_t count = 0;

	attributes[count++] = directory->user_name_attribute;
	if (directory->user_upn_attribute != NULL)
		attributes[count++] = directory->user_upn_attribute;
	if (is_active_directory)
		attributes[count++] = "objectSid";
	attributes[count] = NULL;
}

static bool is_listed(const struct config_directory *directory, const char *domain)
{
	for (size_t i = 0; i < directory->domain_count; i++)
		if (ascii_equal_nocase(directory->domains[i], domain))
			return true;
	return directory->domain_count == 0;
}

/* What stands before the backslash: the name that people know. */
static const char *domain_of(const struct config *config, const struct config_directory *directory,
			     const struct dir_forest *forest)
{
	if (forest != NULL && is_listed(directory, forest->home->netbios_name))
		return forest->home->netbios_name;
	if (config->default_domain != NULL && directory->domain_count > 0 &&
	    is_listed(directory, config->default_domain))
		return config->default_domain;
	return directory->domain_count > 0 ? directory->domains[0] : NULL;
}

/* What may stand behind the '@'. NULL: none looks like it. */
static const char *suffix_of(const struct config_directory *directory, const struct dir_forest *forest)
{
	for (size_t i = 0; i < directory->domain_count; i++)
		if (strchr(directory->domains[i], '.') != NULL)
			return directory->domains[i];
	return forest != NULL && directory->domain_count == 0 ? forest->home->dns_name : NULL;
}

static char *append(char *at, const char *data, size_t length)
{
	memcpy(at, data, length);
	return at + length;
}

/* A value may hold any byte. */
static void add(struct naming *naming, const char *before, const char *mark, const struct dir_value *value,
		const char *after)
{
	const size_t length = strlen(before) + strlen(mark) + value->length + strlen(after);
	struct report_names *to = naming->to;
	char *name, *at;

	if (naming->failed || to->count == REPORT_MAX_NAMES)
		return;
	name = at = arena_alloc(naming->arena, length + 1);
	if (name == NULL) {
		naming->failed = true;
		return;
	}
	at = append(at, before, strlen(before));
	at = append(at, mark, strlen(mark));
	at = append(at, value->data, value->length);
	(void)append(at, after, strlen(after));
	to->names[to->count++] = (struct report_name){.sender = name, .length = length, .token_sid = naming->token_sid};
}

static void add_suffixed(struct naming *naming, const struct dir_value *value, const char *suffix)
{
	const char *end = suffix == NULL ? NULL : arena_printf(naming->arena, "@%s", suffix);

	if (suffix != NULL && end == NULL)
		naming->failed = true;
	else if (end != NULL)
		add(naming, "", "", value, end);
}

static void add_names(struct naming *naming, const struct config *config, const struct dir_attribute *names)
{
	const char *domain = domain_of(config, naming->directory, naming->forest);
	const char *suffix = suffix_of(naming->directory, naming->forest);

	for (size_t i = 0; names != NULL && i < names->value_count; i++) {
		if (domain != NULL)
			add(naming, domain, "\\", &names->values[i], "");
		if (config->default_domain != NULL)
			add(naming, "", "", &names->values[i], "");
		add_suffixed(naming, &names->values[i], suffix);
	}
}

/* False: it stands for many, or for nobody. */
static bool add_sid(struct naming *naming, const struct sid *sid)
{
	const struct dir_value text = {naming->token_sid, strlen(naming->token_sid)};

	if (!dir_forest_is_account_sid(sid))
		return false;
	add(naming, "", "", &text, "");
	if (naming->to->count > 0)
		naming->to->names[0].is_sid = true;
	return true;
}

static bool read_sid(struct naming *naming, const struct dir_entry *user, struct sid *sid)
{
	const struct dir_value *value = naming->forest == NULL ? NULL : dir_entry_single(user, "objectSid");
	char text[SID_TEXT_BYTES];

	if (value == NULL || !sid_parse_binary((const uint8_t *)value->data, value->length, sid))
		return false;
	sid_format(sid, text);
	naming->token_sid = arena_copy_text(naming->arena, text);
	naming->failed = naming->token_sid == NULL;
	return !naming->failed;
}

enum status report_names_of(const struct config *config, const struct config_directory *directory,
			    const struct dir_forest *forest, const struct dir_entry *user, struct arena *arena,
			    struct report_names *names_out)
{
	struct naming naming = {.directory = directory, .forest = forest, .arena = arena, .to = names_out};
	const struct dir_attribute *names = dir_entry_attribute(user, directory->user_name_attribute);
	const struct dir_attribute *upns =
	    directory->user_upn_attribute == NULL ? NULL : dir_entry_attribute(user, directory->user_upn_attribute);
	struct sid sid;
	const bool has_sid = read_sid(&naming, user, &sid);
	const bool is_nameless = names == NULL || names->value_count == 0;

	*names_out = (struct report_names){.count = 0};
	if (has_sid && is_nameless)
		names_out->is_no_user = !add_sid(&naming, &sid);
	if (directory->identity != CONFIG_IDENTITY_TOKEN)
		naming.token_sid = NULL;
	add_names(&naming, config, names);
	for (size_t i = 0; upns != NULL && i < upns->value_count; i++)
		add(&naming, "", "", &upns->values[i], "");
	/* Whoever is known by his token is found by it, whatever he is called. */
	if (naming.token_sid != NULL && names_out->count > 1)
		names_out->count = 1;
	return naming.failed ? STATUS_NO_MEMORY : STATUS_OK;
}
