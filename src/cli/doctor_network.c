/* SPDX-License-Identifier: Apache-2.0 */
#include <cli/doctor_check.h>
#include <directory/dir_pool.h>
#include <os/clock.h>
#include <string.h>

/* A quarter of what a connection attempt may take: a little more trouble, and decisions wait for nothing. */
#define SLOW_CONNECT_US (DIR_POOL_CONNECT_MS * UINT64_C(1000) / 4)
/* Names that take longer are asked of a server that does not answer. */
#define SLOW_DNS_US UINT64_C(1000000)
#define US_PER_MS   1000.0

/* As the pool, which does not use a server that says that its data are not whole; but a doctor looks at it where there is no other. */
static void prefer(struct doctor *doctor, struct doctor_server *server)
{
	const uint64_t deadline_ms = clock_monotonic_ms() + DIR_POOL_CONNECT_MS;
	bool is_synchronized = true;

	if (dir_conn_ping(server->conn, deadline_ms, &is_synchronized, NULL) == STATUS_OK)
		server->is_unsynchronized = !is_synchronized;
	if (doctor->server == NULL || (doctor->server->is_unsynchronized && is_synchronized))
		doctor->server = server;
}

/* All at once: each step is told by a check of its own. */
static void open_servers(struct doctor *doctor)
{
	const struct config_directory *directory = doctor->directory;

	for (size_t i = 0; doctor->found != NULL && i < dir_servers_count(doctor->found) && i < DOCTOR_MAX_SERVERS;
	     i++) {
		struct doctor_server *server = &doctor->servers[doctor->server_count++];

		server->uri = dir_servers_uri(doctor->found, i);
		doctor_print_progress(&doctor->print, doctor_text(doctor, "connecting to %s", server->uri));
		server->status = dir_steps_open(directory, server->uri, clock_monotonic_ms() + DIR_POOL_CONNECT_MS,
						&server->steps, &server->conn, &server->error);
		if (server->status == STATUS_OK)
			prefer(doctor, server);
	}
}

enum doctor_level doctor_server_level(const struct doctor *doctor)
{
	return doctor->server != NULL ? DOCTOR_WARNING : DOCTOR_ERROR;
}

bool doctor_server_came_to(struct doctor *doctor, const struct doctor_server *server, enum dir_step step)
{
	if (server->steps.reached >= step)
		return true;
	doctor_tell(doctor, DOCTOR_NOT_TRIED, server->uri, NULL, "not tried: %s failed before it",
		    dir_step_word(server->steps.reached));
	return false;
}

static void tell_dns(struct doctor *doctor, const struct doctor_server *server)
{
	const struct dir_steps *steps = &server->steps;

	if (steps->is_local)
		doctor_tell(doctor, DOCTOR_OK, server->uri, NULL, "a socket of this machine");
	else if (steps->reached == DIR_STEP_RESOLVE)
		doctor_tell_error(doctor, doctor_server_level(doctor), server->uri, &server->error,
				  "check directory/@uri");
	else if (steps->took_us[DIR_STEP_RESOLVE] > SLOW_DNS_US)
		doctor_tell(doctor, DOCTOR_WARNING, server->uri,
			    "a name server of this machine does not answer: see resolv.conf, or name the host in hosts",
			    "finding the address took %.1f s",
			    (double)steps->took_us[DIR_STEP_RESOLVE] / US_PER_MS / US_PER_MS);
	else
		doctor_tell(doctor, DOCTOR_OK, server->uri, NULL, "%zu %s in %.1f ms", steps->address_count,
			    steps->address_count == 1 ? "address" : "addresses",
			    (double)steps->took_us[DIR_STEP_RESOLVE] / US_PER_MS);
}

void doctor_network_dns(struct doctor *doctor)
{
	open_servers(doctor);
	for (size_t i = 0; i < doctor->server_count; i++)
		tell_dns(doctor, &doctor->servers[i]);
}

static void tell_tcp(struct doctor *doctor, const struct doctor_server *server)
{
	const struct dir_steps *steps = &server->steps;
	double took_ms = (double)steps->took_us[DIR_STEP_CONNECT] / US_PER_MS;

	if (!doctor_server_came_to(doctor, server, DIR_STEP_CONNECT))
		return;
	if (steps->reached == DIR_STEP_CONNECT)
		doctor_tell_error(doctor, doctor_server_level(doctor), server->uri, &server->error,
				  "is the server running?");
	else if (steps->took_us[DIR_STEP_CONNECT] > SLOW_CONNECT_US)
		doctor_tell(doctor, DOCTOR_WARNING, server->uri,
			    "name a nearer server first in directory/@uri, or look at the network",
			    "connecting took %.1f ms; more than %d ms is given up", took_ms, DIR_POOL_CONNECT_MS);
	else
		doctor_tell(doctor, DOCTOR_OK, server->uri, NULL, "connected%s%s in %.1f ms",
			    steps->is_local ? "" : " to ", steps->address, took_ms);
}

void doctor_network_tcp(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->server_count; i++)
		tell_tcp(doctor, &doctor->servers[i]);
}
