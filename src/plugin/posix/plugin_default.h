/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WSMAUTHZ_PLUGIN_DEFAULT_H
#define WSMAUTHZ_PLUGIN_DEFAULT_H

/* The policy that is read when nobody names another. */
#define PLUGIN_DEFAULT_POLICY "/etc/wsmauthz/wsmauthz.xml"

#endif
