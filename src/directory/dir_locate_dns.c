/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_locate.h>

#include <base/ascii.h>
#include <base/memory.h>
#include <directory/dir_locate_cldap.h>
#include <directory/dir_locate_resolver.h>
#include <os/clock.h>
#include <stdio.h>
#include <string.h>

#define LDAPS_PORT 636

enum { CONTROLLERS = 0, PLAIN, TLS, DOMAIN_QUESTIONS };
enum { OWN_SITE = 0, NEXT_SITE, SITE_QUESTIONS };

struct pass {
	const struct dir_locate_query *query;
	struct dir_resolver *resolver;
	uint64_t deadline_ms;
	struct dir_resolver_srv domain[DOMAIN_QUESTIONS];
	size_t domain_count;
	struct dir_resolver_srv sites[SITE_QUESTIONS];
	size_t site_count;
	char site[DIR_DNS_NAME_BYTES], next_site[DIR_DNS_NAME_BYTES]; /* "": none */
	struct dir_located located;
};

static bool is_over(const struct pass *pass)
{
	return pass->query->wait->is_over(pass->query->wait->context);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* What may be used of an answer, in its order. */
static void arrange(struct pass *pass, struct dir_resolver_srv *answer)
{
	const char *domains[CONFIG_MAX_DOMAINS + 1];
	struct dir_srv_list *list = &answer->list;
	size_t count = 0;

	domains[count++] = pass->query->domain;
	for (size_t i = 0; i < pass->query->within_count && count < COUNT_OF(domains); i++)
		if (strchr(pass->query->within[i], '.') !=
		    NULL) /* anything is within "" and a little less within "com" */
			domains[count++] = pass->query->within[i];
	dir_srv_sort(list, pass->query->lots);
	for (size_t i = 0; i < list->count && pass->located.a_foreign[0] == '\0'; i++) {
		size_t at = 0;

		while (at < count && !dir_dns_is_within(list->records[i].target, domains[at]))
			at++;
		if (at == count)
			memcpy(pass->located.a_foreign, list->records[i].target, sizeof(pass->located.a_foreign));
	}
	pass->located.foreign += dir_srv_keep_within(list, domains, count);
}

static bool has_servers(const struct dir_resolver_srv *answer)
{
	return answer->list.count > 0;
}

/* The domain's servers */

static void ask_domain(struct pass *pass)
{
	static const enum dir_srv_kind kinds[DOMAIN_QUESTIONS] = {DIR_SRV_CONTROLLERS, DIR_SRV_PLAIN, DIR_SRV_TLS};

	pass->domain_count = pass->query->is_tls ? DOMAIN_QUESTIONS : TLS;
	for (size_t i = 0; i < DOMAIN_QUESTIONS; i++) /* one that is cut, being too long, is refused as a question */
		(void)!dir_srv_name(kinds[i], NULL, pass->query->domain, pass->domain[i].name);
	dir_resolver_ask_srv(pass->resolver, pass->domain, pass->domain_count, pass->deadline_ms);
	for (size_t i = 0; i < pass->domain_count; i++)
		arrange(pass, &pass->domain[i]);
}

/* Those that say "no" are less to be believed than to be doubted while others say nothing. */
static enum status failure_of(const struct pass *pass)
{
	enum status status = STATUS_NOT_FOUND;

	for (size_t i = 0; i < pass->domain_count; i++)
		if (pass->domain[i].status != STATUS_OK && pass->domain[i].status != STATUS_NOT_FOUND)
			status = pass->domain[i].status;
	return status;
}

static enum status fail_foreign(const struct pass *pass, struct error *error)
{
	(void)error_set(error, STATUS_REFUSED, "DNS names '%s' as a server of the domain '%s', which is not within it",
			pass->located.a_foreign, pass->query->domain);
	return error_hint(
	    error, STATUS_REFUSED,
	    "DNS is not secured, so it is not believed that a host elsewhere is the domain's: name that server "
	    "itself in directory/@uri, if it is right");
}

static enum status fail(const struct pass *pass, struct error *error)
{
	const struct dir_resolver_srv *asked = pass->domain;
	const enum status status = failure_of(pass);

	if (is_over(pass))
		return error_set(error, STATUS_CANCELLED, "the search for the servers of '%s' has been ended",
				 pass->query->domain);
	if (status == STATUS_NO_MEMORY)
		return error_no_memory(error);
	if (pass->located.foreign > 0)
		return fail_foreign(pass, error);
	(void)error_set(error, status, "DNS names no servers of the domain '%s': SRV '%s': %s; '%s': %s",
			pass->query->domain, asked[CONTROLLERS].name, asked[CONTROLLERS].said, asked[PLAIN].name,
			asked[PLAIN].said);
	if (status == STATUS_NOT_FOUND)
		return error_hint(
		    error, status,
		    "are the name servers of this host (%s) the domain's? try: %s %s; or name the servers in "
		    "directory/@uri",
		    dir_resolver_place, dir_resolver_command, asked[CONTROLLERS].name);
	return error_hint(error, status,
			  "see that the name servers of this host (%s) answer: %s %s; or name the servers in "
			  "directory/@uri",
			  dir_resolver_place, dir_resolver_command, asked[CONTROLLERS].name);
}

/* The site */

static bool ping(struct pass *pass, uint64_t deadline_ms, struct dir_cldap_answer *answer)
{
	const struct dir_locate_options *options = pass->query->options;
	const struct dir_srv_list *controllers = &pass->domain[CONTROLLERS].list;
	struct dir_resolver_host hosts[DIR_CLDAP_MAX_TARGETS] = {0};
	size_t count = 0;

	for (; count < controllers->count && count < COUNT_OF(hosts); count++) {
		hosts[count].name = controllers->records[count].target;
		hosts[count].port = options != NULL && options->ping_port != 0 ? options->ping_port : DIR_CLDAP_PORT;
	}
	dir_resolver_ask_hosts(pass->resolver, hosts, count, deadline_ms);
	return dir_cldap_ping(hosts, count, pass->query->domain, pass->query->wait,
			      earlier(deadline_ms, clock_monotonic_ms() + DIR_LOCATE_PING_MS), answer);
}

static void learn_site(struct pass *pass, uint64_t deadline_ms)
{
	struct dir_cldap_answer answer = {0};

	if (pass->query->site != NULL) {
		(void)snprintf(pass->site, sizeof(pass->site), "%s", pass->query->site);
	} else if (ping(pass, deadline_ms, &answer)) {
		memcpy(pass->site, answer.client_site, sizeof(pass->site));
		if (!ascii_equal_nocase(answer.next_closest, answer.client_site))
			memcpy(pass->next_site, answer.next_closest, sizeof(pass->next_site));
	} else {
		(void)snprintf(pass->site, sizeof(pass->site), "%s", pass->query->known_site);
		pass->located.is_site_doubtful = true;
	}
}

static void ask_site(struct pass *pass, uint64_t deadline_ms)
{
	const char *const names[SITE_QUESTIONS] = {pass->site, pass->next_site};

	for (size_t i = 0; i < SITE_QUESTIONS; i++)
		if (names[i][0] != '\0' &&
		    dir_srv_name(DIR_SRV_SITE, names[i], pass->query->domain, pass->sites[pass->site_count].name))
			pass->site_count++;
	dir_resolver_ask_srv(pass->resolver, pass->sites, pass->site_count, deadline_ms);
	for (size_t i = 0; i < pass->site_count; i++) {
		arrange(pass, &pass->sites[i]);
		if (pass->sites[i].status != STATUS_OK && pass->sites[i].status != STATUS_NOT_FOUND)
			pass->located.is_site_doubtful = true;
	}
}

/* The result */

static bool has_uri(const struct dir_located *located, const char *uri)
{
	for (size_t i = 0; i < located->count; i++)
		if (ascii_equal_nocase(located->uris[i], uri))
			return true;
	return false;
}

/* Their ports, or the port for TLS in their place. */
static enum status add_list(struct pass *pass, const struct dir_srv_list *list, bool has_port)
{
	struct dir_located *located = &pass->located;
	char uri[DIR_DNS_NAME_BYTES + 32];
	const uint32_t ttl_s = dir_srv_ttl(list);

	if (ttl_s < located->ttl_s)
		located->ttl_s = ttl_s;
	for (size_t i = 0; i < list->count && located->count < DIR_SERVERS_MAX; i++) {
		(void)snprintf(uri, sizeof(uri), "%s://%s:%u", pass->query->is_tls ? "ldaps" : "ldap",
			       list->records[i].target,
			       has_port ? (unsigned)list->records[i].port : (unsigned)LDAPS_PORT);
		if (has_uri(located, uri))
			continue;
		located->uris[located->count] = memory_copy_text(uri);
		if (located->uris[located->count] == NULL)
			return STATUS_NO_MEMORY;
		located->count++;
	}
	if (list->count > located->found)
		located->found = list->count;
	return STATUS_OK;
}

static enum status put_together(struct pass *pass, struct error *error)
{
	const bool is_tls = pass->query->is_tls;
	enum status status = STATUS_OK;

	pass->located.ttl_s = UINT32_MAX;
	for (size_t i = 0; i < pass->site_count && status == STATUS_OK; i++)
		status = add_list(pass, &pass->sites[i].list, !is_tls);
	if (status == STATUS_OK)
		status = add_list(pass, &pass->domain[TLS].list, true);
	if (status == STATUS_OK)
		status = add_list(pass, &pass->domain[CONTROLLERS].list, !is_tls);
	/* Controllers stand there as well. */
	if (status == STATUS_OK && !has_servers(&pass->domain[CONTROLLERS]) && !has_servers(&pass->domain[TLS]))
		status = add_list(pass, &pass->domain[PLAIN].list, !is_tls);
	if (status != STATUS_OK)
		return error_no_memory(error);
	if (dir_dns_is_label(pass->site))
		memcpy(pass->located.site, pass->site, sizeof(pass->located.site) - 1);
	return STATUS_OK;
}

static enum status find(struct pass *pass, struct error *error)
{
	uint64_t site_ms;

	ask_domain(pass);
	if (!has_servers(&pass->domain[CONTROLLERS]) && !has_servers(&pass->domain[PLAIN]) &&
	    !has_servers(&pass->domain[TLS]))
		return fail(pass, error);
	if (has_servers(&pass->domain[CONTROLLERS])) {
		site_ms = earlier(pass->deadline_ms, clock_monotonic_ms() + DIR_LOCATE_SITE_MS);
		learn_site(pass, site_ms);
		ask_site(pass, site_ms);
	} else if (pass->domain[CONTROLLERS].status != STATUS_NOT_FOUND) {
		pass->located.is_site_doubtful = true;
	}
	return is_over(pass) ? fail(pass, error) : put_together(pass, error);
}

static void done(struct pass *pass)
{
	for (size_t i = 0; i < DOMAIN_QUESTIONS; i++)
		dir_srv_list_done(&pass->domain[i].list);
	for (size_t i = 0; i < SITE_QUESTIONS; i++)
		dir_srv_list_done(&pass->sites[i].list);
	dir_resolver_close(&pass->resolver);
	dir_located_done(&pass->located);
}

enum status dir_locate_domain(const struct dir_locate_query *query, struct dir_located *located, struct error *error)
{
	const struct dir_locate_options *options = query->options;
	const uint64_t pass_ms = options != NULL && options->pass_ms != 0 ? options->pass_ms : DIR_LOCATE_PASS_MS;
	struct pass *pass = memory_new(sizeof(*pass));
	enum status status;

	if (pass == NULL)
		return error_no_memory(error);
	pass->query = query;
	pass->deadline_ms = clock_monotonic_ms() + pass_ms;
	status = dir_resolver_open(options, query->wait, &pass->resolver, error);
	if (status == STATUS_OK)
		status = find(pass, error);
	if (status == STATUS_OK) {
		*located = pass->located;
		pass->located = (struct dir_located){.count = 0};
	}
	done(pass);
	memory_free(pass);
	return status;
}

void dir_located_done(struct dir_located *located)
{
	for (size_t i = 0; i < located->count; i++)
		memory_free(located->uris[i]);
	*located = (struct dir_located){.count = 0};
}
