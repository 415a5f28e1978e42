/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <os/clock.h>
#include <os/journal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A journal of the test's own. */
struct place {
	char folder[64];
	char path[96];
	int fd;
};

static int make_place(void **state)
{
	static struct place place;
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	(void)snprintf(place.folder, sizeof(place.folder), "/tmp/wsmauthz-test-journal-XXXXXX");
	if (mkdtemp(place.folder) == NULL)
		return -1;
	(void)snprintf(place.path, sizeof(place.path), "%s/socket", place.folder);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", place.folder);
	place.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	*state = &place;
	return bind(place.fd, (const struct sockaddr *)&address, sizeof(address));
}

static int remove_place(void **state)
{
	struct place *place = *state;

	(void)close(place->fd);
	(void)unlink(place->path);
	return rmdir(place->folder);
}

static void journal_send__an_entry__is_one_datagram(void **state)
{
	static const char entry[] = "MESSAGE=one\nWSMAUTHZ_VERDICT=deny\n";
	const struct place *place = *state;
	char got[128] = "";

	assert_true(journal_send(place->path, entry, strlen(entry)));
	assert_int_equal(recv(place->fd, got, sizeof(got) - 1, MSG_DONTWAIT), strlen(entry));
	assert_string_equal(got, entry);
}

static void journal_send__as_large_as_a_name_can_make_it__arrives(void **state)
{
	const struct place *place = *state;
	const size_t size = 100000;
	char *entry = malloc(size), *got = malloc(size);

	assert_true(entry != NULL && got != NULL);
	memset(entry, 'x', size);
	assert_true(journal_send(place->path, entry, size));
	assert_int_equal(recv(place->fd, got, size, MSG_DONTWAIT), size);
	free(entry);
	free(got);
}

static void journal_send__nobody_listens__fails(void **state)
{
	const struct place *place = *state;
	char nowhere[128], too_long[400];

	(void)snprintf(nowhere, sizeof(nowhere), "%s/none", place->folder);
	assert_false(journal_send(nowhere, "A=b\n", 4));
	memset(too_long, 'x', sizeof(too_long));
	too_long[sizeof(too_long) - 1] = '\0';
	assert_false(journal_send(too_long, "A=b\n", 4));
}

/* It does not read: its queue is full after some entries. */
static void journal_send__it_hangs__is_given_up(void **state)
{
	const struct place *place = *state;
	const uint64_t began_ms = clock_monotonic_ms();
	unsigned sent = 0;

	while (sent < 100000 && journal_send(place->path, "A=b\n", 4))
		sent++;
	assert_true(sent < 100000);
	assert_true(clock_monotonic_ms() - began_ms >= JOURNAL_PATIENCE_MS - 100);
}

#define PLACED(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    PLACED(journal_send__an_entry__is_one_datagram),
	    PLACED(journal_send__as_large_as_a_name_can_make_it__arrives),
	    PLACED(journal_send__nobody_listens__fails),
	    PLACED(journal_send__it_hangs__is_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
