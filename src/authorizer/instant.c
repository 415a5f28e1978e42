/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers from the cache, on the caller's thread. What is read is either the regime's, which the gate keeps from going away, or a copy;
 * nothing that others read is written.
 */
#include <authorizer/engine_private.h>
#include <base/ascii.h>
#include <os/clock.h>

/* The sender's name alone says who he is. */
static bool is_by_name(const struct wa_question *question)
{
	return question->sender != NULL && question->certificate == NULL &&
	       (question->mechanism == NULL || !ascii_equal_nocase(question->mechanism, "ClientCertificate"));
}

/* Only what is not written to the audit record is answered here, and needs no look at where the sender came to. */
static bool is_plain(const struct policy_standing *standing, enum wa_kind kind)
{
	return standing->verdict == WA_AUTHORIZE && standing->rule != POLICY_NO_RULE &&
	       (kind != WA_KIND_USER || standing->site == POLICY_NO_SITE);
}

static bool answer(struct regime *regime, const struct wa_question *question, wa_decided_fn *decided, void *context)
{
	const uint64_t now_ms = clock_coarse_ms();
	struct wa_decision decision;
	struct cache_hit hit;

	if (regime->cache == NULL ||
	    !cache_find(regime->cache,
			regime_form_of_name(regime, question->sender, question->sender_length, question->token_sid,
					    question->allow_sid),
			&hit) ||
	    !is_plain(&hit.standing, question->kind) || regime_may_use(regime, &hit, now_ms) != REGIME_USE_YES)
		return false;
	decision = (struct wa_decision){
	    .verdict = WA_AUTHORIZE,
	    .reason = hit.standing.reason,
	    .rule = regime->config->rules[hit.standing.rule].label,
	    .administrator = hit.standing.administrator,
	    .quota = hit.standing.quota,
	    .cached = true,
	};
	regime_keep_leased(regime, now_ms);
	decided(context, &decision);
	return true;
}

bool wa_engine_decide_cached(struct wa_engine *engine, const struct wa_question *question, wa_decided_fn *decided,
			     void *context)
{
	bool answered;
	unsigned ticket;

	if (!is_by_name(question))
		return false;
	ticket = gate_enter(&engine->gate);
	answered = answer(atomic_load(&engine->regime), question, decided, context);
	if (answered)
		engine_count_repeat(engine, ticket / 2);
	gate_leave(&engine->gate, ticket);
	return answered;
}
