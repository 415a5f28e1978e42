/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal of systemd, by its native protocol (https://systemd.io/JOURNAL_NATIVE_PROTOCOL/): fields beside the message, which
 * journalctl finds. No library is needed for that. POSIX only.
 */
#ifndef WSMAUTHZ_OS_JOURNAL_H
#define WSMAUTHZ_OS_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
/* A journal that takes nothing any more is not waited for longer. */
#define JOURNAL_PATIENCE_MS 1000

/**
 * Send one entry.
 * @param path   where the journal listens.
 * @param entry   lines of NAME=value, each with its end: no value may hold a line end.
 * @return false: there is no journal, or it did not take the entry.
 * Threads: any.
 */
bool journal_send(const char *path, const char *entry, size_t length);

#endif
