/* SPDX-License-Identifier: Apache-2.0 */
/* The take functions of config_reading.h. */
#include <base/memory.h>
#include <config/config_reading.h>
#include <config/config_value.h>
#include <identity/dn.h>
#include <identity/filter.h>
#include <identity/group_name.h>
#include <inttypes.h>
#include <os/file.h>
#include <string.h>

/* More words than this has no list of ours; more would not be shown in a hint. */
#define CHOICES_MAX 16

#define HOUR_MS     UINT64_C(3600000)

_Static_assert(sizeof(enum config_tls) == sizeof(int), "config_take_choice stores enums as int");

static const struct config_choice true_or_false[] = {
    {.word = "true", .value = 1}, {.word = "false", .value = 0}, {.word = NULL}};

static void *slot_of(const struct config_attribute *attribute, void *target)
{
	return (char *)target + attribute->offset;
}

static enum status refuse(struct config_reading *reading, const char *value, const char *form)
{
	struct config_shown shown;

	config_show(&shown, value, strlen(value));
	return error_set(reading->error, STATUS_INVALID, "'%s' is not %s", shown.text, form);
}

/* A name instead of a DN is what people write first; where it stops being a DN does not help them. */
static enum status refuse_dn(struct config_reading *reading, const char *value, enum status status)
{
	if (*value == '\0') {
		status = error_set(reading->error, STATUS_INVALID, "it is empty");
		return error_hint(reading->error, status,
				  "write the distinguished name: \"cn=WinRM Users,ou=Groups,dc=corp,dc=example\"");
	}
	if (status != STATUS_INVALID || strchr(value, '=') != NULL)
		return status;
	status = refuse(reading, value, "a distinguished name");
	return error_hint(reading->error, status, "write all of it: \"cn=WinRM Users,ou=Groups,dc=corp,dc=example\"");
}

static enum status keep_text(struct config_reading *reading, const char *value, const char **slot)
{
	const char *copy = arena_copy_text(reading->arena, value);

	if (copy == NULL)
		return config_no_room(reading);
	*slot = copy;
	return STATUS_OK;
}

static enum status check_range(struct config_reading *reading, const struct config_attribute *attribute,
			       const char *value, uint64_t number)
{
	struct config_shown shown;

	if (attribute->maximum == 0 || (number >= attribute->minimum && number <= attribute->maximum))
		return STATUS_OK;
	config_show(&shown, value, strlen(value));
	return error_set(reading->error, STATUS_INVALID, "'%s' is not from %" PRIu64 " to %" PRIu64, shown.text,
			 attribute->minimum, attribute->maximum);
}

static enum status check_duration(struct config_reading *reading, const struct config_attribute *attribute,
				  const char *value, uint64_t duration_ms)
{
	bool is_long = duration_ms > attribute->maximum;
	uint64_t bound_ms = is_long ? attribute->maximum : attribute->minimum;
	bool is_whole = bound_ms % 1000 == 0;
	struct config_shown shown;

	if (attribute->maximum == 0 || (!is_long && duration_ms >= attribute->minimum))
		return STATUS_OK;
	config_show(&shown, value, strlen(value));
	if (!is_long && bound_ms == 1)
		return error_set(reading->error, STATUS_INVALID, "'%s' is too short: it must be more than 0",
				 shown.text);
	return error_set(reading->error, STATUS_INVALID, "'%s' is too %s %" PRIu64 "%s", shown.text,
			 is_long ? "long: at most" : "short: at least", is_whole ? bound_ms / 1000 : bound_ms,
			 is_whole ? "s" : "ms");
}

enum status config_take_text(struct config_reading *reading, const struct config_attribute *attribute,
			     const char *value, void *target)
{
	if (*value == '\0')
		return error_set(reading->error, STATUS_INVALID, "it is empty");
	return keep_text(reading, value, slot_of(attribute, target));
}

enum status config_take_path(struct config_reading *reading, const struct config_attribute *attribute,
			     const char *value, void *target)
{
	char *path;
	enum status status;

	if (*value == '\0')
		return error_set(reading->error, STATUS_INVALID, "it is empty");
	path = file_path_beside(reading->path, value);
	if (path == NULL)
		return error_no_memory(reading->error);
	status = keep_text(reading, path, slot_of(attribute, target));
	memory_free(path);
	return status;
}

enum status config_take_dn(struct config_reading *reading, const struct config_attribute *attribute, const char *value,
			   void *target)
{
	enum status status = dn_check(value, reading->error);

	return status == STATUS_OK ? keep_text(reading, value, slot_of(attribute, target))
				   : refuse_dn(reading, value, status);
}

enum status config_take_group(struct config_reading *reading, const struct config_attribute *attribute,
			      const char *value, void *target)
{
	struct group_name name;
	enum status status = group_name_parse(value, &name, reading->error);

	if (status == STATUS_OK)
		return keep_text(reading, value, slot_of(attribute, target));
	/* What looks like one of the other forms has its own words. */
	return strchr(value, '\\') != NULL || strncmp(value + (*value != '\0'), "-1-", 3) == 0
		   ? status
		   : refuse_dn(reading, value, status);
}

enum status config_take_filter(struct config_reading *reading, const struct config_attribute *attribute,
			       const char *value, void *target)
{
	enum status status = filter_check(value, reading->error);

	return status == STATUS_OK ? keep_text(reading, value, slot_of(attribute, target)) : status;
}

enum status config_take_attribute_name(struct config_reading *reading, const struct config_attribute *attribute,
				       const char *value, void *target)
{
	if (!filter_is_attribute(value))
		return refuse(reading, value, "the name of an LDAP attribute");
	return keep_text(reading, value, slot_of(attribute, target));
}

static void refuse_word(struct config_reading *reading, const struct config_choice *choices, const char *word)
{
	const char *words[CHOICES_MAX];
	struct config_shown shown;
	size_t count = 0;
	enum status status;

	for (; count < COUNT_OF(words) && choices[count].word != NULL; count++)
		words[count] = choices[count].word;
	config_show(&shown, word, strlen(word));
	status = error_set(reading->error, STATUS_INVALID, "'%s' is none of its values", shown.text);
	config_hint_names(reading->error, status, word, words, count);
}

const struct config_choice *config_find_choice(struct config_reading *reading, const struct config_choice *choices,
					       const char *word)
{
	for (const struct config_choice *choice = choices; choice->word != NULL; choice++) {
		if (strcmp(choice->word, word) != 0)
			continue;
		if (choice->refused == NULL)
			return choice;
		error_hint(reading->error, error_set(reading->error, STATUS_INVALID, "%s", choice->refused), "%s",
			   choice->instead);
		return NULL;
	}
	refuse_word(reading, choices, word);
	return NULL;
}

enum status config_take_choice(struct config_reading *reading, const struct config_attribute *attribute,
			       const char *value, void *target)
{
	const struct config_choice *choice = config_find_choice(reading, attribute->choices, value);

	if (choice == NULL)
		return STATUS_INVALID;
	memcpy(slot_of(attribute, target), &choice->value, sizeof(choice->value));
	return STATUS_OK;
}

enum status config_take_flag(struct config_reading *reading, const struct config_attribute *attribute,
			     const char *value, void *target)
{
	const struct config_choice *choices = attribute->choices != NULL ? attribute->choices : true_or_false;
	const struct config_choice *choice = config_find_choice(reading, choices, value);
	bool *slot = slot_of(attribute, target);

	if (choice == NULL)
		return STATUS_INVALID;
	*slot = choice->value != 0;
	return STATUS_OK;
}

enum status config_take_number(struct config_reading *reading, const struct config_attribute *attribute,
			       const char *value, void *target)
{
	uint64_t *slot = slot_of(attribute, target);
	uint64_t number = 0;
	enum status status;

	if (!config_parse_number(value, UINT64_MAX, &number))
		return refuse(reading, value, "a whole number");
	status = check_range(reading, attribute, value, number);
	if (status == STATUS_OK)
		*slot = number;
	return status;
}

enum status config_take_number32(struct config_reading *reading, const struct config_attribute *attribute,
				 const char *value, void *target)
{
	struct config_attribute of_local = *attribute;
	uint32_t *slot = slot_of(attribute, target);
	uint64_t number = 0;
	enum status status;

	of_local.offset = 0;
	status = config_take_number(reading, &of_local, value, &number);
	if (status == STATUS_OK)
		*slot = (uint32_t)number;
	return status;
}

enum status config_take_duration(struct config_reading *reading, const struct config_attribute *attribute,
				 const char *value, void *target)
{
	uint64_t *slot = slot_of(attribute, target);
	uint64_t duration_ms = 0;
	enum status status;

	if (!config_parse_duration(value, &duration_ms)) {
		status = refuse(reading, value, "a duration");
		return error_hint(
		    reading->error, status,
		    "write a whole number and ms, s, m or h: \"3s\"; a day is \"24h\", and \"%uh\" the most",
		    (unsigned)(CONFIG_MAX_DURATION_MS / HOUR_MS));
	}
	status = check_duration(reading, attribute, value, duration_ms);
	if (status == STATUS_OK)
		*slot = duration_ms;
	return status;
}

enum status config_take_seconds(struct config_reading *reading, const struct config_attribute *attribute,
				const char *value, void *target)
{
	struct config_attribute of_local = *attribute;
	uint32_t *slot = slot_of(attribute, target);
	uint64_t duration_ms = 0;
	enum status status;

	of_local.offset = 0;
	status = config_take_duration(reading, &of_local, value, &duration_ms);
	if (status != STATUS_OK)
		return status;
	if (duration_ms % 1000 != 0)
		return refuse(reading, value, "a whole number of seconds");
	*slot = (uint32_t)(duration_ms / 1000);
	return STATUS_OK;
}

enum status config_take_size(struct config_reading *reading, const struct config_attribute *attribute,
			     const char *value, void *target)
{
	uint64_t *slot = slot_of(attribute, target);
	enum status status;

	if (config_parse_size(value, slot))
		return STATUS_OK;
	status = refuse(reading, value, "a size");
	return error_hint(reading->error, status, "write a whole number and B, KB, MB or GB: \"128MB\"");
}
