/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TCP server on loopback that says exactly the bytes of a script, however wrong they are. It serves one connection
 * after the other, each from the script's beginning, on a thread of its own.
 *
 *	static const struct raw_step steps[] = {
 *		RAW_HEAR,                       wait for a message of the client
 *		RAW_SAY("\x30\x0c..."),         say these
 *		RAW_CLOSE,
 *	};
 *	raw_server_start(&server, steps, COUNT_OF(steps));
 *	... server.uri ...
 *	raw_server_stop(&server);
 */
#ifndef WSMAUTHZ_TESTS_INTEGRATION_DIRECTORY_RAW_SERVER_H
#define WSMAUTHZ_TESTS_INTEGRATION_DIRECTORY_RAW_SERVER_H

#include <os/thread.h>
#include <stdatomic.h>
#include <stddef.h>

enum raw_action {
	RAW_ACTION_HEAR = 0,   /* a whole LDAP message */
	RAW_ACTION_HEAR_BYTES, /* whatever comes first */
	RAW_ACTION_SAY,
	RAW_ACTION_TRICKLE, /* the same, a byte every 20 ms */
	RAW_ACTION_CLOSE,
	RAW_ACTION_SCRAM, /* answer a SCRAM client's first message with "success" and a challenge */
	RAW_ACTION_RESET,
	RAW_ACTION_REPEAT,  /* from the step with the number `length` on */
	RAW_ACTION_SILENCE, /* until the client goes, reading nothing */
};

struct raw_step {
	enum raw_action action;
	const char *bytes;
	size_t length;
	size_t
	    message_id_at; /* where the four bytes stand that become the number of the last message heard; 0: nowhere */
};

/* clang-format off */
#define RAW_HEAR          {RAW_ACTION_HEAR, NULL, 0, 0}
#define RAW_HEAR_BYTES    {RAW_ACTION_HEAR_BYTES, NULL, 0, 0}
#define RAW_SAY(text)     {RAW_ACTION_SAY, (text), sizeof(text) - 1, 0}
#define RAW_ANSWER(text)  {RAW_ACTION_SAY, (text), sizeof(text) - 1, 4}
#define RAW_TRICKLE(text) {RAW_ACTION_TRICKLE, (text), sizeof(text) - 1, 0}
#define RAW_SCRAM         {RAW_ACTION_SCRAM, NULL, 0, 0}
#define RAW_CLOSE         {RAW_ACTION_CLOSE, NULL, 0, 0}
#define RAW_RESET         {RAW_ACTION_RESET, NULL, 0, 0}
#define RAW_REPEAT(from)  {RAW_ACTION_REPEAT, NULL, (from), 0}
#define RAW_SILENCE       {RAW_ACTION_SILENCE, NULL, 0, 0}
/* clang-format on */

/* Messages of RFC 4511. RAW_ANSWER wants one whose number has four bytes. */
#define RAW_ANSWER_DONE   "\x30\x0f\x02\x04\x00\x00\x00\x02\x65\x07\x0a\x01\x00\x04\x00\x04\x00"
#define RAW_BIND_OK       "\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00"
#define RAW_SEARCH_DONE   "\x30\x0c\x02\x01\x02\x65\x07\x0a\x01\x00\x04\x00\x04\x00"
#define RAW_SEARCH_DONE_3 "\x30\x0c\x02\x01\x03\x65\x07\x0a\x01\x00\x04\x00\x04\x00"
#define RAW_ENTRY                                                                                                      \
	"\x30\x10\x02\x01\x02\x64\x0b\x04\x07"                                                                         \
	"cn=a,cn"                                                                                                      \
	"\x30\x00"
/* cn=a,cn is no DN that anybody checks; what counts is that it is an entry. */

struct raw_server {
	char uri[64];
	int listener;
	unsigned port;
	const struct raw_step *steps;
	size_t step_count;
	atomic_bool is_stopping;
	atomic_uint connections;
	atomic_uint heard_bytes;
	struct thread thread;
};

/** False when there is no port, or no thread. */
int raw_server_start(struct raw_server *server, const struct raw_step *steps, size_t step_count);
void raw_server_stop(struct raw_server *server);

#endif
