/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server that answers anything, over a real connection: every search has an outcome, and what it found is whole. The first byte of
 * the input says whether the bind is answered well, and how the search asks; the rest is the answer, behind which the server hangs up.
 */
#include "fuzz.h"

#include <directory/dir_conn.h>
#include <os/clock.h>
#include <os/thread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MAX_ANSWER_BYTES 65536
/* Nothing waits for so long: the server hangs up. */
#define PATIENCE_MS 5000
/* Bits of the first byte. */
#define BIND_IS_GOOD 1
#define IS_PAGED     2
#define IS_EXTENDED  4

/*
 * libldap 2.5.13 leaks when it finds that the inside of an answer is no LDAP: try_read1msg() in result.c returns without
 * ldap_return_request() (4 KB), or without the texts that it has read so far. We close such a connection, and another one is made after
 * a rest, so a server that does this costs us some KB each time. What we might not free of good answers, the tests of the host under
 * AddressSanitizer tell. The stacks that name these two functions are told only by the slow unwinder.
 */
const char *__lsan_default_suppressions(void);
const char *__asan_default_options(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:ldap_send_server_request\nleak:ldap_result\n";
}

const char *__asan_default_options(void)
{
	return "fast_unwind_on_malloc=0";
}

int LLVMFuzzerInitialize(int *argc, char ***argv);

static const char bind_ok[] = "\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00";

static struct {
	struct mutex lock; /* guards: how, answer, length; held while a connection is served */
	uint8_t how;
	uint8_t answer[MAX_ANSWER_BYTES];
	size_t length;
	atomic_bool is_running;
	int listener;
	char folder[32], path[48], uri[80];
} server;

static void remove_socket(void)
{
	(void)unlink(server.path);
	(void)rmdir(server.folder);
}

static bool hear(int fd)
{
	char buffer[4096];

	return recv(fd, buffer, sizeof(buffer), 0) > 0;
}

static bool say(int fd, const void *bytes, size_t length)
{
	return send(fd, bytes, length, MSG_NOSIGNAL) == (ssize_t)length;
}

static void serve(int fd)
{
	if (!hear(fd))
		return;
	if ((server.how & BIND_IS_GOOD) != 0 && (!say(fd, bind_ok, sizeof(bind_ok) - 1) || !hear(fd)))
		return;
	(void)say(fd, server.answer, server.length);
}

static void run_server(void *context)
{
	int fd;

	(void)context;
	atomic_store(&server.is_running, true);
	while ((fd = accept(server.listener, NULL, NULL)) >= 0) {
		mutex_lock(&server.lock);
		serve(fd);
		mutex_unlock(&server.lock);
		(void)close(fd);
	}
}

/* The server ends with the process. libFuzzer calls this before the first input, since what is kept for ever is no leak of an input. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static struct thread thread;
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	(void)argc;
	(void)argv;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)snprintf(server.folder, sizeof(server.folder), "/tmp/fuzz-answers-XXXXXX");
	fuzz_check(mkdtemp(server.folder) != NULL);
	(void)snprintf(server.path, sizeof(server.path), "%s/s", server.folder);
	(void)snprintf(server.uri, sizeof(server.uri), "ldapi://%%2Ftmp%%2F%s%%2Fs", server.folder + strlen("/tmp/"));
	memcpy(address.sun_path, server.path, strlen(server.path));
	server.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	fuzz_check(server.listener >= 0 && atexit(remove_socket) == 0);
	fuzz_check(bind(server.listener, (const struct sockaddr *)&address, sizeof(address)) == 0);
	fuzz_check(listen(server.listener, 8) == 0);
	mutex_init(&server.lock);
	dir_conn_prepare_process();
	fuzz_check(thread_start(&thread, "server", run_server, NULL, NULL) == STATUS_OK);
	while (!atomic_load(&server.is_running))
		continue;
	return 0;
}

static void prepare_answer(const uint8_t *data, size_t size)
{
	mutex_lock(&server.lock);
	server.how = data[0];
	server.length = size - 1 < MAX_ANSWER_BYTES ? size - 1 : MAX_ANSWER_BYTES;
	memcpy(server.answer, data + 1, server.length);
	mutex_unlock(&server.lock);
}

static void check_entry(const struct dir_entry *entry)
{
	fuzz_check(entry->dn != NULL && strlen(entry->dn) < MAX_ANSWER_BYTES);
	for (size_t i = 0; i < entry->attribute_count; i++) {
		fuzz_check(entry->attributes[i].name != NULL);
		for (size_t v = 0; v < entry->attributes[i].value_count; v++)
			fuzz_check(entry->attributes[i].values[v].data[entry->attributes[i].values[v].length] == '\0');
	}
}

static void check_search(const struct dir_search *search)
{
	size_t count = 0;

	fuzz_check(search->outcome != DIR_OUTCOME_NONE);
	fuzz_check(search->server_text == NULL || strlen(search->server_text) <= DIR_SEARCH_MAX_BYTES);
	for (const struct dir_entry *entry = search->entries; entry != NULL; entry = entry->next) {
		check_entry(entry);
		count++;
	}
	fuzz_check(count == search->entry_count);
}

static void ask(struct dir_conn *conn, uint8_t how)
{
	static const char *const names[] = {"uid", "memberOf", "objectSid", NULL};
	struct dir_search search;
	struct dir_turn turn = {.search = &search, .deadline_ms = clock_monotonic_ms() + PATIENCE_MS};

	if (dir_search_init(&search, NULL) != STATUS_OK)
		return;
	search.base = "dc=corp,dc=example";
	search.scope = DIR_SCOPE_SUBTREE;
	search.filter = "(uid=alice)";
	search.attributes = names;
	search.page_size = (how & IS_PAGED) != 0 ? 100 : 0;
	search.flags = (how & IS_EXTENDED) != 0 ? DIR_SEARCH_EXTENDED_DN | DIR_SEARCH_LINK_TTL : 0;
	(void)!dir_conn_exchange(conn, &turn, 1, NULL);
	check_search(&search);
	dir_search_done(&search);
}

void fuzz_one(const uint8_t *data, size_t size)
{
	static const struct config_directory directory = {.bind = CONFIG_BIND_ANONYMOUS, .tls = CONFIG_TLS_NONE};
	const uint64_t begin_ms = clock_monotonic_ms();
	struct dir_conn *conn = NULL;

	if (size == 0)
		return;
	prepare_answer(data, size);
	if (dir_conn_open(&directory, server.uri, begin_ms + PATIENCE_MS, &conn, NULL) == STATUS_OK)
		ask(conn, data[0]);
	dir_conn_close(&conn);
	fuzz_check(clock_monotonic_ms() - begin_ms < PATIENCE_MS);
}
