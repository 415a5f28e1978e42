/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <base/digest.h>
#include <base/memory.h>
#include <directory/dir_locate_srv.h>
#include <stdio.h>
#include <string.h>
#include <support/memory_failing.h>

/* A DNS answer under construction. */
struct message {
	uint8_t bytes[4096];
	size_t length;
};

static void add(struct message *message, const void *bytes, size_t length)
{
	assert_true(message->length + length <= sizeof(message->bytes));
	memcpy(message->bytes + message->length, bytes, length);
	message->length += length;
}

static void add_u16(struct message *message, unsigned value)
{
	const uint8_t bytes[] = {(uint8_t)(value >> 8), (uint8_t)value};

	add(message, bytes, sizeof(bytes));
}

static void add_name(struct message *message, const char *name)
{
	while (*name != '\0') {
		const uint8_t length = (uint8_t)strcspn(name, ".");

		add(message, &length, 1);
		add(message, name, length);
		name += length + (name[length] == '.');
	}
	add(message, "", 1);
}

/* The question is for "x", at offset 12. */
static void begin(struct message *message, unsigned answers)
{
	message->length = 0;
	add_u16(message, 1);
	add_u16(message, 0x8180);
	add_u16(message, 1);
	add_u16(message, answers);
	add_u16(message, 0);
	add_u16(message, 0);
	add_name(message, "x");
	add_u16(message, 33);
	add_u16(message, 1);
}

static void add_record(struct message *message, unsigned type, unsigned ttl_s, const struct message *data)
{
	add_u16(message, 0xC00C);
	add_u16(message, type);
	add_u16(message, 1);
	add_u16(message, ttl_s >> 16);
	add_u16(message, ttl_s);
	add_u16(message, (unsigned)data->length);
	add(message, data->bytes, data->length);
}

static void add_srv(struct message *message, unsigned priority, unsigned weight, unsigned port, const char *target,
		    unsigned ttl_s)
{
	struct message data = {.length = 0};

	add_u16(&data, priority);
	add_u16(&data, weight);
	add_u16(&data, port);
	add_name(&data, target);
	add_record(message, 33, ttl_s, &data);
}

static void parse__records__are_read(void **state)
{
	struct dir_srv_list list = {.count = 0};
	struct message message;
	struct message alias = {.length = 0};

	(void)state;
	add_name(&alias, "elsewhere");
	begin(&message, 4);
	add_record(&message, 5, 10, &alias); /* CNAME: passed over */
	add_srv(&message, 1, 2, 389, "dc1.corp.example", 600);
	add_srv(&message, 3, 4, 3268, "DC2.corp.example", 60);
	add_srv(&message, 0, 0, 389, "dc3.corp.example", 0x80000001U); /* RFC 2181: counts as 0 */

	assert_int_equal(dir_srv_parse(message.bytes, message.length, &list), STATUS_OK);

	assert_int_equal(list.count, 3);
	assert_string_equal(list.records[0].target, "dc1.corp.example");
	assert_int_equal(list.records[0].priority, 1);
	assert_int_equal(list.records[0].weight, 2);
	assert_int_equal(list.records[0].port, 389);
	assert_int_equal(list.records[0].ttl_s, 600);
	assert_string_equal(list.records[1].target, "DC2.corp.example");
	assert_int_equal(list.records[2].ttl_s, 0);
	assert_int_equal(dir_srv_ttl(&list), 0);
	dir_srv_list_done(&list);
}

static void parse__no_service_and_strange_targets__are_told_apart(void **state)
{
	struct dir_srv_list list = {.count = 0};
	struct message message;

	(void)state;
	begin(&message, 4);
	add_srv(&message, 0, 0, 0, "", 60);
	add_srv(&message, 0, 0, 389, "a b.example", 60);
	add_srv(&message, 0, 0, 0, "dc1.example", 60);
	add_srv(&message, 0, 0, 389, "dc1/x.example", 60);

	assert_int_equal(dir_srv_parse(message.bytes, message.length, &list), STATUS_OK);

	assert_true(list.is_denied);
	assert_int_equal(list.count, 0);
	assert_int_equal(list.strange, 3);
	dir_srv_list_done(&list);
}

/* Whatever byte the message is cut at, and whatever byte of it is another: no more is read than is there. */
static void parse__cut_or_changed__is_refused_or_read_within_its_bounds(void **state)
{
	struct message message;

	(void)state;
	begin(&message, 2);
	add_srv(&message, 1, 2, 389, "dc1.corp.example", 600);
	add_srv(&message, 1, 2, 389, "dc2.corp.example", 600);
	for (size_t length = 0; length < message.length; length++) {
		struct dir_srv_list list = {.count = 0};
		uint8_t *exact = length == 0 ? memory_new(1) : (uint8_t *)memory_copy_bytes(message.bytes, length);

		assert_int_equal(dir_srv_parse(exact, length, &list), STATUS_INVALID);
		memory_free(exact);
		dir_srv_list_done(&list);
	}
	for (size_t at = 0; at < message.length; at++) {
		for (unsigned value = 0; value < 256; value++) {
			struct dir_srv_list list = {.count = 0};
			const uint8_t before = message.bytes[at];

			message.bytes[at] = (uint8_t)value;
			(void)!dir_srv_parse(message.bytes, message.length, &list);
			assert_true(list.count <= 2);
			dir_srv_list_done(&list);
			message.bytes[at] = before;
		}
	}
}

static void parse__name_beyond_its_record__is_refused(void **state)
{
	struct dir_srv_list list = {.count = 0};
	struct message message;

	(void)state;
	begin(&message, 1);
	add_srv(&message, 1, 2, 389, "dc1", 600);
	/* The record's length says one byte less than the name has, which is there. */
	message.bytes[message.length - 12]--;

	assert_int_equal(dir_srv_parse(message.bytes, message.length, &list), STATUS_INVALID);
	dir_srv_list_done(&list);
}

static void parse__no_memory__says_so(void **state)
{
	struct dir_srv_list list = {.count = 0};
	struct message message;

	(void)state;
	begin(&message, 1);
	add_srv(&message, 1, 2, 389, "dc1", 600);
	memory_fail_at(1);
	assert_int_equal(dir_srv_parse(message.bytes, message.length, &list), STATUS_NO_MEMORY);
	memory_fail_at(0);
	dir_srv_list_done(&list);
}

/* The order */

static uint64_t draw(const void *key, const char *target, uint16_t port)
{
	return digest_of(key, target, strlen(target)).high ^ port;
}

static void put(struct dir_srv_list *list, unsigned priority, unsigned weight, unsigned port, const char *target)
{
	assert_true(ARRAY_RESERVE(&list->records, &list->capacity, list->count + 1));
	memset(&list->records[list->count], 0, sizeof(list->records[0]));
	list->records[list->count].priority = (uint16_t)priority;
	list->records[list->count].weight = (uint16_t)weight;
	list->records[list->count].port = (uint16_t)port;
	(void)snprintf(list->records[list->count].target, DIR_DNS_NAME_BYTES, "%s", target);
	list->count++;
}

static void sort__priorities__count_first(void **state)
{
	const struct digest_key key = {1, 2};
	const struct dir_srv_lots lots = {draw, &key};
	struct dir_srv_list list = {.count = 0};

	(void)state;
	put(&list, 65535, 65535, 389, "d");
	put(&list, 10, 0, 389, "c");
	put(&list, 0, 1, 389, "a");
	put(&list, 1, 65535, 389, "b");
	dir_srv_sort(&list, &lots);
	assert_string_equal(list.records[0].target, "a");
	assert_string_equal(list.records[1].target, "b");
	assert_string_equal(list.records[2].target, "c");
	assert_string_equal(list.records[3].target, "d");
	dir_srv_list_done(&list);
}

static void sort__the_same_server_twice__is_there_once_at_its_best(void **state)
{
	const struct digest_key key = {1, 2};
	const struct dir_srv_lots lots = {draw, &key};
	struct dir_srv_list list = {.count = 0};

	(void)state;
	put(&list, 5, 1, 389, "dc1");
	put(&list, 1, 1, 389, "dc2");
	put(&list, 0, 1, 389, "DC1");
	put(&list, 0, 1, 390, "dc1");
	dir_srv_sort(&list, &lots);
	assert_int_equal(list.count, 3);
	assert_string_equal(list.records[2].target, "dc2");
	assert_int_equal(list.records[0].port + list.records[1].port, 389 + 390);
	dir_srv_list_done(&list);
}

/* Over many processes, each with lots of its own: who is first has a share in proportion to its weight. */
static void sort__weights__give_shares(void **state)
{
	const unsigned rounds = 20000;
	unsigned first[4] = {0};

	(void)state;
	for (unsigned i = 0; i < rounds; i++) {
		const struct digest_key key = {i, 7};
		const struct dir_srv_lots lots = {draw, &key};
		struct dir_srv_list list = {.count = 0};

		put(&list, 0, 60, 389, "a");
		put(&list, 0, 30, 389, "b");
		put(&list, 0, 10, 389, "c");
		put(&list, 0, 0, 389, "d");
		dir_srv_sort(&list, &lots);
		first[list.records[0].target[0] - 'a']++;
		dir_srv_list_done(&list);
	}
	/* The deviation is at most 70: these are ten of them. */
	assert_in_range(first[0], rounds * 60 / 100 - 700, rounds * 60 / 100 + 700);
	assert_in_range(first[1], rounds * 30 / 100 - 700, rounds * 30 / 100 + 700);
	assert_in_range(first[2], rounds * 10 / 100 - 450, rounds * 10 / 100 + 450);
	assert_in_range(first[3], 0, 20);
}

static void sort__read_again_in_another_order__is_the_same(void **state)
{
	const struct digest_key key = {3, 4};
	const struct dir_srv_lots lots = {draw, &key};
	struct dir_srv_list a = {.count = 0};
	struct dir_srv_list b = {.count = 0};
	char name[8];

	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		(void)snprintf(name, sizeof(name), "dc%u", i);
		put(&a, 0, 100, 389, name);
		(void)snprintf(name, sizeof(name), "dc%u", 19 - i);
		put(&b, 0, 100, 389, name);
	}
	put(&b, 0, 100, 389, "new");
	dir_srv_sort(&a, &lots);
	dir_srv_sort(&b, &lots);
	for (size_t i = 0, j = 0; i < a.count; i++, j++) {
		if (strcmp(b.records[j].target, "new") == 0)
			j++;
		assert_string_equal(a.records[i].target, b.records[j].target);
	}
	dir_srv_list_done(&a);
	dir_srv_list_done(&b);
}

static void keep_within__others__are_left_out(void **state)
{
	static const char *const domains[] = {"corp.example", "hosts.example"};
	struct dir_srv_list list = {.count = 0};

	(void)state;
	put(&list, 0, 0, 389, "dc1.corp.example");
	put(&list, 0, 0, 389, "dc1.evil.example");
	put(&list, 0, 0, 389, "x.HOSTS.example");
	assert_int_equal(dir_srv_keep_within(&list, domains, 2), 1);
	assert_int_equal(list.count, 2);
	assert_string_equal(list.records[1].target, "x.HOSTS.example");
	dir_srv_list_done(&list);
}

static void name__kinds(void **state)
{
	char name[DIR_DNS_NAME_BYTES];
	char domain[DIR_DNS_NAME_BYTES];

	(void)state;
	assert_true(dir_srv_name(DIR_SRV_SITE, "HQ", "corp.example", name));
	assert_string_equal(name, "_ldap._tcp.HQ._sites.dc._msdcs.corp.example");
	assert_true(dir_srv_name(DIR_SRV_CONTROLLERS, NULL, "corp.example", name));
	assert_string_equal(name, "_ldap._tcp.dc._msdcs.corp.example");
	assert_true(dir_srv_name(DIR_SRV_PLAIN, NULL, "corp.example", name));
	assert_string_equal(name, "_ldap._tcp.corp.example");
	assert_true(dir_srv_name(DIR_SRV_TLS, NULL, "corp.example", name));
	assert_string_equal(name, "_ldaps._tcp.corp.example");
	memset(domain, 'a', sizeof(domain) - 1);
	domain[250] = '\0';
	assert_false(dir_srv_name(DIR_SRV_PLAIN, NULL, domain, name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(parse__records__are_read),
	    cmocka_unit_test(parse__no_service_and_strange_targets__are_told_apart),
	    cmocka_unit_test(parse__cut_or_changed__is_refused_or_read_within_its_bounds),
	    cmocka_unit_test(parse__name_beyond_its_record__is_refused),
	    cmocka_unit_test(parse__no_memory__says_so),
	    cmocka_unit_test(sort__priorities__count_first),
	    cmocka_unit_test(sort__the_same_server_twice__is_there_once_at_its_best),
	    cmocka_unit_test(sort__weights__give_shares),
	    cmocka_unit_test(sort__read_again_in_another_order__is_the_same),
	    cmocka_unit_test(keep_within__others__are_left_out),
	    cmocka_unit_test(name__kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
