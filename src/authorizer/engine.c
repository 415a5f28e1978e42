/* SPDX-License-Identifier: Apache-2.0 */
#include <authorizer/engine_private.h>
#include <authorizer/lockout.h>
#include <base/memory.h>
#include <base/text.h>
#include <directory/dir_conn.h>
#include <os/log_sink.h>
#include <policy/account.h>
#include <policy/redirect.h>
#include <string.h>

static void write_log(void *context, enum log_level level, const char *line)
{
	const struct wa_engine *engine = context;

	engine->sink.write(engine->sink.context, (enum wa_log_level)level, line);
}

static void set_log(struct wa_engine *engine, const struct wa_options *options)
{
	if (options == NULL || options->log.write == NULL) {
		engine->log = (struct log){LOG_LEVEL_WARNING, log_sink_system, NULL};
		return;
	}
	engine->sink = options->log;
	engine->log = (struct log){(enum log_level)options->log.level, write_log, engine};
}

/* What membership calls a root: the rules' groups, then the sites' groups (NULL for sites by name). */
static enum status name_groups(struct wa_engine *engine)
{
	const struct config *config = engine->config;
	size_t count = config->rule_count + config->redirect.site_count;

	engine->group_names = memory_new_array(count + 1, sizeof(*engine->group_names));
	if (engine->group_names == NULL)
		return STATUS_NO_MEMORY;
	for (size_t i = 0; i < config->rule_count; i++)
		engine->group_names[i] = config->rules[i].group;
	for (size_t i = 0; i < config->redirect.site_count; i++)
		engine->group_names[config->rule_count + i] = config->redirect.sites[i].group;
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

/* The user's search asks for all that any step may need, so that there is only one. */
static enum status name_attributes(struct wa_engine *engine)
{
	const struct config_directory *directory = &engine->config->directories[0];
	const char *const *groups = membership_user_attributes(engine->membership);
	const char *fixed[] = {lockout_user_attribute,
			       "entryUUID",
			       "nsUniqueId",
			       "objectSid",
			       directory->user_name_attribute,
			       directory->user_upn_attribute,
			       engine->config->redirect.attribute};
	size_t count = 0;

	engine->user_attributes = memory_new_array(
	    COUNT_OF(fixed) + length_of(account_attributes) + length_of(groups) + 1, sizeof(*engine->user_attributes));
	if (engine->user_attributes == NULL)
		return STATUS_NO_MEMORY;
	for (size_t i = 0; i < COUNT_OF(fixed); i++)
		if (fixed[i] != NULL)
			engine->user_attributes[count++] = fixed[i];
	count = append(engine->user_attributes, count, account_attributes);
	(void)append(engine->user_attributes, count, groups);
	return STATUS_OK;
}

/* The bind password would travel in the clear; ldapi is a socket of this machine. */
static bool shows_password(const struct config_directory *directory)
{
	return directory->bind == CONFIG_BIND_SIMPLE && directory->tls == CONFIG_TLS_NONE &&
	       strncmp(directory->uris[0], "ldapi:", 6) != 0;
}

/* Who tries a policy out has it before his eyes again and again: he is told when he asks for more (info). */
static void advise(const struct wa_engine *engine, bool dry_run)
{
	const struct config_redirect *redirect = &engine->config->redirect;
	void (*tell)(const struct log *log, const char *format, ...) = dry_run ? log_info : log_warning;

	if (redirect->attribute != NULL && redirect_attribute_may_be_self_written(redirect->attribute))
		tell(&engine->log,
		     "%s:%u: many directories let people write '%s' of their own entry, and so choose where they are "
		     "redirected to; see that the access rules of this one do not, or use <site group>",
		     engine->config->path, redirect->line, redirect->attribute);
}

static void warn(const struct wa_engine *engine)
{
	const struct config_directory *directory = &engine->config->directories[0];

	if (shows_password(directory))
		log_warning(&engine->log,
			    "%s:%u: <tls mode=\"none\"> sends the password of '%s' over the network in the clear",
			    engine->config->path, directory->line, directory->bind_dn);
	if (engine->config->metrics_file != NULL)
		log_warning(&engine->log, "%s: <metrics> is accepted, but this version writes no metrics",
			    engine->config->path);
}

static enum status open_parts(struct wa_engine *engine, bool dry_run, struct error *error)
{
	enum status status = dry_run ? audit_check(engine->config, error)
				     : audit_open(engine->config, &engine->log, &engine->audit, error);

	if (status != STATUS_OK)
		return status;
	if (name_groups(engine) != STATUS_OK)
		return error_no_memory(error);
	status = executor_open("wsmauthz", &engine->executor, error);
	if (status == STATUS_OK)
		status = dir_pool_open(&engine->config->directories[0], engine->executor, &engine->log, &engine->pool,
				       error);
	if (status == STATUS_OK)
		status = membership_open(engine->config, engine->group_names,
					 engine->config->rule_count + engine->config->redirect.site_count, engine->pool,
					 engine->executor, &engine->log, &engine->membership, error);
	if (status == STATUS_OK && name_attributes(engine) != STATUS_OK)
		status = error_no_memory(error);
	return status;
}

enum status engine_open_with(const struct config *config, const struct wa_options *options,
			     struct wa_engine **engine_out, struct error *error)
{
	struct wa_engine *engine = memory_new(sizeof(*engine));
	enum status status;

	if (engine == NULL)
		return error_no_memory(error);
	atomic_init(&engine->questions, 0);
	engine->config = config_ref(config);
	set_log(engine, options);
	warn(engine);
	advise(engine, options != NULL && options->dry_run);
	dir_conn_prepare_process();
	status = open_parts(engine, options != NULL && options->dry_run, error);
	if (status != STATUS_OK) {
		wa_engine_close(&engine);
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

bool wa_engine_open(const char *policy_path, const struct wa_options *options, struct wa_engine **engine_out,
		    struct wa_error *error)
{
	const struct config *config = NULL;
	struct error reason;
	enum status status = config_load(policy_path, &config, &reason);

	if (status == STATUS_OK)
		status = engine_open_with(config, options, engine_out, &reason);
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
	return (uint32_t)engine->config->directories[0].timeout_ms;
}

bool wa_engine_is_asynchronous(const struct wa_engine *engine)
{
	return engine->config->plugin.asynchronous;
}

bool wa_engine_allows_null_token(const struct wa_engine *engine)
{
	return engine->config->plugin.allow_null_token;
}

static void stop(void *context)
{
	struct wa_engine *engine = context;

	engine->stopping = true;
	if (engine->membership != NULL)
		membership_stop(engine->membership);
}

/*
 * The order matters: first nothing new is begun, then the pool answers what it has (each answer a
 * task of the executor), then the executor runs dry, and only then the parts go away.
 */
void wa_engine_close(struct wa_engine **reference)
{
	struct wa_engine *engine = *reference;

	*reference = NULL;
	if (engine == NULL)
		return;
	if (engine->executor != NULL) {
		engine->stop = (struct task){.run = stop, .context = engine};
		executor_post(engine->executor, &engine->stop);
	}
	if (engine->pool != NULL)
		dir_pool_stop(engine->pool);
	executor_close(&engine->executor);
	membership_close(&engine->membership);
	dir_pool_close(&engine->pool);
	audit_close(&engine->audit);
	memory_free(engine->group_names);
	memory_free(engine->user_attributes);
	config_unref(&engine->config);
	memory_free(engine);
}
