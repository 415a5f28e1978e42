/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder of its own for each test, with the files that policies name:
 *
 *	bind.secret   "s3cret" and a line end, for its owner alone
 *	empty.secret  nothing
 *	open.secret   a secret that everybody may read
 *	ca.pem        what looks like a certificate in PEM form
 *	open.pem      the same, and its group may write it
 *	ca.crl        what looks like a revocation list in PEM form
 *	ca.der        four bytes that are no PEM
 */
#ifndef WSMAUTHZ_TESTS_UNIT_CONFIG_POLICY_FOLDER_H
#define WSMAUTHZ_TESTS_UNIT_CONFIG_POLICY_FOLDER_H

#include <stddef.h>

struct policy_folder {
	char path[64];
	char policy[96]; /* where a policy in it would be */
};

/** Make the folder and its files; ends the process when it cannot. */
void policy_folder_make(struct policy_folder *folder);

/** Write a file into it. `mode` as for chmod. */
void policy_folder_write(const struct policy_folder *folder, const char *name, const void *data, size_t length,
			 unsigned mode);

/** Remove it and the files in it. */
void policy_folder_remove(const struct policy_folder *folder);

#endif
