/* SPDX-License-Identifier: Apache-2.0 */
#include <base/json.h>
#include <base/memory.h>
#include <cli/host_expect.h>
#include <cli/host_run.h>
#include <cli/host_trace_format.h>
#include <os/clock.h>
#include <string.h>

#define DEFAULT_MECHANISM "Negotiate"
/* While it waits, records time out at their time, within so much. */
#define WAIT_SLICE_MS 50

/* Steps that come one behind the other. */
struct host_lane {
	struct host_run *run;
	struct thread thread;
	/* A block's: which of its steps are this lane's. */
	const struct host_step *steps;
	const size_t *lanes;
	size_t count, number;
	enum status status;
	struct error error;
	/* What the last step about a user came to, and, of one that was done many times, the first that was otherwise. */
	bool has_outcome, has_odd;
	struct host_outcome outcome, odd;
};

enum status host_run_init(struct host_run *run, struct host_session *session, struct error *error)
{
	memset(run, 0, sizeof(*run));
	run->main = memory_new(sizeof(*run->main));
	if (run->main == NULL)
		return error_no_memory(error);
	run->session = session;
	run->main->run = run;
	mutex_init(&run->lock);
	return STATUS_OK;
}

void host_run_done(struct host_run *run)
{
	memory_free(run->main);
	mutex_done(&run->lock);
}

static enum status do_once(struct host_lane *lane, const struct host_step *step, const struct host_sender *sender,
			   struct host_outcome *outcome, struct error *error)
{
	struct host_session *session = lane->run->session;

	if (step->verb == HOST_STEP_CONNECT)
		return host_session_connect(session, sender, outcome, error);
	if (step->verb == HOST_STEP_REFRESH)
		return host_session_refresh(session, sender, outcome, error);
	if (step->verb == HOST_STEP_QUOTA)
		return host_session_quota(session, sender, outcome, error);
	return host_session_operate(session, sender, step->action, step->resource, outcome, error);
}

static void note_outcome(struct host_lane *lane, const struct host_outcome *outcome, bool is_first)
{
	if (is_first) {
		lane->outcome = *outcome;
		lane->has_outcome = true;
		lane->has_odd = false;
	} else if (!lane->has_odd && !host_outcome_equals(outcome, &lane->outcome)) {
		lane->odd = *outcome;
		lane->has_odd = true;
	}
}

/* The sum of a step, in the trace. */
static void trace_outcome(struct host_lane *lane, const struct host_step *step)
{
	struct text text, members;

	text_init(&text);
	text_init(&members);
	host_outcome_add(&text, &lane->outcome);
	if (step->times > 1)
		text_printf(&text, ", %u times", step->times);
	if (lane->has_odd) {
		text_add(&text, ", but not always: ");
		host_outcome_add(&text, &lane->odd);
	}
	json_number(&members, "line", step->line);
	json_bool(&members, "answered", lane->outcome.is_answered);
	host_add_members(&members, lane->outcome.code, lane->outcome.redirect, lane->outcome.administrator);
	json_bool(&members, "remembered", lane->outcome.is_remembered);
	json_number(&members, "times", step->times);
	json_bool(&members, "same", !lane->has_odd);
	host_trace_add(&lane->run->session->trace, &(struct host_event){.name = host_step_word(step->verb),
									.subject = step->name,
									.text = text_string(&text),
									.members = &members});
	text_done(&text);
	text_done(&members);
}

static void count_step(struct host_lane *lane)
{
	mutex_lock(&lane->run->lock);
	lane->run->steps++;
	mutex_unlock(&lane->run->lock);
}

static enum status do_user_step(struct host_lane *lane, const struct host_step *step, struct error *error)
{
	const struct host_sender sender = {
	    .name = step->name,
	    .mechanism = step->mechanism != NULL ? step->mechanism : DEFAULT_MECHANISM,
	    .url = step->url,
	    .has_no_token = step->token != NULL,
	    .subject = step->subject,
	    .issuer = step->issuer,
	    .thumbprint = step->thumbprint,
	    .subject_name = step->subject_name,
	};
	enum status status = STATUS_OK;

	if (step->verb == HOST_STEP_LEAVE) {
		host_session_leave(lane->run->session, &sender);
		count_step(lane);
		return STATUS_OK;
	}
	for (unsigned i = 0; status == STATUS_OK && i < step->times; i++) {
		struct host_outcome outcome;

		status = do_once(lane, step, &sender, &outcome, error);
		if (status != STATUS_OK)
			return status;
		note_outcome(lane, &outcome, i == 0);
		count_step(lane);
		status = host_trace_state(&lane->run->session->trace, error);
	}
	trace_outcome(lane, step);
	return status;
}

static void do_expect(struct host_lane *lane, const struct host_step *step)
{
	const struct host_outcome *odd = lane->has_odd ? &lane->odd : NULL;
	bool is_met = lane->has_outcome && host_expect_is_met(&step->expected, &lane->outcome) &&
		      (odd == NULL || host_expect_is_met(&step->expected, odd));
	struct text text, members;

	mutex_lock(&lane->run->lock);
	*(is_met ? &lane->run->met : &lane->run->unmet) += 1;
	mutex_unlock(&lane->run->lock);
	text_init(&text);
	text_init(&members);
	text_printf(&text, "line %u: ", step->line);
	json_number(&members, "line", step->line);
	json_bool(&members, "met", is_met);
	host_expect_add(&text, &step->expected);
	text_add(&text, is_met ? ": so it is" : ": NOT SO, it was ");
	if (!is_met && lane->has_outcome)
		host_outcome_add(&text, lane->has_odd && host_expect_is_met(&step->expected, &lane->outcome)
					    ? &lane->odd
					    : &lane->outcome);
	else if (!is_met)
		text_add(&text, "nothing yet");
	json_text(&members, "text", text_string(&text));
	host_trace_add(&lane->run->session->trace,
		       &(struct host_event){
			   .name = "expect", .is_important = !is_met, .text = text_string(&text), .members = &members});
	text_done(&text);
	text_done(&members);
}

static void do_wait(struct host_lane *lane, const struct host_step *step)
{
	uint64_t end_ms = clock_monotonic_ms() + step->wait_ms;

	host_trace_note(&lane->run->session->trace, false, "wait", NULL, "%llu ms", (unsigned long long)step->wait_ms);
	for (uint64_t now_ms = clock_monotonic_ms(); now_ms < end_ms; now_ms = clock_monotonic_ms()) {
		uint64_t left_ms = end_ms - now_ms;

		thread_pause((unsigned)(left_ms < WAIT_SLICE_MS ? left_ms : WAIT_SLICE_MS));
		host_session_expire(lane->run->session);
	}
}

static enum status do_step(struct host_lane *lane, const struct host_step *step, struct error *error)
{
	if (host_step_has_user(step))
		return do_user_step(lane, step, error);
	if (step->verb == HOST_STEP_EXPECT)
		do_expect(lane, step);
	else if (step->verb == HOST_STEP_WAIT)
		do_wait(lane, step);
	return host_trace_state(&lane->run->session->trace, error);
}

static void run_lane(void *context)
{
	struct host_lane *lane = context;

	for (size_t i = 0; lane->status == STATUS_OK && i < lane->count; i++)
		if (lane->lanes[i] == lane->number)
			lane->status = do_step(lane, &lane->steps[i], &lane->error);
}

static enum status start_lanes(struct host_lane *lanes, size_t count, struct error *error)
{
	for (size_t i = 0; i < count; i++) {
		enum status status = thread_start(&lanes[i].thread, "host user", run_lane, &lanes[i], error);

		if (status != STATUS_OK)
			return status;
	}
	return STATUS_OK;
}

static enum status join_lanes(struct host_lane *lanes, size_t count, enum status status, struct error *error)
{
	for (size_t i = 0; i < count; i++) {
		thread_join(&lanes[i].thread);
		if (status == STATUS_OK && lanes[i].status != STATUS_OK) {
			status = lanes[i].status;
			if (error != NULL)
				*error = lanes[i].error;
		}
	}
	return status;
}

static enum status run_together(struct host_run *run, const struct host_step *steps, size_t count, struct error *error)
{
	size_t *numbers = memory_new_array(count, sizeof(*numbers));
	size_t lane_count = numbers != NULL ? host_script_lanes(steps, count, numbers) : 0;
	struct host_lane *lanes = memory_new_array(lane_count, sizeof(*lanes));
	enum status status;

	if (numbers == NULL || lanes == NULL) {
		memory_free(numbers);
		memory_free(lanes);
		return error_no_memory(error);
	}
	for (size_t i = 0; i < lane_count; i++) {
		lanes[i].run = run;
		lanes[i].steps = steps;
		lanes[i].lanes = numbers;
		lanes[i].count = count;
		lanes[i].number = i;
	}
	status = start_lanes(lanes, lane_count, error);
	status = join_lanes(lanes, lane_count, status, error);
	memory_free(numbers);
	memory_free(lanes);
	return status;
}

enum status host_run_block(void *context, const struct host_step *steps, size_t count, bool is_together,
			   struct error *error)
{
	struct host_run *run = context;
	enum status status = STATUS_OK;

	if (is_together)
		return run_together(run, steps, count, error);
	for (size_t i = 0; status == STATUS_OK && i < count; i++)
		status = do_step(run->main, &steps[i], error);
	return status;
}
