/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <cli/check_window.h>
#include <cli/console.h>
#include <string.h>

enum status window_init(struct window *window, struct error *error)
{
	memset(window, 0, sizeof(*window));
	window->slots = memory_new_array(WINDOW_SLOTS, sizeof(*window->slots));
	if (window->slots == NULL)
		return error_no_memory(error);
	for (size_t i = 0; i < WINDOW_SLOTS; i++) {
		window->slots[i].window = window;
		text_init(&window->slots[i].line);
	}
	mutex_init(&window->lock);
	condition_init(&window->changed);
	return STATUS_OK;
}

static void empty(struct window_slot *slot)
{
	memory_free(slot->name);
	memory_free(slot->sender);
	slot->name = NULL;
	slot->sender = NULL;
	slot->is_complete = false;
	text_clear(&slot->line);
}

void window_done(struct window *window)
{
	for (size_t i = 0; i < WINDOW_SLOTS; i++) {
		empty(&window->slots[i]);
		text_done(&window->slots[i].line);
	}
	memory_free(window->slots);
	condition_done(&window->changed);
	mutex_done(&window->lock);
}

static void break_locked(struct window *window, const struct error *error) REQUIRES(window->lock)
{
	if (!window->is_broken)
		window->error = *error;
	window->is_broken = true;
	condition_broadcast(&window->changed);
}

void window_break(struct window *window, const struct error *error)
{
	mutex_lock(&window->lock);
	break_locked(window, error);
	mutex_unlock(&window->lock);
}

struct window_slot *window_claim(struct window *window)
{
	struct window_slot *slot = NULL;

	mutex_lock(&window->lock);
	while (window->count == WINDOW_SLOTS && !window->is_broken)
		condition_wait(&window->changed, &window->lock);
	if (!window->is_broken)
		slot = &window->slots[(window->first + window->count++) % WINDOW_SLOTS];
	mutex_unlock(&window->lock);
	return slot;
}

static void count_verdict_locked(struct window *window, enum wa_verdict verdict) REQUIRES(window->lock)
{
	switch (verdict) {
	case WA_DENY:
		window->denied++;
		break;
	case WA_ERROR:
		window->failed++;
		break;
	case WA_AUTHORIZE:
	case WA_REDIRECT:
		break;
	}
}

static enum status write_slot(struct window_slot *slot, struct error *error)
{
	if (text_failed(&slot->line))
		return error_no_memory(error);
	return console_write(text_string(&slot->line), slot->line.length, error);
}

/* Write what is complete at the beginning of the ring. The slots there are ours alone while is_writing says so. */
static void write_complete_locked(struct window *window) REQUIRES(window->lock)
{
	struct error error = {.status = STATUS_OK};

	window->is_writing = true;
	while (window->count > 0 && window->slots[window->first].is_complete && !window->is_broken) {
		struct window_slot *slot = &window->slots[window->first];
		enum status status;

		mutex_unlock(&window->lock);
		status = write_slot(slot, &error);
		mutex_lock(&window->lock);
		if (status != STATUS_OK) {
			break_locked(window, &error);
			break;
		}
		count_verdict_locked(window, slot->verdict);
		empty(slot);
		window->first = (window->first + 1) % WINDOW_SLOTS;
		window->count--;
		condition_broadcast(&window->changed);
	}
	window->is_writing = false;
}

void window_complete(struct window_slot *slot)
{
	struct window *window = slot->window;

	mutex_lock(&window->lock);
	slot->is_complete = true;
	if (!window->is_writing)
		write_complete_locked(window);
	mutex_unlock(&window->lock);
}

enum status window_wait(struct window *window, struct error *error)
{
	enum status status = STATUS_OK;

	mutex_lock(&window->lock);
	while (window->count > 0 && !window->is_broken)
		condition_wait(&window->changed, &window->lock);
	if (window->is_broken) {
		*error = window->error;
		status = window->error.status;
	}
	mutex_unlock(&window->lock);
	return status;
}
