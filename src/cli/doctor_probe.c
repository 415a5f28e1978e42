/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the endpoints that people are redirected to are there (--probe). */
#include <cli/doctor_check.h>
#include <cli/probe.h>
#include <string.h>

/* Endpoints that are asked; a policy with more has them probed by something that has the time. */
#define MAX_PROBES        64
#define TIMEOUT_MS        5000

#define HTTP_OK           200
#define HTTP_UNAUTHORIZED 401
#define HTTP_FORBIDDEN    403

bool doctor_probe_is_wanted(const struct doctor *doctor)
{
	return doctor->probes && doctor->config != NULL && doctor->config->redirect.present;
}

static void tell_answer(struct doctor *doctor, const char *uri, const struct probe_answer *answer)
{
	const double ms = (double)answer->took_us / 1000;

	if (answer->code == HTTP_OK && answer->is_identify)
		doctor_tell(doctor, DOCTOR_OK, uri, NULL, "answers Identify in %.1f ms: %s", ms,
			    answer->product[0] != '\0' ? answer->product : "(it does not say what it is)");
	else if (answer->code == HTTP_UNAUTHORIZED)
		doctor_tell(doctor, DOCTOR_OK, uri, NULL, "answers in %.1f ms, and wants to know who asks (401)", ms);
	else if (answer->location[0] != '\0')
		doctor_tell(doctor, DOCTOR_WARNING, uri,
			    "name the last address in the policy: a client follows one redirect, and this one costs it",
			    "redirects on, to %s (%ld)", answer->location, answer->code);
	else if (answer->code == HTTP_FORBIDDEN)
		doctor_tell(doctor, DOCTOR_WARNING, uri, "see what that server has against this machine",
			    "is there, and refuses to be asked (403)");
	else
		doctor_tell(doctor, DOCTOR_ERROR, uri,
			    "see the path (/wsman is usual), and that WinRM and not something else listens there",
			    "answers with %ld, and is no WS-Management endpoint", answer->code);
}

static const char *remedy_of(enum status status)
{
	if (status == STATUS_REFUSED)
		return "see that the certificate is good, and names this host; --probe-ca FILE names its authority";
	return "see the name and the port, that the host is up, and that no firewall stands between; or take the URI "
	       "out";
}

static void probe(struct doctor *doctor, const char *uri)
{
	struct error error = {.status = STATUS_OK};
	struct probe_answer answer;
	enum status status;

	doctor_print_progress(&doctor->print, doctor->check->doing);
	status = probe_identify(uri, doctor->probe_ca_file, TIMEOUT_MS, &answer, &error);
	if (status == STATUS_OK)
		tell_answer(doctor, uri, &answer);
	else
		doctor_tell_error(doctor, DOCTOR_ERROR, uri, &error, remedy_of(status));
}

/* Sites may share an endpoint. */
static bool was_probed(const struct config_redirect *redirect, size_t site, size_t number)
{
	for (size_t i = 0; i <= site; i++) {
		const struct config_site *earlier = &redirect->sites[i];
		const size_t count = i == site ? number : earlier->uri_count;

		for (size_t k = 0; k < count; k++)
			if (strcmp(earlier->uris[k], redirect->sites[site].uris[number]) == 0)
				return true;
	}
	return false;
}

void doctor_probe(struct doctor *doctor)
{
	const struct config_redirect *redirect = &doctor->config->redirect;
	size_t count = 0;

	if (!probe_is_built_in()) {
		doctor_tell(doctor, DOCTOR_NOT_TRIED, NULL, NULL, "not tried: this program was built without libcurl");
		return;
	}
	for (size_t i = 0; i < redirect->site_count; i++)
		for (size_t k = 0; k < redirect->sites[i].uri_count; k++)
			if (!was_probed(redirect, i, k) && count++ < MAX_PROBES)
				probe(doctor, redirect->sites[i].uris[k]);
	if (count > MAX_PROBES)
		doctor_tell(doctor, DOCTOR_NOT_TRIED, NULL, NULL, "not tried: %zu more endpoints than %d",
			    count - MAX_PROBES, MAX_PROBES);
}
