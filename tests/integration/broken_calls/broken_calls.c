/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that fail when they are told to: a library for LD_PRELOAD, between the program with its libraries and the C library and libldap.
 *
 *	BROKEN_CALL=poll:3   the third call of poll fails, and no other
 *	BROKEN_CENSUS=FILE   how often each call was made is appended to the file at the end: "poll 17"
 *
 * Functions with a variable number of arguments cannot be passed on, so ber_printf and ber_scanf are left alone: what they fail for,
 * memory and what is no BER, is tested elsewhere.
 */
#include <dlfcn.h>
#include <errno.h>
#include <ldap.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

struct call {
	const char *name;
	atomic_ulong count;
	struct call *next;
	atomic_bool is_listed;
};

static struct call *_Atomic calls;

static void list(struct call *call)
{
	struct call *first;

	if (atomic_exchange(&call->is_listed, true))
		return;
	first = atomic_load(&calls);
	do
		call->next = first;
	while (!atomic_compare_exchange_weak(&calls, &first, call));
}

/* The number of the call that is to fail, when it is this one; 0: none. */
static unsigned long number_to_break(const char *name)
{
	const char *broken = getenv("BROKEN_CALL");
	const size_t length = strlen(name);

	return broken != NULL && strncmp(broken, name, length) == 0 && broken[length] == ':'
		   ? strtoul(broken + length + 1, NULL, 10)
		   : 0;
}

/* What libldap does when its own calls of itself fail is no matter of ours: for want of memory it ends the process by an assertion. */
static bool is_inside_libldap(const void *caller)
{
	Dl_info info;

	return dladdr(caller, &info) != 0 &&
	       (strstr(info.dli_fname, "libldap") != NULL || strstr(info.dli_fname, "liblber") != NULL);
}

static bool must_fail(struct call *call, const void *caller)
{
	if ((strncmp(call->name, "ldap_", 5) == 0 || strncmp(call->name, "ber_", 4) == 0) && is_inside_libldap(caller))
		return false;
	list(call);
	return atomic_fetch_add(&call->count, 1) + 1 == number_to_break(call->name);
}

__attribute__((destructor)) static void take_census(void)
{
	const char *path = getenv("BROKEN_CENSUS");
	FILE *file = path != NULL ? fopen(path, "a") : NULL;

	if (file == NULL)
		return;
	for (struct call *call = atomic_load(&calls); call != NULL; call = call->next)
		(void)fprintf(file, "%s %lu\n", call->name, atomic_load(&call->count));
	(void)fclose(file);
}

/* A function in place of another of its name; what it does when it is to fail is the last argument. */
#define CALL(type, name, parameters, arguments, ...)                                                                   \
	type name parameters;                                                                                          \
	type name parameters                                                                                           \
	{                                                                                                              \
		static struct call call = {#name, 0, NULL, false};                                                     \
		type(*real) parameters;                                                                                \
                                                                                                                       \
		*(void **)&real = dlsym(RTLD_NEXT, #name);                                                             \
		if (must_fail(&call, __builtin_return_address(0))) {                                                   \
			__VA_ARGS__;                                                                                   \
		}                                                                                                      \
		return real arguments;                                                                                 \
	}

#define FAILS_WITH(number)                                                                                             \
	errno = (number);                                                                                              \
	return -1

/* The C library. */
CALL(int, socket, (int domain, int type, int protocol), (domain, type, protocol), FAILS_WITH(EMFILE))
CALL(int, connect, (int fd, const struct sockaddr *address, socklen_t length), (fd, address, length),
     FAILS_WITH(ENETUNREACH))
CALL(int, socketpair, (int domain, int type, int protocol, int fds[2]), (domain, type, protocol, fds),
     FAILS_WITH(ENFILE))
CALL(int, setsockopt, (int fd, int level, int name, const void *value, socklen_t length),
     (fd, level, name, value, length), FAILS_WITH(ENOBUFS))
CALL(int, getsockopt, (int fd, int level, int name, void *value, socklen_t *length), (fd, level, name, value, length),
     FAILS_WITH(EBADF))
CALL(int, poll, (struct pollfd * fds, nfds_t count, int timeout), (fds, count, timeout), FAILS_WITH(ENOMEM))
CALL(int, __poll_chk, (struct pollfd * fds, nfds_t count, int timeout, size_t size), (fds, count, timeout, size),
     FAILS_WITH(ENOMEM))
CALL(ssize_t, recv, (int fd, void *bytes, size_t size, int flags), (fd, bytes, size, flags), FAILS_WITH(ECONNRESET))
CALL(ssize_t, send, (int fd, const void *bytes, size_t size, int flags), (fd, bytes, size, flags), FAILS_WITH(EPIPE))
CALL(ssize_t, read, (int fd, void *bytes, size_t size), (fd, bytes, size), FAILS_WITH(EIO))
CALL(ssize_t, write, (int fd, const void *bytes, size_t size), (fd, bytes, size), FAILS_WITH(ENOSPC))
CALL(ssize_t, writev, (int fd, const struct iovec *parts, int count), (fd, parts, count), FAILS_WITH(ENOSPC))
CALL(int, eventfd, (unsigned value, int flags), (value, flags), FAILS_WITH(EMFILE))
CALL(int, inotify_init1, (int flags), (flags), FAILS_WITH(EMFILE))
CALL(int, inotify_add_watch, (int fd, const char *path, uint32_t mask), (fd, path, mask), FAILS_WITH(ENOSPC))
CALL(int, fstat, (int fd, struct stat *out), (fd, out), FAILS_WITH(EIO))
CALL(int, stat, (const char *path, struct stat *out), (path, out), FAILS_WITH(EACCES))
CALL(int, lstat, (const char *path, struct stat *out), (path, out), FAILS_WITH(EACCES))
CALL(FILE *, fopen, (const char *path, const char *mode), (path, mode), errno = EMFILE; return NULL)
CALL(ssize_t, getrandom, (void *bytes, size_t size, unsigned flags), (bytes, size, flags), FAILS_WITH(ENOSYS))
CALL(int, mlock, (const void *start, size_t size), (start, size), FAILS_WITH(ENOMEM))
CALL(int, madvise, (void *start, size_t size, int advice), (start, size, advice), FAILS_WITH(EINVAL))
CALL(void *, mmap, (void *start, size_t size, int protection, int flags, int fd, off_t offset),
     (start, size, protection, flags, fd, offset), errno = ENOMEM;
     return MAP_FAILED)
CALL(int, getaddrinfo, (const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **out),
     (node, service, hints, out), return EAI_AGAIN)
CALL(int, pthread_create, (pthread_t * thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument),
     (thread, attributes, run, argument), return EAGAIN)

/* libldap and liblber. */
CALL(int, ldap_initialize, (LDAP * *out, const char *uri), (out, uri), return LDAP_NO_MEMORY)
CALL(int, ldap_init_fd, (ber_socket_t fd, int protocol, const char *uri, LDAP **out), (fd, protocol, uri, out),
     return LDAP_NO_MEMORY)
CALL(int, ldap_set_option, (LDAP * ld, int option, const void *value), (ld, option, value), return LDAP_OPT_ERROR)
CALL(int, ldap_get_option, (LDAP * ld, int option, void *value), (ld, option, value), return LDAP_OPT_ERROR)
CALL(int, ldap_install_tls, (LDAP * ld), (ld), return LDAP_CONNECT_ERROR)
CALL(int, ldap_start_tls, (LDAP * ld, LDAPControl **server, LDAPControl **client, int *id), (ld, server, client, id),
     return LDAP_SERVER_DOWN)
CALL(int, ldap_sasl_bind,
     (LDAP * ld, const char *dn, const char *mechanism, struct berval *credentials, LDAPControl **server,
      LDAPControl **client, int *id),
     (ld, dn, mechanism, credentials, server, client, id), return LDAP_SERVER_DOWN)
CALL(int, ldap_search_ext,
     (LDAP * ld, const char *base, int scope, const char *filter, char **attributes, int only_names,
      LDAPControl **server, LDAPControl **client, struct timeval *timeout, int limit, int *id),
     (ld, base, scope, filter, attributes, only_names, server, client, timeout, limit, id), return LDAP_NO_MEMORY)
CALL(int, ldap_abandon_ext, (LDAP * ld, int id, LDAPControl **server, LDAPControl **client), (ld, id, server, client),
     return LDAP_SERVER_DOWN)
CALL(int, ldap_result, (LDAP * ld, int id, int all, struct timeval *timeout, LDAPMessage **out),
     (ld, id, all, timeout, out), return -1)
CALL(int, ldap_parse_result,
     (LDAP * ld, LDAPMessage *message, int *code, char **matched, char **text, char ***referrals,
      LDAPControl ***controls, int frees),
     (ld, message, code, matched, text, referrals, controls, frees), return LDAP_DECODING_ERROR)
CALL(int, ldap_parse_intermediate,
     (LDAP * ld, LDAPMessage *message, char **oid, struct berval **data, LDAPControl ***controls, int frees),
     (ld, message, oid, data, controls, frees), return LDAP_DECODING_ERROR)
CALL(int, ldap_get_dn_ber, (LDAP * ld, LDAPMessage *entry, BerElement **ber, BerValue *dn), (ld, entry, ber, dn),
     return LDAP_DECODING_ERROR)
CALL(int, ldap_get_attribute_ber, (LDAP * ld, LDAPMessage *entry, BerElement *ber, BerValue *name, BerValue **values),
     (ld, entry, ber, name, values), return LDAP_DECODING_ERROR)
CALL(int, ldap_get_entry_controls, (LDAP * ld, LDAPMessage *entry, LDAPControl ***out), (ld, entry, out),
     return LDAP_DECODING_ERROR)
CALL(int, ldap_create_page_control, (LDAP * ld, ber_int_t size, struct berval *cookie, int critical, LDAPControl **out),
     (ld, size, cookie, critical, out), return LDAP_NO_MEMORY)
CALL(int, ldap_parse_pageresponse_control, (LDAP * ld, LDAPControl *control, ber_int_t *count, struct berval *cookie),
     (ld, control, count, cookie), return LDAP_DECODING_ERROR)
CALL(int, ldap_url_parse, (const char *url, LDAPURLDesc **out), (url, out), return 1)
CALL(BerElement *, ber_alloc_t, (int options), (options), return NULL)
CALL(BerElement *, ber_init, (struct berval * value), (value), return NULL)
CALL(int, ber_flatten2, (BerElement * ber, struct berval *out, int copy), (ber, out, copy), return -1)
CALL(int, ber_sockbuf_ctrl, (Sockbuf * sockbuf, int option, void *argument), (sockbuf, option, argument), return -1)
CALL(int, ber_sockbuf_add_io, (Sockbuf * sockbuf, Sockbuf_IO *io, int layer, void *argument),
     (sockbuf, io, layer, argument), return -1)
