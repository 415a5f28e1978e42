/* SPDX-License-Identifier: Apache-2.0 */
/* What only a domain controller has: functional levels, the forest's domains, trusts. */
#include <cli/doctor_check.h>
#include <directory/dir_adapt.h>
#include <membership/lookup_tokens.h>

/* MS-ADTS 6.1.4 */
static const char *level_word(int level)
{
	static const char *const words[] = {"2000",    "2003 interim", "2003",    "2008",
					    "2008 R2", "2012",         "2012 R2", "2016"};

	if (level == DIR_FACTS_NO_LEVEL)
		return "not told";
	return level >= 0 && (size_t)level < COUNT_OF(words) ? words[level] : "newer than 2016";
}

bool doctor_is_active_directory(const struct doctor *doctor)
{
	return dir_kind_is_active_directory(doctor->facts.kind);
}

void doctor_forest_levels(struct doctor *doctor)
{
	const struct dir_facts *facts = &doctor->facts;

	doctor_tell(doctor, DOCTOR_OK, doctor->server->uri, NULL,
		    "domain: Windows Server %s (%d), forest: %s (%d), this controller: %s (%d)%s",
		    level_word(facts->domain_functionality), facts->domain_functionality,
		    level_word(facts->forest_functionality), facts->forest_functionality,
		    level_word(facts->dc_functionality), facts->dc_functionality,
		    facts->is_read_only ? "; it is read-only" : "");
}

static bool ask_forest(struct doctor *doctor, struct dir_search searches[DIR_FOREST_SEARCHES], struct error *error)
{
	if (dir_forest_ask(&doctor->facts, doctor->arena, searches, error) != STATUS_OK)
		return false;
	for (size_t i = 0; i < DIR_FOREST_SEARCHES; i++)
		(void)doctor_ask(doctor, &searches[i], 1); /* what came of it dir_forest_take looks at */
	return dir_forest_take(&doctor->facts, doctor->directory->base, searches, &doctor->forest, error) == STATUS_OK;
}

static bool read_forest(struct doctor *doctor)
{
	struct dir_search searches[DIR_FOREST_SEARCHES];
	struct error error = {.status = STATUS_OK};
	size_t count = 0;
	bool is_read = false;

	while (count < DIR_FOREST_SEARCHES && dir_search_init(&searches[count], &error) == STATUS_OK)
		count++;
	if (count == DIR_FOREST_SEARCHES)
		is_read = ask_forest(doctor, searches, &error);
	while (count > 0)
		dir_search_done(&searches[--count]);
	if (!is_read)
		doctor_tell_error(doctor, DOCTOR_ERROR, NULL, &error,
				  "let the account read CN=Partitions of the configuration, and the domain's head");
	return is_read;
}

static void tell_domain(struct doctor *doctor, const struct dir_domain *domain)
{
	const struct dir_forest *forest = doctor->forest;
	const char *role = "of the forest too: its users are not looked for";
	char sid[SID_TEXT_BYTES] = "";

	sid_format(&domain->sid, sid);
	if (domain == forest->home)
		role = lookup_needs_tokens(forest)
			   ? "users are looked for in it; groups of other domains are seen by tokenGroups"
			   : "users are looked for in it, and no other domain's groups can hold them";
	doctor_tell(doctor, DOCTOR_OK, domain->netbios_name, NULL, "%s, %s; %s", domain->dns_name,
		    domain->has_sid ? sid : "no SID shown", role);
}

static void tell_trust(struct doctor *doctor, const struct dir_trust *trust)
{
	const char *name = trust->dns_name != NULL ? trust->dns_name : trust->netbios_name;
	char sid[SID_TEXT_BYTES] = "";

	sid_format(&trust->sid, sid);
	doctor_tell(doctor, DOCTOR_OK, name != NULL ? name : "?", NULL, "a trust%s%s%s: its users %s",
		    trust->is_within_forest ? " within the forest"
		    : trust->is_forest_wide ? " of two forests"
					    : "",
		    trust->has_sid ? ", " : "", sid,
		    trust->is_trusted ? "may come here" : "may not come here (the trust goes the other way only)");
}

void doctor_forest_domains(struct doctor *doctor)
{
	if (!read_forest(doctor))
		return;
	for (size_t i = 0; i < doctor->forest->domain_count; i++)
		tell_domain(doctor, &doctor->forest->domains[i]);
}

bool doctor_has_forest(const struct doctor *doctor)
{
	return doctor->forest != NULL;
}

void doctor_forest_trusts(struct doctor *doctor)
{
	const struct dir_forest *forest = doctor->forest;

	for (size_t i = 0; i < forest->trust_count; i++)
		tell_trust(doctor, &forest->trusts[i]);
	if (forest->trusts_unknown)
		doctor_tell(doctor, DOCTOR_WARNING, NULL, "let the account read the trustedDomain objects of CN=System",
			    "trusts cannot be read, so there may be some: users' tokenGroups are read as well");
	else if (forest->trust_count == 0)
		doctor_tell(doctor, DOCTOR_OK, NULL, NULL, "the domain trusts nobody else");
}

void doctor_forest_adapt(struct doctor *doctor)
{
	dir_adapt(&doctor->config->directories[0], true, &doctor->adapted);
	if (doctor->adapted.user_filter[0] == '\0')
		doctor->adapted.user_filter = "(&(objectCategory=person)(objectClass=user))";
	doctor->directory = &doctor->adapted;
}
