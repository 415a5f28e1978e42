/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line of a host script.
 *
 *	connect NAME [SENDER] [times N]
 *	operate NAME [SENDER] [action URI] [resource URI] [times N]
 *	quota   NAME [SENDER] [times N]
 *	refresh NAME [SENDER] [times N]
 *	leave   NAME [mechanism M]
 *	wait    500ms
 *	expect  authorize [administrator] [remembered] | deny | redirect [URI] | error [CODE] |
 *	        quota SHELLS OPERATIONS [NUMBER SECONDS]
 *	together ... end
 *
 *	SENDER: [mechanism M] [url U] [token none] [subject DN] [issuer DN] [thumbprint HEX] [subject-name NAME]
 *
 * Words are parted by blanks; one with blanks, or "#" in front, stands in double quotes, in which everything is as it is.
 * "#" where a word could begin starts a comment. Empty lines are nothing.
 */
#ifndef WSMAUTHZ_CLI_HOST_STEP_H
#define WSMAUTHZ_CLI_HOST_STEP_H

#include <base/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wsmauthz/wsman.h>

/* A name may have 2048 units, a URL 16384: what the plug-in takes, and room to try what it does not. */
#define HOST_LINE_MAX_BYTES ((size_t)64 * 1024)
#define HOST_MAX_TIMES      10000000u
#define HOST_MAX_WORDS      32

enum host_verb {
	HOST_STEP_NOTHING = 0,
	HOST_STEP_CONNECT,
	HOST_STEP_OPERATE,
	HOST_STEP_QUOTA,
	HOST_STEP_REFRESH,
	HOST_STEP_LEAVE,
	HOST_STEP_WAIT,
	HOST_STEP_EXPECT,
	HOST_STEP_TOGETHER,
	HOST_STEP_END,
};

enum host_expected {
	HOST_EXPECT_AUTHORIZE = 0,
	HOST_EXPECT_DENY,
	HOST_EXPECT_REDIRECT,
	HOST_EXPECT_ERROR,
	HOST_EXPECT_QUOTA,
};

struct host_expectation {
	enum host_expected what;
	bool administrator, remembered; /* must be so */
	const char *redirect;           /* borrowed of the step; NULL: any */
	bool has_code;
	DWORD code;
	WSMAN_AUTHZ_QUOTA quota;
};

struct host_step {
	enum host_verb verb;
	unsigned line;
	char *words;                                            /* owned; what the pointers below point into */
	const char *name, *mechanism, *url, *action, *resource; /* NULL: not said */
	const char *token;                                      /* "none"; NULL: the host's */
	const char *subject, *issuer, *thumbprint, *subject_name;
	unsigned times;
	uint64_t wait_ms;
	struct host_expectation expected;
};

/**
 * @param line    of `length` bytes, without its end.
 * @param number  of the line, from 1.
 * @return STATUS_OK, STATUS_INVALID (what and the hint say what is wrong with it; the caller says where), STATUS_NO_MEMORY.
 */
NODISCARD enum status host_step_parse(const char *line, size_t length, unsigned number, struct host_step *step_out,
				      struct error *error);
void host_step_done(struct host_step *step);

/** "connect". */
const char *host_step_word(enum host_verb verb);

/** Whether it is about a user. */
bool host_step_has_user(const struct host_step *step);

#endif
