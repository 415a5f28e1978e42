/* SPDX-License-Identifier: Apache-2.0 */
#include <authorizer/audit_repeats.h>

#include <base/memory.h>
#include <base/utf.h>
#include <os/random.h>
#include <string.h>

struct audit_repeats {
	struct digest_key key;
	struct audit_repeat slots[AUDIT_REPEATS_SLOTS];
	struct audit_repeat told;
	size_t counted; /* slots with a count */
	size_t next;    /* that audit_repeats_next looks at */
};

struct audit_repeats *audit_repeats_new(void)
{
	struct audit_repeats *repeats = memory_new(sizeof(*repeats));

	/* Without random numbers somebody could choose names that take each other's place: counts would be written more often. */
	if (repeats != NULL && random_fill(&repeats->key, sizeof(repeats->key), NULL) != STATUS_OK)
		repeats->key = (struct digest_key){1, 2};
	return repeats;
}

void audit_repeats_free(struct audit_repeats **repeats)
{
	memory_free(*repeats);
	*repeats = NULL;
}

static struct digest add_text(const struct digest *so_far, const char *text)
{
	const struct digest_key key = {so_far->high, so_far->low};

	return digest_of(&key, text == NULL ? "" : text, text == NULL ? 0 : strlen(text));
}

static struct digest key_of(const struct audit_repeats *repeats, const struct wa_question *question,
			    const struct wa_decision *decision)
{
	const uint32_t words[] = {(uint32_t)question->kind, (uint32_t)decision->verdict, (uint32_t)decision->reason,
				  decision->administrator ? 1 : 0};
	struct digest digest = digest_of(&repeats->key, words, sizeof(words));
	const struct digest_key of_words = {digest.high, digest.low};

	digest = digest_of(&of_words, question->sender == NULL ? "" : question->sender,
			   question->sender == NULL ? 0 : question->sender_length);
	digest = add_text(&digest, question->mechanism);
	digest = add_text(&digest, question->token_sid);
	digest = add_text(&digest, decision->dn);
	digest = add_text(&digest, decision->rule);
	return add_text(&digest, decision->redirect_uri);
}

static void keep_sender(struct audit_repeat *slot, const struct wa_question *question)
{
	size_t length = question->sender == NULL ? 0 : question->sender_length;

	if (length >= sizeof(slot->sender))
		length = utf8_whole_length(question->sender, sizeof(slot->sender) - 1);
	if (length > 0)
		memcpy(slot->sender, question->sender, length);
	slot->sender[length] = '\0';
}

static void begin(struct audit_repeat *slot, const struct digest *key, const struct wa_question *question,
		  const struct wa_decision *decision, uint64_t now_ms)
{
	slot->key = *key;
	slot->since_ms = now_ms;
	slot->written = 1;
	slot->count = 0;
	slot->kind = question->kind;
	slot->verdict = decision->verdict;
	slot->reason = decision->reason;
	keep_sender(slot, question);
}

bool audit_repeats_take(struct audit_repeats *repeats, const struct wa_question *question,
			const struct wa_decision *decision, uint64_t now_ms, const struct audit_repeat **told_out)
{
	const struct digest key = key_of(repeats, question, decision);
	struct audit_repeat *slot = &repeats->slots[key.low % AUDIT_REPEATS_SLOTS];

	*told_out = NULL;
	if (slot->written > 0 && digest_compare(&slot->key, &key) == 0 && now_ms < slot->since_ms + AUDIT_REPEATS_MS) {
		if (slot->written < AUDIT_REPEATS_BURST) {
			slot->written++;
			return true;
		}
		if (slot->count++ == 0)
			repeats->counted++;
		return false;
	}
	if (slot->count > 0) {
		repeats->told = *slot;
		repeats->counted--;
		*told_out = &repeats->told;
	}
	begin(slot, &key, question, decision, now_ms);
	return true;
}

bool audit_repeats_has_counts(const struct audit_repeats *repeats)
{
	return repeats->counted > 0;
}

const struct audit_repeat *audit_repeats_next(struct audit_repeats *repeats)
{
	struct audit_repeat *slot;

	if (repeats->counted == 0)
		return NULL;
	while (repeats->slots[repeats->next].count == 0)
		repeats->next = (repeats->next + 1) % AUDIT_REPEATS_SLOTS;
	slot = &repeats->slots[repeats->next];
	repeats->told = *slot;
	repeats->counted--;
	/* Its burst begins anew: what is rare is written whole again. */
	slot->count = 0;
	slot->written = 0;
	return &repeats->told;
}
