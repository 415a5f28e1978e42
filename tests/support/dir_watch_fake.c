/* SPDX-License-Identifier: Apache-2.0 */
#include <support/dir_watch_fake.h>

#include <base/text.h>
#include <directory/dir_facts.h>
#include <directory/dir_psearch.h>
#include <os/clock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/executor_manual.h>
#include <support/fake_text.h>

/* Something to tell. */
struct word {
	enum dir_watch_kind kind;
	enum dir_change change;
	char *dn, *id, *mark, *server;
	uint64_t due_ms, proof;
	bool is_settled;        /* it is what it will be told as */
	struct dir_search look; /* a CHANGE that was settled: the entry */
	bool has_look;
	struct word *next;
};

struct dir_watch {
	const char *const *attributes;
	struct executor *executor;
	dir_watch_fn *heard;
	void *context;
	char *base;   /* NULL: not begun */
	bool is_open; /* changes are seen: it is UP, or about to be */
	bool is_unmarked;
	bool is_unsupported, is_stopped;
	struct word *words, **end;
	struct timer timer;
	struct dir_watch *next;
};

/* A watch has no place in its interface for what it looks at, so a test names it here. */
static struct {
	struct fake_directory *directory;
	struct dir_watch *watches;
	uint64_t delay_ms;
	bool is_offered, is_cut, is_frozen;
} fake;

static void word_free(struct word *word)
{
	if (word->has_look)
		dir_search_done(&word->look);
	free(word->dn);
	free(word->id);
	free(word->mark);
	free(word->server);
	free(word);
}

static void forget_words(struct dir_watch *watch)
{
	struct word *next;

	for (struct word *word = watch->words; word != NULL; word = next) {
		next = word->next;
		word_free(word);
	}
	watch->words = NULL;
	watch->end = &watch->words;
}

static void run(void *context);

/* On the executor. */
static void arm(void *context)
{
	struct dir_watch *watch = context;
	const struct word *word = watch->words;

	while (word != NULL && word->is_settled && fake.is_frozen)
		word = word->next;
	if (word == NULL)
		return;
	watch->timer.run = run;
	watch->timer.context = watch;
	if (executor_timer_set(watch->executor, &watch->timer, word->due_ms) == STATUS_OK)
		return;
	(void)fputs("dir_watch_fake: no memory for its timer\n", stderr);
	abort();
}

/* In their order, but for CURRENT: what is told sooner is told before. */
static struct word *add_word(struct dir_watch *watch, enum dir_watch_kind kind, uint64_t delay_ms)
{
	struct word *word = fake_new(1, sizeof(*word)), **place = &watch->words;

	word->kind = kind;
	word->due_ms = clock_monotonic_ms() + delay_ms;
	while (*place != NULL && ((*place)->kind != DIR_WATCH_CURRENT || (*place)->due_ms <= word->due_ms))
		place = &(*place)->next;
	word->next = *place;
	*place = word;
	if (word->next == NULL)
		watch->end = &word->next;
	executor_manual_call(watch->executor, arm, watch);
	return word;
}

/* A search as the account sees it; NULL: no memory. The caller's, in *look. */
static const struct dir_entry *look_up(const char *base, enum dir_scope scope, const char *filter,
				       const char *const *attributes, struct dir_search *look)
{
	static const struct fake_fault none = {.kind = FAKE_FAULT_NONE};

	look->base = base;
	look->scope = scope;
	look->filter = filter;
	look->attributes = attributes;
	fake_directory_answer(fake.directory, &none, look);
	return look->outcome == DIR_OUTCOME_OK ? look->entries : NULL;
}

/* contextCSN as the account sees it; NULL: it does not. Owned by the caller. */
static char *copy_mark(const struct dir_watch *watch)
{
	static const char *const attributes[] = {"contextCSN", NULL};
	const struct dir_entry *entry;
	const struct dir_value *value;
	struct dir_search look;
	char *mark = NULL;

	if (fake.directory == NULL || dir_search_init(&look, NULL) != STATUS_OK)
		return NULL;
	entry = look_up(watch->base, DIR_SCOPE_BASE, "(objectClass=*)", attributes, &look);
	value = entry != NULL ? dir_entry_single(entry, "contextCSN") : NULL;
	if (value != NULL)
		mark = fake_copy(value->data, value->length);
	dir_search_done(&look);
	return mark;
}

/* Who the server is, where it offers persistent searches; NULL: it does not, or it does not say. Owned by the caller. */
static char *copy_server(void)
{
	struct dir_facts facts = {.kind = DIR_KIND_GENERIC};
	const struct dir_entry *dse;
	struct dir_search look;
	struct text server;
	char *copy = NULL;

	if (fake.directory == NULL || dir_search_init(&look, NULL) != STATUS_OK)
		return NULL;
	text_init(&server);
	dse = look_up("", DIR_SCOPE_BASE, dir_facts_filter, dir_facts_attributes, &look);
	if (dse != NULL && dir_facts_take(dse, look.arena, &facts, NULL) == STATUS_OK &&
	    facts.offers_persistent_search && dir_psearch_server(dse, &server) == STATUS_OK)
		copy = fake_copy(text_string(&server), server.length);
	text_done(&server);
	dir_search_done(&look);
	return copy;
}

static void lose(struct dir_watch *watch)
{
	watch->is_open = false;
	forget_words(watch);
	(void)add_word(watch, DIR_WATCH_LOST, 0);
}

static void begin(struct dir_watch *watch)
{
	char *mark = fake.is_offered ? copy_mark(watch) : NULL;
	char *server = fake.is_offered && mark == NULL ? copy_server() : NULL;

	if (fake.is_cut) {
		(void)add_word(watch, DIR_WATCH_LOST, 0);
	} else if (mark != NULL) {
		watch->is_open = true;
		watch->is_unmarked = false;
		add_word(watch, DIR_WATCH_UP, fake.delay_ms)->mark = mark;
		mark = NULL;
	} else if (server != NULL) {
		watch->is_open = watch->is_unmarked = true;
		add_word(watch, DIR_WATCH_UP, DIR_WATCH_SETTLE_MS)->server = server;
		server = NULL;
	} else {
		(void)add_word(watch, DIR_WATCH_UNSUPPORTED, 0);
	}
	watch->is_unsupported = !fake.is_cut && !watch->is_open;
	free(mark);
	free(server);
}

/* See what the entry looks like now. False: no memory, as a true watch may have none. */
static bool settle(const struct dir_watch *watch, struct word *word)
{
	char *filter;

	word->is_settled = true;
	if (word->kind != DIR_WATCH_CHANGE || word->change == DIR_CHANGE_DELETE)
		return true;
	if (dir_search_init(&word->look, NULL) != STATUS_OK)
		return false;
	word->has_look = true;
	filter = fake_format("(entryUUID=%s)", word->id);
	if (look_up(watch->base, DIR_SCOPE_SUBTREE, filter, watch->attributes, &word->look) == NULL)
		word->kind = DIR_WATCH_MARK;
	free(filter);
	return word->look.outcome == DIR_OUTCOME_OK;
}

static void tell(struct dir_watch *watch, const struct word *word)
{
	const struct dir_entry gone = {.dn = word->dn};
	struct error error = {0};
	struct dir_watch_event event = {
	    .kind = word->kind,
	    .change = word->change,
	    .mark = word->mark,
	    .server = word->server,
	    .proof = word->proof,
	};

	if (word->kind == DIR_WATCH_CHANGE) {
		event.id = word->id;
		event.entry = word->change == DIR_CHANGE_DELETE ? &gone : word->look.entries;
	} else if (word->kind == DIR_WATCH_LOST) {
		(void)error_set(&error, STATUS_UNREACHABLE, "the fake watch was cut");
		event.error = &error;
	} else if (word->kind == DIR_WATCH_UNSUPPORTED) {
		(void)error_set(&error, STATUS_NOT_FOUND, "the fake directory offers no watch");
		event.error = &error;
	}
	watch->heard(watch->context, &event);
}

static struct word *take_word(struct dir_watch *watch)
{
	struct word *word = watch->words;

	if (word == NULL || !word->is_settled || (fake.is_frozen && word->kind != DIR_WATCH_LOST))
		return NULL;
	watch->words = word->next;
	if (watch->words == NULL)
		watch->end = &watch->words;
	return word;
}

/* On the executor: what is due is settled, and told unless the watch is frozen. */
static void run(void *context)
{
	struct dir_watch *watch = context;
	const uint64_t now_ms = clock_monotonic_ms();
	struct word *word;

	for (word = watch->words; word != NULL && word->due_ms <= now_ms; word = word->next) {
		if (word->is_settled || settle(watch, word))
			continue;
		lose(watch);
		begin(watch);
		return;
	}
	while (!watch->is_stopped && (word = take_word(watch)) != NULL) {
		tell(watch, word);
		word_free(word);
	}
	if (!watch->is_stopped)
		arm(watch);
}

static void see(void *context, enum fake_change change, const struct fake_entry *entry)
{
	static const enum dir_change changes[] = {
	    [FAKE_CHANGE_ADD] = DIR_CHANGE_ADD,
	    [FAKE_CHANGE_MODIFY] = DIR_CHANGE_MODIFY,
	    [FAKE_CHANGE_DELETE] = DIR_CHANGE_DELETE,
	};
	const struct fake_attribute *id = fake_entry_attribute(entry, "entryUUID");
	struct word *word;

	(void)context;
	for (struct dir_watch *watch = fake.watches; watch != NULL; watch = watch->next) {
		if (!watch->is_open)
			continue;
		word = add_word(watch, DIR_WATCH_CHANGE, fake.delay_ms);
		word->change = changes[change];
		word->dn = fake_copy(entry->dn, strlen(entry->dn));
		word->id = fake_copy(id->values[0].data, id->values[0].length);
		word->mark = copy_mark(watch);
	}
}

void dir_watch_fake_use(struct fake_directory *directory)
{
	memset(&fake, 0, sizeof(fake));
	fake.directory = directory;
	fake.delay_ms = DIR_WATCH_FAKE_DELAY_MS;
	if (directory != NULL)
		fake_directory_observe(directory, see, NULL);
}

void dir_watch_fake_enable(void)
{
	fake.is_offered = true;
	for (struct dir_watch *watch = fake.watches; watch != NULL; watch = watch->next)
		if (watch->is_unsupported)
			begin(watch);
}

void dir_watch_fake_set_delay(uint64_t delay_ms)
{
	fake.delay_ms = delay_ms;
}

void dir_watch_fake_cut(void)
{
	fake.is_cut = true;
	for (struct dir_watch *watch = fake.watches; watch != NULL; watch = watch->next)
		if (watch->is_open)
			lose(watch);
}

void dir_watch_fake_restore(void)
{
	if (!fake.is_cut)
		return;
	fake.is_cut = false;
	for (struct dir_watch *watch = fake.watches; watch != NULL; watch = watch->next)
		if (watch->base != NULL && !watch->is_unsupported)
			begin(watch);
}

void dir_watch_fake_freeze(void)
{
	fake.is_frozen = true;
}

void dir_watch_fake_thaw(void)
{
	fake.is_frozen = false;
	for (struct dir_watch *watch = fake.watches; watch != NULL; watch = watch->next)
		executor_manual_call(watch->executor, arm, watch);
}

size_t dir_watch_fake_count(void)
{
	size_t count = 0;

	for (const struct dir_watch *watch = fake.watches; watch != NULL; watch = watch->next)
		count++;
	return count;
}

enum status dir_watch_open(const struct config_directory *directory, const char *const *attributes,
			   struct executor *executor, const struct log *log, dir_watch_fn *heard, void *context,
			   struct dir_watch **watch_out, struct error *error)
{
	struct dir_watch *watch = fake_new(1, sizeof(*watch));

	(void)directory;
	(void)log;
	(void)error;
	watch->attributes = attributes;
	watch->executor = executor;
	watch->heard = heard;
	watch->context = context;
	watch->end = &watch->words;
	watch->next = fake.watches;
	fake.watches = watch;
	*watch_out = watch;
	return STATUS_OK;
}

void dir_watch_follow(struct dir_watch *watch, struct dir_locator *locator)
{
	(void)watch;
	(void)locator;
}

enum status dir_watch_begin(struct dir_watch *watch, const char *base)
{
	if (watch->base != NULL)
		return STATUS_OK;
	watch->base = fake_copy(base, strlen(base));
	begin(watch);
	return STATUS_OK;
}

/* It tells by itself, as slapd does. */
bool dir_watch_server_now(struct dir_watch *watch, char uri_out[DIR_POOL_SHOWN_BYTES])
{
	if (!watch->is_open)
		return false;
	(void)snprintf(uri_out, DIR_POOL_SHOWN_BYTES, "ldap://fake");
	return true;
}

void dir_watch_use(struct dir_watch *watch)
{
	(void)watch;
}

/* It has one directory, whatever the server. */
void dir_watch_hurry(struct dir_watch *watch)
{
	(void)watch;
}

void dir_watch_prefer(struct dir_watch *watch, const char *uri)
{
	(void)watch;
	(void)uri;
}

static void clear_timer(void *context)
{
	struct dir_watch *watch = context;

	executor_timer_clear(watch->executor, &watch->timer);
}

void dir_watch_prove(struct dir_watch *watch, uint64_t number)
{
	if (watch->is_open && watch->is_unmarked)
		add_word(watch, DIR_WATCH_CURRENT, DIR_WATCH_SETTLE_MS)->proof = number;
}

void dir_watch_stop(struct dir_watch *watch)
{
	struct dir_watch **link = &fake.watches;

	if (watch->is_stopped)
		return;
	watch->is_stopped = true;
	while (*link != watch)
		link = &(*link)->next;
	*link = watch->next;
	/* Timers belong to the executor's thread, which a test has only in this way. */
	executor_manual_call(watch->executor, clear_timer, watch);
}

void dir_watch_close(struct dir_watch **watch)
{
	struct dir_watch *old = *watch;

	*watch = NULL;
	if (old == NULL)
		return;
	dir_watch_stop(old);
	forget_words(old);
	free(old->base);
	free(old);
}
