/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Standard input and output without buffers of our own: what is written is out, and what somebody
 * typed or piped is seen at once, however little it is.
 */
#ifndef WSMAUTHZ_CLI_CONSOLE_H
#define WSMAUTHZ_CLI_CONSOLE_H

#include <base/error.h>
#include <stddef.h>

/**
 * Once, before anything is opened: a reader that goes away gives an error, not the end of the process; and
 * of descriptors 0 to 2 those that are closed are filled, so that no connection becomes one of them. Then
 * standard input is empty, standard output cannot be written, and what is said on standard error is lost.
 *
 * @return STATUS_OK, STATUS_UNREACHABLE (nothing can be opened to fill them: do not go on).
 */
NODISCARD enum status console_prepare(struct error *error);

/**
 * Write everything to standard output.
 * @return STATUS_OK, STATUS_CANCELLED (its reader has gone: stop quietly), STATUS_UNREACHABLE (any other failure).
 */
NODISCARD enum status console_write(const char *data, size_t length, struct error *error);

/**
 * Wait for standard input and read what there is, at most `size` bytes.
 *
 * @param length_out  0 at the end of the input.
 * @return STATUS_OK, STATUS_CANCELLED (nobody reads our standard output any more), STATUS_UNREACHABLE (it cannot be read).
 */
NODISCARD enum status console_read(char *buffer, size_t size, size_t *length_out, struct error *error);

/** "wsmauthz: error: what" and, when there is one, the hint, on standard error. */
void console_complain(const struct error *error);

#endif
