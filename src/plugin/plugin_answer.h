/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a decision to what the host is told: the one place where a verdict becomes a number, and
 * the one place that calls the host's completion functions.
 *
 * A decision is believed only when it is whole: success needs the verdict *and* the number 0, a
 * redirect needs an address. Anything else that is not a clean denial is an error.
 */
#ifndef WSMAUTHZ_PLUGIN_PLUGIN_ANSWER_H
#define WSMAUTHZ_PLUGIN_PLUGIN_ANSWER_H

#include <stdbool.h>
#include <wsmauthz/engine.h>
#include <wsmauthz/wsman.h>

struct plugin_answer {
	DWORD code;              /* 0 is success, but only in an answer that was made */
	BOOL administrator;      /* FALSE unless the code is 0 */
	WSMAN_AUTHZ_QUOTA quota; /* of a quota question that succeeded */
	PVOID user;      /* the context that the host will release; the same for all; NULL unless the code is 0 */
	WCHAR *redirect; /* owned; NULL unless the code is WSMAUTHZ_REDIRECT_REQUESTED */
};

/**
 * Make the answer to a question of this kind.
 *
 * @param decision  in: the engine's, or the edge's own; out: what the host will really be told (an
 *                  authorize for which there is no memory becomes an error), with its number.
 */
void plugin_answer_make(struct plugin_answer *answer, enum wa_kind kind, struct wa_decision *decision);

/**
 * Call the host's completion function, once, and free what the answer still holds. The host may call the plug-in from it.
 *
 * @param token  the sender's own, given back on success.
 * @return what the completion function returned.
 */
DWORD plugin_answer_tell(struct plugin_answer *answer, enum wa_kind kind, WSMAN_SENDER_DETAILS *sender_details,
			 HANDLE token);

/** A denial or an error made at the edge; everything else zero or unlimited. `detail` is borrowed. */
struct wa_decision plugin_answer_refusal(enum wa_reason reason, const char *detail);

/** The host is done with a context, or with one of the times it was given it; NULL is allowed. False: it is none of ours. Threads: any. */
bool plugin_user_release(const void *user);

#endif
