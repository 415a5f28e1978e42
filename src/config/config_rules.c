/* SPDX-License-Identifier: Apache-2.0 */
/* <deny> and <allow>: which groups decide. */
#include <base/ascii.h>
#include <base/text.h>
#include <config/config_elements.h>
#include <config/config_value.h>
#include <identity/dn.h>
#include <string.h>

static void *open_rule(struct config_reading *reading, enum config_effect effect)
{
	struct config_rule *rule = &reading->rule;

	memset(rule, 0, sizeof(*rule));
	rule->line = xml_reader_line(reading->xml);
	rule->effect = effect;
	rule->max_shells = rule->max_operations = rule->max_operations_per_timeslot = CONFIG_UNLIMITED;
	return rule;
}

static enum status open_deny(struct config_reading *reading, void *parent, void **target_out)
{
	(void)parent;
	*target_out = open_rule(reading, CONFIG_DENY);
	return STATUS_OK;
}

static enum status open_allow(struct config_reading *reading, void *parent, void **target_out)
{
	(void)parent;
	*target_out = open_rule(reading, CONFIG_ALLOW);
	return STATUS_OK;
}

/* A second rule for a group either says nothing new or can never be used; both are mistakes. */
static enum status refuse_second(struct config_reading *reading, const struct config_rule *rule,
				 const struct config_rule *first)
{
	enum status status;

	if (rule->effect == first->effect)
		return config_fail(reading, STATUS_INVALID, rule->line, "the rule in line %u is for the same group",
				   first->line);
	status = config_fail(reading, STATUS_INVALID, rule->line,
			     "line %u says the opposite of the same group, and deny always wins", first->line);
	return error_hint(reading->error, status, "remove one of the two");
}

static enum status check_timeslot(struct config_reading *reading, const struct config_rule *rule)
{
	bool has_slot = rule->timeslot_s != 0;
	bool has_operations = rule->max_operations_per_timeslot != CONFIG_UNLIMITED;

	if (has_slot == has_operations)
		return STATUS_OK;
	return config_fail(reading, STATUS_INVALID, rule->line, "<allow> has the attribute '%s' but not '%s'",
			   has_slot ? "timeslot" : "max-operations-per-timeslot",
			   has_slot ? "max-operations-per-timeslot" : "timeslot");
}

static enum status add_rule(struct config_reading *reading, const struct config_rule *rule, const char *key)
{
	struct config *config = reading->config;
	struct config_rule *rules = config_room(reading, config->rules, config->rule_count, sizeof(*rules));
	const char **keys = config_room(reading, reading->rule_keys, config->rule_count, sizeof(*keys));

	if (rules == NULL || keys == NULL)
		return config_no_room(reading);
	rules[config->rule_count] = *rule;
	keys[config->rule_count] = key;
	config->rules = rules;
	reading->rule_keys = keys;
	config->rule_count++;
	return STATUS_OK;
}

static enum status close_rule(struct config_reading *reading, void *target, unsigned line)
{
	const struct config *config = reading->config;
	struct config_rule *rule = target;
	const char *key = config_group_key(reading, rule->group);
	enum status status = check_timeslot(reading, rule);

	if (status != STATUS_OK)
		return status;
	if (config->rule_count == CONFIG_MAX_RULES)
		return config_fail(reading, STATUS_LIMIT, line, "there are more than %d rules", CONFIG_MAX_RULES);
	rule->label =
	    arena_printf(reading->arena, "%s %s", rule->effect == CONFIG_ALLOW ? "allow" : "deny", rule->group);
	if (key == NULL || rule->label == NULL)
		return config_no_room(reading);
	for (size_t i = 0; i < config->rule_count; i++)
		if (strcmp(reading->rule_keys[i], key) == 0)
			return refuse_second(reading, rule, &config->rules[i]);
	return add_rule(reading, rule, key);
}

const char *config_group_key(struct config_reading *reading, const char *group)
{
	struct text key;
	char *copy = NULL;

	text_init(&key);
	if (dn_classify(group, strlen(group), &key) != DN_PLAIN) {
		text_clear(&key);
		for (const char *at = group; *at != '\0'; at++)
			text_add_char(&key, ascii_lower(*at));
	}
	if (!text_failed(&key))
		copy = arena_copy_text(reading->arena, text_string(&key));
	text_done(&key);
	return copy;
}

/* The tables. Everything goes into a struct config_rule. */

#define IN_RULE(member) offsetof(struct config_rule, member)
/* One less than CONFIG_UNLIMITED, which is not a number that a policy gives. */
#define MAX_QUOTA (CONFIG_UNLIMITED - 1)

static const struct config_choice if_missing_words[] = {
    {.word = "fail", .value = 0}, {.word = "ignore", .value = 1}, {.word = NULL}};

static const struct config_attribute deny_attributes[] = {
    {.name = "group", .required = true, .take = config_take_group, .offset = IN_RULE(group)},
    {.name = "if-missing", .take = config_take_flag, .offset = IN_RULE(ignore_if_missing), .choices = if_missing_words},
};

const struct config_element config_deny_element = {
    .name = "deny",
    .attributes = deny_attributes,
    .attribute_count = COUNT_OF(deny_attributes),
    .open = open_deny,
    .close = close_rule,
};

static const struct config_attribute allow_attributes[] = {
    {.name = "group", .required = true, .take = config_take_group, .offset = IN_RULE(group)},
    {.name = "max-shells", .take = config_take_number32, .offset = IN_RULE(max_shells), .maximum = MAX_QUOTA},
    {.name = "max-operations", .take = config_take_number32, .offset = IN_RULE(max_operations), .maximum = MAX_QUOTA},
    {.name = "administrator", .take = config_take_flag, .offset = IN_RULE(administrator)},
    {.name = "fresh", .take = config_take_flag, .offset = IN_RULE(fresh)},
    {.name = "timeslot",
     .take = config_take_seconds,
     .offset = IN_RULE(timeslot_s),
     .minimum = 1000,
     .maximum = CONFIG_MAX_DURATION_MS},
    {.name = "max-operations-per-timeslot",
     .take = config_take_number32,
     .offset = IN_RULE(max_operations_per_timeslot),
     .maximum = MAX_QUOTA},
};

const struct config_element config_allow_element = {
    .name = "allow",
    .attributes = allow_attributes,
    .attribute_count = COUNT_OF(allow_attributes),
    .open = open_allow,
    .close = close_rule,
};
