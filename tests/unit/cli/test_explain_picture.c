/* SPDX-License-Identifier: Apache-2.0 */
#include "explain_sample.h"

#include <support/assertions.h>

#include <base/memory.h>

#include <cli/explain_picture.h>
#include <string.h>
#include <support/memory_failing.h>

static const struct check_sender alice = {"CORP\\<alice>&\x1B", 14, false};

typedef void draw_fn(struct text *out, const struct check_sender *sender, const struct wa_decision *decision,
		     const struct wa_explanation *explanation);

static char *draw(draw_fn *draw_it)
{
	struct text out;
	char *drawn;

	text_init(&out);
	draw_it(&out, &alice, &sample_decision, &sample_explanation);
	drawn = text_take(&out);
	assert_non_null(drawn);
	return drawn;
}

static size_t count(const char *text, const char *part)
{
	size_t found = 0;

	for (; (text = strstr(text, part)) != NULL; text++)
		found++;
	return found;
}

/* That it is well-formed XML, whatever names hold, is seen in tests/integration/explain. */
static void explain_svg__everything__is_drawn_once_and_escaped(void **state)
{
	char *svg = draw(explain_svg);

	(void)state;
	assert_int_equal(count(svg, "<g><title>"), COUNT_OF(sample_groups) + 1);
	assert_int_equal(count(svg, "marker-"), COUNT_OF(sample_edges) + 2); /* and from the user, twice */
	assert_int_equal(count(svg, "class=\"way"), 2);
	assert_int_equal(count(svg, " ring\""), 1);
	assert_non_null(strstr(svg, "CORP\\&lt;alice&gt;&amp;\xEF\xBF\xBD: redirect, site-elsewhere"));
	assert_non_null(strstr(svg, ">cn=&lt;b&gt;\xEF\xBF\xBD[31m\xEF\xBF\xBDgro&quot;up&amp;</text>"));
	assert_non_null(strstr(svg, ">allow, decides</text>"));
	assert_non_null(strstr(svg, "class=\"allow decided\""));
	assert_non_null(strstr(svg, "class=\"deny idle\""));
	assert_null(strstr(svg, "<b>"));
	assert_null(strchr(svg, '\x1B'));
	assert_null(strstr(svg, "http://www.w3.org/1999/xlink"));
	assert_int_equal(count(svg, "http"), 1); /* the namespace, which nobody fetches */
	memory_free(svg);
}

static void explain_dot__everything__is_drawn_once_and_escaped(void **state)
{
	char *dot = draw(explain_dot);

	(void)state;
	assert_int_equal(count(dot, " [label="), COUNT_OF(sample_groups) + 1);
	assert_int_equal(count(dot, " -> "), COUNT_OF(sample_edges) + 2);
	assert_non_null(strstr(dot, "label=\"CORP\\\\<alice>&\xEF\xBF\xBD: redirect, site-elsewhere\";"));
	assert_non_null(strstr(dot, "[label=\"cn=<b>\xEF\xBF\xBD[31m\xEF\xBF\xBDgro\\\"up&\","));
	assert_null(strchr(dot, '\x1B'));
	memory_free(dot);
}

/* Nobody was found: the configured groups stand alone. */
static void explain_svg__nobody__draws_the_sender_and_the_configured_groups(void **state)
{
	const struct wa_decision decision = {.verdict = WA_DENY, .reason = WA_REASON_NO_SUCH_USER, .code = 5};
	const struct wa_explanation explanation = {.rules = sample_denied_rules,
						   .rule_count = 1,
						   .groups = sample_groups,
						   .group_count = COUNT_OF(sample_groups)};
	struct wa_explanation nothing = {.rule_count = 0};
	struct text out;

	(void)state;
	text_init(&out);
	explain_svg(&out, &alice, &decision, &nothing);
	explain_svg(&out, &alice, &decision, &explanation);
	explain_dot(&out, &alice, &decision, &nothing);
	assert_false(text_failed(&out));
	assert_non_null(strstr(text_string(&out), "deny, no-such-user"));
	text_done(&out);
}

static void assert_fails_cleanly(draw_fn *draw_it)
{
	const size_t before = memory_live_count();
	bool is_over = false;
	size_t n = 1;

	for (; !is_over; n++) {
		struct text out;

		memory_fail_at(n);
		text_init(&out);
		draw_it(&out, &alice, &sample_decision, &sample_explanation);
		is_over = memory_fail_count() < n;
		memory_fail_at(0);
		assert_true(text_failed(&out) != is_over);
		text_done(&out);
		assert_int_equal(memory_live_count(), before);
	}
	assert_true(n > 20);
}

static void explain_svg__nth_allocation_fails__says_so(void **state)
{
	(void)state;
	assert_fails_cleanly(explain_svg);
	assert_fails_cleanly(explain_dot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(explain_svg__everything__is_drawn_once_and_escaped),
	    cmocka_unit_test(explain_dot__everything__is_drawn_once_and_escaped),
	    cmocka_unit_test(explain_svg__nobody__draws_the_sender_and_the_configured_groups),
	    cmocka_unit_test(explain_svg__nth_allocation_fails__says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
