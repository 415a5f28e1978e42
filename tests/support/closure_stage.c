/* SPDX-License-Identifier: Apache-2.0 */
#include <support/closure_stage.h>

#include <base/arena.h>
#include <base/memory.h>
#include <base/text.h>
#include <config/config.h>
#include <identity/dn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/assertions.h>
#include <support/dir_pool_fake.h>
#include <support/entry_builder.h>
#include <support/executor_manual.h>
#include <support/fake_text.h>

#define INDEX_BYTES 1048576
#define EVENT_BYTES 65536

static const struct digest_key stage_key = {5, 6};

static const struct config *policy_of(const char *const *names, size_t count, const char *group_base)
{
	const struct config *config = NULL;
	struct error error;
	struct text policy;

	text_init(&policy);
	text_printf(&policy,
		    "<wsmauthz xmlns=\"urn:wsmauthz:policy:1\"><directory uri=\"ldap://dc1.x\" base=\"dc=x\" "
		    "timeout=\"3s\" domain=\"CORP\"><bind mechanism=\"anonymous\"/><tls mode=\"none\"/>"
		    "<groups base=\"%s\"/></directory>",
		    group_base);
	for (size_t i = 0; i < count; i++)
		text_printf(&policy, "<allow group=\"%s\"/>", names[i]);
	text_add(&policy, "</wsmauthz>");
	assert_false(text_failed(&policy));
	if (config_parse(text_string(&policy), policy.length, "policy.xml", &config, &error) != STATUS_OK)
		fail_msg("%s", error.what);
	text_done(&policy);
	return config;
}

void closure_stage_open(struct closure_stage *stage, const char *const *names, size_t name_count,
			const char *group_base)
{
	static const struct log silent = {.level = LOG_LEVEL_ERROR, .write = NULL};
	struct error error;

	assert_true(name_count <= CLOSURE_STAGE_MAX_ROOTS);
	memset(stage, 0, sizeof(*stage));
	stage->config = policy_of(names, name_count, group_base);
	stage->directory = fake_directory_new("dc=x");
	closure_stage_add(stage, "ou=groups,dc=x", "organizationalUnit", NULL, NULL);
	closure_stage_add(stage, "ou=people,dc=x", "organizationalUnit", NULL, NULL);
	closure_stage_add(stage, "ou=else,dc=x", "organizationalUnit", NULL, NULL);
	dir_pool_fake_use(stage->directory, CLOSURE_STAGE_LATENCY_MS);
	assert_int_equal(executor_open("test", &stage->executor, &error), STATUS_OK);
	assert_int_equal(dir_pool_open(&stage->config->directories[0], stage->executor, &silent, &stage->pool, &error),
			 STATUS_OK);
	stage->plan = (struct closure_plan){
	    .directory = &stage->config->directories[0],
	    .names = names,
	    .pins = stage->pins,
	    .root_count = name_count,
	    .index_budget_bytes = INDEX_BYTES,
	};
}

void closure_stage_close(struct closure_stage *stage)
{
	dir_pool_stop(stage->pool);
	executor_close(&stage->executor);
	dir_pool_close(&stage->pool);
	closure_unref(&stage->closure);
	for (size_t i = 0; i < CLOSURE_STAGE_MAX_ROOTS; i++)
		free(stage->pins[i]);
	fake_directory_free(&stage->directory);
	config_unref(&stage->config);
}

void closure_stage_add(struct closure_stage *stage, const char *dn, const char *object_class, const char *attribute,
		       const char *value)
{
	assert_true(fake_directory_add(stage->directory, dn));
	assert_true(fake_directory_gain(stage->directory, dn, "objectClass", object_class));
	if (attribute != NULL)
		assert_true(fake_directory_gain(stage->directory, dn, attribute, value));
}

void closure_stage_gain(struct closure_stage *stage, const char *dn, const char *attribute, const char *value)
{
	assert_true(fake_directory_gain(stage->directory, dn, attribute, value));
}

void closure_stage_lose(struct closure_stage *stage, const char *dn, const char *attribute, const char *value)
{
	assert_true(fake_directory_lose(stage->directory, dn, attribute, value));
}

static const char *value_of(const struct closure_stage *stage, const char *dn, const char *attribute)
{
	const struct fake_entry *entry = fake_directory_entry(stage->directory, dn);
	const struct fake_attribute *found;

	assert_non_null(entry);
	found = fake_entry_attribute(entry, attribute);
	assert_non_null(found);
	return found->values[0].data;
}

const char *closure_stage_mark(const struct closure_stage *stage)
{
	return value_of(stage, "dc=x", "contextCSN");
}

const char *closure_stage_id(const struct closure_stage *stage, const char *dn)
{
	return value_of(stage, dn, "entryUUID");
}

static void pin_roots(struct closure_stage *stage)
{
	for (size_t root = 0; root < stage->plan.root_count; root++) {
		uint32_t group = closure_root_group(stage->closure, root);
		const char *id = group == CLOSURE_NONE ? NULL : closure_group_id(stage->closure, group);

		if (id != NULL && stage->pins[root] == NULL)
			stage->pins[root] = fake_copy(id, strlen(id));
	}
}

static void take_load(void *context, const struct closure_loaded *loaded)
{
	struct closure_stage *stage = context;

	stage->loads++;
	stage->load_status = loaded->status;
	if (loaded->status != STATUS_OK)
		return;
	closure_unref(&stage->closure);
	stage->closure = closure_ref(loaded->closure);
	(void)snprintf(stage->mark, sizeof(stage->mark), "%s", loaded->csn == NULL ? "" : loaded->csn);
	pin_roots(stage);
}

static void step(struct closure_stage *stage)
{
	(void)executor_manual_advance(stage->executor, 1);
	if (stage->on_step != NULL)
		stage->on_step(stage);
}

enum status closure_stage_load(struct closure_stage *stage)
{
	unsigned before = stage->loads;
	enum status status =
	    closure_load_start(stage->pool, stage->executor, &stage->plan, &stage_key, take_load, stage);

	if (status != STATUS_OK)
		return status;
	for (unsigned ms = 0; ms < CLOSURE_STAGE_PATIENCE_MS && stage->loads == before; ms++)
		step(stage);
	assert_int_equal(stage->loads, before + 1);
	return stage->load_status;
}

void closure_stage_tell_of(struct closure_stage *stage, struct closure_concern *concern, enum dir_change change,
			   const char *id, const char *dn, const char *attributes)
{
	struct arena *arena = arena_new(EVENT_BYTES);
	struct dir_watch_event event = {.kind = DIR_WATCH_CHANGE, .change = change, .id = id};

	event.entry = build_entry(arena, dn, attributes);
	assert_int_equal(closure_concern_add(concern, stage->closure, &stage->plan, &event), STATUS_OK);
	arena_free(&arena);
}

void closure_stage_tell(struct closure_stage *stage, struct closure_concern *concern, enum dir_change change,
			const char *dn)
{
	const struct fake_entry *entry = fake_directory_entry(stage->directory, dn);
	const struct fake_attribute *classes;
	struct text attributes;

	assert_non_null(entry);
	text_init(&attributes);
	classes = fake_entry_attribute(entry, "objectClass");
	for (size_t i = 0; change != DIR_CHANGE_DELETE && classes != NULL && i < classes->count; i++)
		text_printf(&attributes, "objectClass=%s;", classes->values[i].data);
	assert_false(text_failed(&attributes));
	closure_stage_tell_of(stage, concern, change, closure_stage_id(stage, dn), entry->dn, text_string(&attributes));
	text_done(&attributes);
}

static void take_patch(void *context, const struct closure_patched *patched)
{
	struct closure_stage *stage = context;
	struct closure_stage_patched *kept = &stage->patched;

	stage->patch = NULL;
	kept->times++;
	kept->status = patched->status;
	kept->whole = patched->whole;
	kept->everything = patched->everything;
	kept->touched_count = patched->touched_count;
	for (size_t i = 0; i < patched->touched_count && i < COUNT_OF(kept->touched); i++)
		kept->touched[i] = patched->touched[i];
	assert_ptr_equal(patched->base, stage->closure);
	if (patched->status != STATUS_OK) {
		assert_non_null(patched->error);
		assert_null(patched->closure);
		(void)snprintf(kept->error, sizeof(kept->error), "%s", patched->error->what);
		return;
	}
	assert_true(patched->whole == (patched->closure == NULL));
	if (patched->closure == NULL)
		return;
	closure_unref(&stage->closure);
	stage->closure = closure_ref(patched->closure);
}

enum status closure_stage_begin_patch(struct closure_stage *stage, const struct closure_concern *concern,
				      const char *at_least)
{
	memset(&stage->patched, 0, sizeof(stage->patched));
	const struct closure_patch_plan plan = {
	    .plan = &stage->plan,
	    .base = stage->closure,
	    .concern = concern,
	    .mark_base = "dc=x",
	    .at_least = at_least,
	    .domain_base = "dc=x",
	    .search_flags = DIR_SEARCH_EXTENDED_DN,
	};

	return closure_patch_start(stage->pool, stage->executor, &plan, take_patch, stage, &stage->patch);
}

void closure_stage_end_patch(struct closure_stage *stage)
{
	for (unsigned ms = 0; ms < CLOSURE_STAGE_PATIENCE_MS && stage->patched.times == 0; ms++)
		step(stage);
	assert_int_equal(stage->patched.times, 1);
}

void closure_stage_patch(struct closure_stage *stage, const struct closure_concern *concern, const char *at_least)
{
	assert_int_equal(closure_stage_begin_patch(stage, concern, at_least), STATUS_OK);
	closure_stage_end_patch(stage);
}

bool closure_stage_holds_digest(const struct closure *closure, size_t root, struct digest member)
{
	uint32_t *groups = fake_new(closure_group_count(closure) + 1, sizeof(*groups));
	size_t count = closure_find_member(closure, member, groups, closure_group_count(closure));
	bool holds = false;

	for (size_t i = 0; i < count && !holds; i++)
		holds = closure_distance(closure, root, groups[i]) != CLOSURE_NONE;
	free(groups);
	return holds;
}

struct digest closure_stage_digest(const struct closure *closure, const char *dn)
{
	struct digest digest;
	struct text key;

	text_init(&key);
	dn_own_key(dn, strlen(dn), &key);
	assert_false(text_failed(&key));
	digest = closure_digest_dn(closure, text_string(&key), key.length);
	text_done(&key);
	return digest;
}

bool closure_stage_holds(const struct closure *closure, size_t root, const char *dn, const char *uid)
{
	return closure_stage_holds_digest(closure, root, closure_stage_digest(closure, dn)) ||
	       (uid != NULL &&
		closure_stage_holds_digest(closure, root, closure_digest_uid(closure, uid, strlen(uid))));
}

bool closure_stage_touched(const struct closure_stage *stage, size_t count, const char *dn)
{
	struct digest digest = closure_stage_digest(stage->closure, dn);

	if (stage->patched.everything || stage->patched.touched_count != count)
		return false;
	for (size_t i = 0; i < count && i < COUNT_OF(stage->patched.touched); i++)
		if (digest_compare(&stage->patched.touched[i], &digest) == 0)
			return true;
	return false;
}
