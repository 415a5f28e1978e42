/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <wsmauthz/engine.h>

/* Opens an engine on a policy; ends with 0 when that is refused, as it must be when there is none. */
int main(int argc, char **argv)
{
	struct wa_engine *engine = NULL;
	struct wa_error error = {"", ""};

	if (argc != 2)
		return 2;
	if (wa_engine_open(argv[1], NULL, &engine, &error)) {
		wa_engine_close(&engine);
		return 1;
	}
	printf("%s: %s\n", wa_reason_word(WA_REASON_POLICY_UNUSABLE), error.what);
	return 0;
}
