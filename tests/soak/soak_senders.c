/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <host/host.h>
#include <soak/soak_senders.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of a hundred requests: nobody, newcomers, actors, people, and the rest specials. */
#define NOBODY_BELOW   30
#define NEWCOMER_BELOW 36
#define ACTOR_BELOW    76
#define PERSON_BELOW   98

static const WCHAR *names;
static size_t names_bytes;
static uint32_t actor_count, people_count, special_count;
static _Atomic uint32_t nobodies, newcomers;

void soak_senders_open(const char *path, uint32_t actors, uint32_t people)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;
	void *mapped;

	expect(file >= 0 && fstat(file, &status) == 0);
	names_bytes = (size_t)status.st_size;
	expect(names_bytes % (SENDER_UNITS * sizeof(WCHAR)) == 0);
	expect(names_bytes / (SENDER_UNITS * sizeof(WCHAR)) > actors + people && actors > 0 && people > 0);
	mapped = mmap(NULL, names_bytes, PROT_READ, MAP_PRIVATE, file, 0);
	expect(mapped != MAP_FAILED);
	(void)close(file);
	names = mapped;
	actor_count = actors;
	people_count = people;
	special_count = (uint32_t)(names_bytes / (SENDER_UNITS * sizeof(WCHAR))) - actors - people;
}

void soak_senders_close(void)
{
	expect(munmap((void *)(uintptr_t)names, names_bytes) == 0);
}

uint64_t soak_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state >> 11;
}

uint32_t soak_senders_pick(uint64_t *state)
{
	uint64_t share = soak_random(state) % 100, any = soak_random(state);
	uint32_t newcomer;

	if (share < NOBODY_BELOW)
		return SENDER_NOBODY + atomic_fetch_add(&nobodies, 1);
	if (share < NEWCOMER_BELOW) {
		newcomer = atomic_fetch_add(&newcomers, 1);
		return actor_count + (newcomer < people_count ? newcomer : (uint32_t)(any % people_count));
	}
	if (share < ACTOR_BELOW)
		return (uint32_t)(any % actor_count);
	if (share < PERSON_BELOW)
		return actor_count + (uint32_t)(any % people_count);
	return actor_count + people_count + (uint32_t)(any % special_count);
}

void soak_senders_name(uint32_t sender, WCHAR name_out[SENDER_UNITS])
{
	char text[SENDER_UNITS];

	if (sender < SENDER_NOBODY) {
		memcpy(name_out, names + (size_t)sender * SENDER_UNITS, SENDER_UNITS * sizeof(WCHAR));
		return;
	}
	(void)snprintf(text, sizeof(text), "CORP\\nobody%u", (unsigned)(sender - SENDER_NOBODY));
	for (size_t i = 0; i < SENDER_UNITS; i++) {
		name_out[i] = (WCHAR)(unsigned char)text[i];
		if (text[i] == '\0')
			break;
	}
}
