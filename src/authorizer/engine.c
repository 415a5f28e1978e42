/* SPDX-License-Identifier: Apache-2.0 */
#include <authorizer/engine_private.h>
#include <authorizer/explain.h>
#include <base/memory.h>
#include <directory/dir_conn.h>
#include <identity/dn.h>
#include <os/clock.h>
#include <os/log_sink.h>
#include <os/random.h>
#include <policy/redirect.h>
#include <string.h>

static void write_log(void *context, enum log_level level, const char *line)
{
	const struct wa_engine *engine = context;

	engine->sink.write(engine->sink.context, (enum wa_log_level)level, line);
}

static void set_log(struct wa_engine *engine, const struct config *config, const struct wa_options *options)
{
	if (options == NULL || options->log.write == NULL) {
		engine->log = log_system;
		engine->log.level = config->plugin.log_level;
		return;
	}
	engine->sink = options->log;
	engine->log = (struct log){.level = (enum log_level)options->log.level, .write = write_log, .context = engine};
}

/* The bind password would travel in the clear; ldapi is a socket of this machine. */
static bool shows_password(const struct config_directory *directory)
{
	return directory->bind == CONFIG_BIND_SIMPLE && directory->tls == CONFIG_TLS_NONE &&
	       strncmp(directory->uris[0], "ldapi:", 6) != 0;
}

/* Who tries a policy out has it before his eyes again and again: he is told when he asks for more (info). */
static void advise(const struct wa_engine *engine, const struct config *config)
{
	const struct config_redirect *redirect = &config->redirect;
	void (*tell)(const struct log *log, const char *format, ...) = engine->dry_run ? log_info : log_warning;

	if (redirect->attribute != NULL && redirect_attribute_may_be_self_written(redirect->attribute))
		tell(&engine->log,
		     "%s:%u: many directories let people write '%s' of their own entry, and so choose where they are "
		     "redirected to; see that the access rules of this one do not, or use <site group> or <site ou>",
		     config->path, redirect->line, redirect->attribute);
	for (size_t i = 0; i < redirect->site_count; i++)
		if (redirect->sites[i].ou != NULL &&
		    dn_classify(redirect->sites[i].ou, strlen(redirect->sites[i].ou), NULL) == DN_FOREIGN)
			tell(&engine->log,
			     "%s:%u: '%s' is compared with users' names byte for byte: see that it stands there "
			     "exactly as "
			     "the directory writes it",
			     config->path, redirect->sites[i].line, redirect->sites[i].ou);
}

static void warn(const struct wa_engine *engine, const struct config *config)
{
	const struct config_directory *directory = &config->directories[0];

	if (shows_password(directory))
		log_warning(&engine->log,
			    "%s:%u: <tls mode=\"none\"> sends the password of '%s' over the network in the clear",
			    config->path, directory->line, directory->bind_dn);
}

/* Regimes */

struct regime *engine_regime(const struct wa_engine *engine)
{
	return atomic_load_explicit(&engine->regime, memory_order_relaxed);
}

/* From now on the engine sees to its end, also when it could not be opened. */
static enum status add_regime(struct wa_engine *engine, const struct config *config, struct regime **regime_out,
			      struct error *error)
{
	enum status status = STATUS_CANCELLED;
	struct regime *regime = NULL;

	warn(engine, config);
	advise(engine, config);
	mutex_lock(&engine->lock);
	if (!engine->is_closing)
		status = regime_open(engine, config, &regime, error);
	if (regime != NULL) {
		regime->next = engine->regimes;
		engine->regimes = regime;
	}
	mutex_unlock(&engine->lock);
	*regime_out = regime;
	return status;
}

/* What callers' threads ask of the policy. */
/* Where the policy says nothing it is for the directory to say, which may not have been asked yet. */
static bool is_by_name(const struct config_directory *directory)
{
	return directory->identity_given && directory->identity == CONFIG_IDENTITY_NAME;
}

static void show(struct wa_engine *engine, const struct config *config)
{
	atomic_store_explicit(&engine->timeout_ms, (uint32_t)config->directories[0].timeout_ms, memory_order_relaxed);
	atomic_store_explicit(&engine->allows_null_token, config->plugin.allow_null_token, memory_order_relaxed);
	atomic_store_explicit(&engine->wants_token_sid, !is_by_name(&config->directories[0]), memory_order_relaxed);
}

/* Take it out of the list. False: who closes the engine has the list, and frees all of it. */
static bool remove_regime(struct wa_engine *engine, const struct regime *regime)
{
	struct regime **link = &engine->regimes;
	bool is_ours;

	mutex_lock(&engine->lock);
	is_ours = !engine->is_closing;
	while (is_ours && *link != regime)
		link = &(*link)->next;
	if (is_ours) {
		*link = regime->next;
		engine_keep_figures_locked(engine, regime);
	}
	mutex_unlock(&engine->lock);
	return is_ours;
}

/*
 * The last stage: nobody reads it. A load that was in the middle of something asks the stopped pool once more perhaps, and
 * that answer stands behind this task: it is waited for.
 */
static void free_regime(void *context)
{
	struct regime *regime = context;
	struct wa_engine *engine = regime->engine;

	if (!regime_has_ended(regime))
		executor_post(engine->executor, &regime->retirement);
	else if (remove_regime(engine, regime))
		regime_free(&regime);
}

/* On the policy watch's thread: waits for callers that still read it, and for its threads. */
static void stop_regime(void *context)
{
	struct regime *regime = context;
	struct wa_engine *engine = regime->engine;

	gate_wait(&engine->gate);
	regime_stop(regime);
	audit_drain(regime->audit);
	regime->retirement = (struct task){.run = free_regime, .context = regime};
	executor_post(engine->executor, &regime->retirement);
}

void engine_retire(struct wa_engine *engine, struct regime *regime)
{
	bool is_closing;

	if (regime->membership != NULL) /* it could be opened */
		membership_stop(regime->membership);
	audit_end(regime->audit);
	regime->retirement = (struct task){.run = stop_regime, .context = regime};
	mutex_lock(&engine->lock);
	is_closing = engine->is_closing;
	if (!is_closing && engine->policy_watch != NULL)
		policy_watch_run(engine->policy_watch, &regime->retirement);
	mutex_unlock(&engine->lock);
	if (!is_closing && engine->policy_watch == NULL) /* a test's engine: there is nobody else to do it */
		stop_regime(regime);
}

static void retire(struct regime *regime)
{
	regime->is_retired = true;
	/* Held for a moment, so that it goes the one way that there is. */
	regime_hold(regime);
	regime_release(regime);
}

static void put_into_force(struct wa_engine *engine, struct regime *regime)
{
	struct regime *before = atomic_exchange(&engine->regime, regime);

	show(engine, regime->config);
	engine_count(&engine->figures.policies_taken);
	atomic_store_explicit(&engine->figures.policy_is_stale, false, memory_order_relaxed);
	engine_show_figures(engine, regime);
	if (engine->metrics != NULL)
		metrics_follow(engine->metrics, regime->config);
	log_event(&engine->log, LOG_EVENT_POLICY_IN_FORCE, "%s: the new policy is in force", regime->config->path);
	retire(before);
}

static void coming_has_loaded(void *context);

static void await_coming(struct wa_engine *engine)
{
	const struct membership_lookup closure = {.arena = NULL};

	engine->coming_waiter = (struct membership_waiter){.run = coming_has_loaded, .context = engine};
	membership_wait(engine->coming->membership, &closure, &engine->coming_waiter);
}

static void try_coming(void *context)
{
	struct wa_engine *engine = context;
	struct membership_lookup probe = {.arena = NULL};

	if (engine->stopping || engine->coming == NULL)
		return;
	if (membership_begin(engine->coming->membership, &probe) == MEMBERSHIP_WAIT)
		await_coming(engine);
	else
		coming_has_loaded(engine);
}

static void coming_has_loaded(void *context)
{
	struct wa_engine *engine = context;
	struct regime *regime = engine->coming;

	if (engine->stopping)
		return;
	if (membership_is_loaded(regime->membership)) {
		engine->coming = NULL;
		put_into_force(engine, regime);
		return;
	}
	/* Why is told by whoever failed. Without a timer it is given up, and the old one stays until the file changes again. */
	log_warning(&engine->log,
		    "%s: the groups of the new policy cannot be read: the old one stays in force meanwhile",
		    regime->config->path);
	if (executor_timer_set(engine->executor, &engine->coming_timer, clock_monotonic_ms() + ENGINE_TRY_POLICY_MS) !=
	    STATUS_OK) {
		engine->coming = NULL;
		retire(regime);
	}
}

static void drop_coming(struct wa_engine *engine)
{
	struct regime *regime = engine->coming;

	if (regime == NULL)
		return;
	engine->coming = NULL;
	executor_timer_clear(engine->executor, &engine->coming_timer);
	membership_wait_cancel(regime->membership, &engine->coming_waiter);
	retire(regime);
}

void engine_take_policy(struct wa_engine *engine, const struct config *config)
{
	struct error error = {.status = STATUS_OK};
	struct regime *regime = NULL;
	enum status status;

	if (engine->stopping)
		return;
	atomic_store_explicit(&engine->figures.policy_is_stale, true, memory_order_relaxed);
	drop_coming(engine);
	status = add_regime(engine, config, &regime, &error);
	if (status == STATUS_OK) {
		engine->coming = regime;
		try_coming(engine); /* there may have been no memory to begin its first load */
		return;
	}
	if (status != STATUS_CANCELLED) /* that is our own end */
		log_event_failure(&engine->log, LOG_EVENT_POLICY_REFUSED,
				  "the new policy cannot be used, the old one stays in force", &error);
	if (regime != NULL)
		retire(regime);
}

static void policy_changed(void *context, const struct config *config, const struct error *error)
{
	struct wa_engine *engine = context;

	if (config != NULL) {
		engine_take_policy(engine, config);
	} else if (error == NULL) {
		atomic_store_explicit(&engine->figures.policy_is_stale, engine->coming != NULL, memory_order_relaxed);
	} else {
		engine_count(&engine->figures.policies_refused);
		atomic_store_explicit(&engine->figures.policy_is_stale, true, memory_order_relaxed);
		log_event_failure(&engine->log, LOG_EVENT_POLICY_REFUSED,
				  "the policy was changed and is unusable, the old one stays in force", error);
	}
	config_unref(&config);
}

/* Life */

static void close_engine(struct wa_engine *engine);

static struct wa_engine *engine_new(const struct config *config, const struct wa_options *options)
{
	struct wa_engine *engine = memory_new(sizeof(*engine));

	if (engine == NULL)
		return NULL;
	atomic_init(&engine->questions, 0);
	gate_init(&engine->gate);
	mutex_init(&engine->lock);
	set_log(engine, config, options);
	engine->dry_run = options != NULL && options->dry_run;
	engine->no_cache = options != NULL && options->no_cache;
	engine->asynchronous = config->plugin.asynchronous;
	engine->coming_timer = (struct timer){.run = try_coming, .context = engine};
	engine->repeats_told_ms = clock_monotonic_ms();
	engine->figures.started_s = clock_wall_s();
	show(engine, config);
	return engine;
}

/* Whose decisions let nobody in has nothing to say for the service, and may run beside it. */
static enum status follow_metrics(struct wa_engine *engine, const struct config *config, struct error *error)
{
	const struct metrics_source source = engine_metrics_source(engine);

	if (engine->dry_run)
		return STATUS_OK;
	engine->metrics = metrics_open(engine->executor, &engine->log, &source);
	if (engine->metrics == NULL)
		return error_no_memory(error);
	metrics_follow(engine->metrics, config);
	return STATUS_OK;
}

enum status engine_open_with(const struct config *config, const struct wa_options *options,
			     struct wa_engine **engine_out, struct error *error)
{
	struct wa_engine *engine = engine_new(config, options);
	struct regime *regime = NULL;
	enum status status;

	if (engine == NULL)
		return error_no_memory(error);
	dir_conn_prepare_process();
	status = random_fill(&engine->form_key, sizeof(engine->form_key), error);
	if (status == STATUS_OK)
		status = executor_open("wsmauthz", &engine->executor, error);
	if (status == STATUS_OK)
		status = add_regime(engine, config, &regime, error);
	if (status != STATUS_OK) {
		close_engine(engine);
		return status;
	}
	atomic_store_explicit(&engine->regime, regime, memory_order_release);
	status = follow_metrics(engine, config, error);
	if (status != STATUS_OK) {
		close_engine(engine);
		return status;
	}
	*engine_out = engine;
	return STATUS_OK;
}

static void tell(struct wa_error *out, const struct error *error)
{
	if (out == NULL)
		return;
	memcpy(out->what, error->what, sizeof(out->what));
	memcpy(out->hint, error->hint, sizeof(out->hint));
}

_Static_assert(sizeof(((struct wa_error *)0)->what) == ERROR_TEXT_BYTES, "wa_error holds what error holds");

static enum status open_with_watch(const struct config *config, const struct wa_options *options,
				   struct wa_engine **engine_out, struct error *error)
{
	struct wa_engine *engine = NULL;
	enum status status = engine_open_with(config, options, &engine, error);

	if (status != STATUS_OK || engine == NULL)
		return status;
	status = policy_watch_open(config, engine->executor, &engine->log, policy_changed, engine,
				   &engine->policy_watch, error);
	if (status == STATUS_OK)
		*engine_out = engine;
	else
		wa_engine_close(&engine);
	return status;
}

bool wa_engine_open(const char *policy_path, const struct wa_options *options, struct wa_engine **engine_out,
		    struct wa_error *error)
{
	const struct config *config = NULL;
	struct error reason;
	enum status status = config_load(policy_path, &config, &reason);

	if (status == STATUS_OK)
		status = open_with_watch(config, options, engine_out, &reason);
	config_unref(&config);
	if (status != STATUS_OK)
		tell(error, &reason);
	return status == STATUS_OK;
}

bool wa_engine_decide(struct wa_engine *engine, const struct wa_question *question, wa_decided_fn *decided,
		      void *context)
{
	return request_start(engine, question, decided, context);
}

uint32_t wa_engine_timeout_ms(const struct wa_engine *engine)
{
	return atomic_load_explicit(&engine->timeout_ms, memory_order_relaxed);
}

bool wa_engine_is_asynchronous(const struct wa_engine *engine)
{
	return engine->asynchronous;
}

bool wa_engine_allows_null_token(const struct wa_engine *engine)
{
	return atomic_load_explicit(&engine->allows_null_token, memory_order_relaxed);
}

bool wa_engine_wants_token_sid(const struct wa_engine *engine)
{
	return atomic_load_explicit(&engine->wants_token_sid, memory_order_relaxed);
}

/* On the executor: the list of regimes does not change any more. */
static void stop(void *context)
{
	struct wa_engine *engine = context;

	engine->stopping = true;
	explain_tell_all(engine);
	if (engine_regime(engine) != NULL)
		engine_tell_repeats(engine, true);
	for (struct regime *regime = engine->regimes; regime != NULL; regime = regime->next) {
		if (regime->membership != NULL)
			membership_stop(regime->membership);
		audit_end(regime->audit);
	}
}

static void free_regimes(struct wa_engine *engine)
{
	while (engine->regimes != NULL) {
		struct regime *regime = engine->regimes;

		engine->regimes = regime->next;
		regime_free(&regime);
	}
}

/*
 * The order matters: first nothing new is begun and no regime goes by itself, then the pools answer what they have (each answer a
 * task of the executor), then the executor runs dry, and only then the parts go away.
 */
static void close_engine(struct wa_engine *engine)
{
	mutex_lock(&engine->lock);
	engine->is_closing = true;
	mutex_unlock(&engine->lock);
	if (engine->executor != NULL) {
		engine->stop = (struct task){.run = stop, .context = engine};
		executor_post(engine->executor, &engine->stop);
	}
	if (engine->policy_watch != NULL)
		policy_watch_stop(engine->policy_watch);
	if (engine->metrics != NULL) /* before the regimes' list is given up, which it reads */
		metrics_stop(engine->metrics);
	for (struct regime *regime = engine->regimes; regime != NULL; regime = regime->next)
		regime_stop(regime);
	executor_close(&engine->executor);
	metrics_close(&engine->metrics);
	policy_watch_close(&engine->policy_watch);
	free_regimes(engine);
	mutex_done(&engine->lock);
	memory_free(engine);
}

void wa_engine_close(struct wa_engine **reference)
{
	struct wa_engine *engine = *reference;

	*reference = NULL;
	if (engine != NULL)
		close_engine(engine);
}
