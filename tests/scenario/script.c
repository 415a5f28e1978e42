/* SPDX-License-Identifier: Apache-2.0 */
#include <scenario/script.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/fake_text.h>

static char *read_file(const char *path, size_t *length_out)
{
	FILE *file = fopen(path, "rb");
	char *data = NULL;
	size_t length = 0, capacity = 0, got;

	if (file == NULL) {
		perror(path);
		return NULL;
	}
	do {
		data = fake_reserve(data, &capacity, length + 4096, 1);
		got = fread(data + length, 1, 4095, file);
		length += got;
	} while (got > 0);
	data[length] = '\0';
	(void)fclose(file);
	*length_out = length;
	return data;
}

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef";
	const char *found = c != '\0' ? strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c) : NULL;

	return found != NULL ? (int)(found - digits) : -1;
}

/* The character at *cursor inside quotes; moves behind it. */
static char take_quoted(const char **cursor)
{
	const char *c = *cursor;

	if (c[0] == '\\' && c[1] == '"') {
		*cursor = c + 2;
		return '"';
	}
	if (c[0] == '\\' && c[1] == 'x' && hex_digit(c[2]) >= 0 && hex_digit(c[3]) >= 0) {
		*cursor = c + 4;
		return (char)(hex_digit(c[2]) * 16 + hex_digit(c[3]));
	}
	*cursor = c + 1;
	return c[0];
}

/* A word may be quoted in part: l="New York". Returns false when a quote is not closed. */
static bool take_word(const char **cursor, const char *end, struct word *word)
{
	char *text = fake_new((size_t)(end - *cursor) + 1, 1);
	const char *c = *cursor;
	bool quoted = false;
	size_t length = 0;

	while (c < end && (quoted || (*c != ' ' && *c != '\t'))) {
		if (*c == '"') {
			quoted = !quoted;
			c++;
		} else if (quoted) {
			text[length++] = take_quoted(&c);
		} else {
			text[length++] = *c++;
		}
	}
	*cursor = c;
	word->text = text;
	word->length = length;
	return !quoted;
}

static bool read_words(const char *line, const char *end, struct command *command)
{
	while (true) {
		struct word *word;

		while (line < end && (*line == ' ' || *line == '\t'))
			line++;
		if (line >= end || *line == '#')
			return true;
		command->words =
		    fake_reserve(command->words, &command->capacity, command->count + 1, sizeof(*command->words));
		word = &command->words[command->count++];
		if (!take_word(&line, end, word))
			return false;
	}
}

static const char *end_of_line(const char *line)
{
	return line + strcspn(line, "\n");
}

/* The lines until one that is `mark`; NULL when there is none. *cursor moves behind it. */
static char *take_block(const char **cursor, unsigned *number, const char *mark)
{
	const char *start = *cursor;

	for (const char *line = start; *line != '\0';) {
		const char *end = end_of_line(line);
		const char *next = *end != '\0' ? end + 1 : end;

		++*number;
		if ((size_t)(end - line) == strlen(mark) && memcmp(line, mark, strlen(mark)) == 0) {
			*cursor = next;
			return fake_copy(start, (size_t)(line - start));
		}
		line = next;
	}
	return NULL;
}

static bool read_command(const char **cursor, unsigned *number, struct script *script)
{
	const char *line = *cursor, *end = end_of_line(line);
	struct command *command;
	struct word *last;

	script->commands =
	    fake_reserve(script->commands, &script->capacity, script->count + 1, sizeof(*script->commands));
	command = &script->commands[script->count];
	memset(command, 0, sizeof(*command));
	command->line = ++*number;
	*cursor = *end != '\0' ? end + 1 : end;
	script->count++;
	if (!read_words(line, end, command)) {
		(void)fprintf(stderr, "%s:%u: a quote is not closed\n", script->path, *number);
		return false;
	}
	last = command->count > 0 ? &command->words[command->count - 1] : NULL;
	if (last == NULL || strncmp(last->text, "<<", 2) != 0)
		return true;
	command->block = take_block(cursor, number, last->text + 2);
	if (command->block == NULL)
		(void)fprintf(stderr, "%s:%u: no line '%s' ends the text\n", script->path, command->line,
			      last->text + 2);
	return command->block != NULL;
}

bool script_read(const char *path, struct script *script_out)
{
	struct script script = {.path = path};
	size_t length = 0;
	char *data = read_file(path, &length);
	const char *cursor = data;
	unsigned number = 0;
	bool good = data != NULL;

	while (good && *cursor != '\0')
		good = read_command(&cursor, &number, &script);
	free(data);
	if (good)
		*script_out = script;
	else
		script_done(&script);
	return good;
}

void script_done(struct script *script)
{
	for (size_t i = 0; i < script->count; i++) {
		for (size_t j = 0; j < script->commands[i].count; j++)
			free(script->commands[i].words[j].text);
		free(script->commands[i].words);
		free(script->commands[i].block);
	}
	free(script->commands);
	memset(script, 0, sizeof(*script));
}
