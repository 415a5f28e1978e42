/* SPDX-License-Identifier: Apache-2.0 */
#include <scenario/commands.h>

#include <config/config.h>
#include <policy/account.h>
#include <scenario/expect.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/clock_manual.h>
#include <support/fake_text.h>

#define MAX_TARGETS 16

uint64_t command_duration(struct stage *stage, const char *text)
{
	uint64_t ms = 0;

	if (!config_parse_duration(text, &ms))
		stage_fail(stage, "'%s' is not a duration", text);
	return ms;
}

unsigned long command_number(struct stage *stage, const char *text)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (end == text || *end != '\0')
		stage_fail(stage, "'%s' is not a number", text);
	return number;
}

static void take_policy(struct stage *stage, const struct command *command)
{
	if (command->block == NULL) {
		stage_fail(stage, "a policy is a text: policy <<END");
		return;
	}
	free(stage->policy);
	stage->policy = fake_copy(command->block, strlen(command->block));
}

static void set_option(struct stage *stage, const struct command *command)
{
	const char *value = command->words[3].text;

	stage_set_option(stage, command->words[1].text, command->words[2].text,
			 strcmp(value, "none") == 0 ? NULL : value);
}

static void start(struct stage *stage, const struct command *command)
{
	bool refused = command->count == 3 && strcmp(command->words[1].text, "fails") == 0;

	stage_start(stage, refused ? command->words[2].text : NULL);
}

static void reload(struct stage *stage, const struct command *command)
{
	(void)command;
	stage_reload(stage);
}

static void stop(struct stage *stage, const struct command *command)
{
	(void)command;
	stage_stop(stage);
}

static void pass(struct stage *stage, const struct command *command)
{
	stage_pass(stage, command_duration(stage, command->words[1].text));
}

/* wall 20260601120000Z */
static void set_wall(struct stage *stage, const struct command *command)
{
	int64_t seconds = 0;

	if (account_parse_time(command->words[1].text, &seconds))
		clock_manual_set_wall_s(seconds);
	else
		stage_fail(stage, "'%s' is not a generalized time", command->words[1].text);
}

/* The words of a question, from the sender up to "->" or the end. */
static size_t read_question(struct stage *stage, const struct command *command, size_t next, enum wa_kind kind,
			    struct wa_question *question)
{
	*question = (struct wa_question){
	    .kind = kind,
	    .sender = command->words[next].text,
	    .sender_length = command->words[next].length,
	    .mechanism = "Negotiate",
	};
	for (next++; next + 1 < command->count && strcmp(command->words[next].text, "->") != 0; next += 2) {
		const char *name = command->words[next].text, *value = command->words[next + 1].text;

		if (strcmp(name, "url") == 0)
			question->http_url = value;
		else if (strcmp(name, "mechanism") == 0)
			question->mechanism = value;
		else if (strcmp(name, "sid") == 0)
			question->allow_sid = strcmp(value, "yes") == 0;
		else
			stage_fail(stage, "'%s' is nothing a question has", name);
	}
	return next;
}

static enum wa_kind kind_of(const char *word)
{
	if (strcmp(word, "operation") == 0)
		return WA_KIND_OPERATION;
	return strcmp(word, "quota") == 0 ? WA_KIND_QUOTA : WA_KIND_USER;
}

static void ask(struct stage *stage, const struct command *command)
{
	struct wa_question question;
	size_t next = read_question(stage, command, 1, kind_of(command->words[0].text), &question);
	struct asked *asked;

	if (next >= command->count || strcmp(command->words[next].text, "->") != 0) {
		stage_fail(stage, "a question needs '->' and what is expected");
		return;
	}
	asked = stage_ask(stage, NULL, &question);
	if (asked != NULL && stage_await(stage, asked))
		expect_decision(stage, &asked->decision, command->words + next + 1, command->count - next - 1);
}

/* begin NAME ask SENDER...: the answer is looked at later, by `end NAME ->`. */
static void begin_question(struct stage *stage, const struct command *command)
{
	struct wa_question question;

	(void)read_question(stage, command, 3, kind_of(command->words[2].text), &question);
	(void)stage_ask(stage, command->words[1].text, &question);
}

static void end_question(struct stage *stage, const struct command *command)
{
	struct asked *asked = stage_find_asked(stage, command->words[1].text);

	if (asked == NULL || (asked->answers == 0 && !stage_await(stage, asked)))
		return;
	expect_decision(stage, &asked->decision, command->words + 3, command->count - 3);
}

static void still_waits(struct stage *stage, const struct command *command)
{
	struct asked *asked = stage_find_asked(stage, command->words[1].text);

	if (asked != NULL && asked->answers > 0)
		stage_fail(stage, "'%s' has its answer already: %s %s", command->words[1].text,
			   wa_verdict_word(asked->decision.verdict), wa_reason_word(asked->decision.reason));
}

struct target {
	const char *uri;
	unsigned long users;
};

static void count_target(struct target *targets, size_t *count, const char *uri)
{
	for (size_t i = 0; i < *count; i++) {
		if (strcmp(targets[i].uri, uri) == 0) {
			targets[i].users++;
			return;
		}
	}
	if (*count < MAX_TARGETS)
		targets[(*count)++] = (struct target){uri, 1};
}

static const char *target_of(struct stage *stage, const char *sender)
{
	struct wa_question question = {.sender = sender, .sender_length = strlen(sender), .mechanism = "Negotiate"};
	struct asked *asked = stage_ask(stage, NULL, &question);

	if (asked == NULL || !stage_await(stage, asked))
		return NULL;
	if (asked->decision.verdict != WA_REDIRECT)
		stage_fail(stage, "%s: %s %s instead of a redirect", sender, wa_verdict_word(asked->decision.verdict),
			   wa_reason_word(asked->decision.reason));
	return asked->decision.redirect_uri;
}

/* spread 300 u over 2 least 100: u1 to u300, each asked twice, go to that many targets; the same one each time. */
static void spread(struct stage *stage, const struct command *command)
{
	unsigned long users = command_number(stage, command->words[1].text);
	unsigned long wanted = command_number(stage, command->words[4].text);
	unsigned long least = command_number(stage, command->words[6].text);
	struct target targets[MAX_TARGETS];
	size_t count = 0;

	for (unsigned long i = 1; i <= users && !stage->failed; i++) {
		char *sender = fake_format("%s%lu", command->words[2].text, i);
		const char *first = target_of(stage, sender), *second = target_of(stage, sender);

		if (first != NULL && second != NULL && strcmp(first, second) != 0)
			stage_fail(stage, "%s is sent to '%s' and then to '%s'", sender, first, second);
		if (first != NULL)
			count_target(targets, &count, first);
		free(sender);
	}
	if (count != wanted)
		stage_fail(stage, "users go to %zu targets, expected %lu", count, wanted);
	for (size_t i = 0; i < count; i++) {
		if (targets[i].users < least)
			stage_fail(stage, "only %lu users go to '%s'", targets[i].users, targets[i].uri);
	}
}

static void check_log(struct stage *stage, const struct command *command)
{
	const char *verb = command->words[1].text;
	unsigned long times = 0;

	if (strcmp(verb, "clear") == 0) {
		while (stage->log_count > 0)
			free(stage->log[--stage->log_count]);
		return;
	}
	if (command->count < 3) {
		stage_fail(stage, "log contains, lacks or counts what?");
		return;
	}
	for (size_t i = 0; i < stage->log_count; i++)
		times += strstr(stage->log[i], command->words[2].text) != NULL;
	if (strcmp(verb, "contains") == 0 && times == 0)
		stage_fail(stage, "no log line contains \"%s\"", command->words[2].text);
	else if (strcmp(verb, "lacks") == 0 && times > 0)
		stage_fail(stage, "a log line contains \"%s\"", command->words[2].text);
	else if (strcmp(verb, "counts") == 0 && times != command_number(stage, command->words[command->count - 1].text))
		stage_fail(stage, "%lu log lines contain \"%s\"", times, command->words[2].text);
}

const struct command_kind engine_commands[] = {
    {"policy", 2, take_policy},  {"option", 4, set_option}, {"start", 1, start},          {"stop", 1, stop},
    {"reload", 1, reload},       {"after", 2, pass},        {"wall", 2, set_wall},        {"ask", 3, ask},
    {"operation", 3, ask},       {"quota", 3, ask},         {"begin", 4, begin_question}, {"end", 4, end_question},
    {"waiting", 2, still_waits}, {"spread", 7, spread},     {"log", 2, check_log},        {NULL, 0, NULL},
};
