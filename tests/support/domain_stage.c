/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <config/config.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/dir_pool_fake.h>
#include <support/domain_stage.h>
#include <support/executor_manual.h>
#include <support/fake_text.h>

/* Longer than any load may take: the timeout of the stage's policy is 3 s. */
#define PATIENCE_MS 60000

bool domain_stage_asks_for(const struct dir_search *search, const char *part)
{
	return strstr(search->filter, part) != NULL;
}

static void see(void *context, const struct dir_search *search)
{
	struct domain_stage *stage = context;

	stage->lists += domain_stage_asks_for(search, DOMAIN_STAGE_LISTING);
	if (domain_stage_asks_for(search, "memberOf=*"))
		stage->asked_plain |= (search->flags & DIR_SEARCH_EXTENDED_DN) == 0;
	stage->deltas += domain_stage_asks_for(search, "uSNChanged>=");
	if (stage->on_search != NULL)
		stage->on_search(stage, search);
}

void domain_stage_open(struct domain_stage *stage)
{
	static const char policy[] =
	    "<wsmauthz xmlns=\"urn:wsmauthz:policy:1\"><directory uri=\"ldap://dc1.x\" base=\"" FAKE_DOMAIN_DN
	    "\" timeout=\"3s\"><bind mechanism=\"anonymous\"/><tls mode=\"none\"/></directory><allow "
	    "group=\"" DOMAIN_STAGE_OPS "\"/><allow group=\"CORP\\nobody\"/></wsmauthz>";
	static const struct log silent = {.level = LOG_LEVEL_ERROR, .write = NULL};
	struct error error;

	memset(stage, 0, sizeof(*stage));
	assert_status(config_parse(policy, strlen(policy), "policy.xml", &stage->config, &error), STATUS_OK, &error);
	stage->directory = fake_domain_new();
	fake_domain_add_group(stage->directory, DOMAIN_STAGE_OPS, DOMAIN_STAGE_OPS_SID, FAKE_DOMAIN_GLOBAL);
	fake_domain_add_group(stage->directory, DOMAIN_STAGE_TEAM, DOMAIN_STAGE_TEAM_SID, FAKE_DOMAIN_LOCAL);
	fake_domain_add_group(stage->directory, DOMAIN_STAGE_INNER, DOMAIN_STAGE_INNER_SID, FAKE_DOMAIN_GLOBAL);
	fake_domain_add_group(stage->directory, DOMAIN_STAGE_FREE, DOMAIN_STAGE_FREE_SID, FAKE_DOMAIN_GLOBAL);
	fake_domain_nest(stage->directory, DOMAIN_STAGE_TEAM, DOMAIN_STAGE_OPS);
	fake_domain_nest(stage->directory, DOMAIN_STAGE_INNER, DOMAIN_STAGE_TEAM);
	dir_pool_fake_use(stage->directory, DOMAIN_STAGE_LATENCY_MS);
	dir_pool_fake_observe(see, stage);
	assert_int_equal(executor_open("test", &stage->executor, &error), STATUS_OK);
	assert_int_equal(dir_pool_open(&stage->config->directories[0], stage->executor, &silent, &stage->pool, &error),
			 STATUS_OK);
	stage->names[0] = DOMAIN_STAGE_OPS;
	stage->root_count = 1;
}

void domain_stage_forget(struct domain_stage *stage)
{
	closure_unref(&stage->closure);
	dir_forest_unref(&stage->forest);
	stage->done = stage->lists = stage->deltas = 0;
}

void domain_stage_close(struct domain_stage *stage)
{
	domain_stage_forget(stage);
	dir_pool_stop(stage->pool);
	executor_close(&stage->executor);
	dir_pool_close(&stage->pool);
	for (size_t i = 0; i < DOMAIN_STAGE_MAX_ROOTS; i++)
		free(stage->pins[i]);
	fake_directory_free(&stage->directory);
	config_unref(&stage->config);
}

static void take(void *context, const struct closure_loaded *loaded)
{
	struct domain_stage *stage = context;

	stage->done++;
	stage->status = loaded->status;
	if (loaded->status != STATUS_OK) {
		assert_null(loaded->closure);
		stage->error = *loaded->error;
		return;
	}
	stage->closure = closure_ref(loaded->closure);
	stage->forest = dir_forest_ref(loaded->forest);
	stage->round_trips = loaded->searches;
	stage->origin = loaded->origin;
	stage->origin_cursors = loaded->origin.vector.count;
	stage->origin.vector = (struct dir_vector){NULL, 0, 0};
	stage->csn_is_doubtful = loaded->csn_is_doubtful;
	memcpy(stage->roots, loaded->roots, stage->root_count * sizeof(stage->roots[0]));
	(void)snprintf(stage->csn, sizeof(stage->csn), "%s", loaded->csn == NULL ? "" : loaded->csn);
}

enum status domain_stage_load(struct domain_stage *stage)
{
	static const struct digest_key key = {1, 2};
	const struct closure_plan plan = {.directory = &stage->config->directories[0],
					  .names = stage->names,
					  .pins = stage->pins,
					  .root_count = stage->root_count,
					  .index_budget_bytes = 65536};
	enum status status;

	domain_stage_forget(stage);
	status = closure_load_start(stage->pool, stage->executor, &plan, &key, take, stage);
	if (status != STATUS_OK)
		return status;
	for (unsigned ms = 0; ms < PATIENCE_MS && stage->done == 0; ms += DOMAIN_STAGE_LATENCY_MS)
		(void)executor_manual_advance(stage->executor, DOMAIN_STAGE_LATENCY_MS);
	assert_int_equal(stage->done, 1);
	return stage->status;
}

void domain_stage_load_well(struct domain_stage *stage)
{
	enum status status = domain_stage_load(stage);

	assert_status(status, STATUS_OK, &stage->error);
}

int domain_stage_distance(const struct domain_stage *stage, size_t root, const char *sid)
{
	uint32_t group = closure_find_id(stage->closure, sid, strlen(sid)), hops;

	if (group == CLOSURE_NONE)
		return -1;
	hops = closure_distance(stage->closure, root, group);
	return hops == CLOSURE_NONE ? -1 : (int)hops;
}

void domain_stage_pin(struct domain_stage *stage, size_t root, const char *sid)
{
	free(stage->pins[root]);
	stage->pins[root] = fake_copy(sid, strlen(sid));
}
