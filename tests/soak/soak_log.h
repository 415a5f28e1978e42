/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is kept of every call: a file of records, one a request, by the request's number. judge.py reads it.
 *
 * The file has its full size from the beginning and is mapped: writing costs no memory of the heap, and what a call never
 * answered is a record without an end.
 */
#ifndef SOAK_LOG_H
#define SOAK_LOG_H

#include <stdint.h>

/* As judge.py unpacks it: "<QQIIBBBB4x". */
struct soak_record {
	uint64_t began_ns, ended_ns; /* CLOCK_MONOTONIC; 0: not yet */
	uint32_t sender;             /* soak_senders.h */
	uint32_t code;               /* the number that the host was given */
	uint8_t kind;                /* enum call_kind */
	uint8_t application;         /* 0 or 1 */
	uint8_t administrator;
	uint8_t site; /* of a redirect: the digit of its host's name; 255: of no site */
	uint8_t unused[4];
};

/** Ends the program when it cannot. */
void soak_log_open(const char *path, uint64_t count);
struct soak_record *soak_log_at(uint64_t number);
void soak_log_close(void);

#endif
