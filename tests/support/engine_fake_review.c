/* SPDX-License-Identifier: Apache-2.0 */
/* The scripted engine has no directory whose users could be looked over: what asks for that is refused. */
#include <authorizer/review.h>

bool review_ground(struct wa_engine *engine, review_ground_fn *told, void *context)
{
	(void)engine;
	(void)told;
	(void)context;
	return false;
}

bool review_user(struct wa_engine *engine, const struct wa_question *question, review_fn *reviewed, void *context)
{
	(void)engine;
	(void)question;
	(void)reviewed;
	(void)context;
	return false;
}
