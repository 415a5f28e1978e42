/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsman_host PLUGIN STANDIN POLICY synchronous|asynchronous TEST [SENDER=CODE[/CODE]]...
 *
 * Loads the plug-in file as WinRM does and runs one test. Each SENDER is to be told CODE when it is
 * authorized, and the second CODE (the first, when there is none) for its operations and quota.
 */
#include <host/host.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SENDERS 16

static const struct {
	const char *name;
	void (*run)(const struct scenario *scenario);
} tests[] = {
    {"calls", test_calls},
    {"matrix", test_matrix},
    {"records", test_records},
    {"exports", test_exports},
    {"startup-fails", test_startup_fails},
    {"two-applications", test_two_applications},
    {"reload", test_reload},
    {"threads", test_threads},
    {"signals", test_signals},
    {"shutdown-running", test_shutdown_running},
    {"long", test_long},
};

static int usage(void)
{
	(void)fprintf(stderr, "usage: wsman_host PLUGIN STANDIN POLICY synchronous|asynchronous TEST "
			      "[SENDER=CODE[/CODE]]...\n");
	return 2;
}

static void read_expectation(char *word, struct expectation *expected)
{
	char *code = strrchr(word, '='), *end = NULL;

	expect(code != NULL);
	*code++ = '\0';
	expected->sender = word;
	expected->user_code = (DWORD)strtoul(code, &end, 0);
	expected->operation_code = *end == '/' ? (DWORD)strtoul(end + 1, &end, 0) : expected->user_code;
	expect(*end == '\0');
}

int main(int argc, char **argv)
{
	static struct expectation expected[MAX_SENDERS];
	struct scenario scenario = {.expected = expected};

	if (argc < 6 || argc - 6 > MAX_SENDERS)
		return usage();
	scenario.plugin_path = argv[1];
	scenario.standin_path = argv[2];
	scenario.policy = argv[3];
	scenario.is_asynchronous = strcmp(argv[4], "asynchronous") == 0;
	for (int i = 6; i < argc; i++)
		read_expectation(argv[i], &expected[scenario.expected_count++]);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		if (strcmp(tests[i].name, argv[5]) == 0) {
			tests[i].run(&scenario);
			return 0;
		}
	}
	return usage();
}
