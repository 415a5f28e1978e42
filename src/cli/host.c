/* SPDX-License-Identifier: Apache-2.0 */
/* `host`: a plug-in file, treated as IIS-hosted WinRM would treat it. */
#include <base/json.h>
#include <cli/command.h>
#include <cli/console.h>
#include <cli/host_http.h>
#include <cli/host_listen.h>
#include <cli/host_login.h>
#include <cli/host_options.h>
#include <cli/host_run.h>
#include <cli/host_source.h>

static void add_sum(struct text *text, struct text *members, const struct host_run *run)
{
	const struct host_calls *calls = &run->session->calls;
	const struct {
		const char *member, *words;
		size_t number;
	} counts[] = {
	    {"steps", "steps", run->steps},
	    {"calls", "calls", calls->made},
	    {"completed", "completed", calls->completed},
	    {"missing", "not completed", calls->missing},
	    {"twice", "completed twice", calls->twice},
	    {"strange", "for no call", calls->strange},
	    {"malformed", "malformed", calls->malformed},
	    {"met", "expectations met", run->met},
	    {"unmet", "not met", run->unmet},
	};

	for (size_t i = 0; i < COUNT_OF(counts); i++) {
		text_printf(text, "%s%zu %s", i > 0 ? ", " : "", counts[i].number, counts[i].words);
		json_number(members, counts[i].member, counts[i].number);
	}
}

/* What goes wrong in Shutdown, behind this line, has lines of its own, and the exit status tells it. */
static void tell_sum(struct host_run *run)
{
	struct text text, members;

	text_init(&text);
	text_init(&members);
	add_sum(&text, &members, run);
	host_trace_add(
	    &run->session->trace,
	    &(struct host_event){.name = "sum", .is_important = true, .text = text_string(&text), .members = &members});
	text_done(&text);
	text_done(&members);
}

static enum status run_script(struct host_session *session, const struct host_source *source, bool *is_met,
			      struct error *error)
{
	struct host_run run;
	enum status status = host_run_init(&run, session, error);

	if (status != STATUS_OK)
		return status;
	status = host_source_run(source, host_run_block, &run, error);
	tell_sum(&run);
	*is_met = run.unmet == 0;
	host_run_done(&run);
	return status;
}

static int exit_status_of(enum status status, bool is_as_expected, const struct error *error)
{
	if (status != STATUS_OK && status != STATUS_CANCELLED)
		console_complain(error);
	if (status == STATUS_INVALID)
		return EXIT_USAGE;
	if (status != STATUS_OK && status != STATUS_CANCELLED)
		return EXIT_FAILED;
	/* When the reader of the trace has gone, not all was done. */
	return is_as_expected && status == STATUS_OK ? EXIT_DONE : EXIT_DENIED;
}

/* What could not even begin is a matter of the command line, the script, the plug-in or the policy. */
static int refuse(enum status status, const struct error *error)
{
	console_complain(error);
	return status == STATUS_NO_MEMORY ? EXIT_FAILED : EXIT_USAGE;
}

static int replay(const struct host_options *options, const struct host_source *source)
{
	struct error error = {.status = STATUS_OK};
	struct host_session session;
	bool is_met = false, is_clean;
	enum status status = host_session_open(&session, &options->session, &error);

	if (status != STATUS_OK)
		return refuse(status, &error);
	status = run_script(&session, source, &is_met, &error);
	is_clean = host_session_close(&session);
	return exit_status_of(status, is_met && is_clean, &error);
}

static int run_replay(const struct host_options *options)
{
	struct error error = {.status = STATUS_OK};
	struct host_source source;
	enum status status = host_source_open(options->script, &source, &error);
	int exit_status;

	if (status != STATUS_OK)
		return refuse(status, &error);
	exit_status = replay(options, &source);
	host_source_close(&source);
	return exit_status;
}

/* How the plug-in behaved is the trace's to tell, and the exit status's. */
static int run_listen(const struct host_options *options)
{
	struct error error = {.status = STATUS_OK};
	struct host_session session;
	struct host_front front = {.session = &session};
	bool is_clean;
	enum status status = host_login_open(options->listen_policy, &front.login, &error);

	if (status == STATUS_OK)
		status = host_session_open(&session, &options->session, &error);
	if (status != STATUS_OK) {
		host_login_close(&front.login);
		return refuse(status, &error);
	}
	status = host_listen(&front, &options->listen, &error);
	is_clean = host_session_close(&session);
	host_login_close(&front.login);
	return exit_status_of(status, is_clean, &error);
}

static int run(const struct arguments *arguments)
{
	struct error error = {.status = STATUS_OK};
	struct host_options options;
	enum status status = host_options_read(arguments, &options, &error);

	if (status != STATUS_OK)
		return refuse(status, &error);
	return options.listen.address != NULL ? run_listen(&options) : run_replay(&options);
}

const struct command command_host = {
    .name = "host",
    .operands = "--plugin FILE",
    .summary = "Load a plug-in file as WinRM would, and replay a script of users and operations.",
    .help =
	"Loads the plug-in FILE (wsmauthz.so, wsmauthz.dll), starts it as WinRM in IIS does (the policy of --config "
	"is\n"
	"handed over as WinRM's configuration would), and does what a script says, keeping user records as WinRM "
	"does.\n"
	"Each call of the plug-in and each completion is a line, with its time and its thread. A script has a step a "
	"line:\n"
	"\n"
	"  connect CORP\\alice                  a connection: the user is authorized, unless a user record lets it in\n"
	"  expect authorize                    of the step before: authorize [administrator] [remembered], deny,\n"
	"                                      redirect [URI], error [CODE], quota SHELLS OPERATIONS [NUMBER SECONDS]\n"
	"  operate CORP\\alice action URI       an operation; also: resource URI\n"
	"  quota CORP\\alice                    asks for the user's quota\n"
	"  refresh CORP\\alice times 1000       authorizes anew, whatever the record says; as often as said\n"
	"  leave CORP\\alice                    the user's record times out now\n"
	"  wait 500ms                          records time out meanwhile\n"
	"  together ... end                    the steps between, each user on a thread of its own\n"
	"  # a comment; a name with blanks stands in \"quotation marks\"\n"
	"\n"
	"Behind a name: mechanism NAME (default: Negotiate), url URL, times N, token none; of a client certificate: "
	"subject DN,\n"
	"issuer DN, thumbprint HEX, subject-name NAME.\n"
	"\n"
	"With --listen it is an HTTP endpoint instead, as IIS with WinRM would be at this step: Basic credentials are "
	"tried by a bind to\n"
	"the policy's directory, then the plug-in is asked, and the client gets a redirect, a fault, or the answer to "
	"Identify.\n"
	"\n"
	"Exit status: 0 all went as expected; 1 an expectation was not met, or a call was not completed exactly once "
	"and in\n"
	"good form; 2 the command line, the script, the plug-in or the policy is unusable; 3 the program itself "
	"failed.",
    .options = host_option_list,
    .option_count = HOST_OPTION_COUNT,
    .run = run,
};
