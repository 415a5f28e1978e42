/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WSMAUTHZ_PLUGIN_DEFAULT_H
#define WSMAUTHZ_PLUGIN_DEFAULT_H

/* The policy that is read when neither the host nor the registry names another (plugin_policy.h), as people are told of it. */
#define PLUGIN_DEFAULT_POLICY "%ProgramData%\\wsmauthz\\wsmauthz.xml"

#endif
