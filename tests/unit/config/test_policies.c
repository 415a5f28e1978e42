/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <config/config.h>
#include <string.h>
#include <unit/config/policies.h>
#include <unit/config/policy_folder.h>

static int make_folder(void **state)
{
	static struct policy_folder folder;

	policy_folder_make(&folder);
	*state = &folder;
	return 0;
}

static int remove_folder(void **state)
{
	policy_folder_remove(*state);
	return 0;
}

static void check_refused(const struct policy_folder *folder, const struct policy_row *row)
{
	struct error error = {.status = STATUS_OK};
	const struct config *config = NULL;
	enum status status = config_parse(row->text, strlen(row->text), folder->policy, &config, &error);
	size_t path_length = strlen(folder->policy);

	if (status != row->status || strstr(error.what, row->what) == NULL)
		print_error("%s\nhint: %s\n", error.what, error.hint);
	assert_row(row->text, status == row->status);
	assert_row(row->text, config == NULL);
	assert_row(row->text, error.status == status);
	assert_row(row->text, strncmp(error.what, folder->policy, path_length) == 0 && error.what[path_length] == ':');
	assert_row(row->text, strstr(error.what + path_length + 1, row->what) != NULL);
	if (row->hint == NULL || strstr(error.hint, row->hint) == NULL)
		assert_row(row->text, row->hint == NULL && error.hint[0] == '\0');
}

static void check_table(const struct policy_folder *folder, const struct policy_table *table)
{
	for (size_t i = 0; i < table->count; i++)
		check_refused(folder, &table->rows[i]);
}

static void config_parse__good_policies__are_taken(void **state)
{
	const struct policy_folder *folder = *state;

	for (size_t i = 0; i < policies_good.count; i++) {
		const char *text = policies_good.rows[i].text;
		struct error error = {.status = STATUS_OK};
		const struct config *config = NULL;

		if (config_parse(text, strlen(text), folder->policy, &config, &error) != STATUS_OK)
			print_error("%s\n", error.what);
		assert_row(text, config != NULL);
		config_unref(&config);
		assert_null(config);
	}
}

static void config_parse__policies_bad_in_form__are_refused_with_line_and_hint(void **state)
{
	check_table(*state, &policies_bad_form);
}

static void config_parse__directories_that_make_no_sense__are_refused_with_line_and_hint(void **state)
{
	check_table(*state, &policies_bad_directory);
}

static void config_parse__rules_that_make_no_sense__are_refused_with_line_and_hint(void **state)
{
	check_table(*state, &policies_bad_rules);
}

static void config_parse__every_bad_policy_without_an_error__gives_the_same_status(void **state)
{
	const struct policy_table *tables[] = {&policies_bad_form, &policies_bad_directory, &policies_bad_rules};
	const struct policy_folder *folder = *state;

	for (size_t t = 0; t < COUNT_OF(tables); t++) {
		for (size_t i = 0; i < tables[t]->count; i++) {
			const struct policy_row *row = &tables[t]->rows[i];
			const struct config *config = NULL;

			assert_row(row->text, config_parse(row->text, strlen(row->text), folder->policy, &config,
							   NULL) == row->status);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(config_parse__good_policies__are_taken),
	    cmocka_unit_test(config_parse__policies_bad_in_form__are_refused_with_line_and_hint),
	    cmocka_unit_test(config_parse__directories_that_make_no_sense__are_refused_with_line_and_hint),
	    cmocka_unit_test(config_parse__rules_that_make_no_sense__are_refused_with_line_and_hint),
	    cmocka_unit_test(config_parse__every_bad_policy_without_an_error__gives_the_same_status),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
