/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading what report_csv.h writes, record by record, from a file: also when a spreadsheet has saved it again (LF for CR LF, quotes
 * where none are needed, a byte-order mark). The apostrophes that were put in front of fields are taken off.
 *
 *	csv_reader_open     the header is there, and is a report's
 *	csv_reader_next     a record, and where it begins
 *	csv_reader_at       the record that begins there
 *
 * Threads: one at a time.
 */
#ifndef WSMAUTHZ_CLI_REPORT_CSV_READ_H
#define WSMAUTHZ_CLI_REPORT_CSV_READ_H

#include <base/compiler.h>
#include <base/error.h>
#include <base/text.h>
#include <cli/report_csv.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Of one record: names, and a path that may go through every group that there is. */
#define CSV_READER_MAX_RECORD_BYTES ((size_t)48 * 1024 * 1024)

struct csv_reader {
	const char *path;   /* borrowed */
	FILE *file;         /* owned */
	struct text record; /* the fields, a NUL behind each */
	const char *fields[REPORT_CSV_COLUMNS];
	uint64_t line;     /* of the file, that the record begins in; from 1 */
	uint64_t position; /* bytes read */
	uint64_t began;    /* where the record begins */
};

/** @return STATUS_OK; STATUS_UNREACHABLE (it cannot be read); STATUS_INVALID (it is no report); STATUS_LIMIT; STATUS_NO_MEMORY. */
NODISCARD enum status csv_reader_open(struct csv_reader *reader, const char *path, struct error *error);
void csv_reader_close(struct csv_reader *reader);

/** @param there_out  false: there was none any more. @return as above. */
NODISCARD enum status csv_reader_next(struct csv_reader *reader, bool *there_out, struct error *error);

/** @return as above; STATUS_LIMIT: this system cannot go there in such a long file. */
NODISCARD enum status csv_reader_at(struct csv_reader *reader, uint64_t position, struct error *error);

#endif
