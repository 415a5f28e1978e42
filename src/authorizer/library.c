/* SPDX-License-Identifier: Apache-2.0 */
/* libwsmauthz.so is the archive of the engine and no more: a library of CMake's wants a source. */
#include <wsmauthz/engine.h>
