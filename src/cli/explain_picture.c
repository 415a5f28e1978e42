/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <base/utf.h>
#include <cli/explain_picture.h>
#include <cli/shown.h>
#include <string.h>

/* A later one of the kinds is what the node is seen as. */
static void mark(struct explain_picture *picture, uint32_t group, enum explain_node_kind kind, bool decided)
{
	struct explain_node *node;

	if (group >= picture->explanation->group_count)
		return;
	node = &picture->nodes[group + 1];
	if (kind > node->kind)
		node->kind = kind;
	node->decided = node->decided || decided;
}

static void mark_all(struct explain_picture *picture)
{
	const struct wa_explanation *explanation = picture->explanation;

	for (size_t i = 0; i < explanation->group_count; i++)
		picture->nodes[i + 1].kind = EXPLAIN_NODE_GROUP;
	for (size_t i = 0; i < explanation->redirect.site_count; i++)
		mark(picture, explanation->redirect.sites[i].group, EXPLAIN_NODE_SITE,
		     explanation->redirect.sites[i].is_his);
	for (size_t i = 0; i < explanation->rule_count; i++)
		mark(picture, explanation->rules[i].group,
		     explanation->rules[i].is_deny ? EXPLAIN_NODE_DENY : EXPLAIN_NODE_ALLOW,
		     explanation->rules[i].part == WA_PART_DECIDED);
}

/* The user's own groups, then groups in groups. */
static void add_edges(struct explain_picture *picture)
{
	const struct wa_explanation *explanation = picture->explanation;

	for (uint32_t i = 0; i < explanation->group_count; i++)
		if (explanation->groups[i].is_direct)
			picture->edges[picture->edge_count++] = (struct layered_edge){0, i + 1};
	for (size_t i = 0; i < explanation->edge_count; i++)
		picture->edges[picture->edge_count++] =
		    (struct layered_edge){explanation->edges[i].member + 1, explanation->edges[i].group + 1};
}

/* Above the user is what an edge leads to from him or from there: as often as there are layers, at most. */
static void find_holders(struct explain_picture *picture)
{
	bool has_changed = true;

	picture->nodes[0].holds = true;
	while (has_changed) {
		has_changed = false;
		for (size_t i = 0; i < picture->edge_count; i++) {
			const struct layered_edge *edge = &picture->edges[i];

			if (!picture->nodes[edge->from].holds || picture->nodes[edge->to].holds)
				continue;
			picture->nodes[edge->to].holds = true;
			has_changed = true;
		}
	}
}

static void mark_edge(struct explain_picture *picture, uint32_t from, uint32_t to)
{
	for (size_t i = 0; i < picture->edge_count; i++)
		if (picture->edges[i].from == from && picture->edges[i].to == to)
			picture->is_on_path[i] = true;
}

static void mark_path(struct explain_picture *picture, const struct wa_explained_paths *paths)
{
	uint32_t at = 0;

	if (paths->count == 0)
		return;
	for (size_t i = 0; i < paths->paths[0].count; i++) {
		mark_edge(picture, at, paths->paths[0].groups[i] + 1);
		at = paths->paths[0].groups[i] + 1;
	}
}

static void mark_paths(struct explain_picture *picture)
{
	const struct wa_explanation *explanation = picture->explanation;

	for (size_t i = 0; i < explanation->rule_count; i++)
		if (explanation->rules[i].part == WA_PART_DECIDED)
			mark_path(picture, &explanation->rules[i].paths);
	for (size_t i = 0; i < explanation->redirect.site_count; i++)
		if (explanation->redirect.sites[i].is_his)
			mark_path(picture, &explanation->redirect.sites[i].paths);
}

static void name_user(struct explain_picture *picture, const struct check_sender *sender,
		      const struct wa_decision *decision)
{
	if (decision->dn != NULL)
		shown_add(&picture->user, decision->dn, shown_first_part(decision->dn));
	else
		shown_add(&picture->user, sender->name, sender->length);
}

bool explain_picture_init(struct explain_picture *picture, const struct check_sender *sender,
			  const struct wa_decision *decision, const struct wa_explanation *explanation)
{
	const size_t edges = explanation->group_count + explanation->edge_count + 1;

	*picture = (struct explain_picture){.explanation = explanation, .node_count = explanation->group_count + 1};
	text_init(&picture->user);
	picture->nodes = memory_new_array(picture->node_count, sizeof(*picture->nodes));
	picture->edges = memory_new_array(edges, sizeof(*picture->edges));
	picture->is_on_path = memory_new_array(edges, sizeof(*picture->is_on_path));
	name_user(picture, sender, decision);
	if (text_failed(&picture->user) || picture->nodes == NULL || picture->edges == NULL ||
	    picture->is_on_path == NULL || !explain_names_init(&picture->names, explanation)) {
		explain_picture_done(picture);
		return false;
	}
	mark_all(picture);
	add_edges(picture);
	find_holders(picture);
	mark_paths(picture);
	return true;
}

void explain_picture_done(struct explain_picture *picture)
{
	explain_names_done(&picture->names);
	memory_free(picture->nodes);
	memory_free(picture->edges);
	memory_free(picture->is_on_path);
	text_done(&picture->user);
}

void explain_picture_add_name(const struct explain_picture *picture, size_t node, bool full, struct text *out)
{
	const struct wa_explained_group *group = node == 0 ? NULL : &picture->explanation->groups[node - 1];

	if (node == 0)
		text_add_bytes(out, text_string(&picture->user), picture->user.length);
	else if (full)
		shown_add(out, group->dn, strlen(group->dn));
	else
		explain_names_add(&picture->names, (uint32_t)node - 1, out);
}

static void add_part(struct text *out, const char *word, const char *part)
{
	text_printf(out, "%s%s%s", out->length > 0 ? "; " : "", word, part);
}

void explain_picture_add_part(const struct explain_picture *picture, size_t node, struct text *out)
{
	static const char *const parts[] = {"", ", decides", ", holds too", ", overruled"};
	const struct wa_explanation *explanation = picture->explanation;

	if (node == 0)
		return;
	for (size_t i = 0; i < explanation->rule_count; i++)
		if (explanation->rules[i].group == node - 1)
			add_part(out, explanation->rules[i].is_deny ? "deny" : "allow",
				 parts[explanation->rules[i].part]);
	for (size_t i = 0; i < explanation->redirect.site_count; i++)
		if (explanation->redirect.sites[i].group == node - 1)
			add_part(out, "site", explanation->redirect.sites[i].is_his ? ", the user's" : "");
	if (explanation->groups[node - 1].is_primary)
		add_part(out, "primary group", "");
	if (explanation->groups[node - 1].ring != 0)
		add_part(out, "in a ring", "");
}

/* XML 1.0 section 2.2: no control characters, no U+FFFE, no U+FFFF. */
static bool is_xml(uint32_t code_point)
{
	return code_point != UTF_INVALID && !utf_is_control(code_point) && code_point != 0xFFFE && code_point != 0xFFFF;
}

void explain_picture_add_xml(struct text *out, const char *data, size_t length)
{
	const char *end = data + length;

	while (data < end) {
		const uint32_t code_point = utf8_next(&data, end);

		if (code_point == '&')
			text_add(out, "&amp;");
		else if (code_point == '<')
			text_add(out, "&lt;");
		else if (code_point == '>')
			text_add(out, "&gt;");
		else if (code_point == '"')
			text_add(out, "&quot;");
		else if (code_point == '\'')
			text_add(out, "&#39;");
		else
			shown_add_code_point(out, is_xml(code_point) ? code_point : SHOWN_REPLACEMENT);
	}
}
