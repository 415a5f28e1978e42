/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stand-in for the engine (include/wsmauthz/engine.h), chosen at link time, that answers as a script
 * says. The script is the "policy" file, or what follows "script:" in the path:
 *
 *	asynchronous                          plugin completion="asynchronous"
 *	allow-null-token
 *	by-name                               directory identity="name"
 *	timeout 300                           wa_engine_timeout_ms; 2000 without it
 *	unusable <text>                       wa_engine_open fails with these words
 *	answer <sender> <verdict> <reason> [delay=MS] [uri=URI] [path=A|B|C] [rule=TEXT] [quota=A,B,C,D]
 *	       [code=N] [administrator] [cached] [never] [lost] [refuse] [zeroed] [instant] [mute]
 *
 * The first line whose sender is the question's, or "*", gives the answer; without one it is a deny,
 * "not-a-member". In a word, "_" stands for a blank. Answers come from a thread of the engine's own, after their delay.
 *
 *	never    no answer before wa_engine_close, which then gives it ("shutting-down")
 *	lost     no answer even then; engine_fake_answer_lost gives it
 *	refuse   wa_engine_decide returns false
 *	zeroed   the decision is all zeros
 *	code=N   the decision has this number instead of the right one
 *	instant  wa_engine_decide_cached gives the answer, on the caller's thread; without it, it has none
 *	mute     with instant: it says that it has answered, and has not
 * The detail of each decision repeats the question: "user mechanism=Basic url=- sid=0 certificate=-", and
 * behind that " token=S-1-..." when the question has one.
 */
#ifndef WSMAUTHZ_TESTS_SUPPORT_ENGINE_FAKE_H
#define WSMAUTHZ_TESTS_SUPPORT_ENGINE_FAKE_H

#include <stddef.h>
#include <wsmauthz/engine.h>

/** Questions that were asked of all fake engines of this process so far. */
size_t engine_fake_asked(void);

/** Questions that were put to the cache alone of all fake engines of this process so far. */
size_t engine_fake_tried(void);

/** Show each question that is put to the cache alone to `see`, on the asking thread, until it is set to NULL. */
void engine_fake_show_tried(void (*see)(const struct wa_question *question));

/** Audit records that were left with fake engines of this process so far. */
size_t engine_fake_recorded(void);

/** Engines that are open. */
size_t engine_fake_open(void);

/** Answer the lost questions, with an authorize, on this thread. Returns how many there were. */
size_t engine_fake_answer_lost(void);

#endif
