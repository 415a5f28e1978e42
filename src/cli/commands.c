/* SPDX-License-Identifier: Apache-2.0 */
#include <base/compiler.h>
#include <cli/command.h>
#include <plugin/plugin.h>

const struct command *const commands[] = {
    &command_check, &command_explain, &command_doctor, &command_report,
    &command_stats, &command_bench,   &command_host,   &command_completion,
};
const size_t command_count = COUNT_OF(commands);

const struct option common_options[] = {
    {"--config", "FILE", "The policy. Default: " PLUGIN_DEFAULT_POLICY "."},
    {"--json", NULL, "Print one JSON object a line."},
    {"--log-level", "LEVEL", "error, warning (default), info or debug; log lines go to standard error."},
    {"--help", NULL, "Say what the command does, and stop. -h does the same."},
};
const size_t common_option_count = COUNT_OF(common_options);
