/* SPDX-License-Identifier: Apache-2.0 */
#include <cli/host_listen.h>

static enum status refuse(struct error *error)
{
	error_set(error, STATUS_INVALID, "this wsmauthz was built without libmicrohttpd, and cannot listen");
	return error_hint(error, STATUS_INVALID,
			  "use --script, or a build that has it (Linux, with libmicrohttpd-dev installed)");
}

enum status host_listen_check(const struct host_listen_options *options, struct error *error)
{
	(void)options;
	return refuse(error);
}

enum status host_listen(struct host_front *front, const struct host_listen_options *options, struct error *error)
{
	(void)front;
	(void)options;
	return refuse(error);
}
