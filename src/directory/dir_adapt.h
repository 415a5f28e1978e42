/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy leaves to the kind of server. Pure. */
#ifndef WSMAUTHZ_DIRECTORY_DIR_ADAPT_H
#define WSMAUTHZ_DIRECTORY_DIR_ADAPT_H

#include <config/config.h>
#include <stdbool.h>

/**
 * The directory as it is to be asked: what the policy does not say is as the server has it.
 *
 * @param adapted_out  borrows all that `given` holds. Its user_filter is "" where each identity has a filter of its own.
 */
void dir_adapt(const struct config_directory *given, bool is_active_directory, struct config_directory *adapted_out);

#endif
