/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The senders of a benchmark: the lines of a file, kept close together, each in UTF-8 as the engine takes it and in
 * UTF-16 as WinRM hands it to the plug-in. Empty lines are left out.
 *
 * Threads: many readers.
 */
#ifndef WSMAUTHZ_CLI_BENCH_SENDERS_H
#define WSMAUTHZ_CLI_BENCH_SENDERS_H

#include <base/compiler.h>
#include <base/error.h>
#include <stddef.h>
#include <stdint.h>
#include <wsmauthz/wsman.h>

/* More would be some gigabytes; the cache has no room for more either (CONFIG_MAX_ENTRIES). */
#define SENDERS_MAX 10000000

struct senders {
	char *bytes;         /* owned: each sender and a NUL */
	WCHAR *units;        /* owned: likewise */
	size_t *byte_starts; /* owned: [count + 1] */
	size_t *unit_starts; /* owned: [count + 1] */
	size_t count;
	size_t byte_room, unit_room, byte_start_room, unit_start_room; /* private */
};

/**
 * @param path     a file, or "-" for standard input.
 * @param limit    of what is more, the beginning is taken; at most SENDERS_MAX.
 * @param senders  all zero before; freed by senders_done, also after a failure.
 * @return STATUS_OK; STATUS_NOT_FOUND (no such file), STATUS_UNREACHABLE (cannot be read), STATUS_INVALID (a line that no
 *         sender can be, or no line at all), STATUS_NO_MEMORY, STATUS_CANCELLED (nobody reads our standard output any more).
 */
NODISCARD enum status senders_read(const char *path, size_t limit, struct senders *senders, struct error *error);
void senders_done(struct senders *senders);

static inline const char *senders_text(const struct senders *senders, size_t index, size_t *length_out)
{
	size_t start = senders->byte_starts[index];

	*length_out = senders->byte_starts[index + 1] - start - 1;
	return senders->bytes + start;
}

static inline const WCHAR *senders_units(const struct senders *senders, size_t index)
{
	return senders->units + senders->unit_starts[index];
}

#endif
