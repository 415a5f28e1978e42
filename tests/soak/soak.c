/* SPDX-License-Identifier: Apache-2.0 */
/*
 * soak PLUGIN STANDIN SYNCHRONOUS-POLICY ASYNCHRONOUS-POLICY LOG SENDERS ACTORS PEOPLE REQUESTS RATE THREADS SEED
 *
 * A host with two applications in one process, each with THREADS threads that ask, and a log of every call (soak_log.h). conduct.py
 * makes the directories, the files and the faults, and says by lines on standard input what happens to this process:
 *
 *	go                   start asking              quiet                pause, wait for what is owed, show what this process has
 *	resume               ask again                 count                show how far it is
 *	memory N             of the plug-in's allocations N of a thousand fail
 *	descriptors N | off  N more may be opened      clock SECONDS        the wall clock is so far off
 *	application          one more application starts and stops
 *	end                  all threads end, both applications stop, show what this process has left
 *
 * Each is answered by one line: a word, and name=value pairs.
 */
#include <host/host.h>
#include <inttypes.h>
#include <soak/soak_ask.h>
#include <soak/soak_calls.h>
#include <soak/soak_log.h>
#include <soak/soak_machine.h>
#include <soak/soak_senders.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Requests with which everything that is made once is made, before anything is measured. */
#define FIRST_REQUESTS 200
/* After the last completion, until everything that ends by itself has ended. */
#define SETTLE_MS     300
#define OWED_LIMIT_MS 15000

enum { ARGUMENTS = 13 };

struct soak {
	const char *plugin, *policies[2];
	struct plugin_file file;
	struct application applications[2];
	struct ask_plan plan;
	uint64_t refused_startups;
	bool is_asking;
};

static uint64_t number_of(const char *word)
{
	char *end = NULL;
	uint64_t number = strtoull(word, &end, 10);

	expect(end != word && *end == '\0');
	return number;
}

static void start_both(struct soak *soak)
{
	for (uint8_t i = 0; i < 2; i++) {
		struct application *application = &soak->applications[i];

		*application = (struct application){.file = &soak->file, .is_asynchronous = i == 1, .number = i};
		expect(host_start(&soak->file, soak->policies[i], &application->context) == 0);
	}
}

static void stop_both(struct soak *soak)
{
	for (size_t i = 0; i < 2; i++)
		expect(soak->file.shutdown(soak->applications[i].context, 0, 0) == 0);
}

static void ask_first(struct soak *soak)
{
	uint64_t random = soak->plan.seed + 1;

	for (uint64_t number = 0; number < FIRST_REQUESTS; number++)
		calls_ask(&soak->applications[number % 2], (enum call_kind)(number % CALL_KINDS),
			  soak_senders_pick(&random), number);
	expect(calls_wait_all(OWED_LIMIT_MS));
	calls_release();
}

static void show_machine(const char *word)
{
	struct machine_figures machine;
	struct calls_figures calls;

	host_sleep_ms(SETTLE_MS);
	machine = machine_figures();
	calls = calls_figures();
	(void)printf("%s made=%" PRIu64 " completed=%" PRIu64 " extra=%" PRIu64 " off_contract=%" PRIu64
		     " heap=%" PRIu64 " resident_kb=%" PRIu64 " descriptors=%zu threads=%zu\n",
		     word, calls.made, calls.completed, calls.extra, calls.off_contract, machine.heap_bytes,
		     machine.resident_kb, machine.descriptors, machine.threads);
}

/* An application that comes and goes while others work; with what is broken just then it may be refused. */
static void start_another(struct soak *soak)
{
	PVOID context = NULL;

	if (host_start(&soak->file, soak->policies[0], &context) != 0)
		soak->refused_startups++;
	else
		expect(soak->file.shutdown(context, 0, 0) == 0);
}

static void end(struct soak *soak)
{
	if (soak->is_asking)
		ask_join();
	(void)calls_wait_all(OWED_LIMIT_MS);
	stop_both(soak);
	calls_release();
	show_machine("ended");
}

static void show_count(const struct soak *soak)
{
	struct calls_figures calls = calls_figures();

	(void)printf("count made=%" PRIu64 " completed=%" PRIu64 " memory_failures=%" PRIu64
		     " refused_startups=%" PRIu64 "\n",
		     calls.made, calls.completed, machine_memory_failures(), soak->refused_startups);
}

/* Who has a number already asks all the same. */
static void wait_for_those_on_their_way(void)
{
	while (calls_figures().made < FIRST_REQUESTS + ask_count())
		host_sleep_ms(1);
}

/* False: that was the end. */
static bool obey(struct soak *soak, const char *word, const char *value)
{
	if (strcmp(word, "count") == 0) {
		show_count(soak);
		return true;
	}
	if (strcmp(word, "quiet") == 0) {
		ask_pause();
		wait_for_those_on_their_way();
		(void)calls_wait_all(OWED_LIMIT_MS);
		show_machine("quiet");
		return true;
	}
	if (strcmp(word, "end") == 0) {
		end(soak);
		return false;
	}
	if (strcmp(word, "go") == 0) {
		ask_start(&soak->plan, soak->applications);
		soak->is_asking = true;
	} else if (strcmp(word, "resume") == 0) {
		ask_resume();
	} else if (strcmp(word, "memory") == 0) {
		machine_fail_memory(soak->plugin, (unsigned)number_of(value));
	} else if (strcmp(word, "descriptors") == 0) {
		machine_limit_descriptors(strcmp(value, "off") != 0,
					  strcmp(value, "off") != 0 ? (unsigned)number_of(value) : 0);
	} else if (strcmp(word, "clock") == 0) {
		machine_shift_clock(strtoll(value, NULL, 10));
	} else if (strcmp(word, "application") == 0) {
		start_another(soak);
	} else {
		host_fail(__FILE__, __LINE__, word);
	}
	(void)printf("done\n");
	return true;
}

static void read_words(char **argv, struct soak *soak, struct scenario *scenario)
{
	scenario->plugin_path = soak->plugin = argv[1];
	scenario->standin_path = argv[2];
	soak->policies[0] = argv[3];
	soak->policies[1] = argv[4];
	soak->plan = (struct ask_plan){.first = FIRST_REQUESTS,
				       .requests = number_of(argv[9]) - FIRST_REQUESTS,
				       .rate = (unsigned)number_of(argv[10]),
				       .threads = (unsigned)number_of(argv[11]),
				       .seed = number_of(argv[12])};
	soak_log_open(argv[5], number_of(argv[9]));
	soak_senders_open(argv[6], (uint32_t)number_of(argv[7]), (uint32_t)number_of(argv[8]));
}

int main(int argc, char **argv)
{
	struct soak soak = {.is_asking = false};
	struct scenario scenario = {.plugin_path = NULL};
	char line[128];

	if (argc != ARGUMENTS) {
		(void)fprintf(stderr, "soak: to be started by conduct.py\n");
		return 2;
	}
	read_words(argv, &soak, &scenario);
	host_load(&scenario, &soak.file);
	start_both(&soak);
	ask_first(&soak);
	stop_both(&soak);
	show_machine("before");
	start_both(&soak);
	(void)fflush(stdout);
	while (fgets(line, sizeof(line), stdin) != NULL) {
		char word[32] = "", value[32] = "";

		(void)sscanf(line, "%31s %31s", word, value); /* NOLINT(cert-err34-c): words, no numbers */
		if (!obey(&soak, word, value))
			break;
		(void)fflush(stdout);
	}
	soak_log_close();
	soak_senders_close();
	return 0;
}
