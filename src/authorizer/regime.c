/* SPDX-License-Identifier: Apache-2.0 */
#include <authorizer/engine_private.h>
#include <authorizer/lockout.h>
#include <authorizer/question.h>
#include <base/ascii.h>
#include <base/memory.h>
#include <os/clock.h>
#include <policy/account.h>
#include <string.h>

/* What membership calls a root: the rules' groups, then the sites' groups (NULL for sites by name). */
static enum status name_groups(struct regime *regime)
{
	const struct config *config = regime->config;
	size_t count = config->rule_count + config->redirect.site_count;

	regime->group_names = memory_new_array(count + 1, sizeof(*regime->group_names));
	if (regime->group_names == NULL)
		return STATUS_NO_MEMORY;
	for (size_t i = 0; i < config->rule_count; i++)
		regime->group_names[i] = config->rules[i].group;
	for (size_t i = 0; i < config->redirect.site_count; i++)
		regime->group_names[config->rule_count + i] = config->redirect.sites[i].group;
	return STATUS_OK;
}

static size_t append(const char **list, size_t count, const char *const *more)
{
	for (; *more != NULL; more++)
		list[count++] = *more;
	return count;
}

static size_t length_of(const char *const *list)
{
	size_t length = 0;

	while (list[length] != NULL)
		length++;
	return length;
}

/*
 * The user's search asks for all that any step may need, so that there is only one.
 * @return NULL when memory ran out.
 */
static const char **name_attributes(const struct regime *regime, const struct config_directory *directory,
				    const char *lockout, const char *const *account, bool is_active_directory)
{
	const char *const *groups = membership_user_attributes(directory, is_active_directory);
	const char *fixed[] = {lockout,
			       "entryUUID",
			       "nsUniqueId",
			       "objectSid",
			       directory->user_name_attribute,
			       directory->user_upn_attribute,
			       regime->config->redirect.attribute};
	const char **names =
	    memory_new_array(COUNT_OF(fixed) + length_of(account) + length_of(groups) + 1, sizeof(*names));
	size_t count = 0;

	if (names == NULL)
		return NULL;
	for (size_t i = 0; i < COUNT_OF(fixed); i++)
		if (fixed[i] != NULL)
			names[count++] = fixed[i];
	count = append(names, count, account);
	(void)append(names, count, groups);
	return names;
}

/* Both lists at once, so that the server may turn out to be either without needing memory then. */
static enum status name_all_attributes(struct regime *regime)
{
	static const struct dir_domain domain;
	static const struct dir_forest any = {.kind = DIR_KIND_AD, .domains = &domain, .home = &domain};
	const struct config_directory *given = &regime->config->directories[0];

	question_adapt(given, &any, &regime->ad_directory);
	regime->user_attributes = name_attributes(regime, given, lockout_user_attribute, account_attributes, false);
	regime->ad_attributes = name_attributes(regime, &regime->ad_directory, NULL, account_ad_attributes, true);
	return regime->user_attributes != NULL && regime->ad_attributes != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

/* What kind of server it is, and whose domains it has: from now on questions are put to it as that. */
static void set_forest(struct regime *regime, const struct dir_forest *forest, unsigned search_flags)
{
	const struct dir_forest *before = regime->forest;

	regime->forest = forest == NULL ? NULL : dir_forest_ref(forest);
	question_adapt(&regime->config->directories[0], forest, &regime->directory);
	finder_set_directory(regime->finder, &regime->directory, regime->forest, search_flags,
			     forest == NULL ? regime->user_attributes : regime->ad_attributes);
	dir_forest_unref(&before);
}

static void learned(void *context)
{
	struct regime *regime = context;

	engine_count(&regime->engine->figures.closure_loads);
	set_forest(regime, membership_forest(regime->membership), membership_search_flags(regime->membership));
}

static void touched(void *context, uint64_t hash)
{
	const struct regime *regime = context;

	engine_count(&regime->engine->figures.changes);
	epochs_touch(regime->epochs, hash);
}

static void everything_touched(void *context)
{
	const struct regime *regime = context;

	engine_count(&regime->engine->figures.changes_of_everything);
	epochs_touch_everything(regime->epochs);
}

static void leased(void *context, uint64_t until_ms)
{
	struct regime *regime = context;

	atomic_store_explicit(&regime->lease_until_ms, until_ms, memory_order_release);
}

static void renew(void *context)
{
	struct regime *regime = context;

	atomic_store_explicit(&regime->renewing, false, memory_order_release);
	if (regime->engine->stopping || regime->is_retired)
		return;
	(void)membership_renew(regime->membership, NULL);
	engine_tell_repeats(regime->engine, false);
}

static enum status open_cache(struct regime *regime)
{
	const struct config *config = regime->config;

	regime->epochs = epochs_new();
	if (regime->epochs == NULL)
		return STATUS_NO_MEMORY;
	if (regime->engine->no_cache || config->cache.max_entries == 0)
		return STATUS_OK;
	regime->cache = cache_open(config, regime->epochs, config->cache.max_entries, config->cache.max_bytes);
	return regime->cache == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

static enum status open_membership(struct regime *regime, struct error *error)
{
	const struct config *config = regime->config;
	const struct membership_setup setup = {
	    .config = config,
	    .adapted = &regime->ad_directory,
	    .names = regime->group_names,
	    .name_count = config->rule_count + config->redirect.site_count,
	    .pool = regime->pool,
	    .executor = regime->engine->executor,
	    .log = &regime->engine->log,
	    .listener = {touched, everything_touched, learned, leased, regime},
	};

	return membership_open(&setup, &regime->membership, error);
}

static enum status open_parts(struct regime *regime, struct error *error)
{
	const struct config *config = regime->config;
	struct wa_engine *engine = regime->engine;
	enum status status = engine->dry_run ? audit_check(config, error)
					     : audit_open(config, engine->executor, &engine->log, &engine->audit_counts,
							  &regime->audit, error);

	if (status != STATUS_OK)
		return status;
	if (name_groups(regime) != STATUS_OK || name_all_attributes(regime) != STATUS_OK ||
	    open_cache(regime) != STATUS_OK)
		return error_no_memory(error);
	status = dir_pool_open(&config->directories[0], engine->executor, &engine->log, &regime->pool, error);
	if (status != STATUS_OK)
		return status;
	regime->finder = finder_open(config, regime->user_attributes, regime->pool, engine->executor);
	if (regime->finder == NULL)
		return error_no_memory(error);
	set_forest(regime, NULL, 0);
	/* Last: what it has learned it tells at once. */
	return open_membership(regime, error);
}

enum status regime_open(struct wa_engine *engine, const struct config *config, struct regime **regime_out,
			struct error *error)
{
	struct regime *regime = memory_new(sizeof(*regime));
	enum status status;

	if (regime == NULL)
		return error_no_memory(error);
	regime->engine = engine;
	regime->config = config_ref(config);
	regime->renewal = (struct task){.run = renew, .context = regime};
	*regime_out = regime;
	status = open_parts(regime, error);
	if (status != STATUS_OK) /* what was begun may be under way on the executor: the engine ends it */
		regime->is_retired = true;
	return status;
}

void regime_stop(struct regime *regime)
{
	if (regime->pool != NULL)
		dir_pool_stop(regime->pool);
	if (regime->membership != NULL)
		membership_stop_watch(regime->membership);
}

bool regime_has_ended(const struct regime *regime)
{
	return regime->membership == NULL || membership_has_ended(regime->membership);
}

void regime_free(struct regime **reference)
{
	struct regime *regime = *reference;

	*reference = NULL;
	if (regime == NULL)
		return;
	finder_close(&regime->finder);
	dir_forest_unref(&regime->forest);
	membership_close(&regime->membership);
	dir_pool_close(&regime->pool);
	audit_close(&regime->audit);
	cache_close(&regime->cache);
	memory_free(regime->epochs);
	memory_free(regime->group_names);
	memory_free(regime->user_attributes);
	memory_free(regime->ad_attributes);
	config_unref(&regime->config);
	memory_free(regime);
}

void regime_hold(struct regime *regime)
{
	regime->holders++;
}

void regime_release(struct regime *regime)
{
	if (--regime->holders == 0 && regime->is_retired)
		engine_retire(regime->engine, regime);
}

/* The name in a certificate that we trust stands for the sender; it is another kind of name than one that was typed. */
static bool is_by_certificate(const struct wa_question *question)
{
	return question->mechanism != NULL && ascii_equal_nocase(question->mechanism, "ClientCertificate");
}

/* Whoever has a token is known by both, whichever of them the policy goes by. */
static struct digest_key form_key(const struct regime *regime, const char *token_sid, uint64_t kind)
{
	struct digest_key key = regime->engine->form_key;
	struct digest of_token;

	key.k1 ^= kind;
	if (token_sid == NULL)
		return key;
	of_token = digest_of(&key, token_sid, strlen(token_sid));
	return (struct digest_key){of_token.high, of_token.low};
}

struct digest regime_form_of_name(const struct regime *regime, const char *name, size_t length, const char *token_sid,
				  bool allow_sid)
{
	struct digest_key key = form_key(regime, token_sid, allow_sid ? 1 : 0);

	return digest_of(&key, name, length);
}

struct digest regime_form(const struct regime *regime, const struct wa_question *question)
{
	struct digest_key key;

	if (!is_by_certificate(question) || question->certificate == NULL ||
	    question->certificate->subject_name == NULL)
		return regime_form_of_name(regime, question->sender, question->sender_length, question->token_sid,
					   question->allow_sid);
	key = form_key(regime, question->token_sid, question->allow_sid ? 3 : 2);
	return digest_of(&key, question->certificate->subject_name, strlen(question->certificate->subject_name));
}

enum regime_use regime_may_use(const struct regime *regime, const struct cache_hit *hit, uint64_t now_ms)
{
	const struct config *config = regime->config;
	uint64_t age_ms = now_ms > hit->asked_ms ? now_ms - hit->asked_ms : 0;
	uint64_t ttl_ms = hit->standing.verdict == WA_AUTHORIZE ? config->cache.ttl_ms : config->cache.negative_ttl_ms;

	if (!hit->is_unchanged || age_ms >= ttl_ms)
		return REGIME_USE_NO;
	if (hit->standing.until_s != INT64_MAX && clock_wall_s() >= hit->standing.until_s)
		return REGIME_USE_NO;
	if (age_ms < config->cache.unwatched_ttl_ms ||
	    now_ms < atomic_load_explicit(&regime->lease_until_ms, memory_order_acquire))
		return REGIME_USE_YES;
	return REGIME_USE_LEASED;
}

void regime_keep_leased(struct regime *regime, uint64_t now_ms)
{
	uint64_t until_ms = atomic_load_explicit(&regime->lease_until_ms, memory_order_relaxed);

	if (until_ms > now_ms + MEMBERSHIP_LEASE_MS / 2 ||
	    atomic_load_explicit(&regime->renew_after_ms, memory_order_relaxed) > now_ms ||
	    atomic_exchange_explicit(&regime->renewing, true, memory_order_acq_rel))
		return;
	atomic_store_explicit(&regime->renew_after_ms, now_ms + REGIME_RENEW_MS, memory_order_relaxed);
	executor_post(regime->engine->executor, &regime->renewal);
}
