/* SPDX-License-Identifier: Apache-2.0 */
/* The fake directory's inside, shared by its two files: the tree (fake_directory.c) and answers (fake_answer.c). */
#ifndef TESTS_SUPPORT_FAKE_DIRECTORY_PRIVATE_H
#define TESTS_SUPPORT_FAKE_DIRECTORY_PRIVATE_H

#include <support/fake_directory.h>

struct fake_directory {
	struct fake_entry *entries; /* the first is the suffix */
	size_t count, capacity;
	struct fake_entry root; /* the root DSE */
	unsigned long long changes, uuids;
	bool is_controller;
	struct fake_fault *faults;
	size_t fault_count, fault_capacity;
	void (*seen)(void *context, enum fake_change change, const struct fake_entry *entry);
	void *seen_context;
};

#endif
