/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <config/config.h>
#include <config/config_life.h>
#include <os/secret.h>

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

/* Each file is digested under what came before it. */
void config_note_content(struct config *config, const void *data, size_t length)
{
	const struct digest_key before = {config->content.high, config->content.low};

	config->content = digest_of(&before, data, length);
}
