/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <cli/console.h>
#include <cli/host_source.h>
#include <cli/host_system.h>
#include <cli/lines.h>
#include <cli/machine.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define READ_SIZE_BYTES 65536
#define PROMPT          "host> "
#define GREETING                                                                                                       \
	"Steps: connect, operate, quota, refresh, leave NAME; wait 1s; expect authorize; the end of input ends the "   \
	"host.\n"

static enum status read_all(FILE *file, const char *path, struct text *text, struct error *error)
{
	char buffer[4096];
	size_t length;

	while ((length = fread(buffer, 1, sizeof(buffer), file)) > 0) {
		text_add_bytes(text, buffer, length);
		if (text->length > HOST_SCRIPT_MAX_BYTES)
			return error_set(error, STATUS_LIMIT, "the script '%s' is larger than 16 MB", path);
	}
	if (ferror(file))
		return error_system(error, STATUS_UNREACHABLE, errno, "could not read the script '%s'", path);
	return text_failed(text) ? error_no_memory(error) : STATUS_OK;
}

static enum status read_file(const char *path, struct host_source *source, struct error *error)
{
	FILE *file = fopen(path, "rb");
	struct text text;
	enum status status;

	if (file == NULL)
		return error_system(error, errno == ENOENT ? STATUS_NOT_FOUND : STATUS_UNREACHABLE, errno,
				    "could not open the script '%s'", path);
	text_init(&text);
	status = read_all(file, path, &text, error);
	(void)fclose(file);
	if (status == STATUS_OK) {
		source->length = text.length;
		source->text = text.length > 0 ? text_take(&text) : memory_copy_text("");
		if (source->text == NULL)
			status = error_no_memory(error);
	}
	text_done(&text);
	return status;
}

static enum status take_line(void *context, const char *line, size_t length, struct error *error)
{
	return host_script_line(context, line, length, error);
}

static enum status feed_text(const struct host_source *source, host_block_fn *run, void *context, struct error *error)
{
	struct host_script script;
	struct lines lines;
	enum status status;

	host_script_init(&script, source->name, run, context);
	lines_init(&lines, HOST_LINE_MAX_BYTES, take_line, &script);
	status = lines_feed(&lines, source->text, source->length, error);
	if (status == STATUS_OK)
		status = lines_end(&lines, error);
	if (status == STATUS_OK)
		status = host_script_end(&script, error);
	lines_done(&lines);
	host_script_done(&script);
	return status;
}

enum status host_source_open(const char *path, struct host_source *source_out, struct error *error)
{
	bool is_input = path == NULL || strcmp(path, "-") == 0;
	struct host_source source = {.text = NULL, .name = is_input ? "standard input" : path};
	enum status status = is_input ? STATUS_OK : read_file(path, &source, error);

	if (status == STATUS_OK && !is_input)
		status = feed_text(&source, NULL, NULL, error);
	if (status != STATUS_OK) {
		host_source_close(&source);
		return status;
	}
	*source_out = source;
	return STATUS_OK;
}

void host_source_close(struct host_source *source)
{
	memory_free(source->text);
	source->text = NULL;
}

static void prompt(bool is_typed)
{
	if (is_typed)
		machine_show(PROMPT, sizeof(PROMPT) - 1);
}

/* What is typed may be wrong; what a program sends is not, or the rest would mean something else. */
static enum status take_typed_line(void *context, const char *line, size_t length, struct error *error)
{
	enum status status = host_script_line(context, line, length, error);

	if (status != STATUS_INVALID)
		return status;
	console_complain(error);
	return STATUS_OK;
}

static enum status feed_input(struct lines *lines, struct host_script *script, bool is_typed, struct error *error)
{
	char *buffer = memory_new(READ_SIZE_BYTES);
	size_t length = 1;
	enum status status = buffer != NULL ? STATUS_OK : error_no_memory(error);

	while (status == STATUS_OK && length > 0) {
		prompt(is_typed);
		status = console_read(buffer, READ_SIZE_BYTES, &length, error);
		if (status == STATUS_OK)
			status = length > 0 ? lines_feed(lines, buffer, length, error) : lines_end(lines, error);
	}
	if (status == STATUS_OK)
		status = host_script_end(script, error);
	memory_free(buffer);
	return status;
}

static enum status run_input(const struct host_source *source, host_block_fn *run, void *context, struct error *error)
{
	bool is_typed = host_is_typed();
	struct host_script script;
	struct lines lines;
	enum status status;

	host_script_init(&script, source->name, run, context);
	lines_init(&lines, HOST_LINE_MAX_BYTES, is_typed ? take_typed_line : take_line, &script);
	if (is_typed)
		machine_show(GREETING, sizeof(GREETING) - 1);
	status = feed_input(&lines, &script, is_typed, error);
	lines_done(&lines);
	host_script_done(&script);
	return status;
}

enum status host_source_run(const struct host_source *source, host_block_fn *run, void *context, struct error *error)
{
	return source->text != NULL ? feed_text(source, run, context, error) : run_input(source, run, context, error);
}
