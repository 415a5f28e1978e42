/* SPDX-License-Identifier: Apache-2.0 */
#include <cli/doctor_check.h>

#define US_PER_MS 1000.0

static const char *who(const struct config_directory *directory)
{
	if (directory->bind == CONFIG_BIND_SIMPLE)
		return directory->bind_dn;
	if (directory->bind == CONFIG_BIND_ANONYMOUS)
		return "nobody (anonymous)";
	return directory->bind_user != NULL ? directory->bind_user : "the credentials of this process";
}

static void tell_bind(struct doctor *doctor, const struct doctor_server *server)
{
	const struct config_directory *directory = doctor->directory;

	if (!doctor_server_came_to(doctor, server, DIR_STEP_BIND))
		return;
	if (server->steps.reached == DIR_STEP_BIND)
		doctor_tell_error(doctor, doctor_server_level(doctor), server->uri, &server->error,
				  "see <bind>, and the server's log");
	else
		doctor_tell(doctor, DOCTOR_OK, server->uri, NULL, "bound by %s as %s in %.1f ms",
			    directory->bind_mechanism != NULL ? directory->bind_mechanism : "simple", who(directory),
			    (double)server->steps.took_us[DIR_STEP_BIND] / US_PER_MS);
}

void doctor_bind(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->server_count; i++)
		tell_bind(doctor, &doctor->servers[i]);
	if (doctor->server != NULL)
		doctor_reach(doctor, DOCTOR_STAGE_CONNECTED);
	else
		doctor_block(doctor, "no server of the directory can be used");
}
