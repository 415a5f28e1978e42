/* SPDX-License-Identifier: Apache-2.0 */
/* The engine on a domain controller: decisions by SID, by tokenGroups where the forest has several domains, and without memory. */
#include <support/assertions.h>

#include <authorizer/engine_private.h>
#include <base/text.h>
#include <string.h>
#include <support/dir_pool_fake.h>
#include <support/dir_watch_fake.h>
#include <support/executor_manual.h>
#include <support/fake_domain.h>
#include <support/memory_failing.h>

#define IN_GROUPS(cn) "cn=" cn ",ou=groups," FAKE_DOMAIN_DN
#define IN_PEOPLE(cn) "cn=" cn ",ou=people," FAKE_DOMAIN_DN
#define EMEA_SID      "S-1-5-21-7-7-7"
#define NOBODYS_SID   FAKE_DOMAIN_SID "-9999"
#define LATENCY_MS    10
#define PATIENCE_MS   8000

static struct fake_directory *directory;

static void add_user(const char *dn, const char *name, const char *sid, const char *primary)
{
	fake_domain_add(directory, dn, "user", sid);
	assert_true(fake_directory_gain(directory, dn, "objectClass", "person"));
	assert_true(fake_directory_gain(directory, dn, "objectCategory", "person")); /* as filters have it */
	assert_true(fake_directory_gain(directory, dn, "sAMAccountName", name));
	assert_true(fake_directory_gain(directory, dn, "userAccountControl", "512"));
	assert_true(fake_directory_gain(directory, dn, "primaryGroupID", primary));
}

/*
 * ops (the policy lets in) <- team <- alice, mallory
 * no (it keeps out) <- bad <- mallory
 * staff (lets in) is carol's primary group; dave is in nothing.
 */
static void make_directory(void)
{
	directory = fake_domain_new();
	fake_domain_add_group(directory, IN_GROUPS("ops"), FAKE_DOMAIN_SID "-1101", FAKE_DOMAIN_LOCAL);
	fake_domain_add_group(directory, IN_GROUPS("team"), FAKE_DOMAIN_SID "-1102", FAKE_DOMAIN_GLOBAL);
	fake_domain_add_group(directory, IN_GROUPS("no"), FAKE_DOMAIN_SID "-1103", FAKE_DOMAIN_LOCAL);
	fake_domain_add_group(directory, IN_GROUPS("bad"), FAKE_DOMAIN_SID "-1104", FAKE_DOMAIN_GLOBAL);
	fake_domain_add_group(directory, IN_GROUPS("staff"), FAKE_DOMAIN_SID "-1105", FAKE_DOMAIN_GLOBAL);
	add_user(IN_PEOPLE("alice"), "alice", FAKE_DOMAIN_SID "-2001", "513");
	add_user(IN_PEOPLE("mallory"), "mallory", FAKE_DOMAIN_SID "-2002", "513");
	add_user(IN_PEOPLE("carol"), "carol", FAKE_DOMAIN_SID "-2003", "1105");
	add_user(IN_PEOPLE("dave"), "dave", FAKE_DOMAIN_SID "-2004", "513");
	fake_domain_nest(directory, IN_GROUPS("team"), IN_GROUPS("ops"));
	fake_domain_nest(directory, IN_GROUPS("bad"), IN_GROUPS("no"));
	fake_domain_nest(directory, IN_PEOPLE("alice"), IN_GROUPS("team"));
	fake_domain_nest(directory, IN_PEOPLE("mallory"), IN_GROUPS("team"));
	fake_domain_nest(directory, IN_PEOPLE("mallory"), IN_GROUPS("bad"));
	dir_pool_fake_use(directory, LATENCY_MS);
	dir_watch_fake_use(directory);
}

static void drop_directory(void)
{
	dir_watch_fake_use(NULL);
	fake_directory_free(&directory);
}

/* Its three names have the three forms. */
static struct wa_engine *open_engine(void)
{
	static const char policy[] =
	    "<wsmauthz xmlns=\"urn:wsmauthz:policy:1\" default-domain=\"CORP\"><directory uri=\"ldap://dc1.x\" "
	    "base=\"" FAKE_DOMAIN_DN "\" timeout=\"3s\" identity=\"name\"><bind mechanism=\"anonymous\"/>"
	    "<tls mode=\"none\"/></directory><cache ttl=\"1s\" negative-ttl=\"1s\" unwatched-ttl=\"0s\"/>"
	    "<deny group=\"CORP\\no\"/><allow group=\"" IN_GROUPS("ops") "\"/><allow group=\"" FAKE_DOMAIN_SID
									 "-1105\"/><allow group=\"" EMEA_SID
									 "-1104\"/></wsmauthz>";
	const struct wa_options options = {.dry_run = true};
	const struct config *config = NULL;
	struct wa_engine *engine = NULL;
	struct error error;

	assert_status(config_parse(policy, strlen(policy), "policy.xml", &config, &error), STATUS_OK, &error);
	assert_status(engine_open_with(config, &options, &engine, &error), STATUS_OK, &error);
	config_unref(&config);
	return engine;
}

struct answer {
	unsigned count;
	enum wa_verdict verdict;
	enum wa_reason reason;
};

static void decided(void *context, const struct wa_decision *decision)
{
	struct answer *answer = context;

	answer->count++;
	answer->verdict = decision->verdict;
	answer->reason = decision->reason;
}

static struct answer ask(struct wa_engine *engine, const char *sender)
{
	const struct wa_question question = {
	    .sender = sender, .sender_length = strlen(sender), .mechanism = "Negotiate", .http_url = "https://h/wsman"};
	struct answer answer = {.count = 0};

	if (!wa_engine_decide(engine, &question, decided, &answer))
		return answer;
	for (unsigned ms = 0; ms < PATIENCE_MS && answer.count == 0; ms++)
		(void)executor_manual_advance_all(1);
	assert_int_equal(answer.count, 1);
	return answer;
}

static void assert_answer(struct wa_engine *engine, const char *sender, enum wa_verdict verdict)
{
	struct answer answer = ask(engine, sender);

	if (answer.count != 1 || answer.verdict != verdict)
		fail_msg("%s: verdict %d, reason %d", sender, (int)answer.verdict, (int)answer.reason);
}

static void wa_engine_decide__one_domain__by_the_sids_of_the_entry(void **state)
{
	struct wa_engine *engine;

	(void)state;
	make_directory();
	engine = open_engine();
	assert_answer(engine, "CORP\\alice", WA_AUTHORIZE);
	assert_answer(engine, "CORP\\mallory", WA_DENY);
	assert_answer(engine, "CORP\\carol", WA_AUTHORIZE);
	assert_answer(engine, "CORP\\dave", WA_DENY);
	/* One question a decision, and a mark with it, once the groups are known; the cross-check is beside it. */
	(void)executor_manual_advance_all(5000);
	dir_pool_fake_use(directory, LATENCY_MS);
	assert_answer(engine, "CORP\\alice", WA_AUTHORIZE);
	assert_int_equal(dir_pool_fake_requests(), 1);
	/* What changes counts at once: nothing is kept without a watch. */
	fake_domain_unnest(directory, IN_GROUPS("team"), IN_GROUPS("ops"));
	assert_answer(engine, "CORP\\alice", WA_DENY);
	wa_engine_close(&engine);
	drop_directory();
}

static void wa_engine_decide__the_primary_group_is_not_shown__is_an_error(void **state)
{
	struct wa_engine *engine;

	(void)state;
	make_directory();
	assert_true(fake_directory_hide(directory, IN_PEOPLE("alice"), "primaryGroupID", true));
	engine = open_engine();
	assert_answer(engine, "CORP\\alice", WA_ERROR);
	wa_engine_close(&engine);
	drop_directory();
}

static void wa_engine_decide__the_deny_group_is_none__is_an_error(void **state)
{
	struct wa_engine *engine;

	(void)state;
	make_directory();
	assert_true(fake_directory_lose(directory, IN_GROUPS("no"), "groupType", NULL));
	assert_true(fake_directory_gain(directory, IN_GROUPS("no"), "groupType", FAKE_DOMAIN_DISTRIBUTION));
	engine = open_engine();
	assert_answer(engine, "CORP\\alice", WA_ERROR);
	wa_engine_close(&engine);
	drop_directory();
}

/* dave is in a group of the other domain that is in one of its own that the policy names: only his token shows it. */
static void wa_engine_decide__several_domains__by_the_token(void **state)
{
	struct wa_engine *engine;

	(void)state;
	make_directory();
	fake_domain_add_domain(directory, "dc=emea," FAKE_DOMAIN_DN, "emea.corp.example", "EMEA", EMEA_SID);
	fake_domain_token(directory, IN_PEOPLE("dave"), FAKE_DOMAIN_SID "-513");
	fake_domain_token(directory, IN_PEOPLE("dave"), EMEA_SID "-1104");
	fake_domain_token(directory, IN_PEOPLE("mallory"), EMEA_SID "-1104");
	fake_domain_token(directory, IN_PEOPLE("mallory"), FAKE_DOMAIN_SID "-1103");
	fake_domain_token(directory, IN_PEOPLE("carol"), NOBODYS_SID);
	engine = open_engine();
	assert_answer(engine, "CORP\\dave", WA_AUTHORIZE);
	assert_answer(engine, "CORP\\mallory", WA_DENY);
	assert_answer(engine, "CORP\\carol", WA_DENY);  /* whatever her entry says */
	assert_answer(engine, "CORP\\alice", WA_ERROR); /* her token is not shown */
	wa_engine_close(&engine);
	drop_directory();
}

/* The n-th allocation fails, from the opening to the answer or within one decision: who is kept out stays out. */
static bool fail_once(bool is_open_before, bool has_several_domains, size_t n)
{
	size_t before = memory_live_count(), count;
	struct wa_engine *engine;
	struct answer answer;

	make_directory();
	if (has_several_domains)
		fake_domain_add_domain(directory, "dc=emea," FAKE_DOMAIN_DN, "emea.corp.example", "EMEA", EMEA_SID);
	fake_domain_token(directory, IN_PEOPLE("mallory"), FAKE_DOMAIN_SID "-1101");
	fake_domain_token(directory, IN_PEOPLE("mallory"), FAKE_DOMAIN_SID "-1102");
	fake_domain_token(directory, IN_PEOPLE("mallory"), FAKE_DOMAIN_SID "-1103");
	engine = open_engine();
	if (is_open_before)
		(void)executor_manual_advance_all(1000);
	memory_fail_at(n);
	answer = ask(engine, "CORP\\mallory");
	(void)executor_manual_advance_all(100);
	count = memory_fail_count();
	memory_fail_at(0);
	if (answer.count > 0)
		assert_int_not_equal(answer.verdict, WA_AUTHORIZE);
	assert_answer(engine, "CORP\\mallory", WA_DENY);
	wa_engine_close(&engine);
	drop_directory();
	assert_int_equal(memory_live_count(), before);
	return count >= n;
}

static void wa_engine_decide__no_memory__never_lets_in(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < 4; kind++) {
		size_t n = 1;

		while (fail_once((kind & 1) != 0, (kind & 2) != 0, n))
			n++;
		assert_true(n > 10);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(wa_engine_decide__one_domain__by_the_sids_of_the_entry),
	    cmocka_unit_test(wa_engine_decide__the_primary_group_is_not_shown__is_an_error),
	    cmocka_unit_test(wa_engine_decide__the_deny_group_is_none__is_an_error),
	    cmocka_unit_test(wa_engine_decide__several_domains__by_the_token),
	    cmocka_unit_test(wa_engine_decide__no_memory__never_lets_in),
	};

	return cmocka_run_group_tests_name("membership_domain", tests, NULL, NULL);
}
