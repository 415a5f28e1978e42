/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The numbers of a report, and what looks wrong in it. Users are taken one by one; of each thing that looks wrong all are counted and
 * the first REPORT_SAMPLES kept.
 *
 * Threads: one at a time.
 */
#ifndef WSMAUTHZ_CLI_REPORT_TALLY_H
#define WSMAUTHZ_CLI_REPORT_TALLY_H

#include <base/arena.h>
#include <base/compiler.h>
#include <base/error.h>
#include <cli/report_groups.h>
#include <cli/report_row.h>
#include <config/config.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of each kind that looks wrong so many are named; the others are in the table, by the same words. */
#define REPORT_SAMPLES 100
/* All names of samples together. */
#define REPORT_MAX_SAMPLE_BYTES ((size_t)16 * 1024 * 1024)
/* By so many direct groups anybody may be let in without being told; --max-ways. */
#define REPORT_MAX_WAYS 3

/* The places that are counted, behind the policy's sites. */
enum { REPORT_AT_HERE = 0, REPORT_AT_UNMAPPED, REPORT_AT_UNKNOWN, REPORT_AT_MORE };

#define REPORT_VERDICTS (WA_ERROR + 1)

enum finding_kind {
	FINDING_NOT_KNOWN = 0, /* the directory does not show enough for a verdict */
	FINDING_STATE,         /* let in, although the account is disabled, expired, locked or its password is */
	FINDING_WAYS,          /* let in by many groups at once */
	FINDING_UNMAPPED,      /* let in, and no site is for him */
	FINDING_SEVERAL_SITES, /* the first site of the policy counts */
	FINDING_AMBIGUOUS,     /* somebody else has the same name */
	FINDING_NAMELESS,      /* no name by which anybody could come */
	FINDING_GROUP_MISSING, /* of the policy, not of the directory */
	FINDING_GROUP_EMPTY,
	FINDING_CYCLE,
	FINDING_ADMINISTRATOR, /* not wrong: to be looked at */
	FINDING_COUNT
};

/** "not-known", ...: stable. */
const char *finding_word(enum finding_kind kind);
/** What it is, as a sentence without its end: "let in by more than N groups at once". */
const char *finding_title(enum finding_kind kind);
/** Whether it should be mended; else it is for information. */
bool finding_is_wrong(enum finding_kind kind);
/** Whether it is about users, who have rows; else about groups. */
bool finding_is_of_user(enum finding_kind kind);

struct finding_sample {
	const char *name; /* a sender, a rule, a group */
	const char *what; /* what of it; "" */
};

struct finding {
	uint64_t count;
	struct finding_sample samples[REPORT_SAMPLES];
	size_t sample_count;
};

struct tally {
	const struct config *config; /* borrowed */
	size_t max_ways;
	uint64_t users;
	uint64_t verdicts[REPORT_VERDICTS];
	uint64_t reasons[WA_REASON_COUNT];
	uint64_t administrators;
	uint64_t (*places)[REPORT_VERDICTS]; /* [site_count + REPORT_AT_MORE]; owned */
	struct report_groups *groups;        /* owned */
	struct arena *arena;                 /* of the samples; owned */
	struct finding findings[FINDING_COUNT];
};

/** @param closure  the groups as they are at first. @return STATUS_OK, STATUS_NO_MEMORY. */
NODISCARD enum status tally_init(struct tally *tally, const struct config *config, struct closure *closure,
				 size_t max_ways);
void tally_done(struct tally *tally);

/** What of this row looks wrong: 1U << enum finding_kind, or'ed. */
unsigned tally_findings_of(const struct tally *tally, const struct report_row *row);

/** @return STATUS_OK, STATUS_NO_MEMORY. */
NODISCARD enum status tally_take(struct tally *tally, const struct report_row *row);

/** All rows were taken: look at the groups. @return STATUS_OK, STATUS_NO_MEMORY. */
NODISCARD enum status tally_end(struct tally *tally);

/** Authorized or redirected. */
uint64_t tally_in(const struct tally *tally);
/** Whether anything looks wrong, notes apart. */
bool tally_looks_wrong(const struct tally *tally);

/** The place that a row is counted at: a site's number, or site_count + REPORT_AT_... */
size_t tally_place_of(const struct tally *tally, const struct report_row *row);
/** What the place is called, for people. */
const char *tally_place_name(const struct tally *tally, size_t place);

#endif
