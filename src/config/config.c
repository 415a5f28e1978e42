/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <config/config.h>
#include <config/config_life.h>
#include <os/secret.h>
#include <string.h>

struct config *config_new(void)
{
	struct config_life *life = memory_new(sizeof(*life));

	if (life == NULL)
		return NULL;
	atomic_init(&life->references, 1);
	life->arena = arena_new(CONFIG_ARENA_BYTES);
	if (life->arena != NULL)
		life->config = arena_alloc(life->arena, sizeof(*life->config));
	if (life->config == NULL) {
		arena_free(&life->arena);
		memory_free(life);
		return NULL;
	}
	life->config->life = life;
	return life->config;
}

const struct config *config_ref(const struct config *config)
{
	atomic_fetch_add_explicit(&config->life->references, 1, memory_order_relaxed);
	return config;
}

void config_unref(const struct config **config)
{
	struct config_life *life;

	if (*config == NULL)
		return;
	life = (*config)->life;
	*config = NULL;
	/* Whoever frees must see what every other thread did with the policy before it let go. */
	if (atomic_fetch_sub_explicit(&life->references, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < life->config->directory_count; i++)
		secret_free(&life->config->directories[i].bind_secret);
	arena_free(&life->arena);
	memory_free(life);
}

static bool is_same_secret(const struct secret *a, const struct secret *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	/* Their bytes are compared, and go nowhere. */
	return secret_length(a) == secret_length(b) && memcmp(secret_bytes(a), secret_bytes(b), secret_length(a)) == 0;
}

bool config_is_same(const struct config *a, const struct config *b)
{
	if (digest_compare(&a->content, &b->content) != 0 || a->directory_count != b->directory_count)
		return false;
	for (size_t i = 0; i < a->directory_count; i++)
		if (!is_same_secret(a->directories[i].bind_secret, b->directories[i].bind_secret))
			return false;
	return true;
}

/* Each file is digested under what came before it. */
void config_note_content(struct config *config, const void *data, size_t length)
{
	const struct digest_key before = {config->content.high, config->content.low};

	config->content = digest_of(&before, data, length);
}
