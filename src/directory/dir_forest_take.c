/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_forest_private.h>

#include <base/ascii.h>
#include <identity/extended_dn.h>
#include <stdint.h>
#include <string.h>

/* MS-ADTS 2.2.10: FLAG_CR_NTDS_NC and FLAG_CR_NTDS_DOMAIN */
#define NTDS_DOMAIN 0x3U
/* MS-ADTS 6.1.6.7.12: TRUST_DIRECTION_OUTBOUND */
#define OUTBOUND 0x2U
/* MS-ADTS 6.1.6.7.9 */
#define FOREST_TRANSITIVE   0x8U
#define WITHIN_FOREST       0x20U

#define FILETIME_PER_SECOND 10000000

/* A taking under way: the first failure sticks. */
struct taking {
	struct dir_forest *forest;
	struct arena *arena;
	struct dir_domain *domains;
	const char **suffixes;
	struct dir_trust *trusts;
	struct error *error;
	enum status status;
};

static void fail(struct taking *taking, const struct dir_entry *entry, const char *why)
{
	if (taking->status == STATUS_OK)
		taking->status = error_set(taking->error, STATUS_INVALID, "'%.200s' %s", entry->dn, why);
}

static void run_out(struct taking *taking)
{
	if (taking->status == STATUS_OK)
		taking->status = arena_hit_limit(taking->arena)
				     ? error_set(taking->error, STATUS_LIMIT, "the forest is too large")
				     : error_no_memory(taking->error);
}

static void *room(struct taking *taking, size_t count, size_t size)
{
	void *array = arena_alloc_array(taking->arena, count + 1, size);

	if (array == NULL)
		run_out(taking);
	return array;
}

/* Its only value as a text; NULL: there is none (or, told, one that is no text). */
static const char *text_of(struct taking *taking, const struct dir_entry *entry, const char *name)
{
	const struct dir_value *value = dir_entry_single(entry, name);
	const char *text;

	if (value == NULL)
		return NULL;
	if (value->length == 0 || memchr(value->data, '\0', value->length) != NULL) {
		fail(taking, entry, "has a name that is empty or holds a NUL");
		return NULL;
	}
	text = arena_copy_bytes(taking->arena, value->data, value->length);
	if (text == NULL)
		run_out(taking);
	return text;
}

/* False: absent, or no number. */
static bool number_of(const struct dir_entry *entry, const char *name, int64_t *number_out)
{
	bool there;

	return dir_entry_number(entry, name, &there, number_out) && there;
}

/* A crossRef of a domain that exists; one that is not enabled only keeps its name free. */
static bool is_domain(const struct dir_entry *entry)
{
	const struct dir_value *enabled = dir_entry_single(entry, "enabled");
	int64_t flags = 0;

	return dir_entry_has_class(entry, "crossRef") && number_of(entry, "systemFlags", &flags) &&
	       ((uint64_t)flags & NTDS_DOMAIN) == NTDS_DOMAIN &&
	       (enabled == NULL || !ascii_equal_nocase(enabled->data, "FALSE"));
}

static void take_context(struct taking *taking, const struct dir_entry *entry, struct dir_domain *domain)
{
	const struct dir_value *name = dir_entry_single(entry, "nCName");
	struct extended_dn extended;

	if (name == NULL || memchr(name->data, '\0', name->length) != NULL ||
	    !extended_dn_parse(name->data, name->length, &extended)) {
		fail(taking, entry, "has no nCName that can be read");
		return;
	}
	domain->naming_context = arena_copy_bytes(taking->arena, extended.dn, extended.dn_length);
	if (domain->naming_context == NULL)
		run_out(taking);
	domain->has_sid = extended.has_sid;
	domain->sid = extended.sid;
}

static void take_domain(struct taking *taking, const struct dir_entry *entry)
{
	struct dir_domain *domain = &taking->domains[taking->forest->domain_count++];

	take_context(taking, entry, domain);
	domain->dns_name = text_of(taking, entry, "dnsRoot");
	domain->netbios_name = text_of(taking, entry, "nETBIOSName");
	if (domain->dns_name == NULL || domain->netbios_name == NULL)
		fail(taking, entry, "does not tell the domain's DNS name and NetBIOS name");
}

static void take_suffixes(struct taking *taking, const struct dir_entry *entry)
{
	const struct dir_attribute *suffixes = dir_entry_attribute(entry, "uPNSuffixes");

	if (suffixes == NULL || suffixes->value_count == 0 || taking->suffixes != NULL)
		return;
	if (suffixes->value_count > DIR_FOREST_MAX_SUFFIXES) {
		taking->status = error_set(taking->error, STATUS_LIMIT, "the forest has more than %d UPN suffixes",
					   DIR_FOREST_MAX_SUFFIXES);
		return;
	}
	taking->suffixes = room(taking, suffixes->value_count, sizeof(*taking->suffixes));
	for (size_t i = 0; taking->status == STATUS_OK && i < suffixes->value_count; i++) {
		const struct dir_value *value = &suffixes->values[i];

		taking->suffixes[i] = arena_copy_bytes(taking->arena, value->data, value->length);
		if (taking->suffixes[i] == NULL)
			run_out(taking);
		taking->forest->upn_suffix_count++;
	}
}

static size_t count_domains(const struct dir_search *partitions)
{
	size_t count = 0;

	for (const struct dir_entry *entry = partitions->entries; entry != NULL; entry = entry->next)
		count += is_domain(entry) ? 1 : 0;
	return count;
}

static void take_partitions(struct taking *taking, const struct dir_search *partitions)
{
	size_t count = count_domains(partitions);

	if (count == 0 || count > DIR_FOREST_MAX_DOMAINS) {
		taking->status =
		    count == 0 ? error_set(taking->error, STATUS_INVALID, "'%.200s' shows no domain", partitions->base)
			       : error_set(taking->error, STATUS_LIMIT, "the forest has %zu domains, more than %d",
					   count, DIR_FOREST_MAX_DOMAINS);
		(void)error_hint(
		    taking->error, taking->status,
		    "the bound account must be able to read CN=Partitions; authenticated users may, by default");
		return;
	}
	taking->domains = room(taking, count, sizeof(*taking->domains));
	for (const struct dir_entry *entry = partitions->entries; taking->status == STATUS_OK && entry != NULL;
	     entry = entry->next) {
		if (is_domain(entry))
			take_domain(taking, entry);
		else if (dir_entry_has_class(entry, "crossRefContainer"))
			take_suffixes(taking, entry);
	}
}

/* Who gave two domains one name, or one SID, has to be asked which is meant. */
static void check_unique(struct taking *taking)
{
	const struct dir_domain *domains = taking->domains;

	if (domains == NULL)
		return;
	for (size_t i = 0; taking->status == STATUS_OK && i < taking->forest->domain_count; i++)
		for (size_t j = 0; j < i; j++)
			if (ascii_equal_nocase(domains[i].dns_name, domains[j].dns_name) ||
			    ascii_equal_nocase(domains[i].netbios_name, domains[j].netbios_name) ||
			    ascii_equal_nocase(domains[i].netbios_name, domains[j].dns_name) ||
			    ascii_equal_nocase(domains[i].dns_name, domains[j].netbios_name) ||
			    (domains[i].has_sid && domains[j].has_sid &&
			     sid_is_equal(&domains[i].sid, &domains[j].sid)))
				taking->status = error_set(taking->error, STATUS_INVALID,
							   "the domains '%.200s' and '%.200s' share a name or SID",
							   domains[i].naming_context, domains[j].naming_context);
}

static bool sid_of(const struct dir_entry *entry, const char *name, struct sid *sid_out)
{
	const struct dir_value *value = dir_entry_single(entry, name);

	return value != NULL && sid_parse_binary((const uint8_t *)value->data, value->length, sid_out);
}

static struct dir_domain *find_holder(struct taking *taking, const char *dn)
{
	const struct dir_domain *holder = NULL;

	if (dir_forest_find_holder(taking->forest, dn, &holder) != STATUS_OK)
		taking->status = error_no_memory(taking->error);
	return holder == NULL ? NULL : &taking->domains[holder - taking->domains];
}

/* The head of the domain controller's own domain. */
static void take_head(struct taking *taking, const struct dir_facts *facts, const struct dir_search *search)
{
	const struct dir_entry *head = search->entries;
	struct dir_domain *domain = find_holder(taking, facts->default_naming_context);
	struct sid sid = {.sub_count = 0};
	int64_t lockout = 0;

	if (taking->status != STATUS_OK)
		return;
	if (head == NULL || !sid_of(head, "objectSid", &sid)) {
		taking->status =
		    error_set(taking->error, STATUS_INVALID, "the domain '%.200s' does not show its objectSid",
			      facts->default_naming_context);
		return;
	}
	if (domain == NULL || (domain->has_sid && !sid_is_equal(&domain->sid, &sid))) {
		fail(taking, head,
		     domain == NULL ? "is no domain of CN=Partitions" : "has another SID than its crossRef says");
		return;
	}
	domain->has_sid = true;
	domain->sid = sid;
	/* Negative, in steps of 100 ns; INT64_MIN (never) gives 0 as 0 does. */
	if (number_of(head, "lockoutDuration", &lockout) && lockout < 0 && lockout != INT64_MIN)
		taking->forest->lockout_s = -lockout / FILETIME_PER_SECOND;
}

static void take_trust(struct taking *taking, const struct dir_entry *entry)
{
	struct dir_trust *trust = &taking->trusts[taking->forest->trust_count++];
	int64_t direction = 0, attributes = 0;

	trust->dns_name = text_of(taking, entry, "trustPartner");
	trust->netbios_name = text_of(taking, entry, "flatName");
	trust->has_sid = sid_of(entry, "securityIdentifier", &trust->sid);
	trust->is_trusted = number_of(entry, "trustDirection", &direction) && ((uint64_t)direction & OUTBOUND) != 0;
	if (!number_of(entry, "trustAttributes", &attributes))
		return;
	trust->is_within_forest = ((uint64_t)attributes & WITHIN_FOREST) != 0;
	trust->is_forest_wide = ((uint64_t)attributes & FOREST_TRANSITIVE) != 0;
}

static void take_trusts(struct taking *taking, const struct dir_search *search)
{
	if (search->outcome != DIR_OUTCOME_OK) {
		taking->forest->trusts_unknown = true;
		return;
	}
	if (search->entry_count > DIR_FOREST_MAX_TRUSTS) {
		taking->status = error_set(taking->error, STATUS_LIMIT, "the domain has %zu trusts, more than %d",
					   search->entry_count, DIR_FOREST_MAX_TRUSTS);
		return;
	}
	taking->trusts = room(taking, search->entry_count, sizeof(*taking->trusts));
	for (const struct dir_entry *entry = search->entries; taking->status == STATUS_OK && entry != NULL;
	     entry = entry->next)
		take_trust(taking, entry);
}

static void find_home(struct taking *taking, const char *base)
{
	const struct dir_domain *home = find_holder(taking, base);

	taking->forest->home = home;
	if (taking->status != STATUS_OK || (home != NULL && home->has_sid))
		return;
	taking->status = error_set(taking->error, STATUS_INVALID, "the search base '%.200s' is in %s", base,
				   home == NULL ? "no domain of the forest" : "a domain whose SID is not told");
	(void)error_hint(taking->error, taking->status, "write the DN of the server's own domain into directory/@base");
}

static void publish(struct taking *taking)
{
	taking->forest->domains = taking->domains;
	taking->forest->upn_suffixes = taking->suffixes;
	taking->forest->trusts = taking->trusts;
}

static void take_all(struct taking *taking, const struct dir_facts *facts, const char *base,
		     const struct dir_search searches[DIR_FOREST_SEARCHES])
{
	take_partitions(taking, &searches[DIR_FOREST_PARTITIONS]);
	publish(taking);
	if (taking->status == STATUS_OK)
		check_unique(taking);
	if (taking->status == STATUS_OK)
		take_head(taking, facts, &searches[DIR_FOREST_DOMAIN]);
	if (taking->status == STATUS_OK)
		take_trusts(taking, &searches[DIR_FOREST_TRUSTS]);
	publish(taking);
	if (taking->status == STATUS_OK)
		find_home(taking, base);
}

enum status dir_forest_take(const struct dir_facts *facts, const char *base,
			    const struct dir_search searches[DIR_FOREST_SEARCHES], const struct dir_forest **forest_out,
			    struct error *error)
{
	struct taking taking = {.error = error, .status = STATUS_OK};
	const struct dir_forest *unused;

	if (searches[DIR_FOREST_PARTITIONS].outcome != DIR_OUTCOME_OK)
		return dir_search_failure(&searches[DIR_FOREST_PARTITIONS], error);
	if (searches[DIR_FOREST_DOMAIN].outcome != DIR_OUTCOME_OK)
		return dir_search_failure(&searches[DIR_FOREST_DOMAIN], error);
	taking.forest = dir_forest_new();
	if (taking.forest == NULL)
		return error_no_memory(error);
	taking.arena = taking.forest->life->arena;
	taking.forest->kind = facts->kind;
	take_all(&taking, facts, base, searches);
	unused = taking.forest;
	if (taking.status == STATUS_OK)
		*forest_out = taking.forest;
	else
		dir_forest_unref(&unused);
	return taking.status;
}
