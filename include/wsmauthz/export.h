/* SPDX-License-Identifier: Apache-2.0 */
/* How a symbol becomes visible outside. One of the three headers that may ask for the platform. */
#ifndef WSMAUTHZ_EXPORT_H
#define WSMAUTHZ_EXPORT_H

#ifdef _WIN32
#define WSMAUTHZ_EXPORT /* wsmauthz.def names the exports */
#else
#define WSMAUTHZ_EXPORT __attribute__((visibility("default")))
#endif

#endif
