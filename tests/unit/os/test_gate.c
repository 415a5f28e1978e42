/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <os/gate.h>
#include <os/thread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define READERS 4
#define CHANGES 300
#define PART    16

static size_t inside(const struct gate *gate)
{
	size_t count = 0;

	for (unsigned i = 0; i < GATE_STRIPES; i++)
		count += atomic_load(&gate->stripes[i].inside[0]) + atomic_load(&gate->stripes[i].inside[1]);
	return count;
}

static void gate__entered_and_left_in_any_order__is_empty_again(void **state)
{
	struct gate gate;
	unsigned outer, inner;

	(void)state;
	gate_init(&gate);
	outer = gate_enter(&gate);
	inner = gate_enter(&gate);
	assert_int_equal(inside(&gate), 2);
	assert_true(outer / 2 < GATE_STRIPES && inner / 2 < GATE_STRIPES);
	gate_leave(&gate, outer);
	gate_leave(&gate, inner);
	assert_int_equal(inside(&gate), 0);
}

static void gate_wait__nobody_is_inside__returns(void **state)
{
	struct gate gate;

	(void)state;
	gate_init(&gate);
	for (int i = 0; i < 3; i++)
		gate_wait(&gate);
	assert_int_equal(inside(&gate), 0);
}

/* Wherever the gate lies, no line has two of them. */
static void gate__its_layout__keeps_counters_and_phase_apart(void **state)
{
	(void)state;
	assert_true(offsetof(struct gate, stripes) >= 64 + sizeof(atomic_uint));
	assert_true(sizeof(struct gate_stripe) - sizeof(atomic_size_t[2]) >= 64);
}

struct waiter {
	struct thread thread;
	struct gate *gate;
	atomic_bool has_begun, is_over;
};

static void wait_once(void *context)
{
	struct waiter *waiter = context;

	atomic_store(&waiter->has_begun, true);
	gate_wait(waiter->gate);
	atomic_store(&waiter->is_over, true);
}

static void start_waiter(struct waiter *waiter, struct gate *gate)
{
	waiter->gate = gate;
	atomic_init(&waiter->has_begun, false);
	atomic_init(&waiter->is_over, false);
	assert_status(thread_start(&waiter->thread, "waiter", wait_once, waiter, NULL), STATUS_OK, NULL);
	while (!atomic_load(&waiter->has_begun))
		thread_pause(0);
}

static void leave_on_another_thread(void *context)
{
	void **arguments = context;

	gate_leave(arguments[0], *(unsigned *)arguments[1]);
}

/* Whatever the phase is when somebody enters, and whichever thread leaves. */
static void gate_wait__somebody_is_inside__waits_for_him(void **state)
{
	struct gate gate;

	(void)state;
	gate_init(&gate);
	for (unsigned phase = 0; phase < 2; phase++) {
		unsigned ticket;
		void *arguments[] = {&gate, &ticket};
		struct waiter waiter;
		struct thread leaver;

		atomic_store(&gate.phase, phase);
		ticket = gate_enter(&gate);
		start_waiter(&waiter, &gate);
		/* It cannot be proved that it would wait for ever; but it had every chance to return. */
		for (int i = 0; i < 50; i++) {
			gate_leave(&gate, gate_enter(&gate));
			thread_pause(1);
			assert_false(atomic_load(&waiter.is_over));
		}
		assert_status(thread_start(&leaver, "leaver", leave_on_another_thread, arguments, NULL), STATUS_OK,
			      NULL);
		thread_join(&leaver);
		thread_join(&waiter.thread);
		assert_true(atomic_load(&waiter.is_over));
		assert_int_equal(inside(&gate), 0);
	}
}

/* A reader that saw the phase long ago may have counted itself on either counter: gate_wait looks at both. */
static void gate_wait__a_reader_is_counted_on_either_phase__is_waited_for(void **state)
{
	struct gate gate;

	(void)state;
	gate_init(&gate);
	for (unsigned row = 0; row < 4; row++) {
		const unsigned ticket = 3 * 2 + row / 2;
		struct waiter waiter;

		atomic_store(&gate.phase, row % 2);
		atomic_fetch_add(&gate.stripes[ticket / 2].inside[ticket & 1], 1);
		start_waiter(&waiter, &gate);
		for (int i = 0; i < 20; i++) {
			thread_pause(1);
			assert_false(atomic_load(&waiter.is_over));
		}
		gate_leave(&gate, ticket);
		thread_join(&waiter.thread);
		assert_int_equal(inside(&gate), 0);
	}
}

/* What readers read: all parts are equal as long as it may be read. */
struct shared {
	struct gate gate;
	_Atomic(size_t *) parts;
	atomic_bool is_over;
	atomic_size_t reads, torn;
};

static size_t *new_parts(size_t value)
{
	size_t *parts = malloc(PART * sizeof(*parts));

	if (parts == NULL)
		abort();
	for (size_t i = 0; i < PART; i++)
		parts[i] = value;
	return parts;
}

static void read_parts(struct shared *shared)
{
	const size_t *parts = atomic_load(&shared->parts);

	for (size_t i = 1; i < PART; i++)
		if (parts[i] != parts[0] || parts[i] == SIZE_MAX)
			atomic_fetch_add(&shared->torn, 1);
}

static void read_all_the_time(void *context)
{
	struct shared *shared = context;

	while (!atomic_load(&shared->is_over)) {
		const unsigned ticket = gate_enter(&shared->gate);
		unsigned inner;

		read_parts(shared);
		inner = gate_enter(&shared->gate);
		read_parts(shared);
		gate_leave(&shared->gate, inner);
		gate_leave(&shared->gate, ticket);
		atomic_fetch_add(&shared->reads, 1);
	}
}

/* Under constant traffic; that the memory is not read after it was freed is what the sanitizers see, and the marks. */
static void gate_wait__readers_come_and_go_all_the_time__ends_and_nobody_reads_what_was_freed(void **state)
{
	static struct shared shared;
	struct thread readers[READERS] = {{.started = false}};

	(void)state;
	gate_init(&shared.gate);
	atomic_init(&shared.parts, new_parts(0));
	for (size_t i = 0; i < READERS; i++)
		assert_status(thread_start(&readers[i], "reader", read_all_the_time, &shared, NULL), STATUS_OK, NULL);
	while (atomic_load(&shared.reads) < READERS)
		thread_pause(0);
	for (size_t i = 1; i <= CHANGES; i++) {
		size_t *old = atomic_exchange(&shared.parts, new_parts(i));

		gate_wait(&shared.gate);
		for (size_t k = 0; k < PART; k++)
			old[k] = SIZE_MAX;
		free(old);
	}
	atomic_store(&shared.is_over, true);
	for (size_t i = 0; i < READERS; i++)
		thread_join(&readers[i]);
	assert_int_equal(atomic_load(&shared.torn), 0);
	assert_int_equal(inside(&shared.gate), 0);
	free(atomic_load(&shared.parts));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(gate__entered_and_left_in_any_order__is_empty_again),
	    cmocka_unit_test(gate_wait__nobody_is_inside__returns),
	    cmocka_unit_test(gate__its_layout__keeps_counters_and_phase_apart),
	    cmocka_unit_test(gate_wait__somebody_is_inside__waits_for_him),
	    cmocka_unit_test(gate_wait__a_reader_is_counted_on_either_phase__is_waited_for),
	    cmocka_unit_test(gate_wait__readers_come_and_go_all_the_time__ends_and_nobody_reads_what_was_freed),
	};

	return cmocka_run_group_tests_name("os/gate", tests, NULL, NULL);
}
