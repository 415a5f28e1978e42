/* SPDX-License-Identifier: Apache-2.0 */
/* An explanation as one JSON object on one line: first the members of check --json, under their names, then its own. */
#ifndef WSMAUTHZ_CLI_EXPLAIN_JSON_H
#define WSMAUTHZ_CLI_EXPLAIN_JSON_H

#include <base/text.h>
#include <cli/check_format.h>
#include <wsmauthz/explanation.h>

/** With a line end. */
void explain_json(struct text *out, const struct check_sender *sender, const struct wa_decision *decision,
		  const struct wa_explanation *explanation);

#endif
