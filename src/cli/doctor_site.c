/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which site of Active Directory this host is in: the question of an LDAP ping (directory/dir_cldap.h), put to the server by the
 * connection that is there.
 */
#include <base/ascii.h>
#include <cli/doctor_check.h>
#include <directory/dir_cldap.h>

#define NAMED_SITE                                                                                                     \
	"name the site in directory/@site, or give this host's subnet to it (Active Directory Sites and Services)"

/* The server is asked by the address that it sees. False: told. */
static bool ask_site(struct doctor *doctor, struct dir_cldap_answer *answer_out)
{
	static const char *const attributes[] = {"netlogon", NULL};
	const struct dir_value *value = NULL;
	struct dir_search search;
	bool is_read;

	/* NtVer as dir_cldap_write has it. */
	if (!doctor_search(
		doctor, &search, "", DIR_SCOPE_BASE,
		doctor_text(doctor, "(&(DnsDomain=%s)(NtVer=\\16\\00\\00\\00))", doctor->forest->home->dns_name),
		attributes))
		return false;
	if (doctor_ask(doctor, &search, 1) && search.entries != NULL)
		value = dir_entry_single(search.entries, "netlogon");
	is_read = value != NULL && dir_cldap_read_netlogon((const uint8_t *)value->data, value->length, answer_out);
	if (!is_read)
		doctor_tell(doctor, DOCTOR_OK, doctor->server->uri, NULL,
			    "does not say which site this host is in (it matters only where DNS names the servers)");
	dir_search_done(&search);
	return is_read;
}

void doctor_site(struct doctor *doctor)
{
	const char *given = doctor->directory->site;
	struct dir_cldap_answer answer;

	if (!ask_site(doctor, &answer))
		return;
	if (answer.client_site[0] == '\0')
		doctor_tell(
		    doctor, given == NULL ? DOCTOR_WARNING : DOCTOR_OK, doctor->server->uri, NAMED_SITE,
		    "no site has this host's address, so that a server far away may be taken; this one is in '%s'",
		    answer.server_site);
	else if (given != NULL && !ascii_equal_nocase(given, answer.client_site))
		doctor_tell(doctor, DOCTOR_WARNING, doctor->server->uri, "correct directory/@site, or take it out",
			    "directory/@site says '%s', and by its address this host is in the site '%s'", given,
			    answer.client_site);
	else
		doctor_tell(doctor, DOCTOR_OK, doctor->server->uri, NULL,
			    "this host is in the site '%s', this server in '%s'%s", answer.client_site,
			    answer.server_site,
			    (answer.flags & DIR_CLDAP_IS_CLOSEST) != 0 ? ", which is the closest" : "");
}
