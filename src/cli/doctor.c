/* SPDX-License-Identifier: Apache-2.0 */
#include <base/ascii.h>
#include <cli/arguments.h>
#include <cli/command.h>
#include <cli/console.h>
#include <cli/doctor_check.h>
#include <cli/doctor_host.h>
#include <os/log_sink.h>

/* Of the users that are looked at for their sites; more, and the line says that there are. */
#define DEFAULT_USER_LIMIT 100000
#define MAX_USER_LIMIT     UINT64_C(1000000000)

static const struct doctor_check checks[] = {
    {"identity", "host", "looking who we are", DOCTOR_STAGE_START, doctor_has_windows_host, doctor_host_identity},
    {"event-source", "host", "looking at the Event Log", DOCTOR_STAGE_START, doctor_has_windows_host,
     doctor_host_events},
    {"iis", "host", "looking at IIS", DOCTOR_STAGE_START, doctor_has_windows_host, doctor_host_iis},

    {"policy-file", "policy", "reading the policy", DOCTOR_STAGE_START, NULL, doctor_policy_file},
    {"policy-folder", "policy", "looking at folders", DOCTOR_STAGE_POLICY, NULL, doctor_policy_folder},
    {"bind-secret", "policy", "looking at the secret", DOCTOR_STAGE_POLICY, NULL, doctor_policy_secret},
    {"default-domain", "policy", "reading the policy", DOCTOR_STAGE_POLICY, NULL, doctor_policy_default_domain},

    {"servers", "servers", "looking for servers", DOCTOR_STAGE_POLICY, NULL, doctor_locate},
    {"dns", "servers", "connecting", DOCTOR_STAGE_POLICY, NULL, doctor_network_dns},
    {"tcp", "servers", "connecting", DOCTOR_STAGE_POLICY, NULL, doctor_network_tcp},
    {"tls", "servers", "connecting", DOCTOR_STAGE_POLICY, NULL, doctor_tls},
    {"tls-expiry", "servers", "connecting", DOCTOR_STAGE_POLICY, NULL, doctor_tls_expiry},
    {"bind", "servers", "connecting", DOCTOR_STAGE_POLICY, NULL, doctor_bind},

    {"server-type", "directory", "asking what the server is", DOCTOR_STAGE_CONNECTED, NULL, doctor_directory_type},
    {"functional-level", "directory", "asking what the server is", DOCTOR_STAGE_CONNECTED, doctor_is_active_directory,
     doctor_forest_levels},
    {"domain", "directory", "reading the forest", DOCTOR_STAGE_CONNECTED, doctor_is_active_directory,
     doctor_forest_domains},
    {"trust", "directory", "reading the forest", DOCTOR_STAGE_CONNECTED, doctor_has_forest, doctor_forest_trusts},
    {"site", "directory", "asking for the site", DOCTOR_STAGE_CONNECTED, doctor_has_forest, doctor_site},
    {"base", "directory", "looking for the base", DOCTOR_STAGE_CONNECTED, NULL, doctor_directory_base},
    {"users", "directory", "looking for users", DOCTOR_STAGE_BASE, NULL, doctor_access_users},
    {"passwords-hidden", "directory", "looking for passwords", DOCTOR_STAGE_BASE, NULL, doctor_access_passwords},
    {"account-state", "directory", "looking at the state of accounts", DOCTOR_STAGE_BASE, NULL, doctor_access_account},
    {"listing", "directory", "listing the groups", DOCTOR_STAGE_BASE, NULL, doctor_directory_listing},
    {"index", "directory", "timing searches", DOCTOR_STAGE_BASE, NULL, doctor_directory_indexes},

    {"groups", "groups", "reading the groups of the policy", DOCTOR_STAGE_BASE, NULL, doctor_groups_read},
    {"group", "groups", "counting members", DOCTOR_STAGE_GROUPS, NULL, doctor_groups_each},
    {"token-groups", "groups", "comparing tokens", DOCTOR_STAGE_GROUPS, doctor_has_forest, doctor_tokens},
    {"member-index", "groups", "counting members", DOCTOR_STAGE_GROUPS, NULL, doctor_groups_index},

    {"mark", "watch", "looking at the server's mark", DOCTOR_STAGE_GROUPS, NULL, doctor_watch_mark},
    {"watch", "watch", "trying a watch", DOCTOR_STAGE_GROUPS, NULL, doctor_watch},
    {"clock", "watch", "comparing clocks", DOCTOR_STAGE_CONNECTED, NULL, doctor_clock},

    {"redirect-attribute", "redirect", "looking at redirects", DOCTOR_STAGE_CONNECTED, doctor_redirect_has_attribute,
     doctor_redirect_attribute},
    {"redirect-users", "redirect", "looking at users' sites", DOCTOR_STAGE_BASE, doctor_redirect_has_attribute,
     doctor_redirect_users},
    {"redirect-empty", "redirect", "looking at users without a site", DOCTOR_STAGE_GROUPS,
     doctor_redirect_has_attribute, doctor_redirect_empty},
    {"redirect-probe", "redirect", "asking the endpoints", DOCTOR_STAGE_POLICY, doctor_probe_is_wanted, doctor_probe},
};

static void run_check(struct doctor *doctor, const struct doctor_check *check)
{
	doctor->check = check;
	if (check->is_wanted != NULL && !check->is_wanted(doctor))
		return;
	if (doctor->stage < check->needs) {
		doctor_tell(doctor, DOCTOR_NOT_TRIED, NULL, NULL, "not tried: %s", doctor->blocked);
		return;
	}
	doctor_print_progress(&doctor->print, check->doing);
	check->run(doctor);
}

static void close_all(struct doctor *doctor)
{
	doctor_groups_close(doctor);
	for (size_t i = 0; i < doctor->server_count; i++)
		dir_conn_close(&doctor->servers[i].conn);
	if (doctor->sample.arena != NULL)
		dir_search_done(&doctor->sample);
	dir_servers_unref(&doctor->found);
	dir_forest_unref(&doctor->forest);
	config_unref(&doctor->config);
	arena_free(&doctor->arena);
}

static int exit_status_of(const struct doctor_print *print)
{
	if (print->status != STATUS_OK && print->status != STATUS_CANCELLED) {
		console_complain(&print->error);
		return EXIT_FAILED;
	}
	if (print->counts[DOCTOR_ERROR] > 0)
		return EXIT_FAILED;
	return print->counts[DOCTOR_WARNING] > 0 ? EXIT_DENIED : EXIT_DONE;
}

static enum status read_limit(const char *word, uint64_t *limit, struct error *error)
{
	uint64_t value = 0;

	if (word == NULL)
		return STATUS_OK;
	for (const char *at = word; *at != '\0'; at++) {
		if (!ascii_is_digit(*at) || value > MAX_USER_LIMIT)
			value = MAX_USER_LIMIT + 1;
		else
			value = value * 10 + (uint64_t)(*at - '0');
	}
	if (value == 0 || value > MAX_USER_LIMIT)
		return error_set(error, STATUS_INVALID, "'--limit %s': not a number from 1 to %llu", word,
				 (unsigned long long)MAX_USER_LIMIT);
	*limit = value;
	return STATUS_OK;
}

static enum status read_log(const char *word, struct log *log, struct error *error)
{
	if (word == NULL) /* what goes wrong is told by the checks */
		return STATUS_OK;
	if (!log_level_parse(word, &log->level)) {
		error_set(error, STATUS_INVALID, "'%s' is no log level", word);
		return error_hint(error, STATUS_INVALID, "one of error, warning, info, debug");
	}
	log->write = log_sink_stderr;
	return STATUS_OK;
}

static enum status start(struct doctor *doctor, const struct arguments *arguments, struct error *error)
{
	enum status status = STATUS_OK;

	if (arguments->operand_count > 0)
		status = error_set(error, STATUS_INVALID, "doctor takes no operand: '%s'", arguments->operands[0]);
	if (status == STATUS_OK)
		status = read_limit(arguments_value(arguments, "--limit"), &doctor->user_limit, error);
	if (status == STATUS_OK)
		status = read_log(arguments_value(arguments, "--log-level"), &doctor->log, error);
	if (status != STATUS_OK)
		return error_hint(error, status, "see 'wsmauthz doctor --help'");
	doctor->policy_path = arguments_policy(arguments);
	doctor->probes = arguments_has(arguments, "--probe");
	doctor->probe_ca_file = arguments_value(arguments, "--probe-ca");
	doctor->arena = arena_new(DOCTOR_MAX_BYTES);
	return doctor->arena == NULL ? error_no_memory(error) : STATUS_OK;
}

static int run(const struct arguments *arguments)
{
	struct doctor doctor = {.user_limit = DEFAULT_USER_LIMIT};
	struct error error = {.status = STATUS_OK};

	if (start(&doctor, arguments, &error) != STATUS_OK) {
		console_complain(&error);
		return error.status == STATUS_INVALID ? EXIT_USAGE : EXIT_FAILED;
	}
	doctor_print_begin(&doctor.print, arguments_has(arguments, "--json"));
	dir_conn_prepare_process();
	for (size_t i = 0; i < COUNT_OF(checks) && doctor.print.status == STATUS_OK; i++)
		run_check(&doctor, &checks[i]);
	doctor_print_end(&doctor.print);
	close_all(&doctor);
	return exit_status_of(&doctor.print);
}

static const struct option options[] = {
    {"--limit", "N", "Look at so many users at most for their sites. Default: 100000."},
    {"--probe", NULL, "Ask each redirect URI whether a WinRM endpoint is there (Identify; nobody is named)."},
    {"--probe-ca", "FILE", "Authorities (PEM) of the certificates of these endpoints. Default: the system's."},
};

const struct command command_doctor = {
    .name = "doctor",
    .operands = "",
    .summary = "Check all that must be true for the policy to work.",
    .help =
	"Checks one after the other what the policy needs: the file itself, the servers (address, connection, TLS,\n"
	"bind), what the account may see there, limits and indexes, each configured group, whether changes are\n"
	"told, and redirects. Each line is ok, warning or error; below it stands what to do:\n"
	"\n"
	"  warning    index             uid: a search by it takes 84.2 ms, a read 0.2 ms, so it has no index\n"
	"                               -> slapd.conf: index uid eq; then slapindex, or let cn=config do it\n"
	"\n"
	"What could not be tried, because something before it failed, says so. Nothing is written to the directory\n"
	"and nobody is let in. With --json: one object a line, with id, group, level, subject, text, remedy.\n"
	"\n"
	"Exit status: 0 all is ok; 1 there are warnings; 3 there are errors; 2 the command line is unusable.",
    .options = options,
    .option_count = COUNT_OF(options),
    .run = run,
};
