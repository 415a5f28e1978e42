/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <cli/explain_names.h>
#include <cli/shown.h>
#include <string.h>

/* Two of some hundred, once: each with each. */
static bool is_unique(const struct wa_explanation *explanation, size_t group)
{
	const char *dn = explanation->groups[group].dn;
	const size_t length = shown_first_part(dn);

	for (size_t i = 0; i < explanation->group_count; i++) {
		const char *other = explanation->groups[i].dn;

		if (i != group && shown_first_part(other) == length && memcmp(other, dn, length) == 0)
			return false;
	}
	return true;
}

bool explain_names_init(struct explain_names *names, const struct wa_explanation *explanation)
{
	names->explanation = explanation;
	names->lengths = memory_new_array(explanation->group_count + 1, sizeof(*names->lengths));
	if (names->lengths == NULL)
		return false;
	for (size_t i = 0; i < explanation->group_count; i++) {
		const char *dn = explanation->groups[i].dn;

		names->lengths[i] = is_unique(explanation, i) ? shown_first_part(dn) : strlen(dn);
	}
	return true;
}

void explain_names_done(struct explain_names *names)
{
	memory_free(names->lengths);
	names->lengths = NULL;
}

void explain_names_add(const struct explain_names *names, uint32_t group, struct text *out)
{
	shown_add(out, names->explanation->groups[group].dn, names->lengths[group]);
}

void explain_names_add_configured(const struct explain_names *names, uint32_t group, const char *dn, struct text *out)
{
	if (group < names->explanation->group_count)
		explain_names_add(names, group, out);
	else
		shown_add(out, dn, shown_first_part(dn));
}

bool explain_is_configured(const struct wa_explanation *explanation, uint32_t group)
{
	for (size_t i = 0; i < explanation->rule_count; i++)
		if (explanation->rules[i].group == group)
			return true;
	for (size_t i = 0; i < explanation->redirect.site_count; i++)
		if (explanation->redirect.sites[i].group == group)
			return true;
	return false;
}

const char *explain_rule_dn(const struct wa_explained_rule *rule)
{
	const char *blank = strchr(rule->label, ' ');

	return blank == NULL ? rule->label : blank + 1;
}
