/* SPDX-License-Identifier: Apache-2.0 */
#include <cli/bench_progress.h>
#include <cli/machine.h>
#include <os/clock.h>
#include <stdio.h>
#include <string.h>

#define BAR_COLUMNS 28
#define LINE_BYTES  160
#define MS_PER_S    1000
#define ERASE_LINE  "\r\x1b[K"

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
	static const char full[] = "############################", empty[] = "----------------------------";
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

void progress_end(const struct progress *progress)
{
	if (progress->is_shown)
		machine_show(ERASE_LINE, strlen(ERASE_LINE));
}
