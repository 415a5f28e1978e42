/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole engine over a directory that changes at random while a watch tells of it, late, not at all, or cut, and servers that are slow
 * or drop connections. The test writes down what is true of everybody at each moment, and holds each answer against it: nobody
 * is let in who was not to be let in at any time from a second before the question to the answer, and the same for who is kept out.
 *
 * An answer is put together from the user's entry and the groups, which may be of two moments within that time.
 */
#include <authorizer/engine_private.h>

#include <base/compiler.h>
#include <base/text.h>
#include <os/clock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/assertions.h>
#include <support/dir_pool_fake.h>
#include <support/dir_watch_fake.h>
#include <support/executor_manual.h>
#include <support/fake_directory.h>
#include <support/fake_text.h>
#include <support/memory_failing.h>

#define SEEDS     24
#define STEPS     400
#define PEOPLE    5
#define GROUPS    7 /* the first may in, the second is kept out, the others are nested somewhere */
#define QUESTIONS 12
#define MAX_DN    64
/* How long a revocation may go unseen, without unwatched-ttl. */
#define STALE_MS 1000
/* Virtual time after which a question has no answer: the policy's timeout is 3 s. */
#define PATIENCE_MS  3500
#define SYNC_CONTROL "1.3.6.1.4.1.4203.1.9.1.1"

/* What is true of somebody, from a moment on. */
struct truth {
	uint64_t since_ms;
	bool groups_let_in, entry_lets_in;
	struct truth *before;
};

struct question {
	struct world *world;
	unsigned person;
	uint64_t asked_ms;
	bool is_open;
};

struct world {
	uint64_t random;
	struct fake_directory *directory;
	struct wa_engine *engine;
	uint64_t stale_ms;
	struct truth *truths[PEOPLE];
	struct question questions[QUESTIONS];
	bool is_cut, is_frozen;
	unsigned asked, authorized, denied, errors, cached;
	char story[4096]; /* the last things that happened */
};

static unsigned below(struct world *world, unsigned limit)
{
	/* Knuth's MMIX generator; the high bits are good enough. */
	world->random = world->random * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)((world->random >> 33) % limit);
}

PRINTF_LIKE(2, 3) static void tell(struct world *world, const char *format, ...)
{
	const size_t half = sizeof(world->story) / 2;
	va_list arguments;
	char line[160];
	size_t length;

	va_start(arguments, format);
	(void)vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (strlen(world->story) > half)
		memmove(world->story, world->story + half, half);
	length = strlen(world->story);
	(void)snprintf(world->story + length, sizeof(world->story) - length, "%llu %s\n",
		       (unsigned long long)clock_monotonic_ms(), line);
}

/* Names. Groups are known by number, whatever they are called at the time. */

static void person_dn(unsigned person, char *dn)
{
	(void)snprintf(dn, MAX_DN, "uid=u%u,ou=people,dc=x", person);
}

static void group_dn(unsigned number, char *dn)
{
	(void)snprintf(dn, MAX_DN, "cn=g%u,ou=groups,dc=x", number);
}

/* What is true */

static bool lists(const struct world *world, const char *group, const char *member)
{
	const struct fake_entry *entry = fake_directory_entry(world->directory, group);
	const struct fake_attribute *members = entry == NULL ? NULL : fake_entry_attribute(entry, "member");

	for (size_t i = 0; members != NULL && i < members->count; i++)
		if (strcmp(members->values[i].data, member) == 0)
			return true;
	return false;
}

static bool holds(const struct world *world, unsigned root, const char *member)
{
	bool is_beneath[GROUPS] = {false}, has_grown = true;
	char above[MAX_DN], dn[MAX_DN];

	is_beneath[root] = true;
	while (has_grown) {
		has_grown = false;
		for (unsigned i = 0; i < GROUPS * GROUPS; i++) {
			group_dn(i / GROUPS, above);
			group_dn(i % GROUPS, dn);
			if (!is_beneath[i / GROUPS] || is_beneath[i % GROUPS] || !lists(world, above, dn) ||
			    fake_directory_entry(world->directory, dn) == NULL)
				continue;
			is_beneath[i % GROUPS] = has_grown = true;
		}
	}
	for (unsigned i = 0; i < GROUPS; i++) {
		group_dn(i, dn);
		if (is_beneath[i] && lists(world, dn, member))
			return true;
	}
	return false;
}

static void note_truth(struct world *world)
{
	for (unsigned person = 0; person < PEOPLE; person++) {
		struct truth *last = world->truths[person];
		const struct fake_attribute *locks;
		const struct fake_entry *entry;
		struct truth *truth;
		char dn[MAX_DN];

		person_dn(person, dn);
		entry = fake_directory_entry(world->directory, dn);
		locks = entry == NULL ? NULL : fake_entry_attribute(entry, "nsAccountLock");
		truth = fake_new(1, sizeof(*truth));
		*truth = (struct truth){
		    .since_ms = clock_monotonic_ms(),
		    .groups_let_in = holds(world, 0, dn) && !holds(world, 1, dn),
		    .entry_lets_in = entry != NULL && (locks == NULL || locks->count == 0),
		    .before = last,
		};
		if (last != NULL && last->groups_let_in == truth->groups_let_in &&
		    last->entry_lets_in == truth->entry_lets_in) {
			free(truth);
			continue;
		}
		tell(world, "u%u is %s%s", person, truth->groups_let_in ? "in" : "out",
		     truth->entry_lets_in ? "" : ", disabled or gone");
		world->truths[person] = truth;
	}
}

/* Whether an answer with this verdict was right at some time since `from_ms`. */
static bool was_right(const struct world *world, unsigned person, uint64_t from_ms, bool is_authorize)
{
	bool groups = false, entry = false, out = false;

	for (const struct truth *truth = world->truths[person]; truth != NULL; truth = truth->before) {
		groups = groups || truth->groups_let_in;
		entry = entry || truth->entry_lets_in;
		out = out || !truth->groups_let_in || !truth->entry_lets_in;
		if (truth->since_ms < from_ms)
			break;
	}
	return is_authorize ? groups && entry : out;
}

/* Changes */

static void change_member(struct world *world, bool is_nesting)
{
	/* The one that keeps people out changes less often than the one that lets them in. */
	static const unsigned numbers[] = {0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6};
	char group[MAX_DN], member[MAX_DN];

	group_dn(numbers[below(world, COUNT_OF(numbers))], group);
	if (is_nesting)
		group_dn(2 + below(world, GROUPS - 2), member);
	else
		person_dn(below(world, PEOPLE), member);
	if (lists(world, group, member) ? !fake_directory_lose(world->directory, group, "member", member)
					: !fake_directory_gain(world->directory, group, "member", member))
		return;
	tell(world, "%s %s %s", group, lists(world, group, member) ? "gains" : "drops", member);
}

static void change_groups(struct world *world)
{
	char group[MAX_DN], other[MAX_DN];

	group_dn(2 + below(world, GROUPS - 2), group);
	group_dn(2 + below(world, GROUPS - 2), other);
	if (fake_directory_entry(world->directory, group) == NULL) {
		(void)fake_directory_add(world->directory, group);
		(void)fake_directory_gain(world->directory, group, "member", "cn=keeper,dc=x");
		(void)fake_directory_gain(world->directory, group, "objectClass", "groupOfNames");
		tell(world, "%s is made", group);
	} else if (fake_directory_rename(world->directory, group, other)) {
		tell(world, "%s becomes %s", group, other);
	} else if (below(world, 2) == 0) {
		(void)fake_directory_delete(world->directory, group);
		tell(world, "%s is deleted", group);
	}
}

static void change_person(struct world *world)
{
	char dn[MAX_DN];

	person_dn(below(world, PEOPLE), dn);
	if (fake_directory_entry(world->directory, dn) == NULL) {
		(void)fake_directory_add(world->directory, dn);
		(void)fake_directory_gain(world->directory, dn, "objectClass", "inetOrgPerson");
	} else if (below(world, 4) == 0) {
		(void)fake_directory_delete(world->directory, dn);
	} else if (!fake_directory_lose(world->directory, dn, "nsAccountLock", NULL)) {
		(void)fake_directory_gain(world->directory, dn, "nsAccountLock", "TRUE");
	}
}

/* Disturbances */

static void disturb_watch(struct world *world)
{
	switch (below(world, 5)) {
	case 0:
		if (world->is_cut)
			dir_watch_fake_restore();
		else
			dir_watch_fake_cut();
		world->is_cut = !world->is_cut;
		tell(world, "the watch is %s", world->is_cut ? "cut" : "back");
		break;
	case 1:
	case 2:
		if (world->is_frozen)
			dir_watch_fake_thaw();
		else
			dir_watch_fake_freeze();
		world->is_frozen = !world->is_frozen;
		tell(world, "the watch %s", world->is_frozen ? "freezes" : "thaws");
		break;
	default:
		dir_watch_fake_set_delay(below(world, below(world, 3) == 0 ? 600 : 30));
		break;
	}
}

static void disturb_server(struct world *world)
{
	const struct fake_fault drop = {
	    .kind = FAKE_FAULT_DROP, .entries = below(world, 2), .times = 1 + below(world, 2)};

	if (below(world, 3) == 0)
		fake_directory_add_fault(world->directory, &drop);
	else
		dir_pool_fake_set_latency(below(world, below(world, 3) == 0 ? 150 : 10));
}

/* Questions */

/* cmocka cuts what is longer than a few lines. */
static void fail_with_story(const struct world *world, const char *what)
{
	(void)fputs(world->story, stderr);
	fail_msg("%s", what);
}

static void check(struct question *question, const struct wa_decision *decision)
{
	struct world *world = question->world;
	uint64_t from_ms = question->asked_ms - world->stale_ms;

	tell(world, "u%u: %s, asked at %llu%s", question->person, wa_reason_word(decision->reason),
	     (unsigned long long)question->asked_ms, decision->cached ? ", cached" : "");
	world->cached += decision->cached;
	if (decision->verdict == WA_ERROR) {
		world->errors++;
		return;
	}
	world->authorized += decision->verdict == WA_AUTHORIZE;
	world->denied += decision->verdict != WA_AUTHORIZE;
	if (!was_right(world, question->person, from_ms, decision->verdict == WA_AUTHORIZE))
		fail_with_story(world, "this was not so in the time that an answer may be old");
}

static void decided(void *context, const struct wa_decision *decision)
{
	struct question *question = context;

	question->is_open = false;
	check(question, decision);
}

static void ask(struct world *world)
{
	struct question *question = NULL;
	struct wa_question asked = {.mechanism = "Negotiate"};
	char name[16];

	for (size_t i = 0; i < QUESTIONS; i++)
		if (!world->questions[i].is_open)
			question = &world->questions[i];
	if (question == NULL)
		return;
	*question = (struct question){
	    .world = world, .person = below(world, PEOPLE), .asked_ms = clock_monotonic_ms(), .is_open = true};
	(void)snprintf(name, sizeof(name), "u%u", question->person);
	asked.sender = name;
	asked.sender_length = strlen(name);
	asked.kind = WA_KIND_OPERATION;
	world->asked++;
	if (wa_engine_decide_cached(world->engine, &asked, decided, question))
		return;
	assert_true(wa_engine_decide(world->engine, &asked, decided, question));
}

static void pass(struct world *world, uint64_t ms)
{
	(void)executor_manual_advance_all(ms);
	for (size_t i = 0; i < QUESTIONS; i++)
		if (world->questions[i].is_open && clock_monotonic_ms() - world->questions[i].asked_ms >= PATIENCE_MS)
			fail_with_story(world, "a question has no answer in time");
}

static void act(struct world *world)
{
	unsigned what = below(world, 100);

	if (what < 50 || below(world, 2) == 0) {
		ask(world);
		return;
	}
	if (what < 72)
		change_member(world, false);
	else if (what < 80)
		change_member(world, true);
	else if (what < 84)
		change_groups(world);
	else if (what < 90)
		change_person(world);
	else if (what < 97)
		disturb_watch(world);
	else
		disturb_server(world);
	note_truth(world);
}

/* The stage */

static const struct config *policy_of(const char *cache)
{
	const struct config *config = NULL;
	struct error error;
	struct text policy;

	text_init(&policy);
	text_printf(&policy,
		    "<wsmauthz xmlns=\"urn:wsmauthz:policy:1\" default-domain=\"CORP\"><directory uri=\"ldap://dc1.x\" "
		    "base=\"dc=x\" timeout=\"3s\" domain=\"CORP\"><bind mechanism=\"anonymous\"/><tls mode=\"none\"/>"
		    "</directory><cache %s/><deny group=\"cn=g1,ou=groups,dc=x\"/>"
		    "<allow group=\"cn=g0,ou=groups,dc=x\"/></wsmauthz>",
		    cache);
	assert_false(text_failed(&policy));
	if (config_parse(text_string(&policy), policy.length, "policy.xml", &config, &error) != STATUS_OK)
		fail_msg("%s", error.what);
	text_done(&policy);
	return config;
}

static void make_directory(struct world *world, bool has_sync)
{
	char dn[MAX_DN], group[MAX_DN];

	world->directory = fake_directory_new("dc=x");
	if (has_sync)
		fake_directory_root(world->directory, "supportedControl", SYNC_CONTROL);
	(void)fake_directory_add(world->directory, "ou=people,dc=x");
	(void)fake_directory_add(world->directory, "ou=groups,dc=x");
	for (unsigned i = 0; i < PEOPLE; i++) {
		person_dn(i, dn);
		(void)fake_directory_add(world->directory, dn);
		(void)fake_directory_gain(world->directory, dn, "objectClass", "inetOrgPerson");
	}
	for (unsigned i = 0; i < GROUPS; i++) {
		group_dn(i, dn);
		(void)fake_directory_add(world->directory, dn);
		(void)fake_directory_gain(world->directory, dn, "objectClass", "groupOfNames");
		(void)fake_directory_gain(world->directory, dn, "member", "cn=keeper,dc=x");
	}
	group_dn(0, group);
	for (unsigned i = 0; i < PEOPLE; i++) {
		person_dn(i, dn);
		(void)fake_directory_gain(world->directory, group, "member", dn);
	}
}

static void begin(struct world *world, unsigned seed, const char *cache, uint64_t stale_ms)
{
	const struct wa_options options = {.dry_run = true};
	const struct config *config = policy_of(cache);
	struct error error;

	memset(world, 0, sizeof(*world));
	world->random = seed;
	world->stale_ms = stale_ms;
	make_directory(world, seed % 5 != 4);
	dir_pool_fake_use(world->directory, 1);
	dir_watch_fake_use(world->directory);
	if (seed % 6 != 5)
		dir_watch_fake_enable();
	assert_int_equal(engine_open_with(config, &options, &world->engine, &error), STATUS_OK);
	config_unref(&config);
	note_truth(world);
}

/* At whatever moment: who still waits is answered. */
static void end(struct world *world)
{
	wa_engine_close(&world->engine);
	for (size_t i = 0; i < QUESTIONS; i++)
		assert_false(world->questions[i].is_open);
	assert_int_equal(dir_pool_fake_in_flight(), 0);
	for (unsigned person = 0; person < PEOPLE; person++) {
		while (world->truths[person] != NULL) {
			struct truth *truth = world->truths[person];

			world->truths[person] = truth->before;
			free(truth);
		}
	}
	dir_watch_fake_use(NULL);
	fake_directory_free(&world->directory);
}

static void play(const char *cache, uint64_t stale_ms, unsigned first_seed)
{
	static const unsigned paces[] = {40, 150, 500};
	static struct world world;
	unsigned asked = 0, authorized = 0, denied = 0, errors = 0, cached = 0;
	size_t before = memory_live_count();

	for (unsigned seed = first_seed; seed < first_seed + SEEDS; seed++) {
		begin(&world, seed, cache, stale_ms);
		for (unsigned i = 0; i < STEPS; i++) {
			act(&world);
			pass(&world, below(&world, 30) == 0 ? below(&world, 3000)
							    : below(&world, paces[seed % COUNT_OF(paces)]));
		}
		end(&world);
		assert_int_equal(memory_live_count(), before);
		asked += world.asked;
		authorized += world.authorized;
		denied += world.denied;
		errors += world.errors;
		cached += world.cached;
	}
	print_message("%u asked: %u let in, %u kept out, %u errors; %u from the cache\n", asked, authorized, denied,
		      errors, cached);
	assert_true(authorized > asked / 20 && denied > asked / 20 && cached > asked / 20);
	assert_true(errors < asked / 50);
}

static void engine__everything_changes__nothing_is_older_than_a_second(void **state)
{
	(void)state;
	play("unwatched-ttl=\"0s\"", STALE_MS, 1);
}

/* A verdict is as old as the oldest part that it was made of. */
static void engine__unwatched_ttl_is_a_second__nothing_is_older_than_that(void **state)
{
	(void)state;
	play("unwatched-ttl=\"1s\"", STALE_MS, 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(engine__everything_changes__nothing_is_older_than_a_second),
	    cmocka_unit_test(engine__unwatched_ttl_is_a_second__nothing_is_older_than_that),
	};

	return cmocka_run_group_tests_name("membership_random", tests, NULL, NULL);
}
