/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How soon a change counts. Threads ask the engine without a pause for people whose standing changes, and for others beside them;
 * one writer makes the changes: it revokes (from the directory's answer to the first deny), holds for a while, in
 * which no authorize may come LATE_MS after it, and grants back (to the first authorize).
 *
 *	revocation --config POLICY --deny-config POLICY --uri URI --root-dn DN --suffix SUFFIX [--kinds LIST]
 *	           [--repetitions N] [--threads N] [--hold MS] [--p99 MS] [--server ad]
 *
 * The password of --root-dn is in the environment: REVOCATION_PASSWORD. revocation.py makes the directory that this expects;
 * revocation_samba.py a domain controller (--server ad).
 *
 * Kinds: member (a member is taken out of a group, put back), account (it has expired, or is disabled), user (an entry is deleted, made
 * anew), nest (a group is taken out of
 * another, put back), group (a nested group is deleted, made anew), policy (the file gets a deny rule, loses it).
 *
 * Exit status 1: a kind had a p99 of --p99 (LIMIT_P99_MS) or more, a maximum of LIMIT_MAX_MS or more, a change that was never seen, or a late authorize.
 */
#include <bench/revocation_ask.h>
#include <bench/revocation_write.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_P99_MS 100
#define LIMIT_MAX_MS 1000.0
#define NS_PER_MS    1000000.0
/* Victims of a kind: they are revoked one behind the other, and the time in which they are held is the same for all. */
#define VICTIMS 10
/* People whose standing does not change, asked for as often: members, and strangers. */
#define STEADY 20
/* A change that nobody has seen by then counts as never seen; after so many of them the kind is given up. */
#define PATIENCE_MS 5000
#define MAX_NEVER   3

struct setup {
	const char *config, *deny_config, *uri, *root_dn, *suffix, *kinds, *server;
	unsigned repetitions, threads, hold_ms, p99_ms;
};

struct samples {
	double *ms;
	size_t count, room;
	unsigned never;
};

struct run {
	const struct setup *setup;
	struct writer *writer;
	struct victim victims[VICTIMS + STEADY];
	size_t victim_count;
	struct samples revoked, granted;
};

struct kind {
	const char *name, *revoke, *grant; /* names of its lines */
	size_t victims;
	void (*change)(struct run *run, const char *victim, bool is_granted);
};

/* The kinds. A victim's user, and his own group if he has one, have the same name. */

static void change_member(struct run *run, const char *victim, bool is_granted)
{
	writer_value(run->writer, writer_group(run->writer, "revocable"), "member", writer_person(run->writer, victim),
		     is_granted);
}

static void change_account(struct run *run, const char *victim, bool is_granted)
{
	writer_disable(run->writer, writer_person(run->writer, victim), !is_granted);
}

/* An entry that was made anew, back into the group that holds it. */
static void put_back(struct run *run, const char *group, const char *dn)
{
	if (writer_deletes_links(run->writer))
		writer_value(run->writer, writer_group(run->writer, group), "member", dn, true);
}

static void change_user(struct run *run, const char *victim, bool is_granted)
{
	const char *dn = writer_person(run->writer, victim);

	if (!is_granted) {
		writer_delete(run->writer, dn);
		return;
	}
	writer_make_person(run->writer, dn, victim);
	put_back(run, "mortals", dn);
}

static void change_nest(struct run *run, const char *victim, bool is_granted)
{
	char inner[512];

	(void)snprintf(inner, sizeof(inner), "%s", writer_group(run->writer, victim));
	writer_value(run->writer, writer_group(run->writer, "nests"), "member", inner, is_granted);
}

static void change_group(struct run *run, const char *victim, bool is_granted)
{
	char dn[512];

	(void)snprintf(dn, sizeof(dn), "%s", writer_group(run->writer, victim));
	if (!is_granted) {
		writer_delete(run->writer, dn);
		return;
	}
	writer_make_group(run->writer, dn, victim, writer_person(run->writer, victim));
	put_back(run, "deletables", dn);
}

/* Both are copies, so that what stands in the place of the policy is never one of them. */
static void change_policy(struct run *run, const char *victim, bool is_granted)
{
	char plain[4096];

	(void)victim;
	(void)snprintf(plain, sizeof(plain), "%s.plain", run->setup->config);
	writer_replace_file(run->setup->config, is_granted ? plain : run->setup->deny_config);
}

static const struct kind kinds[] = {
    {"member", "revoke", "grant", VICTIMS, change_member},
    {"account", "disable", "enable", VICTIMS, change_account},
    {"user", "delete-user", "make-user", VICTIMS, change_user},
    {"nest", "un-nest", "nest", VICTIMS, change_nest},
    {"group", "delete-group", "make-group", VICTIMS, change_group},
    {"policy", "policy-deny", "policy-allow", 1, change_policy},
};

/* Samples */

static void add_sample(struct samples *samples, uint64_t ns)
{
	if (ns == NEVER_NS) {
		samples->never++;
		return;
	}
	if (samples->count == samples->room) {
		samples->room = samples->room == 0 ? 64 : samples->room * 2;
		samples->ms = realloc(samples->ms, samples->room * sizeof(*samples->ms));
		if (samples->ms == NULL)
			abort();
	}
	samples->ms[samples->count++] = (double)ns / NS_PER_MS;
}

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

/* Sorted before. */
static double percentile(const struct samples *samples, unsigned percent)
{
	size_t rank = (samples->count * percent + 99) / 100;

	return samples->count > 0 ? samples->ms[rank > 0 ? rank - 1 : 0] : 0;
}

/* A round: each victim is revoked, all are held, each is granted back. */

static bool change_all(struct run *run, const struct kind *kind, bool is_granted, struct samples *samples)
{
	for (size_t i = 0; i < run->victim_count; i++) {
		struct victim *victim = &run->victims[i];

		victim_expect(victim, is_granted);
		kind->change(run, victim->name, is_granted);
		victim_changed(victim);
		add_sample(samples, victim_wait(victim, PATIENCE_MS));
		if (samples->never >= MAX_NEVER)
			return false;
	}
	return true;
}

static void run_rounds(struct run *run, const struct kind *kind)
{
	bool goes_on = true;

	for (unsigned done = 0; done < run->setup->repetitions && goes_on; done += (unsigned)run->victim_count) {
		goes_on = change_all(run, kind, false, &run->revoked);
		sleep_us(run->setup->hold_ms * 1000);
		goes_on = change_all(run, kind, true, &run->granted) && goes_on;
	}
}

static void name_victim(struct victim *victim, const char *kind, size_t number, bool is_wanted)
{
	(void)snprintf(victim->name, sizeof(victim->name), "%s-%02zu", kind, number);
	(void)snprintf(victim->sender, sizeof(victim->sender), "CORP\\%s-%02zu", kind, number);
	atomic_store(&victim->is_wanted, is_wanted);
}

static size_t name_victims(struct run *run, const struct kind *kind)
{
	run->victim_count = kind->victims;
	for (size_t i = 0; i < kind->victims; i++)
		name_victim(&run->victims[i], kind->name, i, true);
	for (size_t i = 0; i < STEADY; i++)
		name_victim(&run->victims[kind->victims + i], i % 2 == 0 ? "steady" : "stranger", i / 2, i % 2 == 0);
	return kind->victims + STEADY;
}

/* Everybody has been seen as he should be: the groups are loaded. */
static void settle(struct run *run, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct victim *victim = &run->victims[i];

		victim_expect(victim, atomic_load(&victim->is_wanted));
		victim_changed(victim);
		if (victim_wait(victim, PATIENCE_MS) == NEVER_NS) {
			(void)fprintf(stderr, "revocation: '%s' is not what he should be at the beginning\n",
				      victim->sender);
			exit(1);
		}
		atomic_store(&victim->longest_ns, 0);
		atomic_store(&victim->late, 0);
	}
}

/* Report */

struct tally {
	uint64_t late, errors, answers, steady_wrong;
	double longest_ms;
};

static struct tally add_up(struct run *run, size_t count)
{
	struct tally tally = {0};

	for (size_t i = 0; i < count; i++) {
		struct victim *victim = &run->victims[i];
		double longest_ms = (double)atomic_load(&victim->longest_ns) / NS_PER_MS;

		tally.late += atomic_load(&victim->late);
		tally.errors += atomic_load(&victim->errors);
		tally.answers += atomic_load(&victim->answers);
		if (i >= run->victim_count)
			tally.steady_wrong += longest_ms > 0 ? 1 : 0;
		else if (longest_ms > tally.longest_ms)
			tally.longest_ms = longest_ms;
	}
	return tally;
}

static bool print_line(const struct setup *setup, const char *name, struct samples *samples)
{
	bool is_good;

	if (samples->count > 0)
		qsort(samples->ms, samples->count, sizeof(*samples->ms), compare);
	is_good =
	    samples->never == 0 && percentile(samples, 99) < setup->p99_ms && percentile(samples, 100) < LIMIT_MAX_MS;
	(void)printf("%-14s %6zu %10.2f %10.2f %10.2f %7u   %s\n", name, samples->count, percentile(samples, 50),
		     percentile(samples, 99), percentile(samples, 100), samples->never,
		     is_good ? "ok" : "OVER THE LIMIT");
	return is_good;
}

static bool report(struct run *run, const struct kind *kind, size_t count)
{
	const struct tally tally = add_up(run, count);
	bool is_good = print_line(run->setup, kind->revoke, &run->revoked);

	is_good = print_line(run->setup, kind->grant, &run->granted) && is_good;
	(void)printf("%14s %llu answers, %llu errors; the last answer as before came %.1f ms after a change; "
		     "%llu late authorizes; %llu wrong about others\n",
		     "", (unsigned long long)tally.answers, (unsigned long long)tally.errors, tally.longest_ms,
		     (unsigned long long)tally.late, (unsigned long long)tally.steady_wrong);
	(void)fflush(stdout);
	return is_good && tally.late == 0 && tally.steady_wrong == 0;
}

static void write_log(void *context, enum wa_log_level level, const char *line)
{
	(void)context;
	(void)level;
	(void)fprintf(stderr, "%s\n", line);
}

static bool run_kind(const struct setup *setup, struct writer *writer, const struct kind *kind)
{
	const struct wa_options options = {.log = {.level = WA_LOG_ERROR, .write = write_log}, .dry_run = true};
	struct run *run = calloc(1, sizeof(*run));
	struct wa_engine *engine = NULL;
	struct wa_error error;
	struct askers *askers;
	size_t count;
	bool is_good;

	if (run == NULL)
		abort();
	run->setup = setup;
	run->writer = writer;
	count = name_victims(run, kind);
	if (!wa_engine_open(setup->config, &options, &engine, &error)) {
		(void)fprintf(stderr, "revocation: %s\n", error.what);
		exit(1);
	}
	askers = askers_start(engine, run->victims, count, setup->threads);
	settle(run, count);
	run_rounds(run, kind);
	askers_stop(askers);
	wa_engine_close(&engine);
	is_good = report(run, kind, count);
	free(run->revoked.ms);
	free(run->granted.ms);
	free(run);
	return is_good;
}

/* The command line */

static unsigned number_of(const char *word)
{
	char *end = NULL;
	long number = strtol(word, &end, 10);

	if (end == word || *end != '\0' || number < 1 || number > 1000000) {
		(void)fprintf(stderr, "revocation: '%s' is no number\n", word);
		exit(2);
	}
	return (unsigned)number;
}

static void read_words(int argc, char **argv, struct setup *setup)
{
	const struct {
		const char *name;
		const char **text;
		unsigned *number;
	} words[] = {{"--config", &setup->config, NULL},
		     {"--deny-config", &setup->deny_config, NULL},
		     {"--uri", &setup->uri, NULL},
		     {"--root-dn", &setup->root_dn, NULL},
		     {"--suffix", &setup->suffix, NULL},
		     {"--kinds", &setup->kinds, NULL},
		     {"--repetitions", NULL, &setup->repetitions},
		     {"--threads", NULL, &setup->threads},
		     {"--hold", NULL, &setup->hold_ms},
		     {"--p99", NULL, &setup->p99_ms},
		     {"--server", &setup->server, NULL}};

	for (int i = 1; i + 1 < argc; i += 2) {
		for (size_t j = 0; j < COUNT_OF(words); j++) {
			if (strcmp(argv[i], words[j].name) != 0)
				continue;
			if (words[j].text != NULL)
				*words[j].text = argv[i + 1];
			else
				*words[j].number = number_of(argv[i + 1]);
		}
	}
}

static bool is_chosen(const char *list, const char *name)
{
	size_t length = strlen(name);

	for (const char *at = list; *at != '\0'; at += strcspn(at, ",") + (at[strcspn(at, ",")] == ',' ? 1 : 0))
		if (strcspn(at, ",") == length && memcmp(at, name, length) == 0)
			return true;
	return false;
}

int main(int argc, char **argv)
{
	struct setup setup = {.kinds = "member,account,user,nest,group,policy",
			      .server = "",
			      .repetitions = 100,
			      .threads = 8,
			      .hold_ms = 1500,
			      .p99_ms = LIMIT_P99_MS};
	const char *password = getenv("REVOCATION_PASSWORD");
	struct writer *writer;
	bool is_good = true;

	read_words(argc, argv, &setup);
	if (setup.config == NULL || setup.deny_config == NULL || setup.uri == NULL || setup.root_dn == NULL ||
	    setup.suffix == NULL || password == NULL) {
		(void)fprintf(stderr, "usage: see revocation.c; by hand: revocation.py\n");
		return 2;
	}
	writer = writer_open(setup.uri, setup.root_dn, password, setup.suffix, strcmp(setup.server, "ad") == 0);
	(void)printf("%-14s %6s %10s %10s %10s %7s\n", "change", "n", "p50 ms", "p99 ms", "max ms", "never");
	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		if (is_chosen(setup.kinds, kinds[i].name))
			is_good = run_kind(&setup, writer, &kinds[i]) && is_good;
	writer_close(writer);
	return is_good ? 0 : 1;
}
