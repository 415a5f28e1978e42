/* SPDX-License-Identifier: Apache-2.0 */
/*
 * This machine's clock and the server's: accounts and certificates end by the one, tickets want both to agree. A domain controller
 * tells its time (MS-ADTS 3.1.1.3.2: currentTime); of another server only this is known: what it has written it wrote in the past.
 */
#include <cli/doctor_groups.h>
#include <os/clock.h>
#include <policy/account.h>
#include <string.h>

/* More is wrong with somebody's clock, and not yet too much for Kerberos, which takes 5 minutes. */
#define SKEW_S 60

#define REMEDY "let this machine and the server take their time from the same source (chrony, ntpd, w32time)"

/* The last digits of a contextCSN that count: "20261124123000.000000Z#...". */
#define SECONDS_DIGITS 14

static bool read_server_time(struct doctor *doctor, int64_t *server_s_out)
{
	static const char *const attributes[] = {"currentTime", NULL};
	const struct dir_value *value = NULL;
	struct dir_search search;
	bool is_told;

	if (!doctor_search(doctor, &search, "", DIR_SCOPE_BASE, "(objectClass=*)", attributes))
		return false;
	if (doctor_ask(doctor, &search, 1) && search.entries != NULL)
		value = dir_entry_single(search.entries, "currentTime");
	is_told = value != NULL && account_parse_time(value->data, server_s_out);
	dir_search_done(&search);
	return is_told;
}

/* Seconds of the newest value of a mark that is made of contextCSN. */
static bool read_last_change(const char *mark, int64_t *change_s_out)
{
	bool is_told = false;

	for (const char *at = mark; at != NULL; at = strchr(at, ' ')) {
		char text[SECONDS_DIGITS + 2] = {0};
		int64_t change_s;

		at += *at == ' ';
		if (strlen(at) < SECONDS_DIGITS)
			break;
		memcpy(text, at, SECONDS_DIGITS);
		text[SECONDS_DIGITS] = 'Z';
		if (!account_parse_time(text, &change_s))
			continue;
		if (!is_told || change_s > *change_s_out)
			*change_s_out = change_s;
		is_told = true;
	}
	return is_told;
}

static void tell_skew(struct doctor *doctor, long long skew_s)
{
	if (skew_s > SKEW_S || skew_s < -SKEW_S)
		doctor_tell(
		    doctor, DOCTOR_WARNING, doctor->server->uri, REMEDY,
		    "the server's clock is %lld s %s this machine's: accounts end too %s, and Kerberos allows 300 s",
		    skew_s < 0 ? -skew_s : skew_s, skew_s < 0 ? "behind" : "ahead of", skew_s < 0 ? "early" : "late");
	else
		doctor_tell(doctor, DOCTOR_OK, doctor->server->uri, NULL,
			    "the server's clock and this machine's differ by %lld s at most",
			    (skew_s < 0 ? -skew_s : skew_s) + 1);
}

void doctor_clock(struct doctor *doctor)
{
	const struct doctor_groups *groups = doctor->groups;
	int64_t server_s = 0;

	if (read_server_time(doctor, &server_s)) {
		tell_skew(doctor, (long long)(server_s - clock_wall_s()));
		return;
	}
	if (groups == NULL || !read_last_change(groups->csn, &server_s)) {
		doctor_tell(doctor, DOCTOR_NOT_TRIED, doctor->server->uri, NULL,
			    "not tried: the server does not tell its time");
		return;
	}
	if (server_s > clock_wall_s() + SKEW_S)
		doctor_tell(
		    doctor, DOCTOR_WARNING, doctor->server->uri, REMEDY,
		    "the directory was changed %lld s from now: this machine's clock is behind, or the server's ahead",
		    (long long)(server_s - clock_wall_s()));
	else
		doctor_tell(doctor, DOCTOR_OK, doctor->server->uri, NULL,
			    "the server does not tell its time, but nothing there is from this machine's future");
}
