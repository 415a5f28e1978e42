/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WSMAUTHZ_TESTS_SUPPORT_HOST_TOKEN_H
#define WSMAUTHZ_TESTS_SUPPORT_HOST_TOKEN_H

#include <wsmauthz/wsman.h>

/** A token as a host hands it over, always the same: on Windows that of this process. Nobody closes it. */
HANDLE host_token(void);

#endif
