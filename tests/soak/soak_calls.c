/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <soak/soak_calls.h>
#include <soak/soak_log.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

/* How many records are left alone before the oldest is used again. */
#define CALLS_RESTING (CALLS_ROOM / 2)

struct record {
	WSMAN_SENDER_DETAILS details; /* first: the key */
	WCHAR name[SENDER_UNITS];
	enum call_kind kind;
	uint64_t number;
	atomic_bool is_owed;
	const struct application *application;
	PVOID user_context; /* given with the last success, not released yet */
	struct record *next;
};

static struct record all[CALLS_ROOM];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards: oldest, newest, resting, room_made */
static pthread_cond_t rested = PTHREAD_COND_INITIALIZER;
static struct record *oldest, *newest;
static unsigned resting;
static bool is_made;
static _Atomic uint64_t made, completed, extra, off_contract;

static uint64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static void put_locked(struct record *record)
{
	record->next = NULL;
	if (newest != NULL)
		newest->next = record;
	else
		oldest = record;
	newest = record;
	resting++;
}

static void put(struct record *record)
{
	(void)pthread_mutex_lock(&lock);
	put_locked(record);
	(void)pthread_cond_signal(&rested);
	(void)pthread_mutex_unlock(&lock);
}

static struct record *take(void)
{
	struct record *record;

	(void)pthread_mutex_lock(&lock);
	if (!is_made) {
		for (size_t i = 0; i < CALLS_ROOM; i++)
			put_locked(&all[i]);
		is_made = true;
	}
	while (resting <= CALLS_RESTING)
		(void)pthread_cond_wait(&rested, &lock);
	record = oldest;
	oldest = record->next;
	resting--;
	(void)pthread_mutex_unlock(&lock);
	return record;
}

static void release_context(struct record *record)
{
	if (record->user_context != NULL)
		record->application->file->release_context(record->user_context);
	record->user_context = NULL;
}

/* What the contract says of any completion. */
static bool is_as_agreed(const struct record *record, const struct standin_completion *completion)
{
	static const enum standin_function functions[] = {STANDIN_USER, STANDIN_OPERATION, STANDIN_QUOTA};
	bool is_success = completion->code == WSMAUTHZ_NO_ERROR;

	return completion->function == functions[record->kind] &&
	       (completion->user_context != NULL) == (is_success && record->kind != CALL_QUOTA) &&
	       completion->token == (is_success && record->kind == CALL_USER ? record->details.clientToken : NULL) &&
	       (is_success || completion->administrator == 0) &&
	       (completion->quota != NULL) == (is_success && record->kind == CALL_QUOTA) &&
	       (completion->extended != NULL && completion->extended[0] != 0) ==
		   (completion->code == WSMAUTHZ_REDIRECT_REQUESTED) &&
	       (record->kind == CALL_USER || completion->code != WSMAUTHZ_REDIRECT_REQUESTED);
}

/* "https://site1.corp...": 1. */
static uint8_t site_of(PCWSTR uri)
{
	static const char before[] = "https://site";

	for (size_t i = 0; i < sizeof(before) - 1; i++)
		if (uri[i] != (WCHAR)(unsigned char)before[i])
			return UINT8_MAX;
	return uri[sizeof(before) - 1] >= '1' && uri[sizeof(before) - 1] <= '9'
		   ? (uint8_t)(uri[sizeof(before) - 1] - '0')
		   : UINT8_MAX;
}

void host_completed(const struct standin_completion *completion)
{
	struct record *record = (struct record *)(void *)completion->details;
	struct soak_record *kept;

	atomic_fetch_add(&completed, 1);
	if (!atomic_exchange(&record->is_owed, false)) {
		atomic_fetch_add(&extra, 1);
		return;
	}
	kept = soak_log_at(record->number);
	kept->code = completion->code;
	kept->administrator = completion->administrator != 0;
	if (!is_as_agreed(record, completion))
		atomic_fetch_add(&off_contract, 1);
	else if (completion->code == WSMAUTHZ_REDIRECT_REQUESTED)
		kept->site = site_of(completion->extended);
	record->user_context = completion->user_context;
	kept->ended_ns = now_ns();
	/* A synchronous call's record is put back by its caller, who is still inside the entry point. */
	if (record->application->is_asynchronous)
		put(record);
}

static void fill(struct record *record, struct application *application, enum call_kind kind, uint32_t sender,
		 uint64_t number)
{
	static const WCHAR mechanism[] = {'N', 'e', 'g', 'o', 't', 'i', 'a', 't', 'e', 0};
	static const WCHAR url[] = {'h', 't', 't', 'p', 's', ':', '/', '/', 'h', ':', '5', '9', '8', '6', '/', 0};
	static char token;

	release_context(record);
	soak_senders_name(sender, record->name);
	record->details = (WSMAN_SENDER_DETAILS){
	    .senderName = record->name, .authenticationMechanism = mechanism, .clientToken = &token, .httpURL = url};
	record->kind = kind;
	record->number = number;
	record->application = application;
	atomic_store(&record->is_owed, true);
}

static void enter(struct application *application, struct record *record)
{
	static const WCHAR text[] = {'t', 0};

	if (record->kind == CALL_USER)
		application->file->authz_user(application->context, &record->details, 0);
	else if (record->kind == CALL_OPERATION)
		application->file->authz_operation(application->context, &record->details, 0, 1, text, text);
	else
		application->file->authz_query_quota(application->context, &record->details, 0);
}

void calls_ask(struct application *application, enum call_kind kind, uint32_t sender, uint64_t number)
{
	struct record *record = take();
	struct soak_record *kept = soak_log_at(number);

	fill(record, application, kind, sender, number);
	kept->sender = sender;
	kept->kind = (uint8_t)kind;
	kept->application = application->number;
	kept->began_ns = now_ns();
	atomic_fetch_add(&made, 1);
	enter(application, record);
	if (!application->is_asynchronous) {
		/* Synchronous means: told before the return. */
		if (atomic_load(&record->is_owed))
			atomic_fetch_add(&off_contract, 1);
		put(record);
	}
}

bool calls_wait_all(unsigned timeout_ms)
{
	uint64_t due_ms = host_now_ms() + timeout_ms;

	while (atomic_load(&completed) < atomic_load(&made)) {
		if (host_now_ms() > due_ms)
			return false;
		host_sleep_ms(1);
	}
	return true;
}

void calls_release(void)
{
	for (size_t i = 0; i < CALLS_ROOM; i++)
		release_context(&all[i]);
}

struct calls_figures calls_figures(void)
{
	return (struct calls_figures){.made = atomic_load(&made),
				      .completed = atomic_load(&completed),
				      .extra = atomic_load(&extra),
				      .off_contract = atomic_load(&off_contract)};
}
