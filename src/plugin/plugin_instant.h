/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The short way: a call whose answer is cached is completed here and now, on the host's thread, without a record, a lock or an
 * allocation. It is for the ordinary call alone: everything else takes the long way (plugin_call.h), which also finds the words
 * for it. Out of the ordinary are reserved flags, a client certificate, a missing token, texts that are missing, long or not UTF-16, a
 * plug-in that completes asynchronously (nothing may be completed inside the call then) or has an observer (who wants to see
 * more than the cache knows), and every answer but an authorize.
 */
#ifndef WSMAUTHZ_PLUGIN_PLUGIN_INSTANT_H
#define WSMAUTHZ_PLUGIN_PLUGIN_INSTANT_H

#include <plugin/plugin_context.h>
#include <stdbool.h>

/* Longer texts take the long way; in UTF-8 a unit is three bytes at most, and they stand on the host's stack. */
#define PLUGIN_INSTANT_NAME_UNITS      256
#define PLUGIN_INSTANT_MECHANISM_UNITS 32 /* "ClientCertificate" is the longest that we know */
#define PLUGIN_INSTANT_URL_UNITS       256

/**
 * The caller is inside the plug-in's gate.
 * @return true: the host was told; false: it was not, because the call is not ordinary, the cache has no answer, or Shutdown has begun.
 */
bool plugin_answer_at_once(struct plugin *plugin, enum wa_kind kind, WSMAN_SENDER_DETAILS *details, DWORD flags);

/** Whether a sender who was authenticated so may be named by a SID. */
bool plugin_may_name_sid(const char *mechanism);

#endif
