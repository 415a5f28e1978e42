/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_renewal.h>

#include <os/random.h>

/* Of the ticket's time. */
#define AHEAD_PART 5

uint64_t dir_renewal_due_ms(uint64_t end_ms, uint64_t now_ms, uint64_t ahead_ms, uint64_t again_ms)
{
	uint64_t ahead;

	if (end_ms == UINT64_MAX)
		return UINT64_MAX;
	if (end_ms <= now_ms)
		return now_ms + again_ms;
	ahead = (end_ms - now_ms) / AHEAD_PART;
	if (ahead > ahead_ms)
		ahead = ahead_ms;
	return end_ms - ahead - random_below((uint32_t)(ahead / 2) + 1);
}
