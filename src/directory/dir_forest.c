/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_forest_private.h>

#include <base/ascii.h>
#include <base/memory.h>
#include <identity/dn.h>
#include <string.h>

/* AD answers with 1,000 entries (MaxPageSize) at once; below that, so that a lower limit of somebody's still serves. */
#define PAGE_ENTRIES 500

/* S-1-5-21-x-y-z: what domains and machines are, and an account of theirs has one part more. */
#define NT_AUTHORITY     5
#define NON_UNIQUE       21
#define DOMAIN_SUB_COUNT 4

static const char *const partitions_attributes[] = {
    "objectClass", "nCName", "dnsRoot", "nETBIOSName", "systemFlags", "enabled", "uPNSuffixes", NULL,
};
static const char *const domain_attributes[] = {"objectSid", "lockoutDuration", "replUpToDateVector", NULL};
static const char *const trust_attributes[] = {
    "trustPartner", "flatName", "securityIdentifier", "trustDirection", "trustAttributes", NULL,
};

static void write_search(struct dir_search *search, const char *base, enum dir_scope scope, const char *filter,
			 const char *const *attributes)
{
	search->base = base;
	search->scope = scope;
	search->filter = filter;
	search->attributes = attributes;
	search->page_size = scope == DIR_SCOPE_BASE ? 0 : PAGE_ENTRIES;
}

enum status dir_forest_ask(const struct dir_facts *facts, struct arena *arena,
			   struct dir_search searches[DIR_FOREST_SEARCHES], struct error *error)
{
	const char *partitions, *system;

	if (facts->configuration_naming_context == NULL || facts->default_naming_context == NULL) {
		(void)error_set(error, STATUS_INVALID, "the root DSE names no default or configuration naming context");
		return error_hint(error, STATUS_INVALID,
				  "ask a domain controller, not a global catalogue behind a proxy");
	}
	partitions = arena_printf(arena, "CN=Partitions,%s", facts->configuration_naming_context);
	system = arena_printf(arena, "CN=System,%s", facts->default_naming_context);
	if (partitions == NULL || system == NULL)
		return error_no_memory(error);
	write_search(&searches[DIR_FOREST_PARTITIONS], partitions, DIR_SCOPE_SUBTREE,
		     "(|(objectClass=crossRef)(objectClass=crossRefContainer))", partitions_attributes);
	searches[DIR_FOREST_PARTITIONS].flags = facts->offers_extended_dn ? DIR_SEARCH_EXTENDED_DN : 0;
	write_search(&searches[DIR_FOREST_DOMAIN], facts->default_naming_context, DIR_SCOPE_BASE, "(objectClass=*)",
		     domain_attributes);
	write_search(&searches[DIR_FOREST_TRUSTS], system, DIR_SCOPE_ONE, "(objectClass=trustedDomain)",
		     trust_attributes);
	return STATUS_OK;
}

struct dir_forest *dir_forest_new(void)
{
	struct dir_forest_life *life = memory_new(sizeof(*life));
	struct dir_forest *forest = NULL;

	if (life == NULL)
		return NULL;
	life->arena = arena_new(DIR_FOREST_MAX_BYTES);
	if (life->arena != NULL)
		forest = arena_alloc(life->arena, sizeof(*forest));
	if (forest == NULL) {
		arena_free(&life->arena);
		memory_free(life);
		return NULL;
	}
	atomic_init(&life->references, 1);
	forest->life = life;
	return forest;
}

const struct dir_forest *dir_forest_ref(const struct dir_forest *forest)
{
	atomic_fetch_add_explicit(&forest->life->references, 1, memory_order_relaxed);
	return forest;
}

void dir_forest_unref(const struct dir_forest **forest)
{
	struct dir_forest_life *life;

	if (forest == NULL || *forest == NULL)
		return;
	life = (*forest)->life;
	*forest = NULL;
	if (atomic_fetch_sub_explicit(&life->references, 1, memory_order_acq_rel) != 1)
		return;
	arena_free(&life->arena);
	memory_free(life);
}

const struct dir_domain *dir_forest_find_domain(const struct dir_forest *forest, const char *name)
{
	for (size_t i = 0; i < forest->domain_count; i++)
		if (ascii_equal_nocase(forest->domains[i].netbios_name, name) ||
		    ascii_equal_nocase(forest->domains[i].dns_name, name))
			return &forest->domains[i];
	return NULL;
}

bool dir_forest_is_account_sid(const struct sid *sid)
{
	return sid->authority == NT_AUTHORITY && sid->sub_count == DOMAIN_SUB_COUNT + 1 && sid->sub[0] == NON_UNIQUE;
}

static bool has_issued(const struct sid *domain, const struct sid *account)
{
	struct sid issuer = *account;

	issuer.sub_count--;
	return sid_is_equal(domain, &issuer);
}

const struct dir_domain *dir_forest_find_issuer(const struct dir_forest *forest, const struct sid *sid)
{
	if (!dir_forest_is_account_sid(sid))
		return NULL;
	for (size_t i = 0; i < forest->domain_count; i++)
		if (forest->domains[i].has_sid && has_issued(&forest->domains[i].sid, sid))
			return &forest->domains[i];
	return NULL;
}

/* How long the naming context is that ends the DN on a boundary; 0: it does not. Both are keys. */
static size_t tail_of(const char *dn, const char *context)
{
	for (const char *at = dn; at != NULL; at = dn_parent(at))
		if (strcmp(at, context) == 0)
			return strlen(context);
	return 0;
}

/* The domain whose naming context ends the DN, whose key this is. */
static enum status find_tail(const struct dir_forest *forest, const char *key, const struct dir_domain **holder_out)
{
	const struct dir_domain *holder = NULL;
	struct text context;
	size_t longest = 0;
	bool failed = false;

	text_init(&context);
	for (size_t i = 0; i < forest->domain_count && !failed; i++) {
		const char *name = forest->domains[i].naming_context;
		size_t tail;

		dn_own_key(name, strlen(name), &context);
		failed = text_failed(&context);
		tail = tail_of(key, text_string(&context));
		if (tail > longest) {
			longest = tail;
			holder = &forest->domains[i];
		}
	}
	text_done(&context);
	if (failed)
		return STATUS_NO_MEMORY;
	*holder_out = holder;
	return STATUS_OK;
}

enum status dir_forest_find_holder(const struct dir_forest *forest, const char *dn,
				   const struct dir_domain **holder_out)
{
	enum status status = STATUS_NO_MEMORY;
	struct text key;

	text_init(&key);
	dn_own_key(dn, strlen(dn), &key);
	if (!text_failed(&key))
		status = find_tail(forest, text_string(&key), holder_out);
	text_done(&key);
	return status;
}

bool dir_forest_has_suffix(const struct dir_forest *forest, const char *suffix)
{
	for (size_t i = 0; i < forest->domain_count; i++)
		if (ascii_equal_nocase(forest->domains[i].dns_name, suffix))
			return true;
	for (size_t i = 0; i < forest->upn_suffix_count; i++)
		if (ascii_equal_nocase(forest->upn_suffixes[i], suffix))
			return true;
	return false;
}

bool dir_forest_trusts_issuer(const struct dir_forest *forest, const struct sid *sid)
{
	if (!dir_forest_is_account_sid(sid))
		return false;
	if (forest->trusts_unknown)
		return true;
	for (size_t i = 0; i < forest->trust_count; i++) {
		const struct dir_trust *trust = &forest->trusts[i];

		/* Ways through other domains of the forest lead to trusts that this domain does not list. */
		if (trust->is_within_forest || (trust->is_trusted && trust->is_forest_wide))
			return true;
		if (trust->is_trusted && trust->has_sid && has_issued(&trust->sid, sid))
			return true;
	}
	return false;
}

bool dir_forest_is_single(const struct dir_forest *forest)
{
	if (forest->domain_count != 1 || forest->trusts_unknown)
		return false;
	for (size_t i = 0; i < forest->trust_count; i++)
		if (forest->trusts[i].is_trusted || forest->trusts[i].is_within_forest)
			return false;
	return true;
}
