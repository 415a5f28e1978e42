/* SPDX-License-Identifier: Apache-2.0 */
#include <cli/probe.h>

bool probe_is_built_in(void)
{
	return false;
}

enum status probe_identify(const char *uri, const char *ca_file, uint32_t timeout_ms, struct probe_answer *answer_out,
			   struct error *error)
{
	(void)ca_file;
	(void)timeout_ms;
	(void)answer_out;
	return error_set(error, STATUS_UNREACHABLE, "'%s' was not asked: this program was built without libcurl", uri);
}
