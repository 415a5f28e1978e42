/* SPDX-License-Identifier: Apache-2.0 */
#include <base/json.h>
#include <cli/check_format.h>
#include <cli/shown.h>
#include <string.h>

#define VERDICT_COLUMNS 9
#define REASON_COLUMNS  14

static void pad(struct text *out, size_t used, size_t columns)
{
	for (; used < columns; used++)
		text_add_char(out, ' ');
	text_add(out, "  ");
}

static void add_word(struct text *out, const char *word, size_t columns, bool is_last)
{
	text_add(out, word);
	if (!is_last)
		pad(out, strlen(word), columns);
}

size_t check_format_columns(const char *name, size_t length)
{
	return shown_columns(name, length);
}

static void add_path(struct text *out, const struct wa_decision *decision)
{
	for (size_t i = 0; i < decision->path_count; i++) {
		text_add(out, i == 0 ? "via " : " -> ");
		shown_add(out, decision->path[i], shown_first_part(decision->path[i]));
	}
}

/* A plain name may have a slash, but one that nobody has was meant as DOMAIN\user: the length of that domain, or 0. */
static size_t slashed_domain(const struct check_sender *sender, const struct wa_decision *decision)
{
	const char *slash = memchr(sender->name, '/', sender->length);
	size_t length = slash != NULL ? (size_t)(slash - sender->name) : 0;

	if (decision->reason != WA_REASON_NO_SUCH_USER && decision->reason != WA_REASON_FOREIGN_DOMAIN)
		return 0;
	if (memchr(sender->name, '\\', sender->length) != NULL || memchr(sender->name, '@', sender->length) != NULL)
		return 0;
	return length + 1 < sender->length ? length : 0;
}

static void add_question(struct text *out, const struct check_sender *sender, size_t domain)
{
	text_add(out, "did you mean ");
	shown_add(out, sender->name, domain);
	text_add_char(out, '\\');
	shown_add(out, sender->name + domain + 1, sender->length - domain - 1);
	text_add_char(out, '?');
}

static bool has_remark(const struct wa_decision *decision)
{
	return decision->redirect_uri != NULL || decision->path_count > 0 || decision->detail != NULL ||
	       decision->rule != NULL;
}

/* The most telling thing that is known of the decision. */
static void add_remark(struct text *out, const struct wa_decision *decision)
{
	if (decision->redirect_uri != NULL) {
		text_add(out, "to ");
		shown_add(out, decision->redirect_uri, strlen(decision->redirect_uri));
	} else if (decision->path_count > 0) {
		add_path(out, decision);
	} else if (decision->detail != NULL) {
		shown_add(out, decision->detail, strlen(decision->detail));
	} else if (decision->rule != NULL) {
		text_add(out, "by ");
		shown_add(out, decision->rule, strlen(decision->rule));
	}
}

void check_format_text(struct text *out, const struct check_sender *sender, const struct wa_decision *decision,
		       size_t columns)
{
	size_t used = check_format_columns(sender->name, sender->length), domain = slashed_domain(sender, decision);

	shown_add(out, sender->name, sender->length);
	if (sender->is_cut)
		shown_add_code_point(out, SHOWN_REPLACEMENT);
	pad(out, used, columns);
	add_word(out, wa_verdict_word(decision->verdict), VERDICT_COLUMNS, false);
	add_word(out, wa_reason_word(decision->reason), REASON_COLUMNS, !has_remark(decision) && domain == 0);
	add_remark(out, decision);
	if (domain > 0 && has_remark(decision))
		text_add(out, "; ");
	if (domain > 0)
		add_question(out, sender, domain);
	text_add_char(out, '\n');
}

static void add_sender(struct text *out, const struct check_sender *sender)
{
	struct text shown;

	if (!sender->is_cut) {
		json_bytes(out, "sender", sender->name, sender->length);
		return;
	}
	text_init(&shown);
	text_add_bytes(&shown, sender->name, sender->length);
	shown_add_code_point(&shown, SHOWN_REPLACEMENT);
	json_bytes(out, "sender", text_string(&shown), shown.length);
	if (text_failed(&shown))
		out->failed = true;
	text_done(&shown);
}

void check_format_members(struct text *out, const struct check_sender *sender, const struct wa_decision *decision)
{
	add_sender(out, sender);
	json_text(out, "verdict", wa_verdict_word(decision->verdict));
	json_number(out, "code", decision->code);
	json_text(out, "redirect_uri", decision->redirect_uri);
	json_text(out, "rule", decision->rule);
	json_text(out, "reason", wa_reason_word(decision->reason));
	json_text(out, "dn", decision->dn);
	if (decision->path != NULL && decision->path_count > 0)
		json_text_array(out, "path", decision->path, decision->path_count);
	else
		json_null(out, "path");
	json_bool(out, "administrator", decision->administrator);
	json_number(out, "searches", decision->searches);
	json_bool(out, "cached", decision->cached);
	json_number(out, "elapsed_us", decision->elapsed_us);
}

void check_format_json(struct text *out, const struct check_sender *sender, const struct wa_decision *decision)
{
	json_begin(out);
	check_format_members(out, sender, decision);
	json_end(out);
	text_add_char(out, '\n');
}
