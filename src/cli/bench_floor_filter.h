/* SPDX-License-Identifier: Apache-2.0 */
/* The question that the engine asks for one user, as far as the floor repeats it. */
#ifndef WSMAUTHZ_CLI_BENCH_FLOOR_FILTER_H
#define WSMAUTHZ_CLI_BENCH_FLOOR_FILTER_H

#include <base/compiler.h>
#include <base/error.h>
#include <config/config.h>
#include <stddef.h>

/**
 * @param filter_out  owned by the caller (memory_free).
 * @return STATUS_OK; STATUS_INVALID (no name that would be looked up), STATUS_NO_MEMORY.
 */
NODISCARD enum status floor_filter(const struct config *config, const char *name, size_t length, char **filter_out,
				   struct error *error);

/**
 * The attributes that are asked for. A test compares them with what the engine asks for.
 * @param attributes_out  NULL-terminated, owned by the caller (memory_free); the names are borrowed from the configuration.
 * @return STATUS_OK, STATUS_NO_MEMORY.
 */
NODISCARD enum status floor_attributes(const struct config *config, const char ***attributes_out, struct error *error);

#endif
