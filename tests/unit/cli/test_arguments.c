/* SPDX-License-Identifier: Apache-2.0 */
#include <cli/arguments.h>
#include <string.h>
#include <support/assertions.h>
#include <support/memory_failing.h>

#define MAX_WORDS 12

/* Split a line at its blanks, as a shell would; "''" is an empty word. */
static int split(char *line, char *argv[MAX_WORDS])
{
	int argc = 0;

	for (char *word = strtok(line, " "); word != NULL && argc < MAX_WORDS; word = strtok(NULL, " ")) {
		if (strcmp(word, "''") == 0)
			word[0] = '\0';
		argv[argc++] = word;
	}
	return argc;
}

static enum status parse(const char *line, char copy[256], struct arguments *arguments, struct error *error)
{
	char *argv[MAX_WORDS] = {NULL};

	strncpy(copy, line, 255);
	copy[255] = '\0';
	return arguments_parse(split(copy, argv), argv, arguments, error);
}

static const char *or_dash(const char *text)
{
	return text != NULL ? text : "-";
}

static void arguments_parse__good_lines__are_taken_apart(void **state)
{
	static const struct {
		const char *line, *config, *url;
		bool json;
		size_t operands;
		const char *last;
	} rows[] = {
	    {"w check alice", "-", "-", false, 1, "alice"},
	    {"w check alice bob", "-", "-", false, 2, "bob"},
	    {"w --config F check alice", "F", "-", false, 1, "alice"},
	    {"w check --config F alice", "F", "-", false, 1, "alice"},
	    {"w check alice --config F", "F", "-", false, 1, "alice"},
	    {"w check --config=F alice", "F", "-", false, 1, "alice"},
	    {"w --config=a=b check alice", "a=b", "-", false, 1, "alice"},
	    {"w --json --url U check alice", "-", "U", true, 1, "alice"},
	    {"w check alice --json --json", "-", "-", true, 1, "alice"},
	    {"w check --url --json alice", "-", "--json", false, 1, "alice"},
	    {"w check -", "-", "-", false, 1, "-"},
	    {"w check -- --json", "-", "-", false, 1, "--json"},
	    {"w check -- --", "-", "-", false, 1, "--"},
	    {"w check ''", "-", "-", false, 1, ""},
	    {"w check check", "-", "-", false, 1, "check"},
	    {"w check --json", "-", "-", true, 0, "-"},
	    {"w --json -- check alice", "-", "-", true, 1, "alice"},
	    {"w -- check --json", "-", "-", false, 1, "--json"},
	    {"w -- check -- -h", "-", "-", false, 2, "-h"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arguments a;
		struct error error = {.what = ""};
		char copy[256];

		assert_row(rows[i].line, parse(rows[i].line, copy, &a, &error) == STATUS_OK);
		assert_row(rows[i].line, a.command == &command_check && !a.wants_help && !a.wants_version);
		assert_row(rows[i].line, strcmp(or_dash(arguments_value(&a, "--config")), rows[i].config) == 0);
		assert_row(rows[i].line, strcmp(or_dash(arguments_value(&a, "--url")), rows[i].url) == 0);
		assert_row(rows[i].line, arguments_has(&a, "--json") == rows[i].json);
		assert_row(rows[i].line, a.operand_count == rows[i].operands);
		assert_row(rows[i].line,
			   a.operand_count == 0 || strcmp(a.operands[a.operand_count - 1], rows[i].last) == 0);
		arguments_done(&a);
	}
}

static void arguments_parse__bad_lines__are_refused_with_words(void **state)
{
	static const struct {
		const char *line, *what;
		bool is_of_check; /* the hint leads to that command's help */
	} rows[] = {
	    {"w chekc alice", "unknown command 'chekc'", false},
	    {"w '' alice", "unknown command ''", false},
	    {"w - check", "unknown command '-'", false},
	    {"w -- --json check", "unknown command '--json'", false},
	    {"w --jsno check alice", "unknown option '--jsno'", false},
	    {"w check --jsno alice", "unknown option '--jsno'", true},
	    {"w check -j alice", "unknown option '-j'", true},
	    {"w check -help alice", "unknown option '-help'", true},
	    {"w check --js alice", "unknown option '--js'", true},
	    {"w check --jsonx alice", "unknown option '--jsonx'", true},
	    {"w check --=x alice", "unknown option '--=x'", true},
	    {"w check --json=yes alice", "option '--json' takes no value", true},
	    {"w check --json= alice", "option '--json' takes no value", true},
	    {"w check alice --config", "option '--config' needs a value: --config FILE", true},
	    {"w check alice --config=", "option '--config' needs a value: --config FILE", true},
	    {"w --config= check alice", "option '--config' needs a value: --config FILE", false},
	    {"w --config '' check alice", "option '--config' needs a value: --config FILE", false},
	    {"w check --mechanism= alice", "option '--mechanism' needs a value: --mechanism NAME", true},
	    {"w check --url '' alice", "option '--url' needs a value: --url URL", true},
	    {"w --config a check --config b alice", "option '--config' is given twice", true},
	    {"w --config a check --config=a alice", "option '--config' is given twice", true},
	    {"w check --version=1 x", "unknown option '--version=1'", true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arguments a = {.operand_count = 77};
		struct error error = {.what = ""};
		char copy[256];

		assert_row(rows[i].line, parse(rows[i].line, copy, &a, &error) == STATUS_INVALID);
		assert_row(rows[i].line, strcmp(error.what, rows[i].what) == 0);
		assert_row(rows[i].line, strcmp(error.hint, rows[i].is_of_check ? "see 'wsmauthz check --help'"
										: "see 'wsmauthz --help'") == 0);
		assert_row(rows[i].line, a.operand_count == 77);
	}
}

static void arguments_parse__help_and_version__need_no_command(void **state)
{
	struct arguments a;
	char copy[256], *none[] = {NULL};

	(void)state;
	assert_status(parse("w --help", copy, &a, NULL), STATUS_OK, NULL);
	assert_true(a.wants_help && !a.wants_version && a.command == NULL);
	arguments_done(&a);
	assert_status(parse("w --version", copy, &a, NULL), STATUS_OK, NULL);
	assert_true(!a.wants_help && a.wants_version && a.command == NULL);
	arguments_done(&a);
	assert_status(parse("w -h", copy, &a, NULL), STATUS_OK, NULL);
	assert_true(a.wants_help && a.command == NULL);
	arguments_done(&a);
	assert_status(parse("w check -h", copy, &a, NULL), STATUS_OK, NULL);
	assert_true(a.wants_help && a.command == &command_check);
	arguments_done(&a);
	assert_status(parse("w check --help", copy, &a, NULL), STATUS_OK, NULL);
	assert_true(a.wants_help && a.command == &command_check);
	arguments_done(&a);
	/* A program can be started without even its own name. */
	assert_status(arguments_parse(0, none, &a, NULL), STATUS_OK, NULL);
	assert_null(a.command);
	arguments_done(&a);
}

static void arguments_parse__the_nth_allocation_fails__leaves_nothing(void **state)
{
	size_t before = memory_live_count(), n = 1;
	enum status status = STATUS_NO_MEMORY;

	(void)state;
	for (; status != STATUS_OK && n < 10; n++) {
		struct arguments a = {.operand_count = 77};
		struct error error;
		char copy[256];

		memory_fail_at(n);
		status = parse("w check alice", copy, &a, &error);
		memory_fail_at(0);
		if (status == STATUS_OK)
			arguments_done(&a);
		else
			assert_int_equal(a.operand_count, 77);
		assert_int_equal(memory_live_count(), before);
	}
	assert_status(status, STATUS_OK, NULL);
	assert_int_equal(n, 4);
}

/* The tables drive the parser and the help: what they hold must be usable. */
static void commands__the_tables__are_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < command_count; i++) {
		assert_non_null(commands[i]->run);
		assert_true(commands[i]->summary[0] != '\0' && commands[i]->help[0] != '\0');
		for (size_t j = 0; j < commands[i]->option_count; j++) {
			assert_memory_equal(commands[i]->options[j].name, "--", 2);
			for (size_t k = 0; k < common_option_count; k++)
				assert_string_not_equal(commands[i]->options[j].name, common_options[k].name);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(arguments_parse__good_lines__are_taken_apart),
	    cmocka_unit_test(arguments_parse__bad_lines__are_refused_with_words),
	    cmocka_unit_test(arguments_parse__help_and_version__need_no_command),
	    cmocka_unit_test(arguments_parse__the_nth_allocation_fails__leaves_nothing),
	    cmocka_unit_test(commands__the_tables__are_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
