/* SPDX-License-Identifier: Apache-2.0 */
/* The words of an explanation: stable ones for JSON, durations for people. */
#ifndef WSMAUTHZ_CLI_EXPLAIN_WORDS_H
#define WSMAUTHZ_CLI_EXPLAIN_WORDS_H

#include <base/text.h>
#include <stdint.h>
#include <wsmauthz/explanation.h>

/* Each stable, and never NULL. */
const char *explain_form_word(enum wa_form form);
const char *explain_step_word(enum wa_step_kind kind);
const char *explain_holding_word(enum wa_holding holding);
const char *explain_part_word(enum wa_part part);
const char *explain_check_word(enum wa_check_state state);
const char *explain_place_word(enum wa_place place);
const char *explain_site_word(enum wa_site_kind kind);
const char *explain_cache_word(enum wa_cache_state state);
const char *explain_watch_word(enum wa_watch_state state);
const char *explain_strategy_word(enum wa_strategy strategy);

/** "0.8 ms", "1.2 s". */
void explain_add_us(struct text *out, uint64_t us);
/** "500 ms", "5 s", "3 min", "2 h", "4 days": the largest unit of which there are two, or one exactly. */
void explain_add_ms(struct text *out, uint64_t ms);

#endif
