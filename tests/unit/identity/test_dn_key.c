/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of DNs: equal exactly when the entries are. */
#include <support/assertions.h>

#include <base/memory.h>
#include <base/text.h>
#include <identity/dn.h>
#include <stdlib.h>
#include <string.h>
#include <support/memory_failing.h>
#include <unit/identity/mutate.h>

static void assert_key(const char *dn, const char *expected)
{
	struct text key;

	text_init(&key);
	text_add(&key, "left over");
	dn_own_key(dn, strlen(dn), &key);
	assert_string_equal(text_string(&key), expected);
	text_done(&key);
}

static void dn_own_key__table__is_the_key(void **state)
{
	static const struct {
		const char *dn, *key;
	} rows[] = {
	    {"UID=Alice,OU=People,DC=X", "uid=alice,ou=people,dc=x"},
	    {" cn = A   B  ,  dc=x ", "cn=a b,dc=x"},
	    {"cn=A+ SN = B , dc=x", "cn=a+sn=b,dc=x"},
	    /* escapes: verbatim, hex pairs in lower case */
	    {"cn=A\\,B,dc=x", "cn=a\\,b,dc=x"},
	    {"cn=A\\2CB,dc=x", "cn=a\\2cb,dc=x"},
	    {"cn=\\C3\\9Cber,dc=x", "cn=\\c3\\9cber,dc=x"},
	    {"cn=\\41,dc=x", "cn=\\41,dc=x"},
	    {"cn=\\ A\\  ,dc=x", "cn=\\ a\\ ,dc=x"},
	    {"cn=a\\ \\ b,dc=x", "cn=a\\ \\ b,dc=x"},
	    {"cn=a\\   b,dc=x", "cn=a\\  b,dc=x"},
	    {"cn=a\\\\  B,dc=x", "cn=a\\\\ b,dc=x"},
	    {"cn=a  \\20  b,dc=x", "cn=a \\20 b,dc=x"},
	    {"cn=\\23A#B,dc=x", "cn=\\23a#b,dc=x"},
	    {"cn=A\\?B,dc=x", "cn=a\\?b,dc=x"},
	    {"cn=#04024A4B,dc=x", "cn=#04024a4b,dc=x"},
	    {"cn=a=B,dc=x", "cn=a=b,dc=x"},
	    {"cn=,dc=x", "cn=,dc=x"},
	    /* bytes beyond ASCII: as the entry has them */
	    {"cn=M\xC3\x9CLLER,dc=x", "cn=m\xC3\x9Cller,dc=x"},
	    /* types that may tell case apart: values to the letter */
	    {"krbPrincipalName=Alice@X,dc=X", "krbprincipalname=Alice@X,dc=x"},
	    {"2.5.4.3=A  B,dc=x", "2.5.4.3=A  B,dc=x"},
	    {"automountKey= A  B\\2C ,dc=x", "automountkey=A  B\\2c,dc=x"},
	    /* no DNs: to the letter */
	    {"", ""},
	    {"cn=\"A , B\",DC=x", "cn=\"A , B\",DC=x"},
	    {"CN=a,", "CN=a,"},
	    {"Alice", "Alice"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(rows); i++)
		assert_key(rows[i].dn, rows[i].key);
}

static void dn_own_key__very_long_dn__is_whole(void **state)
{
	char dn[1001] = "cn=", key[1001] = "cn=";

	(void)state;
	memset(dn + 3, 'A', sizeof(dn) - 4);
	memset(key + 3, 'a', sizeof(key) - 4);
	assert_key(dn, key);
}

/* Pairs of different entries, one of them plain: a key in common would make one the other. */
static void dn_own_key__different_entries__different_keys(void **state)
{
	static const struct {
		const char *plain, *own;
	} rows[] = {
	    {"cn=a,ou=b,dc=x", "cn=a\\,ou\\=b,dc=x"},
	    {"cn=a,ou=b,dc=x", "cn=a\\,ou=b,dc=x"},
	    {"cn=a,ou=b,dc=x", "cn=a\\2cou=b,dc=x"},
	    {"cn=a,ou=b,dc=x", "cn=a\\2cou\\3db,dc=x"},
	    {"cn=a,ou=b,dc=x", "cn=a+ou=b,dc=x"},
	    {"cn=a,ou=b,dc=x", "cn=\"a,ou=b\",dc=x"},
	    {"cn=a,ou=b,dc=x", "ou=b,cn=a,dc=x"},
	    {"cn=a,dc=x", "cn=a\\ ,dc=x"},
	    {"cn=a,dc=x", "cn=\\ a,dc=x"},
	    {"cn=a,dc=x", "cn=a\\20,dc=x"},
	    {"cn=a b,dc=x", "cn=a\\ \\ b,dc=x"},
	    {"cn=a b,dc=x", "cn=ab,dc=x"},
	    {"cn=a,dc=x", "cn=a\xC2\xA0,dc=x"},
	    {"cn=a,dc=x", "cn=\xEF\xBD\x81,dc=x"},
	    {"cn=k,dc=x", "cn=\xE2\x84\xAA,dc=x"},
	    {"cn=a,dc=x", "uid=a,dc=x"},
	    {"cn=a,dc=x", "cn=a,dc=x,dc=y"},
	    {"cn=a,dc=x", "cn=a"},
	    {"cn=04,dc=x", "cn=#04,dc=x"},
	};
	struct text plain, own;
	size_t i;

	(void)state;
	text_init(&plain);
	text_init(&own);
	for (i = 0; i < COUNT_OF(rows); i++) {
		assert_row(rows[i].plain, dn_classify(rows[i].plain, strlen(rows[i].plain), &plain) == DN_PLAIN);
		dn_own_key(rows[i].own, strlen(rows[i].own), &own);
		assert_row(rows[i].own, strcmp(text_string(&plain), text_string(&own)) != 0);
	}
	text_done(&plain);
	text_done(&own);
}

/* Entries that a server keeps apart by case have two keys. */
static void dn_own_key__case_exact_type__entries_stay_apart(void **state)
{
	struct text a, b;

	(void)state;
	text_init(&a);
	text_init(&b);
	dn_own_key("krbPrincipalName=Alice@X,dc=x", 29, &a);
	dn_own_key("krbPrincipalName=alice@X,dc=x", 29, &b);
	assert_string_not_equal(text_string(&a), text_string(&b));
	text_done(&a);
	text_done(&b);
}

#define MODEL_DNS        700
#define MODEL_MAX_RDNS   3
#define MODEL_MAX_LETTER 3

/* A DN in some spelling, and what it means: the types, and the values without case and extra blanks. */
struct model {
	struct text spelling, meaning;
	bool plain;
};

static void add_blanks(struct mutator *mutator, struct text *text)
{
	size_t blanks = mutate_below(mutator, 4);

	for (; blanks > 2; blanks--)
		text_add_char(text, ' ');
}

/* A value of few letters, so that values meet; never a blank at an end, which would have to be escaped. */
static void add_model_value(struct mutator *mutator, struct model *model)
{
	static const char letters[] = "aAbB,=+#", plain_letters[] = "aAbB";
	const char *set = mutate_below(mutator, 2) == 0 ? letters : plain_letters;
	size_t count = mutate_below(mutator, MODEL_MAX_LETTER) + 1, i, blanks;
	struct text value;

	text_init(&value);
	for (i = 0; i < count; i++) {
		text_add_char(&value, set[mutate_below(mutator, strlen(set))]);
		text_add_char(&model->meaning, (char)(value.data[value.length - 1] | ' '));
		model->plain = model->plain && value.data[value.length - 1] >= 'A';
		blanks = i + 1 < count && mutate_below(mutator, 4) == 0 ? mutate_below(mutator, 2) + 1 : 0;
		text_add(&value, blanks == 2 ? "  " : blanks == 1 ? " " : "");
		text_add(&model->meaning, blanks > 0 ? "_" : "");
	}
	dn_add_value(&model->spelling, value.data, value.length);
	text_done(&value);
}

static void make_model(struct mutator *mutator, struct model *model)
{
	static const char *const types[] = {"cn", "CN", "Uid", "uid"};
	size_t count = mutate_below(mutator, MODEL_MAX_RDNS) + 1, type;

	text_init(&model->spelling);
	text_init(&model->meaning);
	model->plain = true;
	for (; count > 0; count--) {
		type = mutate_below(mutator, COUNT_OF(types));
		add_blanks(mutator, &model->spelling);
		text_add(&model->spelling, types[type]);
		add_blanks(mutator, &model->spelling);
		text_add_char(&model->spelling, '=');
		text_add(&model->meaning, type < 2 ? "\ncn\t" : "\nuid\t");
		add_blanks(mutator, &model->spelling);
		add_model_value(mutator, model);
		add_blanks(mutator, &model->spelling);
		if (count > 1 && mutate_below(mutator, 4) == 0) {
			text_add_char(&model->spelling, '+');
			text_add(&model->meaning, "\n+");
			model->plain = false;
		} else if (count > 1) {
			text_add_char(&model->spelling, ',');
		}
	}
}

static void check_pair(const struct model *a, const struct text *a_key, const struct model *b, const struct text *b_key,
		       size_t *equal)
{
	bool same_meaning = strcmp(text_string(&a->meaning), text_string(&b->meaning)) == 0;

	if (same_meaning != (strcmp(text_string(a_key), text_string(b_key)) == 0))
		fail_msg("'%s' and '%s'", text_string(&a->spelling), text_string(&b->spelling));
	*equal += same_meaning;
}

/*
 * Every pair of many random DNs: keys are equal exactly when the meanings are. Plain DNs are
 * recognised exactly, and have the key that the entry's own DN has.
 */
static void dn_own_key__random_structured_dns__equal_exactly_when_the_meaning_is(void **state)
{
	static struct model models[MODEL_DNS];
	static struct text keys[MODEL_DNS];
	struct mutator mutator = {.state = 42};
	struct text plain_key;
	size_t i, j, plain = 0, equal = 0;

	(void)state;
	text_init(&plain_key);
	for (i = 0; i < MODEL_DNS; i++) {
		make_model(&mutator, &models[i]);
		text_init(&keys[i]);
		dn_own_key(models[i].spelling.data, models[i].spelling.length, &keys[i]);
		assert_row(models[i].spelling.data,
			   dn_classify(models[i].spelling.data, models[i].spelling.length, &plain_key) ==
			       (models[i].plain ? DN_PLAIN : DN_FOREIGN));
		plain += models[i].plain;
		if (models[i].plain)
			assert_string_equal(text_string(&plain_key), text_string(&keys[i]));
		for (j = 0; j < i; j++)
			check_pair(&models[i], &keys[i], &models[j], &keys[j], &equal);
	}
	assert_in_range(plain, MODEL_DNS / 10, MODEL_DNS - MODEL_DNS / 10);
	assert_in_range(equal, MODEL_DNS / 10, (size_t)MODEL_DNS * MODEL_DNS / 4);
	for (i = 0; i < MODEL_DNS; i++) {
		text_done(&models[i].spelling);
		text_done(&models[i].meaning);
		text_done(&keys[i]);
	}
	text_done(&plain_key);
}

/* The key of a key is the key, whatever the text; a plain DN's key is its own key and plain again. */
static void dn_own_key__mutated_dns__key_is_stable(void **state)
{
	static const char *const seeds[] = {"uid=alice,ou=people,dc=x", "CN=Smith\\, J  K,OU=Users,DC=corp",
					    "cn=a\\2Cb+krbName=A  B\\20,dc=x", "cn = A  B , o = \\ c\\ ,c=DE",
					    "2.5.4.3=#04024A69,dc=X"};
	struct mutator mutator = {
	    .state = 9, .seeds = seeds, .seed_count = COUNT_OF(seeds), .pieces = ",+=\\\"#;<> 0aF\xC3\xBC"};
	size_t round, length, plain = 0;
	struct text key, again, plain_key;
	char *dn;

	(void)state;
	text_init(&key);
	text_init(&again);
	text_init(&plain_key);
	for (round = 0; round < MUTATE_ROUNDS; round++) {
		dn = mutate_bytes(&mutator, &length);
		dn_own_key(dn, length, &key);
		dn_own_key(text_string(&key), key.length, &again);
		assert_int_equal(key.length, again.length);
		assert_memory_equal(text_string(&key), text_string(&again), key.length);
		if (dn_classify(dn, length, &plain_key) == DN_PLAIN) {
			assert_string_equal(text_string(&plain_key), text_string(&key));
			assert_int_equal(dn_classify(text_string(&key), key.length, &again), DN_PLAIN);
			plain++;
		}
		memory_free(dn);
	}
	assert_in_range(plain, MUTATE_ROUNDS / 50, MUTATE_ROUNDS);
	text_done(&key);
	text_done(&again);
	text_done(&plain_key);
}

static void dn_keys__no_memory__text_has_failed(void **state)
{
	size_t before = memory_live_count();
	struct text key;

	(void)state;
	text_init(&key);
	memory_fail_from(1);
	dn_own_key("cn=a,dc=x", 9, &key);
	assert_true(text_failed(&key));
	assert_int_equal(dn_classify("cn=a,dc=x", 9, &key), DN_PLAIN);
	assert_true(text_failed(&key));
	dn_own_key("no dn", 5, &key);
	assert_true(text_failed(&key));
	memory_fail_from(0);
	dn_own_key("cn=a,dc=x", 9, &key);
	assert_false(text_failed(&key));
	text_done(&key);
	assert_int_equal(memory_live_count(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(dn_own_key__table__is_the_key),
	    cmocka_unit_test(dn_own_key__very_long_dn__is_whole),
	    cmocka_unit_test(dn_own_key__different_entries__different_keys),
	    cmocka_unit_test(dn_own_key__case_exact_type__entries_stay_apart),
	    cmocka_unit_test(dn_own_key__random_structured_dns__equal_exactly_when_the_meaning_is),
	    cmocka_unit_test(dn_own_key__mutated_dns__key_is_stable),
	    cmocka_unit_test(dn_keys__no_memory__text_has_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
