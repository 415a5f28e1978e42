/* SPDX-License-Identifier: Apache-2.0 */
#include <cli/doctor_groups.h>
#include <directory/dir_mark.h>
#include <directory/dir_watch.h>
#include <os/clock.h>

/* On top of the policy's timeout, which is that of one answer: a watch connects, binds, reads and asks. */
#define WATCH_PATIENCE 4
#define MS_PER_S       1000

#define REMEDY_SYNCPROV                                                                                                \
	"slapd.conf, for this database: moduleload syncprov; overlay syncprov; syncprov-checkpoint 100 10; "           \
	"syncprov-sessionlog 10000"

void doctor_watch_mark(struct doctor *doctor)
{
	const struct doctor_groups *groups = doctor->groups;

	uint64_t usn;

	if (groups->csn != NULL && dir_mark_usn(groups->csn, &usn))
		doctor_tell(doctor, DOCTOR_OK, doctor->server->uri, NULL, "highestCommittedUSN is %llu",
			    (unsigned long long)usn);
	else if (groups->csn_stands_still)
		doctor_tell(doctor, DOCTOR_WARNING, groups->csn_base, REMEDY_SYNCPROV,
			    "contextCSN stands still: a group is newer, so nobody keeps it, and it proves nothing");
	else if (groups->is_unmarked)
		doctor_tell(doctor, DOCTOR_OK, groups->csn_base, NULL,
			    "there is no contextCSN, and it is not needed: a persistent search and who the server is "
			    "take its place");
	else if (groups->csn == NULL)
		doctor_tell(
		    doctor, DOCTOR_WARNING, groups->csn_base, REMEDY_SYNCPROV,
		    "there is no contextCSN for all the groups, or the account may not read it: changes cannot be "
		    "noticed");
	else if (groups->csn_is_doubtful)
		doctor_tell(doctor, DOCTOR_WARNING, groups->csn_base, REMEDY_SYNCPROV,
			    "contextCSN is %s, but the server offers no RFC 4533, so perhaps nobody keeps it",
			    groups->csn);
	else
		doctor_tell(doctor, DOCTOR_OK, groups->csn_base, NULL, "contextCSN is %s, and no group is newer",
			    groups->csn);
}

struct trial {
	struct mutex lock; /* guards: is_over, kind, means, error, which is empty while nothing was lost */
	struct condition ended;
	bool is_over;
	enum dir_watch_kind kind; /* UP is the first, but for LOST and UNSUPPORTED */
	enum dir_watch_means means;
	struct error error;
};

/* On the executor. */
static void heard(void *context, const struct dir_watch_event *event)
{
	struct trial *trial = context;

	mutex_lock(&trial->lock);
	if (!trial->is_over) {
		/* LOST: it goes on by itself, with the next server perhaps. */
		trial->is_over = event->kind != DIR_WATCH_LOST;
		trial->kind = event->kind;
		trial->means = event->means;
		if (event->error != NULL)
			trial->error = *event->error;
		condition_signal(&trial->ended);
	}
	mutex_unlock(&trial->lock);
}

/* False: nothing was heard in time. */
static bool await(struct doctor *doctor, struct trial *trial)
{
	const uint64_t due_ms = clock_monotonic_ms() + doctor->directory->timeout_ms * WATCH_PATIENCE;
	bool is_over;

	mutex_lock(&trial->lock);
	while (!trial->is_over && clock_monotonic_ms() < due_ms) {
		(void)condition_wait_until(&trial->ended, &trial->lock, clock_monotonic_ms() + DOCTOR_TICK_MS);
		doctor_print_progress(&doctor->print, doctor->check->doing);
	}
	is_over = trial->is_over;
	trial->is_over = true; /* what is told from now on is not taken */
	mutex_unlock(&trial->lock);
	return is_over;
}

/* What is done instead. */
static const char *instead(struct doctor *doctor)
{
	unsigned long long ttl_ms = (unsigned long long)doctor->config->cache.unwatched_ttl_ms;

	return doctor_text(doctor,
			   doctor->groups->csn != NULL
			       ? "contextCSN is asked for instead, and what is known is used for %llu ms after "
				 "(cache/@unwatched-ttl)"
			       : "what is known is used for %llu ms (cache/@unwatched-ttl), then read again",
			   ttl_ms);
}

static const char *limits_remedy(struct doctor *doctor)
{
	const char *dn = doctor->directory->bind_dn;

	return doctor_text(doctor, "%s; and limits dn.exact=\"%s\" size=unlimited time=unlimited", REMEDY_SYNCPROV,
			   dn != NULL ? dn : "the account's DN");
}

static void tell(struct doctor *doctor, struct trial *trial)
{
	if (!await(doctor, trial) && trial->error.what[0] == '\0') {
		doctor_tell(doctor, DOCTOR_WARNING, NULL, "see the server's log, and what stands between",
			    "no watch came up in time; %s", instead(doctor));
		return;
	}
	switch (trial->kind) {
	case DIR_WATCH_UP:
	case DIR_WATCH_CHANGE:
	case DIR_WATCH_MARK:
	case DIR_WATCH_UNSEEN:
	case DIR_WATCH_CURRENT:
		doctor_tell(doctor, DOCTOR_OK, NULL, NULL,
			    "%s; what is known is used for %llu s (cache/@ttl), and no longer once it has changed",
			    dir_watch_means_text(trial->means),
			    (unsigned long long)(doctor->config->cache.ttl_ms / MS_PER_S));
		break;
	case DIR_WATCH_LOST:
		doctor_tell(doctor, DOCTOR_WARNING, NULL, "see the server's log, its limits and its access rules",
			    "no watch comes up: %s; %s", trial->error.what, instead(doctor));
		break;
	case DIR_WATCH_UNSUPPORTED:
		doctor_tell(doctor, DOCTOR_WARNING, NULL, limits_remedy(doctor),
			    "the directory does not tell of its changes: %s; %s", trial->error.what, instead(doctor));
		break;
	}
}

static void try_watch(struct doctor *doctor)
{
	static const char *const attributes[] = {"objectClass", NULL};
	struct trial trial = {.is_over = false};
	struct dir_watch *watch = NULL;
	struct error error = {.status = STATUS_OK};

	mutex_init(&trial.lock);
	condition_init(&trial.ended);
	if (dir_watch_open(doctor->directory, attributes, doctor->groups->executor, &doctor->log, heard, &trial, &watch,
			   &error) == STATUS_OK)
		dir_watch_follow(watch, dir_pool_locator(doctor->groups->pool));
	if (watch != NULL && dir_watch_begin(watch, doctor->groups->csn_base) != STATUS_OK)
		(void)error_no_memory(&error);
	if (error.status != STATUS_OK)
		doctor_tell_error(doctor, DOCTOR_ERROR, NULL, &error, "see this machine's limits");
	else
		tell(doctor, &trial);
	/* The executor outlives it, and with it what was posted to tell. */
	if (watch != NULL)
		dir_watch_stop(watch);
	doctor_groups_drain(doctor);
	dir_watch_close(&watch);
	condition_done(&trial.ended);
	mutex_done(&trial.lock);
}

void doctor_watch(struct doctor *doctor)
{
	/* As the engine: there is no mark to begin from, nor anything that stands for one. */
	if (doctor->groups->csn == NULL && !doctor->groups->is_unmarked)
		doctor_tell(doctor, DOCTOR_WARNING, NULL, REMEDY_SYNCPROV,
			    "without a contextCSN that moves there is no watch; %s", instead(doctor));
	else
		try_watch(doctor);
}
