/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is asked about. The names come as a file of fixed records (SENDER_UNITS units of UTF-16, NUL-padded), in this order:
 *
 *	actors     their standing changes all the time; asked for most often
 *	people     everybody else of the directory; each is asked for once before any is asked for a second time
 *	specials   names that are no names of this domain
 *
 * A sender's number is its place in the file. SENDER_NOBODY and above: nobody of the directory, each asked for once: "CORP\nobody<number>".
 */
#ifndef SOAK_SENDERS_H
#define SOAK_SENDERS_H

#include <stdint.h>
#include <wsmauthz/wsman.h>

#define SENDER_UNITS  64
#define SENDER_NOBODY UINT32_C(0x80000000)

/** Ends the program when the file is not as described. */
void soak_senders_open(const char *path, uint32_t actors, uint32_t people);
void soak_senders_close(void);

/** xorshift64 (Marsaglia 2003). */
uint64_t soak_random(uint64_t *state);
/** Whom to ask for next; the same for the same `state`, but for those who are asked for once. */
uint32_t soak_senders_pick(uint64_t *state);
void soak_senders_name(uint32_t sender, WCHAR name_out[SENDER_UNITS]);

#endif
