/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <base/text.h>
#include <identity/dn.h>
#include <membership/closure_build.h>
#include <string.h>
#include <support/entry_builder.h>
#include <support/memory_failing.h>

static const struct digest_key key = {5, 6};

#define ROOT  "cn=root,dc=x"
#define CHILD "cn=child,dc=x"

static struct closure_builder *builder_with_root(uint64_t budget)
{
	struct closure_builder *builder = closure_builder_new(1, &key, budget);

	assert_non_null(builder);
	assert_int_equal(closure_builder_list_group(builder, ROOT, "id-root"), STATUS_OK);
	assert_int_equal(closure_builder_list_group(builder, CHILD, "id-child"), STATUS_OK);
	assert_int_equal(closure_builder_list_group(builder, "cn=elsewhere,dc=x", "id-elsewhere"), STATUS_OK);
	assert_int_equal(closure_builder_set_root(builder, 0, ROOT, "id-root"), STATUS_OK);
	return builder;
}

static enum status take(struct closure_builder *builder, uint32_t group, const char *attributes)
{
	struct arena *arena = arena_new(1 << 20);
	enum status status = closure_builder_take_group(builder, group, build_entry(arena, "cn=g", attributes));

	arena_free(&arena);
	return status;
}

static struct closure *finish(struct closure_builder **builder)
{
	struct closure *closure = NULL;

	assert_int_equal(closure_builder_finish(*builder, &closure), STATUS_OK);
	closure_builder_free(builder);
	return closure;
}

/* How many of the closure's groups hold the user with this own DN directly. */
static size_t holders(const struct closure *closure, const char *dn)
{
	struct text name;
	size_t count;

	text_init(&name);
	dn_own_key(dn, strlen(dn), &name);
	(void)member_index_find(closure_index(closure), closure_digest_dn(closure, text_string(&name), name.length),
				&count);
	text_done(&name);
	return count;
}

static size_t uid_holders(const struct closure *closure, const char *uid)
{
	size_t count;

	(void)member_index_find(closure_index(closure), closure_digest_uid(closure, uid, strlen(uid)), &count);
	return count;
}

static void closure_builder__nested_group__is_read_once_and_only_if_reached(void **state)
{
	struct closure_builder *builder = builder_with_root(1 << 20);
	uint32_t root = closure_builder_next_unread(builder), child;
	struct closure *closure;

	(void)state;
	assert_int_equal(closure_builder_next_unread(builder), CLOSURE_NONE);
	assert_string_equal(closure_builder_group_dn(builder, root), ROOT);
	assert_int_equal(take(builder, root, "objectClass=groupOfNames; member=CN=Child, DC=x; member=uid=alice,dc=x"),
			 STATUS_OK);
	child = closure_builder_next_unread(builder);
	assert_string_equal(closure_builder_group_dn(builder, child), CHILD);
	assert_int_equal(take(builder, child, "objectClass=groupOfNames; member=cn=root,dc=x; member=UID=Bob,DC=x"),
			 STATUS_OK);
	assert_int_equal(closure_builder_next_unread(builder), CLOSURE_NONE);
	closure = finish(&builder);
	assert_int_equal(closure_group_count(closure), 2);
	assert_int_equal(closure_distance(closure, 0, child), 1);
	assert_int_equal(holders(closure, "uid=alice,dc=x"), 1);
	assert_int_equal(holders(closure, "uid=bob,dc=x"), 1);
	assert_int_equal(holders(closure, "uid=carol,dc=x"), 0);
	closure_unref(&closure);
}

static void closure_builder__member_kinds__do_not_mix(void **state)
{
	struct closure_builder *builder = builder_with_root(1 << 20);
	uint32_t root = closure_builder_next_unread(builder);
	struct closure *closure;

	(void)state;
	assert_int_equal(take(builder, root,
			      "objectClass=groupOfUniqueNames; objectClass=posixGroup; uniqueMember=uid=alice,dc=x; "
			      "uniqueMember=uid=bob,dc=x#'0101'B; memberUid=Carol; memberUid=uid=dave,dc=x"),
			 STATUS_OK);
	closure = finish(&builder);
	assert_int_equal(closure_kinds(closure), CLOSURE_KIND_UNIQUE_MEMBER | CLOSURE_KIND_MEMBER_UID);
	assert_int_equal(holders(closure, "uid=alice,dc=x"), 1);
	assert_int_equal(holders(closure, "uid=bob,dc=x"), 0);
	assert_int_equal(holders(closure, "uid=dave,dc=x"), 0);
	assert_int_equal(uid_holders(closure, "Carol"), 1);
	assert_int_equal(uid_holders(closure, "carol"), 0);
	assert_int_equal(uid_holders(closure, "alice"), 0);
	closure_unref(&closure);
}

static void closure_builder__foreign_member__counts_for_the_entry_the_server_names(void **state)
{
	struct closure_builder *builder = builder_with_root(1 << 20);
	uint32_t root = closure_builder_next_unread(builder), child, foreign;
	struct closure *closure;
	const char *dn = NULL;

	(void)state;
	/* "jose" with a combining accent, twice in two spellings of the rest; a child under another type's name. */
	assert_int_equal(take(builder, root,
			      "objectClass=groupOfNames; member=cn=jose\xCC\x81,dc=x; member=commonName=child,dc=x; "
			      "member=cn=gone\\2C one,dc=x"),
			 STATUS_OK);
	assert_int_equal(closure_builder_next_unread(builder), CLOSURE_NONE);
	foreign = closure_builder_next_foreign(builder, &dn);
	assert_string_equal(dn, "cn=jose\xCC\x81,dc=x");
	assert_int_equal(closure_builder_resolve(builder, foreign, "cn=Jos\xC3\xA9,dc=x"), STATUS_OK);
	foreign = closure_builder_next_foreign(builder, &dn);
	assert_string_equal(dn, "commonName=child,dc=x");
	assert_int_equal(closure_builder_resolve(builder, foreign, CHILD), STATUS_OK);
	foreign = closure_builder_next_foreign(builder, &dn);
	assert_int_equal(closure_builder_resolve(builder, foreign, NULL), STATUS_OK);
	assert_int_equal(closure_builder_next_foreign(builder, &dn), CLOSURE_NONE);
	child = closure_builder_next_unread(builder);
	assert_string_equal(closure_builder_group_dn(builder, child), CHILD);
	/* A spelling that was resolved before is not asked about again. */
	assert_int_equal(take(builder, child, "objectClass=groupOfNames; member=cn=jose\xCC\x81,dc=x"), STATUS_OK);
	assert_int_equal(closure_builder_next_foreign(builder, &dn), CLOSURE_NONE);
	closure = finish(&builder);
	assert_int_equal(holders(closure, "cn=Jos\xC3\xA9,dc=x"), 2);
	assert_int_equal(holders(closure, "cn=jose\xCC\x81,dc=x"), 0);
	assert_int_equal(holders(closure, "cn=gone\\, one,dc=x"), 0);
	closure_unref(&closure);
}

static void closure_builder_finish__unresolved_member__is_refused(void **state)
{
	struct closure_builder *builder = builder_with_root(1 << 20);
	struct closure *closure = NULL;

	(void)state;
	assert_int_equal(take(builder, closure_builder_next_unread(builder),
			      "objectClass=groupOfNames; member=cn=jose\xCC\x81,dc=x"),
			 STATUS_OK);
	assert_int_equal(closure_builder_finish(builder, &closure), STATUS_INTERNAL);
	assert_null(closure);
	closure_builder_free(&builder);
}

static void closure_builder_take_group__hidden_members__are_refused(void **state)
{
	struct closure_builder *builder = builder_with_root(1 << 20);
	uint32_t root = closure_builder_next_unread(builder);

	(void)state;
	assert_int_equal(take(builder, root, "objectClass=groupOfNames; cn=root"), STATUS_OK);
	closure_builder_demand_members(builder);
	assert_int_equal(take(builder, root, "objectClass=groupOfNames; cn=root"), STATUS_REFUSED);
	assert_int_equal(take(builder, root, "objectClass=groupOfUniqueNames; cn=root"), STATUS_REFUSED);
	assert_int_equal(take(builder, root, "objectClass=posixGroup; cn=root"), STATUS_OK);
	closure_builder_free(&builder);
}

static void closure_builder__index_beyond_its_budget__goes_on_without(void **state)
{
	struct closure_builder *builder = builder_with_root(2 * sizeof(struct member_pair));
	uint32_t root = closure_builder_next_unread(builder), child;
	struct closure *closure;

	(void)state;
	assert_int_equal(take(builder, root,
			      "objectClass=groupOfNames; member=uid=a,dc=x; member=uid=b,dc=x; member=uid=c,dc=x; "
			      "member=cn=child,dc=x"),
			 STATUS_OK);
	child = closure_builder_next_unread(builder);
	assert_int_equal(take(builder, child, "objectClass=groupOfNames; member=uid=a,dc=x"), STATUS_OK);
	closure = finish(&builder);
	assert_null(closure_index(closure));
	assert_int_equal(closure_distance(closure, 0, child), 1);
	closure_unref(&closure);
}

static void closure_builder__values_that_are_no_dn_to_us__are_left_to_the_server(void **state)
{
	struct closure_builder *builder = builder_with_root(1 << 20);
	struct closure *closure;
	const char *dn = NULL;
	uint32_t foreign;

	(void)state;
	assert_int_equal(take(builder, closure_builder_next_unread(builder),
			      "objectClass=groupOfNames; member=nonsense; member=uid=a,dc=x; member="),
			 STATUS_OK);
	foreign = closure_builder_next_foreign(builder, &dn);
	assert_string_equal(dn, "nonsense");
	assert_int_equal(closure_builder_resolve(builder, foreign, NULL), STATUS_OK);
	assert_int_equal(closure_builder_next_foreign(builder, &dn), CLOSURE_NONE);
	assert_int_equal(closure_builder_invalid_count(builder), 0);
	closure = finish(&builder);
	assert_int_equal(member_index_count(closure_index(closure)), 1);
	closure_unref(&closure);
}

static void closure_builder__a_value_beyond_every_limit__is_counted(void **state)
{
	struct closure_builder *builder = builder_with_root(1 << 20);
	static char endless[DN_MAX_BYTES + 2];
	struct dir_value value = {endless, DN_MAX_BYTES + 1};
	struct dir_value class = {"groupOfNames", 12};
	struct dir_attribute attributes[] = {{"objectClass", &class, 1}, {"member", &value, 1}};
	struct dir_entry entry = {.dn = ROOT, .attributes = attributes, .attribute_count = 2};

	(void)state;
	memset(endless, 'x', DN_MAX_BYTES + 1);
	assert_int_equal(closure_builder_take_group(builder, closure_builder_next_unread(builder), &entry), STATUS_OK);
	assert_int_equal(closure_builder_invalid_count(builder), 1);
	closure_builder_free(&builder);
}

static enum status build_once(void)
{
	struct closure_builder *builder = closure_builder_new(1, &key, 1 << 20);
	struct closure *closure = NULL;
	struct dir_value members[] = {{"uid=a,dc=x", 10}, {"cn=jose\xCC\x81,dc=x", 14}};
	struct dir_value class = {"groupOfNames", 12};
	struct dir_attribute attributes[] = {{"objectClass", &class, 1}, {"member", members, 2}};
	struct dir_entry entry = {.dn = ROOT, .attributes = attributes, .attribute_count = 2};
	enum status status = builder == NULL ? STATUS_NO_MEMORY : STATUS_OK;
	const char *dn;

	if (status == STATUS_OK)
		status = closure_builder_list_group(builder, ROOT, "id");
	if (status == STATUS_OK)
		status = closure_builder_set_root(builder, 0, ROOT, "id");
	if (status == STATUS_OK)
		status = closure_builder_take_group(builder, closure_builder_next_unread(builder), &entry);
	if (status == STATUS_OK)
		status = closure_builder_resolve(builder, closure_builder_next_foreign(builder, &dn), "cn=b,dc=x");
	if (status == STATUS_OK)
		status = closure_builder_finish(builder, &closure);
	closure_builder_free(&builder);
	closure_unref(&closure);
	return status;
}

static void closure_builder__no_memory__says_so_and_leaks_nothing(void **state)
{
	size_t before = memory_live_count();

	(void)state;
	for (size_t n = 1;; n++) {
		enum status status;

		memory_fail_at(n);
		status = build_once();
		assert_int_equal(memory_live_count(), before);
		if (memory_fail_count() < n) {
			assert_int_equal(status, STATUS_OK);
			break;
		}
		assert_int_equal(status, STATUS_NO_MEMORY);
	}
	memory_fail_at(0);
}

/* What changed while the groups were read, and whether that makes a difference. The root holds CHILD. */
static void closure_builder_concerns__changes__those_that_can_matter(void **state)
{
	static const struct {
		const char *dn, *attributes;
		bool expected;
	} rows[] = {
	    {"uid=alice,dc=x", "objectClass=inetOrgPerson", false},
	    {"uid=alice,dc=x", "objectClass=PERSON", false},
	    {"uid=alice,dc=x", "objectClass=person; hasSubordinates=TRUE", true},
	    {"cn=printer,dc=x", "objectClass=device", true},
	    {"cn=printer,dc=x", "objectClass=device; hasSubordinates=FALSE", false},
	    {"ou=groups,dc=x", "objectClass=organizationalUnit; hasSubordinates=TRUE", true},
	    {"ou=groups,dc=x", "objectClass=organizationalUnit", true},
	    {"cn=hidden,dc=x", "cn=hidden", true},
	    {ROOT, "objectClass=groupOfNames; entryUUID=id-root", true},
	    {CHILD, "objectClass=groupOfNames; entryUUID=id-child; hasSubordinates=FALSE", true},
	    {"cn=elsewhere,dc=x", "objectClass=groupOfNames; entryUUID=id-elsewhere", false},
	    {"CN=Elsewhere,dc=x", "objectClass=groupOfNames; nsUniqueId=id-elsewhere", false},
	    {"cn=elsewhere,dc=x", "objectClass=groupOfNames; entryUUID=id-remade", true},
	    {"cn=elsewhere,dc=x", "objectClass=groupOfNames", true},
	    {"cn=new,dc=x", "objectClass=groupOfNames; entryUUID=id-elsewhere", true},
	    {"uid=alice,dc=x", "objectClass=inetOrgPerson; objectClass=posixGroup; entryUUID=id-alice", true},
	};
	struct closure_builder *builder = builder_with_root(1 << 20);

	(void)state;
	assert_int_equal(take(builder, closure_builder_next_unread(builder), "objectClass=groupOfNames; member=" CHILD),
			 STATUS_OK);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arena *arena = arena_new(65536);

		assert_row(rows[i].attributes,
			   closure_builder_concerns(builder, build_entry(arena, rows[i].dn, rows[i].attributes)) ==
			       rows[i].expected);
		arena_free(&arena);
	}
	closure_builder_free(&builder);
}

/* Sealing may be tried again when memory ran out in the middle, and then everything is there. */
static void closure_builder_seal__no_memory__can_be_tried_again(void **state)
{
	(void)state;
	for (size_t n = 1;; n++) {
		size_t before = memory_live_count(), count;
		struct closure_builder *builder = builder_with_root(1 << 20);
		struct closure *closure;
		enum status status;

		assert_int_equal(take(builder, closure_builder_next_unread(builder), "member=uid=alice,dc=x"),
				 STATUS_OK);
		memory_fail_at(n);
		status = closure_builder_seal(builder);
		count = memory_fail_count();
		memory_fail_at(0);
		assert_int_equal(status, count < n ? STATUS_OK : STATUS_NO_MEMORY);
		assert_int_equal(closure_builder_seal(builder), STATUS_OK);
		closure = finish(&builder);
		assert_int_equal(holders(closure, "uid=alice,dc=x"), 1);
		assert_int_equal(closure_distance(closure, 0, closure_root_group(closure, 0)), 0);
		closure_unref(&closure);
		assert_int_equal(memory_live_count(), before);
		if (count < n)
			break;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(closure_builder__nested_group__is_read_once_and_only_if_reached),
	    cmocka_unit_test(closure_builder__member_kinds__do_not_mix),
	    cmocka_unit_test(closure_builder__foreign_member__counts_for_the_entry_the_server_names),
	    cmocka_unit_test(closure_builder_finish__unresolved_member__is_refused),
	    cmocka_unit_test(closure_builder_take_group__hidden_members__are_refused),
	    cmocka_unit_test(closure_builder__index_beyond_its_budget__goes_on_without),
	    cmocka_unit_test(closure_builder__values_that_are_no_dn_to_us__are_left_to_the_server),
	    cmocka_unit_test(closure_builder__a_value_beyond_every_limit__is_counted),
	    cmocka_unit_test(closure_builder_concerns__changes__those_that_can_matter),
	    cmocka_unit_test(closure_builder_seal__no_memory__can_be_tried_again),
	    cmocka_unit_test(closure_builder__no_memory__says_so_and_leaks_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
