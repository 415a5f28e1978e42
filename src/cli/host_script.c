/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <cli/host_script.h>
#include <string.h>

void host_script_init(struct host_script *script, const char *source, host_block_fn *run, void *context)
{
	memset(script, 0, sizeof(*script));
	script->source = source;
	script->run = run;
	script->context = context;
}

static void clear_block(struct host_script *script)
{
	for (size_t i = 0; i < script->count; i++)
		host_step_done(&script->block[i]);
	script->count = 0;
	script->together_line = 0;
}

void host_script_done(struct host_script *script)
{
	clear_block(script);
	memory_free(script->block);
	script->block = NULL;
	script->capacity = 0;
}

static enum status run(const struct host_script *script, const struct host_step *steps, size_t count, bool is_together,
		       struct error *error)
{
	if (script->run == NULL || count == 0)
		return STATUS_OK;
	return script->run(script->context, steps, count, is_together, error);
}

static bool is_same_user(const struct host_step *a, const struct host_step *b)
{
	return strcmp(a->name, b->name) == 0;
}

size_t host_script_lanes(const struct host_step *steps, size_t count, size_t *lanes_out)
{
	size_t first[HOST_MAX_LANES], lanes = 0, lane = 0;

	for (size_t i = 0; i < count; i++) {
		if (host_step_has_user(&steps[i])) {
			for (lane = 0; lane < lanes && !is_same_user(&steps[first[lane]], &steps[i]); lane++)
				;
			if (lane == HOST_MAX_LANES)
				return HOST_MAX_LANES + 1;
			if (lane == lanes)
				first[lanes++] = i;
		}
		lanes_out[i] = lane;
	}
	return lanes;
}

static enum status check_lanes(const struct host_script *script, struct error *error)
{
	size_t *lanes = memory_new_array(script->count, sizeof(*lanes));
	size_t count;

	if (lanes == NULL)
		return error_no_memory(error);
	count = host_script_lanes(script->block, script->count, lanes);
	memory_free(lanes);
	if (count > HOST_MAX_LANES)
		return error_set(error, STATUS_INVALID, "there are more than %d users between 'together' and 'end'",
				 HOST_MAX_LANES);
	return STATUS_OK;
}

/* Whether the step may stand where it does. */
static enum status check_place(const struct host_script *script, const struct host_step *step, struct error *error)
{
	bool is_inside = script->together_line != 0;
	bool has_subject = is_inside ? script->count > 0 : script->has_subject;

	if (step->verb == HOST_STEP_EXPECT && !has_subject)
		return error_set(error, STATUS_INVALID, "'expect' has no step before it that it could be about");
	if (step->verb == HOST_STEP_WAIT && is_inside && !has_subject)
		return error_set(error, STATUS_INVALID,
				 "who is to wait? inside 'together' it stands behind a user's step");
	if (step->verb == HOST_STEP_TOGETHER && is_inside)
		return error_set(error, STATUS_INVALID, "'together' stands inside that of line %u",
				 script->together_line);
	if (step->verb == HOST_STEP_END && !is_inside)
		return error_set(error, STATUS_INVALID, "'end' without a 'together'");
	return STATUS_OK;
}

static enum status end_block(struct host_script *script, struct error *error)
{
	enum status status = check_lanes(script, error);

	if (status == STATUS_OK)
		status = run(script, script->block, script->count, true, error);
	clear_block(script);
	script->has_subject = false;
	return status;
}

/* The block takes the step over. */
static enum status add_to_block(struct host_script *script, struct host_step *step, struct error *error)
{
	if (script->count == HOST_MAX_BLOCK)
		return error_set(error, STATUS_INVALID, "there are more than %d steps between 'together' and 'end'",
				 HOST_MAX_BLOCK);
	if (!ARRAY_RESERVE(&script->block, &script->capacity, script->count + 1))
		return error_no_memory(error);
	script->block[script->count++] = *step;
	memset(step, 0, sizeof(*step));
	return STATUS_OK;
}

static enum status take(struct host_script *script, struct host_step *step, struct error *error)
{
	enum status status = check_place(script, step, error);

	if (status != STATUS_OK || step->verb == HOST_STEP_NOTHING)
		return status;
	if (step->verb == HOST_STEP_END)
		return end_block(script, error);
	if (step->verb == HOST_STEP_TOGETHER) {
		script->together_line = step->line;
		return STATUS_OK;
	}
	if (script->together_line != 0)
		return add_to_block(script, step, error);
	script->has_subject = script->has_subject || (host_step_has_user(step) && step->verb != HOST_STEP_LEAVE);
	return run(script, step, 1, false, error);
}

enum status host_script_line(struct host_script *script, const char *line, size_t length, struct error *error)
{
	struct host_step step = {.verb = HOST_STEP_NOTHING};
	enum status status = host_step_parse(line, length, ++script->line, &step, error);

	if (status == STATUS_OK)
		status = take(script, &step, error);
	if (status == STATUS_INVALID)
		error_prefix(error, "%s:%u", script->source, script->line);
	host_step_done(&step);
	return status;
}

enum status host_script_end(const struct host_script *script, struct error *error)
{
	if (script->together_line == 0)
		return STATUS_OK;
	return error_set(error, STATUS_INVALID, "%s:%u: 'together' has no 'end'", script->source,
			 script->together_line);
}
