/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <support/finder_stage.h>

#include <base/ascii.h>
#include <os/clock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/executor_manual.h>
#include <support/fake_text.h>

static const char *const attributes[] = {"uid", "mail", "objectSid", "cn", NULL};
static char *last_dn;

static void run_done(void *context)
{
	struct dir_request *request = context;

	request->done(request);
}

static void give_back(struct dir_pool *pool, struct dir_request *request)
{
	request->task = (struct task){.run = run_done, .context = request};
	executor_post(pool->executor, &request->task);
}

static void end_all(struct dir_request *request, enum dir_outcome outcome)
{
	for (size_t i = 0; i < request->search_count; i++) {
		dir_search_reset(&request->searches[i]);
		request->searches[i].outcome = outcome;
	}
}

void dir_pool_submit(struct dir_pool *pool, struct dir_request *request)
{
	assert_true(pool->count < COUNT_OF(pool->held));
	pool->requests++;
	pool->searches = request->search_count;
	request->connection = 0;
	if (!pool->stopped) {
		pool->held[pool->count++] = request;
		return;
	}
	end_all(request, DIR_OUTCOME_UNAVAILABLE);
	give_back(pool, request);
}

static void answer_search(const struct finder_stage *stage, struct dir_search *search)
{
	static const struct fake_fault none = {.kind = FAKE_FAULT_NONE};

	fake_directory_answer(stage->directory, &none, search);
}

void finder_stage_fill(struct finder_stage *stage, size_t i)
{
	struct dir_request *request = stage->pool.held[i];

	assert_true(i < stage->pool.count);
	request->connection = 7;
	for (size_t search = 0; search < request->search_count; search++)
		answer_search(stage, &request->searches[search]);
}

void finder_stage_release(struct finder_stage *stage, size_t i)
{
	struct dir_pool *pool = &stage->pool;
	struct dir_request *request = pool->held[i];

	assert_true(i < pool->count);
	pool->count--;
	for (; i < pool->count; i++)
		pool->held[i] = pool->held[i + 1];
	give_back(pool, request);
}

void finder_stage_answer(struct finder_stage *stage, size_t i)
{
	finder_stage_fill(stage, i);
	finder_stage_release(stage, i);
	executor_manual_run(stage->executor);
}

void finder_stage_answer_but(struct finder_stage *stage, size_t i, size_t search, enum dir_outcome outcome)
{
	struct dir_search *failed = &stage->pool.held[i]->searches[search];

	finder_stage_fill(stage, i);
	dir_search_reset(failed);
	failed->outcome = outcome;
	finder_stage_release(stage, i);
	executor_manual_run(stage->executor);
}

void finder_stage_lose(struct finder_stage *stage, size_t i, enum dir_outcome outcome)
{
	end_all(stage->pool.held[i], outcome);
	finder_stage_release(stage, i);
	executor_manual_run(stage->executor);
}

void finder_stage_stop(struct finder_stage *stage)
{
	stage->pool.stopped = true;
	while (stage->pool.count > 0) {
		end_all(stage->pool.held[0], DIR_OUTCOME_UNAVAILABLE);
		finder_stage_release(stage, 0);
	}
	executor_manual_run(stage->executor);
}

void finder_stage_open(struct finder_stage *stage, const char *account_filter)
{
	struct error error;

	memset(stage, 0, sizeof(*stage));
	stage->config_directory = (struct config_directory){
	    .base = FINDER_STAGE_BASE,
	    .user_name_attribute = "uid",
	    .user_upn_attribute = "mail",
	    .user_filter = "(objectClass=inetOrgPerson)",
	};
	stage->config = (struct config){.directories = &stage->config_directory, .directory_count = 1};
	stage->config.account.filter = account_filter;
	stage->directory = fake_directory_new(FINDER_STAGE_BASE);
	assert_status(executor_open("stage", &stage->executor, &error), STATUS_OK, &error);
	stage->pool.executor = stage->executor;
	stage->finder = finder_open(&stage->config, attributes, &stage->pool, stage->executor);
	assert_non_null(stage->finder);
}

void finder_stage_close(struct finder_stage *stage)
{
	finder_stage_stop(stage);
	assert_int_equal(executor_manual_timer_count(stage->executor), 0);
	while (stage->seekers != NULL) {
		struct staged *staged = stage->seekers;

		stage->seekers = staged->next;
		assert_int_equal(staged->told, staged->asked);
		arena_free(&staged->arena);
		free(staged);
	}
	finder_close(&stage->finder);
	executor_close(&stage->executor);
	fake_directory_free(&stage->directory);
	free(last_dn);
	last_dn = NULL;
}

const char *finder_stage_add(struct finder_stage *stage, const char *uid, const char *mail, const char *dn)
{
	free(last_dn);
	last_dn = dn == NULL ? fake_format("uid=%s,%s", uid, FINDER_STAGE_BASE) : fake_format("%s", dn);
	assert_true(fake_directory_add(stage->directory, last_dn));
	assert_true(fake_directory_gain(stage->directory, last_dn, "objectClass", "inetOrgPerson"));
	if (dn != NULL)
		assert_true(fake_directory_gain(stage->directory, last_dn, "uid", uid));
	if (mail != NULL)
		assert_true(fake_directory_gain(stage->directory, last_dn, "mail", mail));
	return last_dn;
}

static void be_told(struct finder_seeker *seeker)
{
	struct staged *staged = seeker->context;

	for (const struct staged *other = staged->stage->seekers; other != NULL; other = other->next)
		staged->place += other->told;
	staged->place++;
	staged->told++;
	if (staged->then != NULL)
		staged->then(staged);
}

struct staged *finder_stage_seeker(struct finder_stage *stage, const char *name, uint64_t patience_ms)
{
	struct staged *staged = fake_new(1, sizeof(*staged));
	struct error error;

	staged->stage = stage;
	staged->arena = arena_new((size_t)1 << 20);
	assert_status(sender_parse(name, strlen(name), staged->arena, &staged->sender, &error), STATUS_OK, &error);
	staged->seeker = (struct finder_seeker){
	    .sender = &staged->sender,
	    .arena = staged->arena,
	    .deadline_ms = clock_monotonic_ms() + patience_ms,
	    .found = be_told,
	    .context = staged,
	};
	staged->next = stage->seekers;
	stage->seekers = staged;
	return staged;
}

static void seek(void *context)
{
	struct staged *staged = context;
	unsigned told = staged->told;

	staged->status = finder_seek(staged->stage->finder, &staged->seeker);
	if (staged->status == STATUS_OK)
		staged->asked++;
	assert_int_equal(staged->told, told);
}

enum status finder_stage_ask(struct staged *staged)
{
	executor_manual_call(staged->stage->executor, seek, staged);
	return staged->status;
}

struct staged *finder_stage_seek(struct finder_stage *stage, const char *name, uint64_t patience_ms)
{
	struct staged *staged = finder_stage_seeker(stage, name, patience_ms);

	assert_int_equal(finder_stage_ask(staged), STATUS_OK);
	return staged;
}

static bool has_uid(const struct dir_entry *entry, const char *uid)
{
	const struct dir_attribute *uids = dir_entry_attribute(entry, "uid");

	for (size_t i = 0; uids != NULL && i < uids->value_count; i++)
		if (ascii_equal_nocase(uids->values[i].data, uid))
			return true;
	return false;
}

size_t finder_stage_entries_of(const struct staged *staged, const char *uid)
{
	size_t count = 0;

	for (const struct dir_entry *entry = staged->seeker.entries; entry != NULL; entry = entry->next) {
		if (!has_uid(entry, uid))
			fail_msg("'%s' got the entry '%s'", uid, entry->dn);
		count++;
	}
	return count;
}
