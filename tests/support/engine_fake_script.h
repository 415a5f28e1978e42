/* SPDX-License-Identifier: Apache-2.0 */
/* The script of the fake engine; its form stands in engine_fake.h. */
#ifndef WSMAUTHZ_TESTS_SUPPORT_ENGINE_FAKE_SCRIPT_H
#define WSMAUTHZ_TESTS_SUPPORT_ENGINE_FAKE_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wsmauthz/engine.h>

#define SCRIPT_MAX_ANSWERS 64
#define SCRIPT_MAX_PATH    8

struct script_answer {
	const char *sender;
	enum wa_verdict verdict;
	enum wa_reason reason;
	uint32_t code;
	uint64_t delay_ms;
	const char *uri, *rule;
	const char *path[SCRIPT_MAX_PATH];
	size_t path_count;
	struct wa_quota quota;
	bool is_administrator, is_cached, is_never, is_lost, is_refused, is_zeroed, is_instant, is_mute;
};

struct script {
	char *text;
	uint32_t timeout_ms;
	bool is_asynchronous, allows_null_token, is_by_name;
	struct script_answer answers[SCRIPT_MAX_ANSWERS];
	size_t count;
};

/** False: no such file, or the script says that the policy is unusable; the words are in `why`. */
bool script_read(const char *path, struct script *script, char *why, size_t why_size);
void script_done(struct script *script);

/** The answer for a sender: valid as long as the script. */
struct script_answer script_find(const struct script *script, const char *sender, size_t length);

#endif
