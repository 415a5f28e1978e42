/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <os/log_sink.h>
#include <plugin/plugin_call.h>
#include <plugin/plugin_context.h>
#include <plugin/plugin_token.h>

_Static_assert((int)LOG_LEVEL_ERROR == (int)WA_LOG_ERROR && (int)LOG_LEVEL_WARNING == (int)WA_LOG_WARNING &&
		   (int)LOG_LEVEL_INFO == (int)WA_LOG_INFO && (int)LOG_LEVEL_DEBUG == (int)WA_LOG_DEBUG,
	       "log levels are handed through by number");

static void write_through(void *context, enum log_level level, const char *line)
{
	const struct wa_log *sink = context;

	sink->write(sink->context, (enum wa_log_level)level, line);
}

static void set_log(struct plugin *plugin, const struct wa_log *log)
{
	if (log == NULL) {
		plugin->log = log_system;
		return;
	}
	plugin->sink = *log;
	plugin->log =
	    (struct log){.level = (enum log_level)log->level, .write = write_through, .context = &plugin->sink};
}

static enum status open_engine(struct plugin *plugin, const char *policy_path, const struct plugin_options *options,
			       struct error *error)
{
	struct wa_options as_told = {.dry_run = options->dry_run};
	struct wa_error reason = {.what = "", .hint = ""};

	if (options->log != NULL)
		as_told.log = *options->log;
	if (wa_engine_open(policy_path, &as_told, &plugin->engine, &reason))
		return STATUS_OK;
	error_set(error, STATUS_INVALID, "%s", reason.what);
	if (reason.hint[0] != '\0')
		error_hint(error, STATUS_INVALID, "%s", reason.hint);
	return STATUS_INVALID;
}

static enum status open_completer(struct plugin *plugin, struct error *error)
{
	enum status status = executor_open("wsmauthz-answer", &plugin->completer, error);

	if (status == STATUS_OK)
		guard_init(&plugin->guard, plugin->completer, plugin_call_expired);
	return status;
}

/* First the engine: what waits is answered now, not at its deadline. */
static void end_threads(struct plugin *plugin)
{
	wa_engine_close(&plugin->engine);
	if (plugin->completer != NULL) {
		guard_end(&plugin->guard);
		executor_close(&plugin->completer);
		guard_done(&plugin->guard);
	}
}

static void free_plugin(struct plugin *plugin)
{
	condition_done(&plugin->changed);
	mutex_done(&plugin->lock);
	memory_free(plugin);
}

enum status plugin_start(const char *policy_path, const struct plugin_options *options, PVOID *context_out,
			 struct error *error)
{
	static const struct plugin_options as_a_host = {.log = NULL};
	struct plugin *plugin = memory_new(sizeof(*plugin));
	enum status status;

	if (plugin == NULL)
		return error_no_memory(error);
	if (options == NULL)
		options = &as_a_host;
	mutex_init(&plugin->lock);
	condition_init(&plugin->changed);
	gate_init(&plugin->gate);
	set_log(plugin, options->log);
	plugin->observe = options->observer;
	plugin->observe_context = options->observer_context;
	plugin->reads_tokens = !options->dry_run;
	status = open_engine(plugin, policy_path, options, error);
	if (status == STATUS_OK && (options->asynchronous || wa_engine_is_asynchronous(plugin->engine)))
		status = open_completer(plugin, error);
	if (status != STATUS_OK) {
		end_threads(plugin);
		free_plugin(plugin);
		return status;
	}
	*context_out = plugin;
	return STATUS_OK;
}

bool plugin_sender_sid(const struct plugin *plugin, HANDLE token, char sid_out[SID_TEXT_BYTES])
{
	sid_out[0] = '\0';
	if (token == NULL || !plugin->reads_tokens || !wa_engine_wants_token_sid(plugin->engine))
		return true;
	return plugin_token_sid(token, sid_out);
}

bool plugin_enter(struct plugin *plugin)
{
	bool is_open;

	mutex_lock(&plugin->lock);
	is_open = !atomic_load_explicit(&plugin->is_closing, memory_order_relaxed);
	plugin->calls++;
	plugin->starting += is_open;
	mutex_unlock(&plugin->lock);
	return is_open;
}

static void count_down(struct plugin *plugin, size_t *count)
{
	mutex_lock(&plugin->lock);
	(*count)--;
	/* Nobody but Shutdown waits. */
	if (atomic_load_explicit(&plugin->is_closing, memory_order_relaxed))
		condition_broadcast(&plugin->changed);
	mutex_unlock(&plugin->lock);
}

void plugin_started(struct plugin *plugin)
{
	count_down(plugin, &plugin->starting);
}

void plugin_leave(struct plugin *plugin)
{
	count_down(plugin, &plugin->calls);
}

/* True for the first; the others return when the first has ended everything but the memory. */
static bool become_stopper(struct plugin *plugin)
{
	bool is_first;

	mutex_lock(&plugin->lock);
	is_first = !atomic_exchange(&plugin->is_closing, true);
	if (!is_first) {
		plugin->stoppers++;
		while (!plugin->is_closed)
			condition_wait(&plugin->changed, &plugin->lock);
		plugin->stoppers--;
		condition_broadcast(&plugin->changed);
	}
	mutex_unlock(&plugin->lock);
	return is_first;
}

/* Until the engine knows every call that is to be answered by it, and nobody asks its cache. */
static void wait_until_started(struct plugin *plugin)
{
	gate_wait(&plugin->gate);
	mutex_lock(&plugin->lock);
	while (plugin->starting > 0)
		condition_wait(&plugin->changed, &plugin->lock);
	mutex_unlock(&plugin->lock);
}

static void wait_for_others(struct plugin *plugin)
{
	/* Who came meanwhile is refused, and counted when it leaves the gate. */
	gate_wait(&plugin->gate);
	mutex_lock(&plugin->lock);
	while (plugin->calls > 0)
		condition_wait(&plugin->changed, &plugin->lock);
	plugin->is_closed = true;
	condition_broadcast(&plugin->changed);
	while (plugin->stoppers > 0)
		condition_wait(&plugin->changed, &plugin->lock);
	mutex_unlock(&plugin->lock);
}

enum status plugin_stop(struct plugin *plugin)
{
	if (plugin->completer != NULL && executor_is_current(plugin->completer))
		return STATUS_INVALID;
	if (!become_stopper(plugin))
		return STATUS_OK;
	wait_until_started(plugin);
	end_threads(plugin);
	wait_for_others(plugin);
	log_event(&plugin->log, LOG_EVENT_STOPPED, "plug-in: stopped");
	free_plugin(plugin);
	return STATUS_OK;
}
