/* SPDX-License-Identifier: Apache-2.0 */
/* What changes, and what is told of it. */
#include <unit/authorizer/policy_watch_rig.h>

#include <sys/stat.h>
#include <unistd.h>

/* Changes of the policy */

static void policy_watch__written_in_place__is_told(void **state)
{
	struct rig *rig = *state;

	watch(rig, POLICY("a"));
	write_policy(rig, POLICY("b"));
	wait_for_policy(rig, 1, "cn=b,dc=example");
	write_policy(rig, POLICY("a"));
	wait_for_policy(rig, 2, "cn=a,dc=example");
}

static void policy_watch__another_renamed_over__is_told(void **state)
{
	struct rig *rig = *state;

	watch(rig, POLICY("a"));
	replace_policy(rig, POLICY("b"));
	wait_for_policy(rig, 1, "cn=b,dc=example");
	replace_policy(rig, POLICY("c"));
	wait_for_policy(rig, 2, "cn=c,dc=example");
	assert_int_equal(count_of(rig, &rig->errors), 0);
}

static void policy_watch__a_link_is_swapped__is_told(void **state)
{
	struct rig *rig = *state;

	write_file(rig, "a.xml", POLICY("a"), 0644);
	write_file(rig, "b.xml", POLICY("b"), 0644);
	assert_int_equal(symlink("a.xml", rig->folder.policy), 0);
	watch(rig, POLICY("a"));
	assert_int_equal(symlink("b.xml", in(rig, "new")), 0);
	assert_int_equal(rename(in(rig, "new"), rig->folder.policy), 0);
	wait_for_policy(rig, 1, "cn=b,dc=example");
	assert_int_equal(count_of(rig, &rig->errors), 0);
}

static void policy_watch__changed_before_it_began__is_told(void **state)
{
	struct rig *rig = *state;
	const struct config *config;

	write_policy(rig, POLICY("a"));
	config = load(rig);
	write_policy(rig, POLICY("b"));
	assert_status(open_watch(rig, config, NULL), STATUS_OK, NULL);
	config_unref(&config);
	wait_for_policy(rig, 1, "cn=b,dc=example");
}

static void policy_watch__the_same_again__is_no_news(void **state)
{
	struct rig *rig = *state;

	watch(rig, POLICY("a"));
	replace_policy(rig, POLICY("a"));
	replace(rig, "policy.xml", POLICY("a"), 0600);
	replace_policy(rig, POLICY("b"));
	wait_for_policy(rig, 1, "cn=b,dc=example");
	replace_policy(rig, POLICY("b"));
	replace_policy(rig, POLICY("c"));
	wait_for_policy(rig, 2, "cn=c,dc=example");
}

static void policy_watch__quick_changes__the_last_one_is_told_last(void **state)
{
	struct rig *rig = *state;
	const uint64_t due_ms = clock_monotonic_ms() + PATIENCE_MS;
	bool is_last = false;
	int i;

	watch(rig, POLICY("a"));
	for (i = 0; i < 50; i++)
		replace_policy(rig, i % 2 == 0 ? POLICY("b") : POLICY("c"));
	replace_policy(rig, POLICY("last"));
	mutex_lock(&rig->lock);
	do
		is_last = rig->config != NULL && strcmp(rig->config->rules[0].group, "cn=last,dc=example") == 0;
	while (!is_last && condition_wait_until(&rig->changed, &rig->lock, due_ms));
	mutex_unlock(&rig->lock);
	assert_true(is_last);
}

/* Unusable policies */

static void policy_watch__bad_then_good__both_are_told(void **state)
{
	struct rig *rig = *state;

	watch(rig, POLICY("a"));
	replace_policy(rig, HEAD DIRECTORY ALLOW "<nonsense/>\n" TAIL);
	wait_for_error(rig, 1, STATUS_INVALID, ":4: ");
	assert_int_equal(count_of(rig, &rig->policies), 0);
	replace_policy(rig, POLICY("b"));
	wait_for_policy(rig, 1, "cn=b,dc=example");
	assert_int_equal(count_of(rig, &rig->errors), 1);
}

static void policy_watch__bad_for_long__is_told_once_for_each_reason(void **state)
{
	struct rig *rig = *state;

	watch(rig, POLICY("a"));
	replace_policy(rig, HEAD DIRECTORY ALLOW "<nonsense/>\n" TAIL);
	wait_for_error(rig, 1, STATUS_INVALID, ":4: ");
	nudge(rig);
	nudge(rig); /* it has looked in between */
	replace(rig, "policy.xml", HEAD DIRECTORY ALLOW "<nonsense/>\n" TAIL, 0600);
	replace_policy(rig, HEAD DIRECTORY ALLOW "\n\n<nonsense/>\n" TAIL);
	wait_for_error(rig, 2, STATUS_INVALID, ":6: ");
	replace_policy(rig, POLICY("a"));
	wait_for(rig, &rig->again, 1);
	wait_for(rig, &rig->as_before, 1);
	replace_policy(rig, HEAD DIRECTORY ALLOW "\n\n<nonsense/>\n" TAIL);
	wait_for_error(rig, 3, STATUS_INVALID, ":6: ");
	assert_int_equal(count_of(rig, &rig->policies), 0);
}

static void policy_watch__permissions__are_told_and_their_repair_is_logged(void **state)
{
	struct rig *rig = *state;

	watch(rig, POLICY("a"));
	assert_int_equal(chmod(rig->folder.policy, 0666), 0);
	wait_for_error(rig, 1, STATUS_REFUSED, "0666");
	assert_int_equal(chmod(rig->folder.policy, 0644), 0);
	wait_for(rig, &rig->again, 1);
	wait_for(rig, &rig->as_before, 1);
	assert_int_equal(count_of(rig, &rig->policies), 0);
}

static void policy_watch__deleted_and_made_again__both_are_told(void **state)
{
	struct rig *rig = *state;

	watch(rig, POLICY("a"));
	assert_int_equal(unlink(rig->folder.policy), 0);
	wait_for_error(rig, 1, STATUS_NOT_FOUND, "policy.xml");
	replace_policy(rig, POLICY("b"));
	wait_for_policy(rig, 1, "cn=b,dc=example");
}

/* The files that a policy names */

static void wait_for_secret(struct rig *rig, size_t wanted, const char *text)
{
	const struct config *config;
	const struct secret *secret;

	wait_for(rig, &rig->policies, wanted);
	assert_int_equal(count_of(rig, &rig->policies), wanted);
	config = heard(rig);
	secret = config->directories[0].bind_secret;
	assert_int_equal(secret_length(secret), strlen(text));
	assert_memory_equal(secret_bytes(secret), text, strlen(text));
	config_unref(&config);
}

static void policy_watch__another_password__is_told(void **state)
{
	struct rig *rig = *state;

	watch(rig, WITH_SECRET("bind.secret"));
	replace(rig, "bind.secret", "s3cret", 0600); /* without the line end: the same secret */
	replace(rig, "bind.secret", "s4cret\n", 0600);
	wait_for_secret(rig, 1, "s4cret");
	assert_int_equal(chmod(in(rig, "bind.secret"), 0644), 0);
	wait_for_error(rig, 1, STATUS_REFUSED, "0644");
	assert_int_equal(count_of(rig, &rig->policies), 1);
}

static void policy_watch__other_certificates__are_told(void **state)
{
	struct rig *rig = *state;

	watch(rig, WITH_CHILD(BIND "<tls ca-file=\"ca.pem\" crl-file=\"ca.crl\"/>"));
	replace(rig, "ca.pem", "-----BEGIN CERTIFICATE-----\nother\n", 0644);
	wait_for(rig, &rig->policies, 1);
	replace(rig, "ca.crl", "-----BEGIN X509 CRL-----\nother\n", 0644);
	wait_for(rig, &rig->policies, 2);
	assert_int_equal(count_of(rig, &rig->policies), 2);
	assert_int_equal(count_of(rig, &rig->errors), 0);
}

static void policy_watch__a_new_policy_names_another_file__it_is_followed(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(mkdir(in(rig, "far"), 0700), 0);
	write_file(rig, "far/bind.secret", "one", 0600);
	watch(rig, WITH_SECRET("bind.secret"));
	replace_policy(rig, WITH_SECRET("far/bind.secret"));
	wait_for_secret(rig, 1, "one");
	replace(rig, "far/bind.secret", "two", 0600);
	wait_for_secret(rig, 2, "two");
	replace(rig, "bind.secret", "nobody's now", 0600);
	replace(rig, "far/bind.secret", "three", 0600);
	wait_for_secret(rig, 3, "three");
}

static void policy_watch__what_an_unusable_policy_lacks_comes__it_is_told(void **state)
{
	struct rig *rig = *state;

	watch(rig, WITH_SECRET("bind.secret"));
	replace_policy(rig, WITH_SECRET("far/bind.secret"));
	wait_for_error(rig, 1, STATUS_NOT_FOUND, "far/bind.secret");
	assert_int_equal(mkdir(in(rig, "far"), 0700), 0);
	write_file(rig, "far/bind.secret", "one", 0600);
	wait_for_secret(rig, 1, "one");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    RIGGED(policy_watch__written_in_place__is_told),
	    RIGGED(policy_watch__another_renamed_over__is_told),
	    RIGGED(policy_watch__a_link_is_swapped__is_told),
	    RIGGED(policy_watch__changed_before_it_began__is_told),
	    RIGGED(policy_watch__the_same_again__is_no_news),
	    RIGGED(policy_watch__quick_changes__the_last_one_is_told_last),
	    RIGGED(policy_watch__bad_then_good__both_are_told),
	    RIGGED(policy_watch__bad_for_long__is_told_once_for_each_reason),
	    RIGGED(policy_watch__permissions__are_told_and_their_repair_is_logged),
	    RIGGED(policy_watch__deleted_and_made_again__both_are_told),
	    RIGGED(policy_watch__another_password__is_told),
	    RIGGED(policy_watch__other_certificates__are_told),
	    RIGGED(policy_watch__a_new_policy_names_another_file__it_is_followed),
	    RIGGED(policy_watch__what_an_unusable_policy_lacks_comes__it_is_told),
	};

	return cmocka_run_group_tests_name("authorizer/policy_watch", tests, NULL, NULL);
}
