/* SPDX-License-Identifier: Apache-2.0 */
/* Which servers there are, where the policy leaves them to DNS. */
#include <cli/doctor_check.h>
#include <directory/dir_locator.h>
#include <os/clock.h>

/* More than a pass takes at most. */
#define PATIENCE_MS (DIR_LOCATE_PASS_MS + 1000)

static void tell_host(struct doctor *doctor, const char *uri, const char *domain)
{
	doctor_tell(doctor, DOCTOR_WARNING, uri,
		    doctor_text(doctor,
				"publish SRV records (dig SRV _ldap._tcp.%s), or name the servers in directory/@uri",
				domain),
		    "DNS names no servers of the domain '%s': its name is taken for the server's", domain);
}

static void tell_domain(struct doctor *doctor, const char *uri, const char *domain)
{
	const size_t count = dir_servers_count(doctor->found);

	if (dir_servers_has(doctor->found, uri))
		tell_host(doctor, uri, domain);
	else if (count > DOCTOR_MAX_SERVERS)
		doctor_tell(doctor, DOCTOR_OK, uri, NULL,
			    "DNS names the servers of the domain '%s'; there are %zu, and the first %d are looked at",
			    domain, count, DOCTOR_MAX_SERVERS);
	else
		doctor_tell(doctor, DOCTOR_OK, uri, NULL,
			    "DNS names the servers of the domain '%s'; there are %zu, the first is %s", domain, count,
			    dir_servers_uri(doctor->found, 0));
}

void doctor_locate(struct doctor *doctor)
{
	const struct config_directory *directory = doctor->directory;
	struct error error = {.status = STATUS_OK};

	if (dir_locator_find(directory, &doctor->log, clock_monotonic_ms() + PATIENCE_MS, &doctor->found, &error) !=
	    STATUS_OK) {
		doctor_tell_error(doctor, DOCTOR_ERROR, NULL, &error, "see /etc/resolv.conf and directory/@uri");
		doctor_block(doctor, "the directory's servers were not found");
		return;
	}
	for (size_t i = 0; directory->uri_domains != NULL && i < directory->uri_count; i++)
		if (directory->uri_domains[i] != NULL)
			tell_domain(doctor, directory->uris[i], directory->uri_domains[i]);
}
