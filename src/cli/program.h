/* SPDX-License-Identifier: Apache-2.0 */
/* The whole program but main(). */
#ifndef WSMAUTHZ_CLI_PROGRAM_H
#define WSMAUTHZ_CLI_PROGRAM_H

/** @return the exit status: an enum exit_status. */
int program_run(int argc, char **argv);

#endif
