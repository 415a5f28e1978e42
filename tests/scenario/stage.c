/* SPDX-License-Identifier: Apache-2.0 */
#include <scenario/stage.h>

#include <authorizer/engine_private.h>
#include <config/config.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/dir_pool_fake.h>
#include <support/dir_watch_fake.h>
#include <support/executor_manual.h>
#include <support/fake_text.h>

#define SUFFIX "dc=x"

/* Between two things that happen there is always some time, and a server needs some. */
#define MOMENT_MS  1
#define LATENCY_MS 1

static const struct {
	const char *element, *name, *value;
} default_options[] = {
    {"wsmauthz", "default-domain", "CORP"}, {"directory", "uri", "ldap://dc1.x"},         {"directory", "base", SUFFIX},
    {"directory", "timeout", "3s"},         {"directory", "domain", "CORP corp.example"},
};

static char *copy_or_null(const char *text)
{
	return text != NULL ? fake_copy(text, strlen(text)) : NULL;
}

static void add_line(char ***lines, size_t *count, size_t *capacity, char *line)
{
	*lines = fake_reserve(*lines, capacity, *count + 1, sizeof(**lines));
	(*lines)[(*count)++] = line;
}

static void clear_lines(char **lines, size_t *count)
{
	for (size_t i = 0; i < *count; i++)
		free(lines[i]);
	*count = 0;
}

static void see_search(void *context, const struct dir_search *search)
{
	static const char *const scopes[] = {"base", "one", "sub"};
	struct stage *stage = context;

	add_line(&stage->traffic, &stage->traffic_count, &stage->traffic_capacity,
		 fake_format("%s '%s' %s", scopes[search->scope], search->base, search->filter));
}

void stage_init(struct stage *stage, const char *path)
{
	memset(stage, 0, sizeof(*stage));
	stage->path = path;
	stage->directory = fake_directory_new(SUFFIX);
	for (size_t i = 0; i < COUNT_OF(default_options); i++)
		stage_set_option(stage, default_options[i].element, default_options[i].name, default_options[i].value);
	(void)fake_directory_add(stage->directory, "ou=people," SUFFIX);
	(void)fake_directory_gain(stage->directory, "ou=people," SUFFIX, "objectClass", "organizationalUnit");
	(void)fake_directory_add(stage->directory, "ou=groups," SUFFIX);
	(void)fake_directory_gain(stage->directory, "ou=groups," SUFFIX, "objectClass", "organizationalUnit");
	dir_pool_fake_use(stage->directory, LATENCY_MS);
	dir_watch_fake_use(stage->directory);
	dir_pool_fake_observe(see_search, stage);
}

/* A scenario that went wrong is read with the searches and the log at hand; the last of them say most. */
static void print_last(const char *title, char *const *lines, size_t count)
{
	size_t first = count > 12 ? count - 12 : 0;

	if (count > 0)
		(void)fprintf(stderr, "  %s:\n", title);
	for (size_t i = first; i < count; i++)
		(void)fprintf(stderr, "    %s\n", lines[i]);
}

void stage_fail(struct stage *stage, const char *format, ...)
{
	va_list arguments;

	(void)fprintf(stderr, "%s:%u: ", stage->path, stage->line);
	va_start(arguments, format);
	(void)vfprintf(stderr, format, arguments);
	va_end(arguments);
	(void)fputs("\n", stderr);
	if (!stage->failed) {
		print_last("searches since the question", stage->traffic, stage->traffic_count);
		print_last("log", stage->log, stage->log_count);
	}
	stage->failed = true;
}

void stage_set_option(struct stage *stage, const char *element, const char *name, const char *value)
{
	struct option *option = NULL;

	for (size_t i = 0; i < stage->option_count; i++) {
		if (strcmp(stage->options[i].element, element) == 0 && strcmp(stage->options[i].name, name) == 0)
			option = &stage->options[i];
	}
	if (option == NULL) {
		stage->options = fake_reserve(stage->options, &stage->option_capacity, stage->option_count + 1,
					      sizeof(*stage->options));
		option = &stage->options[stage->option_count++];
		*option = (struct option){copy_or_null(element), copy_or_null(name), NULL};
	}
	free(option->value);
	option->value = copy_or_null(value);
}

/* <element name="value" ...; the caller closes it. "" when it has no attributes. Owned by the caller. */
static char *open_element(const struct stage *stage, const char *element)
{
	char *out = fake_copy("", 0);

	for (size_t i = 0; i < stage->option_count; i++) {
		const struct option *option = &stage->options[i];
		char *more;

		if (strcmp(option->element, element) != 0 || option->value == NULL)
			continue;
		more = fake_format("%s %s=\"%s\"", out, option->name, option->value);
		free(out);
		out = more;
	}
	return out;
}

char *stage_policy(const struct stage *stage)
{
	char *top = open_element(stage, "wsmauthz"), *directory = open_element(stage, "directory");
	char *users = open_element(stage, "users"), *groups = open_element(stage, "groups");
	char *cache = open_element(stage, "cache");
	char *policy =
	    fake_format("<wsmauthz xmlns=\"" CONFIG_NAMESPACE "\"%s><directory%s><bind mechanism=\"anonymous\"/>"
			"<tls mode=\"none\"/>%s%s%s%s%s%s</directory>%s%s%s%s</wsmauthz>",
			top, directory, users[0] != '\0' ? "<users" : "", users, users[0] != '\0' ? "/>" : "",
			groups[0] != '\0' ? "<groups" : "", groups, groups[0] != '\0' ? "/>" : "",
			cache[0] != '\0' ? "<cache" : "", cache, cache[0] != '\0' ? "/>" : "", stage->policy);

	free(top);
	free(directory);
	free(users);
	free(groups);
	free(cache);
	return policy;
}

static void write_log(void *context, enum wa_log_level level, const char *line)
{
	static const char *const words[] = {"error", "warning", "info", "debug"};
	struct stage *stage = context;

	add_line(&stage->log, &stage->log_count, &stage->log_capacity, fake_format("%s: %s", words[level], line));
}

void stage_start(struct stage *stage, const char *refusal)
{
	struct wa_options options = {.log = {WA_LOG_INFO, write_log, stage}, .dry_run = true};
	const struct config *config = NULL;
	struct error error = {.status = STATUS_OK};
	enum status status;
	char *policy;

	if (stage->policy == NULL || stage->engine != NULL) {
		stage_fail(stage, stage->policy == NULL ? "no policy" : "it runs already");
		return;
	}
	policy = stage_policy(stage);
	status = config_parse(policy, strlen(policy), "policy.xml", &config, &error);
	if (status == STATUS_OK && refusal == NULL)
		status = engine_open_with(config, &options, &stage->engine, &error);
	if (refusal != NULL && (status == STATUS_OK || strstr(error.what, refusal) == NULL))
		stage_fail(stage, "expected a refusal with \"%s\", got: %s", refusal,
			   status == STATUS_OK ? "none" : error.what);
	else if (refusal == NULL && status != STATUS_OK)
		stage_fail(stage, "it does not start: %s (%s)\n%s", error.what, error.hint, policy);
	config_unref(&config);
	free(policy);
}

void stage_reload(struct stage *stage)
{
	const struct config *config = NULL;
	struct error error = {.status = STATUS_OK};
	char *policy = stage_policy(stage);

	if (config_parse(policy, strlen(policy), "policy.xml", &config, &error) != STATUS_OK)
		stage_fail(stage, "the new policy is refused: %s (%s)\n%s", error.what, error.hint, policy);
	else
		engine_take_policy(stage->engine, config);
	config_unref(&config);
	free(policy);
}

void stage_stop(struct stage *stage)
{
	wa_engine_close(&stage->engine);
	if (dir_pool_fake_in_flight() != 0)
		stage_fail(stage, "%zu requests are still in flight after the end", dir_pool_fake_in_flight());
}

void stage_pass(struct stage *stage, uint64_t ms)
{
	(void)stage;
	(void)executor_manual_advance_all(ms);
}

static char *join_path(const struct wa_decision *decision)
{
	char *joined;

	if (decision->path == NULL || decision->path_count == 0)
		return NULL;
	joined = copy_or_null(decision->path[0]);
	for (size_t i = 1; i < decision->path_count; i++) {
		char *longer = fake_format("%s; %s", joined, decision->path[i]);

		free(joined);
		joined = longer;
	}
	return joined;
}

static void keep(void *context, const struct wa_decision *decision)
{
	struct asked *asked = context;
	struct kept_decision *kept = &asked->decision;

	asked->answered_inside = asked->answered_inside || asked->stage->asking;
	if (asked->answers++ > 0)
		return;
	*kept = (struct kept_decision){
	    .verdict = decision->verdict,
	    .reason = decision->reason,
	    .code = decision->code,
	    .redirect_uri = copy_or_null(decision->redirect_uri),
	    .rule = copy_or_null(decision->rule),
	    .dn = copy_or_null(decision->dn),
	    .path = join_path(decision),
	    .detail = copy_or_null(decision->detail),
	    .administrator = decision->administrator,
	    .cached = decision->cached,
	    .quota = decision->quota,
	    .searches = decision->searches,
	    .elapsed_us = decision->elapsed_us,
	};
}

struct asked *stage_ask(struct stage *stage, const char *name, const struct wa_question *question)
{
	struct asked *asked;
	bool taken;

	if (stage->engine == NULL) {
		stage_fail(stage, "nothing runs: 'start' is missing");
		return NULL;
	}
	stage_pass(stage, MOMENT_MS);
	asked = fake_new(1, sizeof(*asked));
	asked->stage = stage;
	asked->name = copy_or_null(name);
	asked->next = stage->asked;
	stage->asked = asked;
	clear_lines(stage->traffic, &stage->traffic_count);
	stage->requests_before = dir_pool_fake_requests();
	stage->asking = true;
	taken = wa_engine_decide(stage->engine, question, keep, asked);
	stage->asking = false;
	if (!taken)
		stage_fail(stage, "the engine did not take the question");
	return taken ? asked : NULL;
}

bool stage_await(struct stage *stage, struct asked *asked)
{
	(void)executor_manual_run_all();
	for (unsigned ms = 0; asked->answers == 0 && ms < STAGE_PATIENCE_MS; ms++)
		stage_pass(stage, ms > 0 ? 1 : 0);
	if (asked->answers == 0)
		stage_fail(stage, "no answer within %u s", STAGE_PATIENCE_MS / 1000);
	return asked->answers > 0;
}

struct asked *stage_find_asked(struct stage *stage, const char *name)
{
	for (struct asked *asked = stage->asked; asked != NULL; asked = asked->next) {
		if (asked->name != NULL && strcmp(asked->name, name) == 0)
			return asked;
	}
	stage_fail(stage, "nobody asked '%s'", name);
	return NULL;
}

static void asked_done(struct stage *stage, struct asked *asked)
{
	if (asked->answers != 1)
		stage_fail(stage, "a question (%s) was answered %u times", asked->name != NULL ? asked->name : "ask",
			   asked->answers);
	if (asked->answered_inside)
		stage_fail(stage, "a question was answered inside the call that asked it");
	free(asked->name);
	free(asked->decision.redirect_uri);
	free(asked->decision.rule);
	free(asked->decision.dn);
	free(asked->decision.path);
	free(asked->decision.detail);
	free(asked);
}

void stage_done(struct stage *stage)
{
	stage_stop(stage);
	while (stage->asked != NULL) {
		struct asked *asked = stage->asked;

		stage->asked = asked->next;
		asked_done(stage, asked);
	}
	for (size_t i = 0; i < stage->option_count; i++) {
		free(stage->options[i].element);
		free(stage->options[i].name);
		free(stage->options[i].value);
	}
	free(stage->options);
	free(stage->policy);
	free(stage->last_uri);
	clear_lines(stage->log, &stage->log_count);
	free(stage->log);
	clear_lines(stage->traffic, &stage->traffic_count);
	free(stage->traffic);
	fake_directory_free(&stage->directory);
}
