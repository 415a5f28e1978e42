/* SPDX-License-Identifier: Apache-2.0 */
#include <cli/machine.h>
#include <cli/progress.h>
#include <os/clock.h>
#include <stdio.h>
#include <string.h>

#define BAR_COLUMNS   28
#define BLOCK_COLUMNS 4
#define LINE_BYTES    160
#define MS_PER_S      1000
#define ERASE_LINE    "\r\x1b[K"

static const char full[] = "############################", empty[] = "----------------------------";

void progress_begin(struct progress *progress, uint64_t total_ms)
{
	*progress = (struct progress){.is_shown = machine_has_viewer(), .total_ms = total_ms, .name = "start"};
}

void progress_step(struct progress *progress, const char *name, uint64_t step_ms)
{
	progress->done_ms += progress->step_ms;
	progress->name = name;
	progress->step_ms = step_ms;
	progress->began_ms = clock_monotonic_ms();
	progress_show(progress);
}

/* A step that takes longer than expected stands still at its end. */
static uint64_t done_ms(const struct progress *progress)
{
	uint64_t own_ms = clock_monotonic_ms() - progress->began_ms;
	uint64_t all_ms = progress->done_ms + (own_ms < progress->step_ms ? own_ms : progress->step_ms);

	return all_ms < progress->total_ms ? all_ms : progress->total_ms;
}

void progress_show(const struct progress *progress)
{
	uint64_t now_ms, left_s;
	char line[LINE_BYTES];
	int columns, length;

	if (!progress->is_shown || progress->total_ms == 0)
		return;
	now_ms = done_ms(progress);
	left_s = (progress->total_ms - now_ms + MS_PER_S - 1) / MS_PER_S;
	columns = (int)(now_ms * BAR_COLUMNS / progress->total_ms);
	length = snprintf(line, sizeof(line), ERASE_LINE "%-26s [%.*s%.*s] %3u %%  %4llu s to go", progress->name,
			  columns, full, BAR_COLUMNS - columns, empty, (unsigned)(now_ms * 100 / progress->total_ms),
			  (unsigned long long)left_s);
	if (length > 0)
		machine_show(line, (size_t)length < sizeof(line) ? (size_t)length : sizeof(line) - 1);
}

void progress_begin_count(struct progress *progress, const char *name)
{
	*progress = (struct progress){.is_shown = machine_has_viewer(), .name = name, .began_ms = clock_monotonic_ms()};
}

/* To and fro, a column each time. */
static int place_of_block(uint64_t elapsed_ms)
{
	const uint64_t way = BAR_COLUMNS - BLOCK_COLUMNS, at = elapsed_ms / PROGRESS_STEP_MS % (2 * way);

	return (int)(at < way ? at : 2 * way - at);
}

void progress_count(struct progress *progress, uint64_t count)
{
	const uint64_t now_ms = clock_monotonic_ms(), own_ms = now_ms - progress->began_ms;
	char line[LINE_BYTES];
	int columns, length;

	if (!progress->is_shown || (progress->shown_ms != 0 && now_ms < progress->shown_ms + PROGRESS_STEP_MS))
		return;
	progress->shown_ms = now_ms;
	columns = place_of_block(own_ms);
	length = snprintf(
	    line, sizeof(line), ERASE_LINE "%-26s [%.*s%.*s%.*s]  %llu, %llu a second, %llu s", progress->name, columns,
	    empty, BLOCK_COLUMNS, full, BAR_COLUMNS - BLOCK_COLUMNS - columns, empty, (unsigned long long)count,
	    (unsigned long long)(own_ms > 0 ? count * MS_PER_S / own_ms : 0), (unsigned long long)(own_ms / MS_PER_S));
	if (length > 0)
		machine_show(line, (size_t)length < sizeof(line) ? (size_t)length : sizeof(line) - 1);
}

void progress_end(const struct progress *progress)
{
	if (progress->is_shown)
		machine_show(ERASE_LINE, strlen(ERASE_LINE));
}
