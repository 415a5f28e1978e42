/* SPDX-License-Identifier: Apache-2.0 */
/* What a sender may call himself: whatever is accepted must be sound. */
#include "fuzz.h"

#include <base/utf.h>
#include <identity/sender.h>
#include <string.h>

void fuzz_one(const uint8_t *data, size_t size)
{
	const char *name = (const char *)data;
	struct arena *arena = arena_new(1 << 20);
	struct sender sender;

	if (arena == NULL)
		return;
	if (sender_parse(name, size, arena, &sender, NULL) == STATUS_OK) {
		/* Nothing hides behind a NUL, nothing is cut, nothing is no text. */
		if (strlen(sender.name) != size || !utf8_is_valid(name, size))
			abort();
		if (sender.form != SENDER_SID && !sender_name_is_same(sender.user, sender.user, strlen(sender.user)))
			abort();
	}
	arena_free(&arena);
}
