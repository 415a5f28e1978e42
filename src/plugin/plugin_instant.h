/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The short way: a call whose answer is cached is completed here and now, on the host's thread, without a record, a lock or an
 * allocation. Everything out of the ordinary takes the long way (plugin_call.h), which also finds the words for it.
 */
#ifndef WSMAUTHZ_PLUGIN_PLUGIN_INSTANT_H
#define WSMAUTHZ_PLUGIN_PLUGIN_INSTANT_H

#include <plugin/plugin_context.h>
#include <stdbool.h>

/* Longer names take the long way. */
#define PLUGIN_INSTANT_NAME_UNITS 256

/** @return true: the host was told; false: nothing was done. */
bool plugin_answer_at_once(struct plugin *plugin, enum wa_kind kind, WSMAN_SENDER_DETAILS *details, DWORD flags);

/** Whether a sender who was authenticated so may be named by a SID. */
bool plugin_may_name_sid(const char *mechanism);

#endif
