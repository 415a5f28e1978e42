/* SPDX-License-Identifier: Apache-2.0 */
#include <authorizer/engine_private.h>
#include <authorizer/inquiry.h>
#include <authorizer/review.h>
#include <base/memory.h>
#include <policy/redirect.h>

/* The ground */

struct survey {
	struct wa_engine *engine;
	struct regime *regime; /* held, once it has begun */
	review_ground_fn *told;
	void *context;
	struct task task;
	struct membership_lookup lookup; /* its beginning alone */
	struct membership_waiter waiter;
};

static void tell_ground(struct survey *survey, enum wa_reason reason)
{
	const struct regime *regime = survey->regime;
	const struct review_ground ground = {
	    .reason = reason,
	    .detail = reason == WA_REASON_NONE ? NULL : survey->lookup.error.what,
	    .config = regime->config,
	    .directory = &regime->directory,
	    .forest = regime->forest,
	    .closure = membership_loaded_closure(regime->membership),
	};

	survey->told(survey->context, &ground);
	regime_release(survey->regime);
	memory_free(survey);
}

/* Until the load that was under way has ended, or the one that this begins. */
static void look(void *context)
{
	struct survey *survey = context;
	struct membership *membership = survey->regime->membership;

	if (membership_is_loaded(membership)) {
		tell_ground(survey, WA_REASON_NONE);
		return;
	}
	if (membership_begin(membership, &survey->lookup) != MEMBERSHIP_WAIT) {
		tell_ground(survey, inquiry_reason_of(survey->lookup.error.status));
		return;
	}
	survey->waiter = (struct membership_waiter){.run = look, .context = survey};
	membership_wait(membership, &survey->lookup, &survey->waiter);
}

static void begin(void *context)
{
	struct survey *survey = context;

	survey->regime = engine_regime(survey->engine);
	regime_hold(survey->regime);
	look(survey);
}

bool review_ground(struct wa_engine *engine, review_ground_fn *told, void *context)
{
	struct survey *survey = memory_new(sizeof(*survey));

	if (survey == NULL)
		return false;
	*survey = (struct survey){.engine = engine, .told = told, .context = context};
	survey->task = (struct task){.run = begin, .context = survey};
	executor_post(engine->executor, &survey->task);
	return true;
}

/* A user */

struct asking {
	review_fn *reviewed;
	void *context;
};

static void look_at_account(const struct policy_facts *facts, struct review *review)
{
	const char *malformed;

	review->has_account =
	    facts->is_active_directory
		? account_ad_state_of(facts->user, facts->now_s, facts->lockout_s, &review->account, &malformed)
		: account_state_of(facts->user, facts->now_s, facts->lockout_s, &review->account, &malformed);
}

/* Strictly, so that "served here" and "nobody knows where" are not the same. */
static void look_at_place(const struct config *config, const struct policy_facts *facts, struct review *review)
{
	struct config_redirect strict = config->redirect;
	const struct dir_attribute *values =
	    strict.attribute == NULL ? NULL : dir_entry_attribute(facts->user, strict.attribute);
	size_t site, uri;

	strict.deny_unmapped = true;
	if (values != NULL && values->value_count > 0) {
		review->site_value = values->values[0].data;
		review->site_values = values->value_count;
	}
	switch (
	    redirect_place_of(&strict, facts->user, facts->user_key, facts->site_member, facts->user_id, &site, &uri)) {
	case REDIRECT_HERE:
		review->is_here = strict.present;
		break;
	case REDIRECT_SITE:
		review->site = site;
		break;
	case REDIRECT_UNMAPPED:
		break;
	}
}

void review_fill(const struct regime *regime, const struct wa_decision *decision, const struct findings *findings,
		 struct review *review_out)
{
	*review_out = (struct review){.decision = decision, .config = regime->config, .site = POLICY_NO_SITE};
	if (findings == NULL || findings->facts == NULL)
		return;
	review_out->facts = findings->facts;
	review_out->standing = findings->standing;
	review_out->closure = findings->lookup->closure;
	review_out->direct = findings->lookup->direct;
	review_out->direct_count = findings->lookup->direct_count;
	look_at_account(findings->facts, review_out);
	look_at_place(regime->config, findings->facts, review_out);
}

static void reviewed(void *context, struct regime *regime, const struct wa_decision *decision,
		     const struct findings *findings)
{
	struct asking *asking = context;
	struct review review;

	review_fill(regime, decision, findings, &review);
	asking->reviewed(asking->context, &review);
	memory_free(asking);
}

bool review_user(struct wa_engine *engine, const struct wa_question *question, review_fn *review, void *context)
{
	struct asking *asking = memory_new(sizeof(*asking));

	if (asking == NULL)
		return false;
	*asking = (struct asking){review, context};
	if (request_start_review(engine, question, NULL, reviewed, asking))
		return true;
	memory_free(asking);
	return false;
}
