/* SPDX-License-Identifier: Apache-2.0 */
#include <cli/doctor_check.h>
#include <os/clock.h>
#include <policy/account.h>
#include <string.h>

/* Time enough to have a certificate renewed. */
#define EXPIRY_DAYS   21
#define SECONDS_A_DAY 86400

static void tell_clear_text(struct doctor *doctor, const struct doctor_server *server)
{
	static const char remedy[] = "use ldaps:// or StartTLS: <tls mode=\"ldaps\"/> or <tls mode=\"starttls\"/>";

	if (server->steps.is_local)
		doctor_tell(doctor, DOCTOR_OK, server->uri, NULL, "needs none: a socket of this machine");
	else if (server->steps.is_loopback)
		doctor_tell(doctor, DOCTOR_WARNING, server->uri, remedy,
			    "clear text (tls mode=\"none\"); to this machine itself, so nobody else can listen");
	else
		doctor_tell(
		    doctor, DOCTOR_ERROR, server->uri, remedy,
		    "clear text (tls mode=\"none\"): whoever sits on the wire decides who gets in, and reads the "
		    "bind password");
}

static void tell_tls(struct doctor *doctor, const struct doctor_server *server)
{
	const struct dir_steps *steps = &server->steps;

	if (!doctor_server_came_to(doctor, server, DIR_STEP_SECURE))
		return;
	if (steps->reached == DIR_STEP_SECURE)
		doctor_tell_error(doctor, doctor_server_level(doctor), server->uri, &server->error,
				  "see the server's TLS settings, and <tls>");
	else if (!steps->is_tls)
		tell_clear_text(doctor, server);
	else
		doctor_tell(doctor, DOCTOR_OK, server->uri, NULL,
			    "%s%s%s; the certificate is of a known authority and for this name%s%s", steps->tls_version,
			    steps->tls_cipher[0] != '\0' ? " " : "", steps->tls_cipher,
			    steps->has_certificate ? ": " : "", steps->has_certificate ? steps->certificate.names : "");
}

void doctor_tls(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->server_count; i++)
		tell_tls(doctor, &doctor->servers[i]);
}

static void tell_expiry(struct doctor *doctor, const struct doctor_server *server)
{
	const char *end = server->steps.certificate.not_after;
	int64_t end_s = 0;
	long long days;

	if (!server->steps.is_tls)
		return;
	if (!server->steps.has_certificate || !account_parse_time(doctor_text(doctor, "%sZ", end), &end_s)) {
		doctor_tell(doctor, DOCTOR_WARNING, server->uri, "see when it ends with openssl s_client",
			    "the certificate was accepted, but its dates cannot be read here");
		return;
	}
	days = (long long)((end_s - clock_wall_s()) / SECONDS_A_DAY);
	if (days < EXPIRY_DAYS)
		doctor_tell(doctor, DOCTOR_WARNING, server->uri,
			    "have the server's certificate renewed: on that day every decision becomes an error",
			    "the certificate ends in %lld days, on %.4s-%.2s-%.2s", days, end, end + 4, end + 6);
	else
		doctor_tell(doctor, DOCTOR_OK, server->uri, NULL, "%lld days left, until %.4s-%.2s-%.2s", days, end,
			    end + 4, end + 6);
}

void doctor_tls_expiry(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->server_count; i++)
		tell_expiry(doctor, &doctor->servers[i]);
}
