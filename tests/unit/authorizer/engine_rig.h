/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of the whole engine share: a company, policies for it, an engine on the manual executor, and questions
 * whose answers are kept. The pool, the watch, the executor and the clock are replaced; the engine is the true one.
 */
#ifndef WSMAUTHZ_TESTS_UNIT_AUTHORIZER_ENGINE_RIG_H
#define WSMAUTHZ_TESTS_UNIT_AUTHORIZER_ENGINE_RIG_H

#include <support/assertions.h>

#include <authorizer/engine_private.h>
#include <base/text.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <support/dir_pool_fake.h>
#include <support/dir_watch_fake.h>
#include <support/executor_manual.h>
#include <support/fake_directory.h>

#define ALICE "uid=alice,ou=people,dc=x"
#define BOB   "uid=bob,ou=people,dc=x"
#define DORA  "uid=dora,ou=people,dc=x"
#define OPS   "cn=ops,ou=groups,dc=x"
#define DEVS  "cn=devs,ou=groups,dc=x"
#define FAR   "cn=far,ou=elsewhere,dc=x"

/* Milliseconds of the manual clock: one round trip; more than every way that a question can go. */
#define LATENCY_MS  10
#define PATIENCE_MS ((uint64_t)20000)
/* A slow one. */
#define SLOW_MS ((uint64_t)2000)
/* Until a policy whose groups could not be read is tried again. */
#define TRY_AGAIN_MS ((uint64_t)ENGINE_TRY_POLICY_MS)

/* A policy, in the order of its text. All may be NULL but `rules`. */
struct rig_policy {
	const char *attributes; /* of <directory> */
	const char *groups;     /* <groups .../> */
	const char *cache;      /* <cache .../>; NULL: nothing is served without a proof that it is still true */
	const char *rules;      /* and what else the policy says */
};

/* Each lets in the members of one group: alice, bob, bob. */
static const struct rig_policy policy_ops = {.rules = "<allow group=\"" OPS "\"/>"};
static const struct rig_policy policy_devs = {.rules = "<allow group=\"" DEVS "\"/>"};
/* Its groups stand under a base of their own, so that a fault can be of this policy's load alone. */
static const struct rig_policy policy_far = {.groups = "<groups base=\"ou=elsewhere,dc=x\"/>",
					     .rules = "<allow group=\"" FAR "\"/>"};

struct rig {
	struct fake_directory *directory;
	struct wa_engine *engine;
	bool writes_audit, no_cache; /* of engines that are opened from now on */
	char log[65536];             /* lines, each with its end; what does not fit is lost */
	size_t log_length;
	void (*on_line)(struct rig *rig, const char *line); /* NULL: nobody looks */
};

struct answer {
	unsigned count;
	enum wa_verdict verdict;
	enum wa_reason reason;
	uint32_t code;
	bool administrator, cached;
	struct wa_quota quota;
	char rule[96];
	bool has_dn;
};

/* The company */

static inline void gain(const struct rig *rig, const char *dn, const char *attribute, const char *value)
{
	assert_true(fake_directory_gain(rig->directory, dn, attribute, value));
}

static inline void add(const struct rig *rig, const char *dn, const char *object_class)
{
	assert_true(fake_directory_add(rig->directory, dn));
	gain(rig, dn, "objectClass", object_class);
}

static inline int make_rig(void **state)
{
	static struct rig rig;

	memset(&rig, 0, sizeof(rig));
	rig.directory = fake_directory_new("dc=x");
	add(&rig, "ou=people,dc=x", "organizationalUnit");
	add(&rig, "ou=groups,dc=x", "organizationalUnit");
	add(&rig, "ou=elsewhere,dc=x", "organizationalUnit");
	add(&rig, ALICE, "inetOrgPerson");
	add(&rig, BOB, "inetOrgPerson");
	add(&rig, DORA, "inetOrgPerson");
	add(&rig, OPS, "groupOfNames");
	gain(&rig, OPS, "member", ALICE);
	gain(&rig, OPS, "member", DORA);
	add(&rig, DEVS, "groupOfNames");
	gain(&rig, DEVS, "member", BOB);
	add(&rig, FAR, "groupOfNames");
	gain(&rig, FAR, "member", BOB);
	dir_pool_fake_use(rig.directory, LATENCY_MS);
	dir_watch_fake_use(rig.directory);
	*state = &rig;
	return 0;
}

static inline int remove_rig(void **state)
{
	struct rig *rig = *state;

	wa_engine_close(&rig->engine);
	dir_watch_fake_use(NULL);
	fake_directory_free(&rig->directory);
	return 0;
}

/* The engine */

static inline const char *or_none(const char *text)
{
	return text == NULL ? "" : text;
}

static inline const struct config *parse(const struct rig_policy *policy)
{
	const struct config *config = NULL;
	struct error error = {.status = STATUS_OK};
	struct text text;

	text_init(&text);
	text_printf(&text,
		    "<wsmauthz xmlns=\"urn:wsmauthz:policy:1\" default-domain=\"CORP\"><directory uri=\"ldap://dc1.x\" "
		    "base=\"dc=x\" domain=\"CORP\" %s><bind mechanism=\"anonymous\"/><tls mode=\"none\"/>%s"
		    "</directory>%s%s</wsmauthz>",
		    or_none(policy->attributes), or_none(policy->groups),
		    policy->cache == NULL ? "<cache unwatched-ttl=\"0s\" max-entries=\"64\"/>" : policy->cache,
		    policy->rules);
	assert_status(config_parse(text_string(&text), text.length, "policy.xml", &config, &error), STATUS_OK, &error);
	text_done(&text);
	return config;
}

static inline void keep_line(void *context, enum wa_log_level level, const char *line)
{
	static const char *const words[] = {"error", "warning", "info", "debug"};
	struct rig *rig = context;
	const size_t room = sizeof(rig->log) - rig->log_length;
	const int length = snprintf(rig->log + rig->log_length, room, "%s: %s\n", words[level], line);

	rig->log_length += length > 0 && (size_t)length < room ? (size_t)length : 0;
	if (rig->on_line != NULL)
		rig->on_line(rig, line);
}

static inline void open_engine(struct rig *rig, const struct rig_policy *policy)
{
	const struct wa_options options = {
	    .log = {WA_LOG_INFO, keep_line, rig},
	    .dry_run = !rig->writes_audit,
	    .no_cache = rig->no_cache,
	};
	const struct config *config = parse(policy);
	struct error error = {.status = STATUS_OK};

	assert_status(engine_open_with(config, &options, &rig->engine, &error), STATUS_OK, &error);
	config_unref(&config);
}

static inline void pass(uint64_t ms)
{
	(void)executor_manual_advance_all(ms);
}

/* Questions */

static inline void keep_answer(void *context, const struct wa_decision *decision)
{
	struct answer *answer = context;

	answer->count++;
	answer->verdict = decision->verdict;
	answer->reason = decision->reason;
	answer->code = decision->code;
	answer->administrator = decision->administrator;
	answer->cached = decision->cached;
	answer->quota = decision->quota;
	answer->has_dn = decision->dn != NULL;
	(void)snprintf(answer->rule, sizeof(answer->rule), "%s", or_none(decision->rule));
}

static inline struct wa_question question_of(enum wa_kind kind, const char *sender)
{
	return (struct wa_question){.kind = kind,
				    .sender = sender,
				    .sender_length = strlen(sender),
				    .mechanism = "Negotiate",
				    .http_url = "https://h/wsman"};
}

static inline bool ask(struct rig *rig, const char *sender, struct answer *answer)
{
	const struct wa_question question = question_of(WA_KIND_OPERATION, sender);

	memset(answer, 0, sizeof(*answer));
	return wa_engine_decide(rig->engine, &question, keep_answer, answer);
}

static inline void await(const struct answer *answer)
{
	for (unsigned ms = 0; ms < PATIENCE_MS && answer->count == 0; ms++)
		pass(1);
	assert_int_equal(answer->count, 1);
}

static inline struct answer ask_and_wait(struct rig *rig, const char *sender)
{
	struct answer answer;

	assert_true(ask(rig, sender, &answer));
	await(&answer);
	return answer;
}

/* Who is let in tells which policy is in force. */
static inline void assert_lets_in(struct rig *rig, const char *sender)
{
	static const char *const senders[] = {"alice", "bob"};

	for (size_t i = 0; i < COUNT_OF(senders); i++) {
		const struct answer answer = ask_and_wait(rig, senders[i]);
		const bool is_in = strcmp(sender, senders[i]) == 0;

		assert_int_equal(answer.verdict, is_in ? WA_AUTHORIZE : WA_DENY);
		assert_int_equal(answer.reason, is_in ? WA_REASON_MEMBER : WA_REASON_NOT_A_MEMBER);
	}
}

/* Another policy */

struct taking {
	struct wa_engine *engine;
	const struct config *config;
};

static inline void take(void *context)
{
	const struct taking *taking = context;

	engine_take_policy(taking->engine, taking->config);
}

static inline void take_config(const struct rig *rig, const struct config *config)
{
	struct taking taking = {rig->engine, config};

	executor_manual_call(rig->engine->executor, take, &taking);
}

static inline void take_policy(const struct rig *rig, const struct rig_policy *policy)
{
	const struct config *config = parse(policy);

	take_config(rig, config);
	config_unref(&config);
}

static inline size_t count_regimes(const struct rig *rig)
{
	size_t count = 0;

	for (const struct regime *regime = rig->engine->regimes; regime != NULL; regime = regime->next)
		count++;
	return count;
}

static inline size_t count_lines(const struct rig *rig, const char *words)
{
	size_t count = 0;

	for (const char *at = rig->log; (at = strstr(at, words)) != NULL; at++)
		count++;
	return count;
}

#define IN_FORCE "the new policy is in force"
#define NOT_READ "the groups of the new policy cannot be read"

static inline void fail_load(const struct rig *rig, enum fake_fault_kind kind)
{
	static char when[] = "ou=elsewhere";
	const struct fake_fault fault = {.kind = kind, .code = 50, .when = when};

	fake_directory_add_fault(rig->directory, &fault);
}

#define RIGGED(test) cmocka_unit_test_setup_teardown(test, make_rig, remove_rig)

#endif
